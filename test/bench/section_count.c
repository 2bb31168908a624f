/* section_count: (c) instructions a staple takes, by callgrind: those of
 * handshakes that ask for a staple less those of handshakes that do not; and
 * of these mod_ocspx's own, which is all that its callback does, and in which
 * functions.
 *
 * Callgrind writes down what it has counted, and begins anew, whenever a
 * server gets a request; the handshakes that are counted carry none. Between
 * two counts of the same there is little luck: see load_shake.c.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "../support/procs.h"
#include "annotate.h"
#include "figures.h"
#include "load.h"
#include "peers.h"
#include "table.h"

#define LIMIT_MS 300000
#define OWN "staple_directly"
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
                        .limit = limit,
                        .counted = 1};
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

/** Instructions of all handshakes, and of the one that cuts. */
static double measure(const count_t *count, counted_t *of, client_tls_e tls,
                      int no_status_request)
{
    shake(count, of->peer, tls, no_status_request, count->shakes);
    cut(count, of->peer);
    of->files++;
    return total_of(count, file_of(count, of, of->files));
}

static void begin(const count_t *count, counted_t *of, client_tls_e tls)
{
    shake(count, of->peer, tls, 0, count->shakes);
    shake(count, of->peer, tls, 1, count->shakes);
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

        figures_add(without, bare / (count->shakes + 1));
        figures_add(staple,
                    (measure(count, of, tls, 0) - bare) / count->shakes);
    }
    table_row(table, peers_names[kind], tls == CLIENT_TLS13 ? "1.3" : "1.2",
              figures_spread(without, 0, count->pool),
              figures_spread(staple, 0, count->pool));
}

/** @return what a staple takes, by program and library */
static apr_hash_t *count_peer(table_t *table, const count_t *count,
                              peers_e kind)
{
    const char *name = apr_psprintf(count->pool, "callgrind-%d", (int)kind);
    const char *with, *without;
    apr_hash_t *objects;
    counted_t of;
    apr_pool_t *p;

    apr_pool_create(&p, count->pool);
    of = start(count, kind, name, CUT_BY_REQUEST, p);
    if (count->bench->scale != BENCH_SMOKE)
        count_tls(table, count, kind, &of, CLIENT_TLS12);
    count_tls(table, count, kind, &of, CLIENT_TLS13);
    with = file_of(count, &of, of.files);
    without = file_of(count, &of, of.files - 1);
    objects = annotate_objects(with, without,
                               total_of(count, with) - total_of(count, without),
                               count->pool);
    apr_pool_destroy(p);
    return objects;
}

static const char *cell_of(const table_t *table, const count_t *count,
                           apr_hash_t *objects, const char *name)
{
    const double *sum =
        objects ? apr_hash_get(objects, name, APR_HASH_KEY_STRING) : NULL;

    return sum ? table_cell(table, "%.0f", *sum / count->shakes) : "-";
}

static void tell_where(const count_t *count, apr_hash_t *const *of)
{
    static const char *const objects[] = {"libcrypto", "libssl",  "libc",
                                          "libapr-1",  "apache2", "mod_ssl",
                                          "mod_md",    "nginx",   "mod_ocspx"};
    const char *columns[] = {"in",
                             peers_names[0],
                             peers_names[1],
                             peers_names[2],
                             peers_names[3],
                             peers_names[4],
                             NULL};
    table_t *table =
        table_make(count->bench, "count-where",
                   "    Where a staple's go, TLS 1.3", columns, count->pool);

    for (int i = 0; i < COUNT(objects); i++)
        table_row(table, objects[i], cell_of(table, count, of[0], objects[i]),
                  cell_of(table, count, of[1], objects[i]),
                  cell_of(table, count, of[2], objects[i]),
                  cell_of(table, count, of[3], objects[i]),
                  cell_of(table, count, of[4], objects[i]));
    table_end(table);
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
    apr_hash_t *objects[PEERS_COUNT] = {NULL};

    /* It takes seconds to start one of them. */
    for (int i = count->bench->scale == BENCH_SMOKE ? PEERS_NGINX : 0;
         i < PEERS_COUNT; i++)
        objects[i] = count_peer(table, count, (peers_e)i);
    table_end(table);
    tell_where(count, objects);
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
    annotate_functions(table, path, staples, count->pool);
    table_end(table);
}

void section_count(const bench_t *bench, apr_pool_t *p)
{
    count_t count = {.bench = bench, .scene = scene_make(1, p), .pool = p};

    count.shakes = bench_pick(bench, 8, 16, 32);
    count.rounds = bench_pick(bench, 1, 1, 3);
    chmod(count.scene->dir, 0777); /* callgrind writes as the worker user */
    count_peers(&count);
    count_own(&count);
}
