/* test_refresh: the refresher. */
#include "refresh_scene.h"

START_TEST(first_answer_is_served)
{
    ocspx_refresh_t *refresh = make_refresher();

    ck_assert_uint_eq(ocspx_refresh_untried(refresh), 1);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    ck_assert(serves_answer());
    ck_assert_uint_eq(ocspx_refresh_untried(refresh), 0);
    ck_assert_int_eq(network.asked, 1);
    ck_assert_int_gt(state_of(0).due, now);
    ck_assert_int_le(state_of(0).due, now + SECONDS(500));
    ck_assert_int_eq(lines[OCSPX_LOG_INFO], 1);
}
END_TEST

START_TEST(due_response_is_replaced)
{
    ocspx_refresh_t *refresh = make_refresher();
    int asked;

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    asked = network.asked;
    now = state_of(0).due - 1;
    turn(refresh);
    ck_assert_int_eq(network.asked, asked);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    step_to_due(refresh);
    ck_assert_int_eq(network.asked, asked + 1);
    ck_assert(serves_answer());
}
END_TEST

START_TEST(bad_answers_leave_the_old_one)
{
    ocspx_refresh_t *refresh = make_refresher();
    const unsigned char *old;
    apr_size_t old_len;
    int i;

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    old = network.answer.body;
    old_len = network.answer.body_len;
    turn(refresh);
    for (i = 0; i < 5; i++) {
        answer_with(V_OCSP_CERTSTATUS_UNKNOWN, state_of(0).due, SECONDS(1000));
        step_to_due(refresh);
        ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_UNKNOWN);
        ck_assert_uint_eq(state_of(0).failures, (unsigned)i + 1);
        ck_assert(serves(old, old_len));
    }
    /* both responders were asked each time; one warning, then debug */
    ck_assert_int_eq(network.asked, 1 + 2 * 5);
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 1);
    ck_assert_int_eq(lines[OCSPX_LOG_DEBUG], 4);
    ck_assert_ptr_nonnull(strstr(state_of(0).message, "http://two/"));

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    step_to_due(refresh);
    ck_assert(serves_answer());
    ck_assert_uint_eq(state_of(0).failures, 0);
    ck_assert_int_eq(lines[OCSPX_LOG_NOTICE], 1);
    ck_assert_ptr_nonnull(strstr(last_line, "recovered after 5 failures"));
}
END_TEST

START_TEST(outage_to_the_end_is_told_once)
{
    ocspx_refresh_t *refresh = make_refresher();
    apr_time_t expiry = now + SECONDS(1000);

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    answer_failing(OCSPX_CAUSE_RESP_TIMEOUT, "silence");
    while (now < expiry + SECONDS(300)) {
        apr_time_t due = state_of(0).due;

        /* never asleep over the end of the validity by more than the gap */
        ck_assert_int_le(due - now, SECONDS(3600));
        if (now < expiry)
            ck_assert_int_le(due, expiry + SECONDS(5));
        step_to_due(refresh);
        ck_assert_int_eq(serves_nothing(), now >= expiry);
    }
    ck_assert_int_eq(lines[OCSPX_LOG_ERROR], 1);
}
END_TEST

START_TEST(revoked_is_served_and_stays)
{
    ocspx_refresh_t *refresh = make_refresher();
    apr_time_t old = now;
    const unsigned char *revoked;
    apr_size_t revoked_len;

    answer_with(V_OCSP_CERTSTATUS_GOOD, old, SECONDS(10000));
    turn(refresh);
    answer_with(V_OCSP_CERTSTATUS_REVOKED, state_of(0).due, SECONDS(10000));
    revoked = network.answer.body;
    revoked_len = network.answer.body_len;
    step_to_due(refresh);
    ck_assert(serves(revoked, revoked_len));
    ck_assert_int_eq(lines[OCSPX_LOG_ERROR], 1);

    /* an older good one, and one of the same second, are refused */
    answer_with(V_OCSP_CERTSTATUS_GOOD, old, SECONDS(10000));
    step_to_due(refresh);
    ck_assert(serves(revoked, revoked_len));
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_STALE);
    answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).this_update,
                SECONDS(10000));
    step_to_due(refresh);
    ck_assert(serves(revoked, revoked_len));

    answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).this_update + SECONDS(1),
                SECONDS(10000));
    step_to_due(refresh);
    ck_assert(serves_answer());
}
END_TEST

