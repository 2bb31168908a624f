/* schedule: when to ask next. Pure functions; all times in microseconds.
 *
 * A refresh is drawn from a window that ends at the refresh point:
 *
 *   thisUpdate ....... [ window ] ............ 75 % ............ expiry
 *                    45 %      50 %
 *
 * and sooner seldom, later often: of many servers that share what they fetch
 * the first one is then well ahead of the second.
 *
 * Times come from responses, HTTP headers and a clock that somebody may set,
 * so everything saturates: plus() and span() are the only additions and
 * subtractions of times here.
 */
#include "schedule.h"

#define PERCENT_LIMIT 75 /* HTTP freshness delays no further */

/* No two attempts are closer, whatever the numbers say. */
#define GAP_LEAST apr_time_from_msec(100)

typedef struct {
    apr_time_t from, to;
} window_t;

static apr_time_t plus(apr_time_t t, apr_interval_time_t d)
{
    apr_time_t sum;

    if (!__builtin_add_overflow(t, d, &sum))
        return sum;
    return d < 0 ? APR_INT64_MIN : APR_INT64_MAX;
}

/* From one time to a later one; 0 if it is not later. */
static apr_interval_time_t span(apr_time_t from, apr_time_t to)
{
    apr_interval_time_t d;

    if (to <= from)
        return 0;
    return __builtin_sub_overflow(to, from, &d) ? APR_INT64_MAX : d;
}

static apr_time_t least(apr_time_t a, apr_time_t b)
{
    return a < b ? a : b;
}

static apr_time_t most(apr_time_t a, apr_time_t b)
{
    return a > b ? a : b;
}

static apr_interval_time_t percent(apr_interval_time_t whole, int part)
{
    return whole / 100 * part + whole % 100 * part / 100;
}

