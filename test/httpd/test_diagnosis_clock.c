/* test_diagnosis_clock: a server whose clock is wrong, by libfaketime, is told
 * so; where it is right, the responder's times are to blame.
 */
#include <glob.h>

#include "diagnosis_scene.h"

/* --- two clocks ------------------------------------------------------ */

static const char *faketime_library(void)
{
    const char *path;
    glob_t found;

    ck_assert_msg(
        !glob("/usr/lib/*/faketime/libfaketimeMT.so.1", 0, NULL, &found),
        "libfaketime is not there");
    path = apr_pstrdup(w->pool, found.gl_pathv[0]);
    globfree(&found);
    return path;
}

/** What is started from now on has a clock that is off by so much. */
static void set_clock(const char *off)
{
    setenv("LD_PRELOAD", faketime_library(), 1);
    setenv("FAKETIME", off, 1);
    setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1", 1);
    setenv("FAKETIME_FORCE_MONOTONIC_FIX", "0", 1); /* not for this libc */
}

static void set_clock_right(void)
{
    unsetenv("LD_PRELOAD");
    unsetenv("FAKETIME");
}

static void up_with_clock(const char *off)
{
    set_clock(off);
    world_up(w);
    set_clock_right();
}

/** What to do: set the clock right. */
static void restart_with_right_clock(void)
{
    ck_assert(httpd_stop(w->httpd));
    httpd_log_mark(w->httpd);
    world_up(w);
}

/* `ocspx check' on the same machine, which has the same clock. */
static void check_with_clock(const char *off, const diagnosis_t *d)
{
    set_clock(off);
    assert_checked(d);
    set_clock_right();
}

/* --- ours is wrong --------------------------------------------------- */

#define CLOCK URL ": this server's clock is "
#define HOUR apr_time_from_sec(3600)

static const struct {
    const char *off;
    responder_script_t script;
    const char *facts;
} wrong[] = {
    {"+1d",
     {.lifetime = HOUR},
     CLOCK "8(639|640|641)[0-9] s ahead of the responder's; expired: "
           "nextUpdate was " TIME},
    {"-1d",
     {.lifetime = 7 * DAY},
     CLOCK "8(639|640|641)[0-9] s behind the responder's; thisUpdate \\(" TIME
           "\\) is 8(639|640|641)[0-9] s ahead of this server's clock, 300 s "
           "are tolerated"},
    {"+10m",
     {.lifetime = HOUR / 12},
     CLOCK "(59|60|61)[0-9] s ahead of the responder's; expired: nextUpdate "
           "was " TIME},
    {"-10m",
     {.lifetime = DAY},
     CLOCK "(59|60|61)[0-9] s behind the responder's; thisUpdate \\(" TIME
           "\\) "
           "is (59|60|61)[0-9] s ahead of this server's clock, 300 s are "
           "tolerated"},
};

START_TEST(server_clock)
{
    diagnosis_t sick = {"sick.test", "SERVER_CLOCK", wrong[_i].facts,
                        "warning STAPLE_MISSING, warning SERVER_CLOCK"};

    site("sick.test", NULL, &wrong[_i].script);
    up_with_clock(wrong[_i].off);
    assert_logged(apr_psprintf(
        w->pool,
        "OCSPX0010: sick\\.test: SERVER_CLOCK: (%s); not stapled; .*%s$",
        sick.facts, quoted(remedy_of("SERVER_CLOCK"))));
    assert_row(&sick);
    world_assert_bare(w, "sick.test");
    assert_well();
    check_with_clock(wrong[_i].off, &sick);
    restart_with_right_clock();
    assert_mended("sick.test");
    ck_assert_int_eq(httpd_log_count(w->httpd, "SERVER_CLOCK"), 0);
}
END_TEST

/* Several responders say so, each of its own certificate. */
START_TEST(several_responders_agree)
{
    site("one.test", NULL, NULL);
    site("two.test", NULL, NULL);
    up_with_clock("-1d");
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "two.test" : "one.test";
        diagnosis_t sick = {name, "SERVER_CLOCK", wrong[1].facts, ""};

        assert_logged(
            apr_psprintf(w->pool, "OCSPX0010: %s: SERVER_CLOCK: ", name));
        assert_row(&sick);
    }
    assert_well();
    ck_assert_int_eq(httpd_log_count(w->httpd, "FUTURE|STALE"), 0);
}
END_TEST

/* --- ours is right --------------------------------------------------- */

#define NO_DATE "X-Date: none\r\n" /* stands in the way of the other */

static const struct {
    responder_script_t script;
    const char *cause;
    const char *facts;
} theirs[] = {
    {{.age = -DAY, .lifetime = 7 * DAY},
     "FUTURE",
     URL ": thisUpdate \\(" TIME "\\) is 8(639|640)[0-9] s ahead of this "
         "server's clock, 300 s are tolerated"},
    {{.age = DAY, .lifetime = HOUR},
     "STALE",
     URL ": expired: nextUpdate was " TIME},
    {{.answer = RESPONDER_FUTURE, .headers = NO_DATE},
     "FUTURE",
     URL ": thisUpdate \\(" TIME "\\) is 3[56][0-9][0-9] s ahead of this "
         "server's clock, 300 s are tolerated"},
    {{.age = DAY, .lifetime = HOUR, .headers = NO_DATE},
     "STALE",
     URL ": expired: nextUpdate was " TIME},
};

START_TEST(responder_is_wrong)
{
    diagnosis_t sick = {"sick.test", theirs[_i].cause, theirs[_i].facts,
                        apr_pstrcat(w->pool, "warning STAPLE_MISSING, warning ",
                                    theirs[_i].cause, NULL)};

    site("sick.test", NULL, &theirs[_i].script);
    world_up(w);
    assert_diagnosis(&sick);
    ck_assert_int_eq(httpd_log_count(w->httpd, "SERVER_CLOCK"), 0);
    responder_script(w->responder, NULL, &(responder_script_t){0});
    assert_mended("sick.test");
}
END_TEST

/* Without a Date, producedAt is the witness. */
START_TEST(produced_in_our_future)
{
    diagnosis_t sick = {"sick.test", "SERVER_CLOCK",
                        CLOCK "at least 8(639|640|641)[0-9] s behind the "
                              "responder's; thisUpdate .* ahead of this "
                              "server's clock, 300 s are tolerated",
                        ""};

    site("sick.test", NULL, &(responder_script_t){.headers = NO_DATE});
    up_with_clock("-1d");
    assert_logged("OCSPX0010: sick\\.test: SERVER_CLOCK: ");
    assert_row(&sick);
    restart_with_right_clock();
    assert_mended("sick.test");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("diagnosis_clock");
    TCase *tests = tcase_create("httpd");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up_sites, tear_down);
    tcase_add_loop_test(tests, server_clock, 0, COUNT(wrong));
    tcase_add_test(tests, several_responders_agree);
    tcase_add_loop_test(tests, responder_is_wrong, 0, COUNT(theirs));
    tcase_add_test(tests, produced_in_our_future);
    suite_add_tcase(suite, tests);
    return ocspx_check_main(suite);
}
