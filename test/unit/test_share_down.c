/* test_share_down: a store that is dead, hangs, is slow or full costs one
 * timeout, is told once, and is used again when it works again.
 */
#include "share_scene.h"

#define LIFE SECONDS(1000)

static int logged(const char *text)
{
    const char *at = log_text;
    int n = 0;

    while ((at = strstr(at, text))) {
        at += strlen(text);
        n++;
    }
    return n;
}

static int is_down(void)
{
    return down_since() != 0;
}

/* Look at it again and again until then. */
static void turn_until(ocspx_refresh_t *refresh, apr_time_t then)
{
    for (; now < then; now += SECONDS(1) / 10)
        turn(refresh);
}

START_TEST(a_dead_store_is_told_once_and_left_alone)
{
    ocspx_refresh_t *refresh = make_sharing();
    apr_time_t begin = now;

    store.reads = APR_ECONNREFUSED;
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, LIFE);
    turn(refresh);
    ck_assert(serves_answer());
    ck_assert_int_eq(now, begin);
    ck_assert_int_eq(store.jobs, 1);
    ck_assert_int_eq(store.puts, 0);
    ck_assert_int_eq(down_since(), begin);
    ck_assert_int_eq(logged("OCSPX0050: SHARE_DOWN: the store: "), 1);
    ck_assert_int_eq(logged("looked up"), 1);
    turn_until(refresh, begin + SECONDS(300));
    ck_assert_int_eq(logged("OCSPX0050"), 1);
    /* after 5, 15, 35, 75, 135, 195, 255 s */
    ck_assert_int_eq(store.jobs, 8);
    ck_assert(is_down());
}
END_TEST

START_TEST(it_is_used_again_once_it_works)
{
    ocspx_refresh_t *refresh = make_sharing();
    apr_time_t begin = now;

    store.reads = APR_ECONNREFUSED;
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, LIFE);
    turn(refresh);
    store.reads = APR_SUCCESS;
    turn_until(refresh, begin + SECONDS(4));
    ck_assert_int_eq(store.jobs, 1);
    ck_assert(is_down());
    turn_until(refresh, begin + SECONDS(6));
    ck_assert_int_eq(store.jobs, 2);
    ck_assert(!is_down());
    ck_assert_int_eq(logged("OCSPX0051: the store works again"), 1);
    ck_assert_int_eq(lines[OCSPX_LOG_NOTICE], 1);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now + SECONDS(300), LIFE);
    step_to_due(refresh);
    ck_assert_int_eq(store.puts, 1);
    /* and the next outage is told anew, from the first pause on */
    store.reads = APR_ECONNREFUSED;
    answer_with(V_OCSP_CERTSTATUS_GOOD, now + SECONDS(300), LIFE);
    step_to_due(refresh);
    ck_assert_int_eq(logged("OCSPX0050"), 2);
    store.jobs = 0;
    turn_until(refresh, down_since() + SECONDS(6));
    ck_assert_int_eq(store.jobs, 1);
}
END_TEST

START_TEST(a_store_that_hangs_costs_one_timeout)
{
    ocspx_refresh_t *refresh = make_sharing();
    apr_time_t begin = now;

    store.hangs = 1;
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, LIFE);
    while (!network.asked) {
        ocspx_refresh_turn(refresh, 0);
        now += SECONDS(1) / 100;
    }
    ck_assert_int_ge(now, begin + OCSPX_SHARE_TIMEOUT);
    ck_assert_int_le(now, begin + OCSPX_SHARE_TIMEOUT + SECONDS(2) / 100);
    turn(refresh);
    ck_assert(serves_answer());
    ck_assert_int_eq(store.abandoned, 1);
    ck_assert_int_eq(logged("OCSPX0050"), 1);
    ck_assert_int_eq(logged("in time"), 1);
    /* its trials hang as well */
    for (; now < begin + SECONDS(20); now += SECONDS(1) / 10)
        ocspx_refresh_turn(refresh, 0);
    ck_assert_int_eq(store.abandoned, 3);
    store.hangs = 0;
    turn_until(refresh, begin + SECONDS(60));
    ck_assert(!is_down());
}
END_TEST

START_TEST(no_room_for_another_job_is_a_failure)
{
    ocspx_refresh_t *refresh = make_sharing();

    store.begins = APR_TIMEUP;
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, LIFE);
    turn(refresh);
    ck_assert(serves_answer());
    ck_assert(is_down());
    store.begins = APR_SUCCESS;
    turn_until(refresh, now + SECONDS(6));
    ck_assert(!is_down());
}
END_TEST

