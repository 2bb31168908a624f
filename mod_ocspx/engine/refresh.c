/* refresh: keeps every response fresh. */
#include "refresh.h"

#include <apr_strings.h>
#include <openssl/rand.h>

#include "admit.h"
#include "agenda.h"
#include "transition.h"

struct ocspx_refresh_t {
    ocspx_refresh_config_t config;
    apr_pool_t *pool;
    ocspx_agenda_t *agenda;
    apr_uint64_t random;
    unsigned untried;
    int unsaved; /* the last response could not be written to the store */
};

/* One entry's turn, over all its responders. */
typedef struct {
    ocspx_refresh_t *refresh;
    const ocspx_registry_entry_t *entry;
    apr_pool_t *pool;
    ocspx_fetch_question_t question;
    int url; /* which responder is being asked */
    int reached;
    apr_time_t retry_after;
    ocspx_cache_state_t before, after;
    ocspx_admit_t result;
} attempt_t;

static int never_tried(const ocspx_cache_state_t *state)
{
    return !state->tried && !state->expiry;
}

/* --- schedule -------------------------------------------------------- */

static void enter_in_agenda(ocspx_refresh_t *refresh,
                            const ocspx_registry_entry_t *entry,
                            const ocspx_cache_state_t *state)
{
    ocspx_schedule_validity_t served = ocspx_admit_validity(state);

    ocspx_agenda_set(refresh->agenda, entry->index, state->due, state->expiry,
                     ocspx_schedule_interval(state->fetched, &served,
                                             &entry->policy->schedule));
}

static apr_uint64_t next_random(ocspx_refresh_t *refresh)
{
    return refresh->random = ocspx_schedule_mix(refresh->random);
}

static apr_time_t next_due(attempt_t *attempt, apr_time_t now)
{
    const ocspx_cache_state_t *state = &attempt->after;
    const ocspx_schedule_policy_t *policy = &attempt->entry->policy->schedule;
    ocspx_schedule_validity_t served = ocspx_admit_validity(state);
    ocspx_schedule_failures_t failures = {
        .count = state->failures,
        .since = state->failing_since,
        .retry_after = attempt->retry_after,
    };

    if (state->failures)
        return ocspx_schedule_retry(now, &served, policy, &failures,
                                    next_random(attempt->refresh));
    return ocspx_schedule_refresh(now, &served, policy,
                                  next_random(attempt->refresh),
                                  !attempt->before.expiry);
}

/* --- the end of an attempt ------------------------------------------- */

/* One line when the store stops working and one when it works again, however
 * many certificates are concerned. */
static void note_store(ocspx_refresh_t *refresh, const char *unsaved)
{
    if (unsaved && !refresh->unsaved)
        ocspx_log(refresh->config.log, OCSPX_LOG_ERROR, 15, -1,
                  "%s: %s; stapling goes on from memory. %s",
                  ocspx_cause_code(OCSPX_CAUSE_STORE_UNWRITABLE), unsaved,
                  ocspx_cause_remedy(OCSPX_CAUSE_STORE_UNWRITABLE));
    else if (!unsaved && refresh->unsaved)
        ocspx_log(refresh->config.log, OCSPX_LOG_NOTICE, 16, -1,
                  "responses can be written to the state directory again");
    refresh->unsaved = unsaved != NULL;
}

static void record(attempt_t *attempt, apr_time_t now)
{
    ocspx_cache_state_t *state = &attempt->after;
    const ocspx_admit_t *result = &attempt->result;

    state->tried = now;
    state->cause = result->cause;
    if (result->admitted) {
        state->failures = 0;
        state->failing_since = 0;
        state->message[0] = '\0';
    } else {
        if (!state->failures++)
            state->failing_since = now;
        apr_cpystrn(state->message, result->message, sizeof(state->message));
    }
    state->due = next_due(attempt, now);
}

static void conclude(attempt_t *attempt)
{
    ocspx_refresh_t *refresh = attempt->refresh;
    const ocspx_registry_entry_t *entry = attempt->entry;
    apr_time_t now = refresh->config.clock();

    record(attempt, now);
    if (attempt->result.admitted)
        note_store(refresh, attempt->result.unsaved);
    if (never_tried(&attempt->before))
        refresh->untried--;
    ocspx_transition_log(refresh->config.log, entry, &attempt->before,
                         &attempt->after, attempt->result.message, now,
                         attempt->pool);
    ocspx_cache_state_set(refresh->config.cache, entry->index, &attempt->after);
    ocspx_agenda_done(refresh->agenda, entry->index, attempt->reached);
    if (!refresh->config.once)
        enter_in_agenda(refresh, entry, &attempt->after);
    apr_pool_destroy(attempt->pool);
}

