/* test_reload: a reload, a restart or a crash of httpd costs no staple and no
 * request, and new certificates are stapled as early as can be.
 */
#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/world.h"

#include <apr_strings.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

static const char *const mpms[] = {"event", "worker", "prefork"};
static const char *const names[] = {"a.test", "b.test", "c.test"};

static world_t *w;

static void setup(void)
{
    w = world_make();
}

static void teardown(void)
{
    world_destroy(w);
}

static void assert_all_good(void)
{
    for (int i = 0; i < COUNT(names); i++)
        world_assert_good(w, names[i]);
}

/** So long that nothing becomes due while a test runs. */
static void script_a_month(void)
{
    responder_script(
        w->responder, NULL,
        &(responder_script_t){.lifetime = apr_time_from_sec(30 * 86400)});
}

/** All three stapled, and then the responder dies. */
static void begin(const httpd_config_t *config)
{
    httpd_configure(w->httpd, config);
    for (int i = 0; i < COUNT(names); i++)
        world_site(w, names[i]);
    script_a_month();
    responder_start(w->responder);
    world_up(w);
    assert_all_good();
    responder_stop(w->responder);
    responder_reset(w->responder);
}

static void graceful(void)
{
    httpd_log_mark(w->httpd);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
}

/** Wait for the refresher of the generation since the mark. */
static void wait_for_refresher(void)
{
    ck_assert(httpd_log_wait(w->httpd, "OCSPX0121", 10000));
}

/** Nothing was asked since the mark: with the responder dead it would show. */
static void assert_nothing_asked(void)
{
    wait_for_refresher();
    procs_sleep(300); /* several of its turns */
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX0010"), 0);
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 0);
}

/* --- with the responder dead ------------------------------------------ */

static void restart_hard(void)
{
    ck_assert_int_ge(httpd_restart(w->httpd), 0);
}

static void stop_and_start(void)
{
    ck_assert(httpd_stop(w->httpd));
    world_up(w);
}

static void kill_all_and_start(void)
{
    httpd_kill9(w->httpd);
    world_up(w);
}

static void (*const restarts[])(void) = {graceful, restart_hard, stop_and_start,
                                         kill_all_and_start};

START_TEST(no_restart_needs_the_responder)
{
    begin(&(httpd_config_t){.mpm = mpms[_i]});
    for (int i = 0; i < COUNT(restarts); i++) {
        httpd_log_mark(w->httpd);
        restarts[i]();
        assert_all_good();
        assert_nothing_asked();
    }
    responder_start(w->responder);
    graceful();
    assert_all_good();
    assert_nothing_asked();
}
END_TEST

START_TEST(reloads_need_no_state_directory)
{
    begin(&(httpd_config_t){.state_dir = "none"});
    graceful();
    assert_all_good();
    assert_nothing_asked();
    httpd_log_mark(w->httpd);
    restart_hard();
    assert_all_good();
    assert_nothing_asked();
}
END_TEST

/** The same virtual hosts in another order. */
static void reorder(const pki_t *const *leaves, const int *order, int n)
{
    httpd_vhosts_clear(w->httpd);
    for (int i = 0; i < n; i++)
        world_vhost(w, names[order[i]], leaves[order[i]], NULL);
    graceful();
}

/* The client looks at the CertID: a response in a wrong slot is not good. */
START_TEST(responses_follow_their_certificates)
{
    const pki_t *leaves[COUNT(names)];

    for (int i = 0; i < COUNT(names); i++)
        leaves[i] = world_site(w, names[i]);
    script_a_month();
    responder_start(w->responder);
    httpd_configure(w->httpd, &(httpd_config_t){.state_dir = "none"});
    world_up(w);
    responder_stop(w->responder);
    responder_reset(w->responder);

    reorder(leaves, (const int[]){2, 0, 1}, 3);
    assert_all_good();
    assert_nothing_asked();
    reorder(leaves, (const int[]){1, 2}, 2);
    world_assert_good(w, names[1]);
    world_assert_good(w, names[2]);
    ck_assert_int_eq(httpd_log_count(w->httpd, "stapling 2 certificates, "
                                               "2 carried over"),
                     1);
    assert_nothing_asked();
    /* What was removed was forgotten: nothing to carry over, or to staple. */
    reorder(leaves, (const int[]){0, 1, 2}, 3);
    world_assert_bare(w, names[0]);
    world_assert_good(w, names[1]);
    world_assert_good(w, names[2]);
}
END_TEST

