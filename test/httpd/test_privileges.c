/* test_privileges: who does what. httpd's parent, which may be root, asks
 * nobody and reads nothing that came from elsewhere, neither at a start nor at
 * a reload; the worker user does. strace has seen it.
 */
#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/world.h"

#include <apr_strings.h>
#include <apr_tables.h>
#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static world_t *w;
static uid_t worker;
static const char *own_httpd; /* of the environment; NULL: the usual one */

static void set_up(void)
{
    w = world_make();
    ck_assert_msg(httpd_user() != NULL, "this test has to be root");
    own_httpd = getenv("HTTPD");
    worker = getpwnam(httpd_user())->pw_uid;
}

static void tear_down(void)
{
    world_destroy(w);
}

/** A certificate that a reload waits for. */
static void add_site(const char *name)
{
    world_vhost(w, name,
                world_leaf(w, &(pki_spec_t){.cn = name, .must_staple = 1}),
                NULL);
}

/* --- what strace has seen ---------------------------------------------- */

static const char *trace_file(void)
{
    return httpd_path(w->httpd, "trace");
}

/** From now on httpd is traced from its first instruction; the tracer is a
 * grandchild, so that httpd's pid is its own. */
static void trace_httpd(void)
{
    const char *wrapper = httpd_path(w->httpd, "traced");
    const char *text = apr_psprintf(
        w->pool,
        "#!/bin/sh\nPATH=$PATH:/usr/sbin:/usr/local/apache2/bin\n"
        "exec strace -DD -f -q -s 200 -o %s "
        "-e trace=%%network,%%file,%%creds -e signal=none %s \"$@\"\n",
        trace_file(),
        own_httpd ? own_httpd : "$(command -v apache2 || command -v httpd)");

    pki_write_file(wrapper, text, strlen(text));
    ck_assert_int_eq(chmod(wrapper, 0755), 0);
    ck_assert_int_eq(setenv("HTTPD", wrapper, 1), 0);
}

static const char *line_at(const apr_array_header_t *lines, int i)
{
    return APR_ARRAY_IDX(lines, i, const char *);
}

/** Begins this line, after the pid, with @a call, and has @a what in it? */
static int is_call(const char *line, const char *call, const char *what)
{
    while (isdigit((unsigned char)*line) || *line == ' ')
        line++;
    return strncmp(line, call, strlen(call)) == 0 && strstr(line, what) != NULL;
}

/** How often @a pid has done that; with @a others, how often others have. */
static int calls(const apr_array_header_t *lines, pid_t pid, int others,
                 const char *call, const char *what)
{
    int n = 0;

    for (int i = 0; i < lines->nelts; i++)
        n += (atoi(line_at(lines, i)) != pid) == others &&
             is_call(line_at(lines, i), call, what);
    return n;
}

/** All lines "pid call(..." so far. */
static apr_array_header_t *lines_of_trace(void)
{
    apr_array_header_t *lines = apr_array_make(w->pool, 4096, sizeof(char *));
    char *state,
        *text = apr_pstrdup(w->pool, procs_read_file(trace_file(), w->pool));

    for (char *line = apr_strtok(text, "\n", &state); line != NULL;
         line = apr_strtok(NULL, "\n", &state))
        APR_ARRAY_PUSH(lines, const char *) = line;
    return lines;
}

/** Stop httpd; @return all lines, once they are complete. */
static apr_array_header_t *end_of_trace(void)
{
    pid_t parent = httpd_pid(w->httpd);
    apr_array_header_t *lines;
    int i = 0;

    ck_assert_int_eq(httpd_stop(w->httpd), 1);
    do {
        procs_sleep(100);
        lines = lines_of_trace();
    } while (!calls(lines, parent, 0, "+++ exited with 0", "") && i++ < 100);
    ck_assert_msg(i < 100, "strace is needed, and leave to trace");
    return lines;
}

/** Before it did that for the first time, this process became the worker. */
static void assert_worker_does(const apr_array_header_t *lines,
                               const char *call, const char *what)
{
    int i = 0, at;
    pid_t pid;

    while (i < lines->nelts && !is_call(line_at(lines, i), call, what))
        i++;
    ck_assert_msg(i < lines->nelts, "nobody did %s...%s", call, what);
    pid = atoi(line_at(lines, i));
    for (at = 0; at < i; at++)
        if (atoi(line_at(lines, at)) == pid &&
            is_call(line_at(lines, at),
                    apr_psprintf(w->pool, "setuid(%u", (unsigned)worker), ""))
            break;
    ck_assert_msg(at < i, "not by the worker user: %s", line_at(lines, i));
}

