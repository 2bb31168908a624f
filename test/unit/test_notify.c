/* test_notify: the administrator's command, with real processes. The clock is
 * the test's.
 */
#include <apr_strings.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../mod_ocspx/engine/notify.h"
#include "../support/check_main.h"
#include "../support/pki.h"
#include "../support/procs.h"

#define START apr_time_from_sec(2000000000)

static apr_pool_t *pool;
static apr_pool_t *refresher; /* pool of what is tested */
static ocspx_notify_t *notify;
static apr_time_t now;
static const char *dir;
static const char *argv[8]; /* the command line; more may be put in */

/* The lines logged, and how many of each level. */
static const char *logged;
static int lines[OCSPX_LOG_DEBUG + 1];

static void write_line(void *baton, ocspx_log_level_e level, int entry,
                       const char *line)
{
    (void)baton;
    (void)entry;
    lines[level]++;
    logged = apr_pstrcat(pool, logged, line, "\n", NULL);
}

static const ocspx_log_t log_to = {write_line, NULL};

static const char *path(const char *name)
{
    return apr_pstrcat(pool, dir, "/", name, NULL);
}

static const char *content(const char *name)
{
    return procs_read_file(path(name), pool);
}

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
    apr_pool_create(&refresher, NULL);
    now = START;
    logged = "";
    memset(lines, 0, sizeof(lines));
    memset(argv, 0, sizeof(argv));
    dir = procs_temp_dir(pool);
    argv[0] = path("command");
    notify = ocspx_notify_make(argv, &log_to, refresher);
    signal(SIGPIPE, SIG_IGN);
}

static void tear_down(void)
{
    if (refresher)
        apr_pool_destroy(refresher);
    apr_pool_destroy(pool);
}

static void write_command(const char *text, mode_t mode)
{
    pki_write_file(argv[0], text, strlen(text));
    ck_assert_int_eq(chmod(argv[0], mode), 0);
}

/* The command's current directory is the test's. */
static void command(const char *script)
{
    write_command(
        apr_pstrcat(pool, "#!/bin/bash\ncd ", dir, "\n", script, NULL), 0755);
}

static void add(const char *name, const char *json)
{
    ocspx_notify_add(notify, OCSPX_EVENT_FAILING, name, json, 3);
}

static void turn(void)
{
    ocspx_notify_turn(notify, now);
}

/* Turns until this is logged so many times. */
static void run_until(const char *text, int times)
{
    long deadline = procs_ms() + 10000;
    const char *at;
    int n;

    for (;;) {
        for (n = 0, at = logged; (at = strstr(at, text)); at++)
            n++;
        if (n >= times)
            return;
        ck_assert_msg(procs_ms() < deadline, "not logged: %s; but: %s", text,
                      logged);
        procs_sleep(2);
        turn();
    }
}

/* Turns until the command has written that file, which it is to do by mv. */
static const char *await_file(const char *name)
{
    long deadline = procs_ms() + 10000;

    while (access(path(name), F_OK)) {
        ck_assert_msg(procs_ms() < deadline, "no %s; logged: %s", name, logged);
        procs_sleep(2);
        turn();
    }
    return content(name);
}

#define ENDED "ended with status 0"

/* --- what the command gets -------------------------------------------- */

START_TEST(arguments_and_input)
{
    static const char name[] = "CN=$(touch gone) `touch gone` \"a\" 'b' * \\";

    argv[1] = "first argument";
    argv[2] = "";
    command("printf '<%s>' \"$@\" > args; cat > input");
    add(name, "{\"a\":1}");
    ck_assert_str_eq(logged, "");
    run_until(ENDED, 1);
    ck_assert_str_eq(
        content("args"),
        apr_pstrcat(pool, "<first argument><><failing><", name, ">", NULL));
    ck_assert_str_eq(content("input"), "{\"a\":1}");
    ck_assert_int_eq(access(path("gone"), F_OK), -1);
    ck_assert_int_eq(lines[OCSPX_LOG_DEBUG], 1);
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 0);
    ck_assert_ptr_nonnull(strstr(logged, "OCSPX0032: OCSPXNotify: "));
}
END_TEST

#define LONG 200000

static const char *long_input(void)
{
    char *text = apr_palloc(pool, LONG + 1);
    int i;

    for (i = 0; i < LONG; i++)
        text[i] = (char)('a' + i % 23);
    text[LONG] = '\0';
    return text;
}

START_TEST(long_input_arrives_whole)
{
    command("sleep 0.1; cat > input");
    add("a", long_input());
    run_until(ENDED, 1);
    ck_assert(!strcmp(content("input"), long_input()));
}
END_TEST