/* The latter is what a provider says that has no server left. */
static const apr_status_t refusals[] = {APR_EGENERAL, APR_NOTFOUND};

/* It can be read, but not written: not down and up with every certificate. */
START_TEST(a_full_store_is_told_once)
{
    ocspx_refresh_t *refresh = make_sharing();
    apr_time_t begin = now;

    store.writes = refusals[_i];
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, LIFE);
    turn(refresh);
    ck_assert(serves_answer());
    ck_assert_int_eq(logged("OCSPX0050"), 1);
    ck_assert_int_eq(logged("put there"), 1);
    answer_with(V_OCSP_CERTSTATUS_GOOD, begin + SECONDS(300), LIFE);
    turn_until(refresh, begin + SECONDS(600));
    ck_assert_int_eq(logged("OCSPX005"), 1);
    ck_assert_int_ge(network.asked, 2);
    /* what could not be put is, even if it is over by then */
    now = begin + 2 * LIFE;
    store.writes = APR_SUCCESS;
    answer_failing(OCSPX_CAUSE_RESP_TIMEOUT, "silence");
    turn_until(refresh, now + SECONDS(61));
    ck_assert(!is_down());
    ck_assert_ptr_nonnull(kept());
    ck_assert_int_gt(kept()->expiry, now - SECONDS(61));
}
END_TEST

/* --- the queue ----------------------------------------------------------- */

#define MANY 50

static int answers, nothings;

static void count_answer(void *baton, const ocspx_share_found_t *found)
{
    (void)baton;
    answers++;
    nothings += found == NULL;
}

static const ocspx_registry_entry_t *the_entry(void)
{
    return ocspx_registry_get(registry, 0);
}

static void ask_many(void)
{
    int i;

    answers = nothings = 0;
    for (i = 0; i < MANY; i++)
        ocspx_share_look_up(config.share, the_entry(), count_answer, NULL);
}

/* As one that is full and has room for a value now and then. */
START_TEST(one_that_fails_again_is_left_alone_for_longer)
{
    static const int pauses[] = {5, 10, 20, 40, 60, 60};
    unsigned i;

    make_sharing();
    for (i = 0; i < sizeof(pauses) / sizeof(*pauses); i++) {
        store.reads = APR_ECONNREFUSED;
        ask_many();
        ocspx_share_turn(config.share);
        ck_assert(is_down());
        store.reads = APR_SUCCESS;
        now += SECONDS(pauses[i]) - 1;
        ocspx_share_turn(config.share);
        ocspx_share_turn(config.share);
        ck_assert(is_down());
        now++;
        ocspx_share_turn(config.share);
        ocspx_share_turn(config.share);
        ck_assert(!is_down());
    }
    now += OCSPX_SHARE_PAUSE_MAX;
    store.reads = APR_ECONNREFUSED;
    ask_many();
    ocspx_share_turn(config.share);
    now += OCSPX_SHARE_PAUSE_MIN;
    store.reads = APR_SUCCESS;
    ocspx_share_turn(config.share);
    ocspx_share_turn(config.share);
    ck_assert(!is_down());
}
END_TEST

/* One that answers, but not as fast as it is asked: nobody waits longer for
 * it than for one that is dead. */
START_TEST(a_slow_store_holds_up_nobody_for_long)
{
    apr_time_t begin;

    make_sharing();
    store.slow = 1; /* a tenth of a second each */
    ask_many();
    for (begin = now; answers < MANY; now += SECONDS(1) / 10)
        ocspx_share_turn(config.share);
    ck_assert_int_le(now, begin + OCSPX_SHARE_TIMEOUT + SECONDS(2) / 10);
    ck_assert_int_ge(store.jobs, 8);
    ck_assert_int_eq(logged("OCSPX0050"), 1);
}
END_TEST

/* It is not the store's fault if nobody looks for its answer. */
START_TEST(time_without_a_turn_does_not_count)
{
    make_sharing();
    store.slow = 1;
    ask_many();
    ocspx_share_turn(config.share);
    now += SECONDS(10);
    ocspx_share_turn(config.share);
    ck_assert(!is_down());
    ck_assert_int_eq(answers, 1);
    store.hangs = 1;
    now += SECONDS(10);
    ocspx_share_turn(config.share);
    ck_assert(!is_down());
}
END_TEST

