/* world: what a fleet lives through. */
#include "world.h"

#include <apr_tables.h>

#include "../../mod_ocspx/engine/agenda.h"
#include "../../mod_ocspx/engine/share.h"

/* Hours, as CAs give them out, and how many of twenty hosts do so. */
static const struct {
    int hours, hosts;
} validities[] = {{10, 1}, {24, 1}, {96, 8}, {168, 10}};

apr_int64_t world_below(apr_uint64_t *random, apr_int64_t n)
{
    *random = ocspx_schedule_mix(*random);
    return (apr_int64_t)(*random >> 1) % n;
}

int world_is_long(const world_host_t *host, const world_outage_t *outage)
{
    return outage->up - outage->down >= host->validity / 2;
}

unsigned world_certificates(const world_t *world, unsigned h)
{
    return (world->spec.certificates + WORLD_HOSTS - 1 - h) / WORLD_HOSTS;
}

ocspx_schedule_validity_t world_answer(const world_host_t *host, unsigned cert,
                                       apr_time_t now)
{
    apr_interval_time_t step = host->validity / 24;
    apr_time_t phase =
        (apr_time_t)(ocspx_schedule_mix(cert) % (apr_uint64_t)step);
    /* whole seconds, as they are signed */
    apr_time_t begin = (now - (now + phase) % step) / SEC(1) * SEC(1);

    return (ocspx_schedule_validity_t){.this_update = begin,
                                       .expiry = begin + host->validity};
}

static apr_interval_time_t validity_of(unsigned host)
{
    int twentieth = (int)host % 20;
    int i = 0;

    while (twentieth >= validities[i].hosts)
        twentieth -= validities[i++].hosts;
    return validities[i].hours * HOUR;
}

/* --- outages ---------------------------------------------------------- */

/* Half of them are short, most others are below half a validity. */
static apr_interval_time_t length_of(apr_uint64_t *random, int mild,
                                     apr_interval_time_t half)
{
    apr_int64_t kind = world_below(random, mild ? 7 : 8);

    if (kind < 4)
        return MINUTE + world_below(random, 20 * MINUTE);
    if (kind < 7)
        return MINUTE + world_below(random, half - MINUTE);
    return half + world_below(random, 2 * half);
}

/* Two with little time between them are one that is longer than either. */
static world_outages_t plan(world_t *world, apr_uint64_t *random,
                            apr_interval_time_t half, apr_pool_t *p)
{
    apr_array_header_t *list = apr_array_make(p, 8, sizeof(world_outage_t));
    world_outage_t outage = {.up = T0};

    do {
        outage.down = outage.up + 3 * HOUR + half / 5;
        outage.down += world_below(random, 60 * DAY);
        outage.up = outage.down + length_of(random, world->spec.mild, half);
        outage.loses = (int)world_below(random, 2);
        APR_ARRAY_PUSH(list, world_outage_t) = outage;
    } while (outage.down < world->end);
    return (world_outages_t){(world_outage_t *)list->elts,
                             (unsigned)list->nelts - 1};
}

/* A server whose certificate with the least time left finds it down tries
 * again by that one's back-off, and each time with another one as well. */
static apr_time_t probe(world_t *world, const world_host_t *host,
                        const world_outage_t *outage, apr_uint64_t *random)
{
    const ocspx_schedule_validity_t served = {
        .this_update = outage->down - host->validity / 2,
        .expiry = outage->down + host->validity / 2};
    ocspx_schedule_failures_t failures = {.since = outage->down};
    apr_time_t t = outage->down + 1;

    world->probed += (double)(outage->up - outage->down);
    while (t < outage->up) {
        world->probes += 2;
        failures.count++;
        t = ocspx_schedule_retry(
            t, &served, &world->policy, &failures,
            (apr_uint64_t)world_below(random, APR_INT64_MAX));
    }
    return t;
}

