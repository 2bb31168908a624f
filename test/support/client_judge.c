/* client_judge: is this staple what a strict client accepts?
 *
 * Written against OpenSSL and RFC 6960 only, so that it cannot share a mistake
 * with the module.
 */
#include "client_private.h"

#include <time.h>

#include <apr_strings.h>
#include <openssl/ocsp.h>

static apr_time_t to_time(const ASN1_GENERALIZEDTIME *at)
{
    struct tm tm;

    if (at == NULL || ASN1_TIME_to_tm(at, &tm) != 1)
        return 0;
    return apr_time_from_sec(timegm(&tm));
}

static int is_about(const OCSP_SINGLERESP *single, X509 *leaf, X509 *issuer)
{
    /* The getters of a CertID want it writable in every OpenSSL. */
    OCSP_CERTID *theirs = OCSP_CERTID_dup(
        (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(single));
    ASN1_OBJECT *digest = NULL;
    OCSP_CERTID *ours;
    int same;

    OCSP_id_get0_info(NULL, &digest, NULL, NULL, theirs);
    ours = OCSP_cert_to_id(EVP_get_digestbyobj(digest), leaf, issuer);
    same = ours != NULL && OCSP_id_cmp(ours, theirs) == 0;
    OCSP_CERTID_free(ours);
    OCSP_CERTID_free(theirs);
    return same;
}

static OCSP_SINGLERESP *find_single(OCSP_BASICRESP *basic, X509 *leaf,
                                    X509 *issuer)
{
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);

        if (is_about(single, leaf, issuer))
            return single;
    }
    return NULL;
}

/** @return what is wrong with it, "" if nothing */
static const char *judge_single(client_result_t *result,
                                OCSP_SINGLERESP *single, apr_time_t asked)
{
    ASN1_GENERALIZEDTIME *this_update = NULL;
    ASN1_GENERALIZEDTIME *next_update = NULL;

    result->status =
        OCSP_single_get0_status(single, NULL, NULL, &this_update, &next_update);
    result->this_update = to_time(this_update);
    result->next_update = to_time(next_update);
    if (result->this_update == 0 || result->this_update > apr_time_now())
        return "staple: thisUpdate lies in the future";
    /* Sent before it expired is good enough: hence not "now". */
    if (next_update != NULL && result->next_update <= asked)
        return "staple: expired";
    return "";
}

static const char *judge_basic(client_result_t *result, OCSP_BASICRESP *basic,
                               SSL *ssl, apr_time_t asked)
{
    X509_STORE *store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
    STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    OCSP_SINGLERESP *single;

    if (sk_X509_num(chain) < 2)
        return "staple: the certificate has no issuer";
    if (OCSP_basic_verify(basic, chain, store, 0) != 1)
        return "staple: signature or signer not verified";
    single =
        find_single(basic, sk_X509_value(chain, 0), sk_X509_value(chain, 1));
    if (single == NULL)
        return "staple: about another certificate";
    return judge_single(result, single, asked);
}

static const char *judge_response(client_result_t *result,
                                  OCSP_RESPONSE *response, SSL *ssl,
                                  apr_time_t asked)
{
    const char *error = "staple: no basic response";
    OCSP_BASICRESP *basic;

    if (response == NULL)
        return "staple: not an OCSP response";
    if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return "staple: an error response";
    basic = OCSP_response_get1_basic(response);
    if (basic != NULL) {
        error = judge_basic(result, basic, ssl, asked);
        OCSP_BASICRESP_free(basic);
    }
    return error;
}

void client_judge(client_result_t *result, SSL *ssl, apr_time_t asked,
                  apr_pool_t *p)
{
    const unsigned char *der = NULL;
    long len = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
    OCSP_RESPONSE *response;

    if (der == NULL || len <= 0) {
        result->error = "no staple";
        return;
    }
    result->stapled = 1;
    result->len = (apr_size_t)len;
    result->der = apr_pmemdup(p, der, result->len);
    response = d2i_OCSP_RESPONSE(NULL, &der, len);
    result->error = judge_response(result, response, ssl, asked);
    result->verified = result->error[0] == '\0';
    OCSP_RESPONSE_free(response);
}
