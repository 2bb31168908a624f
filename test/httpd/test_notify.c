/* test_notify: OCSPXNotify's command hears what happens, once, and can do no
 * harm.
 */
#include <apr_strings.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/world.h"

static world_t *w;
static const char *dir; /* where the command writes */

/* It writes a line "event name user JSON" for each of its runs. */
#define NOTE "echo \"$1 $2 $(id -un) $(cat)\" >> told\n"

static void command(const char *script)
{
    const char *file = httpd_path(w->httpd, "command");
    const char *text =
        apr_pstrcat(w->pool, "#!/bin/bash\ncd ", dir, "\n", script, NULL);

    pki_write_file(file, text, strlen(text));
    ck_assert_int_eq(chmod(file, 0755), 0);
}

static void set_up(void)
{
    w = world_make();
    dir = httpd_path(w->httpd, "out");
    ck_assert_int_eq(mkdir(dir, 0777), 0);
    ck_assert_int_eq(chmod(dir, 0777), 0);
    world_global(w, apr_psprintf(w->pool,
                                 "OCSPXNotify command\nOCSPXChainTrust %s\n",
                                 w->root_file));
    command(NOTE);
}

static void tear_down(void)
{
    world_destroy(w);
}

static const char *content(const char *name)
{
    return procs_read_file(apr_pstrcat(w->pool, dir, "/", name, NULL), w->pool);
}

/* The lines of a file that begin so. @param last the last of them, or NULL */
static int count(const char *name, const char *begin, const char **last)
{
    char *state, *text = apr_pstrdup(w->pool, content(name));
    int n = 0;

    for (char *line = apr_strtok(text, "\n", &state); line;
         line = apr_strtok(NULL, "\n", &state))
        if (!strncmp(line, begin, strlen(begin))) {
            n++;
            if (last)
                *last = line;
        }
    return n;
}

static int told(const char *event)
{
    return count("told", apr_pstrcat(w->pool, event, " ", NULL), NULL);
}

static void await(const char *name, const char *begin, int n, int timeout_ms)
{
    long deadline = procs_ms() + timeout_ms;

    while (count(name, begin, NULL) < n) {
        if (procs_ms() > deadline) {
            httpd_log_dump(w->httpd);
            ck_abort_msg("not %d times \"%s\" in: %s", n, begin, content(name));
        }
        procs_sleep(20);
    }
}

static void await_told(const char *event, int n, int timeout_ms)
{
    await("told", apr_pstrcat(w->pool, event, " ", NULL), n, timeout_ms);
}

/* What was on standard input when this was told last. */
static json_t *input_of(const char *event)
{
    const char *line = NULL;
    json_error_t error;
    json_t *input;

    ck_assert_int_gt(
        count("told", apr_pstrcat(w->pool, event, " ", NULL), &line), 0);
    ck_assert_ptr_nonnull(strchr(line, '{'));
    input = json_loads(strchr(line, '{'), 0, &error);
    ck_assert_msg(input != NULL, "%s: %s", error.text, line);
    return input;
}

static void assert_input(const char *event, const char *key, const char *value)
{
    json_t *input = input_of(event);

    ck_assert_str_eq(json_string_value(json_object_get(input, key)), value);
    json_decref(input);
}

/* --- what happens to a certificate ------------------------------------- */

static void script(int status, int seconds)
{
    responder_script(
        w->responder, NULL,
        &(responder_script_t){.status = status,
                              .lifetime = apr_time_from_sec(seconds)});
}

static const char *user(void)
{
    return httpd_user() ? httpd_user() : getenv("USER");
}

