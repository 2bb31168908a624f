/* test_agenda: whose turn it is, with a clock of its own. */
#include "../../mod_ocspx/core/schedule.h"
#include "../../mod_ocspx/engine/agenda.h"
#include "../support/check_main.h"

#include <time.h>

#define SEC(n) apr_time_from_sec(n)
#define HOUR SEC(3600)
#define DAY (24 * HOUR)
#define T0 (20000 * DAY)
#define MANY 10000

static apr_pool_t *pool;
static ocspx_agenda_t *agenda;
static unsigned host_of[MANY + 1];

static void setup(void)
{
    apr_pool_create(&pool, NULL);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

/* n entries, dealt out to the hosts in turn */
static void make(unsigned n, unsigned hosts, unsigned total, unsigned per_host)
{
    unsigned i;

    for (i = 0; i < n; i++)
        host_of[i] = i % hosts;
    agenda = ocspx_agenda_make(n, hosts, host_of, total, per_host, 1, pool);
}

static int take(apr_time_t now)
{
    apr_time_t next;

    return ocspx_agenda_take(agenda, now, &next);
}

static apr_time_t next_after(apr_time_t now)
{
    apr_time_t next;

    ck_assert_int_eq(ocspx_agenda_take(agenda, now, &next), -1);
    return next;
}

/* Due, and nothing to serve: starts whenever its host and the limits allow. */
static void set_empty(unsigned i, apr_time_t due)
{
    ocspx_agenda_set(agenda, i, due, 0, 0);
}

/* Taken and failed to reach the host; due again later. */
static void miss(unsigned i, apr_time_t due, apr_time_t expiry)
{
    ocspx_agenda_done(agenda, i, 0);
    ocspx_agenda_set(agenda, i, due, expiry, DAY);
}

/* --- due times and limits --------------------------------------------- */

START_TEST(due_when_due)
{
    make(3, 3, 9, 9);
    ck_assert_int_eq(next_after(T0), APR_INT64_MAX);
    set_empty(0, T0 + 30);
    set_empty(1, T0 + 10);
    set_empty(2, T0 + 20);
    ck_assert_int_eq(next_after(T0 + 9), T0 + 10);
    ck_assert_int_eq(take(T0 + 10), 1);
    ck_assert_int_eq(next_after(T0 + 10), T0 + 20);
    ck_assert_int_eq(take(T0 + 20), 2);
    ck_assert_int_eq(take(T0 + 40), 0);
    ck_assert_uint_eq(ocspx_agenda_under_way(agenda), 3);
    ocspx_agenda_done(agenda, 1, 1);
    ck_assert_uint_eq(ocspx_agenda_under_way(agenda), 2);
}
END_TEST

START_TEST(set_again)
{
    make(2, 1, 9, 9);
    set_empty(0, T0 + 30);
    set_empty(1, T0 + 20);
    set_empty(0, T0 + 10);
    ck_assert_int_eq(take(T0 + 10), 0);
    ck_assert_int_eq(next_after(T0 + 10), T0 + 20);
    set_empty(1, T0 + 50);
    ck_assert_int_eq(next_after(T0 + 49), T0 + 50);
    set_empty(1, T0);
    ck_assert_int_eq(take(T0 + 49), 1);
}
END_TEST

START_TEST(set_again_when_due_already)
{
    make(2, 1, 1, 1);
    ocspx_agenda_set(agenda, 0, T0, T0 + HOUR, DAY);
    ocspx_agenda_set(agenda, 1, T0, T0 + 2 * HOUR, DAY);
    ck_assert_int_eq(take(T0), 0);
    set_empty(1, T0 + 10);
    ocspx_agenda_done(agenda, 0, 1);
    ck_assert_int_eq(next_after(T0), T0 + 10);
}
END_TEST

START_TEST(first_to_expire_goes_first)
{
    make(4, 2, 9, 9);
    ocspx_agenda_set(agenda, 0, T0 - 40, T0 + DAY, DAY);
    ocspx_agenda_set(agenda, 1, T0 - 30, T0 + HOUR, DAY);
    ocspx_agenda_set(agenda, 2, T0 - 20, T0 + 2 * HOUR, DAY);
    ocspx_agenda_set(agenda, 3, T0 - 10, 0, DAY);
    ck_assert_int_eq(take(T0), 3);
    ck_assert_int_eq(take(T0 + SEC(10)), 1);
    ck_assert_int_eq(take(T0 + SEC(20)), 2);
    ck_assert_int_eq(take(T0 + SEC(30)), 0);
}
END_TEST

START_TEST(limit_in_all)
{
    make(5, 5, 3, 2);
    for (unsigned i = 0; i < 5; i++)
        set_empty(i, T0);
    ck_assert_int_ge(take(T0), 0);
    ck_assert_int_ge(take(T0), 0);
    ck_assert_int_ge(take(T0), 0);
    ck_assert_int_eq(take(T0), -1);
    ocspx_agenda_done(agenda, 0, 1);
    ck_assert_int_ge(take(T0), 0);
    ck_assert_int_eq(take(T0), -1);
}
END_TEST

START_TEST(limit_per_host)
{
    make(6, 2, 9, 2);
    for (unsigned i = 0; i < 6; i += 2)
        set_empty(i, T0);
    ck_assert_int_eq(take(T0) % 2, 0);
    ck_assert_int_eq(take(T0) % 2, 0);
    ck_assert_int_eq(take(T0), -1);
    set_empty(1, T0);
    ck_assert_int_eq(take(T0), 1);
    ocspx_agenda_done(agenda, 0, 1);
    ck_assert_int_eq(take(T0) % 2, 0);
    ck_assert_int_eq(take(T0), -1);
}
END_TEST

/* Any sequence of set, take and done gives what is due, all of it, once. */
START_TEST(any_sequence)
{
    static apr_time_t due[300];
    apr_uint64_t seed = 3;
    apr_time_t now = T0;
    int step;

    make(300, 7, 300, 300);
    for (unsigned i = 0; i < 300; i++)
        set_empty(i, due[i] = T0 + i * 7 % 300);
    for (step = 0; step < 2000; step++, now++) {
        apr_time_t first = APR_INT64_MAX;
        apr_time_t next;
        unsigned i = (unsigned)((seed = ocspx_schedule_mix(seed)) % 300);
        int taken;

        set_empty(i, due[i] = now + (apr_time_t)(seed >> 32) % 200);
        while ((taken = ocspx_agenda_take(agenda, now, &next)) >= 0) {
            ck_assert_int_le(due[taken], now);
            ocspx_agenda_done(agenda, (unsigned)taken, 1);
            seed = ocspx_schedule_mix(seed);
            due[taken] = now + 1 + (apr_time_t)(seed >> 32) % 200;
            set_empty((unsigned)taken, due[taken]);
        }
        for (i = 0; i < 300; i++)
            first = due[i] < first ? due[i] : first;
        ck_assert_int_eq(next, first);
    }
}
END_TEST

/* --- pace ------------------------------------------------------------- */

START_TEST(pace_is_twice_the_mean_rate)
{
    apr_time_t now = T0;
    int started = 0;

    make(1000, 10, 9, 9);
    for (unsigned i = 0; i < 1000; i++)
        ocspx_agenda_set(agenda, i, T0 - 1, T0 + SEC(1000), SEC(2000));
    while (now < T0 + SEC(100)) {
        apr_time_t next;
        int i = ocspx_agenda_take(agenda, now, &next);

        if (i < 0) {
            now = next;
            continue;
        }
        started++;
        ocspx_agenda_done(agenda, (unsigned)i, 1);
        ocspx_agenda_set(agenda, (unsigned)i, T0 + DAY, T0 + 2 * DAY,
                         SEC(2000));
    }
    ck_assert_int_ge(started, 99);
    ck_assert_int_le(started, 101);
}
END_TEST

START_TEST(pace_of_a_few)
{
    make(2, 1, 9, 9);
    ocspx_agenda_set(agenda, 0, T0, T0 + 9 * DAY, 5 * DAY);
    ocspx_agenda_set(agenda, 1, T0, T0 + 8 * DAY, 5 * DAY);
    ck_assert_int_eq(take(T0), 1);
    ck_assert_int_eq(next_after(T0), T0 + OCSPX_AGENDA_GAP_MAX);
    ck_assert_int_eq(take(T0 + OCSPX_AGENDA_GAP_MAX), 0);
}
END_TEST

START_TEST(pace_does_not_hold_up_the_empty)
{
    make(3, 1, 9, 9);
    ocspx_agenda_set(agenda, 0, T0, T0 + 9 * DAY, 5 * DAY);
    ck_assert_int_eq(take(T0), 0);
    set_empty(1, T0);
    ocspx_agenda_set(agenda, 2, T0, T0, 5 * DAY); /* expired */
    ck_assert_int_ge(take(T0), 1);
    ck_assert_int_ge(take(T0), 1);
}
END_TEST

/* A thousand that expire in a minute, at a pace of one in ten seconds: all get
 * their turn in time, and not all at once. */
START_TEST(pace_saves_what_is_about_to_expire)
{
    apr_time_t now = T0;
    apr_time_t next;
    int started = 0;
    int early = 0;

    make(1000, 10, 9, 9);
    for (unsigned i = 0; i < 1000; i++)
        ocspx_agenda_set(agenda, i, T0 - 1, T0 + SEC(60), 300 * DAY);
    while (started < 1000) {
        int i = ocspx_agenda_take(agenda, now, &next);

        if (i < 0) {
            now = next;
            continue;
        }
        ck_assert_int_lt(now, T0 + SEC(59));
        started++;
        early += now < T0 + SEC(10);
        ocspx_agenda_done(agenda, (unsigned)i, 1);
        ocspx_agenda_set(agenda, (unsigned)i, T0 + DAY, T0 + 600 * DAY,
                         300 * DAY);
    }
    ck_assert_int_gt(now, T0 + SEC(50));
    ck_assert_int_le(early, 400);
}
END_TEST

START_TEST(pace_does_not_drift)
{
    apr_uint64_t seed = 4;
    unsigned n;

    make(2, 1, 9, 9);
    for (n = 0; n < 1000000; n++) {
        seed = ocspx_schedule_mix(seed);
        ocspx_agenda_set(agenda, 0, T0 + DAY, 0, (apr_time_t)(seed >> 1));
    }
    ocspx_agenda_set(agenda, 0, T0, T0 + DAY, SEC(8));
    ocspx_agenda_set(agenda, 1, T0, T0 + DAY, SEC(8));
    ck_assert_int_ge(take(T0), 0);
    ck_assert_int_le(next_after(T0), T0 + SEC(2));
    ck_assert_int_ge(next_after(T0), T0 + SEC(2) - 10);
}
END_TEST

START_TEST(pace_of_very_short_intervals)
{
    make(16, 1, 9, 9);
    for (unsigned i = 0; i < 16; i++)
        ocspx_agenda_set(agenda, i, T0, T0 + DAY, 1);
    ck_assert_int_ge(take(T0), 0);
    ck_assert_int_le(next_after(T0), T0 + SEC(1) / 32);
}
END_TEST

/* What cannot be saved, its host being shut, hurries nobody. */
START_TEST(pace_is_not_set_by_a_shut_host)
{
    make(1000, 2, 9, 1);
    for (unsigned i = 0; i < 1000; i += 2)
        ocspx_agenda_set(agenda, i, T0, T0 + SEC(1001), 300 * DAY);
    ck_assert_int_eq(take(T0), 0);
    miss(0, T0 + HOUR, T0 + SEC(1000));
    ck_assert_int_gt(take(T0 + SEC(10)), 0); /* one besides it may try */
    ocspx_agenda_set(agenda, 1, T0, T0 + SEC(1000), DAY);
    ck_assert_int_eq(take(T0 + SEC(20)), 1);
    ocspx_agenda_done(agenda, 1, 1);
    ocspx_agenda_set(agenda, 1, T0, T0 + SEC(1000), DAY);
    ck_assert_int_eq(next_after(T0 + SEC(20)),
                     T0 + SEC(20) + OCSPX_AGENDA_GAP_MAX);
}
END_TEST

START_TEST(clock_set_back)
{
    make(2, 1, 9, 9);
    ocspx_agenda_set(agenda, 0, T0, T0 + 9 * DAY, 5 * DAY);
    ck_assert_int_eq(take(T0), 0);
    ocspx_agenda_set(agenda, 1, T0 - DAY, T0 + 9 * DAY, 5 * DAY);
    ck_assert_int_eq(next_after(T0 - DAY), T0 - DAY + OCSPX_AGENDA_GAP_MAX);
}
END_TEST

/* --- hosts that are shut ---------------------------------------------- */

START_TEST(shut_host_is_probed_by_one)
{
    int other;

    make(10, 2, 20, 6);
    for (unsigned i = 0; i < 10; i += 2)
        set_empty(i, i < 2 ? T0 : T0 + 1);
    ck_assert_int_eq(take(T0), 0);
    miss(0, T0 + SEC(5), 0);
    ck_assert_int_gt(other = take(T0 + 2), 0); /* one besides it may try */
    ck_assert_int_eq(take(T0 + 2), -1);
    miss((unsigned)other, T0 + SEC(4), 0);
    ck_assert_int_eq(next_after(T0 + 2), T0 + SEC(4));
    ck_assert_int_eq(next_after(T0 + SEC(4)), T0 + SEC(5));
    ck_assert_int_eq(take(T0 + SEC(5)), 0);
    ck_assert_int_eq(take(T0 + SEC(9)), -1);
    set_empty(1, T0); /* the other host has nothing to do with it */
    ck_assert_int_eq(take(T0 + SEC(9)), 1);
}
END_TEST

/* Who got it without asking says nothing of the host; the next may be as
 * lucky. */
START_TEST(who_did_not_ask_lets_the_next_try)
{
    int i, n;

    make(10, 1, 20, 6);
    for (i = 0; i < 10; i++)
        set_empty((unsigned)i, T0);
    i = take(T0);
    miss((unsigned)i, T0 + DAY, 0);
    for (n = 1; n < 9; n++) {
        ck_assert_int_ge(i = take(T0), 0);
        ck_assert_int_eq(take(T0), -1); /* it is still shut */
        ocspx_agenda_done(agenda, (unsigned)i, OCSPX_AGENDA_UNASKED);
    }
    ck_assert_int_ge(i = take(T0), 0);
    miss((unsigned)i, T0 + DAY, 0);
    ck_assert_int_eq(take(T0), -1);
}
END_TEST

START_TEST(answer_opens_for_all)
{
    int other;

    make(5, 1, 20, 6);
    for (unsigned i = 0; i < 5; i++)
        set_empty(i, i ? T0 + 1 : T0);
    ck_assert_int_eq(take(T0), 0);
    miss(0, T0 + SEC(5), 0);
    ck_assert_int_gt(other = take(T0 + 1), 0);
    miss((unsigned)other, T0 + SEC(60), 0);
    ck_assert_int_eq(take(T0 + 1), -1);
    ck_assert_int_eq(take(T0 + SEC(5)), 0);
    ocspx_agenda_done(agenda, 0, 1);
    for (int i = 0; i < 3; i++)
        ck_assert_int_gt(take(T0 + SEC(5)), 0);
    ck_assert_int_eq(take(T0 + SEC(5)), -1);
}
END_TEST

/* How often a dead host is asked in half a day by n certificates of a day. */
static unsigned requests_in_an_outage(unsigned n, int empty)
{
    static const ocspx_schedule_policy_t policy = {
        .refresh_percent = 50, .retry_min = SEC(5), .retry_max = HOUR};
    static ocspx_schedule_failures_t failures[500];
    apr_time_t now = T0;
    unsigned requests = 0;
    ocspx_schedule_validity_t v = {0};

    make(n, 1, 32, 6);
    for (unsigned i = 0; i < n; i++) {
        failures[i].count = 0;
        v.expiry = empty ? 0 : T0 + 12 * HOUR + i * SEC(40);
        ocspx_agenda_set(agenda, i, T0 + (empty ? 0 : i * SEC(40)), v.expiry,
                         12 * HOUR);
    }
    while (now < T0 + 11 * HOUR) {
        apr_time_t next;
        int taken = ocspx_agenda_take(agenda, now, &next);
        unsigned i = (unsigned)taken;

        if (taken < 0) {
            now = next;
            continue;
        }
        if (!failures[i].count++)
            failures[i].since = now;
        v.expiry = empty ? 0 : T0 + 12 * HOUR + i * SEC(40);
        miss(i, ocspx_schedule_retry(now, &v, &policy, &failures[i], requests),
             v.expiry);
        requests++;
    }
    return requests;
}

START_TEST(many_ask_a_dead_host_no_more_than_one)
{
    unsigned one = requests_in_an_outage(1, 0);

    ck_assert_uint_ge(one, 20);
    ck_assert_uint_le(requests_in_an_outage(500, 0), 3 * one);
    one = requests_in_an_outage(1, 1);
    ck_assert_uint_ge(one, 11 * 60);
    ck_assert_uint_ge(requests_in_an_outage(500, 1), 11 * 60);
    ck_assert_uint_le(requests_in_an_outage(500, 1), 3 * one);
}
END_TEST

START_TEST(greater_need_takes_the_lead)
{
    make(3, 1, 20, 6);
    ocspx_agenda_set(agenda, 0, T0, T0 + DAY, HOUR);
    ck_assert_int_eq(take(T0), 0);
    miss(0, T0 + HOUR, T0 + DAY);
    ocspx_agenda_set(agenda, 1, T0, T0 + 2 * DAY, HOUR);
    ck_assert_int_eq(take(T0 + SEC(10)), 1);
    miss(1, T0 + SEC(20), T0 + 2 * DAY);
    ck_assert_int_eq(take(T0 + SEC(30)), -1); /* needs it less than 0 does */
    set_empty(2, T0 + SEC(30));
    ck_assert_int_eq(take(T0 + SEC(30)), 2);
    miss(2, T0 + SEC(60), 0);
    ck_assert_int_eq(take(T0 + SEC(40)), 1); /* one besides it may try */
    miss(1, T0 + SEC(45), T0 + 2 * DAY);
    ck_assert_int_eq(take(T0 + SEC(59)), -1);
    ck_assert_int_eq(take(T0 + SEC(60)), 2);
}
END_TEST

/* The responder never answers for entry 0. The others get their turns. */
START_TEST(silence_about_one_is_not_an_outage)
{
    unsigned answered = 0;
    apr_time_t now = T0;
    apr_time_t next;

    make(50, 1, 4, 2);
    for (unsigned i = 0; i < 50; i++)
        set_empty(i, T0);
    while (now < T0 + 5 * SEC(60)) {
        int i = ocspx_agenda_take(agenda, now, &next);

        if (i < 0) {
            now = next;
            continue;
        }
        if (!i) {
            miss(0, now + SEC(60), 0);
            continue;
        }
        ocspx_agenda_done(agenda, (unsigned)i, 1);
        ocspx_agenda_set(agenda, (unsigned)i, T0 + DAY, T0 + 2 * DAY, DAY);
        answered++;
    }
    ck_assert_uint_eq(answered, 49);
}
END_TEST

START_TEST(every_one_has_its_turn)
{
    unsigned tries[8] = {0};
    apr_time_t now = T0;
    apr_time_t next;

    make(8, 1, 20, 1);
    for (unsigned i = 0; i < 8; i++)
        ocspx_agenda_set(agenda, i, T0, T0 + DAY + i, DAY);
    while (now < T0 + HOUR) {
        int i = ocspx_agenda_take(agenda, now, &next);

        if (i < 0) {
            now = next;
            continue;
        }
        tries[i]++;
        miss((unsigned)i, now + SEC(60), T0 + DAY + i);
    }
    for (unsigned i = 0; i < 8; i++)
        ck_assert_uint_ge(tries[i], 4);
}
END_TEST

/* Several were under way when the host went away: their failures, too, let
 * only one other try. */
START_TEST(several_fail_at_once)
{
    unsigned taken[6];
    unsigned i;

    make(20, 1, 20, 6);
    for (i = 0; i < 20; i++)
        set_empty(i, T0);
    for (i = 0; i < 6; i++)
        taken[i] = (unsigned)take(T0);
    for (i = 0; i < 6; i++) {
        ck_assert_int_eq(take(T0), -1); /* some are under way */
        miss(taken[i], T0 + SEC(5), 0);
    }
    ck_assert_int_ge(take(T0), 0);
    ck_assert_int_eq(take(T0), -1);
}
END_TEST

/* The pacer got its response from another responder: the rest must not wait
 * for its next refresh. */
START_TEST(pacer_helped_elsewhere)
{
    make(2, 1, 20, 6);
    ocspx_agenda_set(agenda, 0, T0, T0 + HOUR, HOUR);
    ck_assert_int_eq(take(T0), 0);
    miss(0, T0 + 6 * HOUR, T0 + 12 * HOUR);
    ocspx_agenda_set(agenda, 1, T0, T0 + DAY, HOUR);
    ck_assert_int_eq(take(T0 + SEC(10)), 1);
    miss(1, T0 + SEC(30), T0 + DAY);
    ck_assert_int_eq(take(T0 + SEC(30)), 1);
}
END_TEST

/* --- size ------------------------------------------------------------- */

/* CPU time of the work of one healthy entry beside n that wait. */
static clock_t work_beside(unsigned n, unsigned hosts)
{
    apr_time_t now = T0;
    clock_t began;
    unsigned i;

    for (i = 0; i < n; i++)
        host_of[i] = i % hosts;
    host_of[n] = hosts;
    agenda =
        ocspx_agenda_make(n + 1, hosts + 1, host_of, n + 1, n + 1, 1, pool);
    for (i = 0; i < n; i++)
        set_empty(i, T0);
    for (i = 0; i < n; i++)
        ck_assert_int_ge(take(T0), 0);
    for (i = 0; i < n; i++)
        miss(i, i < hosts ? T0 + DAY : T0, 0);
    while ((int)(i = (unsigned)take(T0)) >= 0) /* the others' one try */
        miss(i, T0, 0);
    began = clock();
    for (i = 0; i < 20000; i++) {
        set_empty(n, now);
        ck_assert_int_eq(take(now), (int)n);
        ck_assert_int_eq(take(now), -1);
        ocspx_agenda_done(agenda, n, 1);
        now++;
    }
    return clock() - began;
}

START_TEST(what_waits_costs_nothing)
{
    clock_t few = work_beside(10, 1) + CLOCKS_PER_SEC / 1000;

    ck_assert_int_lt(work_beside(MANY, 1), 20 * few);
    ck_assert_int_lt(work_beside(MANY, MANY), 20 * few);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("agenda");
    TCase *order = tcase_create("order");
    TCase *pace = tcase_create("pace");
    TCase *shut = tcase_create("shut hosts");

    tcase_add_checked_fixture(order, setup, teardown);
    tcase_add_test(order, due_when_due);
    tcase_add_test(order, set_again);
    tcase_add_test(order, set_again_when_due_already);
    tcase_add_test(order, first_to_expire_goes_first);
    tcase_add_test(order, limit_in_all);
    tcase_add_test(order, limit_per_host);
    tcase_add_test(order, any_sequence);
    suite_add_tcase(suite, order);
    tcase_add_checked_fixture(pace, setup, teardown);
    tcase_add_test(pace, pace_is_twice_the_mean_rate);
    tcase_add_test(pace, pace_of_a_few);
    tcase_add_test(pace, pace_does_not_hold_up_the_empty);
    tcase_add_test(pace, pace_saves_what_is_about_to_expire);
    tcase_add_test(pace, pace_does_not_drift);
    tcase_add_test(pace, pace_of_very_short_intervals);
    tcase_add_test(pace, pace_is_not_set_by_a_shut_host);
    tcase_add_test(pace, clock_set_back);
    suite_add_tcase(suite, pace);
    tcase_add_checked_fixture(shut, setup, teardown);
    tcase_add_test(shut, shut_host_is_probed_by_one);
    tcase_add_test(shut, who_did_not_ask_lets_the_next_try);
    tcase_add_test(shut, answer_opens_for_all);
    tcase_add_test(shut, many_ask_a_dead_host_no_more_than_one);
    tcase_add_test(shut, greater_need_takes_the_lead);
    tcase_add_test(shut, silence_about_one_is_not_an_outage);
    tcase_add_test(shut, every_one_has_its_turn);
    tcase_add_test(shut, several_fail_at_once);
    tcase_add_test(shut, pacer_helped_elsewhere);
    tcase_add_test(shut, what_waits_costs_nothing);
    suite_add_tcase(suite, shut);
    return ocspx_check_main(suite);
}
