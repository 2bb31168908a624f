/* cert: one certificate and its issuer, as OCSP sees them. */
#include "cert.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The TLS extension number of status_request (RFC 6066, 8). */
#define STATUS_REQUEST 5

static const char hex_digits[] = "0123456789abcdef";

static int is_printable(unsigned char c)
{
    return c >= 0x20 && c < 0x7f;
}

const char *ocspx_cert_printable(const char *text, apr_size_t len,
                                 apr_pool_t *p)
{
    static const char cut[] = "...";
    const apr_size_t longest_step = 4;
    char out[OCSPX_CERT_TEXT_MAX + sizeof(cut)];
    apr_size_t n = 0;

    for (apr_size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (n + longest_step > OCSPX_CERT_TEXT_MAX) {
            memcpy(out + n, cut, sizeof(cut) - 1);
            n += sizeof(cut) - 1;
            break;
        }
        if (is_printable(c)) {
            out[n++] = (char)c;
        } else {
            out[n++] = '\\';
            out[n++] = 'x';
            out[n++] = hex_digits[c >> 4];
            out[n++] = hex_digits[c & 15];
        }
    }
    return apr_pstrmemdup(p, out, n);
}

const char *ocspx_cert_name(const X509_NAME *name, apr_pool_t *p)
{
    const unsigned long form = XN_FLAG_SEP_COMMA_PLUS | XN_FLAG_DN_REV |
                               XN_FLAG_FN_SN | ASN1_STRFLGS_ESC_2253 |
                               ASN1_STRFLGS_UTF8_CONVERT;
    BIO *bio = BIO_new(BIO_s_mem());
    const char *result = "";
    char *text = NULL;
    long len;

    ERR_set_mark();
    if (bio && X509_NAME_print_ex(bio, name, 0, form) >= 0) {
        len = BIO_get_mem_data(bio, &text);
        result = ocspx_cert_printable(text, (apr_size_t)len, p);
    }
    BIO_free(bio);
    ERR_pop_to_mark();
    return result;
}

static const char *first_dns_name(const X509 *leaf, apr_pool_t *p)
{
    GENERAL_NAMES *names =
        X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    const char *result = NULL;

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !result; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_DNS && ASN1_STRING_length(name->d.dNSName) > 0) {
            result = ocspx_cert_printable(
                (const char *)ASN1_STRING_get0_data(name->d.dNSName),
                (apr_size_t)ASN1_STRING_length(name->d.dNSName), p);
        }
    }
    GENERAL_NAMES_free(names);
    return result;
}

static void set_name(ocspx_cert_t *cert, apr_pool_t *p)
{
    cert->name = first_dns_name(cert->leaf, p);
    if (!cert->name)
        cert->name = ocspx_cert_name(X509_get_subject_name(cert->leaf), p);
    if (!*cert->name)
        cert->name = cert->id;
}

static int port_ok(const apr_uri_t *uri)
{
    long port;

    if (!uri->port_str || !*uri->port_str)
        return 1;
    port = strtol(uri->port_str, NULL, 10);
    return port >= 1 && port <= 65535;
}

int ocspx_cert_url_ok(const char *url, apr_pool_t *p)
{
    apr_uri_t uri;

    for (const char *c = url; *c; c++)
        if (!is_printable((unsigned char)*c) || *c == ' ')
            return 0;
    return apr_uri_parse(p, url, &uri) == APR_SUCCESS && uri.scheme &&
           (!strcasecmp(uri.scheme, "http") ||
            !strcasecmp(uri.scheme, "https")) &&
           uri.hostname && *uri.hostname && port_ok(&uri);
}

static int has_url(const apr_array_header_t *urls, const char *url)
{
    for (int i = 0; i < urls->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(urls, i, const char *), url))
            return 1;
    return 0;
}

static void add_url(apr_array_header_t *urls, const char **bad,
                    const ASN1_IA5STRING *uri, apr_pool_t *ptemp)
{
    const char *bytes = (const char *)ASN1_STRING_get0_data(uri);
    apr_size_t len = (apr_size_t)ASN1_STRING_length(uri);
    const char *url = apr_pstrmemdup(ptemp, bytes, len);

    if (strlen(url) != len || !ocspx_cert_url_ok(url, ptemp)) {
        if (!*bad)
            *bad = ocspx_cert_printable(bytes, len, urls->pool);
    } else if (urls->nelts < OCSPX_CERT_URLS_MAX && !has_url(urls, url)) {
        APR_ARRAY_PUSH(urls, const char *) = apr_pstrdup(urls->pool, url);
    }
}

/* The usable URLs of one access method, and the first of the others. Not by
 * X509_get1_ocsp, which sorts and cuts at an embedded NUL. */
static apr_array_header_t *list_urls(const char **bad, const X509 *x,
                                     int method, apr_pool_t *p)
{
    AUTHORITY_INFO_ACCESS *aia =
        X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
    apr_array_header_t *urls = apr_array_make(p, 1, sizeof(const char *));
    apr_pool_t *ptemp;

    *bad = NULL;
    apr_pool_create(&ptemp, p);
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(aia); i++) {
        const ACCESS_DESCRIPTION *access = sk_ACCESS_DESCRIPTION_value(aia, i);

        if (OBJ_obj2nid(access->method) == method &&
            access->location->type == GEN_URI)
            add_url(urls, bad, access->location->d.uniformResourceIdentifier,
                    ptemp);
    }
    apr_pool_destroy(ptemp);
    AUTHORITY_INFO_ACCESS_free(aia);
    return urls;
}

