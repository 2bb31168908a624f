/* test_cert: what is read out of certificates, hostile ones included. */
#include "../support/check_main.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "../../mod_ocspx/core/cert.h"
#include "../support/pki.h"

static apr_pool_t *pool;
static pki_t *ca;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
    ca = pki_make(&(pki_spec_t){.cn = "Test CA", .ca = 1}, NULL, pool);
}

static void tear_down(void)
{
    ck_assert_uint_eq(ERR_peek_error(), 0);
    apr_pool_destroy(pool);
}

static const ocspx_cert_t *make_of(X509 *leaf)
{
    ocspx_cert_t *cert;

    ck_assert_int_eq(ocspx_cert_make(&cert, leaf, ca->cert, pool), APR_SUCCESS);
    return cert;
}

static const ocspx_cert_t *make(const pki_spec_t *spec)
{
    return make_of(pki_make(spec, ca, pool)->cert);
}

static const char *url(const ocspx_cert_t *cert, int i)
{
    return APR_ARRAY_IDX(cert->urls, i, const char *);
}

/* A leaf with an extension that pki cannot be asked for. */
static const ocspx_cert_t *make_with(int nid, void *value)
{
    pki_t *leaf = pki_make(&(pki_spec_t){.cn = "leaf"}, ca, pool);

    ck_assert_int_eq(X509_add1_ext_i2d(leaf->cert, nid, value, 0, 0), 1);
    ck_assert_int_gt(X509_sign(leaf->cert, ca->key, EVP_sha256()), 0);
    return make_of(leaf->cert);
}

START_TEST(identity)
{
    apr_time_t until = apr_time_from_sec(4000000000);
    pki_t *leaf =
        pki_make(&(pki_spec_t){.cn = "leaf", .not_after = until}, ca, pool);
    const ocspx_cert_t *cert = make_of(leaf->cert);
    unsigned char digest[OCSPX_CERT_DIGEST_LEN];
    unsigned char *der = NULL;
    int len = i2d_X509(leaf->cert, &der);

    ck_assert_int_gt(len, 0);
    ck_assert_int_eq(
        EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL), 1);
    OPENSSL_free(der);
    ck_assert_mem_eq(cert->digest, digest, sizeof(digest));
    ck_assert_uint_eq(strlen(cert->id), OCSPX_CERT_ID_LEN);
    ck_assert_str_eq(cert->id, apr_psprintf(pool, "%02x%02x%s", digest[0],
                                            digest[1], cert->id + 4));
    ck_assert_int_eq(cert->not_after, until);
    ck_assert_int_eq(ocspx_cert_digest(digest, ca->cert), APR_SUCCESS);
    ck_assert_mem_ne(cert->digest, digest, sizeof(digest));
}
END_TEST

START_TEST(id_is_lower_case_hex)
{
    unsigned char digest[OCSPX_CERT_DIGEST_LEN] = {0x00, 0x9a, 0xff};
    char id[OCSPX_CERT_ID_LEN + 1];

    ocspx_cert_id(id, digest);
    ck_assert_uint_eq(strlen(id), OCSPX_CERT_ID_LEN);
    ck_assert_int_eq(strncmp(id, "009aff0000", 10), 0);
}
END_TEST

START_TEST(outlives_the_callers_certificates)
{
    apr_pool_t *inner;
    const ocspx_cert_t *cert;
    ocspx_cert_t *made;
    pki_t *leaf;

    apr_pool_create(&inner, NULL);
    leaf = pki_make(&(pki_spec_t){.cn = "leaf"}, ca, inner);
    ck_assert_int_eq(ocspx_cert_make(&made, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
    apr_pool_destroy(inner);
    cert = made;
    ck_assert_int_eq(X509_check_issued(cert->issuer, cert->leaf), X509_V_OK);
}
END_TEST

START_TEST(issuer_must_have_issued_it)
{
    pki_t *other =
        pki_make(&(pki_spec_t){.cn = "Other CA", .ca = 1}, NULL, pool);
    pki_t *twin = pki_make(&(pki_spec_t){.cn = "Test CA", .ca = 1}, NULL, pool);
    pki_t *leaf = pki_make(&(pki_spec_t){.cn = "leaf"}, ca, pool);
    ocspx_cert_t *cert;

    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, other->cert, pool),
                     APR_EINVAL);
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, twin->cert, pool),
                     APR_EINVAL);
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, leaf->cert, pool),
                     APR_EINVAL);
}
END_TEST

