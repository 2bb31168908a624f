/* pki: makes the certificates and OCSP responses of the tests. */
#include "pki.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An OID that no OpenSSL knows, for extensions nobody understands. */
#define UNKNOWN_OID "1.3.6.1.4.1.55555.1"

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "pki: %s failed\n", what);
    ERR_print_errors_fp(stderr);
    abort();
}

static apr_status_t free_pair(void *data)
{
    pki_t *pair = data;

    X509_free(pair->cert);
    EVP_PKEY_free(pair->key);
    return APR_SUCCESS;
}

static EVP_PKEY *make_key(pki_key_e kind)
{
    int type = kind == PKI_RSA ? EVP_PKEY_RSA : EVP_PKEY_EC;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(type, NULL);
    EVP_PKEY *key = NULL;

    must(ctx && EVP_PKEY_keygen_init(ctx) > 0, "key set-up");
    if (kind == PKI_RSA) {
        must(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) > 0, "RSA 2048");
    } else {
        must(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1) >
                 0,
             "EC P-256");
    }
    must(EVP_PKEY_keygen(ctx, &key) > 0, "key generation");
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static void set_serial(X509 *cert, long serial)
{
    if (!serial) {
        must(RAND_bytes((unsigned char *)&serial, sizeof(serial)), "RAND");
        serial &= 0x7fffffff;
        serial |= 1;
    }
    must(ASN1_INTEGER_set(X509_get_serialNumber(cert), serial), "serial");
}

static void set_times(X509 *cert, const pki_spec_t *spec)
{
    apr_time_t day = apr_time_from_sec(86400);
    apr_time_t now = apr_time_now();
    apr_time_t from = spec->not_before ? spec->not_before : now - day;
    apr_time_t to = spec->not_after ? spec->not_after : now + 90 * day;

    must(ASN1_TIME_set(X509_getm_notBefore(cert), apr_time_sec(from)) &&
             ASN1_TIME_set(X509_getm_notAfter(cert), apr_time_sec(to)),
         "validity");
}

static void set_names(X509 *cert, const char *cn, const X509 *issuer)
{
    X509_NAME *name = X509_NAME_new();

    must(name &&
             X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                        (const unsigned char *)cn, -1, -1, 0),
         "subject");
    must(X509_set_subject_name(cert, name) &&
             X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer)
                                               : name),
         "names");
    X509_NAME_free(name);
}

static void add_ext(X509 *cert, const X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer ? (X509 *)(uintptr_t)issuer : cert, cert, NULL,
                   NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    must(ext && X509_add_ext(cert, ext, -1), value);
    X509_EXTENSION_free(ext);
}

static ACCESS_DESCRIPTION *make_location(const char *url)
{
    ACCESS_DESCRIPTION *location = ACCESS_DESCRIPTION_new();
    ASN1_IA5STRING *uri = ASN1_IA5STRING_new();

    must(location && uri && ASN1_STRING_set(uri, url, -1), url);
    ASN1_OBJECT_free(location->method);
    location->method = OBJ_nid2obj(NID_ad_OCSP);
    GENERAL_NAME_set0_value(location->location, GEN_URI, uri);
    return location;
}

/* By hand: OpenSSL's configuration syntax has its own ideas about commas. */
static void add_urls(X509 *cert, const char *urls, apr_pool_t *p)
{
    AUTHORITY_INFO_ACCESS *aia = AUTHORITY_INFO_ACCESS_new();
    char *state;
    char *url = apr_strtok(apr_pstrdup(p, urls), " ", &state);

    for (; url; url = apr_strtok(NULL, " ", &state))
        must(sk_ACCESS_DESCRIPTION_push(aia, make_location(url)) > 0, url);
    must(X509_add1_ext_i2d(cert, NID_info_access, aia, 0, 0) == 1, urls);
    AUTHORITY_INFO_ACCESS_free(aia);
}

