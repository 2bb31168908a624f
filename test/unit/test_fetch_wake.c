/* test_fetch_wake: a poll that waits for nothing but somebody else's answer is
 * ended by whoever has it.
 */
#include "fetch_scene.h"

#include <pthread.h>

static void *wake_soon(void *data)
{
    (void)data;
    procs_sleep(100);
    network->wake(network);
    return NULL;
}

static long poll_for(int ms)
{
    long began = procs_ms();

    ck_assert_int_eq(network->poll(network, apr_time_from_msec(ms)),
                     APR_SUCCESS);
    return procs_ms() - began;
}

START_TEST(nothing_under_way_is_waited_for)
{
    ck_assert_int_ge(poll_for(200), 190);
}
END_TEST

START_TEST(a_poll_is_woken)
{
    pthread_t waker;

    ck_assert_int_eq(pthread_create(&waker, NULL, wake_soon, NULL), 0);
    ck_assert_int_lt(poll_for(20000), 10000);
    pthread_join(waker, NULL);
}
END_TEST

START_TEST(who_wakes_too_early_is_heard)
{
    network->wake(network);
    ck_assert_int_lt(poll_for(20000), 10000);
    ck_assert_int_ge(poll_for(200), 190); /* once */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fetch_wake");
    TCase *tc = tcase_create("fetch_wake");

    tcase_add_checked_fixture(tc, scene_make, scene_end);
    tcase_add_test(tc, nothing_under_way_is_waited_for);
    tcase_add_test(tc, a_poll_is_woken);
    tcase_add_test(tc, who_wakes_too_early_is_heard);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