START_TEST(name_is_the_first_dns_name)
{
    ck_assert_str_eq(make(&(pki_spec_t){.cn = "x",
                                        .names = "IP:127.0.0.1,DNS:*.a.test,"
                                                 "DNS:b.test"})
                         ->name,
                     "*.a.test");
    ck_assert_str_eq(make(&(pki_spec_t){.cn = "only, cn"})->name,
                     "CN=only\\, cn");
    ck_assert_str_eq(
        make(&(pki_spec_t){.cn = "x", .names = "IP:127.0.0.1"})->name, "CN=x");
}
END_TEST

START_TEST(nameless_goes_by_its_id)
{
    pki_t *leaf = pki_make(&(pki_spec_t){.cn = "leaf"}, ca, pool);
    X509_NAME *nobody = X509_NAME_new();
    const ocspx_cert_t *cert;

    ck_assert_int_eq(X509_set_subject_name(leaf->cert, nobody), 1);
    ck_assert_int_gt(X509_sign(leaf->cert, ca->key, EVP_sha256()), 0);
    X509_NAME_free(nobody);
    cert = make_of(leaf->cert);
    ck_assert_str_eq(cert->name, cert->id);
}
END_TEST

START_TEST(hostile_subject_is_escaped)
{
    static const char evil[] = "a\nb\r\x1b[31m\x7f\xc3\xbc<x>";

    ck_assert_str_eq(make(&(pki_spec_t){.cn = evil})->name,
                     "CN=a\\x0ab\\x0d\\x1b[31m\\x7f\\xc3\\xbc\\<x\\>");
}
END_TEST

static void add_entry(X509_NAME *name, int nid, int type, const char *bytes,
                      int len)
{
    ck_assert_int_eq(X509_NAME_add_entry_by_NID(name, nid, type,
                                                (const unsigned char *)bytes,
                                                len, -1, 0),
                     1);
}

/* Something that only claims to be UTF-8, and a character of 16 bits. */
START_TEST(name_of_any_string_type)
{
    X509_NAME *name = X509_NAME_new();

    add_entry(name, NID_organizationName, V_ASN1_UTF8STRING, "\xff\xfez", 3);
    add_entry(name, NID_commonName, V_ASN1_BMPSTRING, "\0\xfc", 2);
    ck_assert_str_eq(ocspx_cert_name(name, pool),
                     "CN=\\xc3\\xbc,O=\\xff\\xfez");
    X509_NAME_free(name);
}
END_TEST

START_TEST(endless_name_is_cut)
{
    char text[3000];
    const char *out;

    memset(text, 'n', sizeof(text));
    out = ocspx_cert_printable(text, sizeof(text), pool);
    ck_assert_uint_le(strlen(out), OCSPX_CERT_TEXT_MAX + 3);
    ck_assert_str_eq(out + strlen(out) - 4, "n...");
    memset(text, '\n', sizeof(text));
    out = ocspx_cert_printable(text, sizeof(text), pool);
    ck_assert_uint_le(strlen(out), OCSPX_CERT_TEXT_MAX + 3);
    ck_assert_str_eq(out + strlen(out) - 7, "\\x0a...");
}
END_TEST

static GENERAL_NAME *general_name(int type, const char *bytes, int len)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();

    ck_assert_int_eq(ASN1_STRING_set(text, bytes, len), 1);
    GENERAL_NAME_set0_value(name, type, text);
    return name;
}

