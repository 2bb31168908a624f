/* test_words: times, durations and numbers as a person reads them. */
#include "../support/check_main.h"

#include "../../mod_ocspx/core/words.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))
#define NOW apr_time_from_sec(2000000000)

static apr_pool_t *pool;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static const struct {
    apr_int64_t seconds;
    const char *words;
} spans[] = {
    {0, "0 s"},
    {1, "1 s"},
    {59, "59 s"},
    {60, "1 min"},
    {61, "1 min 1 s"},
    {3599, "59 min 59 s"},
    {3600, "1 h"},
    {3659, "1 h"},
    {3660, "1 h 1 min"},
    {86399, "23 h 59 min"},
    {86400, "1 d"},
    {86400 + 3599, "1 d"},
    {3 * 86400 + 4 * 3600 + 59, "3 d 4 h"},
    {400 * 86400, "400 d"},
    {-61, "1 min 1 s"},
};

START_TEST(spans_have_two_units)
{
    ck_assert_str_eq(
        ocspx_words_span(apr_time_from_sec(spans[_i].seconds), pool),
        spans[_i].words);
}
END_TEST

START_TEST(spans_of_any_length)
{
    ck_assert_str_eq(ocspx_words_span(APR_INT64_MAX, pool), "106751991 d 4 h");
    ck_assert_str_eq(ocspx_words_span(APR_INT64_MIN, pool), "106751991 d 4 h");
    ck_assert_str_eq(ocspx_words_span(apr_time_from_sec(1) - 1, pool), "0 s");
}
END_TEST

START_TEST(when)
{
    ck_assert_str_eq(ocspx_words_when(NOW, NOW, pool), "now");
    ck_assert_str_eq(ocspx_words_when(NOW + 999999, NOW, pool), "now");
    ck_assert_str_eq(ocspx_words_when(NOW - 999999, NOW, pool), "now");
    ck_assert_str_eq(ocspx_words_when(NOW + 1000000, NOW, pool), "in 1 s");
    ck_assert_str_eq(ocspx_words_when(NOW - 1000000, NOW, pool), "1 s ago");
    ck_assert_str_eq(
        ocspx_words_when(NOW + apr_time_from_sec(90000), NOW, pool),
        "in 1 d 1 h");
    ck_assert_str_eq(ocspx_words_when(0, NOW, pool), "23148 d 3 h ago");
    ck_assert_str_eq(ocspx_words_when(APR_INT64_MAX, -NOW, pool),
                     "in 106751991 d 4 h");
    ck_assert_str_eq(ocspx_words_when(APR_INT64_MIN, NOW, pool),
                     "106751991 d 4 h ago");
}
END_TEST

START_TEST(times_are_in_utc)
{
    setenv("TZ", "Asia/Tokyo", 1);
    ck_assert_str_eq(ocspx_words_time(NOW, pool), "2033-05-18 03:33:20 UTC");
    ck_assert_str_eq(ocspx_words_date(NOW, pool), "18 May 03:33");
    ck_assert_str_eq(ocspx_words_date(apr_time_from_sec(1), pool),
                     "1 Jan 00:00");
}
END_TEST

START_TEST(how_long_it_took)
{
    ck_assert_str_eq(ocspx_words_took(0, pool), "under 1 ms");
    ck_assert_str_eq(ocspx_words_took(999, pool), "under 1 ms");
    ck_assert_str_eq(ocspx_words_took(1000, pool), "1 ms");
    ck_assert_str_eq(ocspx_words_took(34400, pool), "34 ms");
    ck_assert_str_eq(ocspx_words_took(34500, pool), "35 ms");
    ck_assert_str_eq(ocspx_words_took(999400, pool), "999 ms");
    ck_assert_str_eq(ocspx_words_took(999500, pool), "1.0 s");
    ck_assert_str_eq(ocspx_words_took(1250000, pool), "1.2 s");
    ck_assert_str_eq(ocspx_words_took(10000000, pool), "10.0 s");
    ck_assert_str_eq(ocspx_words_took(APR_INT64_MAX, pool),
                     "9223372036854.7 s");
}
END_TEST

START_TEST(numbers_in_groups)
{
    ck_assert_str_eq(ocspx_words_count(0, pool), "0");
    ck_assert_str_eq(ocspx_words_count(999, pool), "999");
    ck_assert_str_eq(ocspx_words_count(1000, pool), "1,000");
    ck_assert_str_eq(ocspx_words_count(12345, pool), "12,345");
    ck_assert_str_eq(ocspx_words_count(123456, pool), "123,456");
    ck_assert_str_eq(ocspx_words_count(1234567, pool), "1,234,567");
    ck_assert_str_eq(ocspx_words_count(-123456, pool), "-123,456");
    ck_assert_str_eq(ocspx_words_count(APR_INT64_MIN, pool),
                     "-9,223,372,036,854,775,808");
    ck_assert_str_eq(ocspx_words_number(1, "name", pool), "1 name");
    ck_assert_str_eq(ocspx_words_number(0, "name", pool), "0 names");
    ck_assert_str_eq(ocspx_words_number(1000, "name", pool), "1,000 names");
}
END_TEST

START_TEST(sizes)
{
    ck_assert_str_eq(ocspx_words_size(1, pool), "1 byte");
    ck_assert_str_eq(ocspx_words_size(9999, pool), "9,999 bytes");
    ck_assert_str_eq(ocspx_words_size(10240, pool), "10.0 KB");
    ck_assert_str_eq(ocspx_words_size(1048575, pool), "1024.0 KB");
    ck_assert_str_eq(ocspx_words_size(1048576, pool), "1.0 MB");
    ck_assert_str_eq(ocspx_words_size((apr_int64_t)5 << 40, pool), "5120.0 GB");
}
END_TEST

static Suite *words_suite(void)
{
    Suite *suite = suite_create("words");
    TCase *tests = tcase_create("all");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, spans_have_two_units, 0, COUNT(spans));
    tcase_add_test(tests, spans_of_any_length);
    tcase_add_test(tests, when);
    tcase_add_test(tests, times_are_in_utc);
    tcase_add_test(tests, how_long_it_took);
    tcase_add_test(tests, numbers_in_groups);
    tcase_add_test(tests, sizes);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(words_suite());
}