apr_array_header_t *ocspx_cert_ca_issuers(X509 *x, apr_pool_t *p)
{
    apr_array_header_t *urls;
    const char *bad;

    ERR_set_mark();
    urls = list_urls(&bad, x, NID_ad_ca_issuers, p);
    ERR_pop_to_mark();
    return urls;
}

static int wants_staple(const X509 *leaf)
{
    TLS_FEATURE *features = X509_get_ext_d2i(leaf, NID_tlsfeature, NULL, NULL);
    int found = 0;

    for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++) {
        found |= ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) ==
                 STATUS_REQUEST;
    }
    TLS_FEATURE_free(features);
    return found;
}

int ocspx_cert_time(apr_time_t *when, const ASN1_TIME *t)
{
    struct tm tm;
    int ok;

    *when = 0;
    ERR_set_mark();
    ok = t && ASN1_TIME_to_tm(t, &tm);
    ERR_pop_to_mark();
    if (ok)
        *when = apr_time_from_sec((apr_time_t)timegm(&tm));
    return ok;
}

apr_status_t ocspx_cert_digest(unsigned char digest[OCSPX_CERT_DIGEST_LEN],
                               const X509 *leaf)
{
    return X509_digest(leaf, EVP_sha256(), digest, NULL) ? APR_SUCCESS
                                                         : APR_EGENERAL;
}

void ocspx_cert_id(char *id, const unsigned char *digest)
{
    for (int i = 0; i < OCSPX_CERT_DIGEST_LEN; i++) {
        *id++ = hex_digits[digest[i] >> 4];
        *id++ = hex_digits[digest[i] & 15];
    }
    *id = '\0';
}

static apr_status_t free_certs(void *data)
{
    ocspx_cert_t *cert = data;

    X509_free(cert->leaf);
    X509_free(cert->issuer);
    return APR_SUCCESS;
}

static void take_certs(ocspx_cert_t *cert, X509 *leaf, X509 *issuer,
                       apr_pool_t *p)
{
    X509_up_ref(leaf);
    if (issuer)
        X509_up_ref(issuer);
    cert->leaf = leaf;
    cert->issuer = issuer;
    apr_pool_cleanup_register(p, cert, free_certs, apr_pool_cleanup_null);
}

static apr_status_t make(ocspx_cert_t *cert, X509 *leaf, X509 *issuer,
                         apr_pool_t *p)
{
    apr_status_t rv;

    if ((issuer && X509_check_issued(issuer, leaf) != X509_V_OK) ||
        !ocspx_cert_time(&cert->not_after, X509_get0_notAfter(leaf)))
        return APR_EINVAL;
    rv = ocspx_cert_digest(cert->digest, leaf);
    if (rv != APR_SUCCESS)
        return rv;
    take_certs(cert, leaf, issuer, p);
    ocspx_cert_id(cert->id, cert->digest);
    set_name(cert, p);
    cert->urls = list_urls(&cert->bad_url, leaf, NID_ad_OCSP, p);
    cert->must_staple = wants_staple(leaf);
    return APR_SUCCESS;
}

apr_status_t ocspx_cert_make(ocspx_cert_t **cert, X509 *leaf, X509 *issuer,
                             apr_pool_t *p)
{
    apr_status_t rv;

    *cert = apr_pcalloc(p, sizeof(**cert));
    ERR_set_mark();
    rv = make(*cert, leaf, issuer, p);
    ERR_pop_to_mark();
    return rv;
}

static apr_status_t encode(const unsigned char **der, apr_size_t *len,
                           OCSP_REQUEST *request, apr_pool_t *p)
{
    unsigned char *bytes = NULL;
    int n = i2d_OCSP_REQUEST(request, &bytes);

    if (n <= 0)
        return APR_EGENERAL;
    *der = apr_pmemdup(p, bytes, (apr_size_t)n);
    *len = (apr_size_t)n;
    OPENSSL_free(bytes);
    return APR_SUCCESS;
}

apr_status_t ocspx_cert_request(const unsigned char **der, apr_size_t *len,
                                const ocspx_cert_t *cert,
                                ocspx_cert_hash_e hash, apr_pool_t *p)
{
    const EVP_MD *md = hash == OCSPX_CERT_SHA256 ? EVP_sha256() : EVP_sha1();
    apr_status_t rv = APR_EGENERAL;
    OCSP_REQUEST *request;
    OCSP_CERTID *id;

    ERR_set_mark();
    request = OCSP_REQUEST_new();
    id = OCSP_cert_to_id(md, cert->leaf, cert->issuer);
    if (request && id && OCSP_request_add0_id(request, id)) {
        id = NULL;
        rv = encode(der, len, request, p);
    }
    OCSP_CERTID_free(id);
    OCSP_REQUEST_free(request);
    ERR_pop_to_mark();
    return rv;
}

static int matches_under(const ocspx_cert_t *cert, const OCSP_CERTID *id,
                         const EVP_MD *md)
{
    OCSP_CERTID *ours = OCSP_cert_to_id(md, cert->leaf, cert->issuer);
    int same = ours && OCSP_id_cmp(ours, id) == 0;

    OCSP_CERTID_free(ours);
    return same;
}

int ocspx_cert_matches(const ocspx_cert_t *cert, const OCSP_CERTID *id)
{
    int found;

    ERR_set_mark();
    found = matches_under(cert, id, EVP_sha1()) ||
            matches_under(cert, id, EVP_sha256()) ||
            matches_under(cert, id, EVP_sha384()) ||
            matches_under(cert, id, EVP_sha512()) ||
            matches_under(cert, id, EVP_sha224());
    ERR_pop_to_mark();
    return found;
}
