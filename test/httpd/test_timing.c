/* test_timing: the directives that say when and how long. */
#include <apr_strings.h>

#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/world.h"

#define SEC apr_time_from_sec(1)
#define HOUR apr_time_from_sec(3600)
#define WAIT_MS 40000

static world_t *w;

static void set_up(void)
{
    w = world_make();
}

static void tear_down(void)
{
    world_destroy(w);
}

/** A virtual host with a running responder of its own, in @a world. */
static responder_t *site(world_t *world, const char *name, const char *extra,
                         const responder_script_t *script)
{
    world->responder = world_responder(world);
    world_vhost(world, name, world_leaf(world, &(pki_spec_t){.cn = name}),
                extra);
    responder_script(world->responder, NULL, script);
    responder_start(world->responder);
    return world->responder;
}

/** Wait for @a n requests; the pause before the last of them. */
static apr_interval_time_t pause_before(int n, const responder_t *r)
{
    apr_time_t times[16];
    const pki_t *leaves[16];

    ck_assert_msg(responder_wait(r, NULL, (unsigned)n, WAIT_MS),
                  "%u requests instead of %d", responder_requests(r, NULL), n);
    ck_assert_int_ge(responder_times(times, leaves, 16, r), n);
    return times[n - 1] - times[n - 2];
}

/** Every pause between the first @a n requests lies in this range. */
static void assert_pauses(const responder_t *r, int n, apr_interval_time_t min,
                          apr_interval_time_t max)
{
    for (int i = 2; i <= n; i++) {
        apr_interval_time_t pause = pause_before(i, r);

        ck_assert_msg(pause >= min && pause <= max,
                      "pause %d: %ld ms instead of %ld to %ld", i - 1,
                      (long)apr_time_as_msec(pause),
                      (long)apr_time_as_msec(min), (long)apr_time_as_msec(max));
    }
}

/* --- one fetch ------------------------------------------------------- */

START_TEST(responder_has_so_much_time_in_all)
{
    static const char limit[] = "SSLStaplingResponderTimeout 1\n";
    responder_script_t slow = {.delay_ms = 2000};
    int ms;

    world_global(w, "OCSPXStartupWait 9\n");
    site(w, "hang.test", limit,
         &(responder_script_t){.answer = RESPONDER_HANG});
    /* Each byte comes soon, but all of them do not. */
    site(w, "trickle.test", limit, &(responder_script_t){.byte_ms = 100});
    site(w, "slow.test", limit, &slow);
    site(w, "patient.test", "SSLStaplingResponderTimeout 8\n", &slow);
    ms = world_up(w);
    ck_assert_int_ge(ms, 2000);
    ck_assert_int_lt(ms, 8000);
    world_assert_good(w, "patient.test");
    world_assert_refused(w, "hang.test", "RESP_TIMEOUT");
    world_assert_refused(w, "trickle.test", "RESP_TIMEOUT");
    world_assert_refused(w, "slow.test", "RESP_TIMEOUT");
}
END_TEST

/* --- which times are taken ------------------------------------------- */

START_TEST(too_old_is_what_is_older_than_allowed)
{
    responder_script_t old = {.age = 2 * HOUR};

    site(w, "any.test", NULL, &old);
    site(w, "zero.test", "SSLStaplingResponseMaxAge 0\n", &old);
    site(w, "three.test", "SSLStaplingResponseMaxAge 10800\n", &old);
    site(w, "one.test", "SSLStaplingResponseMaxAge 3600\n", &old);
    world_up(w);
    world_assert_good(w, "any.test");
    world_assert_good(w, "zero.test");
    world_assert_good(w, "three.test");
    world_assert_refused(w, "one.test", "STALE");
}
END_TEST

/** The strict client does not accept it, but it is there. */
static void assert_stapled(const char *name)
{
    client_result_t result = world_handshake(w, name);

    ck_assert_msg(result.ok && result.stapled, "%s: %s", name, result.error);
}

