/* test_report: which certificates are in what state, in what order, and what
 * they add up to.
 */
#include "report_scene.h"

/* --- states ---------------------------------------------------------- */

static const char *state(void)
{
    ocspx_report_t *report = make_report();
    const char *name = row_of(report, 0).state;
    int i, sum = 0;

    for (i = 0; i < OCSPX_REPORT_STATES; i++) {
        int here =
            !strcmp(ocspx_report_state_name((ocspx_report_state_e)i), name);

        ck_assert_int_eq(report->totals.states[i], here);
        sum += here;
    }
    ck_assert_int_eq(sum, 1);
    return name;
}

START_TEST(waiting_until_the_first_response)
{
    add("a");
    open_cache();
    ck_assert_str_eq(state(), "waiting");
    serve(0, NOW + 1);
    ck_assert_str_eq(state(), "stapled");
    serve(0, NOW);
    ck_assert_str_eq(state(), "waiting");
}
END_TEST

START_TEST(failing_with_and_without_a_response)
{
    add("a");
    open_cache();
    set_failing(0, OCSPX_CAUSE_DNS, "no address");
    ck_assert_str_eq(state(), "failing");
    ck_assert_int_eq(only_row().safe_until, 0);
    serve(0, NOW + HOUR);
    set_failing(0, OCSPX_CAUSE_DNS, "no address");
    ck_assert_str_eq(state(), "failing");
    ck_assert_int_eq(only_row().safe_until, NOW + HOUR);
}
END_TEST

START_TEST(revoked_is_stapled_or_withheld)
{
    add("a");
    open_cache();
    serve(0, NOW + HOUR);
    set_revoked(0);
    ck_assert_str_eq(state(), "revoked");
    ck_assert_int_eq(only_row().safe_until, NOW + HOUR);
    ck_assert_int_eq(only_row().revoked, 1);
    set_failing(0, OCSPX_CAUSE_DNS, "no address");
    ck_assert_str_eq(state(), "failing");
    ck_assert_int_eq(only_row().revoked, 1);
}
END_TEST

START_TEST(withheld_is_not_stapled)
{
    policy.withhold_revoked = 1;
    add("a");
    open_cache();
    serve(0, NOW + HOUR);
    ck_assert_str_eq(state(), "stapled");
    set_revoked(0);
    ocspx_cache_withdraw(cache, 0);
    ck_assert_str_eq(state(), "withheld");
    ck_assert_int_eq(only_row().safe_until, 0);
    ck_assert_ptr_null(only_row().source);
}
END_TEST

/* The state says so, but a reload had no room for the response. */
START_TEST(what_is_not_there_is_not_stapled)
{
    add("a");
    open_cache();
    serve(0, NOW + HOUR);
    ocspx_cache_withdraw(cache, 0);
    ck_assert_str_eq(state(), "waiting");
    ck_assert_int_eq(only_row().safe_until, 0);
    ck_assert_int_eq(only_row().bytes, 0);
}
END_TEST

START_TEST(nothing_to_ask_is_not_applicable)
{
    ocspx_cert_t *cert = make_cert((pki_spec_t){.cn = "a"});

    add_cert(cert);
    open_cache();
    ck_assert_str_eq(state(), "not-applicable");
    ck_assert_str_eq(only_row().cause, "NO_URL");
    ck_assert_ptr_null(only_row().responder);
    set_failing(0, OCSPX_CAUSE_CHAIN_NOT_CERT, "garbage");
    ck_assert_str_eq(state(), "not-applicable");
    ck_assert_str_eq(only_row().cause, "CHAIN_NOT_CERT");
}
END_TEST

START_TEST(a_file_is_something_to_ask)
{
    policy.response_file = "/etc/ssl/a.der";
    add_cert(make_cert((pki_spec_t){.cn = "a"}));
    open_cache();
    ck_assert_str_eq(state(), "waiting");
    ck_assert_str_eq(only_row().responder, "/etc/ssl/a.der");
}
END_TEST

