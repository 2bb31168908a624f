/* cert: the life of one certificate on all servers. */
#include "cert.h"

#define LOOK_UP apr_time_from_msec(1)

/* --- what works ------------------------------------------------------- */

static void move_on(cert_t *cert)
{
    while (cert->outage->over && cert->outage->over <= cert->now)
        cert->outage++;
    while (cert->store_outage->over && cert->store_outage->over <= cert->now)
        cert->store_outage++;
    if (cert->store_outage->loses && cert->store_outage->down <= cert->now &&
        cert->now < cert->store_outage->up)
        cert->stored = (ocspx_schedule_validity_t){0};
}

static int has_store(const cert_t *cert, unsigned j)
{
    const world_outage_t *outage = cert->store_outage;

    return !cert->world->spec.alone &&
           (cert->now < outage->down || cert->now >= outage->open[j]);
}

static int is_shut(const cert_t *cert, unsigned j)
{
    return cert->now >= cert->outage->down && cert->now < cert->outage->open[j];
}

static double lot(const cert_t *cert, apr_uint64_t instance)
{
    return (double)ocspx_schedule_mix(cert->number ^ instance) / 0x1p64;
}

/* What has ended goes by a lot of each server, and as fast as a host may be
 * asked. */
static apr_time_t turn_of_ended(const cert_t *cert, unsigned j)
{
    apr_time_t open = cert->outage->open[j];
    double ended = queue_before(cert->queue, j, open, 1);

    return open +
           (apr_interval_time_t)(lot(cert, cert->staples[j].instance) * ended *
                                 (double)WORLD_FETCH_MEAN / WORLD_PER_HOST);
}

/* The turn of a certificate when its host is open again: after those that
 * expire before it, of which some fell due since the host is up. */
static apr_time_t turn_after(const cert_t *cert, unsigned j)
{
    apr_time_t expiry = cert->staples[j].newest.expiry;
    apr_time_t open = cert->outage->open[j];
    double before = queue_before(cert->queue, j, expiry, lot(cert, 0)) +
                    (double)(cert->now - cert->outage->up) * cert->host->rate;
    apr_interval_time_t wait =
        (apr_interval_time_t)(before * (double)cert->world->gap);

    if (expiry <= open)
        return turn_of_ended(cert, j);
    if (wait > (expiry - open) / 2) /* urgent */
        wait = (expiry - open) / 2;
    return open + wait;
}

static apr_time_t wait_for_turn(cert_t *cert, unsigned j)
{
    staple_t *staple = &cert->staples[j];

    staple->was_shut_out = 1;
    if (cert->now >= cert->outage->up)
        return turn_after(cert, j);
    queue_add(cert->queue, j, staple->newest.expiry);
    return cert->outage->up;
}

/* --- what is wrong ---------------------------------------------------- */

/* A server that came up in the outage may have found an old one in the
 * store. */
static void note_end(cert_t *cert, const staple_t *staple)
{
    const ocspx_schedule_validity_t *old = &staple->newest;
    const world_outage_t *outage = cert->outage;

    if (outage > cert->host->outages.list && outage->down > cert->now)
        outage--;
    if (world_is_long(cert->host, outage) && outage->down < old->expiry &&
        outage->over > old->this_update)
        cert->count->all.ended++;
    else if (staple->began > outage->down && staple->began < outage->up)
        cert->count->all.empty++;
    else
        cert->count->all.missing++;
}

static void note_first(cert_t *cert, const staple_t *staple)
{
    if (cert->now - staple->began <= SEC(2))
        return;
    if (staple->was_shut_out)
        cert->count->all.empty++;
    else
        cert->count->all.missing++;
}

static void check(cert_t *cert, const staple_t *staple,
                  const ocspx_schedule_validity_t *fresh, apr_time_t own)
{
    const ocspx_schedule_validity_t *old = &staple->newest;
    apr_time_t turn =
        ocspx_schedule_serve(own, old, fresh, &cert->world->policy);

    if (turn < own)
        turn = own;
    cert->count->all.expired += fresh->expiry <= turn;
    if (!old->expiry)
        note_first(cert, staple);
    else if (old->expiry < turn)
        note_end(cert, staple);
}

/* --- a server --------------------------------------------------------- */

static apr_time_t admit(cert_t *cert, unsigned j,
                        const ocspx_schedule_validity_t *fresh, int shared)
{
    staple_t *staple = &cert->staples[j];
    apr_interval_time_t ahead = cert->world->servers[j].ahead;
    ocspx_schedule_spread_e spread = shared ? OCSPX_SCHEDULE_REST
                                     : staple->newest.expiry
                                         ? OCSPX_SCHEDULE_WINDOW
                                         : OCSPX_SCHEDULE_WHOLE;

    check(cert, staple, fresh, cert->now + ahead);
    staple->newest = *fresh;
    return ocspx_schedule_refresh(
               cert->now + ahead, fresh, &cert->world->policy,
               ocspx_schedule_stagger(staple->instance, cert->number,
                                      fresh->this_update),
               spread) -
           ahead;
}

