/* check: what a strict client gets from TLS servers; a Nagios plugin. */
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "../engine/trust.h"
#include "check_target.h"
#include "cli.h"

#define THREADS_MAX 8
#define TIMEOUT 10
#define TIMEOUT_MAX 3600

static const char help[] =
    "Usage: ocspx check HOST[:PORT]... [OPTION]...\n"
    "Does a strict client get a complete chain and a good staple there? One\n"
    "handshake each by TLS 1.3 and 1.2, for ECDSA and for RSA; then the\n"
    "certificates' responders are asked from here.\n"
    "\n"
    "  HOST[:PORT]      name or address of a TLS server (port 443)\n"
    "  --connect ADDR[:PORT]  connect there, whatever HOST resolves to\n"
    "  --trust PATH     the only roots that clients know: a PEM file, or a\n"
    "                   directory as openssl rehash makes it (default: the\n"
    "                   system's, and that of any private CA)\n"
    "  --timeout SECONDS  for each handshake and each question, from 1 to "
    "3600 (10)\n"
    "  --json           print JSON: an array with an object for each host:\n"
    "                   host, port, connected, status, summary, handshakes,\n"
    "                   certificates (with staple and responder), findings\n"
    "  --help           print this\n"
    "\n"
    "Exit status, as of a Nagios plugin: 0 ok, 1 warning, 2 critical, 3 "
    "unknown,\n"
    "that is, a name that does not resolve, or wrong usage.\n";

typedef struct {
    const char *connect, *trust;
    apr_interval_time_t timeout;
    int json, help;
} options_t;

/* All hosts, and how far they are. */
typedef struct {
    const apr_array_header_t *targets; /* cli_check_target_t * */
    cli_check_policy_t policy;
    apr_array_header_t *hosts; /* cli_check_host_t *, in the same order */
    apr_thread_mutex_t *lock;  /* for the next two */
    int begun, done;
    apr_thread_cond_t *progress;
    apr_pool_t *pool;
} work_t;

/* --- options --------------------------------------------------------- */

static int parse_timeout(options_t *o, const char *arg)
{
    if (!cli_parse_seconds(&o->timeout, "--timeout", arg))
        return 0;
    if (o->timeout >= apr_time_from_sec(1) &&
        o->timeout <= apr_time_from_sec(TIMEOUT_MAX))
        return 1;
    cli_complain("--timeout '%s': must be from 1 to %d seconds", arg,
                 TIMEOUT_MAX);
    return 0;
}

static int parse(options_t *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"connect", required_argument, NULL, 'c'},
        {"trust", required_argument, NULL, 'r'},
        {"timeout", required_argument, NULL, 't'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        int ok = 1;

        if (c == 'c')
            o->connect = optarg;
        else if (c == 'r')
            o->trust = optarg;
        else if (c == 't')
            ok = parse_timeout(o, optarg);
        else if (c == 'j')
            o->json = 1;
        else if (c == 'h')
            o->help = 1;
        else
            ok = 0;
        if (!ok)
            return 0;
    }
    if (o->help || optind < argc)
        return 1;
    cli_complain("check needs at least one HOST; --help says more");
    return 0;
}

/* @return cli_check_target_t *; NULL: one is not a host */
static apr_array_header_t *take_targets(const options_t *o, int count,
                                        char **given, apr_pool_t *p)
{
    apr_array_header_t *targets =
        apr_array_make(p, count, sizeof(cli_check_target_t *));

    for (int i = 0; i < count; i++) {
        cli_check_target_t *target = cli_check_target(given[i], o->connect, p);

        if (!target)
            return NULL;
        APR_ARRAY_PUSH(targets, cli_check_target_t *) = target;
    }
    return targets;
}

/* --- several at once ------------------------------------------------- */

/* @return -1: all have been begun */
static int begin_next(work_t *work)
{
    int next = -1;

    apr_thread_mutex_lock(work->lock);
    if (work->begun < work->targets->nelts)
        next = work->begun++;
    apr_thread_mutex_unlock(work->lock);
    return next;
}

static void end_one(work_t *work)
{
    apr_thread_mutex_lock(work->lock);
    work->done++;
    apr_thread_cond_signal(work->progress);
    apr_thread_mutex_unlock(work->lock);
}

