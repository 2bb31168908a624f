/* chain_path: the path from the leaf to a root, as OpenSSL finds it. */
#include "chain_private.h"

#include <apr_strings.h>

static apr_status_t free_ctx(void *ctx)
{
    X509_STORE_CTX_free(ctx);
    return APR_SUCCESS;
}

static apr_status_t free_stack(void *certs)
{
    sk_X509_free(certs);
    return APR_SUCCESS;
}

static apr_status_t free_certs(void *certs)
{
    sk_X509_pop_free(certs, X509_free);
    return APR_SUCCESS;
}

/* Lets OpenSSL go on after an objection; where its error stood, it would later
 * be taken for another one. */
static int collect(int ok, X509_STORE_CTX *ctx)
{
    const ocspx_chain_judge_t *j = X509_STORE_CTX_get_app_data(ctx);

    if (!ok) {
        APR_ARRAY_PUSH(j->errors, ocspx_chain_error_t) =
            (ocspx_chain_error_t){.code = X509_STORE_CTX_get_error(ctx),
                                  .depth = X509_STORE_CTX_get_error_depth(ctx)};
        X509_STORE_CTX_set_error(ctx, X509_V_OK);
    }
    return 1;
}

static STACK_OF(X509) * new_stack(const ocspx_chain_judge_t *j)
{
    STACK_OF(X509) *certs = sk_X509_new_null();

    apr_pool_cleanup_register(j->scratch, certs, free_stack,
                              apr_pool_cleanup_null);
    return certs;
}

/* --- names that nobody trusted has ----------------------------------- */

/* For each of them OpenSSL reads whole directories: some hundred files for
 * each virtual host with a certificate of a private CA. */

static int is_unknown(const ocspx_chain_judge_t *j, X509_NAME *name)
{
    const unsigned char *der;
    size_t len;

    return j->question->unknown && X509_NAME_get0_der(name, &der, &len) &&
           apr_hash_get(j->question->unknown, der, (apr_ssize_t)len);
}

static void note_unknown(const ocspx_chain_judge_t *j, X509_NAME *name)
{
    apr_hash_t *unknown = j->question->unknown;
    const unsigned char *der;
    size_t len;

    if (unknown && X509_NAME_get0_der(name, &der, &len)) {
        der = apr_pmemdup(apr_hash_pool_get(unknown), der, len);
        apr_hash_set(unknown, der, (apr_ssize_t)len, der);
    }
}

/* OpenSSL's X509_STORE_CTX_get_issuer_fn. */
static int find_issuer(X509 **issuer, X509_STORE_CTX *ctx, X509 *cert)
{
    const ocspx_chain_judge_t *j = X509_STORE_CTX_get_app_data(ctx);
    X509_NAME *name = X509_get_issuer_name(cert);
    X509_OBJECT *namesake;
    int found;

    *issuer = NULL;
    if (is_unknown(j, name))
        return 0;
    found = X509_STORE_CTX_get1_issuer(issuer, ctx, cert);
    if (!found) {
        namesake = X509_STORE_CTX_get_obj_by_subject(ctx, X509_LU_X509, name);
        if (!namesake)
            note_unknown(j, name);
        X509_OBJECT_free(namesake);
    }
    return found;
}

/* --- the path -------------------------------------------------------- */

/* As s_client does: RFC 5280 for TLS servers, at this time, at that level. */
static X509_STORE_CTX *new_ctx(ocspx_chain_judge_t *j, STACK_OF(X509) * sent)
{
    X509_STORE *roots = j->question->trust->roots;
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_VERIFY_PARAM *param;
    int ok;

    apr_pool_cleanup_register(j->scratch, ctx, free_ctx, apr_pool_cleanup_null);
    /* The store hands it on; others who use it are not concerned. */
    X509_STORE_set_get_issuer(roots, find_issuer);
    ok = ctx && X509_STORE_CTX_init(ctx, roots, j->served[0].cert, sent) &&
         X509_STORE_CTX_set_default(ctx, "ssl_server");
    X509_STORE_set_get_issuer(roots, NULL);
    if (!ok)
        return NULL;
    X509_STORE_CTX_set_app_data(ctx, j);
    param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_auth_level(param, OCSPX_CHAIN_LEVEL);
    X509_VERIFY_PARAM_set_time(param, j->now);
    return ctx;
}

