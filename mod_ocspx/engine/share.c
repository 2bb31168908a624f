/* share: stores that several servers have in common.
 *
 * Each certificate has an order of the stores of its own, by a hash of its
 * digest and the store's name (rendezvous hashing): the first that works is
 * used. So a store that fails takes nothing away but what it held, and all
 * servers go to the same next one.
 */
#include "share.h"

#include <apr_hash.h>
#include <string.h>

#include "../core/schedule.h"
#include "share_queue.h"

typedef struct {
    ocspx_share_queue_t *queue;
    apr_uint64_t hash; /* of the name */
} part_t;

struct ocspx_share_t {
    ocspx_ledger_t *ledger;
    const ocspx_log_t *log;
    apr_time_t (*clock)(void);
    apr_pool_t *pool;
    part_t parts[OCSPX_SHARE_STORES_MAX];
    unsigned count;
    apr_time_t down_since; /* as the ledger has it */
    int bad; /* the last value that was of use to nobody was a wrong one */
};

/* The store for this certificate; NULL: none works. */
static ocspx_share_queue_t *choose(const ocspx_share_t *share,
                                   const ocspx_registry_entry_t *entry)
{
    ocspx_share_queue_t *chosen = NULL;
    apr_uint64_t cert, rank, highest = 0;
    unsigned i;

    memcpy(&cert, entry->cert->digest, sizeof(cert));
    for (i = 0; i < share->count; i++) {
        const part_t *part = &share->parts[i];

        rank = ocspx_schedule_mix(part->hash ^ cert);
        if (ocspx_share_queue_down_since(part->queue) ||
            (chosen && rank <= highest))
            continue;
        chosen = part->queue;
        highest = rank;
    }
    return chosen;
}

/* It is down as soon as one of them is. */
static void note_down(ocspx_share_t *share)
{
    apr_time_t earliest = 0, since;
    unsigned i;

    for (i = 0; i < share->count; i++) {
        since = ocspx_share_queue_down_since(share->parts[i].queue);
        if (since && (!earliest || since < earliest))
            earliest = since;
    }
    if (share->ledger && earliest != share->down_since)
        ocspx_ledger_share_down(share->ledger, earliest);
    share->down_since = earliest;
}

/* --- public ----------------------------------------------------------- */

ocspx_share_t *ocspx_share_make(ocspx_share_store_t *store,
                                ocspx_ledger_t *ledger, const ocspx_log_t *log,
                                apr_time_t (*clock)(void), apr_pool_t *p)
{
    ocspx_share_t *share = apr_pcalloc(p, sizeof(*share));

    share->ledger = ledger;
    share->log = log;
    share->clock = clock;
    share->pool = p;
    if (ledger)
        ocspx_ledger_share_down(ledger, 0);
    ocspx_share_add(share, store);
    return share;
}

void ocspx_share_add(ocspx_share_t *share, ocspx_share_store_t *store)
{
    apr_ssize_t len = APR_HASH_KEY_STRING;

    share->parts[share->count++] = (part_t){
        .queue = ocspx_share_queue_make(store, share->ledger, share->log,
                                        share->clock, share->pool),
        .hash = ocspx_schedule_mix(apr_hashfunc_default(store->name, &len)),
    };
}

void ocspx_share_look_up(ocspx_share_t *share,
                         const ocspx_registry_entry_t *entry,
                         ocspx_share_found_fn *done, void *baton)
{
    ocspx_share_queue_t *queue = choose(share, entry);

    if (queue)
        ocspx_share_queue_look_up(queue, entry, done, baton);
    else
        done(baton, NULL);
}

void ocspx_share_put(ocspx_share_t *share, const ocspx_registry_entry_t *entry,
                     const ocspx_share_found_t *response, apr_time_t expiry)
{
    ocspx_share_queue_t *queue = choose(share, entry);

    if (queue)
        ocspx_share_queue_put(queue, entry, response, expiry);
}

void ocspx_share_turn(ocspx_share_t *share)
{
    unsigned i;

    for (i = 0; i < share->count; i++)
        ocspx_share_queue_turn(share->parts[i].queue);
    note_down(share);
}

void ocspx_share_judged(ocspx_share_t *share,
                        const ocspx_registry_entry_t *entry, const char *from,
                        ocspx_ledger_share_e what, ocspx_cause_e cause,
                        const char *message)
{
    if (share->ledger)
        ocspx_ledger_share_count(share->ledger, what);
    if (what == OCSPX_LEDGER_SHARE_BAD)
        ocspx_log(share->log, share->bad ? OCSPX_LOG_DEBUG : OCSPX_LOG_WARNING,
                  52, (int)entry->index,
                  "%s: %s: what %s has for it is not used: %s: %s. %s",
                  entry->cert->name, ocspx_cause_code(OCSPX_CAUSE_SHARE_BAD),
                  from, ocspx_cause_code(cause), message,
                  ocspx_cause_remedy(OCSPX_CAUSE_SHARE_BAD));
    share->bad = what == OCSPX_LEDGER_SHARE_BAD ||
                 (share->bad && what == OCSPX_LEDGER_SHARE_MISS);
}

unsigned ocspx_share_waiting(const ocspx_share_t *share)
{
    unsigned i, waiting = 0;

    for (i = 0; i < share->count; i++)
        waiting += ocspx_share_queue_waiting(share->parts[i].queue);
    return waiting;
}