START_TEST(too_early_is_what_is_ahead_by_more_than_tolerated)
{
    responder_script_t early = {.age = -100 * SEC};

    site(w, "usual.test", NULL, &early);
    site(w, "ample.test", "SSLStaplingResponseTimeSkew 200\n", &early);
    site(w, "tight.test", "SSLStaplingResponseTimeSkew 50\n", &early);
    world_up(w);
    assert_stapled("usual.test");
    assert_stapled("ample.test");
    world_assert_refused(w, "tight.test", "FUTURE");
}
END_TEST

/* --- when to ask again ----------------------------------------------- */

static void up_with(world_t *world, const char *lines)
{
    world_global(world, lines);
    world_up(world);
}

START_TEST(refreshed_at_the_given_part)
{
    responder_script_t short_lived = {.lifetime = 10 * SEC};
    world_t *late = world_make();
    responder_t *r_early = site(w, "early.test", NULL, &short_lived);
    responder_t *r_late = site(late, "late.test", NULL, &short_lived);

    up_with(w, "OCSPXRefreshAt 5\n");
    up_with(late, "OCSPXRefreshAt 75\n");
    /* By default: 3.5 to 5 s. The first is drawn from a longer time. */
    assert_pauses(r_early, 5, SEC, 3 * SEC);
    ck_assert(pause_before(3, r_late) > 5 * SEC + SEC / 2);
    world_assert_good(late, "late.test");
    world_destroy(late);
}
END_TEST

START_TEST(refreshed_at_least_so_often)
{
    responder_t *often, *usual;

    world_global(w, "OCSPXRetry 1 2\n");
    often = site(w, "often.test", "SSLStaplingStandardCacheTimeout 2\n",
                 &(responder_script_t){0});
    usual = site(w, "usual.test", NULL, &(responder_script_t){0});
    world_up(w);
    assert_pauses(often, 4, SEC / 2, 4 * SEC);
    ck_assert_uint_eq(responder_requests(usual, NULL), 1);
    responder_stop(often);
    ck_assert(httpd_log_wait(w->httpd, "CONNECT_REFUSED", WAIT_MS));
    world_assert_good(w, "often.test");
}
END_TEST

START_TEST(retried_in_time)
{
    responder_script_t busy = {.answer = RESPONDER_TRY_LATER};
    world_t *brief = world_make();
    responder_t *usual, *hurried, *served;

    usual = site(w, "usual.test", NULL, &busy);
    hurried =
        site(w, "hurried.test", "SSLStaplingErrorCacheTimeout 1\n", &busy);
    served = site(brief, "served.test", "SSLStaplingStandardCacheTimeout 1\n",
                  &(responder_script_t){0});
    up_with(w, "OCSPXRetry 4 8\n");
    up_with(brief, "OCSPXRetry 1 2\n");
    world_assert_good(brief, "served.test");
    responder_script(served, NULL, &busy);
    responder_reset(served);
    assert_pauses(hurried, 5, SEC / 2, 3 * SEC);
    /* Doubling without end, these would soon be longer. */
    assert_pauses(served, 8, 0, 4 * SEC);
    assert_pauses(usual, 3, 3 * SEC - SEC / 10, 6 * SEC);
    world_assert_good(brief, "served.test");
    world_destroy(brief);
}
END_TEST

static Suite *timing_suite(void)
{
    Suite *suite = suite_create("timing");
    TCase *tests = tcase_create("timing");

    tcase_set_timeout(tests, 180);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, responder_has_so_much_time_in_all);
    tcase_add_test(tests, too_old_is_what_is_older_than_allowed);
    tcase_add_test(tests, too_early_is_what_is_ahead_by_more_than_tolerated);
    tcase_add_test(tests, refreshed_at_the_given_part);
    tcase_add_test(tests, refreshed_at_least_so_often);
    tcase_add_test(tests, retried_in_time);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(timing_suite());
}