/* A pool for each thread: what it holds is read when all have ended. */
static void *APR_THREAD_FUNC check_some(apr_thread_t *thread, void *data)
{
    work_t *work = data;
    apr_pool_t *p;
    int i;

    apr_pool_create(&p, work->pool);
    while ((i = begin_next(work)) >= 0) {
        cli_check_host(APR_ARRAY_IDX(work->hosts, i, cli_check_host_t *),
                       APR_ARRAY_IDX(work->targets, i, cli_check_target_t *),
                       &work->policy, p);
        end_one(work);
    }
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

/* For people who watch; nothing is left of it. */
static void show_progress(work_t *work)
{
    int count = work->targets->nelts;
    int shown = isatty(STDERR_FILENO);

    apr_thread_mutex_lock(work->lock);
    while (work->done < count) {
        if (shown)
            fprintf(stderr, "\r%d of %d checked", work->done, count);
        apr_thread_cond_wait(work->progress, work->lock);
    }
    apr_thread_mutex_unlock(work->lock);
    if (shown)
        fputs("\r\033[K", stderr);
}

static int check_all(work_t *work, apr_pool_t *p)
{
    apr_thread_t *threads[THREADS_MAX];
    apr_status_t ended;
    int count = 0;

    while (count < THREADS_MAX && count < work->targets->nelts &&
           apr_thread_create(&threads[count], NULL, check_some, work, p) ==
               APR_SUCCESS)
        count++;
    if (!count)
        return 0;
    show_progress(work);
    while (count > 0)
        apr_thread_join(&ended, threads[--count]);
    return 1;
}

static int prepare(work_t *work, const apr_array_header_t *targets,
                   apr_pool_t *p)
{
    work->targets = targets;
    work->pool = p;
    work->hosts = apr_array_make(p, targets->nelts, sizeof(cli_check_host_t *));
    for (int i = 0; i < targets->nelts; i++)
        APR_ARRAY_PUSH(work->hosts, cli_check_host_t *) =
            apr_palloc(p, sizeof(cli_check_host_t));
    signal(SIGPIPE, SIG_IGN); /* a server that closes early is no reason */
    return apr_thread_mutex_create(&work->lock, APR_THREAD_MUTEX_DEFAULT, p) ==
               APR_SUCCESS &&
           apr_thread_cond_create(&work->progress, p) == APR_SUCCESS &&
           ocspx_fetch_global_init() == APR_SUCCESS && check_all(work, p);
}

/* --- the command ----------------------------------------------------- */

static int conclude(const work_t *work, int as_json, apr_pool_t *p)
{
    cli_nagios_e worst = CLI_NAGIOS_OK;

    for (int i = 0; i < work->hosts->nelts; i++)
        worst = cli_nagios_worse(
            worst, APR_ARRAY_IDX(work->hosts, i, cli_check_host_t *)->state);
    if (as_json)
        cli_check_print_json(work->hosts, p);
    else
        cli_check_print(work->hosts, p);
    return (int)worst;
}

static int check(const options_t *o, const apr_array_header_t *targets,
                 apr_pool_t *p)
{
    work_t work = {.policy.timeout = o->timeout};
    const char *why;

    if (ocspx_trust_load(&work.policy.trust, &why, o->trust, p) !=
        APR_SUCCESS) {
        cli_complain("%s", why);
        return CLI_NAGIOS_UNKNOWN;
    }
    if (prepare(&work, targets, p))
        return conclude(&work, o->json, p);
    cli_complain("threads or libcurl cannot be set up");
    return CLI_NAGIOS_UNKNOWN;
}

static int run(int argc, char **argv, apr_pool_t *p)
{
    options_t o = {.timeout = apr_time_from_sec(TIMEOUT)};
    const apr_array_header_t *targets;

    if (!parse(&o, argc, argv))
        return CLI_NAGIOS_UNKNOWN;
    if (o.help) {
        fputs(help, stdout);
        return CLI_NAGIOS_OK;
    }
    targets = take_targets(&o, argc - optind, argv + optind, p);
    return targets ? check(&o, targets, p) : CLI_NAGIOS_UNKNOWN;
}

const cli_command_t cli_check = {"check", run, CLI_NAGIOS_UNKNOWN};
