/* agenda: whose turn is it? Due times, responder hosts and pace; no I/O.
 *
 * Three kinds of heaps, so that nothing is ever searched:
 *
 *   clock   entries by time: of falling due, of becoming urgent, of the end
 *   due     one per host: its entries that are due; those that have ended on
 *           top, then the first to expire
 *   ready   hosts where an entry may start, first to expire on top
 *
 *            clock                    due                     ready
 *   set ---> asleep ---[due time]---> entries of host a  ---> a
 *                                     entries of host b       (b is shut)
 *                                     entries of host c  ---> c ---> take
 *
 * A host that is shut, or has its fill of entries under way, is not in ready,
 * and what waits for it costs nothing.
 *
 * What has ended, or never was there, waits for no pace. Servers that share
 * what they fetch would all ask for the same of it at the same time, so that it
 * goes by lot: each begins with something else. Under the pace the same order
 * is better: those that are behind find what the first one has fetched.
 *
 * A shut host is probed by its pacer, the entry it would hurt most to go on
 * without, at the times that entry's own back-off gives: five hundred entries
 * ask a dead host hardly more often than one does. An entry that needs an
 * answer more becomes the pacer when it falls due. After each failure of the
 * pacer one other entry has a try, by lot: a responder may be silent about
 * one certificate only, and that must not keep the others from it.
 */
#include "agenda.h"

#include <apr_strings.h>

#include "../core/schedule.h"
#include "heap.h"

#define NONE OCSPX_HEAP_NONE

/* Urgent is what expires within this part of its interval. */
#define URGENT_PART 8

/* Rates are in starts per RATE_UNIT microseconds, as integers: a sum that is
 * added to and taken from for years must not drift. */
#define RATE_UNIT (APR_UINT64_C(1) << 60)
#define INTERVAL_LEAST apr_time_from_sec(1)

typedef struct {
    ocspx_heap_t due;
    unsigned under_way;
    unsigned urgent; /* of those due */
    int shut;
    unsigned pacer; /* while shut; NONE: whoever is due */
    int another;    /* while shut: one besides the pacer may try */
    unsigned tries; /* of others; which is next to try */
} host_t;

struct ocspx_agenda_t {
    unsigned total, per_host;
    unsigned host_count;
    unsigned under_way;
    unsigned urgent; /* due at hosts that are not shut */
    apr_uint64_t rate;
    apr_uint64_t lots;
    apr_time_t started; /* the latest start */
    ocspx_heap_t clock, ready;
    host_t *hosts;

    /* by entry */
    unsigned *host_of;
    apr_time_t *wake; /* the next event: due, urgent, ended */
    apr_time_t *expiry;
    apr_time_t *turn;    /* among those due: expiry, or a lot below all times */
    apr_uint64_t *share; /* in the rate */
    unsigned char *is_urgent;

    apr_time_t *need; /* by host: turn of its candidate */
};

/* --- hosts ------------------------------------------------------------ */

static host_t *host_of(ocspx_agenda_t *agenda, unsigned i)
{
    return &agenda->hosts[agenda->host_of[i]];
}

/* What has ended needs an answer as much as all that has. */
static apr_time_t need_of(const ocspx_agenda_t *agenda, unsigned i)
{
    return agenda->turn[i] > 0 ? agenda->turn[i] : 0;
}

/* Does the probing of a shut host follow the back-off of entry @a i? */
static int leads(const ocspx_agenda_t *agenda, const host_t *host, unsigned i)
{
    return host->pacer == NONE || host->pacer == i ||
           need_of(agenda, i) < need_of(agenda, host->pacer);
}

/* The entry of a shut host that may probe it now; NONE: wait. */
static unsigned probe(const ocspx_agenda_t *agenda, const host_t *host)
{
    const ocspx_heap_t *due = &host->due;

    if (host->under_way)
        return NONE;
    if (leads(agenda, host, due->ids[0]))
        return due->ids[0];
    if (due->at[host->pacer] != NONE)
        return host->pacer;
    return host->another ? due->ids[ocspx_schedule_mix(host->tries) % due->n]
                         : NONE;
}

static unsigned candidate(const ocspx_agenda_t *agenda, const host_t *host)
{
    if (!host->due.n)
        return NONE;
    if (host->shut)
        return probe(agenda, host);
    return host->under_way < agenda->per_host ? host->due.ids[0] : NONE;
}

