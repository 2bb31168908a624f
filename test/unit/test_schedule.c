/* test_schedule: due times, at their edges and for any input. */
#include "../../mod_ocspx/core/schedule.h"
#include "../support/check_main.h"

#define SEC(n) apr_time_from_sec(n)
#define HOUR SEC(3600)
#define DAY (24 * HOUR)
#define T0 (20000 * DAY)
#define SEEDS 2000

static const ocspx_schedule_policy_t policy = {
    .refresh_percent = OCSPX_SCHEDULE_REFRESH_PERCENT,
    .retry_min = OCSPX_SCHEDULE_RETRY_MIN,
    .retry_max = OCSPX_SCHEDULE_RETRY_MAX,
};

static const ocspx_schedule_validity_t nothing;

typedef struct {
    apr_time_t least, most;
} range_t;

static void widen(range_t *range, apr_time_t t)
{
    if (!range->least || t < range->least)
        range->least = t;
    if (t > range->most)
        range->most = t;
}

static range_t refreshes(apr_time_t now, const ocspx_schedule_validity_t *v,
                         const ocspx_schedule_policy_t *with,
                         ocspx_schedule_spread_e spread)
{
    range_t range = {0, 0};
    apr_uint64_t seed;

    for (seed = 0; seed < SEEDS; seed++)
        widen(&range, ocspx_schedule_refresh(now, v, with, seed, spread));
    return range;
}

static range_t retries(apr_time_t now, const ocspx_schedule_validity_t *v,
                       const ocspx_schedule_policy_t *with,
                       const ocspx_schedule_failures_t *failures)
{
    range_t range = {0, 0};
    apr_uint64_t seed;

    for (seed = 0; seed < SEEDS; seed++)
        widen(&range, ocspx_schedule_retry(now, v, with, failures, seed));
    return range;
}

/* The draws lie within [from, to] and come within a twentieth of its
 * beginning, where they are rare, and a fiftieth of its end. */
static void fills(range_t range, apr_time_t from, apr_time_t to)
{
    ck_assert_int_ge(range.least, from);
    ck_assert_int_le(range.most, to);
    ck_assert_int_le(range.least, from + (to - from) / 20);
    ck_assert_int_ge(range.most, to - (to - from) / 50);
}

static ocspx_schedule_validity_t valid(apr_interval_time_t age,
                                       apr_interval_time_t validity)
{
    return (ocspx_schedule_validity_t){.this_update = T0 - age,
                                       .expiry = T0 - age + validity};
}

/* --- refresh ---------------------------------------------------------- */

START_TEST(refresh_before_half)
{
    ocspx_schedule_validity_t v = valid(0, 10 * DAY);

    fills(refreshes(T0, &v, &policy, 0), T0 + 108 * HOUR, T0 + 120 * HOUR);
}
END_TEST

START_TEST(refresh_counts_from_this_update)
{
    ocspx_schedule_validity_t v = valid(3 * HOUR, 12 * HOUR);

    fills(refreshes(T0, &v, &policy, 0), T0 + HOUR / 10 * 24, T0 + 3 * HOUR);
}
END_TEST

START_TEST(refresh_percent)
{
    ocspx_schedule_validity_t v = valid(0, 100 * HOUR);
    ocspx_schedule_policy_t at = policy;

    at.refresh_percent = 30;
    fills(refreshes(T0, &v, &at, 0), T0 + 27 * HOUR, T0 + 30 * HOUR);
    at.refresh_percent = 99;
    fills(refreshes(T0, &v, &at, 0), T0 + HOUR / 10 * 675, T0 + 75 * HOUR);
    at.refresh_percent = -5;
    fills(refreshes(T0, &v, &at, 0), T0 + HOUR / 10 * 9, T0 + HOUR);
}
END_TEST

START_TEST(refresh_seed)
{
    ocspx_schedule_validity_t v = valid(0, 10 * DAY);

    ck_assert_int_eq(ocspx_schedule_refresh(T0, &v, &policy, 7, 0),
                     ocspx_schedule_refresh(T0, &v, &policy, 7, 0));
    ck_assert_int_ne(ocspx_schedule_refresh(T0, &v, &policy, 7, 0),
                     ocspx_schedule_refresh(T0, &v, &policy, 8, 0));
}
END_TEST