static const ocspx_cert_t *make_with_dns(const char *bytes, int len)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    const ocspx_cert_t *cert;

    sk_GENERAL_NAME_push(names, general_name(GEN_DNS, bytes, len));
    cert = make_with(NID_subject_alt_name, names);
    GENERAL_NAMES_free(names);
    return cert;
}

START_TEST(hostile_dns_name_is_escaped)
{
    ck_assert_str_eq(make_with_dns("good.test\0.evil.test", 20)->name,
                     "good.test\\x00.evil.test");
    ck_assert_str_eq(make_with_dns("a\nb", 3)->name, "a\\x0ab");
    ck_assert_str_eq(make_with_dns("", 0)->name, "CN=leaf");
}
END_TEST

START_TEST(urls_in_order_and_once)
{
    const ocspx_cert_t *cert = make(&(pki_spec_t){
        .cn = "leaf",
        .ocsp_urls = "http://z.test/ HTTPS://b.test:8443/o,c http://z.test/ "
                     "http://a.test http://[::1]:80/"});

    ck_assert_int_eq(cert->urls->nelts, 4);
    ck_assert_str_eq(url(cert, 0), "http://z.test/");
    ck_assert_str_eq(url(cert, 1), "HTTPS://b.test:8443/o,c");
    ck_assert_str_eq(url(cert, 2), "http://a.test");
    ck_assert_str_eq(url(cert, 3), "http://[::1]:80/");
    ck_assert_ptr_null(cert->bad_url);
}
END_TEST

START_TEST(no_more_urls_than_eight)
{
    const char *urls = "http://u0.test/";
    const ocspx_cert_t *cert;
    int i;

    for (i = 1; i < 20; i++)
        urls = apr_psprintf(pool, "%s http://u%d.test/", urls, i);
    cert = make(&(pki_spec_t){.cn = "leaf", .ocsp_urls = urls});
    ck_assert_int_eq(cert->urls->nelts, OCSPX_CERT_URLS_MAX);
    ck_assert_str_eq(url(cert, 0), "http://u0.test/");
    ck_assert_str_eq(url(cert, 7), "http://u7.test/");
    ck_assert_ptr_null(cert->bad_url);
}
END_TEST

START_TEST(no_url)
{
    const ocspx_cert_t *cert = make(&(pki_spec_t){.cn = "leaf"});

    ck_assert_int_eq(cert->urls->nelts, 0);
    ck_assert_ptr_null(cert->bad_url);
}
END_TEST

START_TEST(other_schemes_are_left_out)
{
    const ocspx_cert_t *cert = make(&(pki_spec_t){
        .cn = "leaf",
        .ocsp_urls = "ldap://l.test/ http://a.test/ file:///etc/x"});

    ck_assert_int_eq(cert->urls->nelts, 1);
    ck_assert_str_eq(url(cert, 0), "http://a.test/");
    ck_assert_str_eq(cert->bad_url, "ldap://l.test/");
}
END_TEST

static const ocspx_cert_t *make_with_url(int method, const char *bytes, int len)
{
    AUTHORITY_INFO_ACCESS *aia = AUTHORITY_INFO_ACCESS_new();
    ACCESS_DESCRIPTION *access = ACCESS_DESCRIPTION_new();
    const ocspx_cert_t *cert;

    ASN1_OBJECT_free(access->method);
    access->method = OBJ_nid2obj(method);
    GENERAL_NAME_free(access->location);
    access->location = general_name(GEN_URI, bytes, len);
    sk_ACCESS_DESCRIPTION_push(aia, access);
    cert = make_with(NID_info_access, aia);
    AUTHORITY_INFO_ACCESS_free(aia);
    return cert;
}

