/* test_stagger: servers that share what they fetch come due one after the
 * other.
 */
#include "../../mod_ocspx/core/schedule.h"
#include "../support/check_main.h"

#define SEC(n) apr_time_from_sec(n)
#define HOUR SEC(3600)
#define DAY (24 * HOUR)
#define T0 (20000 * DAY)
#define SERVERS 20
#define ROUNDS 2000

static const ocspx_schedule_policy_t policy = {
    .refresh_percent = OCSPX_SCHEDULE_REFRESH_PERCENT,
    .retry_min = OCSPX_SCHEDULE_RETRY_MIN,
    .retry_max = OCSPX_SCHEDULE_RETRY_MAX,
};

/* Their times are spread over the window, with every certificate and every
 * response in another order, and the first is well ahead of the second. */
START_TEST(stagger_spreads_servers)
{
    ocspx_schedule_validity_t v = {.this_update = T0, .expiry = T0 + 10 * DAY};
    unsigned first[SERVERS] = {0};
    apr_interval_time_t gaps = 0;
    apr_uint64_t i;
    unsigned j;

    for (i = 0; i < ROUNDS; i++) {
        apr_time_t due[SERVERS];
        unsigned best = 0, second = 1;

        v.this_update = T0 - (apr_time_t)(i % 3);
        for (j = 0; j < SERVERS; j++) {
            due[j] = ocspx_schedule_refresh(
                T0, &v, &policy,
                ocspx_schedule_stagger(j, i / 7, v.this_update), 0);
            if (due[j] < due[best])
                best = j;
        }
        second = best ? 0 : 1;
        for (j = 0; j < SERVERS; j++)
            if (j != best && due[j] < due[second])
                second = j;
        first[best]++;
        gaps += due[second] - due[best];
    }
    for (j = 0; j < SERVERS; j++) {
        ck_assert_uint_ge(first[j], ROUNDS / SERVERS / 2);
        ck_assert_uint_le(first[j], ROUNDS / SERVERS * 2);
    }
    /* of 20 in 12 hours; 34 minutes if they were spread evenly */
    ck_assert_int_ge(gaps / ROUNDS, HOUR);
    ck_assert_int_le(gaps / ROUNDS, HOUR / 5 * 7);
}
END_TEST

/* Late, and all of them late: found when its window has begun. */
START_TEST(found_late_spreads_servers)
{
    ocspx_schedule_validity_t v = {.this_update = T0, .expiry = T0 + 10 * DAY};
    apr_time_t found = T0 + 115 * HOUR, end = T0 + 5 * DAY;
    unsigned j, early = 0;

    for (j = 0; j < 100; j++) {
        apr_time_t due = ocspx_schedule_refresh(
            found, &v, &policy, ocspx_schedule_stagger(j, 1, T0),
            OCSPX_SCHEDULE_REST);

        ck_assert_int_gt(due, found);
        ck_assert_int_le(due, end);
        early += due < found + (end - found) / 2;
    }
    ck_assert_uint_ge(early, 10);
    ck_assert_uint_le(early, 40);
    ck_assert_int_eq(
        ocspx_schedule_refresh(found, &v, &policy, 1, OCSPX_SCHEDULE_WINDOW),
        end);
}
END_TEST

START_TEST(stagger_is_the_same_again)
{
    ck_assert_uint_eq(ocspx_schedule_stagger(1, 2, T0),
                      ocspx_schedule_stagger(1, 2, T0));
    ck_assert_uint_ne(ocspx_schedule_stagger(1, 2, T0),
                      ocspx_schedule_stagger(2, 1, T0));
    ck_assert_uint_ne(ocspx_schedule_stagger(1, 2, T0),
                      ocspx_schedule_stagger(1, 2, T0 + 1));
}
END_TEST

START_TEST(overdue_from_the_refresh_point_on)
{
    ocspx_schedule_validity_t v = {.this_update = T0, .expiry = T0 + 10 * DAY};

    ck_assert(!ocspx_schedule_overdue(T0, &v, &policy));
    ck_assert(!ocspx_schedule_overdue(T0 + 5 * DAY - 1, &v, &policy));
    ck_assert(ocspx_schedule_overdue(T0 + 5 * DAY, &v, &policy));
    v.open = 1;
    ck_assert(!ocspx_schedule_overdue(T0 + 7 * DAY, &v, &policy));
    ck_assert(ocspx_schedule_overdue(T0 + 8 * DAY, &v, &policy));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stagger");
    TCase *tests = tcase_create("stagger");

    tcase_add_test(tests, stagger_spreads_servers);
    tcase_add_test(tests, found_late_spreads_servers);
    tcase_add_test(tests, stagger_is_the_same_again);
    tcase_add_test(tests, overdue_from_the_refresh_point_on);
    suite_add_tcase(suite, tests);
    return ocspx_check_main(suite);
}