START_TEST(refresh_old_answer_again)
{
    ocspx_schedule_validity_t v = valid(6 * DAY, 10 * DAY);

    fills(refreshes(T0, &v, &policy, 0), T0 + HOUR / 10 * 108, T0 + 12 * HOUR);
}
END_TEST

/* Within the window the rest of it is waited for, not drawn from again. */
START_TEST(refresh_old_answer_in_window)
{
    ocspx_schedule_validity_t v = valid(114 * HOUR, 10 * DAY);
    range_t range = refreshes(T0, &v, &policy, 0);

    ck_assert_int_eq(range.least, T0 + 6 * HOUR);
    ck_assert_int_eq(range.most, T0 + 6 * HOUR);
}
END_TEST

START_TEST(refresh_is_never_at_once)
{
    ocspx_schedule_validity_t v = valid(6 * HOUR - SEC(1), 12 * HOUR);
    range_t range = refreshes(T0, &v, &policy, 0);

    ck_assert_int_eq(range.least, T0 + SEC(5));
    ck_assert_int_eq(range.most, T0 + SEC(5));
    v = valid(SEC(2), SEC(10)); /* an eighth of what is left is less */
    ck_assert_int_ge(refreshes(T0, &v, &policy, 0).least, T0 + SEC(1));
    ck_assert_int_le(refreshes(T0, &v, &policy, 0).most, T0 + SEC(3));
}
END_TEST

START_TEST(refresh_open)
{
    ocspx_schedule_validity_t v = valid(0, 12 * HOUR);

    v.open = 1;
    fills(refreshes(T0, &v, &policy, 0), T0 + SEC(3240), T0 + HOUR);
    v = valid(11 * HOUR + SEC(1800), 12 * HOUR);
    v.open = 1;
    ck_assert_int_le(refreshes(T0, &v, &policy, 0).most, T0 + SEC(225));
}
END_TEST

START_TEST(refresh_max)
{
    ocspx_schedule_validity_t v = valid(0, 10 * DAY);
    ocspx_schedule_policy_t hourly = policy;

    hourly.refresh_max = HOUR;
    fills(refreshes(T0, &v, &hourly, 0), T0 + SEC(3240), T0 + HOUR);
    v.fresh_until = T0 + 2 * DAY;
    ck_assert_int_le(refreshes(T0, &v, &hourly, 0).most, T0 + HOUR);
    hourly.refresh_max = 9 * DAY;
    v.fresh_until = 0;
    fills(refreshes(T0, &v, &hourly, 0), T0 + 108 * HOUR, T0 + 120 * HOUR);
}
END_TEST

START_TEST(refresh_http_freshness)
{
    ocspx_schedule_validity_t v = valid(0, 100 * HOUR);

    v.fresh_until = T0 + 20 * HOUR; /* before the window: nothing changes */
    fills(refreshes(T0, &v, &policy, 0), T0 + 45 * HOUR, T0 + 50 * HOUR);
    v.fresh_until = T0 + 48 * HOUR;
    fills(refreshes(T0, &v, &policy, 0), T0 + 48 * HOUR, T0 + 50 * HOUR);
    v.fresh_until = T0 + 60 * HOUR;
    fills(refreshes(T0, &v, &policy, 0), T0 + 60 * HOUR, T0 + 60 * HOUR);
    v.fresh_until = APR_INT64_MAX;
    fills(refreshes(T0, &v, &policy, 0), T0 + 75 * HOUR, T0 + 75 * HOUR);
}
END_TEST

START_TEST(refresh_spread)
{
    ocspx_schedule_validity_t v = valid(20 * HOUR, 100 * HOUR);
    unsigned early = 0, seed;

    fills(refreshes(T0, &v, &policy, 1), T0 + SEC(5), T0 + 30 * HOUR);
    for (seed = 0; seed < SEEDS; seed++)
        early +=
            ocspx_schedule_refresh(T0, &v, &policy, seed, 1) < T0 + 15 * HOUR;
    ck_assert_uint_gt(early, SEEDS * 45 / 100);
    ck_assert_uint_lt(early, SEEDS * 55 / 100);
    v.fresh_until = T0 + 10 * HOUR;
    fills(refreshes(T0, &v, &policy, 1), T0 + 10 * HOUR, T0 + 30 * HOUR);
    v = valid(60 * HOUR, 100 * HOUR); /* past: as without */
    fills(refreshes(T0, &v, &policy, 1), T0 + HOUR / 10 * 45, T0 + 5 * HOUR);
}
END_TEST