START_TEST(many_wait_for_one_timeout_together)
{
    int i;

    make_sharing();
    store.hangs = 1;
    ask_many();
    ocspx_share_turn(config.share);
    ck_assert_uint_eq(ocspx_share_waiting(config.share), MANY);
    for (i = 0; i < 9; i++) {
        now += OCSPX_SHARE_TIMEOUT / 10;
        ocspx_share_turn(config.share);
    }
    ck_assert_int_eq(answers, 0);
    now += OCSPX_SHARE_TIMEOUT / 10;
    ocspx_share_turn(config.share);
    ck_assert_int_eq(answers, MANY);
    ck_assert_int_eq(store.jobs, 1);
    ask_many(); /* and the next do not wait at all */
    ck_assert_int_eq(answers, MANY);
    ck_assert_int_eq(nothings, MANY);
    ck_assert_uint_eq(ocspx_share_waiting(config.share), 0);
}
END_TEST

START_TEST(no_more_wait_than_there_is_room_for)
{
    const ocspx_share_found_t some = {.der = (const unsigned char *)"der",
                                      .len = 3};
    int i;

    make_sharing();
    for (i = 0; i < OCSPX_SHARE_WAITING_MAX + 10; i++)
        ocspx_share_put(config.share, the_entry(), &some, now + LIFE);
    ck_assert_uint_eq(ocspx_share_waiting(config.share),
                      OCSPX_SHARE_WAITING_MAX);
    ask_many();
    ck_assert_int_eq(nothings, MANY);
    ocspx_share_turn(config.share);
    ck_assert_uint_eq(ocspx_share_waiting(config.share), 0);
    ck_assert_int_eq(store.puts, OCSPX_SHARE_WAITING_MAX);
}
END_TEST

/* As many at once as the store takes, answered in the order they came; where
 * one fails, none of the others is waited for. */
START_TEST(a_deep_store_is_given_many_at_once)
{
    make_sharing();
    store.face.depth = 8;
    store.slow = 1;
    ask_many();
    ocspx_share_turn(config.share);
    ck_assert_uint_eq(store.begun, 8);
    ck_assert_int_eq(answers, 0);
    ocspx_share_turn(config.share);
    ck_assert_int_eq(answers, 1);
    ck_assert_uint_eq(store.begun, 8);
    ck_assert_uint_eq(ocspx_share_waiting(config.share), MANY - 1);
    store.reads = APR_ECONNRESET;
    ocspx_share_turn(config.share);
    ck_assert_int_eq(answers, MANY);
    ck_assert_int_eq(store.abandoned, 1);
    store.reads = APR_SUCCESS;
    store.slow = 0;
    now += SECONDS(6);
    ocspx_share_turn(config.share);
    ocspx_share_turn(config.share);
    ck_assert(!is_down());
    ask_many();
    ocspx_share_turn(config.share);
    ck_assert_int_eq(answers, MANY);
    ck_assert_uint_eq(store.most, 8);
}
END_TEST

/* Values nobody waits for may take their time, each of them. */
START_TEST(values_that_wait_are_not_late)
{
    const ocspx_share_found_t some = {.der = (const unsigned char *)"der",
                                      .len = 3};
    int i;

    make_sharing();
    store.face.depth = 8;
    store.slow = 8;
    for (i = 0; i < 5; i++)
        ocspx_share_put(config.share, the_entry(), &some, now + LIFE);
    for (i = 0; i < 60; i++, now += SECONDS(1) / 10)
        ocspx_share_turn(config.share);
    ck_assert(!is_down());
    ck_assert_uint_eq(counted(OCSPX_LEDGER_SHARE_PUT), 5);
}
END_TEST

static Suite *share_down_suite(void)
{
    Suite *suite = suite_create("share_down");
    TCase *tests = tcase_create("share_down");

    tcase_add_checked_fixture(tests, set_up_sharing, tear_down);
    tcase_add_test(tests, a_dead_store_is_told_once_and_left_alone);
    tcase_add_test(tests, it_is_used_again_once_it_works);
    tcase_add_test(tests, a_store_that_hangs_costs_one_timeout);
    tcase_add_test(tests, no_room_for_another_job_is_a_failure);
    tcase_add_loop_test(tests, a_full_store_is_told_once, 0, 2);
    tcase_add_test(tests, one_that_fails_again_is_left_alone_for_longer);
    tcase_add_test(tests, a_slow_store_holds_up_nobody_for_long);
    tcase_add_test(tests, time_without_a_turn_does_not_count);
    tcase_add_test(tests, many_wait_for_one_timeout_together);
    tcase_add_test(tests, a_deep_store_is_given_many_at_once);
    tcase_add_test(tests, no_more_wait_than_there_is_room_for);
    tcase_add_test(tests, values_that_wait_are_not_late);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(share_down_suite());
}