/* --- asking the responders ------------------------------------------- */

static void admit(attempt_t *attempt, const ocspx_admit_candidate_t *candidate)
{
    const ocspx_refresh_config_t *config = &attempt->refresh->config;

    ocspx_admit(&attempt->result, &attempt->after, attempt->entry, candidate,
                config->cache, config->store, config->clock(), attempt->pool);
}

/* Does the answer give hope for other certificates at the same host? A
 * responder that is overloaded or broken is left alone like one that is dead.
 */
static int is_up(const ocspx_fetch_answer_t *answer, ocspx_cause_e cause)
{
    return !answer->unreachable && answer->http_status < 500 &&
           answer->http_status != 429 && cause != OCSPX_CAUSE_RESP_TRYLATER &&
           cause != OCSPX_CAUSE_RESP_INTERNAL;
}

static void ask_next(attempt_t *attempt);

static void on_answer(void *baton, const ocspx_fetch_answer_t *answer)
{
    attempt_t *attempt = baton;
    ocspx_cache_state_t *state = &attempt->after;

    state->took = answer->took;
    state->http_status = (apr_uint32_t)answer->http_status;
    state->requests += (apr_uint32_t)answer->requests;
    apr_cpystrn(state->peer, answer->peer, sizeof(state->peer));
    attempt->retry_after = answer->retry_after;
    if (answer->cause == OCSPX_CAUSE_NONE) {
        ocspx_admit_candidate_t candidate = {
            .der = answer->body,
            .len = answer->body_len,
            .source = OCSPX_CACHE_NETWORK,
            .date = answer->date,
            .fresh_until = answer->fresh_until,
        };
        admit(attempt, &candidate);
        if (!attempt->result.admitted)
            attempt->result.message =
                apr_psprintf(attempt->pool, "%s: %s", attempt->question.url,
                             attempt->result.message);
    } else {
        attempt->result = (ocspx_admit_t){
            .cause = answer->cause,
            .message = apr_pstrdup(attempt->pool, answer->message),
        };
    }
    attempt->reached |= is_up(answer, attempt->result.cause);
    ask_next(attempt);
}

/* Ask the responders one after the other, until one has been useful. */
static void ask_next(attempt_t *attempt)
{
    const apr_array_header_t *urls = attempt->entry->urls;
    ocspx_fetch_t *fetch = attempt->refresh->config.fetch;

    while (!attempt->result.admitted && attempt->url < urls->nelts) {
        attempt->question.url =
            APR_ARRAY_IDX(urls, attempt->url++, const char *);
        if (fetch->start(fetch, &attempt->question, on_answer, attempt) ==
            APR_SUCCESS)
            return;
        attempt->result.cause = OCSPX_CAUSE_BAD_URL;
        attempt->result.message = apr_pstrcat(attempt->pool, "cannot ask ",
                                              attempt->question.url, NULL);
    }
    conclude(attempt);
}

static void read_file(ocspx_admit_t *result, ocspx_cache_state_t *state,
                      const ocspx_refresh_config_t *config,
                      const ocspx_registry_entry_t *entry, apr_pool_t *p)
{
    ocspx_admit_candidate_t candidate = {.source = OCSPX_CACHE_FILE};
    const char *why;

    if (ocspx_store_read_file(&candidate.der, &candidate.len, &why,
                              entry->policy->response_file,
                              config->max_response, p) == APR_SUCCESS)
        ocspx_admit(result, state, entry, &candidate, config->cache, NULL,
                    config->clock(), p);
    else
        *result = (ocspx_admit_t){.cause = OCSPX_CAUSE_FILE_UNREADABLE,
                                  .message = why};
}

