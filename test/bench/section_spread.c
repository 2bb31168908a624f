/* section_spread: (f) 10,000 responses that expire in the same hour: how do
 * the requests for their successors spread? The refresher, its cache and all
 * verification are real; clock and network are stepped. All is asked for at a
 * cold start, and a week lies between then and the hour in which all ends.
 */
#include "bench.h"

#include <stdlib.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "../../mod_ocspx/engine/refresh.h"
#include "../support/pki.h"
#include "../support/procs.h"
#include "table.h"

#define SEC(n) apr_time_from_sec(n)
#define HOUR SEC(3600)
#define VALIDITY (168 * HOUR)
#define T0 SEC(2000000000)
#define MINUTES (168 * 60)
#define DELAY apr_time_from_msec(50)
#define IN_FLIGHT 32

/* --- clock and network -------------------------------------------------- */

static apr_time_t now; /* the refresher's clock has no baton */

static apr_time_t clock_now(void)
{
    return now;
}

typedef struct {
    ocspx_fetch_done_fn *done;
    void *baton;
    long serial;
    apr_time_t answered;
} question_t;

typedef struct {
    ocspx_fetch_t vtable; /* first, as it is all the refresher knows */
    question_t waiting[IN_FLIGHT];
    int count;
    int certs;
    unsigned first;               /* requests of the cold start */
    apr_time_t filled;            /* the last of these */
    unsigned requests;            /* those after it */
    unsigned per_minute[MINUTES]; /* since T0 */
    const pki_t *issuer;
    const pki_t **leaves;
    ocspx_cache_t *cache;
    apr_pool_t *pool;
} network_t;

/** A serial number is the certificate's index plus one. */
static long serial_of(const ocspx_fetch_question_t *question)
{
    const unsigned char *at = question->request;
    OCSP_REQUEST *request =
        d2i_OCSP_REQUEST(NULL, &at, (long)question->request_len);
    ASN1_INTEGER *serial = NULL;
    long number;

    OCSP_id_get0_info(
        NULL, NULL, NULL, &serial,
        OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0)));
    number = ASN1_INTEGER_get(serial);
    OCSP_REQUEST_free(request);
    return number;
}

static apr_status_t ask(ocspx_fetch_t *fetch,
                        const ocspx_fetch_question_t *question,
                        ocspx_fetch_done_fn *done, void *baton)
{
    network_t *network = (network_t *)fetch;

    network->waiting[network->count++] =
        (question_t){done, baton, serial_of(question), now + DELAY};
    if (network->first < (unsigned)network->certs) {
        network->first++;
        network->filled = now;
    } else {
        network->requests++;
        network->per_minute[(now - T0) / SEC(60)]++;
    }
    return APR_SUCCESS;
}

static void answer(const network_t *network, const question_t *question)
{
    const pki_t *leaf = network->leaves[question->serial - 1];
    int cold = now < T0 + HOUR;
    apr_time_t ends = T0 + VALIDITY + HOUR * question->serial / network->certs;
    pki_single_t single = {.cert = leaf->cert,
                           .issuer = network->issuer->cert,
                           .this_update = now,
                           .next_update = cold ? ends : now + VALIDITY};
    pki_response_t spec = {.singles = &single,
                           .count = 1,
                           .signer = network->issuer,
                           .produced_at = now};
    ocspx_fetch_answer_t given = {
        .message = "", .http_status = 200, .peer = "", .requests = 1};
    apr_pool_t *p;

    apr_pool_create(&p, network->pool);
    given.body = pki_response(&given.body_len, &spec, p);
    question->done(question->baton, &given);
    apr_pool_destroy(p);
}

static apr_status_t poll_network(ocspx_fetch_t *fetch, apr_interval_time_t wait)
{
    network_t *network = (network_t *)fetch;

    (void)wait;
    for (int i = network->count - 1; i >= 0; i--)
        if (network->waiting[i].answered <= now) {
            question_t question = network->waiting[i];

            network->waiting[i] = network->waiting[--network->count];
            answer(network, &question);
        }
    return APR_SUCCESS;
}

/* --- the refresher ------------------------------------------------------ */

static void drop_line(void *baton, ocspx_log_level_e level, int entry,
                      const char *line)
{
    (void)baton;
    (void)entry;
    if (level <= OCSPX_LOG_WARNING)
        procs_die("refresher: %s", line);
}

static const pki_t *make_ca(apr_pool_t *p)
{
    pki_spec_t spec = {.cn = "CA",
                       .ca = 1,
                       .not_before = T0 - 24 * HOUR,
                       .not_after = T0 + 4 * VALIDITY};

    return pki_make(&spec, NULL, p);
}

