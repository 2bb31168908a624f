/* refresh: keeps every response fresh. */
#include "refresh_private.h"

#include <openssl/rand.h>

#include "load.h"
#include "transition.h"

/* --- the agenda ------------------------------------------------------ */

/* How often the agenda is to expect it. What fails comes more often than it
 * would otherwise: a pace without it would leave no turns for others. */
static apr_interval_time_t interval(const ocspx_registry_entry_t *entry,
                                    const ocspx_cache_state_t *state)
{
    ocspx_schedule_validity_t served = ocspx_admit_validity(state);

    if (state->failures && state->due > state->tried)
        return state->due - state->tried;
    return ocspx_schedule_interval(state->fetched, &served,
                                   &entry->policy->schedule);
}

void ocspx_refresh_enter(ocspx_refresh_t *refresh,
                         const ocspx_registry_entry_t *entry,
                         const ocspx_cache_state_t *state)
{
    if (!ocspx_refresh_has_work(entry))
        return;
    refresh->waiting[entry->index] = 1;
    ocspx_agenda_set(refresh->agenda, entry->index, state->due,
                     ocspx_admit_validity(state).expiry,
                     interval(entry, state));
    if (!state->held.until)
        return;
    refresh->held_until[entry->index] = state->held.until;
    ocspx_heap_put(&refresh->held, entry->index);
}

/* --- starting -------------------------------------------------------- */

/* Of this attempt, nothing is known yet. */
static void forget_last(ocspx_cache_state_t *state)
{
    state->took = 0;
    state->http_status = 0;
    state->peer[0] = '\0';
}

static void start(ocspx_refresh_t *refresh, unsigned i)
{
    ocspx_attempt_t *attempt;
    apr_pool_t *pool;

    refresh->waiting[i] = 0;
    apr_pool_create(&pool, refresh->pool);
    attempt = apr_pcalloc(pool, sizeof(*attempt));
    attempt->config = &refresh->config;
    attempt->entry = ocspx_registry_get(refresh->config.registry, i);
    attempt->pool = pool;
    attempt->done = ocspx_refresh_conclude;
    attempt->baton = refresh;
    ocspx_cache_state_get(&attempt->before, refresh->config.cache, i);
    ocspx_heap_drop(&refresh->held, i); /* until the attempt is over */
    attempt->after = attempt->before;
    forget_last(&attempt->after);
    ocspx_attempt_start(attempt);
}

/* --- the turn of a held response ------------------------------------- */

static void serve_held(ocspx_refresh_t *refresh, unsigned i, apr_time_t now)
{
    const ocspx_registry_entry_t *entry =
        ocspx_registry_get(refresh->config.registry, i);
    ocspx_cache_state_t state;
    ocspx_admit_t result;
    apr_pool_t *pool;

    apr_pool_create(&pool, refresh->pool);
    ocspx_heap_drop(&refresh->held, i);
    ocspx_cache_state_get(&state, refresh->config.cache, i);
    ocspx_admit_held(&result, &state, entry, refresh->config.cache, now, pool);
    if (!result.admitted)
        state.due = now;
    ocspx_cache_state_set(refresh->config.cache, i, &state);
    ocspx_refresh_enter(refresh, entry, &state);
    ocspx_transition_log_held(refresh->config.log, entry, &result);
    apr_pool_destroy(pool);
}

static void serve_all_held(ocspx_refresh_t *refresh, apr_time_t now)
{
    const ocspx_heap_t *held = &refresh->held;

    while (held->n && held->key[held->ids[0]] <= now)
        serve_held(refresh, held->ids[0], now);
}

/* --- public ---------------------------------------------------------- */

static void load_repair(const ocspx_refresh_t *refresh, unsigned i)
{
    apr_pool_t *pool;

    apr_pool_create(&pool, refresh->pool);
    ocspx_load_repair(&refresh->config, i, pool);
    apr_pool_destroy(pool);
}

static void take_up(ocspx_refresh_t *refresh, unsigned i, apr_time_t now)
{
    const ocspx_registry_entry_t *entry =
        ocspx_registry_get(refresh->config.registry, i);
    ocspx_schedule_validity_t newest;
    ocspx_cache_state_t state;
    apr_time_t latest;

    load_repair(refresh, i);
    ocspx_cache_state_get(&state, refresh->config.cache, i);
    newest = ocspx_admit_validity(&state);
    /* A due time later than any this schedule gives is another clock's. */
    latest = now + OCSPX_SCHEDULE_RETRY_MAX;
    if (latest < newest.expiry - (newest.expiry - newest.this_update) / 4)
        latest = newest.expiry - (newest.expiry - newest.this_update) / 4;
    if (state.due > latest)
        state.due = now;
    /* Perhaps its chain was complete, or the clock ahead, when that time was
     * set. */
    if (!state.failures && (ocspx_registry_lacks_repair(entry) ||
                            ocspx_admit_is_from_future(&state, entry, now)))
        state.due = now;
    if (ocspx_refresh_has_work(entry) && ocspx_refresh_never_tried(&state))
        refresh->untried++;
    ocspx_refresh_enter(refresh, entry, &state);
    ocspx_event_tell(refresh->config.observer, refresh->config.cache, i, now);
}

