/* test_event: what is told of a certificate, and that it is told once. */
#include "refresh_scene.h"

#include "../../mod_ocspx/engine/event.h"

#define EVENT(name) (1u << OCSPX_EVENT_##name)

static ocspx_cache_state_t state;

/* Of the scene's times: a response for 1000 s from START on. */
static void serve(void)
{
    state.this_update = START;
    state.expiry = START + SECONDS(1000);
    state.failures = 0;
}

static unsigned at(int seconds)
{
    unsigned events = ocspx_event_take(&state, START + SECONDS(seconds));

    ck_assert_uint_le(state.told, OCSPX_CACHE_TOLD_MAX);
    ck_assert_uint_eq(ocspx_event_take(&state, START + SECONDS(seconds)), 0);
    return events;
}

/* Nothing is there, and nothing has been told. */
static void start_anew(void)
{
    state = (ocspx_cache_state_t){0};
}

/* --- transitions ----------------------------------------------------- */

START_TEST(names)
{
    ck_assert_str_eq(ocspx_event_name(OCSPX_EVENT_STAPLED), "stapled");
    ck_assert_str_eq(ocspx_event_name(OCSPX_EVENT_FAILING), "failing");
    ck_assert_str_eq(ocspx_event_name(OCSPX_EVENT_RECOVERED), "recovered");
    ck_assert_str_eq(ocspx_event_name(OCSPX_EVENT_REVOKED), "revoked");
    ck_assert_str_eq(ocspx_event_name(OCSPX_EVENT_EXPIRED), "expired");
    ck_assert_str_eq(ocspx_event_name(OCSPX_EVENT_CHAIN_BROKEN),
                     "chain-broken");
}
END_TEST

START_TEST(stapled_once)
{
    start_anew();
    ck_assert_uint_eq(at(0), 0);
    serve();
    ck_assert_uint_eq(at(1), EVENT(STAPLED));
    ck_assert_uint_eq(at(999), 0); /* old, but nothing fails */
    state.this_update = START + SECONDS(500);
    state.expiry = START + SECONDS(1500);
    ck_assert_uint_eq(at(1000), 0); /* refreshed */
}
END_TEST

START_TEST(failing_at_each_threshold_once)
{
    static const struct {
        int seconds;
        unsigned events;
    } steps[] = {
        {499, 0},
        {500, EVENT(FAILING)},
        {501, 0},
        {749, 0},
        {750, EVENT(FAILING)},
        {899, 0},
        {900, EVENT(FAILING)},
        {999, 0},
        {1000, EVENT(EXPIRED)},
        {1001, 0},
        {2000, 0},
    };
    unsigned i;

    start_anew();
    serve();
    at(0);
    state.failures = 1;
    for (i = 0; i < sizeof(steps) / sizeof(*steps); i++, state.failures++)
        ck_assert_msg(at(steps[i].seconds) == steps[i].events, "at %d s",
                      steps[i].seconds);
}
END_TEST

/* What is there already, if only held, counts. */
START_TEST(no_alarm_about_what_a_held_one_follows)
{
    start_anew();
    serve();
    at(0);
    state.failures = 1;
    state.held = (ocspx_cache_held_t){.until = START + SECONDS(900),
                                      .this_update = START + SECONDS(700),
                                      .expiry = START + SECONDS(1700)};
    ck_assert_uint_eq(at(899), 0);
    state.held.until = 0;
    ck_assert_uint_eq(at(899), EVENT(FAILING));
}
END_TEST

START_TEST(several_thresholds_at_once_are_one_event)
{
    start_anew();
    serve();
    at(0);
    state.failures = 1;
    ck_assert_uint_eq(at(800), EVENT(FAILING));
    ck_assert_uint_eq(at(899), 0);
    ck_assert_uint_eq(at(900), EVENT(FAILING));
}
END_TEST

START_TEST(nothing_served_fails_at_once)
{
    start_anew();
    state.failures = 1;
    ck_assert_uint_eq(at(0), EVENT(FAILING));
    state.failures = 2;
    ck_assert_uint_eq(at(100), 0);
    serve();
    ck_assert_uint_eq(at(101), EVENT(STAPLED) | EVENT(RECOVERED));
}
END_TEST

