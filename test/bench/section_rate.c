/* section_rate: (a) full handshakes a second, and what one costs the server.
 *
 * All servers run all the time. One of them and httpd without stapling are
 * asked by turns, for a moment each, and the ratio is to the mean of the
 * moments before and after: so what else the machine does hits both alike, and
 * cancels out as far as it is slower than a moment. A server that was not asked
 * for a while is slow at first, as the processor's caches have forgotten it:
 * the first two moments do not count, and from then on both have paused equally
 * long.
 *
 * What luck is left is told by the interval in which the median is with 95 %.
 * How far that is to be believed shows a second httpd without stapling: its
 * ratio is 1, within its interval.
 */
#include "bench.h"

#include <apr_strings.h>

#include "figures.h"
#include "load.h"
#include "peers.h"
#include "table.h"

#define THREADS 4
#define WARM_MS 250

/* Those that are measured by the first one. */
typedef enum { PLAIN, AGAIN, MOD_SSL, MOD_MD, NGINX, OCSPX, SERVERS } server_e;

static const struct {
    peers_e kind;
    const char *name; /* NULL: the kind's */
} servers[SERVERS] = {
    [PLAIN] = {PEERS_PLAIN, NULL},
    [AGAIN] = {PEERS_PLAIN, "httpd, no stapling, again"},
    [MOD_SSL] = {PEERS_MOD_SSL, NULL},
    [MOD_MD] = {PEERS_MOD_MD, NULL},
    [NGINX] = {PEERS_NGINX, NULL},
    [OCSPX] = {PEERS_OCSPX, NULL},
};

/* How often both are asked before it is the next server's turn. */
#define MOMENTS 4

/* A round. What is to be told from 1 has more turns than what is far off. */
static const server_e turns[] = {OCSPX,  AGAIN, MOD_SSL, OCSPX, AGAIN,
                                 MOD_MD, OCSPX, AGAIN,   NGINX};

typedef struct {
    apr_array_header_t *rate, *cpu;             /* of each moment */
    apr_array_header_t *rate_ratio, *cpu_ratio; /* to no stapling's */
    apr_array_header_t *stapled;                /* percent */
} series_t;

typedef struct {
    double rate, cpu, stapled;
} sample_t;

typedef struct {
    const scene_t *scene;
    peer_t *peers[SERVERS];
    SSL_CTX *contexts[2];        /* TLS 1.2 and 1.3 */
    series_t series[2][SERVERS]; /* likewise */
    int ms;                      /* for each moment */
    apr_pool_t *pool;
} rate_t;

static load_spec_t spec_of(const rate_t *rate, int tls13, server_e i)
{
    return (load_spec_t){.scene = rate->scene,
                         .port = peers_port(rate->peers[i]),
                         .tls = tls13 ? CLIENT_TLS13 : CLIENT_TLS12,
                         .context = rate->contexts[tls13],
                         .threads = THREADS,
                         .ms = rate->ms};
}

static void set_up(rate_t *rate, const bench_t *bench)
{
    peers_spec_t spec = {.scene = rate->scene};

    rate->ms = bench_pick(bench, 10, 60, 50);
    for (int i = 0; i < SERVERS; i++) {
        rate->peers[i] = peers_make(servers[i].kind, &spec, rate->pool);
        peers_start(rate->peers[i]);
        if (servers[i].kind != PEERS_PLAIN)
            peers_wait_stapled(rate->peers[i]);
    }
    for (int tls13 = 0; tls13 < 2; tls13++) {
        load_spec_t spec_tls = spec_of(rate, tls13, PLAIN);

        rate->contexts[tls13] = load_context(&spec_tls);
        for (int i = 0; i < SERVERS; i++)
            rate->series[tls13][i] =
                (series_t){.rate = figures_make(rate->pool),
                           .cpu = figures_make(rate->pool),
                           .rate_ratio = figures_make(rate->pool),
                           .cpu_ratio = figures_make(rate->pool),
                           .stapled = figures_make(rate->pool)};
    }
}

