/* test_refresh_held: new responses wait until clients with a slow clock take
 * them for valid.
 */
#include "refresh_scene.h"

#include "../../mod_ocspx/core/text.h"

#define MATURITY SECONDS(300)
#define LIFE SECONDS(100000)

static const unsigned char *der;
static apr_size_t der_len;

/* The response that the network gives now. */
static void note_answer(void)
{
    der = network.answer.body;
    der_len = network.answer.body_len;
}

static int serves_noted(void)
{
    return serves(der, der_len);
}

/* A refresher that serves the noted response, which is as old as @a age. */
static ocspx_refresh_t *start_serving(apr_interval_time_t age)
{
    ocspx_refresh_t *refresh;

    policy.schedule.maturity = MATURITY;
    refresh = make_refresher();
    answer_with(V_OCSP_CERTSTATUS_GOOD, now - age, LIFE);
    note_answer();
    turn(refresh);
    ck_assert(serves_noted());
    ck_assert_int_eq(state_of(0).held.until, 0);
    return refresh;
}

/* The same with the next response there, from the moment it was due; it is
 * held. @param age of it */
static ocspx_refresh_t *start_holding(apr_interval_time_t age)
{
    ocspx_refresh_t *refresh = start_serving(MATURITY);

    answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).due - age, LIFE);
    step_to_due(refresh);
    ck_assert(serves_noted());
    return refresh;
}

/* It is served at @a at, and not before; nobody was asked. */
static void assert_served_at(ocspx_refresh_t *refresh, apr_time_t at)
{
    int asked = network.asked;

    ck_assert_int_eq(state_of(0).held.until, at);
    now = at - 1;
    turn(refresh);
    ck_assert(serves_noted());
    now = at;
    turn(refresh);
    ck_assert(serves_answer());
    ck_assert_int_eq(state_of(0).held.until, 0);
    ck_assert_int_eq(network.asked, asked);
}

START_TEST(a_new_one_is_held)
{
    ocspx_refresh_t *refresh = start_holding(SECONDS(20));
    ocspx_cache_state_t state = state_of(0);
    apr_time_t fetched = now, this_update = state.held.this_update;

    ck_assert_uint_eq(state.failures, 0);
    ck_assert_int_eq(state.this_update, START - MATURITY);
    ck_assert_int_eq(state.held.fetched, fetched);
    ck_assert_int_eq(state.held.expiry, this_update + LIFE);
    ck_assert_int_gt(state.due, now + LIFE * 2 / 5);
    assert_served_at(refresh, this_update + MATURITY);
    ck_assert_int_eq(state_of(0).due, state.due);
    ck_assert_int_eq(state_of(0).this_update, this_update);
    ck_assert_int_eq(state_of(0).next_update, this_update + LIFE);
    ck_assert_int_eq(state_of(0).expiry, this_update + LIFE);
    ck_assert_int_eq(state_of(0).fetched, fetched);
    ck_assert_uint_eq(state_of(0).source, OCSPX_CACHE_NETWORK);
    ck_assert_ptr_nonnull(strstr(log_text, ", with the newest response from "));
    ck_assert_ptr_nonnull(strstr(last_line, "held back so far, is served"));
}
END_TEST

START_TEST(what_is_old_enough_is_not_held)
{
    ocspx_refresh_t *refresh = start_serving(MATURITY);

    answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).due - MATURITY, LIFE);
    step_to_due(refresh);
    ck_assert(serves_answer());
    ck_assert_int_eq(state_of(0).held.until, 0);
}
END_TEST

START_TEST(the_first_is_served_at_once)
{
    start_serving(0);
}
END_TEST

START_TEST(after_the_end_of_the_old_one_it_is_served_at_once)
{
    ocspx_refresh_t *refresh = start_serving(0);

    answer_failing(OCSPX_CAUSE_RESP_TIMEOUT, "silence");
    while (now < START + LIFE)
        step_to_due(refresh);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, LIFE);
    step_to_due(refresh);
    ck_assert(serves_answer());
}
END_TEST

START_TEST(without_maturity_nothing_is_held)
{
    ocspx_refresh_t *refresh = start_serving(0);

    policy.schedule.maturity = 0;
    answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).due, LIFE);
    step_to_due(refresh);
    ck_assert(serves_answer());
}
END_TEST