START_TEST(others_are_as_they_are_noted)
{
    add_other("a", OCSPX_REPORT_OTHER_PROVIDER, OCSPX_CAUSE_OTHER_PROVIDER,
              "mod_md staples it");
    open_cache();
    ck_assert_str_eq(state(), "other-provider");
    ck_assert_str_eq(only_row().message, "mod_md staples it");
    apr_array_clear(others);
    add_other("a", OCSPX_REPORT_NOT_APPLICABLE, OCSPX_CAUSE_NONE, "it is off");
    ck_assert_str_eq(state(), "not-applicable");
    ck_assert_str_eq(only_row().message, "it is off");
    ck_assert_ptr_null(only_row().cause);
    ck_assert_uint_eq(only_row().index, APR_UINT32_MAX);
}
END_TEST

START_TEST(without_a_cache_everything_fails)
{
    add("a");
    ck_assert_str_eq(state(), "failing");
    ck_assert_ptr_nonnull(only_row().message);
    ck_assert_int_eq(make_report()->totals.cache_bytes, 0);
    ck_assert_int_eq(make_report()->responders->nelts, 0);
}
END_TEST

START_TEST(one_entry_can_be_asked_about_alone)
{
    ocspx_report_row_t row;
    apr_time_t safe_until;

    add("a");
    add("b");
    open_cache();
    serve(1, NOW + HOUR);
    ck_assert_int_eq(ocspx_report_state(&safe_until, &source, 1, NOW),
                     OCSPX_REPORT_STAPLED);
    ck_assert_int_eq(safe_until, NOW + HOUR);
    ck_assert_int_eq(ocspx_report_state(NULL, &source, 0, NOW),
                     OCSPX_REPORT_WAITING);
    ocspx_report_entry(&row, &source, 1, NOW, pool);
    ck_assert_str_eq(row.name, "CN=b");
    ck_assert_str_eq(row.state, "stapled");
    ck_assert_uint_eq(row.index, 1);
}
END_TEST

/* --- order ----------------------------------------------------------- */

START_TEST(the_worst_comes_first)
{
    unsigned stapled = add("stapled"), later = add("later"), w, last;

    add("x");
    add("b");
    add("a");
    w = add("revoked");
    last = add("last");
    policy.withhold_revoked = 1;
    add("withheld");
    open_cache();
    serve(stapled, NOW + 1);
    serve(later, NOW + 2 * HOUR);
    set_failing(later, OCSPX_CAUSE_DNS, "");
    serve(2, NOW + HOUR);
    set_failing(2, OCSPX_CAUSE_DNS, "");
    serve(w, NOW + HOUR);
    set_revoked(w);
    set_failing(last, OCSPX_CAUSE_DNS, "");
    set_revoked(last + 1);
    add_other("other", OCSPX_REPORT_OTHER_PROVIDER, OCSPX_CAUSE_NONE, "");
    add_other("none", OCSPX_REPORT_NOT_APPLICABLE, OCSPX_CAUSE_NONE, "");
    add_other("broken", OCSPX_REPORT_FAILING, OCSPX_CAUSE_NONE, "");
    ck_assert_str_eq(names_on(make_report()),
                     "broken last x later revoked withheld a b stapled other "
                     "none");
}
END_TEST

/* --- totals ---------------------------------------------------------- */