START_TEST(who_does_not_read_is_not_waited_for)
{
    long begin = procs_ms();

    command("touch begun; sleep 60");
    add("a", long_input());
    await_file("begun");
    turn();
    ck_assert_int_lt(procs_ms() - begin, 5000);
    command("exec 0<&-; sleep 0.1"); /* SIGPIPE, if we had it */
    add("b", long_input());
    now += OCSPX_NOTIFY_TIMEOUT;
    run_until(ENDED, 1);
}
END_TEST

START_TEST(nothing_of_ours_but_input)
{
    char byte;
    int fds[2];
    struct pollfd end;

    ck_assert_int_eq(pipe(fds), 0); /* without O_CLOEXEC */
    command("readlink /proc/$$/fd/1 /proc/$$/fd/2 > t; mv t out; sleep 60");
    add("a", "");
    ck_assert_str_eq(await_file("out"), "/dev/null\n/dev/null\n");
    close(fds[1]);
    end = (struct pollfd){.fd = fds[0], .events = POLLIN};
    ck_assert_int_eq(poll(&end, 1, 1000), 1);
    ck_assert_int_eq(read(fds[0], &byte, 1), 0);
    close(fds[0]);
}
END_TEST

/* But for two of glibc's own, above the 31 of everybody. */
static unsigned long signals(const char *name)
{
    const char *at = strstr(content("out"), name);

    ck_assert_ptr_nonnull(at);
    return strtoul(at + strlen(name), NULL, 16) & 0x7fffffff;
}

START_TEST(signals_are_as_at_birth)
{
    sigset_t all, before;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    signal(SIGHUP, SIG_IGN);
    command("cat /proc/self/status > out");
    add("a", "");
    run_until(ENDED, 1);
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGHUP, SIG_DFL);
    ck_assert_uint_eq(signals("SigBlk:"), 0);
    ck_assert_uint_eq(signals("SigIgn:"), 0);
}
END_TEST

static int open_descriptors(void)
{
    DIR *fds = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(fds))
        n++;
    closedir(fds);
    return n;
}

START_TEST(no_descriptor_is_left)
{
    int before = open_descriptors();

    command("cat > /dev/null");
    add("a", "x");
    run_until(ENDED, 1);
    ck_assert_int_eq(open_descriptors(), before);
    command("exit 0");
    add("b", long_input());
    run_until(ENDED, 2);
    ck_assert_int_eq(open_descriptors(), before);
    ck_assert_int_eq(unlink(argv[0]), 0);
    add("c", "x");
    run_until("cannot be started", 1);
    ck_assert_int_eq(open_descriptors(), before);
    command("touch begun; sleep 60");
    add("d", long_input());
    await_file("begun");
    apr_pool_destroy(refresher);
    refresher = NULL;
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

/* --- its end ----------------------------------------------------------- */

/* Is there no process by that number, or only a zombie? */
static int is_gone(const char *pid)
{
    FILE *file = fopen(apr_psprintf(pool, "/proc/%d/stat", atoi(pid)), "re");
    char state = 'Z';

    ck_assert_int_gt(atoi(pid), 1);
    if (!file)
        return 1;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 'Z';
    fclose(file);
    return state == 'Z';
}

static void assert_goes(const char *pid)
{
    long deadline = procs_ms() + 5000;

    while (!is_gone(pid)) {
        ck_assert_msg(procs_ms() < deadline, "%s still runs", pid);
        procs_sleep(5);
    }
}

#define HANG "sleep 60 & echo $! > t; mv t child; sleep 60"

START_TEST(hanging_command_is_killed_with_its_children)
{
    const char *child;

    command(HANG);
    add("a", "");
    turn();
    child = await_file("child");
    now += OCSPX_NOTIFY_TIMEOUT - 1;
    turn();
    procs_sleep(100);
    turn();
    ck_assert_str_eq(logged, "");
    ck_assert(!is_gone(child));
    now += 1;
    run_until("failing a did not end within 30 s and was killed", 1);
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 1);
    assert_goes(child);
}
END_TEST

START_TEST(clock_put_back)
{
    command(HANG);
    add("a", "");
    await_file("child");
    now -= apr_time_from_sec(86400);
    turn();
    now += OCSPX_NOTIFY_TIMEOUT;
    run_until("was killed", 1);
}
END_TEST

START_TEST(what_it_leaves_behind_ends_with_it)
{
    command("sleep 60 & echo $! > child");
    add("a", "");
    run_until(ENDED, 1);
    assert_goes(content("child"));
}
END_TEST

START_TEST(status_is_told)
{
    command("exit 3");
    add("a", "");
    run_until("failing a ended with status 3", 1);
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 1);
    command("kill -9 $$");
    add("b", "");
    run_until("failing b ended by signal 9", 1);
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 2);
}
END_TEST

