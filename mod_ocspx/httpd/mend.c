/* mend: puts repaired chains into the place of incomplete ones.
 *
 * What was fetched lies in the state directory, which belongs to the worker
 * user; so it is the children that read it, each into its own copy of the
 * SSL_CTX, and never the parent, which may be root.
 */
#include "mend.h"

APLOG_USE_MODULE(ocspx);

void ocspx_mend_arrange(ocspx_generation_t *generation, SSL_CTX *ctx,
                        X509 *leaf, const ocspx_registry_entry_t *entry,
                        int (*staple)(SSL *ssl, void *unused))
{
    int (*present)(SSL * ssl, void *unused) = NULL;
    ocspx_mend_t *mend = apr_array_push(generation->mends);

    *mend = (ocspx_mend_t){ctx, leaf, entry};
    SSL_CTX_get_tlsext_status_cb(ctx, &present);
    if (!present)
        SSL_CTX_set_tlsext_status_cb(ctx, staple);
}

static int send_chain(const ocspx_mend_t *mend, const apr_array_header_t *chain)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    int ok = certs != NULL;
    int i;

    for (i = 0; ok && i < chain->nelts; i++)
        ok = sk_X509_push(certs, APR_ARRAY_IDX(chain, i, X509 *)) > 0;
    ok = ok && SSL_CTX_select_current_cert(mend->ctx, mend->leaf) == 1 &&
         SSL_CTX_set1_chain(mend->ctx, certs) == 1;
    sk_X509_free(certs);
    return ok;
}

void ocspx_mend_child_init(const ocspx_generation_t *generation,
                           apr_pool_t *pchild)
{
    apr_array_header_t *chain;
    ocspx_store_t *store;
    apr_pool_t *ptemp;
    const char *why;
    int i;

    /* The refresher says what is wrong with the directory or a file in it. */
    if (apr_is_empty_array(generation->mends) ||
        !generation->settings.state_dir ||
        ocspx_store_open(&store, &why, generation->settings.state_dir,
                         pchild) != APR_SUCCESS)
        return;
    apr_pool_create(&ptemp, pchild);
    for (i = 0; i < generation->mends->nelts; i++) {
        const ocspx_mend_t *mend =
            &APR_ARRAY_IDX(generation->mends, i, const ocspx_mend_t);

        if (ocspx_repair_load(&chain, &why, mend->entry->repair, store,
                              apr_time_now(), ptemp) == APR_SUCCESS &&
            !send_chain(mend, chain))
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, generation->server,
                         "OCSPX0124: %s: the repaired chain cannot be sent",
                         mend->entry->cert->name);
        apr_pool_clear(ptemp);
    }
    apr_pool_destroy(ptemp);
}