START_TEST(revoked_can_be_withheld)
{
    ocspx_refresh_t *refresh;

    policy.withhold_revoked = 1;
    refresh = make_refresher();
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    answer_with(V_OCSP_CERTSTATUS_REVOKED, state_of(0).due, SECONDS(1000));
    step_to_due(refresh);
    ck_assert(serves_nothing());
    ck_assert_uint_eq(state_of(0).revoked, 1);
}
END_TEST

START_TEST(second_responder_is_asked)
{
    ocspx_refresh_t *refresh;

    APR_ARRAY_IDX(cert->urls, 0, const char *) = "http://dead/";
    refresh = make_refresher();
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    ck_assert(serves_answer());
    ck_assert_int_eq(network.asked, 2);
}
END_TEST

/* A long one's next due time is later than any retry. */
static const int lifetimes[] = {1000, 5 * 86400};

START_TEST(successor_takes_up_the_schedule)
{
    ocspx_refresh_t *refresh = make_refresher();
    ocspx_refresh_t *successor;

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(lifetimes[_i]));
    turn(refresh);
    successor = ocspx_refresh_make(&config, NULL, pool);
    ck_assert_uint_eq(ocspx_refresh_untried(successor), 0);
    now = state_of(0).due - 1;
    turn(successor);
    ck_assert_int_eq(network.asked, 1);
    now++;
    turn(successor);
    ck_assert_int_eq(network.asked, 2);
}
END_TEST

START_TEST(due_time_of_another_clock_is_not_believed)
{
    ocspx_cache_state_t state;
    ocspx_refresh_t *refresh = make_refresher();

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    state = state_of(0);
    state.due = now + SECONDS(1000000);
    ocspx_cache_state_set(cache, 0, &state);
    refresh = ocspx_refresh_make(&config, NULL, pool);
    now += SECONDS(1);
    turn(refresh);
    ck_assert_int_eq(network.asked, 2);
}
END_TEST

#define CROWD 5

static int tried_of_crowd(void)
{
    int tried = 0;
    unsigned i;

    for (i = 0; i < CROWD; i++)
        tried += state_of(i).tried != 0;
    return tried;
}

/* Several certificates of one responder, which is asked about one at a time;
 * or each with one of its own. */
static void make_crowd(unsigned n, int of_one)
{
    const char *conflict;
    ocspx_cert_t *another;
    pki_t *other;
    unsigned i;

    make_refresher();
    for (i = 1; i < n; i++) {
        other = pki_make(
            &(pki_spec_t){.cn = "other",
                          .ocsp_urls =
                              of_one ? "http://one/"
                                     : apr_psprintf(pool, "http://own%u/", i),
                          .not_before = START - SECONDS(86400),
                          .not_after = START + SECONDS(864000)},
            ca, pool);
        ck_assert_int_eq(ocspx_cert_make(&another, other->cert, ca->cert, pool),
                         APR_SUCCESS);
        ocspx_registry_add(registry, &conflict, another, NULL, &policy,
                           "there");
    }
    ck_assert_int_eq(
        ocspx_cache_create(&cache, n, ocspx_cache_area_size(n), pool),
        APR_SUCCESS);
    ck_assert_int_eq(ocspx_cache_writer_enter(cache), APR_SUCCESS);
    config.cache = cache;
    config.max_per_host = 1;
}

static const int statuses[] = {404, 429, 503};