START_TEST(a_short_life_holds_for_a_tenth_of_it)
{
    ocspx_refresh_t *refresh = start_serving(0);

    answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).due, SECONDS(1000));
    step_to_due(refresh);
    assert_served_at(refresh, state_of(0).held.this_update + SECONDS(100));
}
END_TEST

/* The responder was away until shortly before the end. */
START_TEST(the_old_ones_end_is_not_waited_for)
{
    ocspx_refresh_t *refresh = start_serving(0);

    answer_failing(OCSPX_CAUSE_RESP_TIMEOUT, "silence");
    while (now < START + LIFE - SECONDS(500))
        step_to_due(refresh);
    ck_assert_int_lt(now, START + LIFE - SECONDS(400));
    answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).due, LIFE);
    step_to_due(refresh);
    ck_assert_ptr_nonnull(strstr(last_line, "recovered"));
    ck_assert_ptr_nonnull(strstr(
        last_line, apr_pstrcat(pool, "; stapled until ",
                               ocspx_text_time(state_of(0).held.expiry, pool),
                               ", with the newest response from ",
                               ocspx_text_time(state_of(0).held.until, pool),
                               " on", NULL)));
    assert_served_at(refresh, START + LIFE - MATURITY);
}
END_TEST

START_TEST(revoked_is_served_at_once)
{
    ocspx_refresh_t *refresh = start_serving(0);

    answer_with(V_OCSP_CERTSTATUS_REVOKED, state_of(0).due, LIFE);
    step_to_due(refresh);
    ck_assert(serves_answer());
    ck_assert_uint_eq(state_of(0).revoked, 1);

    /* and so is what says that it is over */
    answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).due, LIFE);
    step_to_due(refresh);
    ck_assert(serves_answer());
    ck_assert_uint_eq(state_of(0).revoked, 0);
}
END_TEST

/* Where the responder is asked more often than every five minutes. */
START_TEST(what_is_held_is_not_replaced_but_by_revoked)
{
    ocspx_refresh_t *refresh;
    apr_time_t until;
    int asked;

    policy.schedule.refresh_max = SECONDS(60);
    refresh = start_holding(0);
    until = state_of(0).held.until;
    asked = network.asked;
    der = network.answer.body;
    der_len = network.answer.body_len;
    while (state_of(0).due < until) {
        answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).due, LIFE);
        step_to_due(refresh);
        ck_assert_int_eq(state_of(0).held.until, until);
        ck_assert_uint_eq(state_of(0).failures, 0);
    }
    ck_assert_int_ge(network.asked, asked + 4);
    now = until;
    turn(refresh);
    ck_assert(serves_noted());

    answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).due, LIFE);
    step_to_due(refresh);
    ck_assert_int_ne(state_of(0).held.until, 0);
    answer_with(V_OCSP_CERTSTATUS_REVOKED, state_of(0).due, LIFE);
    step_to_due(refresh);
    ck_assert(serves_answer());
    ck_assert_int_eq(state_of(0).held.until, 0);
}
END_TEST

/* A responder that goes back in time. */
START_TEST(what_is_older_than_the_held_one_is_stale)
{
    ocspx_refresh_t *refresh;

    policy.schedule.refresh_max = SECONDS(60);
    refresh = start_holding(0);
    answer_with(V_OCSP_CERTSTATUS_REVOKED,
                state_of(0).held.this_update - SECONDS(1), LIFE);
    step_to_due(refresh);
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_STALE);
    ck_assert(serves_noted());
    ck_assert_int_ne(state_of(0).held.until, 0);
}
END_TEST

static apr_status_t poll_in_vain(ocspx_fetch_t *fetch, apr_interval_time_t wait)
{
    (void)fetch;
    (void)wait;
    return APR_SUCCESS;
}

/* The state that an attempt began with is not to come back. */
START_TEST(an_attempt_under_way_delays_it)
{
    ocspx_refresh_t *refresh;
    apr_time_t until;

    policy.schedule.refresh_max = SECONDS(60);
    refresh = start_holding(0);
    until = state_of(0).held.until;
    der = network.answer.body;
    der_len = network.answer.body_len;
    while (state_of(0).due < until - SECONDS(60))
        step_to_due(refresh);
    network.vtable.poll = poll_in_vain;
    now = until - 1;
    ck_assert_uint_eq(ocspx_refresh_turn(refresh, 0), 1);
    now = until + SECONDS(5);
    ck_assert_uint_eq(ocspx_refresh_turn(refresh, 0), 1);
    ck_assert(!serves_noted());
    network.vtable.poll = network_poll;
    turn(refresh);
    turn(refresh);
    ck_assert(serves_noted());
    ck_assert_int_eq(state_of(0).this_update + MATURITY, until);
    ck_assert_int_eq(state_of(0).held.until, 0);
}
END_TEST