START_TEST(totals_are_of_everything)
{
    ocspx_report_totals_t *totals;
    ocspx_report_finding_t *finding;
    unsigned char *der;

    add("a");
    add("b");
    add("c");
    open_cache();
    serve(0, NOW + 2 * HOUR);
    serve(1, NOW + HOUR);
    ocspx_cache_staple(&der, cache, 0, NOW);
    OPENSSL_free(der);
    ocspx_cache_staple(&der, cache, 2, NOW);
    ocspx_cache_staple(&der, cache, 2, NOW);
    ocspx_cache_staple(&der, cache, 1, NOW + HOUR);
    ocspx_cache_staple(&der, cache, 1, NOW + HOUR);
    ocspx_cache_staple(&der, cache, 1, NOW + HOUR);
    ocspx_ledger_note(ledger, 0, 0,
                      &(ocspx_ledger_attempt_t){NOW, 1, OCSPX_CAUSE_NONE, 200},
                      3);
    ocspx_ledger_note(ledger, 0, 0,
                      &(ocspx_ledger_attempt_t){NOW, 1, OCSPX_CAUSE_DNS, 0}, 4);
    ocspx_ledger_turn(ledger, NOW - 5);
    add_other("d", OCSPX_REPORT_OTHER_PROVIDER, OCSPX_CAUSE_NONE, "");
    finding = apr_array_push(findings);
    finding->finding.severity = OCSPX_CAUSE_ERROR;
    finding = apr_array_push(findings);
    finding->finding.severity = OCSPX_CAUSE_INFO;
    finding = apr_array_push(findings);
    finding->finding.severity = OCSPX_CAUSE_INFO;
    query.search = "nothing has this name";
    totals = &make_report()->totals;
    ck_assert_int_eq(totals->generated, NOW);
    ck_assert_int_eq(totals->certificates, 4);
    ck_assert_int_eq(totals->states[OCSPX_REPORT_STAPLED], 2);
    ck_assert_int_eq(totals->states[OCSPX_REPORT_WAITING], 1);
    ck_assert_int_eq(totals->states[OCSPX_REPORT_OTHER_PROVIDER], 1);
    ck_assert_int_eq(totals->earliest_safe_until, NOW + HOUR);
    ck_assert_str_eq(totals->earliest, "CN=b");
    ck_assert_int_eq(totals->stapled, 1);
    ck_assert_int_eq(totals->empty, 2);
    ck_assert_int_eq(totals->expired, 3);
    ck_assert_int_eq(totals->requests, 7);
    ck_assert_int_eq(totals->results[OCSPX_CAUSE_GROUP_OK], 1);
    ck_assert_int_eq(totals->results[OCSPX_CAUSE_GROUP_EGRESS], 1);
    ck_assert_int_eq(totals->results[OCSPX_CAUSE_GROUP_CLOCK], 0);
    ck_assert_int_eq(totals->cache_used, 2 * (16 + 104));
    ck_assert_int_ge(totals->cache_bytes,
                     (apr_int64_t)ocspx_cache_area_size(3));
    ck_assert_int_eq(totals->refresher_pid, getpid());
    ck_assert_int_eq(totals->refresher_turn, NOW - 5);
    ck_assert_int_eq(totals->findings[OCSPX_CAUSE_ERROR], 1);
    ck_assert_int_eq(totals->findings[OCSPX_CAUSE_WARNING], 0);
    ck_assert_int_eq(totals->findings[OCSPX_CAUSE_INFO], 2);
    ck_assert_ptr_null(totals->egress);
}
END_TEST

START_TEST(nothing_stapled_is_safe_until_nothing)
{
    add("a");
    open_cache();
    serve(0, NOW);
    ck_assert_int_eq(make_report()->totals.earliest_safe_until, 0);
    ck_assert_ptr_null(make_report()->totals.earliest);
}
END_TEST

/* Who can write to the segment can make numbers wrong, but nothing else. */
START_TEST(counters_are_not_believed_whatever_they_say)
{
    unsigned i;

    for (i = 0; i < 3; i++)
        add(apr_itoa(pool, (int)i));
    open_cache();
    for (i = 0; i < 3; i++) {
        ocspx_cache_set(ocspx_cache_stapled(cache, 0, i), APR_INT64_MAX);
        ocspx_cache_set(&cache->slots[i].empty, (apr_uint64_t)1 << 53);
    }
    ck_assert_int_eq(row_of(make_report(), 0).stapled, 0);
    ck_assert_int_eq(row_of(make_report(), 0).asked, (apr_int64_t)1 << 53);
    ck_assert_int_eq(make_report()->totals.stapled, 0);
    ck_assert_int_eq(make_report()->totals.empty, 3 * ((apr_int64_t)1 << 53));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report");
    TCase *tc = tcase_create("report");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, waiting_until_the_first_response);
    tcase_add_test(tc, failing_with_and_without_a_response);
    tcase_add_test(tc, revoked_is_stapled_or_withheld);
    tcase_add_test(tc, withheld_is_not_stapled);
    tcase_add_test(tc, what_is_not_there_is_not_stapled);
    tcase_add_test(tc, nothing_to_ask_is_not_applicable);
    tcase_add_test(tc, a_file_is_something_to_ask);
    tcase_add_test(tc, others_are_as_they_are_noted);
    tcase_add_test(tc, without_a_cache_everything_fails);
    tcase_add_test(tc, one_entry_can_be_asked_about_alone);
    tcase_add_test(tc, the_worst_comes_first);
    tcase_add_test(tc, totals_are_of_everything);
    tcase_add_test(tc, nothing_stapled_is_safe_until_nothing);
    tcase_add_test(tc, counters_are_not_believed_whatever_they_say);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
