/* refresh_private: what the refresher knows, for refresh*.c.
 *
 *   refresh.c           takes up the schedule, and starts what is due
 *   refresh_conclude.c  the end of an attempt: what is kept and told of it
 */
#ifndef OCSPX_REFRESH_PRIVATE_H
#define OCSPX_REFRESH_PRIVATE_H

#include "agenda.h"
#include "attempt.h"
#include "heap.h"
#include "refresh.h"

struct ocspx_refresh_t {
    ocspx_refresh_config_t config;
    apr_pool_t *pool;
    ocspx_agenda_t *agenda;
    ocspx_heap_t held;      /* entries with a response that is not served yet */
    apr_time_t *held_until; /* by entry; the key of held */
    unsigned char *waiting; /* by entry: in the agenda, and not under way */
    apr_time_t looked;      /* at the clock, last */
    apr_uint64_t random;
    unsigned untried;
    int unsaved; /* the last response could not be written to the store */
};

static inline int ocspx_refresh_never_tried(const ocspx_cache_state_t *state)
{
    return !state->tried && !state->expiry;
}

/* Nothing is left to do where all there was to do was a repair. */
static inline int ocspx_refresh_has_work(const ocspx_registry_entry_t *entry)
{
    return ocspx_registry_staples(entry) || ocspx_registry_lacks_repair(entry);
}

static inline apr_uint64_t ocspx_refresh_random(ocspx_refresh_t *refresh)
{
    return refresh->random = ocspx_schedule_mix(refresh->random);
}

/** Enter what @a state says into the agenda. */
void ocspx_refresh_enter(ocspx_refresh_t *refresh,
                         const ocspx_registry_entry_t *entry,
                         const ocspx_cache_state_t *state);

/** The attempt is over, and freed. */
void ocspx_refresh_conclude(ocspx_attempt_t *attempt);

#endif
