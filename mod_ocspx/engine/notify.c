/* notify: runs the administrator's command when something happened. */
#include "notify.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

typedef struct item_t item_t;
struct item_t {
    item_t *next;
    apr_pool_t *pool; /* its own */
    const char *event, *name, *json;
    int entry;
};

struct ocspx_notify_t {
    apr_pool_t *pool;
    const ocspx_log_t *log;
    const char *const *argv;
    item_t *first, **last; /* waiting for their turn */
    unsigned waiting, dropped;

    item_t *running; /* NULL: none */
    pid_t pid;
    int in; /* its standard input; -1: closed */
    apr_size_t fed;
    apr_time_t deadline;
};

/* --- the end of one -------------------------------------------------- */

static void close_input(ocspx_notify_t *notify)
{
    if (notify->in >= 0)
        close(notify->in);
    notify->in = -1;
}

static void forget(ocspx_notify_t *notify)
{
    apr_pool_destroy(notify->running->pool);
    notify->running = NULL;
}

static void log_end(const ocspx_notify_t *notify, int status, int timed_out)
{
    const item_t *item = notify->running;
    const char *command = notify->argv[0];

    if (timed_out)
        ocspx_log(notify->log, OCSPX_LOG_WARNING, 30, item->entry,
                  "OCSPXNotify: %s %s %s did not end within %d s and was "
                  "killed",
                  command, item->event, item->name,
                  (int)apr_time_sec(OCSPX_NOTIFY_TIMEOUT));
    else if (WIFSIGNALED(status))
        ocspx_log(notify->log, OCSPX_LOG_WARNING, 31, item->entry,
                  "OCSPXNotify: %s %s %s ended by signal %d", command,
                  item->event, item->name, WTERMSIG(status));
    else
        ocspx_log(notify->log,
                  WEXITSTATUS(status) ? OCSPX_LOG_WARNING : OCSPX_LOG_DEBUG, 32,
                  item->entry, "OCSPXNotify: %s %s %s ended with status %d",
                  command, item->event, item->name, WEXITSTATUS(status));
}

