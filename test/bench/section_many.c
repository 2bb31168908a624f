/* section_many: (e) many virtual hosts, each with a certificate of its own. One
 * server after the other, as none would be alone otherwise.
 *
 *   start     from exec to the first handshake, without status_request
 *   stapled   until each site has given a client a staple, from exec on;
 *             what takes longer than the limit is cut, and counted
 *   restart   the same again, for those that keep responses
 *   memory    of httpd with one child: which pages of a site a handshake makes
 *             a child's own would else depend on how many each one got
 *
 * By default mod_ocspx's start waits for responses, five seconds at most. How
 * long it takes by itself is seen with OCSPXStartupWait 0: start only.
 */
#include "bench.h"

#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "../support/procs.h"
#include "figures.h"
#include "load.h"
#include "peers.h"
#include "table.h"

#define WALKERS 4

/* By default, 6 per host: a responder that is asked about so much is rare. */
#define OCSPX_LINES "OCSPXMaxParallel 32 32"
#define NO_WAIT "OCSPXStartupWait 0"

typedef struct {
    const bench_t *bench;
    const scene_t *scene;
    table_t *table;
    double plain_start, plain_pss;
    apr_pool_t *pool;       /* for one number of sites */
    apr_pool_t *table_pool; /* for all */
} many_t;

typedef struct {
    peers_e kind;
    peer_t *peer;
    double start; /* ms; as is the next */
    double first; /* the first handshake with status_request */
    int first_stapled;
    int stapled; /* sites */
    double all;  /* seconds */
    double pss;  /* KB */
    double idle; /* CPU ms per second, when all is done */
    unsigned requests;
} seen_t;

/* After it is up. With 10,000 sites it is seen by then how fast it goes on. */
static int limit_ms(const many_t *many)
{
    return many->scene->count < 10000
               ? bench_pick(many->bench, 10000, 10000, 30000)
               : 40000;
}

static double idle_cpu(const peer_t *peer, int ms)
{
    double before = figures_cpu(peers_pid(peer));

    procs_sleep(ms);
    return (figures_cpu(peers_pid(peer)) - before) / ms;
}

static void look_at_start(seen_t *seen, const many_t *many)
{
    load_spec_t spec = {.scene = many->scene,
                        .port = peers_port(seen->peer),
                        .tls = CLIENT_TLS13};

    responder_reset(many->scene->responder);
    seen->start = peers_start(seen->peer);
    load_shake(&seen->first_stapled, &seen->first, &spec, 0);
}

static void look(seen_t *seen, const many_t *many)
{
    load_spec_t spec = {.scene = many->scene,
                        .port = peers_port(seen->peer),
                        .tls = CLIENT_TLS13,
                        .threads = WALKERS,
                        .ms = limit_ms(many)};
    unsigned char *stapled =
        apr_pcalloc(many->pool, (apr_size_t)many->scene->count);
    long begin = procs_ms();

    look_at_start(seen, many);
    seen->stapled = load_walk(stapled, &spec, seen->kind == PEERS_PLAIN);
    seen->all = (double)(procs_ms() - begin) / 1000;
    seen->idle = idle_cpu(seen->peer, bench_pick(many->bench, 200, 1000, 1000));
    seen->pss = figures_pss(peers_pid(seen->peer));
    seen->requests = responder_requests(many->scene->responder, NULL);
}

static void tell(const many_t *many, const char *name, const seen_t *seen)
{
    table_t *table = many->table;
    int count = many->scene->count;
    int cut = seen->kind != PEERS_PLAIN && seen->stapled < count;
    double more = seen->pss - many->plain_pss;

    bench_say("%s, %d sites: up in %.1f s, %d stapled after %.1f s", name,
              count, seen->start / 1000, seen->stapled, seen->all);
    table_row(table, name, table_cell(table, "%d", count),
              table_cell(table, "%.2f", seen->start / 1000),
              table_cell(table, "%.2f", seen->start / many->plain_start),
              table_cell(table, "%.1f", seen->first),
              seen->first_stapled ? "yes" : "no",
              table_cell(table, "%d", seen->stapled),
              table_cell(table, cut ? "%.1f, cut" : "%.1f", seen->all),
              table_cell(table, "%.1f", seen->pss / 1024),
              seen->kind == PEERS_NGINX
                  ? "-"
                  : table_cell(table, "%.2f", more / count),
              table_cell(table, "%u", seen->requests),
              table_cell(table, "%.2f", seen->idle));
}

