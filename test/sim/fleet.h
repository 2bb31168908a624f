/* fleet: servers with the same certificates and one store, on a stepped clock.
 *
 * The certificates of a responder live one after the other from one outage to
 * the next, each on all servers. What they have to do with each other is put in
 * by numbers: when a server finds a responder up again (see world), and how
 * long a certificate then waits for its turn by the agenda (see queue). Each
 * responder is given a server's whole pace, which in truth is one for all.
 *
 * When to refresh, when to serve and what is overdue is the module's own
 * code, core/schedule. That look-up, fetch and put come to the same as in the
 * real refresher is what test_fleet_real shows.
 */
#ifndef OCSPX_TEST_FLEET_H
#define OCSPX_TEST_FLEET_H

#include "world.h"

/** What a minute is part of; if of several, of the last. */
typedef enum {
    FLEET_USUAL, /* with outages of responders, and the ends of them */
    FLEET_ENDED, /* a responder is back after half a validity or more; what has
                    ended since then does not wait for its pace */
    FLEET_ALONE, /* the store is down, or was a while ago */
    FLEET_TIMES
} fleet_time_e;

/** Sums over all certificates. */
typedef struct {
    apr_uint64_t steps; /* wakes of a certificate at a server */

    /* After the warm-up: */
    apr_uint64_t requests;   /* for another response than the first */
    apr_uint64_t first;      /* by servers that came up with nothing */
    apr_uint64_t duplicates; /* of requests: another server's was under way */
    apr_uint64_t found;      /* in the store */

    /* All the time; a staple is one certificate's at one server: */
    apr_uint64_t expired; /* responses served though they were over */
    apr_uint64_t missing; /* staples that ended before there was a new one,
                             or took long to be there at all */
    apr_uint64_t ended;   /* so, in an outage of half a validity or more */
    apr_uint64_t empty;   /* so, on servers that came up with nothing while
                             there was nothing new to be had */
} fleet_counts_t;

typedef struct {
    fleet_counts_t counts;
    double validities; /* lived through by all certificates after the warm-up */

    double per_validity; /* requests while the store works, for each */
    double mean;         /* requests a minute then */

    /* The busiest minute, times the mean; or the busiest of buckets of so many
     * minutes that there are a hundred requests in it on average. */
    unsigned bucket;
    double peak[FLEET_TIMES];
} fleet_result_t;

/** @param processes share the work; the result is the same with any number */
void fleet_run(fleet_result_t *result, const world_t *world, unsigned processes,
               apr_pool_t *p);

/** Until then nothing is counted but what is wrong. */
apr_time_t fleet_warm(const world_t *world);

#endif