/* The whole process group: a script has children. */
static void kill_and_reap(const ocspx_notify_t *notify)
{
    kill(-notify->pid, SIGKILL);
    while (waitpid(notify->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void look_after(ocspx_notify_t *notify, apr_time_t now)
{
    int status = 0;
    int timed_out;
    pid_t pid = waitpid(notify->pid, &status, WNOHANG);

    timed_out = !pid && now >= notify->deadline;
    if (!pid && !timed_out)
        return;
    if (timed_out)
        kill_and_reap(notify);
    close_input(notify);
    log_end(notify, status, timed_out);
    forget(notify);
}

/* --- the beginning --------------------------------------------------- */

static const char **command_line(const ocspx_notify_t *notify,
                                 const item_t *item)
{
    apr_array_header_t *argv = apr_array_make(item->pool, 8, sizeof(char *));
    int i;

    for (i = 0; notify->argv[i]; i++)
        APR_ARRAY_PUSH(argv, const char *) = notify->argv[i];
    APR_ARRAY_PUSH(argv, const char *) = item->event;
    APR_ARRAY_PUSH(argv, const char *) = item->name;
    APR_ARRAY_PUSH(argv, const char *) = NULL;
    return (const char **)argv->elts;
}

/* A group of its own, with no signal blocked or ignored, whatever the thread
 * that starts it has. */
static int set_up(posix_spawnattr_t *attr)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    return posix_spawnattr_setsigmask(attr, &none) ||
           posix_spawnattr_setsigdefault(attr, &all) ||
           posix_spawnattr_setpgroup(attr, 0) ||
           posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
}

static int redirect(posix_spawn_file_actions_t *files, int in)
{
    return posix_spawn_file_actions_adddup2(files, in, 0) ||
           posix_spawn_file_actions_addopen(files, 1, "/dev/null", O_WRONLY,
                                            0) ||
           posix_spawn_file_actions_adddup2(files, 1, 2);
}

/* @return errno */
static int spawn(ocspx_notify_t *notify, const item_t *item, int in)
{
    const char **argv = command_line(notify, item);
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int rv;

    if (posix_spawn_file_actions_init(&files))
        return ENOMEM;
    if (posix_spawnattr_init(&attr)) {
        posix_spawn_file_actions_destroy(&files);
        return ENOMEM;
    }
    if (set_up(&attr) || redirect(&files, in))
        rv = ENOMEM;
    else
        rv = posix_spawn(&notify->pid, argv[0], &files, &attr,
                         (char *const *)(uintptr_t)argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return rv;
}

static int start(ocspx_notify_t *notify, item_t *item)
{
    int fds[2];
    int rv;

    if (pipe2(fds, O_CLOEXEC))
        return errno;
    rv = spawn(notify, item, fds[0]);
    close(fds[0]);
    notify->in = fds[1];
    if (rv)
        close_input(notify);
    else
        fcntl(notify->in, F_SETFL, O_NONBLOCK);
    return rv;
}

static item_t *take(ocspx_notify_t *notify)
{
    item_t *item = notify->first;

    notify->first = item->next;
    if (!notify->first)
        notify->last = &notify->first;
    notify->waiting--;
    return item;
}

static void start_next(ocspx_notify_t *notify, apr_time_t now)
{
    item_t *item = take(notify);
    int rv = start(notify, item);
    char words[120];

    notify->running = item;
    notify->fed = 0;
    notify->deadline = now + OCSPX_NOTIFY_TIMEOUT;
    if (!rv)
        return;
    ocspx_log(notify->log, OCSPX_LOG_ERROR, 33, item->entry,
              "OCSPXNotify: %s cannot be started: %s; %s %s is not told",
              notify->argv[0], apr_strerror(rv, words, sizeof(words)),
              item->event, item->name);
    forget(notify);
}

/* Who does not read is not waited for; the process ignores SIGPIPE. */
static void feed(ocspx_notify_t *notify)
{
    const char *json = notify->running->json;
    apr_size_t left = strlen(json) - notify->fed;
    ssize_t n = 0;

    while (left && (n = write(notify->in, json + notify->fed, left)) > 0) {
        notify->fed += (apr_size_t)n;
        left -= (apr_size_t)n;
    }
    if (!left || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_input(notify);
}

/* --- public ---------------------------------------------------------- */

void ocspx_notify_turn(ocspx_notify_t *notify, apr_time_t now)
{
    if (notify->running)
        look_after(notify, now);
    while (!notify->running && notify->first)
        start_next(notify, now);
    if (notify->running && notify->in >= 0)
        feed(notify);
}

void ocspx_notify_add(ocspx_notify_t *notify, ocspx_event_e event,
                      const char *name, const char *json, int entry)
{
    apr_pool_t *pool;
    item_t *item;

    if (notify->waiting >= OCSPX_NOTIFY_QUEUE) {
        if (!notify->dropped++)
            ocspx_log(notify->log, OCSPX_LOG_WARNING, 34, entry,
                      "OCSPXNotify: %u events wait for %s; more are not told "
                      "until it has caught up",
                      notify->waiting, notify->argv[0]);
        return;
    }
    notify->dropped = 0;
    apr_pool_create(&pool, notify->pool);
    item = apr_palloc(pool, sizeof(*item));
    *item = (item_t){
        .pool = pool,
        .event = ocspx_event_name(event),
        .name = apr_pstrdup(pool, name),
        .json = apr_pstrdup(pool, json),
        .entry = entry,
    };
    *notify->last = item;
    notify->last = &item->next;
    notify->waiting++;
}

static apr_status_t end(void *data)
{
    ocspx_notify_t *notify = data;

    if (notify->running) {
        kill_and_reap(notify);
        close_input(notify);
    }
    return APR_SUCCESS;
}

ocspx_notify_t *ocspx_notify_make(const char *const *argv,
                                  const ocspx_log_t *log, apr_pool_t *p)
{
    ocspx_notify_t *notify = apr_pcalloc(p, sizeof(*notify));

    notify->pool = p;
    notify->log = log;
    notify->argv = argv;
    notify->last = &notify->first;
    notify->in = -1;
    apr_pool_pre_cleanup_register(p, notify, end);
    return notify;
}