/* After any change of a host: does it belong in ready, and where? */
static void review(ocspx_agenda_t *agenda, host_t *host)
{
    unsigned h = (unsigned)(host - agenda->hosts);
    unsigned i = candidate(agenda, host);

    if (i == NONE) {
        ocspx_heap_drop(&agenda->ready, h);
        return;
    }
    agenda->need[h] = agenda->turn[i];
    ocspx_heap_put(&agenda->ready, h);
}

static void open_host(ocspx_agenda_t *agenda, host_t *host)
{
    if (!host->shut)
        return;
    host->shut = 0;
    agenda->urgent += host->urgent;
}

/* Entry @a i got no answer. */
static void shut_host(ocspx_agenda_t *agenda, host_t *host, unsigned i)
{
    if (!host->shut) {
        host->shut = 1;
        host->pacer = i;
        agenda->urgent -= host->urgent;
    }
    if (host->pacer == i)
        host->another = 1;
}

/* --- entries ---------------------------------------------------------- */

static void set_urgent(ocspx_agenda_t *agenda, unsigned i, int urgent)
{
    host_t *host = host_of(agenda, i);
    unsigned change = (unsigned)urgent - agenda->is_urgent[i];

    agenda->is_urgent[i] = (unsigned char)urgent;
    host->urgent += change;
    if (!host->shut)
        agenda->urgent += change;
}

static void remove_entry(ocspx_agenda_t *agenda, unsigned i)
{
    host_t *host = host_of(agenda, i);

    ocspx_heap_drop(&agenda->clock, i);
    ocspx_heap_drop(&host->due, i);
    set_urgent(agenda, i, 0);
    review(agenda, host);
}

static apr_time_t urgent_at(const ocspx_agenda_t *agenda, unsigned i)
{
    apr_interval_time_t interval = 0;

    if (agenda->expiry[i] <= 0)
        return 0;
    if (agenda->share[i])
        interval = (apr_interval_time_t)(RATE_UNIT / agenda->share[i]);
    return agenda->expiry[i] - interval / URGENT_PART;
}

static apr_time_t turn_of(const ocspx_agenda_t *agenda, unsigned i,
                          apr_time_t now)
{
    if (agenda->expiry[i] > now)
        return agenda->expiry[i];
    return -(apr_time_t)(ocspx_schedule_mix(agenda->lots + i) >> 1);
}

/* The time of entry @a i on the clock has come: it falls due, later on becomes
 * urgent, and ends. */
static void wake(ocspx_agenda_t *agenda, unsigned i, apr_time_t now)
{
    host_t *host = host_of(agenda, i);
    apr_time_t urgent = urgent_at(agenda, i);

    ocspx_heap_drop(&agenda->clock, i);
    agenda->turn[i] = turn_of(agenda, i, now);
    ocspx_heap_put(&host->due, i);
    set_urgent(agenda, i, urgent <= now);
    agenda->wake[i] = urgent > now ? urgent : agenda->expiry[i];
    if (agenda->wake[i] > now)
        ocspx_heap_put(&agenda->clock, i);
    review(agenda, host);
}

/* The pause between the latest start and that of an entry with this turn. */
static apr_interval_time_t gap(const ocspx_agenda_t *agenda, apr_time_t now,
                               apr_time_t turn)
{
    apr_uint64_t pace = (apr_uint64_t)OCSPX_AGENDA_GAP_MAX;
    apr_uint64_t slack;

    if (turn <= now)
        return 0;
    if (agenda->rate && RATE_UNIT / 2 / agenda->rate < pace)
        pace = RATE_UNIT / 2 / agenda->rate;
    /* All that is urgent shall have had its turn in half the time left. */
    slack = (apr_uint64_t)turn - (apr_uint64_t)now;
    slack /= 2 * ((apr_uint64_t)agenda->urgent + 1);
    return (apr_interval_time_t)(slack < pace ? slack : pace);
}

static void note_probe(const ocspx_agenda_t *agenda, host_t *host, unsigned i)
{
    if (leads(agenda, host, i))
        host->pacer = i;
    else
        host->tries++;
    host->another = 0;
}

static unsigned start(ocspx_agenda_t *agenda, host_t *host, apr_time_t now)
{
    unsigned i = candidate(agenda, host);

    if (host->shut)
        note_probe(agenda, host, i);
    agenda->started = now;
    agenda->under_way++;
    host->under_way++;
    remove_entry(agenda, i);
    return i;
}

/* --- public ----------------------------------------------------------- */

