/* event: what is worth telling somebody about a certificate. */
#include "event.h"

#include "admit.h"

/* What was told last, in ocspx_cache_state_t: how things stood, and how many
 * alarms had gone off. */
typedef enum { NOTHING, STAPLED, REVOKED, EXPIRED } standing_e;

#define ALARMS 3
#define STANDING(told) ((standing_e)((told)&3))
#define LEVEL(told) ((told) >> 2)
#define TOLD(standing, level) ((apr_uint32_t)(standing) | (level) << 2)
_Static_assert(TOLD(EXPIRED, ALARMS) == OCSPX_CACHE_TOLD_MAX,
               "a reload believes what is told");

const char *ocspx_event_name(ocspx_event_e event)
{
    static const char *const names[OCSPX_EVENT_COUNT] = {
        [OCSPX_EVENT_STAPLED] = "stapled",
        [OCSPX_EVENT_FAILING] = "failing",
        [OCSPX_EVENT_RECOVERED] = "recovered",
        [OCSPX_EVENT_REVOKED] = "revoked",
        [OCSPX_EVENT_EXPIRED] = "expired",
        [OCSPX_EVENT_CHAIN_BROKEN] = "chain-broken",
    };

    return names[event];
}

static standing_e standing(const ocspx_cache_state_t *state, apr_time_t now)
{
    if (!state->expiry)
        return NOTHING;
    if (state->expiry <= now)
        return EXPIRED;
    return state->revoked ? REVOKED : STAPLED;
}

/* How many of the alarms have gone off: one each at 50, 25 and 10 % of the
 * validity left; all where there is nothing left. */
static unsigned alarms(const ocspx_cache_state_t *state, apr_time_t now)
{
    static const unsigned percent[ALARMS] = {50, 25, 10};
    ocspx_schedule_validity_t newest = ocspx_admit_validity(state);
    apr_interval_time_t whole = newest.expiry - newest.this_update;
    apr_interval_time_t left = newest.expiry - now;
    unsigned n = 0;

    if (newest.expiry && left <= 0)
        return ALARMS;
    if (!state->failures)
        return 0;
    while (n < ALARMS && left <= whole / 100 * percent[n])
        n++;
    return n;
}

/* No alarm beside EXPIRED, which is the last of them. */
static unsigned of_level(unsigned before, unsigned level, standing_e stands)
{
    if (before && !level)
        return 1u << OCSPX_EVENT_RECOVERED;
    return level > before && stands != EXPIRED ? 1u << OCSPX_EVENT_FAILING : 0;
}

static unsigned of_standing(standing_e before, standing_e stands)
{
    static const unsigned events[] = {
        [NOTHING] = 0,
        [STAPLED] = 1u << OCSPX_EVENT_STAPLED,
        [REVOKED] = 1u << OCSPX_EVENT_REVOKED,
        [EXPIRED] = 1u << OCSPX_EVENT_EXPIRED,
    };

    return stands == before ? 0 : events[stands];
}

unsigned ocspx_event_take(ocspx_cache_state_t *state, apr_time_t now)
{
    standing_e stands = standing(state, now);
    unsigned level = alarms(state, now);
    unsigned before = LEVEL(state->told);
    unsigned events = of_standing(STANDING(state->told), stands) |
                      of_level(before, level, stands);

    if (level && level < before) /* a longer response, and still failing */
        level = before;
    state->told = TOLD(stands, level);
    return events;
}

void ocspx_event_tell(const ocspx_event_observer_t *observer,
                      ocspx_cache_t *cache, unsigned entry, apr_time_t now)
{
    ocspx_cache_state_t state;
    apr_uint32_t before;
    unsigned events, i;

    if (!observer || !ocspx_cache_state_get(&state, cache, entry))
        return;
    before = state.told;
    events = ocspx_event_take(&state, now);
    if (state.told != before)
        ocspx_cache_state_set(cache, entry, &state);
    for (i = 0; i < OCSPX_EVENT_COUNT; i++)
        if (events & 1u << i)
            observer->happened(observer->baton, (ocspx_event_e)i, entry, now);
}