START_TEST(recovered_only_after_failing_was_told)
{
    start_anew();
    serve();
    at(0);
    state.failures = 3;
    ck_assert_uint_eq(at(499), 0);
    state.failures = 0;
    ck_assert_uint_eq(at(500), 0);
    state.failures = 1;
    ck_assert_uint_eq(at(501), EVENT(FAILING));
    state.failures = 0;
    ck_assert_uint_eq(at(502), EVENT(RECOVERED));
    state.failures = 1; /* and all over again */
    ck_assert_uint_eq(at(503), EVENT(FAILING));
}
END_TEST

START_TEST(recovered_after_expired)
{
    start_anew();
    serve();
    at(0);
    ck_assert_uint_eq(at(1000), EVENT(EXPIRED)); /* nobody has asked */
    state.failures = 1;
    ck_assert_uint_eq(at(1001), 0);
    serve();
    state.expiry = START + SECONDS(3000);
    ck_assert_uint_eq(at(1002), EVENT(STAPLED) | EVENT(RECOVERED));
    ck_assert_uint_eq(at(3000), EVENT(EXPIRED)); /* and answered at once */
    state.expiry = START + SECONDS(9000);
    ck_assert_uint_eq(at(3001), EVENT(STAPLED) | EVENT(RECOVERED));
}
END_TEST

START_TEST(revoked_and_back)
{
    start_anew();
    serve();
    state.revoked = 1;
    ck_assert_uint_eq(at(0), EVENT(REVOKED)); /* from the start */
    state.failures = 1;
    ck_assert_uint_eq(at(500), EVENT(FAILING));
    state.failures = state.revoked = 0;
    ck_assert_uint_eq(at(501), EVENT(STAPLED) | EVENT(RECOVERED));
    state.revoked = 1;
    ck_assert_uint_eq(at(502), EVENT(REVOKED));
    ck_assert_uint_eq(at(1000), EVENT(EXPIRED));
}
END_TEST

/* As where a chain cannot be completed, and stapling goes on. */
START_TEST(failing_with_a_new_response)
{
    start_anew();
    serve();
    state.failures = 1;
    ck_assert_uint_eq(at(0), EVENT(STAPLED));
    ck_assert_uint_eq(at(900), EVENT(FAILING));
    state.expiry = START + SECONDS(1900);
    state.this_update = START + SECONDS(900);
    ck_assert_uint_eq(at(1500), 0); /* below half again, but known */
    ck_assert_uint_eq(at(1850), 0);
    state.expiry = START + SECONDS(4000);
    ck_assert_uint_eq(at(1851), EVENT(RECOVERED)); /* safe again */
}
END_TEST

/* --- by the refresher ------------------------------------------------- */

static unsigned told[OCSPX_EVENT_COUNT], turns;
static apr_uint32_t failures_seen;

static void happened(void *baton, ocspx_event_e event, unsigned entry,
                     apr_time_t when)
{
    ck_assert_ptr_eq(baton, told);
    ck_assert_uint_eq(entry, 0);
    ck_assert_int_eq(when, now);
    failures_seen = state_of(0).failures; /* is in the cache already */
    told[event]++;
}

static void on_turn(void *baton, apr_time_t when)
{
    ck_assert_ptr_eq(baton, told);
    ck_assert_int_eq(when, now);
    turns++;
}

static const ocspx_event_observer_t observer = {happened, on_turn, told};

static unsigned told_in_all(void)
{
    unsigned sum = 0, i;

    for (i = 0; i < OCSPX_EVENT_COUNT; i++)
        sum += told[i];
    return sum;
}

/* Another process's, over the same cache. */
static ocspx_refresh_t *take_over(const ocspx_event_observer_t *with)
{
    config.observer = with;
    return ocspx_refresh_make(&config, NULL, pool);
}

static void set_up_told(void)
{
    set_up();
    memset(told, 0, sizeof(told));
    turns = 0;
}

