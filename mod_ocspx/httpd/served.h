/* served: what OpenSSL sends to clients with a certificate.
 *
 * That is the chain configured for the certificate, or the one for the whole
 * SSL_CTX, or where there is none the chain that OpenSSL finds in the CA
 * store. The configuration test, for which mod_ssl reads nothing, has an
 * SSL_CTX made from the same files, so that there is one answer to it.
 */
#ifndef OCSPX_SERVED_H
#define OCSPX_SERVED_H

#include <apr_hash.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include <openssl/ssl.h>

#include "ssl_files.h"

/**
 * What is sent with the current certificate of @a ctx.
 * @return X509 *: leaf first, own references, freed with @a p; empty where
 *         there is no certificate
 */
apr_array_header_t *ocspx_served_by_ctx(SSL_CTX *ctx, apr_pool_t *p);

/**
 * What mod_ssl would send with these files. Keys are not read, and names of
 * objects in a token are passed over.
 * @param troubles const char *: gets a sentence for each file that cannot be
 *        used; what depends on it is left out
 * @param stores what came of reading CA files, for one run; so that those of a
 *        thousand virtual hosts are read once
 * @return apr_array_header_t *: as above, one for each certificate
 */
apr_array_header_t *ocspx_served_by_files(apr_array_header_t *troubles,
                                          const ocspx_ssl_files_t *files,
                                          apr_hash_t *stores, apr_pool_t *p);

/** The file that what is missing from the chain of @a leaf is to be appended
 * to; NULL: it is not in any of these. */
const char *ocspx_served_to_mend(const ocspx_ssl_files_t *files, X509 *leaf);

#endif
