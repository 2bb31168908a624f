/* test_fleet_real: the real refreshers of a few servers, in the world of the
 * simulation: certificates, signatures, caches, sharing and agenda are real,
 * network, store and clock are stepped. They make as many requests as the
 * simulation says, and no client is given a response that is over.
 */
#include <apr_strings.h>
#include <stdio.h>

#include "../../mod_ocspx/engine/refresh.h"
#include "../support/check_main.h"
#include "../support/pki.h"
#include "fleet.h"

#define CERTIFICATES 200
#define SERVERS 5
#define DAYS 30
#define TICK SEC(20)

static apr_pool_t *pool, *answers;
static apr_time_t now;
static world_t *world;
static pki_t *ca, *leaves[CERTIFICATES];
static unsigned requests;

static apr_time_t clock_now(void)
{
    return now;
}

static void write_line(void *baton, ocspx_log_level_e level, int entry,
                       const char *line)
{
    (void)baton;
    (void)level;
    (void)entry;
    (void)line;
}

static const ocspx_log_t log_to = {write_line, NULL};

/* --- the network ------------------------------------------------------ */

static struct {
    unsigned cert;
    ocspx_fetch_done_fn *done;
    void *baton;
} asked[64];
static unsigned waiting;

static apr_status_t ask(ocspx_fetch_t *fetch,
                        const ocspx_fetch_question_t *question,
                        ocspx_fetch_done_fn *done, void *baton)
{
    (void)fetch;
    ck_assert_uint_lt(waiting, 64);
    asked[waiting].cert = (unsigned)atoi(strrchr(question->url, '/') + 1);
    asked[waiting].done = done;
    asked[waiting++].baton = baton;
    return APR_SUCCESS;
}

static int is_down(const world_outages_t *outages)
{
    unsigned k;

    for (k = 0; k < outages->count; k++)
        if (outages->list[k].down <= now && now < outages->list[k].up)
            return 1;
    return 0;
}

static void sign(ocspx_fetch_answer_t *answer, unsigned i)
{
    ocspx_schedule_validity_t v =
        world_answer(&world->hosts[i % WORLD_HOSTS], i, now);
    pki_single_t single = {.cert = leaves[i]->cert,
                           .issuer = ca->cert,
                           .this_update = v.this_update,
                           .next_update = v.expiry};
    pki_response_t spec = {.singles = &single,
                           .count = 1,
                           .signer = ca,
                           .produced_at = v.this_update};

    answer->http_status = 200;
    answer->body = pki_response(&answer->body_len, &spec, answers);
}

static apr_status_t answer_all(ocspx_fetch_t *fetch, apr_interval_time_t wait)
{
    unsigned i, n = waiting;

    (void)fetch;
    (void)wait;
    waiting = 0;
    for (i = 0; i < n; i++) {
        ocspx_fetch_answer_t answer = {
            .message = "", .peer = "", .requests = 1};

        if (is_down(&world->hosts[asked[i].cert % WORLD_HOSTS].outages)) {
            answer.cause = OCSPX_CAUSE_CONNECT_REFUSED;
            answer.message = "refused";
            answer.unreachable = 1;
        } else {
            requests += now >= fleet_warm(world);
            sign(&answer, asked[i].cert);
        }
        asked[i].done(asked[i].baton, &answer);
    }
    apr_pool_clear(answers);
    return APR_SUCCESS;
}

static void no_wake(ocspx_fetch_t *fetch)
{
    (void)fetch;
}

static ocspx_fetch_t network = {ask, answer_all, no_wake};

/* --- the store -------------------------------------------------------- */

typedef struct {
    unsigned char bytes[2048];
    apr_size_t len;
} value_t;

typedef struct {
    ocspx_share_store_t face;
    ocspx_share_job_t job;
} store_t;

static apr_hash_t *values; /* value_t by key */

static value_t *value_of(const unsigned char *key)
{
    value_t *value = apr_hash_get(values, key, OCSPX_SHARE_KEY_LEN);

    if (value)
        return value;
    value = apr_pcalloc(pool, sizeof(*value));
    apr_hash_set(values, apr_pmemdup(pool, key, OCSPX_SHARE_KEY_LEN),
                 OCSPX_SHARE_KEY_LEN, value);
    return value;
}

static apr_status_t store_begin(ocspx_share_store_t *face,
                                const ocspx_share_job_t *job)
{
    store_t *store = (store_t *)face;
    value_t *value = value_of(job->key);

    if (is_down(&world->store))
        return APR_ECONNREFUSED;
    store->job = *job;
    if (job->value) {
        ck_assert_uint_le(job->len, sizeof(value->bytes));
        memcpy(value->bytes, job->value, job->len);
        value->len = job->len;
    }
    return APR_SUCCESS;
}

static int store_collect(ocspx_share_result_t *result,
                         ocspx_share_store_t *face)
{
    const store_t *store = (store_t *)face;
    const value_t *value = value_of(store->job.key);

    *result = (ocspx_share_result_t){value->len ? APR_SUCCESS : APR_NOTFOUND,
                                     value->bytes, value->len};
    return 1;
}

