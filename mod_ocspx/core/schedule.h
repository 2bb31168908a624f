/* schedule: when to ask next. Pure functions; all times in microseconds.
 *
 * A response is refreshed before half of its validity has passed, so that an
 * outage of up to half a validity goes unnoticed: the jitter only ever moves
 * the refresh forward. Failures back off exponentially with full jitter, but
 * never sleep past an eighth of the validity that is left.
 */
#ifndef OCSPX_SCHEDULE_H
#define OCSPX_SCHEDULE_H

#include <apr.h>
#include <apr_time.h>

typedef struct {
    int refresh_percent;             /* of the validity; 50 */
    apr_interval_time_t retry_min;   /* 5 s */
    apr_interval_time_t retry_max;   /* 1 h */
    apr_interval_time_t refresh_max; /* refresh at least this often; 0: none */
    apr_interval_time_t maturity;    /* hold back what is younger; 0: nothing */
} ocspx_schedule_policy_t;

#define OCSPX_SCHEDULE_REFRESH_PERCENT 50
#define OCSPX_SCHEDULE_RETRY_MIN apr_time_from_sec(5)
#define OCSPX_SCHEDULE_RETRY_MAX apr_time_from_sec(3600)
#define OCSPX_SCHEDULE_MATURITY apr_time_from_sec(300)
/** Longest pause between retries while nothing can be served. */
#define OCSPX_SCHEDULE_RETRY_EMPTY apr_time_from_sec(60)
/** Refresh interval of a response without nextUpdate. */
#define OCSPX_SCHEDULE_OPEN apr_time_from_sec(3600)

/** What is served for a certificate; all zero: nothing. */
typedef struct {
    apr_time_t this_update;
    apr_time_t expiry;      /* not served from this moment on */
    int open;               /* the response has no nextUpdate */
    apr_time_t fresh_until; /* HTTP freshness of the answer; 0: unknown */
} ocspx_schedule_validity_t;

/** What the time of a refresh is drawn from. */
typedef enum {
    OCSPX_SCHEDULE_WINDOW, /* if that has begun: its end */
    OCSPX_SCHEDULE_WHOLE,  /* the whole time before the refresh point, so that
                              responses obtained together do not come due
                              together */
    OCSPX_SCHEDULE_REST    /* what is left of the window, so that servers that
                              find another's response late do not come due
                              together */
} ocspx_schedule_spread_e;

/**
 * When to refresh a response just obtained: before refresh_percent of its
 * validity has passed (at most a tenth earlier), not before it is HTTP-stale
 * unless that is past 75 %. Where that point has passed already (the
 * responder serves an old answer again): after an eighth of what is left.
 * Never less than retry_min or an eighth of what is left from now, whichever
 * is less. Any input is safe; the result is later than @a now.
 * @param seed random bits; the same seed gives the same time
 */
apr_time_t ocspx_schedule_refresh(apr_time_t now,
                                  const ocspx_schedule_validity_t *served,
                                  const ocspx_schedule_policy_t *policy,
                                  apr_uint64_t seed,
                                  ocspx_schedule_spread_e spread);

/**
 * The seed of one server for the refresh of one response. Servers that share
 * what they fetch differ in it, so that their times are spread over the
 * window: the first of them fetches, the others find what it fetched. With
 * every response the order is another.
 * @param instance random bits, the server's own
 * @param cert any 64 bits of the certificate's digest
 */
apr_uint64_t ocspx_schedule_stagger(apr_uint64_t instance, apr_uint64_t cert,
                                    apr_time_t this_update);

/** Has the refresh point of this response passed? */
int ocspx_schedule_overdue(apr_time_t now,
                           const ocspx_schedule_validity_t *served,
                           const ocspx_schedule_policy_t *policy);

/**
 * How long after @a obtained a response is refreshed on average; what the
 * agenda sets its pace by. 0 where nothing is served.
 */
apr_interval_time_t
ocspx_schedule_interval(apr_time_t obtained,
                        const ocspx_schedule_validity_t *served,
                        const ocspx_schedule_policy_t *policy);

/** An unbroken series of failures. */
typedef struct {
    unsigned count;         /* in a row, >= 1 */
    apr_time_t since;       /* when the first of them happened */
    apr_time_t retry_after; /* earliest time the responder asked for; 0: none */
} ocspx_schedule_failures_t;

/**
 * When to try again after failures: retry_min doubling up to retry_max, full
 * jitter, at most an eighth of the validity left. While nothing is served
 * (expiry 0 or past): a twelfth of the time it has been failing, at least
 * retry_min, at most RETRY_EMPTY or retry_max, and a tenth to a quarter
 * earlier; so that after an outage of a minute the staple is there within
 * 15 s, even if the last fetch hangs for 10 s of them.
 * retry_after is obeyed within these caps. Any input is safe; the result is
 * later than @a now.
 */
apr_time_t ocspx_schedule_retry(apr_time_t now,
                                const ocspx_schedule_validity_t *served,
                                const ocspx_schedule_policy_t *policy,
                                const ocspx_schedule_failures_t *failures,
                                apr_uint64_t seed);

/**
 * When a response just obtained is to take the place of the one served. A
 * client whose clock is slow takes the new one for not yet valid, one whose
 * clock is fast takes the old one for expired: the new one waits until it is
 * as old as policy->maturity, or a tenth of its own validity if that is less;
 * but no longer than the old one is valid for as much longer.
 * @param served all zero: nothing that is better than the new one
 * @return at most @a now: at once
 */
apr_time_t ocspx_schedule_serve(apr_time_t now,
                                const ocspx_schedule_validity_t *served,
                                const ocspx_schedule_validity_t *fresh,
                                const ocspx_schedule_policy_t *policy);

/** A well-mixed 64-bit number from another (splitmix64). */
apr_uint64_t ocspx_schedule_mix(apr_uint64_t x);

#endif
