/* pki: makes the certificates of the tests. */
#include "pki_private.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void pki_must(int ok, const char *what)
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

static EVP_PKEY *make_key(const pki_spec_t *spec)
{
    int type = spec->key == PKI_RSA ? EVP_PKEY_RSA : EVP_PKEY_EC;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(type, NULL);
    EVP_PKEY *key = NULL;

    pki_must(ctx && EVP_PKEY_keygen_init(ctx) > 0, "key set-up");
    if (spec->key == PKI_RSA) {
        pki_must(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, spec->bits ? spec->bits
                                                                  : 2048) > 0,
                 "RSA");
    } else {
        pki_must(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(
                     ctx, NID_X9_62_prime256v1) > 0,
                 "EC P-256");
    }
    pki_must(EVP_PKEY_keygen(ctx, &key) > 0, "key generation");
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static void set_serial(X509 *cert, long serial)
{
    if (!serial) {
        pki_must(RAND_bytes((unsigned char *)&serial, sizeof(serial)), "RAND");
        serial &= 0x7fffffff;
        serial |= 1;
    }
    pki_must(ASN1_INTEGER_set(X509_get_serialNumber(cert), serial), "serial");
}

static void set_times(X509 *cert, const pki_spec_t *spec)
{
    apr_time_t day = apr_time_from_sec(86400);
    apr_time_t now = apr_time_now();
    apr_time_t from = spec->not_before ? spec->not_before : now - day;
    apr_time_t to = spec->not_after ? spec->not_after : now + 90 * day;

    pki_must(ASN1_TIME_set(X509_getm_notBefore(cert), apr_time_sec(from)) &&
                 ASN1_TIME_set(X509_getm_notAfter(cert), apr_time_sec(to)),
             "validity");
}

static void set_names(X509 *cert, const char *cn, const X509 *issuer)
{
    X509_NAME *name = X509_NAME_new();

    pki_must(name && (!*cn || X509_NAME_add_entry_by_txt(
                                  name, "CN", MBSTRING_UTF8,
                                  (const unsigned char *)cn, -1, -1, 0)),
             "subject");
    pki_must(X509_set_subject_name(cert, name) &&
                 X509_set_issuer_name(
                     cert, issuer ? X509_get_subject_name(issuer) : name),
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
    pki_must(ext && X509_add_ext(cert, ext, -1), value);
    X509_EXTENSION_free(ext);
}

static void add_locations(AUTHORITY_INFO_ACCESS *aia, int method,
                          const char *urls, apr_pool_t *p)
{
    char *state;
    char *url = urls ? apr_strtok(apr_pstrdup(p, urls), " ", &state) : NULL;

    for (; url; url = apr_strtok(NULL, " ", &state)) {
        ACCESS_DESCRIPTION *location = ACCESS_DESCRIPTION_new();
        ASN1_IA5STRING *uri = ASN1_IA5STRING_new();

        pki_must(location && uri && ASN1_STRING_set(uri, url, -1), url);
        ASN1_OBJECT_free(location->method);
        location->method = OBJ_nid2obj(method);
        GENERAL_NAME_set0_value(location->location, GEN_URI, uri);
        pki_must(sk_ACCESS_DESCRIPTION_push(aia, location) > 0, url);
    }
}

/* By hand: OpenSSL's configuration syntax has its own ideas about commas. */
static void add_urls(X509 *cert, const pki_spec_t *spec, apr_pool_t *p)
{
    AUTHORITY_INFO_ACCESS *aia = AUTHORITY_INFO_ACCESS_new();

    add_locations(aia, NID_ad_OCSP, spec->ocsp_urls, p);
    add_locations(aia, NID_ad_ca_issuers, spec->ca_issuers, p);
    pki_must(sk_ACCESS_DESCRIPTION_num(aia) == 0 ||
                 X509_add1_ext_i2d(cert, NID_info_access, aia, 0, 0) == 1,
             "URLs");
    AUTHORITY_INFO_ACCESS_free(aia);
}

static void add_rights(X509 *cert, const pki_spec_t *spec, const X509 *issuer,
                       apr_pool_t *p)
{
    const char *usage =
        spec->ca ? "keyCertSign,cRLSign,digitalSignature" : "digitalSignature";

    if (spec->key_usage)
        usage = spec->key_usage;
    add_ext(cert, issuer, NID_basic_constraints,
            apr_pstrcat(p, "critical,CA:", spec->ca ? "TRUE" : "FALSE",
                        spec->pathlen ? ",pathlen:" : "", spec->pathlen, NULL));
    add_ext(cert, issuer, NID_key_usage,
            apr_pstrcat(p, "critical,", usage, NULL));
    if (spec->eku)
        add_ext(cert, issuer, NID_ext_key_usage, spec->eku);
    if (spec->constraints)
        add_ext(cert, issuer, NID_name_constraints,
                apr_pstrcat(p, "critical,", spec->constraints, NULL));
}

static void add_extensions(X509 *cert, const pki_spec_t *spec,
                           const X509 *issuer, apr_pool_t *p)
{
    add_rights(cert, spec, issuer, p);
    if (!spec->no_key_ids)
        add_ext(cert, issuer, NID_subject_key_identifier, "hash");
    if (issuer && !spec->no_key_ids &&
        X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1) >= 0)
        add_ext(cert, issuer, NID_authority_key_identifier, "keyid");
    if (spec->names)
        add_ext(cert, issuer, NID_subject_alt_name, spec->names);
    add_urls(cert, spec, p);
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
        pair->key = make_key(spec);
    pki_must(pair->cert && X509_set_version(pair->cert, 2) &&
                 X509_set_pubkey(pair->cert, pair->key),
             "certificate");
    set_serial(pair->cert, spec->serial);
    set_times(pair->cert, spec);
    set_names(pair->cert, spec->cn, issuer_cert);
    add_extensions(pair->cert, spec, issuer_cert, p);
    pki_must(X509_sign(pair->cert, issuer ? issuer->key : pair->key,
                       spec->md ? spec->md : EVP_sha256()) > 0,
             "signing the certificate");
    apr_pool_cleanup_register(p, pair, free_pair, apr_pool_cleanup_null);
    return pair;
}

static FILE *open_file(const char *path)
{
    FILE *f = fopen(path, "wb");

    pki_must(f != NULL, path);
    return f;
}

void pki_write_certs(const char *path, ...)
{
    FILE *f = open_file(path);
    va_list certs;
    X509 *cert;

    va_start(certs, path);
    while ((cert = va_arg(certs, X509 *)) != NULL)
        pki_must(PEM_write_X509(f, cert), path);
    va_end(certs);
    pki_must(fclose(f) == 0, path);
}

void pki_write_key(const char *path, const pki_t *of)
{
    FILE *f = open_file(path);

    pki_must(PEM_write_PrivateKey(f, of->key, NULL, NULL, 0, NULL, NULL), path);
    pki_must(fclose(f) == 0, path);
}

void pki_write_file(const char *path, const void *data, apr_size_t len)
{
    FILE *f = open_file(path);

    pki_must(fwrite(data, 1, len, f) == len, path);
    pki_must(fclose(f) == 0, path);
}