START_TEST(end_of_the_refresher_kills)
{
    const char *child;

    command(HANG);
    add("a", "");
    add("b", "");
    child = await_file("child");
    apr_pool_destroy(refresher);
    refresher = NULL;
    assert_goes(child);
    ck_assert_ptr_nonnull(strstr(logged, "OCSPX0035: "));
    ck_assert_ptr_nonnull(strstr(logged, "has been told of 2 events"));
}
END_TEST

START_TEST(end_of_the_refresher_with_nothing_to_do)
{
    command("exit 0");
    add("a", "");
    run_until(ENDED, 1);
    apr_pool_destroy(refresher);
    refresher = NULL;
    ck_assert_ptr_null(strstr(logged, "OCSPX0035: "));
}
END_TEST

/* --- what cannot be started ------------------------------------------- */

static const struct {
    const char *text; /* NULL: no file */
    mode_t mode;
    const char *why;
} unstartable[] = {
    {NULL, 0, "No such file"},
    {"#!/bin/bash\n", 0644, "Permission denied"},
    {"touch gone\n", 0755, "Exec format error"}, /* and no shell tries it */
    {"#!/nowhere/bash\n", 0755, "No such file"},
};

START_TEST(cannot_be_started)
{
    if (unstartable[_i].text)
        write_command(unstartable[_i].text, unstartable[_i].mode);
    add("a", "");
    add("b", "");
    turn();
    ck_assert_ptr_nonnull(strstr(logged, "OCSPX0033: "));
    ck_assert_ptr_nonnull(strstr(logged, unstartable[_i].why));
    ck_assert_ptr_nonnull(strstr(logged, "failing a is not told"));
    ck_assert_ptr_nonnull(strstr(logged, "failing b is not told"));
    ck_assert_int_eq(lines[OCSPX_LOG_ERROR], 1);
    ck_assert_int_eq(lines[OCSPX_LOG_DEBUG], 1);
    command("exit 0");
    add("c", "");
    run_until("failing c " ENDED, 1);
    ck_assert_int_eq(unlink(argv[0]), 0);
    add("d", "");
    turn();
    ck_assert_int_eq(lines[OCSPX_LOG_ERROR], 2);
}
END_TEST

/* --- several ----------------------------------------------------------- */

START_TEST(one_at_a_time_in_order)
{
    const char *wanted = "";
    int i;

    command("echo +$2 >> out; sleep 0.03; echo -$2 >> out");
    for (i = 0; i < 8; i++) {
        add(apr_itoa(pool, i), "");
        wanted = apr_psprintf(pool, "%s+%d\n-%d\n", wanted, i, i);
    }
    run_until(ENDED, 8);
    ck_assert_str_eq(content("out"), wanted);
}
END_TEST

START_TEST(queue_is_bounded)
{
    int i;

    command(HANG);
    add("running", "");
    await_file("child");
    for (i = 0; i < OCSPX_NOTIFY_QUEUE; i++)
        add("waiting", "");
    ck_assert_str_eq(logged, "");
    add("dropped", "");
    add("dropped", "");
    add("dropped", "");
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 1);
    ck_assert_ptr_nonnull(strstr(logged, "OCSPX0034: "));
    ck_assert_int_eq(unlink(argv[0]), 0); /* the rest goes fast */
    now += OCSPX_NOTIFY_TIMEOUT;
    run_until("was not told of 3 events", 1);
    ck_assert_int_eq(lines[OCSPX_LOG_ERROR] + lines[OCSPX_LOG_DEBUG],
                     OCSPX_NOTIFY_QUEUE);
    command("exit 0");
    add("after", "");
    run_until("failing after " ENDED, 1);
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 3); /* the killed one's, too */
}
END_TEST

static Suite *notify_suite(void)
{
    Suite *suite = suite_create("notify");
    TCase *tests = tcase_create("notify");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, arguments_and_input);
    tcase_add_test(tests, long_input_arrives_whole);
    tcase_add_test(tests, who_does_not_read_is_not_waited_for);
    tcase_add_test(tests, nothing_of_ours_but_input);
    tcase_add_test(tests, signals_are_as_at_birth);
    tcase_add_test(tests, no_descriptor_is_left);
    tcase_add_test(tests, hanging_command_is_killed_with_its_children);
    tcase_add_test(tests, clock_put_back);
    tcase_add_test(tests, what_it_leaves_behind_ends_with_it);
    tcase_add_test(tests, status_is_told);
    tcase_add_test(tests, end_of_the_refresher_kills);
    tcase_add_test(tests, end_of_the_refresher_with_nothing_to_do);
    tcase_add_loop_test(tests, cannot_be_started, 0,
                        sizeof(unstartable) / sizeof(*unstartable));
    tcase_add_test(tests, one_at_a_time_in_order);
    tcase_add_test(tests, queue_is_bounded);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(notify_suite());
}
