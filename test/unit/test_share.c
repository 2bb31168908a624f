/* test_share: what servers share is looked at first, believed only as far as
 * the network would be, and never waited for.
 */
#include "share_scene.h"

#define LIFE SECONDS(1000)

static int has_logged(const char *text)
{
    return strstr(log_text, text) != NULL;
}

/* --- found, and not found ---------------------------------------------- */

START_TEST(nothing_there_is_fetched_and_put)
{
    ocspx_refresh_t *refresh = make_sharing();

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, LIFE);
    network.answer.fresh_until = 0x0102030405060708;
    turn(refresh);
    ck_assert_int_eq(network.asked, 1);
    ck_assert(serves_answer());
    ck_assert_ptr_nonnull(kept());
    ck_assert_int_eq(kept()->expiry, state_of(0).expiry);
    ck_assert_mem_eq(kept()->bytes, "\1\2\3\4\5\6\7\10", 8);
    ck_assert_uint_eq(kept()->len, network.answer.body_len + 8);
    ck_assert_mem_eq(kept()->bytes + 8, network.answer.body,
                     network.answer.body_len);
    ck_assert_uint_eq(counted(OCSPX_LEDGER_SHARE_MISS), 1);
    ck_assert_uint_eq(counted(OCSPX_LEDGER_SHARE_PUT), 1);
    ck_assert_uint_eq(counted(OCSPX_LEDGER_SHARE_HIT), 0);
}
END_TEST

START_TEST(what_is_there_is_the_refresh)
{
    ocspx_refresh_t *refresh = make_sharing();
    apr_size_t len;
    const unsigned char *der =
        share_holds_response(&len, V_OCSP_CERTSTATUS_GOOD, now, LIFE);

    turn(refresh);
    ck_assert(serves(der, len));
    ck_assert_int_eq(network.asked, 0);
    ck_assert_uint_eq(state_of(0).source, OCSPX_CACHE_SHARED);
    ck_assert_int_ge(state_of(0).due, now + LIFE / 100 * 45);
    ck_assert_int_le(state_of(0).due, now + LIFE / 100 * 50);
    ck_assert_uint_eq(counted(OCSPX_LEDGER_SHARE_HIT), 1);
    ck_assert_int_eq(store.puts, 0);
    der = share_holds_response(&len, V_OCSP_CERTSTATUS_REVOKED,
                               now + SECONDS(100), LIFE);
    step_to_due(refresh);
    ck_assert(serves(der, len));
    ck_assert_uint_eq(state_of(0).revoked, 1);
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_REVOKED);
    ck_assert_int_eq(network.asked, 0);
}
END_TEST

/* Servers that find it late must not all come due at the end of the window. */
START_TEST(found_late_has_a_time_of_its_own)
{
    ocspx_refresh_t *refresh = make_sharing();
    apr_time_t signed_at = now - LIFE / 100 * 46;
    apr_size_t len;

    share_holds_response(&len, V_OCSP_CERTSTATUS_GOOD, signed_at, LIFE);
    turn(refresh);
    ck_assert_int_eq(network.asked, 0);
    ck_assert_int_gt(state_of(0).due, now);
    ck_assert_int_lt(state_of(0).due, signed_at + LIFE / 2);
}
END_TEST

/* The other server may not ask again before that, so nor may this one. */
START_TEST(freshness_is_shared)
{
    ocspx_refresh_t *refresh = make_sharing();
    apr_size_t len;
    const unsigned char *der =
        response(&len, V_OCSP_CERTSTATUS_GOOD, now, LIFE);

    share_holds(der, len, now + LIFE / 100 * 60);
    turn(refresh);
    ck_assert_int_eq(state_of(0).due, now + LIFE / 100 * 60);
}
END_TEST

/* Whatever a store says of freshness, three quarters are the end of it. */
START_TEST(freshness_is_not_believed_for_long)
{
    ocspx_refresh_t *refresh = make_sharing();
    apr_size_t len;
    const unsigned char *der =
        response(&len, V_OCSP_CERTSTATUS_GOOD, now, LIFE);

    share_holds(der, len, APR_INT64_MAX);
    turn(refresh);
    ck_assert_int_eq(state_of(0).due, now + LIFE / 100 * 75);
}
END_TEST

/* --- no use ------------------------------------------------------------- */

