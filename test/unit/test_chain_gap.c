/* test_chain_gap: chains that do not end at a trusted root. */
#include "chain_scene.h"

#include <ctype.h>

#define URL "http://ca.test/ca.der"

static pki_t *leaf_with_urls(const char *urls)
{
    return make((pki_spec_t){.cn = "leaf", .ca_issuers = urls}, ca);
}

static const char *url(int i)
{
    ck_assert_int_lt(i, out.urls->nelts);
    return APR_ARRAY_IDX(out.urls, i, const char *);
}

static const char *key_of(const pki_t *of)
{
    char *hex = OPENSSL_buf2hexstr(
        ASN1_STRING_get0_data(X509_get0_subject_key_id(of->cert)), 20);
    char *plain = apr_palloc(pool, 41);
    int n = 0;

    for (const char *c = hex; *c; c++)
        if (*c != ':')
            plain[n++] = (char)tolower(*c);
    plain[n] = '\0';
    OPENSSL_free(hex);
    return plain;
}

/* --- missing ------------------------------------------------------------- */

START_TEST(leaf_alone)
{
    pki_t *end = leaf_with_urls(URL " ldap://ca.test/ http://b.test/");

    judge(end, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR, "CN=leaf",
                apr_pstrcat(pool, "CN=CA with the key ", key_of(ca),
                            ", which issued CN=leaf, is neither sent nor "
                            "trusted; it can be fetched from " URL
                            ", http://b.test/",
                            NULL));
    ck_assert_ptr_eq(out.gap, end->cert);
    ck_assert_int_eq(out.urls->nelts, 2);
    ck_assert_str_eq(url(0), URL);
    ck_assert_str_eq(url(1), "http://b.test/");
    judge(end, ca, NULL);
    expect_good();
}
END_TEST

/* Whoever issued it, nobody could check a leaf alone. */
START_TEST(leaf_alone_of_an_unknown_ca)
{
    trust_only(make_ca("Public", NULL), NULL);
    for (trust.all = 0; trust.all < 2; trust.all++) {
        judge(leaf, NULL);
        expect_complete(0);
        expect_only(OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR, "CN=leaf",
                    "no http address is known to fetch it from");
        ck_assert_ptr_eq(out.gap, leaf->cert);
        ck_assert_int_eq(out.urls->nelts, 0);
        ck_assert_str_eq(finding(0)->remedy,
                         ocspx_cause_remedy(OCSPX_CAUSE_CHAIN_MISSING));
        judge(ca, NULL);
        expect_only(OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR, "CN=CA", "");
    }
}
END_TEST

START_TEST(gap_in_the_middle)
{
    pki_t *upper = make_ca("Upper", root);
    pki_t *lower =
        make((pki_spec_t){.cn = "Lower", .ca = 1, .ca_issuers = URL}, upper);

    judge(make_leaf(lower), lower, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR, "CN=Lower",
                "CN=Upper with the key ");
    ck_assert_ptr_eq(out.gap, lower->cert);
    ck_assert_str_eq(url(0), URL);
    trust.all = 0;
    judge_again();
    expect_only(OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR, "CN=Lower", "");
}
END_TEST

START_TEST(issuer_without_name_or_identifiers)
{
    pki_t *nameless =
        make((pki_spec_t){.cn = "", .ca = 1, .no_key_ids = 1}, root);

    judge(make((pki_spec_t){.cn = "leaf", .no_key_ids = 1}, nameless), NULL);
    expect_only(OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR, "CN=leaf",
                "an issuer without a name, which issued CN=leaf, is");
}
END_TEST

/* --- what to paste ------------------------------------------------------- */

static void expect_paste(const char *urls, const char *file, const char *words)
{
    question.file = file;
    judge(leaf_with_urls(urls), NULL);
    ck_assert_str_eq(finding(0)->remedy, words);
}

START_TEST(commands)
{
    second_opinion = 0;
    expect_paste(URL, "/etc/ssl/my site.pem",
                 "Set OCSPXChainRepair on, or append the issuer's certificate "
                 "to the file: curl -gfsSo issuer.der '" URL
                 "' && (echo; openssl x509 -inform DER -in issuer.der) >> "
                 "'/etc/ssl/my site.pem'");
    expect_paste(URL, NULL,
                 "Set OCSPXChainRepair on, or append the issuer's "
                 "certificate, which this prints, to the file named by "
                 "SSLCertificateFile: curl -gfsSo issuer.der '" URL
                 "' && openssl x509 -inform DER -in issuer.der");
    expect_paste("http://a.test/x.P7C?b", "/f",
                 "Set OCSPXChainRepair on, or append the issuer's certificate "
                 "to the file: curl -gfsSo issuer.der 'http://a.test/x.P7C?b' "
                 "&& (echo; openssl pkcs7 -print_certs -inform DER "
                 "-in issuer.der) >> '/f'");
    judge(leaf_with_urls("http://a.test/x.p7b"), NULL);
    expect_remedy(0, "openssl pkcs7");
    judge(leaf_with_urls("http://a.test/?x.p7b"), NULL);
    expect_remedy(0, "openssl x509");
}
END_TEST

