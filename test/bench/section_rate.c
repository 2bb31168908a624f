/* section_rate: (a) full handshakes a second, and what one costs the server.
 * All servers run all the time and are asked in turn, for a moment each, so
 * that what else the machine does hits all alike.
 */
#include "bench.h"

#include <apr_strings.h>

#include "figures.h"
#include "load.h"
#include "peers.h"
#include "table.h"

#define THREADS 4

typedef struct {
    apr_array_header_t *rate, *cpu;             /* of each round */
    apr_array_header_t *rate_ratio, *cpu_ratio; /* to no stapling's */
    apr_array_header_t *stapled;                /* percent */
} series_t;

typedef struct {
    double rate, cpu, stapled;
} sample_t;

typedef struct {
    const scene_t *scene;
    peer_t *peers[PEERS_COUNT];
    series_t series[2][PEERS_COUNT]; /* TLS 1.2 and 1.3 */
    int ms;                          /* for each measurement */
    apr_pool_t *pool;
} rate_t;

static void make_series(series_t *series, apr_pool_t *p)
{
    series->rate = figures_make(p);
    series->cpu = figures_make(p);
    series->rate_ratio = figures_make(p);
    series->cpu_ratio = figures_make(p);
    series->stapled = figures_make(p);
}

static void set_up(rate_t *rate, const bench_t *bench)
{
    peers_spec_t spec = {.scene = rate->scene};

    rate->ms = bench_pick(bench, 150, 400, 500);
    for (int i = 0; i < PEERS_COUNT; i++) {
        rate->peers[i] = peers_make((peers_e)i, &spec, rate->pool);
        peers_start(rate->peers[i]);
        if (i != PEERS_PLAIN)
            peers_wait_stapled(rate->peers[i]);
        make_series(&rate->series[0][i], rate->pool);
        make_series(&rate->series[1][i], rate->pool);
    }
}

static sample_t measure(const rate_t *rate, int tls13, int i)
{
    load_spec_t spec = {.scene = rate->scene,
                        .port = peers_port(rate->peers[i]),
                        .tls = tls13 ? CLIENT_TLS13 : CLIENT_TLS12,
                        .threads = THREADS,
                        .ms = rate->ms};
    double before = figures_cpu(peers_pid(rate->peers[i]));
    load_result_t result;
    sample_t sample;
    apr_pool_t *p;

    apr_pool_create(&p, rate->pool);
    load_run(&result, &spec, p);
    sample.cpu =
        (figures_cpu(peers_pid(rate->peers[i])) - before) / result.done;
    sample.rate = result.done / result.seconds;
    sample.stapled = 100.0 * result.stapled / result.done;
    apr_pool_destroy(p);
    return sample;
}

static void keep(series_t *series, const sample_t *sample,
                 const sample_t *plain)
{
    figures_add(series->rate, sample->rate);
    figures_add(series->cpu, sample->cpu);
    figures_add(series->stapled, sample->stapled);
    figures_add(series->rate_ratio, sample->rate / plain->rate);
    figures_add(series->cpu_ratio, sample->cpu / plain->cpu);
}

static void run_round(rate_t *rate, int tls13, int warming_up)
{
    sample_t samples[PEERS_COUNT];

    for (int i = 0; i < PEERS_COUNT; i++)
        samples[i] = measure(rate, tls13, i);
    for (int i = 0; i < PEERS_COUNT && !warming_up; i++)
        keep(&rate->series[tls13][i], &samples[i], &samples[PEERS_PLAIN]);
}

static void tell(const bench_t *bench, const rate_t *rate, int rounds)
{
    static const char *const columns[] = {
        "server",        "TLS",         "stapled %",    "handshakes/s",
        "rate to plain", "CPU us each", "CPU to plain", NULL};
    table_t *table = table_make(
        bench, "rate",
        apr_psprintf(rate->pool,
                     "(a) Full handshakes with status_request: %d rounds of "
                     "%d ms, %d clients; medians and quartiles;\n"
                     "    ratios to httpd without stapling of the same round",
                     rounds, rate->ms, THREADS),
        columns, rate->pool);

    for (int tls13 = 0; tls13 < 2; tls13++)
        for (int i = 0; i < PEERS_COUNT; i++) {
            const series_t *series = &rate->series[tls13][i];

            table_row(
                table, peers_names[i], tls13 ? "1.3" : "1.2",
                table_cell(table, "%.1f", figures_median(series->stapled)),
                figures_spread(series->rate, 0, rate->pool),
                figures_spread(series->rate_ratio, 3, rate->pool),
                figures_spread(series->cpu, 1, rate->pool),
                figures_spread(series->cpu_ratio, 3, rate->pool));
        }
    table_end(table);
}

void section_rate(const bench_t *bench, apr_pool_t *p)
{
    rate_t rate = {.scene = scene_make(1, p), .pool = p};
    int rounds = bench_pick(bench, 1, 8, 24);

    set_up(&rate, bench);
    for (int i = -1; i < rounds; i++) {
        run_round(&rate, 0, i < 0);
        run_round(&rate, 1, i < 0);
    }
    tell(bench, &rate, rounds);
}