START_TEST(the_one_served_already_is_no_refresh)
{
    ocspx_refresh_t *refresh = make_sharing();

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, LIFE);
    turn(refresh);
    ck_assert_ptr_nonnull(kept());
    answer_with(V_OCSP_CERTSTATUS_GOOD, now + SECONDS(300), LIFE);
    step_to_due(refresh);
    ck_assert_int_eq(network.asked, 2);
    ck_assert(serves_answer());
    ck_assert_uint_eq(counted(OCSPX_LEDGER_SHARE_BAD), 0);
    ck_assert_uint_eq(counted(OCSPX_LEDGER_SHARE_MISS), 2);
    ck_assert_uint_eq(counted(OCSPX_LEDGER_SHARE_PUT), 2);
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 0);
}
END_TEST

static const int ages[] = {300, 2000};

/* Older than what is served, or over. */
START_TEST(old_ones_are_no_refresh)
{
    ocspx_refresh_t *refresh = make_sharing();
    apr_size_t len;

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, LIFE);
    if (ages[_i] < 1000)
        turn(refresh);
    share_holds_response(&len, V_OCSP_CERTSTATUS_GOOD, now - SECONDS(ages[_i]),
                         LIFE);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now + SECONDS(1), LIFE);
    now = state_of(0).due ? state_of(0).due : now;
    network.asked = 0;
    turn(refresh);
    ck_assert_int_eq(network.asked, 1);
    ck_assert(serves_answer());
    ck_assert_uint_eq(counted(OCSPX_LEDGER_SHARE_BAD), 0);
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 0);
}
END_TEST

/* Newer than what is served, and nearly over: better than nothing. */
START_TEST(overdue_ones_are_served_until_there_is_a_new_one)
{
    ocspx_refresh_t *refresh = make_sharing();
    apr_size_t len;
    const unsigned char *der = share_holds_response(
        &len, V_OCSP_CERTSTATUS_GOOD, now - SECONDS(600), LIFE);

    answer_failing(OCSPX_CAUSE_RESP_TIMEOUT, "silence");
    turn(refresh);
    ck_assert_int_eq(network.asked, 2);
    ck_assert(serves(der, len));
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_RESP_TIMEOUT);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, LIFE);
    step_to_due(refresh);
    ck_assert(serves_answer());
}
END_TEST

/* Garbage, nothing but a head, nothing, another's, one with a wrong
 * signature. */
static const unsigned char *wrong_value(apr_size_t *len, int which)
{
    pki_t *other = pki_make(&(pki_spec_t){.cn = "other",
                                          .not_before = START - SECONDS(86400),
                                          .not_after = START + SECONDS(864000)},
                            ca, pool);
    pki_single_t single = {
        .cert = which == 3 ? other->cert : leaf->cert,
        .issuer = ca->cert,
        .this_update = now,
        .next_update = now + LIFE,
    };

    *len = which == 0 ? 6 : 0;
    if (which < 3)
        return (const unsigned char *)"wrong!";
    return pki_response(len,
                        &(pki_response_t){.singles = &single,
                                          .count = 1,
                                          .signer = ca,
                                          .break_signature = which == 4,
                                          .produced_at = now},
                        pool);
}

START_TEST(wrong_ones_are_named_and_fetched)
{
    ocspx_refresh_t *refresh = make_sharing();
    ocspx_ledger_attempt_t history[OCSPX_LEDGER_ATTEMPTS];
    apr_size_t len;
    const unsigned char *der = wrong_value(&len, _i);

    if (_i == 2)
        store_keep(key(), "", 0, 0);
    else
        share_holds(der, len, 0);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, LIFE);
    turn(refresh);
    ck_assert_int_eq(network.asked, 1);
    ck_assert(serves_answer());
    ck_assert(has_logged("OCSPX0052: "));
    ck_assert(has_logged("SHARE_BAD: what the store has for it"));
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 1);
    ck_assert_uint_eq(counted(OCSPX_LEDGER_SHARE_BAD), 1);
    ck_assert_uint_eq(counted(OCSPX_LEDGER_SHARE_HIT), 0);
    ck_assert_uint_eq(ocspx_ledger_attempts(history, ledger, 0), 2);
    ck_assert_int_eq(history[1].cause, OCSPX_CAUSE_SHARE_BAD);
    ck_assert_int_eq(history[0].cause, OCSPX_CAUSE_NONE);
    /* and what was wrong is replaced */
    ck_assert_mem_eq(kept()->bytes + 8, network.answer.body,
                     network.answer.body_len);
}
END_TEST