/* Nothing that a certificate or a path says gets out of its quotes. */
START_TEST(commands_without_tricks)
{
    const char *plain = ocspx_cause_remedy(OCSPX_CAUSE_CHAIN_MISSING);
    const char *endless = apr_psprintf(pool, "http://a.test/%0300d", 0);

    second_opinion = 0;
    expect_paste("http://a.test/';reboot;'", "/f", plain);
    expect_paste("http://a.test/\\x", "/f", plain);
    expect_paste("http://a.test/\n", "/f", plain);
    expect_paste(endless, "/f", plain);
    judge(leaf_with_urls("http://a.test/' " URL), NULL);
    expect_remedy(0, "curl -gfsSo issuer.der '" URL "' && ");
    question.file = "/etc/a';reboot;'";
    judge_again();
    expect_remedy(0, "the file named by SSLCertificateFile: curl");
    question.file = "/etc/\nreboot\n";
    judge_again();
    expect_remedy(0, "the file named by SSLCertificateFile: curl");
    question.file = "/etc/\x7f";
    judge_again();
    expect_remedy(0, "the file named by SSLCertificateFile: curl");
    question.file = "/etc/\xc3\xbc";
    judge_again();
    expect_remedy(0, "the file named by SSLCertificateFile: curl");
}
END_TEST

START_TEST(many_addresses)
{
    judge(leaf_with_urls("http://a/ http://b/ http://c/ http://d/"), NULL);
    expect_only(OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR, "CN=leaf",
                "fetched from http://a/, http://b/, http://c/");
    ck_assert_ptr_null(strstr(finding(0)->message, "http://d/"));
    ck_assert_int_eq(out.urls->nelts, 4);
}
END_TEST

/* --- unknown roots ------------------------------------------------------- */

START_TEST(root_of_a_private_ca_is_sent)
{
    trust_only(make_ca("Public", NULL), NULL);
    trust.all = 0;
    judge(leaf, ca, root, NULL);
    expect_complete(1);
    expect_only(OCSPX_CAUSE_CHAIN_PRIVATE, OCSPX_CAUSE_INFO, "CN=Root",
                "the chain ends at CN=Root, a root that is not among the "
                "trusted ones");
    ck_assert_ptr_null(out.gap);
    trust.all = 1;
    judge_again();
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_PRIVATE, OCSPX_CAUSE_ERROR, "CN=Root", "");
    expect_remedy(0, "Add it to the trusted");
    ck_assert_ptr_null(out.gap);
}
END_TEST

START_TEST(root_of_a_private_ca_is_not_sent)
{
    trust_only(make_ca("Public", NULL), NULL);
    trust.all = 0;
    judge(leaf, ca, NULL);
    expect_complete(1);
    expect_only(OCSPX_CAUSE_CHAIN_PRIVATE, OCSPX_CAUSE_INFO, "CN=CA",
                apr_pstrcat(pool,
                            "the chain ends at CN=CA, issued by CN=Root "
                            "with the key ",
                            key_of(root), ", which is neither", NULL));
    ck_assert_ptr_null(out.gap);
    trust.all = 1;
    judge_again();
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR, "CN=CA", "");
    ck_assert_ptr_eq(out.gap, ca->cert);
}
END_TEST

START_TEST(private_only_if_all_else_holds)
{
    pki_t *old = make((pki_spec_t){.cn = "old",
                                   .not_before = now - 9 * DAY,
                                   .not_after = now - DAY},
                      ca);
    pki_t *odd = make_leaf(leaf);

    trust_only(make_ca("Public", NULL), NULL);
    trust.all = 0;
    judge(old, ca, root, NULL);
    expect_complete(0);
    expect_count(2);
    expect_at(0, OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_ERROR, "CN=old", "");
    expect_at(1, OCSPX_CAUSE_CHAIN_PRIVATE, OCSPX_CAUSE_INFO, "CN=Root", "");
    judge(odd, leaf, NULL);
    expect_complete(0);
    ck_assert(has(OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR));
}
END_TEST