/* @param host NULL: it is the store's, which is tried again by the clock */
static void find_up(world_t *world, const world_host_t *host,
                    world_outage_t *outage, apr_uint64_t *random, apr_pool_t *p)
{
    unsigned j;

    outage->open = apr_palloc(p, world->spec.servers * sizeof(apr_time_t));
    outage->over = outage->up;
    for (j = 0; j < world->spec.servers; j++) {
        outage->open[j] =
            host ? probe(world, host, outage, random)
                 : outage->up + world_below(random, OCSPX_SHARE_PAUSE_MAX);
        if (outage->open[j] > outage->over)
            outage->over = outage->open[j];
    }
}

static void plan_hosts(world_t *world, apr_uint64_t *random, apr_pool_t *p)
{
    unsigned h, k;

    for (h = 0; h < WORLD_HOSTS; h++) {
        world_host_t *host = &world->hosts[h];

        host->validity = validity_of(h);
        host->outages = plan(world, random, host->validity / 2, p);
        for (k = 0; k < host->outages.count; k++) {
            find_up(world, host, &host->outages.list[k], random, p);
            world->long_outages +=
                (unsigned)world_is_long(host, &host->outages.list[k]);
        }
    }
}

/* Every other outage of the store begins and ends with one of a responder. */
static void plan_store(world_t *world, apr_uint64_t *random, apr_pool_t *p)
{
    world_outages_t *store = &world->store;
    unsigned k;

    *store = plan(world, random, DAY, p);
    for (k = 0; k < store->count; k++) {
        world_outage_t *outage = &store->list[k];
        const world_outages_t *other =
            &world->hosts[world_below(random, WORLD_HOSTS)].outages;
        unsigned i = 0;

        while (i < other->count && other->list[i].down < outage->down)
            i++;
        if (k % 2 && i < other->count &&
            other->list[i].up + HOUR < store->list[k + 1].down) {
            outage->down = other->list[i].down;
            outage->up = other->list[i].up;
        }
        find_up(world, NULL, outage, random, p);
    }
}

/* --- servers ---------------------------------------------------------- */

static void plan_servers(world_t *world, apr_uint64_t *random, apr_pool_t *p)
{
    unsigned j;

    world->servers =
        apr_pcalloc(p, world->spec.servers * sizeof(*world->servers));
    for (j = 0; j < world->spec.servers; j++) {
        apr_array_header_t *starts = apr_array_make(p, 16, sizeof(apr_time_t));
        apr_time_t t = T0;

        while (!world->spec.mild &&
               (t += HOUR + world_below(random, 60 * DAY)) < world->end) {
            APR_ARRAY_PUSH(starts, apr_time_t) = t;
            world->restarts++;
        }
        APR_ARRAY_PUSH(starts, apr_time_t) = APR_INT64_MAX;
        world->servers[j].starts = (apr_time_t *)starts->elts;
        if (!world->spec.mild)
            world->servers[j].ahead =
                world_below(random, 2 * WORLD_CLOCK_OFF) - WORLD_CLOCK_OFF;
    }
}

/* The agenda's pace: twice what all certificates together need. */
static void set_pace(world_t *world)
{
    double rate = 0;
    unsigned h;

    for (h = 0; h < WORLD_HOSTS; h++) {
        world_host_t *host = &world->hosts[h];

        host->rate = (double)world->spec.certificates / WORLD_HOSTS /
                     (0.475 * (double)host->validity);
        rate += host->rate;
    }
    world->gap = OCSPX_AGENDA_GAP_MAX;
    if (0.5 / rate < (double)world->gap)
        world->gap = (apr_interval_time_t)(0.5 / rate);
}

world_t *world_make(const world_spec_t *spec, apr_pool_t *p)
{
    world_t *world = apr_pcalloc(p, sizeof(*world));
    apr_uint64_t random = ocspx_schedule_mix(spec->seed);

    world->spec = *spec;
    world->end = T0 + (apr_time_t)spec->days * DAY;
    world->policy = (ocspx_schedule_policy_t){
        .refresh_percent = OCSPX_SCHEDULE_REFRESH_PERCENT,
        .retry_min = OCSPX_SCHEDULE_RETRY_MIN,
        .retry_max = OCSPX_SCHEDULE_RETRY_MAX,
        .maturity = OCSPX_SCHEDULE_MATURITY,
    };
    plan_hosts(world, &random, p);
    plan_store(world, &random, p);
    plan_servers(world, &random, p);
    set_pace(world);
    return world;
}