/* The clock was a year ahead when this was obtained. */
START_TEST(refresh_after_clock_jump)
{
    ocspx_schedule_validity_t v = valid(-365 * DAY, 10 * DAY);

    fills(refreshes(T0, &v, &policy, 0), T0 + 108 * HOUR, T0 + 120 * HOUR);
}
END_TEST

static void has_mean(const ocspx_schedule_validity_t *v)
{
    double interval = (double)ocspx_schedule_interval(T0, v, &policy);
    double sum = 0;
    apr_uint64_t seed;

    for (seed = 0; seed < SEEDS; seed++)
        sum += (double)(ocspx_schedule_refresh(T0, v, &policy, seed, 0) - T0);
    ck_assert(interval > 0.997 * sum / SEEDS && interval < 1.003 * sum / SEEDS);
}

START_TEST(interval_is_the_mean)
{
    ocspx_schedule_validity_t v = valid(0, 100 * HOUR);

    has_mean(&v);
    v = valid(30 * HOUR, 100 * HOUR);
    has_mean(&v);
    v.fresh_until = T0 + 30 * HOUR;
    ck_assert_int_eq(ocspx_schedule_interval(T0, &v, &policy), 30 * HOUR);
    ck_assert_int_eq(ocspx_schedule_interval(T0, &nothing, &policy), 0);
}
END_TEST

/* --- retry ------------------------------------------------------------ */

START_TEST(retry_doubles)
{
    ocspx_schedule_validity_t v = valid(5 * DAY, 10 * DAY);
    unsigned count;

    for (count = 1; count <= 9; count++) {
        ocspx_schedule_failures_t f = {.count = count, .since = T0 - DAY};
        apr_interval_time_t cap = SEC(5) << (count - 1);

        fills(retries(T0, &v, &policy, &f), T0 + cap / 8, T0 + cap);
    }
}
END_TEST

START_TEST(retry_is_clamped)
{
    static const unsigned counts[] = {11, 26, 31, 32, 33, 64, 65, 4000000000U};
    ocspx_schedule_validity_t v = valid(5 * DAY, 10 * DAY);
    ocspx_schedule_failures_t f = {.since = T0 - DAY};
    ocspx_schedule_policy_t slow = policy;
    size_t i;

    for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        f.count = counts[i];
        fills(retries(T0, &v, &policy, &f), T0 + SEC(450), T0 + HOUR);
    }
    slow.retry_min = DAY;
    slow.retry_max = 2 * DAY;
    fills(retries(T0, &v, &slow, &f), T0 + SEC(6750), T0 + 15 * HOUR);
}
END_TEST

START_TEST(retry_never_sleeps_past_an_eighth)
{
    apr_interval_time_t left;

    for (left = SEC(1); left < DAY; left += left / 3) {
        ocspx_schedule_validity_t v = {.this_update = T0 - 10 * DAY,
                                       .expiry = T0 + left};
        ocspx_schedule_failures_t f = {
            .count = 100, .since = T0 - 5 * DAY, .retry_after = T0 + 9 * DAY};

        ck_assert_int_le(retries(T0, &v, &policy, &f).most, T0 + left / 8);
    }
}
END_TEST

START_TEST(retry_until_the_very_end)
{
    ocspx_schedule_validity_t v = valid(6 * HOUR, 12 * HOUR);
    ocspx_schedule_failures_t f = {.since = T0};
    apr_time_t now = T0;
    apr_time_t before = T0;
    unsigned requests = 0;

    while (now < v.expiry) {
        before = now;
        f.count++;
        now = ocspx_schedule_retry(now, &v, &policy, &f, requests++);
    }
    ck_assert_int_ge(before, v.expiry - SEC(1));
    ck_assert_uint_le(requests, 250);
}
END_TEST

