/* section_count: (c) instructions a staple takes, by callgrind: those of
 * handshakes that ask for a staple less those of handshakes that do not; and
 * of these mod_ocspx's own, which is all that its callback does, and in which
 * functions.
 *
 * Callgrind writes down what it has counted, and begins anew, whenever a
 * server gets a request; the handshakes that are counted carry none.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "../support/procs.h"
#include "figures.h"
#include "load.h"
#include "peers.h"
#include "table.h"

#define LIMIT_MS 60000
#define OWN "get_stapling_status"
#define FUNCTIONS_MAX 14
#define CUT_BY_REQUEST                                                         \
    "--dump-before=ap_run_post_read_request "                                  \
    "--dump-before=ngx_http_process_request"

typedef struct {
    const bench_t *bench;
    const scene_t *scene;
    int shakes; /* for each count */
    int rounds;
    apr_pool_t *pool;
} count_t;

/** A program that runs a server under callgrind. */
static const char *write_runner(const count_t *count, const char *name,
                                const char *options, const char *command)
{
    const char *path =
        apr_psprintf(count->pool, "%s/%s.sh", count->scene->dir, name);
    const char *text =
        apr_psprintf(count->pool,
                     "#!/bin/sh\nexec valgrind --tool=callgrind -q "
                     "--callgrind-out-file='%s/%s.%%p' %s %s\n",
                     count->scene->dir, name, options, command);

    pki_write_file(path, text, strlen(text));
    chmod(path, 0755);
    return path;
}

/** Found by the runner's shell. */
static const char *httpd_command(apr_pool_t *p)
{
    const char *own = getenv("HTTPD");

    return apr_pstrcat(p,
                       own ? own
                           : "$(PATH=$PATH:/usr/sbin; command -v apache2 || "
                             "command -v httpd)",
                       " -DONE_PROCESS \"$@\"", NULL);
}

static const char *run(const count_t *count, const char *const *argv)
{
    procs_result_t result;

    procs_run(&result, argv, NULL, LIMIT_MS, count->pool);
    if (result.status != 0)
        procs_die("%s: %s", argv[0], result.output);
    return result.output;
}

/** The total that a file of callgrind's ends with. */
static double total_of(const count_t *count, const char *path)
{
    const char *text = procs_read_file(path, count->pool);
    const char *at = strstr(text, "\ntotals: ");

    if (!at)
        procs_die("%s: no total", path);
    return strtod(at + 9, NULL);
}

static void shake(const count_t *count, const peer_t *peer, client_tls_e tls,
                  int no_status_request, int limit)
{
    load_spec_t spec = {.scene = count->scene,
                        .port = peers_port(peer),
                        .tls = tls,
                        .no_status_request = no_status_request,
                        .threads = 1,
                        .ms = LIMIT_MS,
                        .limit = limit};
    load_result_t result;

    load_run(&result, &spec, count->pool);
    if (result.done != (unsigned)limit)
        procs_die("callgrind: %u of %d handshakes", result.done, limit);
}

/** What was counted up to here goes to the next file. */
static void cut(const count_t *count, const peer_t *peer)
{
    load_spec_t spec = {.scene = count->scene,
                        .port = peers_port(peer),
                        .tls = CLIENT_TLS13,
                        .no_status_request = 1};

    if (!load_request(&spec, 0))
        procs_die("callgrind: no answer");
}

/** A server under callgrind. */
typedef struct {
    peer_t *peer;
    const char *name;
    int files; /* written so far */
} counted_t;

static const char *file_of(const count_t *count, const counted_t *of,
                           int number)
{
    return apr_psprintf(count->pool, "%s/%s.%d.%d", count->scene->dir, of->name,
                        (int)peers_pid(of->peer), number);
}

/** Instructions per handshake; the one that cuts is one more. */
static double measure(const count_t *count, counted_t *of, client_tls_e tls,
                      int no_status_request)
{
    shake(count, of->peer, tls, no_status_request, count->shakes);
    cut(count, of->peer);
    of->files++;
    return total_of(count, file_of(count, of, of->files)) / count->shakes;
}

static void begin(const count_t *count, counted_t *of, client_tls_e tls)
{
    shake(count, of->peer, tls, 0, 5);
    shake(count, of->peer, tls, 1, 5);
    cut(count, of->peer);
    of->files++;
}

static counted_t start(const count_t *count, peers_e kind, const char *name,
                       const char *options, apr_pool_t *p)
{
    const char *command =
        kind == PEERS_NGINX ? "\"$@\"" : httpd_command(count->pool);
    peers_spec_t spec = {.scene = count->scene,
                         .single = 1,
                         .runner = write_runner(count, name, options, command)};
    counted_t of = {peers_make(kind, &spec, p), name, 0};

    peers_start(of.peer);
    if (kind != PEERS_PLAIN)
        peers_wait_stapled(of.peer);
    /* To see that httpd was up took requests, too. */
    while (access(file_of(count, &of, of.files + 1), R_OK) == 0)
        of.files++;
    return of;
}

