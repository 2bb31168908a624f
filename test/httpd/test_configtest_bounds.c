/* test_configtest_bounds: httpd -t -D OCSPX_CHECK takes little time, asks
 * little, as the worker user, and leaves a server that is running alone.
 */
#include "configtest_scene.h"

#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void sites(int n)
{
    for (int i = 0; i < n; i++)
        world_site(w, apr_psprintf(w->pool, "v%d.test", i));
}

/* --- time ------------------------------------------------------------- */

START_TEST(a_hanging_responder_is_given_its_time)
{
    long begin = procs_ms();

    configure("warn", "SSLStaplingResponderTimeout 1");
    sites(40);
    responder_script(w->responder, NULL,
                     &(responder_script_t){.answer = RESPONDER_HANG});
    responder_start(w->responder);
    assert_live(40);
    ck_assert_int_lt(procs_ms() - begin, 6000);
    ck_assert_int_eq(lines_in(table(), "^v[0-9]+.test.* RESP_TIMEOUT"), 40);
    /* As many as one host is asked at once, and one to see whether it has
     * come back; what became of these is said of the others, too. */
    ck_assert_uint_le(responder_requests(w->responder, NULL), 8);
}
END_TEST

START_TEST(half_a_minute_is_all_it_takes)
{
    long begin = procs_ms();

    configure("warn", "SSLStaplingResponderTimeout 60");
    sites(2);
    responder_script(w->responder, NULL,
                     &(responder_script_t){.answer = RESPONDER_HANG});
    responder_start(w->responder);
    assert_live(2);
    ck_assert_int_ge(procs_ms() - begin, 29000);
    ck_assert_int_lt(procs_ms() - begin, 34000);
    ck_assert_int_eq(lines_in(table(), "^v[0-9]+.test.* not asked in time"), 2);
    ck_assert_int_eq(lines_in(table(), "no answer within 30 seconds"), 2);
}
END_TEST

START_TEST(responders_are_asked_at_once)
{
    responder_counts_t counts;

    configure("warn", "OCSPXMaxParallel 32 8");
    sites(16);
    responder_script(w->responder, NULL,
                     &(responder_script_t){.delay_ms = 300});
    responder_start(w->responder);
    assert_live(0);
    responder_counts(&counts, w->responder);
    ck_assert_uint_eq(counts.requests, 16);
    ck_assert_uint_eq(counts.concurrent_max, 8);
}
END_TEST

/* While another one is waited for, what failed is not tried again. */
START_TEST(each_certificate_is_asked_about_once)
{
    pki_t *fails = world_leaf(w, &(pki_spec_t){.cn = "fails.test"});
    responder_t *first = w->responder;

    configure("warn", "OCSPXRetry 1 1\nSSLStaplingResponderTimeout 4");
    world_vhost(w, "fails.test", fails, NULL);
    world_vhost(w, "fails-too.test", fails, NULL);
    responder_script(
        first, NULL,
        &(responder_script_t){.status = V_OCSP_CERTSTATUS_UNKNOWN});
    w->responder = world_responder(w);
    world_site(w, "hangs.test");
    responder_script(w->responder, NULL,
                     &(responder_script_t){.answer = RESPONDER_HANG});
    responder_start(first);
    responder_start(w->responder);
    httpd_configtest_define(w->httpd, &output, "OCSPX_CHECK");
    assert_row("hangs.test:[0-9]+", "complete", "RESP_TIMEOUT");
    ck_assert_int_eq(lines_in(table(), "^fails.* UNKNOWN"), 2);
    ck_assert_uint_eq(responder_requests(first, fails), 1);
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 1);
}
END_TEST

/* --- what it leaves alone --------------------------------------------- */

/* The test in a process of its own. */
static pid_t test_aside(void)
{
    pid_t child = procs_fork();

    if (!child)
        _exit(httpd_configtest_define(w->httpd, &output, "OCSPX_CHECK"));
    return child;
}

/* Whose is the connection to a port? -1: there is none. */
static long owner_of_connection(int port)
{
    FILE *file = fopen("/proc/net/tcp", "re");
    char line[512];
    long owner = -1;

    ck_assert_ptr_nonnull(file);
    while (owner < 0 && fgets(line, sizeof(line), file)) {
        unsigned remote = 0;
        unsigned state = 0;
        long uid = 0;

        if (sscanf(line, " %*d: %*x:%*x %*x:%x %x %*x:%*x %*x:%*x %*x %ld",
                   &remote, &state, &uid) == 3 &&
            remote == (unsigned)port && state == 1)
            owner = uid;
    }
    fclose(file);
    return owner;
}

START_TEST(the_worker_user_asks)
{
    const char *user = httpd_user();
    const struct passwd *entry = user != NULL ? getpwnam(user) : NULL;
    long wanted = entry != NULL ? (long)entry->pw_uid : (long)geteuid();
    pid_t child;
    int status;

    configure("warn", "");
    world_site(w, "a.test");
    responder_script(w->responder, NULL,
                     &(responder_script_t){.delay_ms = 2000});
    responder_start(w->responder);
    child = test_aside();
    ck_assert(responder_wait(w->responder, NULL, 1, 10000));
    ck_assert_int_eq(owner_of_connection(responder_port(w->responder)), wanted);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(no_state_directory_is_made)
{
    struct stat info;

    configure("warn", "");
    world_site(w, "a.test");
    responder_start(w->responder);
    assert_live(0);
    ck_assert_int_ne(stat(httpd_path(w->httpd, "state"), &info), 0);
}
END_TEST

/* When a directory and all in it were written; a digest. */
static long long written(const char *path)
{
    const char *argv[] = {"find", path, "-printf", "%T@ %p\\n", NULL};
    procs_result_t result;
    long long sum = 0;

    procs_run(&result, argv, NULL, 10000, w->pool);
    ck_assert_int_eq(result.status, 0);
    for (const char *c = result.output; *c; c++)
        sum = (sum * 31 + *c) % 1000000007;
    return sum;
}

START_TEST(a_running_server_notices_nothing)
{
    long long before;
    pki_t *leaf;
    pid_t pid;

    configure("warn", "");
    world_site(w, "a.test");
    leaf = world_leaf(w, &(pki_spec_t){.cn = "b.test"});
    responder_start(w->responder);
    world_up(w);
    world_assert_good(w, "a.test");
    before = written(httpd_path(w->httpd, "state"));
    pid = httpd_pid(w->httpd);
    httpd_log_mark(w->httpd);
    world_vhost(w, "b.test", leaf, NULL); /* unknown to the server */
    assert_live(0);
    assert_row("b.test:[0-9]+", "complete", "good until");
    ck_assert_int_eq(httpd_pid(w->httpd), pid);
    ck_assert(httpd_running(w->httpd));
    ck_assert_int_eq(httpd_log_count(w->httpd, "."), 0);
    ck_assert_int_eq(written(httpd_path(w->httpd, "state")), before);
    world_assert_good(w, "a.test");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("configtest_bounds");
    TCase *tc = tcase_create("configtest_bounds");

    tcase_set_timeout(tc, 90);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_hanging_responder_is_given_its_time);
    tcase_add_test(tc, half_a_minute_is_all_it_takes);
    tcase_add_test(tc, responders_are_asked_at_once);
    tcase_add_test(tc, each_certificate_is_asked_about_once);
    tcase_add_test(tc, the_worker_user_asks);
    tcase_add_test(tc, no_state_directory_is_made);
    tcase_add_test(tc, a_running_server_notices_nothing);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