/* The one that is killed has the lock; there is no other here. */
START_TEST(another_refresher_knows_of_it)
{
    ocspx_refresh_t *refresh = start_serving(MATURITY);
    int asked;

    /* one that is refreshed at half of its validity, no earlier */
    answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).due - MATURITY, LIFE);
    step_to_due(refresh);
    note_answer();
    answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).due, LIFE);
    step_to_due(refresh);
    asked = network.asked;
    refresh = ocspx_refresh_make(&config, NULL, pool);
    assert_served_at(refresh, state_of(0).held.until);
    now = state_of(0).due - 1;
    turn(refresh);
    ck_assert_int_eq(network.asked, asked);
}
END_TEST

START_TEST(what_was_lost_is_asked_for_again)
{
    ocspx_refresh_t *refresh = start_holding(0);
    apr_time_t until = state_of(0).held.until;
    int asked = network.asked;

    ocspx_cache_forget(cache, 0);
    now = until;
    answer_with(V_OCSP_CERTSTATUS_GOOD, now - MATURITY, LIFE);
    turn(refresh);
    now += OCSPX_AGENDA_GAP_MAX;
    turn(refresh);
    ck_assert_int_eq(network.asked, asked + 1);
    ck_assert(serves_answer());
}
END_TEST

/* The segment can be written by every worker. */
START_TEST(what_is_held_is_judged_again)
{
    static const unsigned char forged[] = "not a response";
    unsigned char *forgotten;
    ocspx_refresh_t *refresh = start_holding(0);
    apr_time_t until = state_of(0).held.until;

    ocspx_cache_hold(cache, 0, forged, sizeof(forged), START + LIFE);
    now = until;
    answer_failing(OCSPX_CAUSE_RESP_TIMEOUT, "silence");
    turn(refresh);
    ck_assert(serves_noted());
    ck_assert_int_eq(state_of(0).held.until, 0);
    ck_assert_ptr_nonnull(strstr(log_text, "not used: 15 bytes that are not"));
    ck_assert_uint_eq(ocspx_cache_held(&forgotten, cache, 0), 0);
}
END_TEST

START_TEST(where_there_is_no_room_it_is_served_at_once)
{
    apr_size_t needed = 1;
    ocspx_refresh_t *refresh;

    policy.schedule.maturity = MATURITY;
    fill_registry();
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, LIFE);
    make_config(1);
    ocspx_cache_put(cache, 0, network.answer.body, network.answer.body_len, now,
                    &needed);
    make_config(needed + 32); /* signatures differ in length */
    refresh = ocspx_refresh_make(&config, NULL, pool);
    turn(refresh);
    ck_assert(serves_answer());
    answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).due, LIFE);
    step_to_due(refresh);
    ck_assert(serves_answer());
    ck_assert_int_eq(state_of(0).held.until, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("refresh_held");
    TCase *tc = tcase_create("refresh_held");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_new_one_is_held);
    tcase_add_test(tc, what_is_old_enough_is_not_held);
    tcase_add_test(tc, the_first_is_served_at_once);
    tcase_add_test(tc, after_the_end_of_the_old_one_it_is_served_at_once);
    tcase_add_test(tc, without_maturity_nothing_is_held);
    tcase_add_test(tc, a_short_life_holds_for_a_tenth_of_it);
    tcase_add_test(tc, the_old_ones_end_is_not_waited_for);
    tcase_add_test(tc, revoked_is_served_at_once);
    tcase_add_test(tc, what_is_held_is_not_replaced_but_by_revoked);
    tcase_add_test(tc, what_is_older_than_the_held_one_is_stale);
    tcase_add_test(tc, an_attempt_under_way_delays_it);
    tcase_add_test(tc, another_refresher_knows_of_it);
    tcase_add_test(tc, what_was_lost_is_asked_for_again);
    tcase_add_test(tc, what_is_held_is_judged_again);
    tcase_add_test(tc, where_there_is_no_room_it_is_served_at_once);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