static void tell_start(const many_t *many, const char *name, const seen_t *seen)
{
    table_t *table = many->table;

    bench_say("%s, %d sites: up in %.1f s", name, many->scene->count,
              seen->start / 1000);
    table_row(table, name, table_cell(table, "%d", many->scene->count),
              table_cell(table, "%.2f", seen->start / 1000),
              table_cell(table, "%.2f", seen->start / many->plain_start),
              table_cell(table, "%.1f", seen->first),
              seen->first_stapled ? "yes" : "no", "-", "-", "-", "-", "-", "-");
}

static void run_peer(many_t *many, peers_e kind)
{
    int keeps = kind == PEERS_OCSPX || kind == PEERS_MOD_MD;
    peers_spec_t spec = {
        .scene = many->scene, .ocspx_lines = OCSPX_LINES, .servers = 1};
    seen_t seen = {.kind = kind};
    apr_pool_t *p;

    apr_pool_create(&p, many->pool);
    seen.peer = peers_make(kind, &spec, p);
    look(&seen, many);
    if (kind == PEERS_PLAIN) {
        many->plain_start = seen.start;
        many->plain_pss = seen.pss;
    }
    tell(many, peers_names[kind], &seen);
    if (keeps && seen.stapled == many->scene->count) {
        peers_stop(seen.peer);
        sync(); /* what it wrote is not to be this start's burden */
        look(&seen, many);
        tell(
            many,
            apr_pstrcat(many->table_pool, peers_names[kind], ", restart", NULL),
            &seen);
    }
    apr_pool_destroy(p);
}

/** mod_ocspx set up in another way. */
static void run_variant(const many_t *many, const char *variant,
                        const char *lines, int start_only)
{
    peers_spec_t spec = {
        .scene = many->scene, .ocspx_lines = lines, .servers = 1};
    const char *name = apr_pstrcat(many->table_pool, peers_names[PEERS_OCSPX],
                                   ", ", variant, NULL);
    seen_t seen = {.kind = PEERS_OCSPX};
    apr_pool_t *p;

    apr_pool_create(&p, many->pool);
    seen.peer = peers_make(PEERS_OCSPX, &spec, p);
    if (start_only) {
        look_at_start(&seen, many);
        tell_start(many, name, &seen);
    } else {
        look(&seen, many);
        tell(many, name, &seen);
    }
    apr_pool_destroy(p);
}

static void run_count(many_t *many, int count, apr_pool_t *parent)
{
    long begin = procs_ms();

    apr_pool_create(&many->pool, parent);
    many->scene = scene_make(count, many->pool);
    bench_say("%d certificates made in %.1f s", count,
              (double)(procs_ms() - begin) / 1000);
    for (int i = 0; i < PEERS_COUNT; i++)
        run_peer(many, (peers_e)i);
    run_variant(many, NO_WAIT, NO_WAIT "\n", 1);
    if (count < 10000 && many->bench->scale != BENCH_QUICK)
        run_variant(many, "6 in flight", NULL, 0);
    apr_pool_destroy(many->pool);
}

void section_many(const bench_t *bench, apr_pool_t *p)
{
    static const char *const columns[] = {
        "server",    "sites",         "start s",       "to plain",
        "first ms",  "first stapled", "stapled sites", "after s",
        "memory MB", "KB more each",  "requests",      "idle CPU ms/s",
        NULL};
    static const int counts[3][3] = {{20}, {1000}, {100, 1000, 10000}};
    many_t many = {.bench = bench, .table_pool = p};

    many.table = table_make(
        bench, "many",
        apr_psprintf(p,
                     "(e) Many virtual hosts with a certificate each; the "
                     "responder takes %d ms. mod_ocspx: %s\n    "
                     "KB more each: than httpd without stapling, by Pss of all "
                     "processes",
                     SCENE_DELAY_MS, OCSPX_LINES),
        columns, p);
    for (int i = 0; i < 3; i++)
        if (counts[bench->scale][i])
            run_count(&many, counts[bench->scale][i], p);
    table_end(many.table);
}