START_TEST(broken_responder_is_left_alone_by_the_others)
{
    make_crowd(CROWD, 1);
    answer_failing(OCSPX_CAUSE_RESP_HTTP, "no");
    network.answer.http_status = statuses[_i];
    turn(ocspx_refresh_make(&config, NULL, pool));
    /* an answer about one certificate says nothing about the others; else
     * just one more has a try */
    ck_assert_int_eq(tried_of_crowd(), statuses[_i] == 404 ? CROWD : 2);
}
END_TEST

#define FAILING 12

/* They end first, and therefore go first; but not only they. */
START_TEST(those_that_fail_leave_turns_to_others)
{
    ocspx_cache_state_t state = {.due = START,
                                 .this_update = START - SECONDS(1000),
                                 .expiry = START + SECONDS(1100),
                                 .fetched = START - SECONDS(1000),
                                 .tried = START - SECONDS(100)};
    ocspx_refresh_t *refresh;
    unsigned i;

    make_crowd(1 + FAILING, 0);
    ocspx_cache_state_set(cache, 0, &state);
    state.expiry = START + SECONDS(1000);
    state.failing_since = START - SECONDS(500);
    state.failures = 5;
    for (i = 1; i <= FAILING; i++)
        ocspx_cache_state_set(cache, i, &state);
    refresh = ocspx_refresh_make(&config, NULL, pool);
    answer_failing(OCSPX_CAUSE_RESP_HTTP, "no");
    for (; now < START + SECONDS(300); now += SECONDS(1))
        turn(refresh);
    ck_assert_int_ge(state_of(0).tried, START);
}
END_TEST

START_TEST(turn_waits_for_what_falls_due_in_it)
{
    ocspx_cache_state_t state = {.tried = START};
    ocspx_refresh_t *refresh = make_refresher();

    state.due = now + SECONDS(1) / 20;
    ocspx_cache_state_set(cache, 0, &state);
    refresh = ocspx_refresh_make(&config, NULL, pool);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    ck_assert_uint_eq(ocspx_refresh_turn(refresh, SECONDS(1) / 100), 0);
    ck_assert_int_eq(network.asked, 0);
    tick = SECONDS(3) / 100;
    ck_assert_uint_eq(ocspx_refresh_turn(refresh, SECONDS(1) / 10), 1);
    ck_assert_int_eq(network.asked, 1);
}
END_TEST

/* A response from @a then on, for a quarter of an hour, that came with the
 * responder's Date, if it sends one, and what is made of it. */
static void assert_clock(apr_interval_time_t then, apr_interval_time_t produced,
                         apr_interval_time_t date, const char *cause,
                         const char *message)
{
    pki_single_t single = {.cert = leaf->cert,
                           .issuer = ca->cert,
                           .this_update = now + then,
                           .next_update = now + then + SECONDS(900)};
    pki_response_t spec = {.singles = &single,
                           .count = 1,
                           .signer = ca,
                           .produced_at = now + produced};

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1));
    network.answer.body = pki_response(&network.answer.body_len, &spec, pool);
    if (date)
        network.answer.date = now + date;
    turn(make_refresher());
    ck_assert_str_eq(ocspx_cause_code((ocspx_cause_e)state_of(0).cause), cause);
    ck_assert_msg(strstr(state_of(0).message, message) != NULL, "%s",
                  state_of(0).message);
    ck_assert_int_eq(serves_nothing(), *message != '\0');
}

#define DAY SECONDS(86400)
#define SKEW OCSPX_RESPONSE_SKEW_DEFAULT

