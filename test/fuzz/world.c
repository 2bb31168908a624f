/* world: the certificates of the fuzz targets, always the same. */
#include "world.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <string.h>

#include "fuzz.h"
#include "keys.h"

#define DAYS(n) ((n)*24 * FUZZ_HOUR)

static EVP_PKEY *key(const char *text)
{
    unsigned char der[2000];
    const unsigned char *at = der;
    int len =
        EVP_DecodeBlock(der, (const unsigned char *)text, (int)strlen(text));
    EVP_PKEY *made = d2i_AutoPrivateKey(NULL, &at, len);

    ck_assert_ptr_nonnull(made);
    return made;
}

static pki_t *make(pki_spec_t spec, const char *with, const pki_t *issuer,
                   apr_pool_t *p)
{
    EVP_PKEY *used = with ? key(with) : NULL;
    pki_t *made;

    if (used)
        spec.use_key = used;
    if (!spec.not_before)
        spec.not_before = FUZZ_NOW - DAYS(100);
    if (!spec.not_after)
        spec.not_after = FUZZ_NOW + DAYS(100);
    made = pki_make(&spec, issuer, p);
    EVP_PKEY_free(used);
    return made;
}

static apr_status_t free_roots(void *roots)
{
    X509_STORE_free(roots);
    return APR_SUCCESS;
}

fuzz_world_t *fuzz_world_make(apr_pool_t *p)
{
    fuzz_world_t *w = apr_pcalloc(p, sizeof(*w));

    w->root = make((pki_spec_t){.cn = "Root", .serial = 1, .ca = 1},
                   fuzz_key_root, NULL, p);
    w->upper = make((pki_spec_t){.cn = "Upper", .serial = 2, .ca = 1},
                    fuzz_key_upper, w->root, p);
    w->ca = make((pki_spec_t){.cn = "CA",
                              .serial = 3,
                              .ca = 1,
                              .ca_issuers = "http://upper.test/"},
                 fuzz_key_ca, w->upper, p);
    w->leaf = make((pki_spec_t){.cn = "leaf",
                                .serial = 4,
                                .names = "DNS:www.test,DNS:*.test",
                                .ocsp_urls = "http://ocsp.test/",
                                .ca_issuers = "http://ca.test/"},
                   fuzz_key_leaf, w->ca, p);
    w->signer =
        make((pki_spec_t){.cn = "Signer", .serial = 5, .ocsp_signing = 1},
             fuzz_key_signer, w->ca, p);
    ck_assert_int_eq(ocspx_cert_make(&w->cert, w->leaf->cert, w->ca->cert, p),
                     APR_SUCCESS);
    w->trust = (ocspx_chain_trust_t){.roots = X509_STORE_new(), .all = 1};
    ck_assert_int_eq(X509_STORE_add_cert(w->trust.roots, w->root->cert), 1);
    apr_pool_cleanup_register(p, w->trust.roots, free_roots,
                              apr_pool_cleanup_null);
    return w;
}

pki_t *fuzz_world_cert(const fuzz_world_t *world, pki_spec_t spec,
                       const pki_t *issuer, apr_pool_t *p)
{
    if (!spec.use_key)
        spec.use_key = world->leaf->key;
    return make(spec, NULL, issuer, p);
}

/* --- OpenSSL's own word ---------------------------------------------- */

static int is_about_leaf(const fuzz_world_t *world, OCSP_SINGLERESP *single)
{
    OCSP_CERTID *id = (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(single);
    ASN1_OBJECT *hash;
    OCSP_CERTID *ours = NULL;
    int same = 0;

    if (OCSP_id_get0_info(NULL, &hash, NULL, NULL, id) &&
        EVP_get_digestbyobj(hash))
        ours = OCSP_cert_to_id(EVP_get_digestbyobj(hash), world->leaf->cert,
                               world->ca->cert);
    if (ours)
        same = !OCSP_id_cmp(id, ours);
    OCSP_CERTID_free(ours);
    return same;
}

/* Not -1, nor -2, which says that it is no time. */
static int is_after(const ASN1_TIME *t, apr_time_t when)
{
    return ASN1_TIME_cmp_time_t(t, (time_t)apr_time_sec(when)) >= 0;
}

/* @return -1: not current */
static int status_of(OCSP_SINGLERESP *single, apr_time_t expiry)
{
    ASN1_GENERALIZEDTIME *from, *to;
    int status = OCSP_single_get0_status(single, NULL, NULL, &from, &to);
    time_t latest = (time_t)apr_time_sec(FUZZ_NOW) + 300;

    if (!from || ASN1_TIME_cmp_time_t(from, latest) > 0 ||
        ASN1_TIME_cmp_time_t(from, latest) < -1)
        return -1;
    if (to && (!is_after(to, expiry) || !is_after(to, FUZZ_NOW + 1)))
        return -1;
    return status;
}

static int signer_lasts(OCSP_BASICRESP *basic, STACK_OF(X509) * issuers,
                        apr_time_t expiry)
{
    X509 *signer;

    return OCSP_resp_get0_signer(basic, &signer, issuers) == 1 &&
           (signer == sk_X509_value(issuers, 0) ||
            is_after(X509_get0_notAfter(signer), expiry));
}

static int is_authentic(const fuzz_world_t *world, OCSP_BASICRESP *basic,
                        apr_time_t expiry)
{
    STACK_OF(X509) *issuers = sk_X509_new_null();
    X509_STORE *store = X509_STORE_new();
    int ok;

    ck_assert(issuers && store && sk_X509_push(issuers, world->ca->cert) &&
              X509_STORE_add_cert(store, world->ca->cert));
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store),
                               (time_t)apr_time_sec(FUZZ_NOW));
    ok = OCSP_basic_verify(basic, issuers, store, 0) > 0 &&
         signer_lasts(basic, issuers, expiry);
    X509_STORE_free(store);
    sk_X509_free(issuers);
    return ok;
}

static int status_in(const fuzz_world_t *world, OCSP_BASICRESP *basic,
                     apr_time_t expiry)
{
    int found = 0, status = -1;

    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        int says;

        if (!is_about_leaf(world, single))
            continue;
        says = status_of(single, expiry);
        if (says == -1 || (found++ && says != status))
            return -1;
        status = says;
    }
    return status;
}

int fuzz_world_status(const fuzz_world_t *world, const unsigned char *der,
                      size_t len, apr_time_t expiry)
{
    OCSP_RESPONSE *response;
    OCSP_BASICRESP *basic = NULL;
    int status = -1;

    ERR_set_mark();
    response = d2i_OCSP_RESPONSE(NULL, &der, (long)len);
    if (response && OCSP_response_status(response) == 0)
        basic = OCSP_response_get1_basic(response);
    if (basic && is_authentic(world, basic, expiry))
        status = status_in(world, basic, expiry);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    ERR_pop_to_mark();
    return status;
}

int fuzz_world_trusts(const fuzz_world_t *world,
                      const apr_array_header_t *chain)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *others = sk_X509_new_null();
    int ok;

    ERR_set_mark();
    for (int i = 1; i < chain->nelts; i++)
        sk_X509_push(others, APR_ARRAY_IDX(chain, i, X509 *));
    ck_assert(X509_STORE_CTX_init(ctx, world->trust.roots,
                                  APR_ARRAY_IDX(chain, 0, X509 *), others));
    X509_STORE_CTX_set_time(ctx, 0, (time_t)apr_time_sec(FUZZ_NOW));
    ok = X509_verify_cert(ctx) == 1;
    X509_STORE_CTX_free(ctx);
    sk_X509_free(others);
    ERR_pop_to_mark();
    return ok;
}