START_TEST(url_with_bytes_no_url_has)
{
    const ocspx_cert_t *cert =
        make_with_url(NID_ad_OCSP, "http://a.test/\0b", 16);

    ck_assert_int_eq(cert->urls->nelts, 0);
    ck_assert_str_eq(cert->bad_url, "http://a.test/\\x00b");
    cert = make_with_url(NID_ad_OCSP, "http://a.test/\r\nX: y", 20);
    ck_assert_int_eq(cert->urls->nelts, 0);
    ck_assert_str_eq(cert->bad_url, "http://a.test/\\x0d\\x0aX: y");
}
END_TEST

START_TEST(only_ocsp_access_counts)
{
    const ocspx_cert_t *cert =
        make_with_url(NID_ad_ca_issuers, "http://a.test/", 14);

    ck_assert_int_eq(cert->urls->nelts, 0);
    ck_assert_ptr_null(cert->bad_url);
}
END_TEST

START_TEST(url_ok)
{
    static const char *const good[] = {
        "http://a", "hTTp://a/b?c", "https://1.2.3.4:65535/", "http://[::1]"};
    static const char *const bad[] = {"",
                                      "http",
                                      "a.test/x",
                                      "//a.test/",
                                      "http://",
                                      "http:///path",
                                      "http:a.test",
                                      "ftp://a.test/",
                                      "http://a.test/ b",
                                      "http://a.test/\tb",
                                      "http://a.test/\xc3\xbc",
                                      "http://a.test:0/",
                                      "http://a.test:65536/",
                                      "http://a.test:8o/"};

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        ck_assert_msg(ocspx_cert_url_ok(good[i], pool), "%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(!ocspx_cert_url_ok(bad[i], pool), "%s", bad[i]);
}
END_TEST

static const ocspx_cert_t *make_with_feature(long feature)
{
    TLS_FEATURE *features = TLS_FEATURE_new();
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    const ocspx_cert_t *cert;

    ASN1_INTEGER_set(number, feature);
    sk_ASN1_INTEGER_push(features, number);
    cert = make_with(NID_tlsfeature, features);
    TLS_FEATURE_free(features);
    return cert;
}

START_TEST(must_staple)
{
    ck_assert(make(&(pki_spec_t){.cn = "a", .must_staple = 1})->must_staple);
    ck_assert(!make(&(pki_spec_t){.cn = "a"})->must_staple);
    ck_assert(make_with_feature(5)->must_staple);
    ck_assert(!make_with_feature(17)->must_staple);
}
END_TEST

static OCSP_CERTID *requested(const ocspx_cert_t *cert, ocspx_cert_hash_e hash)
{
    const unsigned char *der;
    const unsigned char *at;
    OCSP_REQUEST *request;
    OCSP_CERTID *id;
    apr_size_t len;

    ck_assert_int_eq(ocspx_cert_request(&der, &len, cert, hash, pool),
                     APR_SUCCESS);
    at = der;
    request = d2i_OCSP_REQUEST(NULL, &at, (long)len);
    ck_assert_ptr_nonnull(request);
    ck_assert_ptr_eq(at, der + len);
    ck_assert_int_eq(OCSP_request_onereq_count(request), 1);
    ck_assert_int_lt(OCSP_REQUEST_get_ext_count(request), 1);
    id = OCSP_CERTID_dup(
        OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0)));
    OCSP_REQUEST_free(request);
    return id;
}

START_TEST(request_asks_for_this_certificate)
{
    const ocspx_cert_t *cert = make(&(pki_spec_t){.cn = "leaf"});
    OCSP_CERTID *sha1 = requested(cert, OCSPX_CERT_SHA1);
    OCSP_CERTID *sha256 = requested(cert, OCSPX_CERT_SHA256);
    OCSP_CERTID *want1 = OCSP_cert_to_id(EVP_sha1(), cert->leaf, ca->cert);
    OCSP_CERTID *want256 = OCSP_cert_to_id(EVP_sha256(), cert->leaf, ca->cert);

    ck_assert_int_eq(OCSP_id_cmp(sha1, want1), 0);
    ck_assert_int_eq(OCSP_id_cmp(sha256, want256), 0);
    OCSP_CERTID_free(sha1);
    OCSP_CERTID_free(sha256);
    OCSP_CERTID_free(want1);
    OCSP_CERTID_free(want256);
}
END_TEST