apr_uint64_t ocspx_schedule_mix(apr_uint64_t x)
{
    x += APR_UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * APR_UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * APR_UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static apr_time_t draw(window_t window, apr_uint64_t seed)
{
    apr_uint64_t width = (apr_uint64_t)span(window.from, window.to);

    return plus(window.from,
                (apr_interval_time_t)(ocspx_schedule_mix(seed) % (width + 1)));
}

static apr_interval_time_t retry_min(const ocspx_schedule_policy_t *policy)
{
    return policy->retry_min > 0 ? policy->retry_min : OCSPX_SCHEDULE_RETRY_MIN;
}

/* The shortest pause before the next request where @a left is left. */
static apr_interval_time_t pause_least(const ocspx_schedule_policy_t *policy,
                                       apr_interval_time_t left)
{
    if (!left)
        return most(retry_min(policy), GAP_LEAST);
    return most(least(retry_min(policy), left / 8), GAP_LEAST);
}

/* What policy and response say about the window, be it past or not. */
static window_t planned(apr_time_t *limit, apr_time_t now,
                        const ocspx_schedule_validity_t *served,
                        const ocspx_schedule_policy_t *policy)
{
    /* A validity that begins in the future begins now: after a jump of the
     * clock the next request must not be a jump away. */
    apr_time_t begin = least(served->this_update, now);
    apr_interval_time_t validity = span(served->this_update, served->expiry);
    int part = (int)most(1, least(policy->refresh_percent, PERCENT_LIMIT));
    apr_interval_time_t whole = percent(validity, part);
    window_t window = {.to = plus(begin, whole)};

    *limit = plus(begin, percent(validity, PERCENT_LIMIT));
    if (served->open) {
        whole = OCSPX_SCHEDULE_OPEN;
        window.to = plus(now, whole);
    }
    if (policy->refresh_max > 0) {
        whole = least(whole, policy->refresh_max);
        *limit = least(*limit, plus(now, policy->refresh_max));
    }
    window.to = least(window.to, *limit);
    window.from = plus(window.to, -(whole / 10));
    return window;
}

static window_t window(apr_time_t now, const ocspx_schedule_validity_t *served,
                       const ocspx_schedule_policy_t *policy,
                       ocspx_schedule_spread_e spread)
{
    apr_interval_time_t left = span(now, served->expiry);
    apr_time_t soonest = plus(now, pause_least(policy, left));
    apr_time_t limit;
    window_t w = planned(&limit, now, served, policy);

    if (w.to <= now) {
        w.to = plus(now, left / 8);
        w.from = plus(w.to, -(left / 80));
    } else if (spread == OCSPX_SCHEDULE_WHOLE) {
        w.from = soonest;
    } else if (w.from <= now && spread == OCSPX_SCHEDULE_WINDOW) {
        /* An old answer, got again. Drawing from the rest of the window
         * again and again would ask ever more often. */
        w.from = w.to;
    }
    w.from = most(w.from, least(served->fresh_until, limit));
    w.from = most(w.from, soonest);
    w.to = most(w.to, w.from);
    return w;
}

apr_time_t ocspx_schedule_refresh(apr_time_t now,
                                  const ocspx_schedule_validity_t *served,
                                  const ocspx_schedule_policy_t *policy,
                                  apr_uint64_t seed,
                                  ocspx_schedule_spread_e spread)
{
    window_t w = window(now, served, policy, spread);
    apr_time_t due = draw(w, seed);

    return spread == OCSPX_SCHEDULE_WHOLE
               ? due
               : most(due, draw(w, ocspx_schedule_mix(seed)));
}

apr_uint64_t ocspx_schedule_stagger(apr_uint64_t instance, apr_uint64_t cert,
                                    apr_time_t this_update)
{
    apr_uint64_t x = ocspx_schedule_mix((apr_uint64_t)this_update);

    return ocspx_schedule_mix(ocspx_schedule_mix(x ^ cert) ^ instance);
}

int ocspx_schedule_overdue(apr_time_t now,
                           const ocspx_schedule_validity_t *served,
                           const ocspx_schedule_policy_t *policy)
{
    apr_time_t limit;

    return planned(&limit, now, served, policy).to <= now;
}

apr_interval_time_t
ocspx_schedule_interval(apr_time_t obtained,
                        const ocspx_schedule_validity_t *served,
                        const ocspx_schedule_policy_t *policy)
{
    window_t w = window(obtained, served, policy, OCSPX_SCHEDULE_WINDOW);

    if (served->expiry <= obtained)
        return 0;
    return span(obtained, plus(w.from, span(w.from, w.to) / 3 * 2));
}

/* Nothing is served: the pause grows with the outage, so that it never makes
 * much of the time without a staple. */
static window_t pauses_empty(apr_interval_time_t *limit,
                             const ocspx_schedule_policy_t *policy,
                             apr_interval_time_t outage)
{
    apr_interval_time_t pause = most(outage / 12, retry_min(policy));

    *limit = least(OCSPX_SCHEDULE_RETRY_EMPTY,
                   most(policy->retry_max, retry_min(policy)));
    pause = least(pause, *limit);
    return (window_t){pause - pause / 4, pause - pause / 10};
}

/* A response is served: exponential back-off with full jitter, which is what
 * best keeps many servers from coming back to a responder in step. The lowest
 * eighth is left out: drawn often enough, pauses near nothing would hammer
 * a responder that is down already. */
static window_t pauses_served(apr_interval_time_t *limit,
                              const ocspx_schedule_policy_t *policy,
                              apr_interval_time_t left, unsigned failures)
{
    apr_interval_time_t first = retry_min(policy);
    apr_interval_time_t longest = most(policy->retry_max, first);
    int doublings = failures > 32 ? 31 : failures ? (int)failures - 1 : 0;
    int fits = first <= longest >> doublings;
    apr_interval_time_t pause = fits ? first << doublings : longest;

    *limit = least(longest, left / 8);
    pause = least(pause, *limit);
    return (window_t){pause / 8, pause};
}

apr_time_t ocspx_schedule_retry(apr_time_t now,
                                const ocspx_schedule_validity_t *served,
                                const ocspx_schedule_policy_t *policy,
                                const ocspx_schedule_failures_t *failures,
                                apr_uint64_t seed)
{
    apr_interval_time_t left = span(now, served->expiry);
    apr_interval_time_t limit, pause;
    window_t pauses =
        left ? pauses_served(&limit, policy, left, failures->count)
             : pauses_empty(&limit, policy, span(failures->since, now));

    pause = most(draw(pauses, seed), GAP_LEAST);
    return most(plus(now, pause),
                least(failures->retry_after, plus(now, limit)));
}

apr_time_t ocspx_schedule_serve(apr_time_t now,
                                const ocspx_schedule_validity_t *served,
                                const ocspx_schedule_validity_t *fresh,
                                const ocspx_schedule_policy_t *policy)
{
    apr_interval_time_t age =
        least(policy->maturity, span(fresh->this_update, fresh->expiry) / 10);

    if (age <= 0 || served->expiry <= now)
        return now;
    return least(plus(fresh->this_update, age), plus(served->expiry, -age));
}