static void start(ocspx_refresh_t *refresh, unsigned i)
{
    const ocspx_registry_entry_t *entry =
        ocspx_registry_get(refresh->config.registry, i);
    const ocspx_registry_policy_t *policy = entry->policy;
    apr_pool_t *pool;
    attempt_t *attempt;

    apr_pool_create(&pool, refresh->pool);
    attempt = apr_pcalloc(pool, sizeof(*attempt));
    attempt->refresh = refresh;
    attempt->entry = entry;
    attempt->pool = pool;
    ocspx_cache_state_get(&attempt->before, refresh->config.cache, i);
    attempt->after = attempt->before;
    if (policy->response_file) {
        attempt->reached = 1;
        read_file(&attempt->result, &attempt->after, &refresh->config, entry,
                  pool);
        conclude(attempt);
        return;
    }
    attempt->question.method = policy->method;
    attempt->question.proxy = policy->proxy;
    attempt->question.timeout = policy->timeout;
    attempt->question.max_size = refresh->config.max_response;
    if (ocspx_cert_request(&attempt->question.request,
                           &attempt->question.request_len, entry->cert,
                           policy->certid_hash, pool) != APR_SUCCESS) {
        attempt->result.cause = OCSPX_CAUSE_WRONG_CERT;
        attempt->result.message = "no OCSP request can be made for it";
        conclude(attempt);
        return;
    }
    ask_next(attempt);
}

/* --- public ---------------------------------------------------------- */

static void take_up(ocspx_refresh_t *refresh, unsigned i, apr_time_t now)
{
    const ocspx_registry_entry_t *entry =
        ocspx_registry_get(refresh->config.registry, i);
    ocspx_cache_state_t state;
    apr_time_t latest;

    ocspx_cache_state_get(&state, refresh->config.cache, i);
    /* A due time later than any this schedule gives is another clock's. */
    latest = now + OCSPX_SCHEDULE_RETRY_MAX;
    if (latest < state.expiry - (state.expiry - state.this_update) / 4)
        latest = state.expiry - (state.expiry - state.this_update) / 4;
    if (state.due > latest)
        state.due = now;
    if (never_tried(&state))
        refresh->untried++;
    enter_in_agenda(refresh, entry, &state);
}

ocspx_refresh_t *ocspx_refresh_make(const ocspx_refresh_config_t *config,
                                    const unsigned char *only, apr_pool_t *p)
{
    ocspx_refresh_t *refresh = apr_pcalloc(p, sizeof(*refresh));
    unsigned n = ocspx_registry_count(config->registry);
    unsigned *host_of = apr_palloc(p, n * sizeof(*host_of));
    apr_time_t now = config->clock();
    unsigned i;

    refresh->config = *config;
    refresh->pool = p;
    if (RAND_bytes((unsigned char *)&refresh->random,
                   sizeof(refresh->random)) != 1)
        refresh->random = (apr_uint64_t)now;
    for (i = 0; i < n; i++)
        host_of[i] = ocspx_registry_get(config->registry, i)->host;
    refresh->agenda =
        ocspx_agenda_make(n, apr_hash_count(config->registry->hosts), host_of,
                          config->max_parallel, config->max_per_host, p);
    for (i = 0; i < n; i++)
        if (!only || only[i])
            take_up(refresh, i, now);
    return refresh;
}

/* When to look again is returned. */
static apr_time_t start_due(ocspx_refresh_t *refresh, apr_time_t now)
{
    apr_time_t next;
    int i;

    while ((i = ocspx_agenda_take(refresh->agenda, now, &next)) >= 0)
        start(refresh, (unsigned)i);
    return next;
}

unsigned ocspx_refresh_turn(ocspx_refresh_t *refresh, apr_interval_time_t wait)
{
    const ocspx_refresh_config_t *config = &refresh->config;
    apr_time_t now = config->clock();
    apr_time_t next = start_due(refresh, now);
    int idle = !ocspx_agenda_under_way(refresh->agenda);

    if (idle && next - now > wait)
        return 0;
    if (next - now < wait)
        wait = next > now ? next - now : 0;
    /* Polling fails only for want of memory; not a loop of that. */
    if (idle || config->fetch->poll(config->fetch, wait) != APR_SUCCESS)
        apr_sleep(wait);
    start_due(refresh, config->clock());
    return ocspx_agenda_under_way(refresh->agenda);
}

unsigned ocspx_refresh_untried(const ocspx_refresh_t *refresh)
{
    return refresh->untried;
}
