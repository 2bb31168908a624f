/* section_hang: (b) what a hanging responder does to handshakes. They are due
 * at a fixed rate, whether or not those before are done, and are timed from
 * then on: so that a server that stands still for ten seconds counts with all
 * the handshakes it kept waiting. Each server gets the same rate at the same
 * time, one handshake after the other in turn.
 *
 *   cold   the responder hangs before the servers start
 *   warm   each server has staples, then the responder hangs, and they fall
 *          due while it does
 */
#include "bench.h"

#include <apr_strings.h>

#include "../support/procs.h"
#include "figures.h"
#include "load.h"
#include "peers.h"
#include "table.h"

/* A second, at each server. */
#define RATE 50
/* So many can be waiting, which is less than a server has workers. */
#define THREADS 64

/* mod_ocspx asks again after half of it, mod_md after two thirds. nginx asks
 * again after 300 s at the earliest, and mod_ssl after what is set here. */
#define LIFETIME apr_time_from_sec(18)
#define MOD_SSL_LINES "SSLStaplingStandardCacheTimeout 5\n"
/* Otherwise it is 10 s and 5 s. */
#define MOD_SSL_SMOKE_LINES MOD_SSL_LINES "SSLStaplingResponderTimeout 2\n"
#define OCSPX_SMOKE_LINES "OCSPXStartupWait 1\n"

typedef struct {
    apr_array_header_t *ms;    /* of all rounds */
    apr_array_header_t *ratio; /* of p99.9, round by round, to plain's */
    unsigned done, failed, stapled;
} series_t;

typedef struct {
    const bench_t *bench;
    const scene_t *scene;
    int warm;
    int ms;
    series_t series[PEERS_COUNT];
    apr_pool_t *pool;
} hang_t;

static void start_all(peer_t **peers, const hang_t *hang, apr_pool_t *p)
{
    peers_spec_t spec = {.scene = hang->scene, .mod_ssl_lines = MOD_SSL_LINES};

    if (hang->bench->scale == BENCH_SMOKE) {
        spec.mod_ssl_lines = MOD_SSL_SMOKE_LINES;
        spec.ocspx_lines = OCSPX_SMOKE_LINES;
    }
    scene_answer(hang->scene, hang->warm ? RESPONDER_NORMAL : RESPONDER_HANG,
                 LIFETIME);
    for (int i = 0; i < PEERS_COUNT; i++) {
        peers[i] = peers_make((peers_e)i, &spec, p);
        peers_start(peers[i]);
    }
    /* As late as can be, for lives begin with the first staple. */
    for (int i = 0; hang->warm && i < PEERS_COUNT; i++)
        if (i != PEERS_PLAIN)
            peers_wait_stapled(peers[i]);
    scene_answer(hang->scene, RESPONDER_HANG, LIFETIME);
}

static load_t *start_load(const hang_t *hang, const peer_t *peer, apr_pool_t *p)
{
    load_spec_t spec = {.scene = hang->scene,
                        .port = peers_port(peer),
                        .tls = CLIENT_TLS13,
                        .threads = THREADS,
                        .ms = hang->ms,
                        .rate = RATE,
                        .timeout_ms = 30000};

    return load_start(&spec, p);
}

static void keep(series_t *series, load_result_t *result, double plain)
{
    series->done += result->done;
    series->failed += result->failed;
    series->stapled += result->stapled;
    apr_array_cat(series->ms, result->ms);
    figures_add(series->ratio, figures_quantile(result->ms, 0.999) / plain);
}

