/* test_refresh_ledger: what the refresher tells of its attempts. */
#include "mending.h"

static ocspx_ledger_t *ledger;
static ocspx_ledger_attempt_t past[OCSPX_LEDGER_ATTEMPTS];

/* A refresher with a ledger for what the registry has. */
static ocspx_refresh_t *make_telling(void)
{
    make_config(ocspx_cache_area_size(fill_registry()));
    ck_assert_int_eq(ocspx_ledger_create(
                         &ledger, ocspx_registry_get(registry, 0)->cert->digest,
                         1, ocspx_registry_hosts(registry, pool), pool),
                     APR_SUCCESS);
    config.ledger = ledger;
    return ocspx_refresh_make(&config, NULL, pool);
}

static ocspx_ledger_host_t host(const char *name)
{
    ocspx_ledger_host_t found = {0};
    unsigned i;

    for (i = 0; i < ocspx_ledger_hosts(ledger); i++) {
        ocspx_ledger_host(&found, ledger, i);
        if (!strcmp(found.name, name))
            return found;
    }
    ck_abort_msg("there is no host %s", name);
}

static void assert_past(unsigned i, apr_interval_time_t took,
                        ocspx_cause_e cause, int http_status)
{
    ck_assert_int_eq(past[i].time, now);
    ck_assert_int_eq(past[i].took, took);
    ck_assert_str_eq(ocspx_cause_code(past[i].cause), ocspx_cause_code(cause));
    ck_assert_int_eq(past[i].http_status, http_status);
}

static unsigned remembered(void)
{
    return ocspx_ledger_attempts(past, ledger, 0);
}

static void issue(void)
{
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
}

/* --- responders ------------------------------------------------------ */

START_TEST(a_response_is_told)
{
    issue();
    network.answer.took = 1234;
    network.answer.requests = 2;
    turn(make_telling());
    ck_assert(serves_answer());
    ck_assert_uint_eq(remembered(), 1);
    assert_past(0, 1234, OCSPX_CAUSE_NONE, 200);
    ck_assert_uint_eq(host("one:80").requests, 2);
    ck_assert_uint_eq(host("one:80").attempts[OCSPX_CAUSE_GROUP_OK], 1);
    ck_assert_int_eq(host("one:80").duration_sum, 1234);
    ck_assert_uint_eq(host("two:80").requests, 0);
}
END_TEST

/* Each responder has its own result, not that of the attempt. */
START_TEST(each_responder_is_told_of)
{
    issue();
    fail_to("http://one/", OCSPX_CAUSE_CONNECT_REFUSED, 0);
    turn(make_telling());
    ck_assert_uint_eq(remembered(), 2);
    assert_past(0, 0, OCSPX_CAUSE_NONE, 200);
    assert_past(1, 0, OCSPX_CAUSE_CONNECT_REFUSED, 0);
    ck_assert_int_eq(host("one:80").failing_since, now);
    ck_assert_int_eq(host("one:80").cause, OCSPX_CAUSE_CONNECT_REFUSED);
    ck_assert_int_eq(host("two:80").failing_since, 0);
    ck_assert_uint_eq(host("two:80").attempts[OCSPX_CAUSE_GROUP_OK], 1);
    ck_assert_uint_eq(host("two:80").requests, 1);
}
END_TEST

/* An answer came, but not one to be used. */
START_TEST(what_the_judge_says_is_told)
{
    issue();
    answer_with(V_OCSP_CERTSTATUS_UNKNOWN, now, SECONDS(1000));
    turn(make_telling());
    ck_assert_uint_eq(remembered(), 2);
    assert_past(0, 0, OCSPX_CAUSE_UNKNOWN, 200);
    ck_assert_uint_eq(host("one:80").attempts[OCSPX_CAUSE_GROUP_STATUS], 1);
    ck_assert_uint_eq(host("two:80").attempts[OCSPX_CAUSE_GROUP_STATUS], 1);
}
END_TEST

START_TEST(a_file_is_told_of_by_its_name)
{
    ocspx_refresh_t *refresh;

    issue();
    policy.response_file = apr_pstrcat(pool, dir, "/response", NULL);
    refresh = make_telling();
    turn(refresh);
    ck_assert_uint_eq(remembered(), 1);
    assert_past(0, 0, OCSPX_CAUSE_FILE_UNREADABLE, 0);
    pki_write_file(policy.response_file, network.answer.body,
                   network.answer.body_len);
    step_to_due(refresh);
    ck_assert_uint_eq(remembered(), 2);
    assert_past(0, 0, OCSPX_CAUSE_NONE, 0);
    ck_assert_uint_eq(host(policy.response_file).attempts[OCSPX_CAUSE_GROUP_OK],
                      1);
    ck_assert_uint_eq(host(policy.response_file).requests, 0);
    ck_assert_int_eq(network.asked, 0);
}
END_TEST

