/* refresh_scene: a network and a clock that the test steps. Keys, signatures,
 * cache and store are real.
 */
#ifndef OCSPX_TEST_REFRESH_SCENE_H
#define OCSPX_TEST_REFRESH_SCENE_H

#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#include "../../mod_ocspx/engine/agenda.h"
#include "../../mod_ocspx/engine/refresh.h"
#include "../support/check_main.h"
#include "../support/pki.h"

#define SECONDS(n) apr_time_from_sec(n)
#define START apr_time_from_sec(2000000000)

static apr_pool_t *pool;
static apr_time_t now;
static apr_interval_time_t tick; /* passes at every look at the clock */
static pki_t *ca;
static pki_t *leaf;
static pki_t *signer; /* of responses, with its certificate; NULL: the CA */
static ocspx_cert_t *cert;
static ocspx_registry_t *registry;
static ocspx_registry_policy_t policy;
static ocspx_cache_t *cache;
static ocspx_refresh_config_t config;
static ocspx_log_t log_to;

static inline apr_time_t clock_now(void)
{
    return now += tick;
}

/* Log lines by level, the last one, and all. */
static int lines[OCSPX_LOG_DEBUG + 1];
static char last_line[1024];
static const char *log_text;

static inline void write_line(void *baton, ocspx_log_level_e level, int entry,
                              const char *line)
{
    (void)baton;
    (void)entry;
    lines[level]++;
    apr_cpystrn(last_line, line, sizeof(last_line));
    log_text = apr_pstrcat(pool, log_text, line, "\n", NULL);
}

/* The network: questions asked and not yet answered, and what the next poll
 * answers them with. */
typedef struct {
    ocspx_fetch_t vtable;
    const char *urls[16];
    ocspx_fetch_done_fn *done[16];
    void *batons[16];
    int waiting;
    int asked;
    const char *history; /* all URLs asked, with a space before each */
    ocspx_fetch_question_t last;
    ocspx_fetch_answer_t answer;
    apr_hash_t *answers; /* of URLs that have one of their own */
} network_t;

static network_t network;

static inline apr_status_t network_start(ocspx_fetch_t *fetch,
                                         const ocspx_fetch_question_t *question,
                                         ocspx_fetch_done_fn *done, void *baton)
{
    (void)fetch;
    ck_assert_int_lt(network.waiting, 16);
    network.urls[network.waiting] = question->url;
    network.done[network.waiting] = done;
    network.batons[network.waiting++] = baton;
    network.asked++;
    network.history =
        apr_pstrcat(pool, network.history, " ", question->url, NULL);
    network.last = *question;
    network.last.url = apr_pstrdup(pool, question->url);
    return APR_SUCCESS;
}

static inline apr_status_t network_poll(ocspx_fetch_t *fetch,
                                        apr_interval_time_t wait)
{
    network_t before = network;
    int i;

    (void)fetch;
    (void)wait;
    network.waiting = 0;
    for (i = 0; i < before.waiting; i++) {
        const ocspx_fetch_answer_t *own =
            apr_hash_get(network.answers, before.urls[i], APR_HASH_KEY_STRING);
        ocspx_fetch_answer_t answer = own ? *own : network.answer;

        if (strstr(before.urls[i], "dead"))
            answer =
                (ocspx_fetch_answer_t){.cause = OCSPX_CAUSE_CONNECT_REFUSED,
                                       .message = "refused",
                                       .peer = "",
                                       .requests = 1,
                                       .unreachable = 1};
        before.done[i](before.batons[i], &answer);
    }
    return APR_SUCCESS;
}

static inline void network_wake(ocspx_fetch_t *fetch)
{
    (void)fetch;
}

static inline const unsigned char *response(apr_size_t *len, int status,
                                            apr_time_t this_update,
                                            apr_interval_time_t lifetime)
{
    pki_single_t single = {
        .cert = leaf->cert,
        .issuer = ca->cert,
        .status = status,
        .this_update = this_update,
        .next_update = this_update + lifetime,
    };
    pki_response_t spec = {.singles = &single,
                           .count = 1,
                           .signer = signer ? signer : ca,
                           .with_signer_cert = signer != NULL,
                           .produced_at = this_update};

    return pki_response(len, &spec, pool);
}

static inline void answer_with(int status, apr_time_t this_update,
                               apr_interval_time_t lifetime)
{
    network.answer = (ocspx_fetch_answer_t){
        .message = "", .http_status = 200, .peer = "", .requests = 1};
    network.answer.body =
        response(&network.answer.body_len, status, this_update, lifetime);
}

