/* test_chain_sent: what is sent besides the path, in which order, and whether
 * the leaf is the right one.
 */
#include "chain_scene.h"

#include <openssl/x509v3.h>

/* --- order --------------------------------------------------------------- */

START_TEST(leaf_is_not_first)
{
    second_opinion = 0; /* OpenSSL takes the first for the leaf */
    judge(ca, leaf, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_ORDER, OCSPX_CAUSE_ERROR, "CN=leaf",
                "CN=CA, a CA certificate, comes first, and CN=leaf behind it: "
                "the server's own certificate must come first");
    judge(root, ca, leaf, NULL);
    expect_complete(0);
    expect_count(2);
    expect_at(0, OCSPX_CAUSE_CHAIN_ORDER, OCSPX_CAUSE_ERROR, "CN=leaf",
              "CN=Root, a CA certificate, comes first");
    expect_at(1, OCSPX_CAUSE_CHAIN_ROOT, OCSPX_CAUSE_INFO, "CN=Root", "");
}
END_TEST

START_TEST(leaf_is_not_first_and_more)
{
    apr_array_header_t *hosts = apr_array_make(pool, 1, sizeof(char *));

    APR_ARRAY_PUSH(hosts, const char *) = "other.test";
    question.hosts = hosts;
    second_opinion = 0;
    judge(ca, make_leaf(ca), leaf, NULL);
    expect_complete(0);
    expect_count(3);
    expect_at(1, OCSPX_CAUSE_CHAIN_EXTRA, OCSPX_CAUSE_WARNING, "CN=leaf", "");
    expect_at(2, OCSPX_CAUSE_CHAIN_NAME, OCSPX_CAUSE_WARNING, "CN=leaf", "");
}
END_TEST

START_TEST(issuers_are_not_in_order)
{
    pki_t *upper = make_ca("Upper", root);
    pki_t *middle = make_ca("Middle", upper);
    pki_t *lower = make_ca("Lower", middle);
    pki_t *end = make_leaf(lower);

    judge(end, lower, middle, upper, NULL);
    expect_good();
    judge(end, lower, upper, middle, NULL);
    expect_complete(1);
    expect_only(OCSPX_CAUSE_CHAIN_ORDER, OCSPX_CAUSE_WARNING, "CN=Upper",
                "CN=Upper comes before CN=Middle, which it has signed");
    judge(end, upper, middle, lower, NULL);
    expect_complete(1);
    expect_count(2);
    expect_at(0, OCSPX_CAUSE_CHAIN_ORDER, OCSPX_CAUSE_WARNING, "CN=Upper", "");
    expect_at(1, OCSPX_CAUSE_CHAIN_ORDER, OCSPX_CAUSE_WARNING, "CN=Middle",
              "CN=Middle comes before CN=Lower");
}
END_TEST

/* RFC 5246 leaves open which of two issuers follows. */
START_TEST(alternatives_follow_each_other)
{
    pki_t *other = make_ca("Other Root", NULL);
    pki_t *upper = make_ca("Upper", root);
    pki_t *cross = make(
        (pki_spec_t){.cn = "Upper", .ca = 1, .use_key = upper->key}, other);
    pki_t *end;

    ca = make_ca("CA", upper);
    end = make_leaf(ca);
    judge(end, ca, upper, cross, NULL);
    expect_good();
    trust_only(root, other, NULL);
    judge(end, ca, cross, upper, NULL);
    expect_good();
}
END_TEST

/* --- extra --------------------------------------------------------------- */

START_TEST(sent_twice)
{
    judge(leaf, ca, ca, NULL);
    expect_complete(1);
    expect_only(OCSPX_CAUSE_CHAIN_EXTRA, OCSPX_CAUSE_WARNING, "CN=CA",
                "CN=CA is sent 2 times");
    expect_remedy(0, "once");
    judge(leaf, leaf, ca, leaf, NULL);
    expect_complete(1);
    expect_only(OCSPX_CAUSE_CHAIN_EXTRA, OCSPX_CAUSE_WARNING, "CN=leaf",
                "CN=leaf is sent 3 times");
}
END_TEST

START_TEST(unrelated)
{
    pki_t *other = make_ca("Other", root);

    judge(leaf, other, ca, NULL);
    expect_complete(1);
    expect_only(OCSPX_CAUSE_CHAIN_EXTRA, OCSPX_CAUSE_WARNING, "CN=Other",
                "CN=Other has signed none of the certificates that are sent");
    ck_assert_str_eq(finding(0)->remedy,
                     ocspx_cause_remedy(OCSPX_CAUSE_CHAIN_EXTRA));
    judge(leaf, ca, make_leaf(other), NULL);
    expect_only(OCSPX_CAUSE_CHAIN_EXTRA, OCSPX_CAUSE_WARNING, "CN=leaf",
                "issued by CN=Other) has signed none");
    judge(leaf, ca, make_ca("Other Root", NULL), NULL);
    expect_only(OCSPX_CAUSE_CHAIN_EXTRA, OCSPX_CAUSE_WARNING, "CN=Other Root",
                "");
}
END_TEST

