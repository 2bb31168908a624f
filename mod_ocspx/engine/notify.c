/* notify: runs the administrator's command when something happened. */
#include "notify.h"

#include <apr_strings.h>
#include <apr_tables.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn.h"

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
    int unstartable; /* errno of the last start; 0: there was none */

    item_t *running; /* NULL: none */
    pid_t pid;
    int in; /* its standard input; -1: closed */
    apr_size_t fed;
    apr_time_t deadline;
    int killed;
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

static void log_end(const ocspx_notify_t *notify, int status)
{
    const item_t *item = notify->running;
    const char *command = notify->argv[0];

    if (notify->killed)
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

/* The whole process group: a script has children. Not once the leader is
 * reaped, when its number may be another's. */
static void kill_group(const ocspx_notify_t *notify)
{
    kill(-notify->pid, SIGKILL);
}

/* @return 0: it is still there */
static int has_ended(const ocspx_notify_t *notify)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(P_PID, (id_t)notify->pid, &info,
                  WEXITED | WNOHANG | WNOWAIT) ||
           info.si_pid;
}

static void reap(ocspx_notify_t *notify)
{
    int status = 0;

    kill_group(notify);
    waitpid(notify->pid, &status, WNOHANG);
    close_input(notify);
    log_end(notify, status);
    forget(notify);
}

/* Even SIGKILL may take its time, where a disk hangs. */
static void look_after(ocspx_notify_t *notify, apr_time_t now)
{
    if (has_ended(notify)) {
        reap(notify);
        return;
    }
    if (notify->deadline >
        now + OCSPX_NOTIFY_TIMEOUT) /* the clock was put back */
        notify->deadline = now + OCSPX_NOTIFY_TIMEOUT;
    if (now < notify->deadline)
        return;
    kill_group(notify);
    notify->killed = 1;
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

static item_t *take(ocspx_notify_t *notify)
{
    item_t *item = notify->first;

    notify->first = item->next;
    if (!notify->first)
        notify->last = &notify->first;
    notify->waiting--;
    return item;
}

/* The same again is no news. */
static void log_start(ocspx_notify_t *notify, const item_t *item, int rv)
{
    int again = rv == notify->unstartable;
    char words[120];

    notify->unstartable = rv;
    if (rv)
        ocspx_log(notify->log, again ? OCSPX_LOG_DEBUG : OCSPX_LOG_ERROR, 33,
                  item->entry,
                  "OCSPXNotify: %s cannot be started: %s; %s %s is not told",
                  notify->argv[0], apr_strerror(rv, words, sizeof(words)),
                  item->event, item->name);
}

static void start_next(ocspx_notify_t *notify, apr_time_t now)
{
    item_t *item = take(notify);
    int rv = ocspx_spawn(&notify->pid, &notify->in, command_line(notify, item));

    log_start(notify, item, rv);
    notify->running = item;
    notify->fed = 0;
    notify->deadline = now + OCSPX_NOTIFY_TIMEOUT;
    notify->killed = 0;
    if (rv)
        forget(notify);
}

/* Who does not read is not waited for; the process ignores SIGPIPE. */
static void feed(ocspx_notify_t *notify)
{
    const char *json = notify->running->json;
    apr_size_t left = strlen(json) - notify->fed;
    ssize_t n;

    while (left && (n = write(notify->in, json + notify->fed, left)) > 0) {
        notify->fed += (apr_size_t)n;
        left -= (apr_size_t)n;
    }
    if (!left)
        close_input(notify);
}

/* --- public ---------------------------------------------------------- */

static void note_dropped(ocspx_notify_t *notify)
{
    ocspx_log(notify->log, OCSPX_LOG_WARNING, 36, -1,
              "OCSPXNotify: %s has caught up; it was not told of %u event%s",
              notify->argv[0], notify->dropped,
              notify->dropped == 1 ? "" : "s");
    notify->dropped = 0;
}

void ocspx_notify_turn(ocspx_notify_t *notify, apr_time_t now)
{
    if (notify->running)
        look_after(notify, now);
    while (!notify->running && notify->first)
        start_next(notify, now);
    if (!notify->first && notify->dropped)
        note_dropped(notify);
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
    unsigned untold = notify->waiting + (notify->running != NULL);

    if (notify->running) {
        kill_group(notify);
        close_input(notify);
    }
    if (untold)
        ocspx_log(notify->log, OCSPX_LOG_WARNING, 35, -1,
                  "OCSPXNotify: this process ends before %s has been told of "
                  "%u event%s",
                  notify->argv[0], untold, untold == 1 ? "" : "s");
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