int ocspx_chain_path_holds(ocspx_chain_judge_t *j, X509 *const *above,
                           int count)
{
    STACK_OF(X509) *sent = new_stack(j);
    X509_STORE_CTX *ctx;

    for (int i = 0; i < count; i++)
        sk_X509_push(sent, above[i]);
    ctx = new_ctx(j, sent);
    return ctx && X509_verify_cert(ctx) == 1;
}

STACK_OF(X509) *
    ocspx_chain_path_trusted(const ocspx_chain_judge_t *j, X509_NAME *name)
{
    STACK_OF(X509) *certs = j->ctx && !is_unknown(j, name)
                                ? X509_STORE_CTX_get1_certs(j->ctx, name)
                                : NULL;

    apr_pool_cleanup_register(j->scratch, certs, free_certs,
                              apr_pool_cleanup_null);
    return certs;
}

int ocspx_chain_path_has(const ocspx_chain_judge_t *j, int code, int depth)
{
    for (int i = 0; i < j->errors->nelts; i++) {
        const ocspx_chain_error_t *error =
            &APR_ARRAY_IDX(j->errors, i, ocspx_chain_error_t);

        if (error->code == code && error->depth == depth)
            return 1;
    }
    return 0;
}

int ocspx_chain_path_error(const ocspx_chain_judge_t *j, int code)
{
    for (int depth = 0; depth < j->path_count; depth++)
        if (ocspx_chain_path_has(j, code, depth))
            return depth;
    return -1;
}

int ocspx_chain_path_place(const ocspx_chain_judge_t *j, int depth)
{
    for (int i = 0; i < j->served_count; i++)
        if (j->served[i].depth == depth)
            return i;
    return -1;
}

static void locate(ocspx_chain_judge_t *j, ocspx_chain_served_t *served)
{
    for (int d = 0; d < j->path_count && served->depth < 0; d++)
        if (X509_cmp(j->path[d], served->cert) == 0)
            served->depth = d;
}

/* What OpenSSL verified need not be verified again. */
static void learn_signer(const ocspx_chain_judge_t *j,
                         ocspx_chain_served_t *served)
{
    int d = served->depth;

    if (j->verified && d >= 0 && d + 1 < j->path_count &&
        !ocspx_chain_path_has(j, X509_V_ERR_CERT_SIGNATURE_FAILURE, d) &&
        !ocspx_chain_path_has(j, X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY,
                              d + 1))
        served->signer = j->path[d + 1];
}

static void take_path(ocspx_chain_judge_t *j)
{
    STACK_OF(X509) *chain = j->ctx ? X509_STORE_CTX_get0_chain(j->ctx) : NULL;
    int n = chain ? sk_X509_num(chain) : 0;

    j->path_count = n > 0 ? n : 1;
    j->path =
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are kept */
        apr_palloc(j->scratch, (apr_size_t)j->path_count * sizeof(*j->path));
    j->path[0] = j->served[0].cert;
    for (int d = 0; d < n; d++)
        j->path[d] = sk_X509_value(chain, d);
    j->trusted = n > 0 ? X509_STORE_CTX_get_num_untrusted(j->ctx) : 1;
    j->end = j->path_count - 1;
    for (int i = 0; i < j->served_count; i++) {
        locate(j, &j->served[i]);
        learn_signer(j, &j->served[i]);
    }
}

/* Sometimes it stops without a word to the callback. */
static void take_failure(ocspx_chain_judge_t *j)
{
    int code = j->ctx ? X509_STORE_CTX_get_error(j->ctx) : X509_V_OK;

    if (j->verified || !apr_is_empty_array(j->errors))
        return;
    APR_ARRAY_PUSH(j->errors, ocspx_chain_error_t) = (ocspx_chain_error_t){
        .code = code != X509_V_OK ? code : X509_V_ERR_UNSPECIFIED};
}

void ocspx_chain_path_find(ocspx_chain_judge_t *j)
{
    STACK_OF(X509) *sent = new_stack(j);

    j->errors = apr_array_make(j->scratch, 4, sizeof(ocspx_chain_error_t));
    for (int i = 0; i < j->served_count; i++)
        sk_X509_push(sent, j->served[i].cert);
    j->ctx = new_ctx(j, sent);
    if (j->ctx) {
        X509_STORE_CTX_set_verify_cb(j->ctx, collect);
        j->verified = X509_verify_cert(j->ctx) > 0;
    }
    take_path(j);
    take_failure(j);
}
