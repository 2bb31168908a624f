/* mend: puts repaired chains into the place of incomplete ones
 * (OCSPXChainRepair).
 */
#ifndef OCSPX_MEND_H
#define OCSPX_MEND_H

#include "generation.h"

/**
 * The chain of @a leaf in @a ctx is @a entry's to repair: give it a callback
 * for staples where mod_ssl has not, and remember it for the children. From the
 * parent.
 * @param staple as SSL_CTX_set_tlsext_status_cb takes it
 */
void ocspx_mend_arrange(ocspx_generation_t *generation, SSL_CTX *ctx,
                        X509 *leaf, const ocspx_registry_entry_t *entry,
                        int (*staple)(SSL *ssl, void *unused));

/** Send what was repaired until now. From a child, before its threads; as the
 * worker user, who alone reads the state directory. */
void ocspx_mend_child_init(const ocspx_generation_t *generation,
                           apr_pool_t *pchild);

#endif