static int matches(const ocspx_cert_t *cert, const EVP_MD *md, X509 *leaf,
                   X509 *issuer)
{
    OCSP_CERTID *id = OCSP_cert_to_id(md, leaf, issuer);
    int found = ocspx_cert_matches(cert, id);

    OCSP_CERTID_free(id);
    return found;
}

START_TEST(matches_under_any_hash)
{
    const ocspx_cert_t *cert = make(&(pki_spec_t){.cn = "leaf", .serial = 7});
    pki_t *other = pki_make(&(pki_spec_t){.cn = "leaf", .serial = 8}, ca, pool);
    pki_t *twin = pki_make(&(pki_spec_t){.cn = "Test CA", .ca = 1}, NULL, pool);

    ck_assert(matches(cert, EVP_sha1(), cert->leaf, ca->cert));
    ck_assert(matches(cert, EVP_sha224(), cert->leaf, ca->cert));
    ck_assert(matches(cert, EVP_sha256(), cert->leaf, ca->cert));
    ck_assert(matches(cert, EVP_sha384(), cert->leaf, ca->cert));
    ck_assert(matches(cert, EVP_sha512(), cert->leaf, ca->cert));
    ck_assert(!matches(cert, EVP_md5(), cert->leaf, ca->cert));
    ck_assert(!matches(cert, EVP_sha1(), other->cert, ca->cert));
    ck_assert(!matches(cert, EVP_sha256(), cert->leaf, twin->cert));
}
END_TEST

START_TEST(times)
{
    ASN1_TIME *t = ASN1_TIME_new();
    apr_time_t when = 1;

    ck_assert_int_eq(ASN1_TIME_set_string(t, "20300102030405Z"), 1);
    ck_assert(ocspx_cert_time(&when, t));
    ck_assert_int_eq(when, apr_time_from_sec(1893553445));
    ck_assert_int_eq(ASN1_STRING_set(t, "2030", 4), 1);
    ck_assert(!ocspx_cert_time(&when, t));
    ck_assert_int_eq(when, 0);
    ck_assert(!ocspx_cert_time(&when, NULL));
    ASN1_TIME_free(t);
}
END_TEST

static TCase *reading(void)
{
    TCase *tc = tcase_create("reading");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, identity);
    tcase_add_test(tc, id_is_lower_case_hex);
    tcase_add_test(tc, outlives_the_callers_certificates);
    tcase_add_test(tc, issuer_must_have_issued_it);
    tcase_add_test(tc, name_is_the_first_dns_name);
    tcase_add_test(tc, nameless_goes_by_its_id);
    tcase_add_test(tc, hostile_subject_is_escaped);
    tcase_add_test(tc, name_of_any_string_type);
    tcase_add_test(tc, endless_name_is_cut);
    tcase_add_test(tc, hostile_dns_name_is_escaped);
    tcase_add_test(tc, must_staple);
    tcase_add_test(tc, times);
    return tc;
}

static TCase *asking(void)
{
    TCase *tc = tcase_create("asking");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, urls_in_order_and_once);
    tcase_add_test(tc, no_more_urls_than_eight);
    tcase_add_test(tc, no_url);
    tcase_add_test(tc, other_schemes_are_left_out);
    tcase_add_test(tc, url_with_bytes_no_url_has);
    tcase_add_test(tc, only_ocsp_access_counts);
    tcase_add_test(tc, url_ok);
    tcase_add_test(tc, request_asks_for_this_certificate);
    tcase_add_test(tc, matches_under_any_hash);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("cert");

    suite_add_tcase(suite, reading());
    suite_add_tcase(suite, asking());
    return ocspx_check_main(suite);
}
