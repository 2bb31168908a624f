/* event: what is worth telling somebody about a certificate. */
#include "event.h"

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

/* How many of the alarms have gone off by then: one each at 50, 25 and 10 % of
 * the validity left; where nothing is served, all at the first failure. */
static unsigned alarms(const ocspx_cache_state_t *state, apr_time_t when)
{
    static const unsigned percent[] = {50, 25, 10};
    const unsigned all = sizeof(percent) / sizeof(percent[0]);
    apr_interval_time_t whole = state->expiry - state->this_update;
    apr_interval_time_t left = state->expiry - when;
    unsigned n = 0;

    if (!state->failures)
        return 0;
    if (left <= 0 || whole <= 0)
        return all;
    while (n < all && left <= whole / 100 * percent[n])
        n++;
    return n;
}

static unsigned while_failing(const ocspx_cache_state_t *before,
                              const ocspx_cache_state_t *after, apr_time_t now)
{
    if (after->expiry > before->tried && after->expiry <= now)
        return 1u << OCSPX_EVENT_EXPIRED;
    return alarms(after, now) > alarms(before, before->tried)
               ? 1u << OCSPX_EVENT_FAILING
               : 0;
}

unsigned ocspx_event_between(const ocspx_cache_state_t *before,
                             const ocspx_cache_state_t *after, apr_time_t now)
{
    unsigned events = 0;

    if (after->failures)
        return while_failing(before, after, now);
    if (alarms(before, before->tried))
        events |= 1u << OCSPX_EVENT_RECOVERED;
    if (after->revoked)
        return before->revoked ? events : events | 1u << OCSPX_EVENT_REVOKED;
    if (before->expiry <= now || before->revoked)
        events |= 1u << OCSPX_EVENT_STAPLED;
    return events;
}