/* A response that now comes from the future was obtained with a wrong clock,
 * or the clock is wrong from now on: the responder is asked at once. */
static void set_back(ocspx_refresh_t *refresh, unsigned i, apr_time_t now,
                     apr_interval_time_t back)
{
    const ocspx_registry_entry_t *entry =
        ocspx_registry_get(refresh->config.registry, i);
    ocspx_cache_state_t state;

    ocspx_cache_state_get(&state, refresh->config.cache, i);
    if (state.due > now)
        state.due -= back;
    if (ocspx_admit_is_from_future(&state, entry, now))
        state.due = now;
    ocspx_cache_state_set(refresh->config.cache, i, &state);
    ocspx_refresh_enter(refresh, entry, &state);
}

/* A clock that is set back delays nothing: what was due in an hour still is. */
static void look_at_clock(ocspx_refresh_t *refresh, apr_time_t now)
{
    apr_interval_time_t back = refresh->looked - now;
    unsigned n = ocspx_registry_count(refresh->config.registry);
    unsigned i;

    refresh->looked = now;
    if (back <= 0)
        return;
    for (i = 0; i < n; i++)
        if (refresh->waiting[i])
            set_back(refresh, i, now, back);
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
    refresh->looked = now;
    refresh->waiting = apr_pcalloc(p, n);
    if (RAND_bytes((unsigned char *)&refresh->random,
                   sizeof(refresh->random)) != 1)
        refresh->random = (apr_uint64_t)now;
    for (i = 0; i < n; i++)
        host_of[i] = ocspx_registry_get(config->registry, i)->host;
    refresh->agenda = ocspx_agenda_make(
        n, apr_hash_count(config->registry->hosts), host_of,
        config->max_parallel, config->max_per_host, refresh->random, p);
    refresh->held_until = apr_pcalloc(p, n * sizeof(*refresh->held_until));
    refresh->held = ocspx_heap_make(n, refresh->held_until, p);
    for (i = 0; i < n; i++)
        if (!only || only[i])
            take_up(refresh, i, now);
    return refresh;
}

/* What the store answers at once makes room for the next. When to look again is
 * returned. */
static apr_time_t start_due(ocspx_refresh_t *refresh, apr_time_t now)
{
    apr_time_t last = refresh->config.last_start;
    apr_time_t next;
    int i, started;

    serve_all_held(refresh, now);
    if (last && now >= last)
        return APR_INT64_MAX;
    do {
        started = 0;
        if (refresh->config.share)
            ocspx_share_turn(refresh->config.share);
        while ((i = ocspx_agenda_take(refresh->agenda, now, &next)) >= 0) {
            start(refresh, (unsigned)i);
            started = 1;
        }
    } while (started);
    return next;
}

static unsigned under_way(const ocspx_refresh_t *refresh)
{
    const ocspx_share_t *share = refresh->config.share;

    return ocspx_agenda_under_way(refresh->agenda) +
           (share ? ocspx_share_waiting(share) : 0);
}

unsigned ocspx_refresh_turn(ocspx_refresh_t *refresh, apr_interval_time_t wait)
{
    const ocspx_refresh_config_t *config = &refresh->config;
    apr_time_t now = config->clock();
    apr_time_t next;
    int idle;

    look_at_clock(refresh, now);
    next = start_due(refresh, now);
    idle = !under_way(refresh);
    if (config->ledger)
        ocspx_ledger_turn(config->ledger, now);
    if (config->observer)
        config->observer->turn(config->observer->baton, now);
    if (idle && next - now > wait)
        return 0;
    if (next - now < wait)
        wait = next > now ? next - now : 0;
    /* Polling fails only for want of memory; not a loop of that. */
    if (idle || config->fetch->poll(config->fetch, wait) != APR_SUCCESS)
        apr_sleep(wait);
    start_due(refresh, config->clock());
    return under_way(refresh);
}

unsigned ocspx_refresh_untried(const ocspx_refresh_t *refresh)
{
    return refresh->untried;
}
