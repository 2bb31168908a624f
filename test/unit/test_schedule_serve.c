/* test_schedule_serve: when a new response takes the place of the old one. */
#include "../../mod_ocspx/core/schedule.h"
#include "../support/check_main.h"

#define SEC(n) apr_time_from_sec(n)
#define DAY SEC(86400)
#define T0 (20000 * DAY)

/* The new one is of T0 and for a day, the old one for @a left more. */
static apr_interval_time_t waits(apr_interval_time_t maturity,
                                 apr_interval_time_t validity,
                                 apr_interval_time_t left)
{
    ocspx_schedule_policy_t policy = {.maturity = maturity};
    ocspx_schedule_validity_t fresh = {.this_update = T0,
                                       .expiry = T0 + validity};
    ocspx_schedule_validity_t old = {.this_update = T0 - DAY,
                                     .expiry = T0 + left};

    return ocspx_schedule_serve(T0, &old, &fresh, &policy) - T0;
}

START_TEST(a_new_response_is_held_until_it_is_mature)
{
    ck_assert_int_eq(waits(SEC(300), DAY, DAY), SEC(300));
    ck_assert_int_eq(waits(0, DAY, DAY), 0);
    ck_assert_int_eq(waits(-1, DAY, DAY), 0);
    /* a tenth of the validity */
    ck_assert_int_eq(waits(SEC(300), SEC(3000), DAY), SEC(300));
    ck_assert_int_eq(waits(SEC(300), SEC(2990), DAY), SEC(299));
    ck_assert_int_eq(waits(SEC(300), -DAY, DAY), 0);
    /* as long before the end of the old one */
    ck_assert_int_eq(waits(SEC(300), DAY, SEC(600)), SEC(300));
    ck_assert_int_eq(waits(SEC(300), DAY, SEC(599)), SEC(299));
    ck_assert_int_le(waits(SEC(300), DAY, SEC(300)), 0);
    ck_assert_int_le(waits(SEC(300), DAY, 0), 0);
    ck_assert_int_le(waits(SEC(300), DAY, -DAY), 0);
}
END_TEST

START_TEST(where_nothing_is_served_nothing_is_held)
{
    static const ocspx_schedule_validity_t nothing;
    ocspx_schedule_policy_t policy = {.maturity = SEC(300)};
    ocspx_schedule_validity_t fresh = {.this_update = T0, .expiry = T0 + DAY};

    ck_assert_int_eq(ocspx_schedule_serve(T0, &nothing, &fresh, &policy), T0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("schedule_serve");
    TCase *tc = tcase_create("schedule_serve");

    tcase_add_test(tc, a_new_response_is_held_until_it_is_mature);
    tcase_add_test(tc, where_nothing_is_served_nothing_is_held);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
