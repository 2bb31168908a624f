/* simulate: a fleet of any size, for any time; prints what became of it.
 *
 *     simulate [CERTIFICATES [SERVERS [DAYS [SEED]]]]
 */
#include <apr_general.h>
#include <stdio.h>
#include <stdlib.h>

#include "fleet.h"
#include "split.h"

static unsigned argument(int argc, char **argv, int i, unsigned otherwise)
{
    unsigned long n = i < argc ? strtoul(argv[i], NULL, 10) : otherwise;

    if (n > 0 && n <= 100000000)
        return (unsigned)n;
    fprintf(stderr, "simulate [CERTIFICATES [SERVERS [DAYS [SEED]]]]\n");
    exit(EXIT_FAILURE);
}

static void print_world(const world_t *world)
{
    unsigned outages = 0, h;

    for (h = 0; h < WORLD_HOSTS; h++)
        outages += world->hosts[h].outages.count;
    printf("%u certificates on %u servers, %u days, seed %u: %u outages of %u "
           "responders (%u of half a validity or more), %u of the store, %u "
           "restarts with nothing\n",
           world->spec.certificates, world->spec.servers, world->spec.days,
           (unsigned)world->spec.seed, outages, WORLD_HOSTS,
           world->long_outages, world->store.count, world->restarts);
}

static void print_staples(const fleet_result_t *result)
{
    printf("staples: %llu expired, %llu missing; %llu that ended in outages of "
           "half a validity or more, %llu late on servers that came up with "
           "nothing when there was nothing new to be had\n",
           (unsigned long long)result->counts.expired,
           (unsigned long long)result->counts.missing,
           (unsigned long long)result->counts.ended,
           (unsigned long long)result->counts.empty);
}

static void print_requests(const world_t *world, const fleet_result_t *result,
                           const fleet_result_t *alone)
{
    double one = (double)alone->counts.requests / alone->validities;

    printf("requests per certificate and validity, after %.0f days: %.3f for "
           "the fleet while the store works (%.5f of these while another's "
           "was under way), %.3f with all outages; %.3f for one server alone, "
           "%.1f for %u that do not share\n",
           (double)(fleet_warm(world) - T0) / (double)DAY, result->per_validity,
           (double)result->counts.duplicates / (double)result->counts.requests,
           (double)result->counts.requests / result->validities, one,
           one * world->spec.servers, world->spec.servers);
    printf("besides, %llu by servers that came up with nothing, and each "
           "server asks a responder that is down every %.0f s\n",
           (unsigned long long)result->counts.first,
           world->probed / (double)world->probes / (double)SEC(1));
    printf("a minute: %.2f while the store works; the busiest %u min %.2f "
           "times as many, %.2f times when a responder was down for half a "
           "validity or more, %.2f times without the store\n",
           result->mean, result->bucket, result->peak[FLEET_USUAL],
           result->peak[FLEET_ENDED], result->peak[FLEET_ALONE]);
}

int main(int argc, char **argv)
{
    world_spec_t spec = {.certificates = argument(argc, argv, 1, 2000),
                         .servers = argument(argc, argv, 2, 100),
                         .days = argument(argc, argv, 3, 365),
                         .seed = argument(argc, argv, 4, 1)};
    fleet_result_t result, alone;
    apr_pool_t *pool;
    world_t *world;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    world = world_make(&spec, pool);
    print_world(world);
    fleet_run(&result, world, split_processors(), pool);
    print_staples(&result);
    spec.alone = 1;
    spec.servers = 1;
    fleet_run(&alone, world_make(&spec, pool), split_processors(), pool);
    print_requests(world, &result, &alone);
    apr_terminate();
    return result.counts.expired || result.counts.missing;
}