START_TEST(wrong_ones_are_told_once_in_a_row)
{
    ocspx_refresh_t *refresh = make_sharing();
    apr_size_t len;

    answer_failing(OCSPX_CAUSE_RESP_TIMEOUT, "silence");
    share_holds((const unsigned char *)"wrong!", 6, 0);
    turn(refresh);
    step_to_due(refresh);
    step_to_due(refresh);
    ck_assert_uint_eq(counted(OCSPX_LEDGER_SHARE_BAD), 3);
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 2); /* one is the silence */
    share_holds_response(&len, V_OCSP_CERTSTATUS_GOOD, now, LIFE);
    step_to_due(refresh);
    share_holds((const unsigned char *)"wrong!", 6, 0);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now + SECONDS(1), LIFE);
    step_to_due(refresh);
    ck_assert_uint_eq(counted(OCSPX_LEDGER_SHARE_BAD), 4);
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 3);
}
END_TEST

/* --- order of steps ------------------------------------------------------ */

START_TEST(the_store_is_asked_before_each_request)
{
    ocspx_refresh_t *refresh = make_sharing();

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, LIFE);
    store.hangs = 1;
    ck_assert_uint_eq(ocspx_refresh_turn(refresh, 0), 2); /* and its job */
    ck_assert_int_eq(store.jobs, 1);
    ck_assert_int_eq(network.asked, 0);
    store.hangs = 0;
    turn(refresh);
    ck_assert_int_eq(network.asked, 1);
    ck_assert_int_eq(store.jobs, 2);
    ck_assert_int_eq(store.asked, 1); /* put only then */
    answer_failing(OCSPX_CAUSE_RESP_TIMEOUT, "silence");
    step_to_due(refresh);
    ck_assert_int_eq(store.jobs, 3);
    step_to_due(refresh); /* a retry looks first, too */
    ck_assert_int_eq(store.jobs, 4);
    ck_assert_int_eq(store.puts, 1);
}
END_TEST

START_TEST(what_is_refused_is_not_put)
{
    ocspx_refresh_t *refresh = make_sharing();

    answer_with(V_OCSP_CERTSTATUS_GOOD, now - 2 * LIFE, LIFE);
    turn(refresh);
    ck_assert_int_eq(store.puts, 0);
}
END_TEST

START_TEST(a_response_file_is_nobody_elses)
{
    ocspx_refresh_t *refresh;

    policy.response_file = "/nowhere";
    refresh = make_sharing();
    turn(refresh);
    ck_assert_int_eq(store.jobs, 0);
}
END_TEST

/* A CertID by SHA-256 is no use to who wants one by SHA-1. */
START_TEST(kinds_of_certid_are_kept_apart)
{
    ocspx_refresh_t *refresh;
    const unsigned char *other;

    policy.certid_hash = OCSPX_CERT_SHA256;
    refresh = make_sharing();
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, LIFE);
    turn(refresh);
    ck_assert_ptr_nonnull(kept());
    policy.certid_hash = OCSPX_CERT_SHA1;
    other = key();
    ck_assert_ptr_null(apr_hash_get(store.kept, other, OCSPX_SHARE_KEY_LEN));
}
END_TEST

/* --- hosts that are down -------------------------------------------------- */

/* What the store has is served although the responder is dead, one after the
 * other without waiting for its back-off. */
START_TEST(a_dead_responder_does_not_keep_from_the_store)
{
    ocspx_refresh_t *refresh = make_sharing();
    apr_size_t len;
    const unsigned char *der;

    answer_failing(OCSPX_CAUSE_CONNECT_REFUSED, "refused");
    network.answer.unreachable = 1;
    turn(refresh);
    ck_assert_uint_eq(state_of(0).failures, 1);
    der = share_holds_response(&len, V_OCSP_CERTSTATUS_GOOD, now, LIFE);
    network.asked = 0;
    step_to_due(refresh);
    ck_assert(serves(der, len));
    ck_assert_uint_eq(state_of(0).failures, 0);
    ck_assert_int_eq(network.asked, 0);
    ck_assert(has_logged("OCSPX0013: "));
}
END_TEST

/* Three certificates of one host, and a response for each. */
static void share_holds_three(void)
{
    const char *conflict;
    apr_size_t len;
    int i;

    store.kept = apr_hash_make(pool);
    for (i = 0; i < 3; i++) {
        leaf = pki_make(&(pki_spec_t){.cn = "one of three",
                                      .ocsp_urls = "http://one/",
                                      .not_before = START - SECONDS(86400),
                                      .not_after = START + SECONDS(864000)},
                        ca, pool);
        ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                         APR_SUCCESS);
        ocspx_registry_add(registry, &conflict, cert, NULL, &policy, "there");
        share_holds_response(&len, V_OCSP_CERTSTATUS_GOOD, now, LIFE);
    }
}