static void count_tls(table_t *table, const count_t *count, peers_e kind,
                      counted_t *of, client_tls_e tls)
{
    apr_array_header_t *without = figures_make(count->pool);
    apr_array_header_t *staple = figures_make(count->pool);

    begin(count, of, tls);
    for (int i = 0; i < count->rounds; i++) {
        double bare = measure(count, of, tls, 1);

        figures_add(without, bare);
        figures_add(staple, measure(count, of, tls, 0) - bare);
    }
    table_row(table, peers_names[kind], tls == CLIENT_TLS13 ? "1.3" : "1.2",
              figures_spread(without, 0, count->pool),
              figures_spread(staple, 0, count->pool));
}

static void count_peer(table_t *table, const count_t *count, peers_e kind)
{
    const char *name = apr_psprintf(count->pool, "callgrind-%d", (int)kind);
    counted_t of;
    apr_pool_t *p;

    apr_pool_create(&p, count->pool);
    of = start(count, kind, name, CUT_BY_REQUEST, p);
    if (count->bench->scale != BENCH_SMOKE)
        count_tls(table, count, kind, &of, CLIENT_TLS12);
    count_tls(table, count, kind, &of, CLIENT_TLS13);
    apr_pool_destroy(p);
}

static void count_peers(const count_t *count)
{
    static const char *const columns[] = {
        "server", "TLS", "without status_request", "a staple takes", NULL};
    table_t *table = table_make(
        count->bench, "count",
        apr_psprintf(count->pool,
                     "(c) Instructions per handshake (callgrind, one process, "
                     "%d rounds of %d handshakes; median and quartiles)",
                     count->rounds, count->shakes),
        columns, count->pool);

    /* It takes seconds to start one of them. */
    for (int i = count->bench->scale == BENCH_SMOKE ? PEERS_NGINX : 0;
         i < PEERS_COUNT; i++)
        count_peer(table, count, (peers_e)i);
    table_end(table);
}

/* --- mod_ocspx's own share --------------------------------------------- */

/** "1,234 (12.3%)  file:function [/path/object]": from the function on. */
static int parse_line(double *instructions, const char **function, char *line)
{
    char digits[32];
    int n = 0;
    char *at;

    for (at = line; *at == ' '; at++)
        ;
    for (; strchr("0123456789,", *at) && *at && n < 31; at++)
        if (*at != ',')
            digits[n++] = *at;
    digits[n] = '\0';
    if (n == 0 || !(at = strchr(at, ')')))
        return 0;
    *instructions = strtod(digits, NULL);
    for (at++; *at == ' '; at++)
        ;
    at = strchr(at, ':');
    *function = at ? at + 1 : NULL;
    return at != NULL;
}

/** "function [object]", without the directory of the object. */
static const char *without_path(const char *function, apr_pool_t *p)
{
    const char *object = strchr(function, '[');
    const char *name = object ? strrchr(function, '/') : NULL;

    return name ? apr_pstrcat(p,
                              apr_pstrmemdup(p, function,
                                             (apr_size_t)(object - function)),
                              "[", name + 1, NULL)
                : function;
}

static void tell_functions(table_t *table, const count_t *count,
                           const char *path, int staples)
{
    char *lines = apr_pstrdup(
        count->pool, run(count, (const char *[]){"callgrind_annotate",
                                                 "--auto=no", path, NULL}));
    double instructions;
    const char *function;
    char *state;
    int n = 0;

    for (char *line = apr_strtok(lines, "\n", &state);
         line && n < FUNCTIONS_MAX; line = apr_strtok(NULL, "\n", &state))
        if (parse_line(&instructions, &function, line)) {
            table_row(table, without_path(function, count->pool),
                      table_cell(table, "%.0f", instructions / staples));
            n++;
        }
}

static void count_own(const count_t *count)
{
    static const char *const columns[] = {"function", "instructions", NULL};
    table_t *table =
        table_make(count->bench, "count-own",
                   "    Of these in mod_ocspx's " OWN " and what it calls",
                   columns, count->pool);
    counted_t of = start(count, PEERS_OCSPX, "own",
                         CUT_BY_REQUEST " --toggle-collect=" OWN, count->pool);
    const char *path = file_of(count, &of, of.files + 1);
    int staples = PEERS_GOOD_STAPLES + count->shakes;

    /* In later files of one run callgrind knows no functions. */
    shake(count, of.peer, CLIENT_TLS13, 0, count->shakes);
    cut(count, of.peer);
    table_row(table, "all",
              table_cell(table, "%.0f", total_of(count, path) / staples));
    tell_functions(table, count, path, staples);
    table_end(table);
}

void section_count(const bench_t *bench, apr_pool_t *p)
{
    count_t count = {.bench = bench, .scene = scene_make(1, p), .pool = p};

    count.shakes = bench_pick(bench, 5, 25, 50);
    count.rounds = bench_pick(bench, 1, 3, 7);
    chmod(count.scene->dir, 0777); /* callgrind writes as the worker user */
    count_peers(&count);
    count_own(&count);
}