static void add_extensions(X509 *cert, const pki_spec_t *spec,
                           const X509 *issuer, apr_pool_t *p)
{
    add_ext(cert, issuer, NID_basic_constraints,
            spec->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_ext(cert, issuer, NID_key_usage,
            spec->ca ? "critical,keyCertSign,cRLSign,digitalSignature"
                     : "critical,digitalSignature");
    add_ext(cert, issuer, NID_subject_key_identifier, "hash");
    if (issuer)
        add_ext(cert, issuer, NID_authority_key_identifier, "keyid");
    if (spec->names)
        add_ext(cert, issuer, NID_subject_alt_name, spec->names);
    if (spec->ocsp_urls)
        add_urls(cert, spec->ocsp_urls, p);
    if (spec->must_staple)
        add_ext(cert, issuer, NID_tlsfeature, "status_request");
    if (spec->ocsp_signing)
        add_ext(cert, issuer, NID_ext_key_usage, "OCSPSigning");
}

pki_t *pki_make(const pki_spec_t *spec, const pki_t *issuer, apr_pool_t *p)
{
    pki_t *pair = apr_pcalloc(p, sizeof(*pair));
    const X509 *issuer_cert = issuer ? issuer->cert : NULL;

    pair->cert = X509_new();
    pair->key = spec->use_key;
    if (pair->key)
        EVP_PKEY_up_ref(pair->key);
    else
        pair->key = make_key(spec->key);
    must(pair->cert && X509_set_version(pair->cert, 2) &&
             X509_set_pubkey(pair->cert, pair->key),
         "certificate");
    set_serial(pair->cert, spec->serial);
    set_times(pair->cert, spec);
    set_names(pair->cert, spec->cn, issuer_cert);
    add_extensions(pair->cert, spec, issuer_cert, p);
    must(X509_sign(pair->cert, issuer ? issuer->key : pair->key, EVP_sha256()) >
             0,
         "signing the certificate");
    apr_pool_cleanup_register(p, pair, free_pair, apr_pool_cleanup_null);
    return pair;
}

static ASN1_GENERALIZEDTIME *make_time(apr_time_t when)
{
    ASN1_GENERALIZEDTIME *t =
        ASN1_GENERALIZEDTIME_set(NULL, apr_time_sec(when));

    must(t != NULL, "time");
    return t;
}

static X509_EXTENSION *make_unknown(int critical, apr_size_t size)
{
    ASN1_OBJECT *oid = OBJ_txt2obj(UNKNOWN_OID, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    unsigned char *bytes = OPENSSL_zalloc(size ? size : 1);
    X509_EXTENSION *ext = NULL;

    must(oid && value && bytes &&
             ASN1_OCTET_STRING_set(value, bytes, (int)size),
         "extension value");
    ext = X509_EXTENSION_create_by_OBJ(NULL, oid, critical, value);
    must(ext != NULL, "extension");
    OPENSSL_free(bytes);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
    return ext;
}

static void add_single_unknown(OCSP_SINGLERESP *single)
{
    X509_EXTENSION *ext = make_unknown(1, 2);

    must(OCSP_SINGLERESP_add_ext(single, ext, -1), "single extension");
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
    must(single != NULL, "single response");
    if (s->unknown_critical)
        add_single_unknown(single);
    ASN1_TIME_free(revoked);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    OCSP_CERTID_free(id);
}

static void add_response_ext(OCSP_BASICRESP *basic, int critical,
                             apr_size_t size)
{
    X509_EXTENSION *ext = make_unknown(critical, size);

    must(OCSP_BASICRESP_add_ext(basic, ext, -1), "response extension");
    X509_EXTENSION_free(ext);
}

/* OpenSSL lets everybody read producedAt and nobody choose it. */
static void set_produced_at(OCSP_BASICRESP *basic, apr_time_t when)
{
    const ASN1_GENERALIZEDTIME *t = OCSP_resp_get0_produced_at(basic);

    must(ASN1_GENERALIZEDTIME_set((ASN1_GENERALIZEDTIME *)(uintptr_t)t,
                                  apr_time_sec(when)) != NULL,
         "producedAt");
}

static void sign_response(OCSP_BASICRESP *basic, const pki_response_t *r)
{
    unsigned long flags = OCSP_NOTIME;
    const ASN1_OCTET_STRING *signature;

    set_produced_at(basic, r->produced_at ? r->produced_at : apr_time_now());
    if (!r->with_signer_cert)
        flags |= OCSP_NOCERTS;
    if (r->by_key)
        flags |= OCSP_RESPID_KEY;
    must(OCSP_basic_sign(basic, r->signer->cert, r->signer->key, EVP_sha256(),
                         NULL, flags),
         "signing the response");
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

    must(n > 0, "encoding the response");
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

    must(basic != NULL, "response");
    for (int i = 0; i < r->count; i++)
        add_single(basic, &r->singles[i]);
    if (r->unknown_critical)
        add_response_ext(basic, 1, 2);
    if (r->padding)
        add_response_ext(basic, 0, r->padding);
    sign_response(basic, r);
    response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    must(response != NULL, "response");
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

    must(response != NULL, "error response");
    der = encode(len, response, p);
    OCSP_RESPONSE_free(response);
    return der;
}

static FILE *open_file(const char *path)
{
    FILE *f = fopen(path, "wb");

    must(f != NULL, path);
    return f;
}

void pki_write_certs(const char *path, ...)
{
    FILE *f = open_file(path);
    va_list certs;
    X509 *cert;

    va_start(certs, path);
    while ((cert = va_arg(certs, X509 *)) != NULL)
        must(PEM_write_X509(f, cert), path);
    va_end(certs);
    must(fclose(f) == 0, path);
}

void pki_write_key(const char *path, const pki_t *of)
{
    FILE *f = open_file(path);

    must(PEM_write_PrivateKey(f, of->key, NULL, NULL, 0, NULL, NULL), path);
    must(fclose(f) == 0, path);
}

void pki_write_file(const char *path, const void *data, apr_size_t len)
{
    FILE *f = open_file(path);

    must(fwrite(data, 1, len, f) == len, path);
    must(fclose(f) == 0, path);
}
