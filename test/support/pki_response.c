/* pki_response: makes the OCSP responses of the tests. */
#include "pki_private.h"

#include <apr_strings.h>
#include <stdint.h>

/* An OID that no OpenSSL knows, for extensions nobody understands. */
#define UNKNOWN_OID "1.3.6.1.4.1.55555.1"

static ASN1_GENERALIZEDTIME *make_time(apr_time_t when)
{
    ASN1_GENERALIZEDTIME *t =
        ASN1_GENERALIZEDTIME_set(NULL, apr_time_sec(when));

    pki_must(t != NULL, "time");
    return t;
}

static X509_EXTENSION *make_unknown(int critical, apr_size_t size)
{
    ASN1_OBJECT *oid = OBJ_txt2obj(UNKNOWN_OID, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    unsigned char *bytes = OPENSSL_zalloc(size ? size : 1);
    X509_EXTENSION *ext = NULL;

    pki_must(oid && value && bytes &&
                 ASN1_OCTET_STRING_set(value, bytes, (int)size),
             "extension value");
    ext = X509_EXTENSION_create_by_OBJ(NULL, oid, critical, value);
    pki_must(ext != NULL, "extension");
    OPENSSL_free(bytes);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
    return ext;
}

static void add_single_unknown(OCSP_SINGLERESP *single, int critical)
{
    X509_EXTENSION *ext = make_unknown(critical, 2);

    pki_must(OCSP_SINGLERESP_add_ext(single, ext, -1), "single extension");
    X509_EXTENSION_free(ext);
}

static void add_single(OCSP_BASICRESP *basic, const pki_single_t *s)
{
    const EVP_MD *md = s->certid_md ? s->certid_md : EVP_sha1();
    OCSP_CERTID *id = OCSP_cert_to_id(md, s->cert, s->issuer);
    apr_time_t hour_ago = apr_time_now() - apr_time_from_sec(3600);
    ASN1_TIME *revoked = NULL;
    ASN1_TIME *from = make_time(s->this_update);
    ASN1_TIME *to = s->next_update ? make_time(s->next_update) : NULL;
    OCSP_SINGLERESP *single;

    if (s->status == V_OCSP_CERTSTATUS_REVOKED)
        revoked = make_time(s->revoked_at ? s->revoked_at : hour_ago);
    single = OCSP_basic_add1_status(
        basic, id, s->status, OCSP_REVOKED_STATUS_NOSTATUS, revoked, from, to);
    pki_must(single != NULL, "single response");
    if (s->unknown_critical)
        add_single_unknown(single, 1);
    if (s->unknown)
        add_single_unknown(single, 0);
    ASN1_TIME_free(revoked);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    OCSP_CERTID_free(id);
}

static void add_response_ext(OCSP_BASICRESP *basic, int critical,
                             apr_size_t size)
{
    X509_EXTENSION *ext = make_unknown(critical, size);

    pki_must(OCSP_BASICRESP_add_ext(basic, ext, -1), "response extension");
    X509_EXTENSION_free(ext);
}

/* OpenSSL lets everybody read producedAt and nobody choose it. */
static void set_produced_at(OCSP_BASICRESP *basic, apr_time_t when)
{
    const ASN1_GENERALIZEDTIME *t = OCSP_resp_get0_produced_at(basic);

    pki_must(ASN1_GENERALIZEDTIME_set((ASN1_GENERALIZEDTIME *)(uintptr_t)t,
                                      apr_time_sec(when)) != NULL,
             "producedAt");
}

static void sign_response(OCSP_BASICRESP *basic, const pki_response_t *r)
{
    unsigned long flags = OCSP_NOTIME;
    const ASN1_OCTET_STRING *signature;

    set_produced_at(basic, r->produced_at ? r->produced_at : apr_time_now());
    if (!r->with_signer_cert || r->passed_off)
        flags |= OCSP_NOCERTS;
    if (r->by_key)
        flags |= OCSP_RESPID_KEY;
    pki_must(OCSP_basic_sign(basic, r->signer->cert, r->signer->key,
                             r->md ? r->md : EVP_sha256(), NULL, flags),
             "signing the response");
    if (r->passed_off)
        pki_must(OCSP_basic_add1_cert(basic, r->passed_off->cert),
                 "adding a certificate");
    if (r->break_signature) {
        signature = OCSP_resp_get0_signature(basic);
        signature->data[signature->length - 1] ^= 1;
    }
}

static const unsigned char *encode(apr_size_t *len, OCSP_RESPONSE *response,
                                   apr_pool_t *p)
{
    unsigned char *der = NULL;
    unsigned char *copy;
    int n = i2d_OCSP_RESPONSE(response, &der);

    pki_must(n > 0, "encoding the response");
    copy = apr_pmemdup(p, der, (apr_size_t)n);
    *len = (apr_size_t)n;
    OPENSSL_free(der);
    return copy;
}

const unsigned char *pki_response(apr_size_t *len, const pki_response_t *r,
                                  apr_pool_t *p)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_RESPONSE *response;
    const unsigned char *der;

    pki_must(basic != NULL, "response");
    for (int i = 0; i < r->count; i++)
        add_single(basic, &r->singles[i]);
    if (r->unknown_critical)
        add_response_ext(basic, 1, 2);
    if (r->padding)
        add_response_ext(basic, 0, r->padding);
    if (r->nonce)
        pki_must(OCSP_basic_add1_nonce(basic, NULL, 16), "nonce");
    sign_response(basic, r);
    response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    pki_must(response != NULL, "response");
    der = encode(len, response, p);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    return der;
}

const unsigned char *pki_response_error(apr_size_t *len, int status,
                                        apr_pool_t *p)
{
    OCSP_RESPONSE *response = OCSP_response_create(status, NULL);
    const unsigned char *der;

    pki_must(response != NULL, "error response");
    der = encode(len, response, p);
    OCSP_RESPONSE_free(response);
    return der;
}