/* The state of a configuration that still asked a responder. */
START_TEST(the_last_attempt_is_not_taken_for_this_one)
{
    ocspx_cache_state_t state = {
        .took = 5, .http_status = 503, .peer = "192.0.2.1:80"};
    ocspx_refresh_t *refresh;

    issue();
    policy.response_file = "/no/such/file";
    refresh = make_telling();
    ocspx_cache_state_set(cache, 0, &state);
    turn(refresh);
    state = state_of(0);
    ck_assert_uint_eq(state.cause, OCSPX_CAUSE_FILE_UNREADABLE);
    ck_assert_int_eq(state.took, 0);
    ck_assert_uint_eq(state.http_status, 0);
    ck_assert_str_eq(state.peer, "");
}
END_TEST

/* --- chains ---------------------------------------------------------- */

/* Who was asked for a certificate is no responder. */
START_TEST(a_repair_is_told_of_by_its_outcome)
{
    add(cert, repair);
    fail_to(CA_URL, OCSPX_CAUSE_DNS, 0);
    fail_to(CA_URL2, OCSPX_CAUSE_RESP_HTTP, 404);
    turn(make_telling());
    ck_assert_uint_eq(remembered(), 1);
    assert_past(0, 0, OCSPX_CAUSE_RESP_HTTP, 404);
    ck_assert_uint_eq(host("ca:80").attempts[OCSPX_CAUSE_GROUP_EGRESS], 0);
    ck_assert_uint_eq(host("one:80").attempts[OCSPX_CAUSE_GROUP_RESPONDER], 0);
}
END_TEST

START_TEST(a_repair_and_then_a_response)
{
    add(cert, repair);
    answer_to(CA_URL, whole_bundle());
    turn(make_telling());
    ck_assert(serves_answer());
    ck_assert_uint_eq(remembered(), 1);
    assert_past(0, 0, OCSPX_CAUSE_NONE, 200);
    ck_assert_uint_eq(host("one:80").requests, 1);
    ck_assert_uint_eq(host("ca:80").requests, 0);
}
END_TEST

/* Stapled as before, but the chain stays as it is: two things to tell. */
START_TEST(a_response_without_the_repair)
{
    issue();
    add(cert, repair);
    fail_to(CA_URL, OCSPX_CAUSE_DNS, 0);
    fail_to(CA_URL2, OCSPX_CAUSE_DNS, 0);
    network.answer.took = 7;
    turn(make_telling());
    ck_assert(serves_answer());
    ck_assert_uint_eq(remembered(), 2);
    assert_past(0, 0, OCSPX_CAUSE_DNS, 0);
    assert_past(1, 7, OCSPX_CAUSE_NONE, 200);
    ck_assert_int_eq(host("one:80").failing_since, 0);
}
END_TEST

/* --- the rest -------------------------------------------------------- */

START_TEST(each_turn_is_told)
{
    ocspx_ledger_refresher_t refresher;
    ocspx_refresh_t *refresh;

    issue();
    refresh = make_telling();
    turn(refresh);
    ocspx_ledger_refresher(&refresher, ledger);
    ck_assert_int_eq(refresher.pid, getpid());
    ck_assert_int_eq(refresher.since, START);
    now += SECONDS(1);
    turn(refresh);
    ocspx_ledger_refresher(&refresher, ledger);
    ck_assert_int_eq(refresher.since, START);
    ck_assert_int_eq(refresher.turn, START + SECONDS(1));
}
END_TEST

/* Kept for the report, and not mistaken for a failure later. */
START_TEST(a_revocation_keeps_its_words)
{
    ocspx_refresh_t *refresh;

    issue();
    answer_with(V_OCSP_CERTSTATUS_REVOKED, now, SECONDS(1000));
    refresh = make_telling();
    turn(refresh);
    ck_assert_uint_eq(state_of(0).revoked, 1);
    ck_assert_uint_eq(state_of(0).failures, 0);
    ck_assert_ptr_nonnull(strstr(state_of(0).message, "revoked"));
    make_config(ocspx_cache_area_size(1));
    ck_assert_str_eq(state_of(0).message, "");
    ocspx_load_entry(&config, 0, pool);
    ck_assert_uint_eq(state_of(0).revoked, 1);
    ck_assert_ptr_nonnull(strstr(state_of(0).message, "revoked"));
    make_config(ocspx_cache_area_size(1));
    now += SECONDS(1);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(ocspx_refresh_make(&config, NULL, pool));
    ck_assert_str_eq(state_of(0).message, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("refresh_ledger");
    TCase *tc = tcase_create("refresh_ledger");

    tcase_add_checked_fixture(tc, set_up_mending, tear_down);
    tcase_add_test(tc, a_response_is_told);
    tcase_add_test(tc, each_responder_is_told_of);
    tcase_add_test(tc, what_the_judge_says_is_told);
    tcase_add_test(tc, a_file_is_told_of_by_its_name);
    tcase_add_test(tc, the_last_attempt_is_not_taken_for_this_one);
    tcase_add_test(tc, a_repair_is_told_of_by_its_outcome);
    tcase_add_test(tc, a_repair_and_then_a_response);
    tcase_add_test(tc, a_response_without_the_repair);
    tcase_add_test(tc, each_turn_is_told);
    tcase_add_test(tc, a_revocation_keeps_its_words);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