START_TEST(retry_with_nothing_served)
{
    ocspx_schedule_validity_t expired = {.this_update = T0 - DAY, .expiry = T0};
    ocspx_schedule_failures_t f = {.count = 1, .since = T0};

    fills(retries(T0, &nothing, &policy, &f), T0 + SEC(15) / 4,
          T0 + SEC(9) / 2);
    f.count = 50;
    f.since = T0 - SEC(360);
    fills(retries(T0, &nothing, &policy, &f), T0 + SEC(45) / 2, T0 + SEC(27));
    fills(retries(T0, &expired, &policy, &f), T0 + SEC(45) / 2, T0 + SEC(27));
    f.since = T0 - DAY;
    fills(retries(T0, &nothing, &policy, &f), T0 + SEC(45), T0 + SEC(54));
    f.since = T0 + DAY; /* the clock was set back */
    fills(retries(T0, &nothing, &policy, &f), T0 + SEC(15) / 4,
          T0 + SEC(9) / 2);
}
END_TEST

/* The responder comes back after a minute in which each fetch hung for 10 s:
 * the next fetch begins at most 14.5 s later, half a second before the
 * staple has to be there. */
START_TEST(retry_after_an_outage_of_a_minute)
{
    apr_uint64_t seed;

    for (seed = 0; seed < SEEDS; seed++) {
        apr_time_t started = T0;
        ocspx_schedule_failures_t f = {.since = T0 + SEC(10)};
        apr_uint64_t draws = seed * SEEDS;

        while (started < T0 + SEC(60)) {
            f.count++;
            started = ocspx_schedule_retry(started + SEC(10), &nothing, &policy,
                                           &f, draws++);
        }
        ck_assert_int_le(started, T0 + SEC(149) / 2);
    }
}
END_TEST

START_TEST(retry_after_is_obeyed_within_the_caps)
{
    ocspx_schedule_validity_t v = valid(5 * DAY, 10 * DAY);
    ocspx_schedule_failures_t f = {.count = 1, .since = T0};

    f.retry_after = T0 + SEC(600);
    fills(retries(T0, &v, &policy, &f), f.retry_after, f.retry_after);
    f.retry_after = T0 + DAY;
    fills(retries(T0, &v, &policy, &f), T0 + HOUR, T0 + HOUR);
    fills(retries(T0, &nothing, &policy, &f), T0 + SEC(60), T0 + SEC(60));
    f.retry_after = T0 - DAY;
    fills(retries(T0, &v, &policy, &f), T0 + SEC(5) / 8, T0 + SEC(5));
}
END_TEST

START_TEST(retry_max_caps_empty)
{
    ocspx_schedule_failures_t f = {.count = 9, .since = T0 - DAY};
    ocspx_schedule_policy_t quick = policy;

    quick.retry_max = SEC(20);
    fills(retries(T0, &nothing, &quick, &f), T0 + SEC(15), T0 + SEC(18));
}
END_TEST

/* --- any input -------------------------------------------------------- */

static apr_int64_t wild(apr_uint64_t *seed)
{
    static const apr_int64_t edges[] = {
        0,  1,   -1,   APR_INT64_MAX, APR_INT64_MIN, APR_INT64_MAX - 1,
        T0, -T0, HOUR, 10 * DAY,      T0 + HOUR,     T0 - HOUR,
    };
    apr_uint64_t x = *seed = ocspx_schedule_mix(*seed);

    if (x & 1)
        return edges[(x >> 8) % (sizeof(edges) / sizeof(edges[0]))];
    return (apr_int64_t)(ocspx_schedule_mix(x) >> ((x >> 1) & 63)) *
           (x & 128 ? -1 : 1);
}