static void run_round(hang_t *hang)
{
    load_result_t results[PEERS_COUNT];
    peer_t *peers[PEERS_COUNT];
    load_t *loads[PEERS_COUNT];
    double plain;
    apr_pool_t *p;

    apr_pool_create(&p, hang->pool);
    start_all(peers, hang, p);
    for (int i = 0; i < PEERS_COUNT; i++) {
        loads[i] = start_load(hang, peers[i], p);
        procs_sleep(1000 / RATE / PEERS_COUNT);
    }
    for (int i = 0; i < PEERS_COUNT; i++)
        load_finish(&results[i], loads[i]);
    plain = figures_quantile(results[PEERS_PLAIN].ms, 0.999);
    for (int i = 0; i < PEERS_COUNT; i++)
        keep(&hang->series[i], &results[i], plain);
    apr_pool_destroy(p);
}

/* --- results ---------------------------------------------------------- */

static table_t *make_table(const hang_t *hang, int rounds)
{
    static const char *const columns[] = {
        "server",    "responder hangs", "handshakes", "failed",
        "stapled %", "p50 ms",          "p99 ms",     "p99.9 ms",
        "max ms",    "p99.9 to plain",  NULL};

    return table_make(
        hang->bench, "hang",
        apr_psprintf(hang->pool,
                     "(b) Latency while the responder hangs: %d rounds, "
                     "%d handshakes a second at each server;\n"
                     "    cold: since before the start; warm: staples are "
                     "there, and fall due meanwhile (nginx's later)",
                     rounds, RATE),
        columns, hang->pool);
}

static void add_rows(table_t *table, const hang_t *hang)
{
    for (int i = 0; i < PEERS_COUNT; i++) {
        const series_t *series = &hang->series[i];
        apr_array_header_t *ms = series->ms;

        table_row(
            table, peers_names[i], hang->warm ? "warm" : "cold",
            table_cell(table, "%u", series->done),
            table_cell(table, "%u", series->failed),
            table_cell(table, "%.1f", 100.0 * series->stapled / ms->nelts),
            table_cell(table, "%.2f", figures_quantile(ms, 0.5)),
            table_cell(table, "%.2f", figures_quantile(ms, 0.99)),
            table_cell(table, "%.2f", figures_quantile(ms, 0.999)),
            table_cell(table, "%.2f", figures_quantile(ms, 1)),
            figures_spread(series->ratio, 2, hang->pool));
    }
}

/** For the plot: which part of the handshakes took longer than so long. */
static const char *curve(const hang_t *hang, int i)
{
    apr_array_header_t *ms = hang->series[i].ms;
    const char *text = "";

    for (double longer = 1; longer * ms->nelts >= 0.99; longer /= 1.25)
        text = apr_psprintf(hang->pool, "%s%s\t%s\t%g\t%.3f\n", text,
                            hang->warm ? "warm" : "cold", peers_names[i],
                            longer, figures_quantile(ms, 1 - longer));
    return text;
}

static const char *run_phase(table_t **table, hang_t *hang, int rounds)
{
    const char *text = "";

    for (int i = 0; i < PEERS_COUNT; i++)
        hang->series[i] = (series_t){.ms = figures_make(hang->pool),
                                     .ratio = figures_make(hang->pool)};
    for (int i = 0; i < rounds; i++)
        run_round(hang);
    if (!*table)
        *table = make_table(hang, rounds);
    add_rows(*table, hang);
    for (int i = 0; i < PEERS_COUNT; i++)
        text = apr_pstrcat(hang->pool, text, curve(hang, i), NULL);
    return text;
}

void section_hang(const bench_t *bench, apr_pool_t *p)
{
    hang_t hang = {.bench = bench, .scene = scene_make(1, p), .pool = p};
    int rounds = bench_pick(bench, 1, 1, 3);
    const char *cold, *warm;
    table_t *table = NULL;

    hang.ms = bench_pick(bench, 2000, 7000, 14000);
    cold = run_phase(&table, &hang, rounds);
    hang.warm = 1;
    hang.ms = bench_pick(bench, 2000, 12000, 14000);
    warm = run_phase(&table, &hang, rounds);
    table_end(table);
    table_write(bench, "hang-curve",
                apr_pstrcat(p, "phase\tserver\tpart\tms\n", cold, warm, NULL),
                p);
}
