/* fleet: servers with the same certificates and one store. */
#include "fleet.h"

#include "cert.h"
#include "split.h"

apr_time_t fleet_warm(const world_t *world)
{
    return T0 + (world->end - T0 < 28 * DAY ? (world->end - T0) / 2 : 14 * DAY);
}

static void live_all(cert_t *certs, unsigned n, apr_time_t until)
{
    unsigned i;

    for (i = 0; i < n; i++)
        cert_live(&certs[i], until);
}

/* All certificates of a host: one after the other, but when it is up again
 * all that wait for it must be known. */
static void live_host(const void *baton, unsigned h, apr_uint64_t *sums,
                      apr_pool_t *p)
{
    const world_t *world = baton;
    const world_outages_t *outages = &world->hosts[h].outages;
    queue_t *queue = queue_make(world->spec.servers, p);
    unsigned n = world_certificates(world, h);
    cert_t *certs = apr_pcalloc(p, n * sizeof(*certs));
    unsigned i, k;

    for (i = 0; i < n; i++) {
        certs[i].world = world;
        certs[i].host = &world->hosts[h];
        certs[i].count = (count_t *)sums;
        certs[i].queue = queue;
        certs[i].number = h + i * WORLD_HOSTS;
        cert_begin(&certs[i], p);
    }
    for (k = 0; k < outages->count; k++) {
        live_all(certs, n, outages->list[k].down);
        queue_open(queue, outages->list[k].down,
                   outages->list[k].up + world->hosts[h].validity);
        live_all(certs, n, outages->list[k].up);
        queue_close(queue);
    }
    live_all(certs, n, world->end);
    for (i = 0; i < n; i++)
        cert_end(&certs[i]);
}

void fleet_run(fleet_result_t *result, const world_t *world, unsigned processes,
               apr_pool_t *p)
{
    const apr_uint64_t *sums = split(live_host, world, WORLD_HOSTS, processes,
                                     count_numbers(world), p);

    count_conclude(result, (const count_t *)sums, world, p);
}