static apr_time_t start(cert_t *cert, unsigned j, int first)
{
    staple_t *staple = &cert->staples[j];

    count_request(cert->count, cert->world, cert->now, first,
                  cert->asking && has_store(cert, j));
    staple->asking = 1;
    cert->asking++;
    if (cert->world->spec.mild)
        return cert->now;
    return cert->now + WORLD_FETCH_LEAST +
           world_below(&cert->random, WORLD_FETCH_RANGE);
}

/* Its response is there: for all, if there is a store. */
static apr_time_t finish(cert_t *cert, unsigned j)
{
    ocspx_schedule_validity_t fresh =
        world_answer(cert->host, cert->number, cert->now);

    cert->staples[j].asking = 0;
    cert->asking--;
    if (has_store(cert, j))
        cert->stored = fresh;
    return admit(cert, j, &fresh, 0);
}

static int finds(const cert_t *cert, unsigned j, apr_time_t own)
{
    return has_store(cert, j) && cert->stored.expiry > own &&
           cert->stored.this_update > cert->staples[j].newest.this_update;
}

static apr_time_t refresh(cert_t *cert, unsigned j)
{
    apr_time_t own = cert->now + cert->world->servers[j].ahead;
    int first = !cert->staples[j].newest.expiry;

    if (finds(cert, j, own)) {
        apr_time_t due = admit(cert, j, &cert->stored, 1);

        if (!ocspx_schedule_overdue(own, &cert->stored, &cert->world->policy)) {
            count_found(cert->count, cert->world, cert->now);
            return due;
        }
    }
    if (!is_shut(cert, j))
        return start(cert, j, first);
    return wait_for_turn(cert, j);
}

/* With nothing; the certificates have their turns in any order. */
static apr_time_t restart(cert_t *cert, unsigned j, unsigned restarts)
{
    const world_spec_t *spec = &cert->world->spec;
    staple_t *staple = &cert->staples[j];
    apr_interval_time_t all = SEC(10) + spec->certificates * LOOK_UP;

    if (staple->newest.expiry && staple->newest.expiry <= cert->now)
        note_end(cert, staple);
    cert->asking -= (unsigned)staple->asking;
    *staple = (staple_t){
        .instance = ocspx_schedule_mix(spec->seed ^ (apr_uint64_t)j << 32 ^
                                       (apr_uint64_t)restarts << 16),
        .restarts = restarts,
        .began = cert->now + world_below(&cert->random, all),
    };
    return staple->began;
}

static void step(cert_t *cert, unsigned j)
{
    staple_t *staple = &cert->staples[j];
    const apr_time_t *starts = cert->world->servers[j].starts;
    apr_time_t next;

    move_on(cert);
    cert->count->all.steps++;
    if (cert->now >= starts[staple->restarts])
        next = restart(cert, j, staple->restarts + 1);
    else if (staple->asking)
        next = finish(cert, j);
    else
        next = refresh(cert, j);
    if (next > starts[staple->restarts])
        next = starts[staple->restarts];
    cert->wake[j] = next;
    ocspx_heap_put(&cert->heap, j);
}

/* --- a life ----------------------------------------------------------- */

void cert_begin(cert_t *cert, apr_pool_t *p)
{
    unsigned j, servers = cert->world->spec.servers;

    cert->staples = apr_palloc(p, servers * sizeof(*cert->staples));
    cert->wake = apr_palloc(p, servers * sizeof(*cert->wake));
    cert->heap = ocspx_heap_make(servers, cert->wake, p);
    cert->random = ocspx_schedule_mix(cert->world->spec.seed + cert->number);
    cert->outage = cert->host->outages.list;
    cert->store_outage = cert->world->store.list;
    cert->now = T0;
    for (j = 0; j < servers; j++) {
        cert->staples[j] = (staple_t){0};
        cert->wake[j] = restart(cert, j, 0);
        ocspx_heap_put(&cert->heap, j);
    }
}

void cert_live(cert_t *cert, apr_time_t until)
{
    if (until > cert->world->end)
        until = cert->world->end;
    while ((cert->now = cert->wake[cert->heap.ids[0]]) < until)
        step(cert, cert->heap.ids[0]);
}

void cert_end(cert_t *cert)
{
    unsigned j;

    cert->now = cert->world->end;
    move_on(cert);
    for (j = 0; j < cert->world->spec.servers; j++)
        if (cert->staples[j].newest.expiry &&
            cert->staples[j].newest.expiry <= cert->now)
            note_end(cert, &cert->staples[j]);
}