START_TEST(removed_certificates_are_not_asked_about)
{
    pki_t *stays = world_site(w, "a.test");
    pki_t *goes = world_leaf(w, &(pki_spec_t){.cn = "b.test"});

    world_vhost(w, "b.test", goes, NULL);
    responder_script(w->responder, NULL,
                     &(responder_script_t){.lifetime = apr_time_from_sec(4)});
    responder_start(w->responder);
    world_up(w);
    ck_assert(responder_wait(w->responder, goes, 2, 10000));
    httpd_vhosts_clear(w->httpd);
    world_vhost(w, "a.test", stays, NULL);
    graceful();
    wait_for_refresher();
    procs_sleep(1000); /* the generation before has seen that it is over */
    responder_reset(w->responder);
    ck_assert(responder_wait(w->responder, stays, 2, 10000));
    ck_assert_uint_eq(responder_requests(w->responder, goes), 0);
    world_assert_good(w, "a.test");
}
END_TEST

/* --- new certificates -------------------------------------------------- */

static const char *command_line(void)
{
    const char *path = getenv("OCSPX_CLI");

#ifdef OCSPX_CLI_PATH
    path = path != NULL ? path : OCSPX_CLI_PATH;
#endif
    ck_assert_msg(path != NULL, "set OCSPX_CLI to the path of ocspx");
    return path;
}

static void fetch_for(const char *name)
{
    const char *argv[] = {
        command_line(),
        "fetch",
        "--cert",
        httpd_path(w->httpd, apr_pstrcat(w->pool, name, ".pem", NULL)),
        "--state-dir",
        httpd_path(w->httpd, "state"),
        NULL};
    procs_result_t result;

    procs_run(&result, argv, NULL, 10000, w->pool);
    ck_assert_msg(result.status == 0, "%s", result.output);
}

START_TEST(fetched_by_hand_is_stapled_at_once)
{
    pki_t *leaf = world_leaf(w, &(pki_spec_t){.cn = "new.test"});

    begin(&(httpd_config_t){0});
    responder_start(w->responder);
    world_vhost(w, "new.test", leaf, NULL);
    fetch_for("new.test");
    ck_assert_uint_eq(responder_requests(w->responder, leaf), 1);
    responder_reset(w->responder);
    graceful();
    world_assert_good(w, "new.test");
    assert_all_good();
    assert_nothing_asked();
}
END_TEST

START_TEST(new_must_staple_is_stapled_at_once)
{
    pki_t *leaf =
        world_leaf(w, &(pki_spec_t){.cn = "new.test", .must_staple = 1});

    begin(&(httpd_config_t){0});
    responder_script(w->responder, NULL, &(responder_script_t){.delay_ms = 50});
    responder_start(w->responder);
    world_vhost(w, "new.test", leaf, NULL);
    graceful();
    world_assert_good(w, "new.test");
    ck_assert_uint_eq(responder_requests(w->responder, leaf), 1);
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 1);
}
END_TEST

START_TEST(reload_that_brings_the_module_waits_for_nobody)
{
    int ms;

    httpd_configure(w->httpd, &(httpd_config_t){.without_ocspx = 1});
    world_site(w, "a.test");
    responder_script(w->responder, NULL,
                     &(responder_script_t){.answer = RESPONDER_HANG});
    responder_start(w->responder);
    world_up(w);
    httpd_configure(w->httpd,
                    &(httpd_config_t){.global = "OCSPXStartupWait 30\n"});
    ms = httpd_graceful(w->httpd);
    ck_assert_msg(ms >= 0 && ms < 8000, "the reload took %d ms", ms);
    world_assert_bare(w, "a.test");
    ck_assert_int_eq(responder_wait(w->responder, NULL, 1, 5000), 1);
}
END_TEST

static Suite *reload_suite(void)
{
    Suite *suite = suite_create("reload");
    TCase *tests = tcase_create("httpd");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, no_restart_needs_the_responder, 0, COUNT(mpms));
    tcase_add_test(tests, reloads_need_no_state_directory);
    tcase_add_test(tests, responses_follow_their_certificates);
    tcase_add_test(tests, removed_certificates_are_not_asked_about);
    tcase_add_test(tests, fetched_by_hand_is_stapled_at_once);
    tcase_add_test(tests, new_must_staple_is_stapled_at_once);
    tcase_add_test(tests, reload_that_brings_the_module_waits_for_nobody);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(reload_suite());
}