/* Room for each host's heap: one array, cut up by the number of entries. */
static void make_hosts(ocspx_agenda_t *agenda, unsigned n, unsigned hosts,
                       apr_pool_t *p)
{
    unsigned *room = apr_palloc(p, n * sizeof(*room));
    unsigned *at = ocspx_heap_places(n, p);
    unsigned i;

    agenda->hosts = apr_pcalloc(p, hosts * sizeof(*agenda->hosts));
    for (i = 0; i < n; i++)
        host_of(agenda, i)->due.n++;
    for (i = 0; i < hosts; i++) {
        unsigned entries = agenda->hosts[i].due.n;

        agenda->hosts[i].due = (ocspx_heap_t){room, 0, at, agenda->turn};
        agenda->hosts[i].pacer = NONE;
        room += entries;
    }
}

ocspx_agenda_t *ocspx_agenda_make(unsigned n, unsigned hosts,
                                  const unsigned *host_of_entry, unsigned total,
                                  unsigned per_host, apr_uint64_t lots,
                                  apr_pool_t *p)
{
    ocspx_agenda_t *agenda = apr_pcalloc(p, sizeof(*agenda));

    agenda->total = total;
    agenda->per_host = per_host;
    agenda->lots = lots;
    agenda->host_of = apr_pmemdup(p, host_of_entry, n * sizeof(unsigned));
    agenda->wake = apr_pcalloc(p, n * sizeof(apr_time_t));
    agenda->expiry = apr_pcalloc(p, n * sizeof(apr_time_t));
    agenda->turn = apr_pcalloc(p, n * sizeof(apr_time_t));
    agenda->need = apr_pcalloc(p, hosts * sizeof(apr_time_t));
    agenda->share = apr_pcalloc(p, n * sizeof(*agenda->share));
    agenda->is_urgent = apr_pcalloc(p, n);
    agenda->clock = ocspx_heap_make(n, agenda->wake, p);
    agenda->ready = ocspx_heap_make(hosts, agenda->need, p);
    agenda->host_count = hosts;
    make_hosts(agenda, n, hosts, p);
    return agenda;
}

void ocspx_agenda_set(ocspx_agenda_t *agenda, unsigned i, apr_time_t due,
                      apr_time_t expiry, apr_interval_time_t interval)
{
    host_t *host = host_of(agenda, i);

    if (interval > 0 && interval < INTERVAL_LEAST)
        interval = INTERVAL_LEAST;
    /* Got elsewhere what this host did not give: no back-off to follow. */
    if (host->pacer == i && expiry > agenda->expiry[i])
        host->pacer = NONE;
    remove_entry(agenda, i);
    agenda->rate -= agenda->share[i];
    agenda->share[i] = interval > 0 ? RATE_UNIT / (apr_uint64_t)interval : 0;
    agenda->rate += agenda->share[i];
    agenda->expiry[i] = expiry;
    agenda->wake[i] = due;
    ocspx_heap_put(&agenda->clock, i);
    review(agenda, host);
}

int ocspx_agenda_take(ocspx_agenda_t *agenda, apr_time_t now, apr_time_t *next)
{
    const ocspx_heap_t *clock = &agenda->clock;
    const ocspx_heap_t *ready = &agenda->ready;

    while (clock->n && clock->key[clock->ids[0]] <= now)
        wake(agenda, clock->ids[0], now);
    *next = clock->n ? clock->key[clock->ids[0]] : APR_INT64_MAX;
    if (ready->n && agenda->under_way < agenda->total) {
        unsigned h = ready->ids[0];
        apr_interval_time_t pause = gap(agenda, now, agenda->need[h]);

        /* A clock set back must not stop the pace. */
        if (agenda->started > now)
            agenda->started = now;
        if (now - agenda->started >= pause)
            return (int)start(agenda, &agenda->hosts[h], now);
        if (agenda->started + pause < *next)
            *next = agenda->started + pause;
    }
    return -1;
}

void ocspx_agenda_done(ocspx_agenda_t *agenda, unsigned i,
                       ocspx_agenda_reach_e reached)
{
    host_t *host = host_of(agenda, i);

    host->under_way--;
    agenda->under_way--;
    if (reached == OCSPX_AGENDA_REACHED)
        open_host(agenda, host);
    else if (reached == OCSPX_AGENDA_SILENT)
        shut_host(agenda, host, i);
    else
        host->another = 1;
    review(agenda, host);
}

unsigned ocspx_agenda_under_way(const ocspx_agenda_t *agenda)
{
    return agenda->under_way;
}

int ocspx_agenda_is_asking(const ocspx_agenda_t *agenda, unsigned except)
{
    unsigned i;

    for (i = 0; i < agenda->host_count; i++)
        if (i != except && !agenda->hosts[i].shut && agenda->hosts[i].under_way)
            return 1;
    return 0;
}
