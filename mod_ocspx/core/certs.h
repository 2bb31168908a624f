/* certs: certificates from the bytes of a file or an answer. */
#ifndef OCSPX_CERTS_H
#define OCSPX_CERTS_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <openssl/x509.h>

/**
 * All certificates in @a data, in order: PEM (any number; blocks of another
 * kind, such as keys, are passed over), one in DER, or a PKCS #7 bundle in DER
 * or PEM (RFC 5280, 4.2.2.1).
 * @return X509 *, each freed with @a p; NULL where there is none or one is
 * damaged, and @a why says so in words that follow the name of the source
 */
apr_array_header_t *ocspx_certs_read(const char **why,
                                     const unsigned char *data, apr_size_t len,
                                     apr_pool_t *p);

/** PEM of certificates (X509 *), one after the other; NULL: out of memory. */
const char *ocspx_certs_pem(const apr_array_header_t *certs, apr_pool_t *p);

#endif