/* Also, each of nginx's workers asks for itself. */
static void warm_up(const rate_t *rate)
{
    load_result_t result;

    for (int i = 0; i < SERVERS; i++) {
        load_spec_t spec = spec_of(rate, 0, (server_e)i);

        spec.ms = WARM_MS;
        load_run(&result, &spec, rate->pool);
    }
}

static sample_t measure(const rate_t *rate, int tls13, server_e i)
{
    load_spec_t spec = spec_of(rate, tls13, i);
    pid_t group = peers_pid(rate->peers[i]);
    load_result_t result;
    sample_t sample;
    apr_pool_t *p;

    apr_pool_create(&p, rate->pool);
    sample.cpu = figures_cpu(group);
    load_run(&result, &spec, p);
    sample.cpu = (figures_cpu(group) - sample.cpu) / result.done;
    sample.rate = result.done / result.seconds;
    sample.stapled = 100.0 * result.stapled / result.done;
    apr_pool_destroy(p);
    return sample;
}

static sample_t keep(series_t *series, sample_t sample)
{
    figures_add(series->rate, sample.rate);
    figures_add(series->cpu, sample.cpu);
    figures_add(series->stapled, sample.stapled);
    return sample;
}

static void run_turn(rate_t *rate, int tls13, server_e i)
{
    series_t *series = &rate->series[tls13][i];
    series_t *plain = &rate->series[tls13][PLAIN];
    sample_t before;

    measure(rate, tls13, PLAIN);
    measure(rate, tls13, i);
    before = keep(plain, measure(rate, tls13, PLAIN));
    for (int k = 0; k < MOMENTS; k++) {
        sample_t sample = keep(series, measure(rate, tls13, i));
        sample_t after = keep(plain, measure(rate, tls13, PLAIN));

        figures_add(series->rate_ratio,
                    2 * sample.rate / (before.rate + after.rate));
        figures_add(series->cpu_ratio,
                    2 * sample.cpu / (before.cpu + after.cpu));
        before = after;
    }
}

static void tell(const bench_t *bench, const rate_t *rate, int rounds)
{
    static const char *const columns[] = {
        "server",        "TLS",         "stapled %",    "handshakes/s",
        "rate to plain", "CPU us each", "CPU to plain", NULL};
    apr_pool_t *p = rate->pool;
    table_t *table = table_make(
        bench, "rate",
        apr_psprintf(p,
                     "(a) Full handshakes with status_request: %d rounds, "
                     "%d ms at a time, %d clients;\n"
                     "    medians and where they are with 95 %%; ratios to "
                     "httpd without stapling just before and after",
                     rounds, rate->ms, THREADS),
        columns, p);

    for (int tls13 = 0; tls13 < 2; tls13++)
        for (int i = 0; i < SERVERS; i++) {
            const series_t *series = &rate->series[tls13][i];
            const char *name = servers[i].name;

            table_row(
                table, name ? name : peers_names[servers[i].kind],
                tls13 ? "1.3" : "1.2",
                table_cell(table, "%.1f", figures_median(series->stapled)),
                figures_sure(series->rate, 0, p),
                i == PLAIN ? "1" : figures_sure(series->rate_ratio, 3, p),
                figures_sure(series->cpu, 1, p),
                i == PLAIN ? "1" : figures_sure(series->cpu_ratio, 3, p));
        }
    table_end(table);
}

void section_rate(const bench_t *bench, apr_pool_t *p)
{
    rate_t rate = {.scene = scene_make(1, p), .pool = p};
    int rounds = bench_pick(bench, 1, 1, 9);

    set_up(&rate, bench);
    warm_up(&rate);
    for (int i = 0; i < rounds; i++)
        for (int k = 0; k < COUNT(turns); k++) {
            run_turn(&rate, 0, turns[k]);
            run_turn(&rate, 1, turns[k]);
        }
    tell(bench, &rate, rounds);
    SSL_CTX_free(rate.contexts[0]);
    SSL_CTX_free(rate.contexts[1]);
}