START_TEST(nameless)
{
    judge(leaf, ca, make((pki_spec_t){.cn = "", .ca = 1}, root), NULL);
    expect_only(OCSPX_CAUSE_CHAIN_EXTRA, OCSPX_CAUSE_WARNING, "",
                "a certificate without a subject has signed none");
}
END_TEST

/* It may belong above what is missing. */
START_TEST(unrelated_beyond_a_gap)
{
    pki_t *lower = make_ca("Lower", ca);

    judge(make_leaf(lower), ca, NULL);
    expect_complete(0);
    expect_count(2);
    expect_at(0, OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR, "CN=leaf", "");
    expect_at(1, OCSPX_CAUSE_CHAIN_EXTRA, OCSPX_CAUSE_WARNING, "CN=CA", "");
    expect_remedy(1, "Complete the chain first");
}
END_TEST

START_TEST(beside_a_self_signed_leaf)
{
    judge(make((pki_spec_t){.cn = "self"}, NULL), ca, NULL);
    expect_count(2);
    ck_assert(has(OCSPX_CAUSE_CHAIN_SELF_SIGNED, OCSPX_CAUSE_WARNING));
    ck_assert(has(OCSPX_CAUSE_CHAIN_EXTRA, OCSPX_CAUSE_WARNING));
}
END_TEST

START_TEST(root_is_sent)
{
    pki_t *renewed =
        make((pki_spec_t){.cn = "Root", .ca = 1, .use_key = root->key}, NULL);

    judge(leaf, ca, root, NULL);
    expect_complete(1);
    expect_only(OCSPX_CAUSE_CHAIN_ROOT, OCSPX_CAUSE_INFO, "CN=Root",
                "CN=Root is a root certificate");
    judge(leaf, ca, renewed, NULL);
    expect_complete(1);
    expect_only(OCSPX_CAUSE_CHAIN_ROOT, OCSPX_CAUSE_INFO, "CN=Root", "");
    judge(leaf, root, ca, NULL);
    expect_count(2);
    expect_at(0, OCSPX_CAUSE_CHAIN_ORDER, OCSPX_CAUSE_WARNING, "CN=Root", "");
}
END_TEST

START_TEST(nothing_is_sent)
{
    second_opinion = 0;
    judge(NULL, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_REFUSED, OCSPX_CAUSE_ERROR, "",
                "no certificate is sent");
}
END_TEST

/* --- what has no name of its own ----------------------------------------- */

static void add_unknown_critical(pki_t *to, const pki_t *issuer)
{
    ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.55555.1", 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value);

    ck_assert_int_eq(X509_add_ext(to->cert, ext, -1), 1);
    ck_assert_int_gt(X509_sign(to->cert, issuer->key, EVP_sha256()), 0);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
}

START_TEST(unknown_critical_extension)
{
    add_unknown_critical(leaf, ca);
    judge(leaf, ca, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_REFUSED, OCSPX_CAUSE_ERROR, "CN=leaf",
                "clients refuse CN=leaf: unhandled critical extension");
}
END_TEST

/* A proxy certificate (RFC 3820) is refused for several reasons, and so is
 * its issuer for being a CA: each once. */
START_TEST(refused_for_many_reasons)
{
    pki_t *proxy = make((pki_spec_t){.cn = "proxy"}, ca);
    PROXY_CERT_INFO_EXTENSION *info = PROXY_CERT_INFO_EXTENSION_new();

    ASN1_OBJECT_free(info->proxyPolicy->policyLanguage);
    info->proxyPolicy->policyLanguage = OBJ_nid2obj(NID_id_ppl_anyLanguage);
    X509_add1_ext_i2d(proxy->cert, NID_proxyCertInfo, info, 1, 0);
    PROXY_CERT_INFO_EXTENSION_free(info);
    add_unknown_critical(proxy, ca);
    judge(proxy, ca, NULL);
    expect_complete(0);
    expect_count(2);
    expect_at(0, OCSPX_CAUSE_CHAIN_REFUSED, OCSPX_CAUSE_ERROR, "CN=proxy",
              "unhandled critical extension");
    expect_at(1, OCSPX_CAUSE_CHAIN_REFUSED, OCSPX_CAUSE_ERROR, "CN=CA", "");
}
END_TEST

