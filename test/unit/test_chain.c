/* test_chain: the path to the root, and the times of what is on it. */
#include "chain_scene.h"

START_TEST(nothing_is_wrong)
{
    judge(leaf, ca, NULL);
    expect_good();
    ck_assert_int_eq(ocspx_chain_worst(&out), OCSPX_CAUSE_INFO);
    judge(make_leaf(root), NULL);
    expect_good();
    judge(make((pki_spec_t){.cn = "leaf", .key = PKI_RSA}, ca), ca, NULL);
    expect_good();
    trust.all = 0;
    judge(leaf, ca, NULL);
    expect_good();
}
END_TEST

START_TEST(a_trusted_intermediate_need_not_be_sent)
{
    trust_only(root, ca, NULL);
    judge(leaf, NULL);
    expect_good();
}
END_TEST

START_TEST(without_key_identifiers)
{
    pki_t *top =
        make((pki_spec_t){.cn = "Top", .ca = 1, .no_key_ids = 1}, NULL);
    pki_t *middle =
        make((pki_spec_t){.cn = "Middle", .ca = 1, .no_key_ids = 1}, top);

    trust_only(top, NULL);
    judge(make((pki_spec_t){.cn = "leaf", .no_key_ids = 1}, middle), middle,
          NULL);
    expect_good();
}
END_TEST

/* --- cross-signed -------------------------------------------------------- */

/* Another certificate for the same name and key. */
static pki_t *cross_sign(const pki_t *of, const char *cn, const pki_t *by)
{
    return make((pki_spec_t){.cn = cn, .ca = 1, .use_key = of->key}, by);
}

START_TEST(cross_signed_root)
{
    pki_t *other = make_ca("Other Root", NULL);
    pki_t *cross = cross_sign(root, "Root", other);

    for (int i = 0; i < 2; i++) {
        trust_only(i == 0 ? root : other, NULL);
        judge(leaf, ca, cross, NULL);
        expect_good();
        judge(leaf, cross, ca, NULL);
        expect_complete(1);
        expect_only(OCSPX_CAUSE_CHAIN_ORDER, OCSPX_CAUSE_WARNING, "CN=Root",
                    "comes before CN=CA, which it has signed");
    }
}
END_TEST

/* Whoever knows the root of the second alone takes the first all the same. */
START_TEST(cross_signed_intermediate)
{
    pki_t *other = make_ca("Other Root", NULL);
    pki_t *cross = cross_sign(ca, "CA", other);

    trust_only(root, other, NULL);
    judge(leaf, ca, cross, NULL);
    expect_good();
    judge(leaf, cross, ca, NULL);
    expect_good();
    trust_only(root, NULL);
    judge(leaf, ca, cross, NULL);
    expect_good();
    trust_only(other, NULL);
    judge(leaf, cross, ca, NULL);
    expect_good();
}
END_TEST

START_TEST(dead_end_comes_first)
{
    pki_t *cross = cross_sign(ca, "CA", make_ca("Other Root", NULL));

    for (trust.all = 0; trust.all < 2; trust.all++) {
        judge(leaf, cross, ca, NULL);
        expect_complete(0);
        expect_only(OCSPX_CAUSE_CHAIN_ORDER, OCSPX_CAUSE_ERROR, "CN=CA",
                    "issued by CN=Root), by which a trusted root is reached, "
                    "comes behind CN=CA (serial ");
        expect_remedy(0, "Put it before");
        ck_assert_ptr_null(out.gap);
    }
}
END_TEST

/* The path forks above the leaf, and the good one is out of order as well. */
START_TEST(dead_end_higher_up)
{
    pki_t *bad = cross_sign(ca, "CA", make_ca("Other Root", NULL));
    pki_t *worse = cross_sign(ca, "CA", make_ca("Root", NULL));
    pki_t *good = make(
        (pki_spec_t){.cn = "CA", .ca = 1, .use_key = ca->key, .serial = 0x600d},
        root);
    pki_t *lower = make_ca("Lower", ca);
    pki_t *end = make_leaf(lower);

    judge(end, lower, bad, worse, good, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_ORDER, OCSPX_CAUSE_ERROR, "CN=CA",
                "CN=CA (serial 600d, issued by CN=Root), by which a trusted "
                "root is reached, comes behind CN=CA (serial ");
    ck_assert_ptr_nonnull(strstr(finding(0)->message, "Other Root)"));
    judge(end, bad, good, lower, NULL);
    expect_complete(0);
    expect_count(2);
    expect_at(0, OCSPX_CAUSE_CHAIN_ORDER, OCSPX_CAUSE_ERROR, "CN=CA", "");
    expect_at(1, OCSPX_CAUSE_CHAIN_ORDER, OCSPX_CAUSE_WARNING, "CN=CA",
              "issued by CN=Other Root) comes before CN=Lower");
}
END_TEST

