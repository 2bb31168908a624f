/* test_refresh_clock: the clock is set back, by a day. */
#include "refresh_scene.h"

#define DAY SECONDS(86400)
#define HOUR SECONDS(3600)

/* What is served comes from the future afterwards, or it does not. */
#define NEW HOUR
#define OLD (2 * DAY)

static ocspx_refresh_t *refresh;

static void serve(apr_interval_time_t age)
{
    refresh = make_refresher();
    answer_with(V_OCSP_CERTSTATUS_GOOD, now - age, 10 * DAY);
    turn(refresh);
    ck_assert(serves_answer());
    network.asked = 0;
}

/* Go on until there has been an attempt, which the pace may hold up a little.
 */
static void wait_for_attempt(void)
{
    apr_time_t limit = now + OCSPX_AGENDA_GAP_MAX;
    apr_time_t tried = state_of(0).tried;

    for (turn(refresh); state_of(0).tried == tried; turn(refresh)) {
        now += SECONDS(1) / 10;
        ck_assert_int_le(now, limit);
    }
}

START_TEST(what_was_due_in_an_hour_still_is)
{
    apr_time_t due;

    serve(OLD);
    due = state_of(0).due - DAY;
    now -= DAY;
    turn(refresh);
    ck_assert_int_eq(state_of(0).due, due);
    step_to_due(refresh);
}
END_TEST

START_TEST(retry_is_not_delayed)
{
    serve(OLD);
    answer_failing(OCSPX_CAUSE_RESP_TIMEOUT, "silence");
    step_to_due(refresh);
    now -= DAY;
    turn(refresh);
    ck_assert_int_le(state_of(0).due, now + HOUR);
    step_to_due(refresh);
    ck_assert_uint_eq(state_of(0).failures, 2);
}
END_TEST

static int polls;

/* No answer for longer than the pace keeps another attempt from starting. */
static apr_status_t poll_while_set_back(ocspx_fetch_t *fetch,
                                        apr_interval_time_t wait)
{
    (void)fetch;
    (void)wait;
    now += polls++ ? SECONDS(1) : -DAY;
    if (SECONDS(polls) > 2 * OCSPX_AGENDA_GAP_MAX)
        network.vtable.poll = network_poll;
    return APR_SUCCESS;
}

START_TEST(attempt_under_way_goes_on)
{
    serve(OLD);
    network.vtable.poll = poll_while_set_back;
    polls = 0;
    answer_failing(OCSPX_CAUSE_RESP_TIMEOUT, "silence");
    now = state_of(0).due;
    wait_for_attempt();
    ck_assert_int_eq(network.asked, 2); /* both responders, once */
    ck_assert_uint_eq(state_of(0).failures, 1);
    ck_assert_int_le(state_of(0).due, now + HOUR);
    step_to_due(refresh);
    ck_assert_uint_eq(state_of(0).failures, 2);
}
END_TEST

/* It is our clock that is wrong now. */
START_TEST(valid_response_stays_served)
{
    const unsigned char *old;
    apr_size_t old_len;

    serve(NEW);
    old = network.answer.body;
    old_len = network.answer.body_len;
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, 10 * DAY);
    network.answer.date = now;
    now -= DAY;
    wait_for_attempt();
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_SERVER_CLOCK);
    ck_assert(serves(old, old_len));
}
END_TEST

/* It was our clock that was wrong before, and so was the responder's. */
START_TEST(answer_that_fits_the_clock_is_taken)
{
    serve(NEW);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now - DAY, 10 * DAY);
    now -= DAY;
    wait_for_attempt();
    ck_assert(serves_answer());
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_NONE);
}
END_TEST

START_TEST(successor_asks_at_once)
{
    serve(NEW);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now - DAY, 10 * DAY);
    now -= DAY;
    refresh = ocspx_refresh_make(&config, NULL, pool);
    wait_for_attempt();
    ck_assert(serves_answer());
}
END_TEST

START_TEST(revoked_is_not_taken_back)
{
    const unsigned char *revoked;
    apr_size_t revoked_len;

    serve(NEW);
    answer_with(V_OCSP_CERTSTATUS_REVOKED, state_of(0).due, 10 * DAY);
    step_to_due(refresh);
    revoked = network.answer.body;
    revoked_len = network.answer.body_len;
    answer_with(V_OCSP_CERTSTATUS_GOOD, now - DAY, 10 * DAY);
    now -= DAY;
    wait_for_attempt();
    ck_assert(serves(revoked, revoked_len));
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_STALE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("refresh clock");
    TCase *tc = tcase_create("refresh clock");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, what_was_due_in_an_hour_still_is);
    tcase_add_test(tc, retry_is_not_delayed);
    tcase_add_test(tc, attempt_under_way_goes_on);
    tcase_add_test(tc, valid_response_stays_served);
    tcase_add_test(tc, answer_that_fits_the_clock_is_taken);
    tcase_add_test(tc, successor_asks_at_once);
    tcase_add_test(tc, revoked_is_not_taken_back);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