START_TEST(one_certificate_from_stapled_to_revoked)
{
    world_site(w, "a.test");
    script(V_OCSP_CERTSTATUS_GOOD, 12);
    responder_start(w->responder);
    world_up(w);
    await_told("stapled", 1, 5000);
    ck_assert_int_eq(count("told",
                           apr_psprintf(w->pool, "stapled a.test %s {", user()),
                           NULL),
                     1);
    assert_input("stapled", "state", "stapled");
    responder_stop(w->responder);
    await_told("failing", 1, 15000);
    assert_input("failing", "state", "failing");
    assert_input("failing", "cause", "CONNECT_REFUSED");
    world_assert_good(w, "a.test");
    await_told("expired", 1, 15000);
    ck_assert_int_eq(told("failing"), 3);
    ck_assert_int_eq(told("recovered"), 0);
    world_assert_bare(w, "a.test");
    script(V_OCSP_CERTSTATUS_GOOD, 8);
    responder_start(w->responder);
    await_told("recovered", 1, 15000);
    await_told("stapled", 2, 5000);
    script(V_OCSP_CERTSTATUS_REVOKED, 86400);
    await_told("revoked", 1, 15000);
    assert_input("revoked", "state", "revoked");
    procs_sleep(500);
    ck_assert_int_eq(count("told", "", NULL), 8);
}
END_TEST

#define REFRESHER "OCSPX0121"

START_TEST(nothing_is_told_twice)
{
    pid_t killed;

    world_site(w, "a.test");
    responder_start(w->responder);
    world_up(w);
    await_told("stapled", 1, 5000);
    httpd_log_mark(w->httpd);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    ck_assert(httpd_log_wait(w->httpd, REFRESHER, 5000));
    killed = httpd_log_pid(w->httpd, REFRESHER);
    httpd_log_mark(w->httpd);
    ck_assert_int_eq(kill(killed, SIGKILL), 0);
    ck_assert(httpd_log_wait(w->httpd, REFRESHER, 5000));
    procs_sleep(500);
    ck_assert_int_eq(count("told", "", NULL), 1);
    ck_assert_int_eq(httpd_stop(w->httpd), 1); /* and then anew */
    world_up(w);
    await_told("stapled", 2, 5000);
    assert_input("stapled", "source", "disk");
}
END_TEST

START_TEST(three_at_once_run_one_at_a_time)
{
    char *state, *text, *line;
    char begun = 0;
    int n = 0;

    command("echo \"+$2\" >> order; sleep 0.3; echo \"-$2\" >> order\n");
    world_site(w, "a.test");
    world_site(w, "b.test");
    world_site(w, "c.test");
    responder_start(w->responder);
    world_up(w);
    await("order", "-", 3, 10000);
    text = apr_pstrdup(w->pool, content("order"));
    for (line = apr_strtok(text, "\n", &state); line;
         line = apr_strtok(NULL, "\n", &state), n++) {
        ck_assert_int_eq(*line, begun ? '-' : '+');
        ck_assert(!begun || begun == line[1]);
        begun = begun ? 0 : line[1];
    }
    ck_assert_int_eq(n, 6);
}
END_TEST

/* --- chains ------------------------------------------------------------- */

/* With the root, which is no error, or nothing. */
static void send_chain(const pki_t *leaf, int complete)
{
    const char *key;

    httpd_cert(w->httpd, &key, "a.test", leaf, complete ? w->issuer : NULL,
               w->root, NULL);
}

static void reload(void)
{
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    procs_sleep(1500);
}

/* Where its issuer is not sent, nothing at all is to be stapled. */
START_TEST(chain_broken_by_a_reload)
{
    pki_t *leaf = world_site(w, "a.test");

    responder_start(w->responder);
    world_up(w);
    await_told("stapled", 1, 5000);
    ck_assert_int_eq(told("chain-broken"), 0);
    send_chain(leaf, 0);
    reload();
    await_told("chain-broken", 1, 5000);
    assert_input("chain-broken", "code", "CHAIN_MISSING");
    assert_input("chain-broken", "severity", "error");
    reload();
    ck_assert_int_eq(told("chain-broken"), 1);
    send_chain(leaf, 1);
    reload();
    ck_assert_int_eq(told("chain-broken"), 1);
    send_chain(leaf, 0);
    reload();
    await_told("chain-broken", 2, 5000);
}
END_TEST