START_TEST(refresher_tells_of_each_attempt)
{
    ocspx_refresh_t *refresh;

    make_refresher();
    refresh = take_over(&observer);
    ck_assert_uint_eq(told_in_all(), 0);
    answer_failing(OCSPX_CAUSE_CONNECT_REFUSED, "refused");
    turn(refresh);
    ck_assert_uint_ge(turns, 1);
    ck_assert_uint_eq(told[OCSPX_EVENT_FAILING], 1);
    ck_assert_uint_eq(failures_seen, 1);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    step_to_due(refresh);
    ck_assert_uint_eq(told[OCSPX_EVENT_STAPLED], 1);
    ck_assert_uint_eq(told[OCSPX_EVENT_RECOVERED], 1);
    ck_assert_uint_eq(told_in_all(), 3);
}
END_TEST

START_TEST(what_happened_unobserved_is_told_at_the_take_over)
{
    ocspx_refresh_t *refresh = make_refresher();

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    ck_assert_uint_eq(told_in_all(), 0);
    take_over(&observer);
    ck_assert_uint_eq(told[OCSPX_EVENT_STAPLED], 1);
    take_over(&observer);
    ck_assert_uint_eq(told_in_all(), 1);
    now += SECONDS(1000);
    take_over(&observer);
    ck_assert_uint_eq(told[OCSPX_EVENT_EXPIRED], 1);
    ck_assert_uint_eq(told_in_all(), 2);
}
END_TEST

START_TEST(a_take_over_changes_nothing_else)
{
    ocspx_refresh_t *refresh = make_refresher();
    ocspx_cache_state_t before;

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    before = state_of(0);
    take_over(&observer);
    state = state_of(0);
    ck_assert_uint_ne(state.told, before.told);
    before.told = state.told;
    ck_assert_mem_eq(&state, &before, sizeof(state));
}
END_TEST

/* The next generation. */
START_TEST(a_reload_tells_nothing_twice)
{
    ocspx_refresh_t *refresh;
    ocspx_cache_t *old;
    unsigned char known;

    make_refresher();
    refresh = take_over(&observer);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    ck_assert_uint_eq(told_in_all(), 1);
    old = cache;
    ck_assert_int_eq(
        ocspx_cache_create(&cache, 1, ocspx_cache_area_size(1), pool),
        APR_SUCCESS);
    ocspx_cache_name(cache, 0, cert->digest);
    ck_assert_uint_eq(ocspx_cache_carry(cache, old, &known, now, pool), 1);
    config.cache = cache;
    take_over(&observer);
    ck_assert_uint_eq(told_in_all(), 1);
}
END_TEST

static Suite *event_suite(void)
{
    Suite *suite = suite_create("event");
    TCase *alone = tcase_create("alone");
    TCase *refresher = tcase_create("refresher");

    tcase_add_test(alone, names);
    tcase_add_test(alone, stapled_once);
    tcase_add_test(alone, failing_at_each_threshold_once);
    tcase_add_test(alone, no_alarm_about_what_a_held_one_follows);
    tcase_add_test(alone, several_thresholds_at_once_are_one_event);
    tcase_add_test(alone, nothing_served_fails_at_once);
    tcase_add_test(alone, recovered_only_after_failing_was_told);
    tcase_add_test(alone, recovered_after_expired);
    tcase_add_test(alone, revoked_and_back);
    tcase_add_test(alone, failing_with_a_new_response);
    suite_add_tcase(suite, alone);
    tcase_add_checked_fixture(refresher, set_up_told, tear_down);
    tcase_add_test(refresher, refresher_tells_of_each_attempt);
    tcase_add_test(refresher,
                   what_happened_unobserved_is_told_at_the_take_over);
    tcase_add_test(refresher, a_take_over_changes_nothing_else);
    tcase_add_test(refresher, a_reload_tells_nothing_twice);
    suite_add_tcase(suite, refresher);
    return suite;
}

int main(void)
{
    return ocspx_check_main(event_suite());
}