START_TEST(dead_end_has_faults)
{
    pki_t *old = make((pki_spec_t){.cn = "Old Root",
                                   .ca = 1,
                                   .not_before = now - 9 * DAY,
                                   .not_after = now - DAY},
                      NULL);
    pki_t *cross = cross_sign(ca, "CA", old);

    judge(leaf, cross, old, ca, NULL);
    expect_complete(0);
    expect_count(3);
    expect_at(0, OCSPX_CAUSE_CHAIN_ORDER, OCSPX_CAUSE_ERROR, "CN=CA", "");
    expect_at(1, OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_WARNING, "CN=Old Root",
              "which the chain does not need, expired at ");
    expect_at(2, OCSPX_CAUSE_CHAIN_ROOT, OCSPX_CAUSE_INFO, "CN=Old Root", "");
}
END_TEST

/* --- times --------------------------------------------------------------- */

static pki_t *make_until(const char *cn, int is_ca, const pki_t *issuer,
                         apr_time_t from, apr_time_t until)
{
    return make(
        (pki_spec_t){
            .cn = cn, .ca = is_ca, .not_before = from, .not_after = until},
        issuer);
}

static const char *text_of(apr_time_t t)
{
    return ocspx_text_time(t, pool);
}

START_TEST(expired)
{
    pki_t *old =
        make_until("old", 0, ca, now - 30 * DAY, now - 3 * DAY - DAY / 2);

    judge(old, ca, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_ERROR, "CN=old",
                apr_pstrcat(pool, "CN=old expired at ",
                            text_of(now - 3 * DAY - DAY / 2), ", 3 days ago",
                            NULL));
    judge(make_until("old", 0, ca, now - DAY, now), ca, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_ERROR, "CN=old",
                ", less than two minutes ago");
    judge(make_until("old", 0, ca, now - DAY, now - DAY / 4), ca, NULL);
    expect_only(OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_ERROR, "CN=old",
                ", 6 hours ago");
}
END_TEST

START_TEST(not_yet_valid)
{
    apr_time_t from = now + apr_time_from_sec(180);

    judge(make_until("new", 0, ca, from, now + 90 * DAY), ca, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_ERROR, "CN=new",
                apr_pstrcat(pool, "CN=new is not valid before ", text_of(from),
                            ", 3 minutes from now", NULL));
    question.now = from;
    judge_again();
    expect_good();
}
END_TEST

START_TEST(expired_above_the_leaf)
{
    pki_t *old_ca = make_until("Old CA", 1, root, now - 9 * DAY, now - DAY);
    pki_t *old_root = make_until("Old", 1, NULL, now - 9 * DAY, now - DAY);
    pki_t *below = make_ca("Below", old_root);

    judge(make_leaf(old_ca), old_ca, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_ERROR, "CN=Old CA",
                "CN=Old CA expired at ");
    trust_only(old_root, NULL);
    judge(make_leaf(below), below, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_ERROR, "CN=Old",
                "CN=Old expired at ");
}
END_TEST

/* OpenSSL does not look at the times of the last where the root is missing. */
START_TEST(expired_below_a_gap)
{
    pki_t *old = make_until("old", 0, ca, now - 9 * DAY, now - DAY);
    pki_t *old_ca = make_until("Old CA", 1, root, now - 9 * DAY, now - DAY);

    judge(old, NULL);
    expect_count(2);
    ck_assert(has(OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR));
    ck_assert(has(OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_ERROR));
    trust_only(make_ca("Public", NULL), NULL);
    trust.all = 0;
    judge(make_leaf(old_ca), old_ca, NULL);
    expect_complete(0);
    expect_count(2);
    expect_at(0, OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_ERROR, "CN=Old CA",
              "expired at ");
    expect_at(1, OCSPX_CAUSE_CHAIN_PRIVATE, OCSPX_CAUSE_INFO, "CN=Old CA", "");
}
END_TEST

