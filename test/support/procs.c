/* procs: starts, watches and ends other processes. */
#include "procs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

/** No test has more descriptors open when it starts a program. */
#define FDS_MAX 4096
#define ARGS_MAX 64
#define OUTPUT_MAX (1024 * 1024)
#define END_MS 5000

static void close_inherited(void)
{
    for (int fd = STDERR_FILENO + 1; fd < FDS_MAX; fd++)
        close(fd);
}

/** Fork a child with its own group that dies when we do. */
static pid_t fork_bound(void)
{
    pid_t parent = getpid();
    pid_t pid;

    /* The orphans of what we start come to us, to be reaped. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    fflush(NULL);
    pid = fork();
    if (pid < 0)
        procs_die("fork: %s", strerror(errno));
    if (pid > 0) {
        setpgid(pid, pid); /* here as well: whoever comes first */
        return pid;
    }
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    return 0;
}

pid_t procs_fork(void)
{
    pid_t pid = fork_bound();

    if (pid == 0)
        close_inherited();
    return pid;
}

static pid_t fork_exec(const char *const *argv, int in, int out)
{
    char *args[ARGS_MAX] = {NULL};
    pid_t pid;

    for (int i = 0; argv[i] != NULL && i < ARGS_MAX - 1; i++)
        memcpy(&args[i], &argv[i], sizeof(args[i]));
    pid = fork_bound();
    if (pid > 0)
        return pid;
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    close_inherited();
    signal(SIGPIPE, SIG_DFL);
    execvp(args[0], args);
    dprintf(STDERR_FILENO, "%s: %s\n", args[0], strerror(errno));
    _exit(127);
}

pid_t procs_spawn(const char *const *argv, const char *log)
{
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    pid_t pid;

    if (in < 0 || out < 0)
        procs_die("%s: %s", log, strerror(errno));
    pid = fork_exec(argv, in, out);
    close(in);
    close(out);
    return pid;
}

/** The input as a file, so that writing it can never block. */
static int input_file(const char *input)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    size_t len = input != NULL ? strlen(input) : 0;

    if (fd < 0 || write(fd, input, len) != (ssize_t)len ||
        lseek(fd, 0, SEEK_SET) != 0)
        procs_die("input: %s", strerror(errno));
    return fd;
}

/** Read until the end or the deadline. @return 1: the end */
static int read_output(char *buffer, size_t size, int fd, long deadline)
{
    size_t len = 0;
    int ended = 0;

    while (!ended && len < size - 1) {
        struct pollfd ready = {fd, POLLIN, 0};
        long left = deadline - procs_ms();
        ssize_t got;

        if (left <= 0 || poll(&ready, 1, (int)left) == 0)
            break;
        got = read(fd, buffer + len, size - 1 - len);
        ended = got == 0 || (got < 0 && errno != EINTR);
        len += got > 0 ? (size_t)got : 0;
    }
    buffer[len] = '\0';
    return ended;
}

/** As procs_wait(), with the wait status. */
static int reap(int *status, pid_t pid, int timeout_ms)
{
    long deadline = procs_ms() + timeout_ms;

    for (;;) {
        pid_t got = waitpid(pid, status, WNOHANG);

        if (got == pid || (got < 0 && errno == ECHILD))
            return 1;
        if (procs_ms() >= deadline)
            return 0;
        procs_sleep(2);
    }
}

void procs_run(procs_result_t *result, const char *const *argv,
               const char *input, int timeout_ms, apr_pool_t *p)
{
    char *output = apr_palloc(p, OUTPUT_MAX);
    long deadline = procs_ms() + timeout_ms;
    int in = input_file(input);
    int status = -1;
    int fds[2];
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0)
        procs_die("pipe: %s", strerror(errno));
    pid = fork_exec(argv, in, fds[1]);
    close(in);
    close(fds[1]);
    result->timed_out = !read_output(output, OUTPUT_MAX, fds[0], deadline) ||
                        !reap(&status, pid, (int)(deadline - procs_ms()));
    close(fds[0]);
    result->output = output;
    result->status =
        !result->timed_out && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    procs_kill_group(pid);
}

int procs_wait(pid_t pid, int timeout_ms)
{
    int status;

    return reap(&status, pid, timeout_ms);
}

int procs_stop(pid_t pid, int sig, int timeout_ms)
{
    kill(pid, sig);
    if (procs_wait(pid, timeout_ms))
        return 1;
    kill(pid, SIGKILL);
    procs_wait(pid, timeout_ms);
    return 0;
}

static apr_status_t end_process(void *pid)
{
    procs_stop(*(const pid_t *)pid, SIGKILL, END_MS);
    return APR_SUCCESS;
}

void procs_end_with(pid_t pid, apr_pool_t *p)
{
    apr_pool_cleanup_register(p, apr_pmemdup(p, &pid, sizeof(pid)), end_process,
                              apr_pool_cleanup_null);
}

void procs_kill_group(pid_t group)
{
    long deadline = procs_ms() + END_MS;

    /* As long as one member is left, dead or alive, kill() succeeds. */
    while (kill(-group, SIGKILL) == 0 && procs_ms() < deadline)
        if (waitpid(-group, NULL, WNOHANG) <= 0)
            procs_sleep(1);
}

pid_t procs_guard(const volatile pid_t *group, void (*last)(void *),
                  void *baton)
{
    pid_t parent = getpid();
    pid_t pid = fork_bound();
    sigset_t all;

    if (pid > 0)
        return pid;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    close_inherited();
    while (getppid() == parent)
        sigwaitinfo(&all, NULL);
    if (group != NULL && *group > 0)
        kill(-*group, SIGKILL);
    last(baton);
    _exit(0);
}
