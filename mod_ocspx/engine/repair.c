/* repair: completes a chain that lacks an intermediate. */
#include "repair.h"

#include <apr_strings.h>
#include <limits.h>
#include <string.h>

#include "../core/certs.h"
#include "repair_path.h"

/* Far more than any chain has. */
#define KEPT_MAX 1048576

int ocspx_repair_possible(const ocspx_chain_t *chain)
{
    return !apr_is_empty_array(chain->urls);
}

static ocspx_repair_try_t *make_try(const ocspx_repair_t *repair, apr_pool_t *p)
{
    ocspx_repair_try_t *attempt = apr_pcalloc(p, sizeof(*attempt));

    attempt->repair = repair;
    attempt->path = apr_array_make(p, OCSPX_REPAIR_MAX + 1, sizeof(X509 *));
    attempt->urls = apr_array_make(p, 1, sizeof(const char *));
    attempt->sources = apr_array_make(p, 1, sizeof(const char *));
    attempt->pool = p;
    APR_ARRAY_PUSH(attempt->path, X509 *) = repair->cert->leaf;
    return attempt;
}

ocspx_repair_try_t *ocspx_repair_begin(const ocspx_repair_t *repair,
                                       apr_time_t now, apr_pool_t *p)
{
    ocspx_repair_try_t *attempt = make_try(repair, p);

    ocspx_repair_path_start(attempt, now);
    return attempt;
}

const char *ocspx_repair_next(ocspx_repair_try_t *attempt)
{
    if (attempt->url == attempt->urls->nelts)
        return NULL;
    return APR_ARRAY_IDX(attempt->urls, attempt->url++, const char *);
}

ocspx_repair_result_e ocspx_repair_take(ocspx_cause_e *cause,
                                        const char **message,
                                        ocspx_repair_try_t *attempt,
                                        const unsigned char *data,
                                        apr_size_t len, apr_time_t now)
{
    const char *source =
        APR_ARRAY_IDX(attempt->urls, attempt->url - 1, const char *);
    ocspx_repair_result_e result;
    apr_array_header_t *offer;
    const char *why;

    offer = ocspx_certs_read(&why, data, len, attempt->pool);
    if (!offer) {
        *cause = OCSPX_CAUSE_CHAIN_NOT_CERT;
        *message = apr_pstrcat(attempt->pool, "the answer ", why, NULL);
        return OCSPX_REPAIR_REFUSED;
    }
    result =
        ocspx_repair_path_grow(cause, message, attempt, offer,
                               attempt->configured + OCSPX_REPAIR_MAX, now);
    if (result != OCSPX_REPAIR_REFUSED)
        APR_ARRAY_PUSH(attempt->sources, const char *) = source;
    return result;
}

apr_array_header_t *ocspx_repair_chain(const ocspx_repair_try_t *attempt)
{
    apr_array_header_t *chain = apr_array_copy(attempt->pool, attempt->path);
    int i;

    for (i = 1; i < chain->nelts; i++)
        APR_ARRAY_IDX(chain, i - 1, X509 *) = APR_ARRAY_IDX(chain, i, X509 *);
    chain->nelts--;
    return chain;
}

apr_status_t ocspx_repair_save(const char **why,
                               const ocspx_repair_try_t *attempt,
                               ocspx_store_t *store, apr_pool_t *p)
{
    const char *pem = ocspx_certs_pem(ocspx_repair_chain(attempt), p);

    if (!pem) {
        *why = "there is no memory for the chain";
        return APR_ENOMEM;
    }
    /* To be appended to a file whose last line need not be ended. */
    pem = apr_pstrcat(p, "\n", pem, NULL);
    return ocspx_store_save(why, store, OCSPX_STORE_CHAIN,
                            attempt->repair->cert->id,
                            (const unsigned char *)pem, strlen(pem), p);
}

apr_status_t ocspx_repair_load(apr_array_header_t **chain, const char **why,
                               const ocspx_repair_t *repair,
                               ocspx_store_t *store, apr_time_t now,
                               apr_pool_t *p)
{
    ocspx_repair_try_t *attempt = make_try(repair, p);
    const char *id = repair->cert->id, *path, *message;
    apr_array_header_t *offer;
    const unsigned char *data;
    ocspx_cause_e cause;
    apr_status_t rv;
    apr_size_t len;

    rv = ocspx_store_load(&data, &len, why, store, OCSPX_STORE_CHAIN, id,
                          KEPT_MAX, p);
    if (rv != APR_SUCCESS)
        return rv;
    path = ocspx_store_file(store, OCSPX_STORE_CHAIN, id, p);
    offer = ocspx_certs_read(&message, data, len, p);
    if (!offer) {
        *why = apr_pstrcat(p, path, " ", message, NULL);
        return APR_EINVAL;
    }
    if (ocspx_repair_path_grow(&cause, &message, attempt, offer, INT_MAX,
                               now) != OCSPX_REPAIR_COMPLETE) {
        *why = apr_psprintf(p, "%s: %s: %s", path, ocspx_cause_code(cause),
                            message);
        return APR_EINVAL;
    }
    *chain = ocspx_repair_chain(attempt);
    return APR_SUCCESS;
}

void ocspx_repair_apply(ocspx_repair_t *repair, const apr_array_header_t *chain)
{
    ocspx_cert_t *cert = repair->cert;

    if (!cert->issuer) {
        cert->issuer = APR_ARRAY_IDX(chain, 0, X509 *);
        X509_up_ref(cert->issuer);
    }
    repair->repaired = 1;
}