static const struct {
    apr_interval_time_t then, produced, date; /* from now on */
    const char *cause, *message;
} clocks[] = {
    /* ours is a day, or ten minutes, slow or fast */
    {DAY, DAY, DAY, "SERVER_CLOCK",
     "http://two/: this server's clock is 86400 s behind the responder's; "
     "thisUpdate (2033-05-19T03:33:20Z) is 86400 s ahead of this server's "
     "clock, 300 s are tolerated"},
    {-DAY, -DAY, -DAY, "SERVER_CLOCK",
     "this server's clock is 86400 s ahead of the responder's; expired: "
     "nextUpdate was 2033-05-17T03:48:20Z"},
    {SECONDS(600), SECONDS(600), SECONDS(600), "SERVER_CLOCK", "600 s behind"},
    {-SECONDS(1000), -SECONDS(1000), -SECONDS(600), "SERVER_CLOCK",
     "600 s ahead of"},
    {-SECONDS(600), -SECONDS(600), -SECONDS(600), "NONE", ""},
    /* ours is right, and so is theirs */
    {DAY, DAY, 1, "FUTURE", "ahead of this server's clock"},
    {-DAY, -DAY, 1, "STALE", "expired"},
    {DAY, DAY, SKEW, "FUTURE", "ahead of this server's clock"},
    {SECONDS(400), 0, SECONDS(200), "FUTURE", "is 400 s ahead"},
    {-SECONDS(901), -SECONDS(901), -SECONDS(2), "STALE", "expired"},
    /* theirs is off, but that is not why */
    {DAY, DAY, SKEW + SECONDS(1), "FUTURE", "ahead of this server's clock"},
    {DAY, DAY, -DAY, "FUTURE", "ahead of this server's clock"},
    {-DAY, -DAY, -SECONDS(600), "STALE", "expired"},
    {-DAY, -DAY, DAY, "STALE", "expired"},
    /* they do not send it: what was produced cannot be of a time to come */
    {DAY, DAY, 0, "SERVER_CLOCK",
     "this server's clock is at least 86400 s behind the responder's"},
    {DAY, 0, 0, "FUTURE", "ahead of this server's clock"},
    {DAY, SKEW, 0, "FUTURE", "ahead of this server's clock"},
    {-DAY, -DAY, 0, "STALE", "expired"},
};

START_TEST(clocks_are_compared)
{
    assert_clock(clocks[_i].then, clocks[_i].produced, clocks[_i].date,
                 clocks[_i].cause, clocks[_i].message);
}
END_TEST

static void sign_until(apr_time_t end)
{
    signer = pki_make(&(pki_spec_t){.cn = "signer",
                                    .ocsp_signing = 1,
                                    .not_before = START - 2 * DAY,
                                    .not_after = end},
                      ca, pool);
}

/* By our clock it has expired, by theirs it has not. */
START_TEST(clock_is_why_a_signer_has_expired)
{
    sign_until(START - DAY / 2);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now - DAY, 2 * DAY);
    turn(make_refresher());
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_SIGNER_EXPIRED);
    network.answer.date = now - DAY;
    turn(make_refresher());
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_SERVER_CLOCK);
    ck_assert_ptr_nonnull(strstr(state_of(0).message, "expired at"));
}
END_TEST

static int notes(void)
{
    const char *at = log_text;
    int n = 0;

    while ((at = strstr(at, "OCSPX0042"))) {
        at++;
        n++;
    }
    return n;
}

/* It is served, it is no failure, and it is told once. */
START_TEST(signer_that_expires_early_is_a_note)
{
    ocspx_refresh_t *refresh = make_refresher();

    sign_until(START + SECONDS(4000));
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, DAY);
    turn(refresh);
    ck_assert(serves_answer());
    ck_assert_int_eq(state_of(0).expiry, START + SECONDS(4000));
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_SIGNER_EXPIRES_EARLY);
    ck_assert_uint_eq(state_of(0).failures, 0);
    ck_assert_int_eq(lines[OCSPX_LOG_INFO], 2); /* this, and that it is there */
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING] + lines[OCSPX_LOG_ERROR], 0);
    ck_assert_str_eq(
        last_line,
        apr_pstrcat(
            pool,
            "OCSPX0042: CN=leaf: SIGNER_EXPIRES_EARLY: good until "
            "2033-05-18T04:40:00Z, when its signer CN=signer expires, before "
            "nextUpdate (2033-05-19T03:33:20Z). ",
            ocspx_cause_remedy(OCSPX_CAUSE_SIGNER_EXPIRES_EARLY), NULL));

    answer_failing(OCSPX_CAUSE_RESP_HTTP, "500");
    step_to_due(refresh);
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_RESP_HTTP);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, DAY);
    step_to_due(refresh);
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_SIGNER_EXPIRES_EARLY);
    ck_assert_int_eq(notes(), 1);

    /* the signer is renewed, and runs out again */
    sign_until(START + 4 * DAY);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, DAY);
    step_to_due(refresh);
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_NONE);
    ck_assert_str_eq(state_of(0).message, "");
    now = state_of(0).due;
    sign_until(now + DAY);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, 2 * DAY);
    turn(refresh);
    ck_assert_int_eq(notes(), 2);
}
END_TEST