START_TEST(any_input_is_safe)
{
    apr_uint64_t seed = 1;
    int i;

    for (i = 0; i < 200000; i++) {
        apr_time_t now = wild(&seed);
        ocspx_schedule_policy_t pol = {.refresh_percent = (int)wild(&seed),
                                       .retry_min = wild(&seed),
                                       .retry_max = wild(&seed),
                                       .refresh_max = wild(&seed),
                                       .maturity = wild(&seed)};
        ocspx_schedule_validity_t fresh = {.this_update = wild(&seed),
                                           .expiry = wild(&seed)};
        ocspx_schedule_validity_t v = {.this_update = wild(&seed),
                                       .expiry = wild(&seed),
                                       .open = (int)(seed & 1),
                                       .fresh_until = wild(&seed)};
        ocspx_schedule_failures_t f = {.count = (unsigned)wild(&seed),
                                       .since = wild(&seed),
                                       .retry_after = wild(&seed)};
        int end = now > APR_INT64_MAX - SEC(1);

        ck_assert(end ||
                  ocspx_schedule_refresh(now, &v, &pol, seed, i & 1) > now);
        ck_assert(end || ocspx_schedule_retry(now, &v, &pol, &f, seed) > now);
        ck_assert_int_ge(ocspx_schedule_interval(now, &v, &pol), 0);
        ck_assert_int_le(ocspx_schedule_serve(now, &v, &fresh, &pol),
                         now > v.expiry ? now : v.expiry);
    }
}
END_TEST

/* Whatever has been got, the next request comes before 75 % of the validity
 * or after an eighth of what is left of it, and so before the expiry. */
START_TEST(any_response_is_refreshed_in_time)
{
    apr_uint64_t seed = 2;
    int i;

    for (i = 0; i < 100000; i++) {
        apr_interval_time_t validity =
            SEC(2) + (apr_interval_time_t)((apr_uint64_t)wild(&seed) %
                                           (apr_uint64_t)(400 * DAY));
        apr_interval_time_t age =
            (apr_interval_time_t)((apr_uint64_t)wild(&seed) %
                                  (apr_uint64_t)(validity - SEC(1)));
        ocspx_schedule_validity_t v = valid(age, validity);
        apr_time_t limit = v.this_update + validity / 4 * 3 + 4;
        apr_time_t due;

        if (limit < T0 + (validity - age) / 8)
            limit = T0 + (validity - age) / 8;
        v.fresh_until = wild(&seed);
        due = ocspx_schedule_refresh(T0, &v, &policy, seed, i & 1);
        ck_assert_int_le(due, limit);
        ck_assert_int_lt(due, v.expiry);
    }
}
END_TEST

START_TEST(mix_is_splitmix64)
{
    /* First outputs of splitmix64 from the states 0 and 1234567. */
    ck_assert_uint_eq(ocspx_schedule_mix(0), APR_UINT64_C(0xe220a8397b1dcdaf));
    ck_assert_uint_eq(ocspx_schedule_mix(1234567),
                      APR_UINT64_C(6457827717110365317));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("schedule");
    TCase *refresh = tcase_create("refresh");
    TCase *retry = tcase_create("retry");
    TCase *any = tcase_create("any input");

    tcase_add_test(refresh, refresh_before_half);
    tcase_add_test(refresh, refresh_counts_from_this_update);
    tcase_add_test(refresh, refresh_percent);
    tcase_add_test(refresh, refresh_seed);
    tcase_add_test(refresh, refresh_old_answer_again);
    tcase_add_test(refresh, refresh_old_answer_in_window);
    tcase_add_test(refresh, refresh_is_never_at_once);
    tcase_add_test(refresh, refresh_open);
    tcase_add_test(refresh, refresh_max);
    tcase_add_test(refresh, refresh_http_freshness);
    tcase_add_test(refresh, refresh_spread);
    tcase_add_test(refresh, refresh_after_clock_jump);
    tcase_add_test(refresh, interval_is_the_mean);
    suite_add_tcase(suite, refresh);
    tcase_add_test(retry, retry_doubles);
    tcase_add_test(retry, retry_is_clamped);
    tcase_add_test(retry, retry_never_sleeps_past_an_eighth);
    tcase_add_test(retry, retry_until_the_very_end);
    tcase_add_test(retry, retry_with_nothing_served);
    tcase_add_test(retry, retry_after_an_outage_of_a_minute);
    tcase_add_test(retry, retry_after_is_obeyed_within_the_caps);
    tcase_add_test(retry, retry_max_caps_empty);
    suite_add_tcase(suite, retry);
    tcase_add_test(any, any_input_is_safe);
    tcase_add_test(any, any_response_is_refreshed_in_time);
    tcase_add_test(any, mix_is_splitmix64);
    suite_add_tcase(suite, any);
    return ocspx_check_main(suite);
}