START_TEST(expires_soon)
{
    apr_time_t until = now + 30 * DAY;

    judge(make_until("leaf", 0, ca, 0, until + apr_time_from_sec(1)), ca, NULL);
    expect_good();
    judge(make_until("leaf", 0, ca, 0, until), ca, NULL);
    expect_complete(1);
    expect_only(OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_WARNING, "CN=leaf",
                apr_pstrcat(pool, "CN=leaf expires at ", text_of(until),
                            ", in 30 days", NULL));
}
END_TEST

START_TEST(short_lived)
{
    apr_time_t from = now - 4 * DAY;
    apr_time_t hour = DAY / 24;

    judge(make_until("leaf", 0, ca, from - hour, now + 2 * DAY), ca, NULL);
    expect_only(OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_WARNING, "CN=leaf",
                ", in 2 days");
    judge(make_until("leaf", 0, ca, from + hour, now + 2 * DAY), ca, NULL);
    expect_good();
    judge(make_until("leaf", 0, ca, from, now + 3 * DAY), ca, NULL);
    expect_good();
    judge(make_until("leaf", 0, ca, from - hour, now + 3 * DAY), ca, NULL);
    expect_only(OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_WARNING, "CN=leaf", "");
}
END_TEST

/* What the operator cannot renew is not reported. */
START_TEST(only_what_is_sent_expires_soon)
{
    pki_t *top = make_until("Top", 1, NULL, now - 30 * DAY, now + DAY);
    pki_t *middle = make_until("Middle", 1, top, now - 30 * DAY, now + DAY);
    pki_t *end = make_leaf(middle);

    trust_only(top, middle, NULL);
    judge(end, NULL);
    expect_good();
    judge(end, middle, NULL);
    expect_only(OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_WARNING, "CN=Middle",
                "in 24 hours");
    judge(end, middle, top, NULL);
    expect_count(2);
    ck_assert(!has(OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_ERROR));
    expect_at(1, OCSPX_CAUSE_CHAIN_ROOT, OCSPX_CAUSE_INFO, "CN=Top", "");
}
END_TEST

START_TEST(expired_alternative)
{
    pki_t *other = make_ca("Other Root", NULL);
    pki_t *cross = make((pki_spec_t){.cn = "Root",
                                     .ca = 1,
                                     .use_key = root->key,
                                     .not_before = now - 9 * DAY,
                                     .not_after = now - 2 * DAY},
                        other);

    judge(leaf, ca, cross, NULL);
    expect_complete(1);
    expect_only(OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_WARNING, "CN=Root",
                "which the chain does not need, expired at ");
    expect_remedy(0, "Take it out");
    trust_only(other, NULL);
    judge_again();
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_ERROR, "CN=Root", "");
}
END_TEST

START_TEST(unreadable_time)
{
    for (int i = 0; i < 2; i++) {
        pki_t *odd = make_leaf(ca);
        ASN1_TIME *time = i == 0 ? X509_getm_notBefore(odd->cert)
                                 : X509_getm_notAfter(odd->cert);

        ck_assert_int_eq(ASN1_STRING_set(time, "491331000000Z", -1), 1);
        ck_assert_int_gt(X509_sign(odd->cert, ca->key, EVP_sha256()), 0);
        judge(odd, ca, NULL);
        expect_complete(0);
        expect_only(OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_ERROR, "CN=leaf",
                    "has a validity that cannot be read");
    }
}
END_TEST

static TCase *good_paths(void)
{
    TCase *tc = tcase_create("good paths");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, nothing_is_wrong);
    tcase_add_test(tc, a_trusted_intermediate_need_not_be_sent);
    tcase_add_test(tc, without_key_identifiers);
    tcase_add_test(tc, cross_signed_root);
    tcase_add_test(tc, cross_signed_intermediate);
    tcase_add_test(tc, dead_end_comes_first);
    tcase_add_test(tc, dead_end_higher_up);
    tcase_add_test(tc, dead_end_has_faults);
    return tc;
}

static TCase *times(void)
{
    TCase *tc = tcase_create("times");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, expired);
    tcase_add_test(tc, not_yet_valid);
    tcase_add_test(tc, expired_above_the_leaf);
    tcase_add_test(tc, expired_below_a_gap);
    tcase_add_test(tc, expires_soon);
    tcase_add_test(tc, short_lived);
    tcase_add_test(tc, only_what_is_sent_expires_soon);
    tcase_add_test(tc, expired_alternative);
    tcase_add_test(tc, unreadable_time);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("chain");

    suite_add_tcase(suite, good_paths());
    suite_add_tcase(suite, times());
    return ocspx_check_main(suite);
}