static void add_cert(ocspx_registry_t *registry, network_t *network, int i,
                     const ocspx_registry_policy_t *policy, EVP_PKEY *key)
{
    pki_spec_t spec = {.cn = "leaf",
                       .ocsp_urls = "http://responder.test/",
                       .use_key = key,
                       .serial = i + 1,
                       .not_before = T0 - 24 * HOUR,
                       .not_after = T0 + 4 * VALIDITY};
    const char *conflict;
    ocspx_cert_t *cert;

    network->leaves[i] = pki_make(&spec, network->issuer, network->pool);
    if (ocspx_cert_make(&cert, network->leaves[i]->cert, network->issuer->cert,
                        network->pool) != APR_SUCCESS ||
        !ocspx_registry_add(registry, &conflict, cert, NULL, policy, "here"))
        procs_die("cannot add a certificate");
}

static ocspx_registry_t *make_registry(network_t *network)
{
    static const ocspx_registry_policy_t policy = {
        .response.skew = OCSPX_RESPONSE_SKEW_DEFAULT,
        .schedule = {OCSPX_SCHEDULE_REFRESH_PERCENT, OCSPX_SCHEDULE_RETRY_MIN,
                     OCSPX_SCHEDULE_RETRY_MAX, 0},
        .timeout = SEC(10),
    };
    ocspx_registry_t *registry = ocspx_registry_make(network->pool);

    for (int i = 0; i < network->certs; i++)
        add_cert(registry, network, i, &policy, network->issuer->key);
    return registry;
}

static ocspx_refresh_t *make_refresher(network_t *network)
{
    static const ocspx_log_t log = {drop_line, NULL};
    ocspx_refresh_config_t config = {.registry = make_registry(network),
                                     .fetch = &network->vtable,
                                     .log = &log,
                                     .clock = clock_now,
                                     .max_response = 65536,
                                     .max_parallel = IN_FLIGHT,
                                     .max_per_host = IN_FLIGHT};
    unsigned n = (unsigned)network->certs;

    if (ocspx_cache_create(&config.cache, n, ocspx_cache_area_size(n),
                           network->pool) != APR_SUCCESS ||
        ocspx_cache_writer_enter(config.cache) != APR_SUCCESS)
        procs_die("cannot make a cache");
    network->cache = config.cache;
    return ocspx_refresh_make(&config, NULL, network->pool);
}

/** Until each certificate has its successor. */
static void run(network_t *network)
{
    ocspx_refresh_t *refresh = make_refresher(network);

    while (network->requests < (unsigned)network->certs)
        now += ocspx_refresh_turn(refresh, 0) ? DELAY / 5 : SEC(1);
}

/* --- results ------------------------------------------------------------ */

static void tell(table_t *table, const network_t *network)
{
    int begin = -1, end = 0;
    unsigned most = 0;
    double mean;

    for (int i = 0; i < MINUTES; i++) {
        unsigned n = network->per_minute[i];

        if (n && begin < 0)
            begin = i;
        end = n ? i : end;
        most = n > most ? n : most;
    }
    mean = (double)network->requests / (end - begin + 1);
    table_row(table, table_cell(table, "%d", network->certs),
              table_cell(table, "%.1f", (double)(network->filled - T0) / 1e6),
              table_cell(table, "%.1f", begin / 60.0),
              table_cell(table, "%.1f", end / 60.0),
              table_cell(table, "%u", network->requests),
              table_cell(table, "%.2f", mean), table_cell(table, "%u", most),
              table_cell(table, "%.2f", most / mean));
}

static void run_week(table_t *table, int certs, apr_pool_t *parent)
{
    network_t *network;
    apr_pool_t *p;

    now = T0;
    apr_pool_create(&p, parent);
    network = apr_pcalloc(p, sizeof(*network));
    network->vtable = (ocspx_fetch_t){.start = ask, .poll = poll_network};
    network->pool = p;
    network->certs = certs;
    network->issuer = make_ca(p);
    network->leaves = apr_pcalloc(p, (apr_size_t)certs * sizeof(pki_t *));
    run(network);
    ocspx_cache_writer_leave(network->cache);
    tell(table, network);
    apr_pool_destroy(p);
}

void section_spread(const bench_t *bench, apr_pool_t *p)
{
    static const char *const columns[] = {
        "certificates",   "cold start s",    "first h after",
        "last h after",   "requests",        "mean a minute",
        "busiest minute", "busiest to mean", NULL};
    table_t *table =
        table_make(bench, "spread",
                   "(f) Responses that all expire in the same hour, a week "
                   "after a cold start: requests for their successors",
                   columns, p);
    int runs = bench_pick(bench, 1, 1, 3);

    for (int i = 0; i < runs; i++)
        run_week(table, bench_pick(bench, 500, 10000, 10000), p);
    table_end(table);
}
