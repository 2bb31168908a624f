/* refresh: keeps every response fresh. The order of steps and the policy
 * live here and nowhere else:
 *
 *   due -> request -> fetch -> verify -> compare -> store -> publish -> due
 *                                                        -> hold ... publish
 *
 * and, once, before the first request of a certificate whose chain is to be
 * repaired:
 *
 *   load what was kept, or: fetch -> verify -> store
 *
 * What servers share is looked at before each request, and given what came of
 * it (see attempt_share.c).
 *
 * A step that fails leaves what is served untouched and schedules a retry.
 */
#ifndef OCSPX_REFRESH_H
#define OCSPX_REFRESH_H

#include <apr_pools.h>
#include <apr_time.h>

#include "cache.h"
#include "event.h"
#include "fetch.h"
#include "ledger.h"
#include "log.h"
#include "registry.h"
#include "share.h"
#include "store.h"

typedef struct ocspx_refresh_t ocspx_refresh_t;

/** What a refresher works with; all of it outlives the refresher. */
typedef struct {
    const ocspx_registry_t *registry;
    ocspx_cache_t *cache;   /* the caller is its writer */
    ocspx_store_t *store;   /* NULL: memory only */
    ocspx_ledger_t *ledger; /* for the report; NULL: there is none */
    ocspx_fetch_t *fetch;
    ocspx_share_t *share;  /* NULL: there is none */
    apr_uint64_t instance; /* random bits, this server's own; see
                              ocspx_schedule_stagger */
    const ocspx_log_t *log;
    const ocspx_event_observer_t *observer; /* NULL: none */
    apr_time_t (*clock)(void);
    apr_size_t max_response; /* bytes */
    unsigned max_parallel;   /* fetches under way, in all */
    unsigned max_per_host;   /* and at one host */
    int once;                /* ask for each certificate once, no more */
    apr_time_t last_start;   /* nothing is started from then on; 0: no end */
} ocspx_refresh_config_t;

/**
 * Takes up the schedule it finds in the cache. For one thread.
 * @param only one byte per certificate: the refresher leaves alone those
 *        where it is 0; NULL: none are left alone
 */
ocspx_refresh_t *ocspx_refresh_make(const ocspx_refresh_config_t *config,
                                    const unsigned char *only, apr_pool_t *p);

/**
 * Start what is due, or falls due within @a wait, and work on what is under
 * way for at most @a wait.
 * @return how many are under way; 0: nothing could be started
 */
unsigned ocspx_refresh_turn(ocspx_refresh_t *refresh, apr_interval_time_t wait);

/** The seed for the next refresh of what a certificate's state says. */
apr_uint64_t ocspx_refresh_seed(const ocspx_refresh_config_t *config,
                                const ocspx_registry_entry_t *entry,
                                const ocspx_cache_state_t *state);

/** How many of its entries serve nothing and have not been tried yet. */
unsigned ocspx_refresh_untried(const ocspx_refresh_t *refresh);

#endif