/** The responder's port, as strace writes it. */
static const char *port(void)
{
    return apr_psprintf(w->pool, "htons(%d)", responder_port(w->responder));
}

/* Connections to port 0 are getaddrinfo's, which looks for a route. */
static int connections(const apr_array_header_t *lines, pid_t pid)
{
    return calls(lines, pid, 0, "connect(", "AF_INET") -
           calls(lines, pid, 0, "connect(", "htons(0)");
}

static int stream_sockets(const apr_array_header_t *lines, pid_t pid)
{
    return calls(lines, pid, 0, "socket(AF_INET", "SOCK_STREAM");
}

static void assert_parent_keeps_off(const apr_array_header_t *lines,
                                    pid_t parent)
{
    ck_assert_int_eq(connections(lines, parent), 0);
    ck_assert_int_eq(calls(lines, parent, 0, "accept", ""), 0);
    ck_assert_int_eq(calls(lines, parent, 0, "open", ".der"), 0);
    ck_assert_int_gt(calls(lines, parent, 0, "openat(", "httpd.conf"), 0);
}

/** Start, reload with one more site, stop. */
static const apr_array_header_t *start_and_reload(pid_t *parent)
{
    add_site("a.test");
    responder_start(w->responder);
    world_up(w);
    *parent = httpd_pid(w->httpd);
    responder_stop(w->responder);
    add_site("b.test");
    responder_start(w->responder);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    world_handshake(w, "b.test");
    return end_of_trace();
}

START_TEST(the_parent_asks_nobody_and_reads_no_response)
{
    const apr_array_header_t *lines;
    int sockets;
    pid_t parent;

    trace_httpd();
    lines = start_and_reload(&parent);
    ck_assert_int_eq(responder_requests(w->responder, NULL), 2);
    assert_parent_keeps_off(lines, parent);
    ck_assert_int_ge(calls(lines, parent, 1, "connect(", port()), 2);
    ck_assert_int_ge(calls(lines, parent, 1, "rename", ".der"), 2);
    assert_worker_does(lines, "connect(", port());
    assert_worker_does(lines, "rename", ".der");
    sockets = stream_sockets(lines, parent);

    /* from what is kept */
    responder_stop(w->responder);
    world_up(w);
    world_assert_good(w, "a.test");
    world_assert_good(w, "b.test");
    parent = httpd_pid(w->httpd);
    lines = end_of_trace();
    assert_parent_keeps_off(lines, parent);
    ck_assert_int_ge(calls(lines, parent, 1, "openat(", ".der"), 2);
    assert_worker_does(lines, "openat(", ".der");

    /* and without the module it has as many sockets */
    world_destroy(w);
    w = world_make();
    httpd_configure(w->httpd, &(httpd_config_t){.without_ocspx = 1});
    trace_httpd();
    lines = start_and_reload(&parent);
    ck_assert_int_gt(sockets, 0);
    ck_assert_int_eq(stream_sockets(lines, parent), sockets);
}
END_TEST

/* --- the refresher ----------------------------------------------------- */

/** Whose connection to the responder is open; -1: there is none. */
static long connected_user(void)
{
    FILE *table = fopen("/proc/net/tcp", "re");
    unsigned remote, state;
    unsigned long uid;
    char line[512];
    long found = -1;

    ck_assert_ptr_nonnull(table);
    while (fgets(line, sizeof(line), table))
        if (sscanf(line, " %*d: %*x:%*x %*x:%x %x %*x:%*x %*x:%*x %*x %lu",
                   &remote, &state, &uid) == 3 &&
            remote == (unsigned)responder_port(w->responder) && state == 1)
            found = (long)uid;
    fclose(table);
    return found;
}

START_TEST(refreshes_are_the_workers)
{
    long uid = -1;

    responder_script(w->responder, NULL,
                     &(responder_script_t){.lifetime = apr_time_from_sec(8)});
    add_site("a.test");
    responder_start(w->responder);
    world_up(w);
    responder_script(w->responder, NULL,
                     &(responder_script_t){.answer = RESPONDER_HANG});
    for (int i = 0; i < 300 && uid < 0; i++) {
        procs_sleep(50);
        uid = connected_user();
    }
    ck_assert_int_eq(uid, (long)worker);
    ck_assert_int_ne(uid, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("privileges");
    TCase *tc = tcase_create("privileges");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, the_parent_asks_nobody_and_reads_no_response);
    tcase_add_test(tc, refreshes_are_the_workers);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
