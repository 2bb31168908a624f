/* test_cert_issuer: a certificate whose issuer is not there, and where it says
 * to get it.
 */
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

/* --- where to get the issuer ----------------------------------------- */

typedef struct {
    int method;
    int type;
    const char *bytes;
    int len; /* 0: up to the NUL */
} access_t;

static void push(AUTHORITY_INFO_ACCESS *aia, const access_t *of)
{
    ACCESS_DESCRIPTION *access = ACCESS_DESCRIPTION_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();

    ck_assert_int_eq(
        ASN1_STRING_set(text, of->bytes,
                        of->len ? of->len : (int)strlen(of->bytes)),
        1);
    ASN1_OBJECT_free(access->method);
    access->method = OBJ_nid2obj(of->method);
    GENERAL_NAME_set0_value(access->location, of->type, text);
    ck_assert_int_gt(sk_ACCESS_DESCRIPTION_push(aia, access), 0);
}

static X509 *leaf_with(const access_t *accesses, int n)
{
    pki_t *leaf = pki_make(&(pki_spec_t){.cn = "leaf"}, ca, pool);
    AUTHORITY_INFO_ACCESS *aia = AUTHORITY_INFO_ACCESS_new();

    for (int i = 0; i < n; i++)
        push(aia, &accesses[i]);
    ck_assert_int_eq(X509_add1_ext_i2d(leaf->cert, NID_info_access, aia, 0, 0),
                     1);
    ck_assert_int_gt(X509_sign(leaf->cert, ca->key, EVP_sha256()), 0);
    AUTHORITY_INFO_ACCESS_free(aia);
    return leaf->cert;
}

/* Both lists, in one string. */
static const char *lists(X509 *x)
{
    apr_array_header_t *issuers = ocspx_cert_ca_issuers(x, pool);
    ocspx_cert_t *cert;

    ck_assert_int_eq(ocspx_cert_make(&cert, x, NULL, pool), APR_SUCCESS);
    return apr_pstrcat(pool, apr_array_pstrcat(pool, issuers, ' '), "; ",
                       apr_array_pstrcat(pool, cert->urls, ' '), "; ",
                       cert->bad_url, NULL);
}

START_TEST(urls_of_the_issuer)
{
    static const access_t accesses[] = {
        {NID_ad_ca_issuers, GEN_URI, "http://z.test/ca.cer", 0},
        {NID_ad_OCSP, GEN_URI, "http://ocsp.test/", 0},
        {NID_ad_ca_issuers, GEN_URI, "HTTPS://a.test:444/b?c,d", 0},
        {NID_ad_ca_issuers, GEN_URI, "http://z.test/ca.cer", 0},
    };

    ck_assert_str_eq(lists(leaf_with(accesses, 4)),
                     "http://z.test/ca.cer HTTPS://a.test:444/b?c,d; "
                     "http://ocsp.test/; ");
}
END_TEST

START_TEST(unusable_urls_of_the_issuer)
{
    static const access_t accesses[] = {
        {NID_ad_ca_issuers, GEN_URI, "ldap://l.test/cn=ca", 0},
        {NID_ad_ca_issuers, GEN_URI, "http://a.test/\0b", 16},
        {NID_ad_ca_issuers, GEN_URI, "http://a.test/\r\nX: y", 0},
        {NID_ad_ca_issuers, GEN_URI, "http:///ca.cer", 0},
        {NID_ad_ca_issuers, GEN_URI, "", 0},
        {NID_ad_ca_issuers, GEN_DNS, "http://dns.test/", 0},
        {NID_ad_ca_issuers, GEN_URI, "http://good.test/", 0},
    };

    /* nor is it the responder that is badly named */
    ck_assert_str_eq(lists(leaf_with(accesses, 7)), "http://good.test/; ; ");
    ck_assert_str_eq(lists(ca->cert), "; ; ");
}
END_TEST

START_TEST(damaged_access_is_none)
{
    ASN1_OCTET_STRING *junk = ASN1_OCTET_STRING_new();
    pki_t *leaf = pki_make(&(pki_spec_t){.cn = "leaf"}, ca, pool);
    X509_EXTENSION *ext;

    ck_assert_int_eq(
        ASN1_OCTET_STRING_set(junk, (const unsigned char *)"\x30\x05x", 3), 1);
    ext = X509_EXTENSION_create_by_NID(NULL, NID_info_access, 0, junk);
    ck_assert_int_eq(X509_add_ext(leaf->cert, ext, -1), 1);
    ck_assert_int_gt(X509_sign(leaf->cert, ca->key, EVP_sha256()), 0);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(junk);
    ck_assert_str_eq(lists(leaf->cert), "; ; ");
}
END_TEST

/* --- without issuer -------------------------------------------------- */

START_TEST(made_without_issuer)
{
    pki_spec_t spec = {.cn = "leaf",
                       .names = "DNS:a.test",
                       .ocsp_urls = "http://ocsp.test/",
                       .must_staple = 1};
    pki_t *leaf = pki_make(&spec, ca, pool);
    ocspx_cert_t *with, *without;

    ck_assert_int_eq(ocspx_cert_make(&with, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(ocspx_cert_make(&without, leaf->cert, NULL, pool),
                     APR_SUCCESS);
    ck_assert_ptr_null(without->issuer);
    ck_assert_ptr_eq(without->leaf, leaf->cert);
    ck_assert_str_eq(without->id, with->id);
    ck_assert_str_eq(without->name, "a.test");
    ck_assert_int_eq(without->urls->nelts, 1);
    ck_assert_int_eq(without->not_after, with->not_after);
    ck_assert_int_eq(without->must_staple, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cert_issuer");
    TCase *tc = tcase_create("cert_issuer");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, urls_of_the_issuer);
    tcase_add_test(tc, unusable_urls_of_the_issuer);
    tcase_add_test(tc, damaged_access_is_none);
    tcase_add_test(tc, made_without_issuer);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