static void store_abandon(ocspx_share_store_t *face)
{
    (void)face;
}

/* --- servers ---------------------------------------------------------- */

typedef struct {
    ocspx_refresh_config_t config;
    ocspx_refresh_t *refresh;
    store_t store;
} server_t;

static ocspx_registry_policy_t policy;

static ocspx_registry_t *make_registry(void)
{
    ocspx_registry_t *registry = ocspx_registry_make(pool);
    pki_spec_t spec = {.not_before = T0 - DAY, .not_after = T0 + 400 * DAY};
    const char *conflict;
    unsigned i;

    spec.cn = "CA";
    spec.ca = 1;
    ca = pki_make(&spec, NULL, pool);
    spec.ca = 0;
    for (i = 0; i < CERTIFICATES; i++) {
        ocspx_cert_t *cert;

        spec.cn = apr_psprintf(pool, "leaf %u", i);
        spec.ocsp_urls =
            apr_psprintf(pool, "http://host%u/%u", i % WORLD_HOSTS, i);
        leaves[i] = pki_make(&spec, ca, pool);
        ck_assert_int_eq(
            ocspx_cert_make(&cert, leaves[i]->cert, ca->cert, pool),
            APR_SUCCESS);
        ck_assert_ptr_nonnull(ocspx_registry_add(registry, &conflict, cert,
                                                 NULL, &policy, "here"));
    }
    return registry;
}

static void start(server_t *server, const ocspx_registry_t *registry,
                  unsigned j)
{
    ocspx_cache_t *cache;
    unsigned i;

    ck_assert_int_eq(ocspx_cache_create(&cache, CERTIFICATES,
                                        ocspx_cache_area_size(CERTIFICATES),
                                        pool),
                     APR_SUCCESS);
    for (i = 0; i < CERTIFICATES; i++)
        ocspx_cache_name(cache, i,
                         ocspx_registry_get(registry, i)->cert->digest);
    ck_assert_int_eq(ocspx_cache_writer_enter(cache), APR_SUCCESS);
    server->store.face = (ocspx_share_store_t){"the store", 1, store_begin,
                                               store_collect, store_abandon};
    server->config = (ocspx_refresh_config_t){
        .registry = registry,
        .cache = cache,
        .fetch = &network,
        .share = ocspx_share_make(&server->store.face, NULL, &log_to, clock_now,
                                  pool),
        .instance = ocspx_schedule_mix(j),
        .log = &log_to,
        .clock = clock_now,
        .max_response = 65536,
        .max_parallel = 32,
        .max_per_host = 6,
    };
    server->refresh = ocspx_refresh_make(&server->config, NULL, pool);
}

/* What a client would be given now is there, and not over. */
static void look(const server_t *server, unsigned i)
{
    ocspx_cache_state_t state;
    unsigned char *der;

    ck_assert_int_gt(ocspx_cache_peek(&der, server->config.cache, i, now), 0);
    OPENSSL_free(der);
    ck_assert_int_eq(ocspx_cache_state_get(&state, server->config.cache, i), 1);
    ck_assert_int_gt(state.expiry, now);
}

static void live(server_t *servers)
{
    unsigned i, j, ticks = 0;

    for (now = T0; now < world->end; now += TICK, ticks++) {
        for (j = 0; j < SERVERS; j++)
            while (ocspx_refresh_turn(servers[j].refresh, 0))
                ;
        for (i = 0; ticks % 180 == 0 && i < CERTIFICATES * SERVERS; i++)
            look(&servers[i % SERVERS], i / SERVERS);
    }
}

START_TEST(real_servers_ask_as_often)
{
    const world_spec_t spec = {.certificates = CERTIFICATES,
                               .servers = SERVERS,
                               .days = DAYS,
                               .seed = 1,
                               .mild = 1};
    static server_t servers[SERVERS];
    ocspx_registry_t *registry;
    fleet_result_t simulated;
    unsigned j;

    now = T0;
    world = world_make(&spec, pool);
    fleet_run(&simulated, world, 1, pool);
    policy = (ocspx_registry_policy_t){
        .response.skew = OCSPX_RESPONSE_SKEW_DEFAULT,
        .schedule = world->policy,
        .timeout = SEC(10),
    };
    registry = make_registry();
    for (j = 0; j < SERVERS; j++)
        start(&servers[j], registry, j);
    live(servers);
    printf("fleet: %u real servers ask %.3f times per certificate and "
           "validity, simulated ones %.3f times\n",
           SERVERS, requests / simulated.validities,
           (double)simulated.counts.requests / simulated.validities);
    ck_assert_uint_eq(simulated.counts.missing, 0);
    ck_assert(requests > 0.95 * (double)simulated.counts.requests);
    ck_assert(requests < 1.05 * (double)simulated.counts.requests);
}
END_TEST

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
    apr_pool_create(&answers, pool);
    values = apr_hash_make(pool);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

int main(void)
{
    Suite *suite = suite_create("fleet_real");
    TCase *tests = tcase_create("fleet_real");

    tcase_set_timeout(tests, 300);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, real_servers_ask_as_often);
    suite_add_tcase(suite, tests);
    return ocspx_check_main(suite);
}