START_TEST(private_root_is_judged_as_a_root)
{
    pki_t *old = make((pki_spec_t){.cn = "Old",
                                   .ca = 1,
                                   .md = EVP_sha1(),
                                   .not_before = now - 30 * DAY,
                                   .not_after = now + 9 * DAY},
                      NULL);

    trust.all = 0;
    judge(make_leaf(old), old, NULL);
    expect_complete(1);
    expect_count(2);
    expect_at(0, OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_WARNING, "CN=Old",
              "in 9 days");
    expect_at(1, OCSPX_CAUSE_CHAIN_PRIVATE, OCSPX_CAUSE_INFO, "CN=Old", "");
}
END_TEST

/* A trusted certificate that is no root ends nothing. */
START_TEST(root_is_not_trusted)
{
    trust_only(ca, NULL);
    judge(leaf, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR, "CN=CA",
                "CN=CA is trusted, but is no root, and CN=Root with the key ");
    expect_remedy(0, "Add the root to the trusted");
    ck_assert_ptr_null(out.gap);
    judge(leaf, ca, NULL);
    expect_only(OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR, "CN=CA", "");
}
END_TEST

/* Two CAs that have certified each other, and no root. */
START_TEST(circle)
{
    pki_t *a = make_ca("A", NULL);
    pki_t *b = make_ca("B", a);
    pki_t *again = make((pki_spec_t){.cn = "A", .ca = 1, .use_key = a->key}, b);
    pki_t *twin = make_ca("A", NULL);

    judge(make_leaf(a), again, b, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR, "CN=B",
                "which issued CN=B, is sent, but leads to no trusted root");
    judge(make_leaf(a), twin, again, b, NULL);
    expect_count(2);
    expect_at(0, OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR, "CN=B", "");
    expect_at(1, OCSPX_CAUSE_CHAIN_EXTRA, OCSPX_CAUSE_WARNING, "CN=A", "");
    trust_only(twin, NULL);
    judge(make_leaf(a), again, b, NULL);
    expect_only(OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR, "CN=B", "");
    trust.all = 0;
    judge_again();
    expect_complete(1);
    expect_only(OCSPX_CAUSE_CHAIN_PRIVATE, OCSPX_CAUSE_INFO, "CN=B", "");
    trust_only(a, NULL);
    judge_again();
    expect_good();
}
END_TEST

START_TEST(self_signed)
{
    pki_t *self = make((pki_spec_t){.cn = "self"}, NULL);

    for (trust.all = 0; trust.all < 2; trust.all++) {
        judge(self, NULL);
        expect_complete(0);
        expect_only(OCSPX_CAUSE_CHAIN_SELF_SIGNED, OCSPX_CAUSE_WARNING,
                    "CN=self",
                    "CN=self names itself as its issuer, and is not trusted");
        ck_assert_ptr_null(out.gap);
    }
    trust_only(self, NULL);
    judge(self, NULL);
    expect_complete(1);
    expect_only(OCSPX_CAUSE_CHAIN_SELF_SIGNED, OCSPX_CAUSE_INFO, "CN=self",
                ", and is trusted");
    trust_only(root, NULL);
    judge(root, NULL);
    expect_complete(1);
    expect_only(OCSPX_CAUSE_CHAIN_SELF_SIGNED, OCSPX_CAUSE_INFO, "CN=Root", "");
}
END_TEST

static TCase *missing(void)
{
    TCase *tc = tcase_create("missing");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, leaf_alone);
    tcase_add_test(tc, leaf_alone_of_an_unknown_ca);
    tcase_add_test(tc, gap_in_the_middle);
    tcase_add_test(tc, issuer_without_name_or_identifiers);
    tcase_add_test(tc, commands);
    tcase_add_test(tc, commands_without_tricks);
    tcase_add_test(tc, many_addresses);
    return tc;
}

static TCase *unknown_roots(void)
{
    TCase *tc = tcase_create("unknown roots");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, root_of_a_private_ca_is_sent);
    tcase_add_test(tc, root_of_a_private_ca_is_not_sent);
    tcase_add_test(tc, private_only_if_all_else_holds);
    tcase_add_test(tc, private_root_is_judged_as_a_root);
    tcase_add_test(tc, root_is_not_trusted);
    tcase_add_test(tc, circle);
    tcase_add_test(tc, self_signed);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("chain gap");

    suite_add_tcase(suite, missing());
    suite_add_tcase(suite, unknown_roots());
    return ocspx_check_main(suite);
}