START_TEST(worst_come_first)
{
    pki_t *weak = make((pki_spec_t){.cn = "leaf",
                                    .md = EVP_sha1(),
                                    .not_before = now - 9 * DAY,
                                    .not_after = now - DAY},
                       ca);

    judge(weak, root, make_ca("Other", root), ca, NULL);
    expect_complete(0);
    expect_count(5);
    expect_at(0, OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_ERROR, "CN=leaf", "");
    expect_at(1, OCSPX_CAUSE_CHAIN_WEAK, OCSPX_CAUSE_ERROR, "CN=leaf", "");
    expect_at(2, OCSPX_CAUSE_CHAIN_ORDER, OCSPX_CAUSE_WARNING, "CN=Root", "");
    expect_at(3, OCSPX_CAUSE_CHAIN_EXTRA, OCSPX_CAUSE_WARNING, "CN=Other", "");
    expect_at(4, OCSPX_CAUSE_CHAIN_ROOT, OCSPX_CAUSE_INFO, "CN=Root", "");
    ck_assert_int_eq(ocspx_chain_worst(&out), OCSPX_CAUSE_ERROR);
    judge(leaf, ca, ca, root, NULL);
    ck_assert_int_eq(ocspx_chain_worst(&out), OCSPX_CAUSE_WARNING);
    judge(leaf, ca, root, NULL);
    ck_assert_int_eq(ocspx_chain_worst(&out), OCSPX_CAUSE_INFO);
}
END_TEST

/* --- really signed ------------------------------------------------------- */

START_TEST(issued)
{
    pki_t *twin = make_ca("CA", root);
    pki_t *copy =
        make((pki_spec_t){.cn = "CA", .ca = 1, .use_key = ca->key}, root);
    pki_t *old = make((pki_spec_t){.cn = "CA",
                                   .ca = 1,
                                   .use_key = ca->key,
                                   .not_before = now - 9 * DAY,
                                   .not_after = now - DAY},
                      root);
    pki_t *renamed =
        make((pki_spec_t){.cn = "Other", .ca = 1, .use_key = ca->key}, root);

    ck_assert(ocspx_chain_issued(ca->cert, leaf->cert));
    ck_assert(ocspx_chain_issued(copy->cert, leaf->cert));
    ck_assert(ocspx_chain_issued(old->cert, leaf->cert));
    ck_assert(ocspx_chain_issued(root->cert, root->cert));
    ck_assert(!ocspx_chain_issued(twin->cert, leaf->cert));
    ck_assert(!ocspx_chain_issued(renamed->cert, leaf->cert));
    ck_assert(!ocspx_chain_issued(root->cert, leaf->cert));
    ck_assert(!ocspx_chain_issued(leaf->cert, ca->cert));
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

START_TEST(issued_by_whom_may_not)
{
    pki_t *bare =
        make((pki_spec_t){.cn = "Bare", .ca = 1, .no_key_ids = 1}, root);
    pki_t *bare_twin =
        make((pki_spec_t){.cn = "Bare", .ca = 1, .no_key_ids = 1}, root);
    pki_t *mute =
        make((pki_spec_t){.cn = "Mute", .ca = 1, .key_usage = "cRLSign"}, root);
    pki_t *no_ca =
        make((pki_spec_t){.cn = "No CA", .key_usage = "keyCertSign"}, root);

    ck_assert(!ocspx_chain_issued(leaf->cert, make_leaf(leaf)->cert));
    ck_assert(!ocspx_chain_issued(no_ca->cert, make_leaf(no_ca)->cert));
    ck_assert(!ocspx_chain_issued(mute->cert, make_leaf(mute)->cert));
    ck_assert(ocspx_chain_issued(bare->cert, make_leaf(bare)->cert));
    ck_assert(!ocspx_chain_issued(bare_twin->cert, make_leaf(bare)->cert));
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

static TCase *order(void)
{
    TCase *tc = tcase_create("order");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, leaf_is_not_first);
    tcase_add_test(tc, leaf_is_not_first_and_more);
    tcase_add_test(tc, issuers_are_not_in_order);
    tcase_add_test(tc, alternatives_follow_each_other);
    tcase_add_test(tc, worst_come_first);
    return tc;
}

static TCase *extra(void)
{
    TCase *tc = tcase_create("extra");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, sent_twice);
    tcase_add_test(tc, unrelated);
    tcase_add_test(tc, nameless);
    tcase_add_test(tc, unrelated_beyond_a_gap);
    tcase_add_test(tc, beside_a_self_signed_leaf);
    tcase_add_test(tc, root_is_sent);
    tcase_add_test(tc, nothing_is_sent);
    tcase_add_test(tc, unknown_critical_extension);
    tcase_add_test(tc, refused_for_many_reasons);
    return tc;
}

static TCase *signing(void)
{
    TCase *tc = tcase_create("signing");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, issued);
    tcase_add_test(tc, issued_by_whom_may_not);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("chain sent");

    suite_add_tcase(suite, order());
    suite_add_tcase(suite, extra());
    suite_add_tcase(suite, signing());
    return ocspx_check_main(suite);
}