START_TEST(only_those_named_are_asked)
{
    unsigned char only[1] = {0};

    make_refresher();
    turn(ocspx_refresh_make(&config, only, pool));
    ck_assert_int_eq(network.asked, 0);
    only[0] = 1;
    turn(ocspx_refresh_make(&config, only, pool));
    ck_assert_int_ge(network.asked, 1);
}
END_TEST

START_TEST(full_cache_says_the_size_needed)
{
    ocspx_refresh_t *refresh;
    pki_single_t single = {
        .cert = leaf->cert,
        .issuer = ca->cert,
        .status = V_OCSP_CERTSTATUS_GOOD,
        .this_update = now,
        .next_update = now + SECONDS(1000),
    };
    pki_response_t spec = {
        .singles = &single, .count = 1, .signer = ca, .padding = 20000};

    make_config(16384);
    refresh = ocspx_refresh_make(&config, NULL, pool);
    spec.produced_at = now;
    network.answer = (ocspx_fetch_answer_t){
        .message = "", .http_status = 200, .peer = "", .requests = 1};
    network.answer.body = pki_response(&network.answer.body_len, &spec, pool);
    turn(refresh);
    ck_assert(serves_nothing());
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_CACHE_FULL);
    ck_assert_ptr_nonnull(strstr(state_of(0).message, "bytes would do"));
}
END_TEST

/* The seeder's; who comes after it begins with what is left. */
START_TEST(after_the_last_start_nothing_is_asked)
{
    ocspx_refresh_t *refresh;

    make_config(ocspx_cache_area_size(fill_registry()));
    config.last_start = now + 1;
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(60));
    refresh = ocspx_refresh_make(&config, NULL, pool);
    turn(refresh);
    ck_assert(serves_answer());
    ck_assert_int_eq(network.asked, 1);
    now += SECONDS(60);
    ck_assert_uint_eq(ocspx_refresh_turn(refresh, SECONDS(60)), 0);
    ck_assert_int_eq(network.asked, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("refresh");
    TCase *tc = tcase_create("refresh");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, first_answer_is_served);
    tcase_add_test(tc, due_response_is_replaced);
    tcase_add_test(tc, bad_answers_leave_the_old_one);
    tcase_add_test(tc, outage_to_the_end_is_told_once);
    tcase_add_test(tc, revoked_is_served_and_stays);
    tcase_add_test(tc, revoked_can_be_withheld);
    tcase_add_test(tc, second_responder_is_asked);
    tcase_add_loop_test(tc, successor_takes_up_the_schedule, 0, 2);
    tcase_add_test(tc, due_time_of_another_clock_is_not_believed);
    tcase_add_loop_test(tc, broken_responder_is_left_alone_by_the_others, 0, 3);
    tcase_add_test(tc, those_that_fail_leave_turns_to_others);
    tcase_add_test(tc, turn_waits_for_what_falls_due_in_it);
    tcase_add_loop_test(tc, clocks_are_compared, 0,
                        sizeof(clocks) / sizeof(clocks[0]));
    tcase_add_test(tc, clock_is_why_a_signer_has_expired);
    tcase_add_test(tc, signer_that_expires_early_is_a_note);
    tcase_add_test(tc, only_those_named_are_asked);
    tcase_add_test(tc, full_cache_says_the_size_needed);
    tcase_add_test(tc, after_the_last_start_nothing_is_asked);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