static apr_status_t poll_nothing(ocspx_fetch_t *fetch, apr_interval_time_t wait)
{
    (void)fetch;
    (void)wait;
    return APR_SUCCESS;
}

/* All that can be found is, in one turn. */
static ocspx_refresh_t *find_three(unsigned per_host)
{
    ocspx_refresh_t *refresh;
    apr_hash_t *held;
    unsigned i;

    share_holds_three();
    held = store.kept;
    make_sharing();
    store.kept = held;
    config.max_per_host = per_host;
    refresh = ocspx_refresh_make(&config, NULL, pool);
    turn(refresh);
    for (i = 0; i < 3; i++)
        ck_assert_uint_eq(state_of(i).source, OCSPX_CACHE_SHARED);
    ck_assert_int_eq(network.asked, 0);
    return refresh;
}

START_TEST(one_after_the_other_finds_it)
{
    find_three(1);
}
END_TEST

/* When the store is of no more use, all may ask at once. */
START_TEST(who_finds_it_says_nothing_of_the_host)
{
    ocspx_refresh_t *refresh = find_three(6);

    now += 2 * LIFE;
    network.vtable.poll = poll_nothing;
    ocspx_refresh_turn(refresh, 0);
    ck_assert_int_eq(network.asked, 3);
}
END_TEST

/* --- servers together ----------------------------------------------------- */

/* Two servers that start together begin at different ends. */
START_TEST(each_server_has_its_own_times)
{
    apr_time_t due[3];
    int i;

    for (i = 0; i < 3; i++) {
        apr_size_t len;
        ocspx_refresh_t *refresh;

        make_sharing();
        config.instance = i < 2 ? 1 : 2;
        refresh = ocspx_refresh_make(&config, NULL, pool);
        share_holds_response(&len, V_OCSP_CERTSTATUS_GOOD, now, LIFE);
        turn(refresh);
        due[i] = state_of(0).due;
    }
    ck_assert_int_eq(due[0], due[1]);
    ck_assert_int_ne(due[0], due[2]);
}
END_TEST

/* Servers that start together with nothing ask for different certificates. */
START_TEST(each_server_begins_elsewhere)
{
    ocspx_fetch_question_t first;
    int i, others = 0;

    share_holds_three();
    for (i = 0; i < 20; i++) {
        ocspx_fetch_question_t *last = &network.last;

        make_sharing();
        config.max_parallel = 1;
        network.vtable.poll = poll_nothing;
        ocspx_refresh_turn(ocspx_refresh_make(&config, NULL, pool), 0);
        ck_assert_int_eq(network.waiting, 1);
        network.waiting = 0;
        if (!i)
            first = *last;
        others += first.request_len != last->request_len ||
                  memcmp(first.request, last->request, last->request_len);
    }
    ck_assert_int_gt(others, 0);
    ck_assert_int_lt(others, 19);
}
END_TEST

static Suite *share_suite(void)
{
    Suite *suite = suite_create("share");
    TCase *tests = tcase_create("share");

    tcase_add_checked_fixture(tests, set_up_sharing, tear_down);
    tcase_add_test(tests, nothing_there_is_fetched_and_put);
    tcase_add_test(tests, what_is_there_is_the_refresh);
    tcase_add_test(tests, found_late_has_a_time_of_its_own);
    tcase_add_test(tests, freshness_is_shared);
    tcase_add_test(tests, freshness_is_not_believed_for_long);
    tcase_add_test(tests, the_one_served_already_is_no_refresh);
    tcase_add_loop_test(tests, old_ones_are_no_refresh, 0, 2);
    tcase_add_test(tests, overdue_ones_are_served_until_there_is_a_new_one);
    tcase_add_loop_test(tests, wrong_ones_are_named_and_fetched, 0, 5);
    tcase_add_test(tests, wrong_ones_are_told_once_in_a_row);
    tcase_add_test(tests, the_store_is_asked_before_each_request);
    tcase_add_test(tests, what_is_refused_is_not_put);
    tcase_add_test(tests, a_response_file_is_nobody_elses);
    tcase_add_test(tests, kinds_of_certid_are_kept_apart);
    tcase_add_test(tests, a_dead_responder_does_not_keep_from_the_store);
    tcase_add_test(tests, one_after_the_other_finds_it);
    tcase_add_test(tests, who_finds_it_says_nothing_of_the_host);
    tcase_add_test(tests, each_server_has_its_own_times);
    tcase_add_test(tests, each_server_begins_elsewhere);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(share_suite());
}