static inline void answer_failing(ocspx_cause_e cause, const char *message)
{
    network.answer = (ocspx_fetch_answer_t){
        .cause = cause, .message = message, .peer = "", .requests = 1};
}

static inline void set_up(void)
{
    apr_pool_create(&pool, NULL);
    now = START;
    tick = 0;
    memset(lines, 0, sizeof(lines));
    memset(&network, 0, sizeof(network));
    network.vtable = (ocspx_fetch_t){network_start, network_poll, network_wake};
    network.history = log_text = "";
    signer = NULL;
    network.answers = apr_hash_make(pool);
    ca = pki_make(&(pki_spec_t){.cn = "CA",
                                .ca = 1,
                                .not_before = START - SECONDS(86400),
                                .not_after = START + SECONDS(864000)},
                  NULL, pool);
    leaf = pki_make(&(pki_spec_t){.cn = "leaf",
                                  .ocsp_urls = "http://one/ http://two/",
                                  .not_before = START - SECONDS(86400),
                                  .not_after = START + SECONDS(864000)},
                    ca, pool);
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
    policy = (ocspx_registry_policy_t){
        .response.skew = OCSPX_RESPONSE_SKEW_DEFAULT,
        .schedule = {50, OCSPX_SCHEDULE_RETRY_MIN, OCSPX_SCHEDULE_RETRY_MAX, 0,
                     0},
        .timeout = SECONDS(10),
    };
    registry = ocspx_registry_make(pool);
    log_to = (ocspx_log_t){write_line, NULL};
}

static inline void tear_down(void)
{
    apr_pool_destroy(pool);
}

/* Unless the registry has others, the certificate of the world alone. */
static inline unsigned fill_registry(void)
{
    const char *conflict;

    if (!ocspx_registry_count(registry))
        ck_assert_ptr_nonnull(ocspx_registry_add(registry, &conflict, cert,
                                                 NULL, &policy, "here"));
    return ocspx_registry_count(registry);
}

/* All that a refresher works with; the cache is a fresh one. */
static inline void make_config(apr_size_t area)
{
    unsigned n = fill_registry();
    unsigned i;

    ck_assert_int_eq(ocspx_cache_create(&cache, n, area, pool), APR_SUCCESS);
    for (i = 0; i < n; i++)
        ocspx_cache_name(cache, i,
                         ocspx_registry_get(registry, i)->cert->digest);
    ck_assert_int_eq(ocspx_cache_writer_enter(cache), APR_SUCCESS);
    config = (ocspx_refresh_config_t){
        .registry = registry,
        .cache = cache,
        .store = config.store,
        .fetch = &network.vtable,
        .log = &log_to,
        .clock = clock_now,
        .max_response = 65536,
        .max_parallel = 32,
        .max_per_host = 6,
    };
}

static inline ocspx_refresh_t *make_refresher(void)
{
    make_config(ocspx_cache_area_size(fill_registry()));
    return ocspx_refresh_make(&config, NULL, pool);
}

/* All that can be done at this moment. */
static inline void turn(ocspx_refresh_t *refresh)
{
    while (ocspx_refresh_turn(refresh, 0))
        ;
}

static inline ocspx_cache_state_t state_of(unsigned i)
{
    ocspx_cache_state_t state;

    ck_assert_int_eq(ocspx_cache_state_get(&state, cache, i), 1);
    return state;
}

/* Is just this what a handshake would be given? */
static inline int serves(const unsigned char *der, apr_size_t len)
{
    unsigned char *served;
    int n = ocspx_cache_peek(&served, cache, 0, now);
    int same = (apr_size_t)n == len && (!n || !memcmp(served, der, len));

    OPENSSL_free(served);
    return same;
}

static inline int serves_answer(void)
{
    return serves(network.answer.body, network.answer.body_len);
}

static inline int serves_nothing(void)
{
    return serves(NULL, 0);
}

/* Go on until the entry is due and its attempt is over. */
static inline void step_to_due(ocspx_refresh_t *refresh)
{
    apr_time_t due = state_of(0).due;
    apr_time_t tried = state_of(0).tried;

    now = due - 1;
    turn(refresh);
    ck_assert_int_eq(state_of(0).tried, tried);
    for (now = due; state_of(0).tried == tried; now += SECONDS(1) / 10) {
        ck_assert_int_le(now, due + OCSPX_AGENDA_GAP_MAX);
        turn(refresh);
    }
    now = state_of(0).tried;
}

#endif