START_TEST(chain_broken_is_told_by_one_refresher_alone)
{
    pid_t killed;

    world_site(w, "a.test");
    world_chain_vhost(w, "b.test", world_leaf(w, &(pki_spec_t){.cn = "b.test"}),
                      NULL, NULL);
    responder_start(w->responder);
    world_up(w);
    await_told("chain-broken", 1, 5000);
    await_told("stapled", 1, 5000);
    killed = httpd_log_pid(w->httpd, REFRESHER);
    httpd_log_mark(w->httpd);
    ck_assert_int_eq(kill(killed, SIGKILL), 0);
    ck_assert(httpd_log_wait(w->httpd, REFRESHER, 5000));
    procs_sleep(500);
    ck_assert_int_eq(count("told", "", NULL), 2);
}
END_TEST

/* --- commands that misbehave -------------------------------------------- */

/* Staples of 6 s for 8 s, and through a reload. */
static void assert_all_goes_on(void)
{
    for (int i = 0; i < 40; i++) {
        world_assert_good(w, "a.test");
        procs_sleep(200);
        if (i == 20)
            ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    }
}

START_TEST(failing_command_changes_nothing)
{
    command("exit 7\n");
    world_site(w, "a.test");
    script(V_OCSP_CERTSTATUS_GOOD, 6);
    responder_start(w->responder);
    world_up(w);
    assert_all_goes_on();
    ck_assert_int_eq(httpd_log_count(w->httpd,
                                     "\\[ocspx:warn\\].*OCSPX0032: .*/command "
                                     "stapled a.test ended with status 7"),
                     1);
    ck_assert_int_eq(unlink(httpd_path(w->httpd, "command")), 0);
    responder_stop(w->responder);
    ck_assert(httpd_log_wait(w->httpd, "OCSPX0033: .*No such file", 10000));
    world_assert_good(w, "a.test");
    ck_assert_int_eq(httpd_stop(w->httpd), 1);
}
END_TEST

/* Those whose numbers the command has left. */
static int running(void)
{
    char *state, *text = apr_pstrdup(w->pool, content("pids"));
    int n = 0;

    for (char *pid = apr_strtok(text, "\n", &state); pid;
         pid = apr_strtok(NULL, "\n", &state)) {
        char *path = apr_psprintf(w->pool, "/proc/%s/cmdline", pid);
        FILE *file = fopen(path, "re");

        if (file) {
            n += fgetc(file) != EOF; /* a zombie has none */
            fclose(file);
        }
    }
    return n;
}

START_TEST(hanging_command_changes_nothing)
{
    long deadline;

    command("sleep 60 &\nprintf '%d\\n' $! $$ >> pids\nsleep 60\n");
    world_site(w, "a.test");
    script(V_OCSP_CERTSTATUS_GOOD, 6);
    responder_start(w->responder);
    world_up(w);
    await("pids", "", 2, 5000);
    ck_assert_int_eq(running(), 2);
    assert_all_goes_on();
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX0035: .* of 1 event"), 1);
    deadline = procs_ms() + 5000; /* those of the old generation */
    while (running()) {
        ck_assert(procs_ms() < deadline);
        procs_sleep(20);
    }
    responder_stop(w->responder); /* one more, to be there at the end */
    await("pids", "", 4, 10000);
    ck_assert_int_eq(running(), 2);
    ck_assert_int_eq(httpd_stop(w->httpd), 1);
    procs_sleep(200);
    ck_assert_int_eq(running(), 0);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    suite_add_tcase(suite, tests);
    return tests;
}

static Suite *notify_suite(void)
{
    Suite *suite = suite_create("notify");
    TCase *tests = add_case(suite, "certificates");

    tcase_add_test(tests, one_certificate_from_stapled_to_revoked);
    tcase_add_test(tests, nothing_is_told_twice);
    tcase_add_test(tests, three_at_once_run_one_at_a_time);
    tests = add_case(suite, "chains");
    tcase_add_test(tests, chain_broken_by_a_reload);
    tcase_add_test(tests, chain_broken_is_told_by_one_refresher_alone);
    tests = add_case(suite, "commands");
    tcase_add_test(tests, failing_command_changes_nothing);
    tcase_add_test(tests, hanging_command_changes_nothing);
    return suite;
}

int main(void)
{
    return ocspx_check_main(notify_suite());
}
