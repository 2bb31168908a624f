/* world: what a fleet lives through: outages of responders and of the store,
 * restarts, and clocks that are wrong. All of it follows from a seed.
 */
#ifndef OCSPX_TEST_WORLD_OF_FLEET_H
#define OCSPX_TEST_WORLD_OF_FLEET_H

#include <apr_pools.h>
#include <apr_time.h>

#include "../../mod_ocspx/core/schedule.h"

#define SEC(n) apr_time_from_sec(n)
#define MINUTE SEC(60)
#define HOUR SEC(3600)
#define DAY (24 * HOUR)
#define T0 (20000 * DAY)

#define WORLD_HOSTS 40
#define WORLD_CLOCK_OFF SEC(5) /* at most, either way */
/** A fetch takes so long, and at most so much longer. */
#define WORLD_FETCH_LEAST apr_time_from_msec(50)
#define WORLD_FETCH_RANGE apr_time_from_msec(950)
#define WORLD_FETCH_MEAN (WORLD_FETCH_LEAST + WORLD_FETCH_RANGE / 2)
#define WORLD_PER_HOST 6 /* requests of a server at once */

typedef struct {
    unsigned certificates, servers, days;
    apr_uint64_t seed;
    int alone; /* there is no store */
    int mild;  /* no restart, no outage of half a validity or more, answers at
                  once: what test_fleet_real can do with the real refresher */
} world_spec_t;

typedef struct {
    apr_time_t down, up;
    apr_time_t over;  /* every server knows */
    int loses;        /* a store comes back with nothing in it */
    apr_time_t *open; /* by server: it finds the responder, or the store, up */
} world_outage_t;

typedef struct {
    world_outage_t *list; /* in order, apart from each other; after the last
                             one comes one that never begins */
    unsigned count;
} world_outages_t;

typedef struct {
    apr_interval_time_t validity;
    world_outages_t outages;
    double rate; /* refreshes of one server there, per microsecond */
} world_host_t;

typedef struct {
    apr_interval_time_t ahead; /* its clock */
    apr_time_t *starts; /* it comes up with nothing; the last one is never */
} world_server_t;

typedef struct {
    world_spec_t spec;
    apr_time_t end;
    ocspx_schedule_policy_t policy;
    world_host_t hosts[WORLD_HOSTS];
    world_outages_t store;
    world_server_t *servers;
    apr_interval_time_t
        gap;             /* between two starts of one server: the agenda's */
    apr_uint64_t probes; /* requests of all servers to responders that are
                            down */
    double probed;       /* for so long, added up */
    unsigned restarts, long_outages;
} world_t;

world_t *world_make(const world_spec_t *spec, apr_pool_t *p);

/** Half a validity, and more. */
int world_is_long(const world_host_t *host, const world_outage_t *outage);

/** How many ask host @a h. */
unsigned world_certificates(const world_t *world, unsigned h);

/** A number below @a n, the next one of a series. */
apr_int64_t world_below(apr_uint64_t *random, apr_int64_t n);

/** What the responder signed last at @a now; it signs anew 24 times in each
 * validity. */
ocspx_schedule_validity_t world_answer(const world_host_t *host, unsigned cert,
                                       apr_time_t now);

#endif
