/* trust: the roots that clients know, from a file, a directory or the system.
 */
#ifndef OCSPX_TRUST_H
#define OCSPX_TRUST_H

#include <apr_pools.h>

#include "../core/chain.h"

/**
 * @param path of a PEM file, or of a directory as c_rehash makes it; NULL: the
 *        system's (SSL_CERT_FILE, SSL_CERT_DIR, else OpenSSL's defaults)
 * @param why on error one sentence for the operator, from @a p
 */
apr_status_t ocspx_trust_load(const ocspx_chain_trust_t **trust,
                              const char **why, const char *path,
                              apr_pool_t *p);

#endif
