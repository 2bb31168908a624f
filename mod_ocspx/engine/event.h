/* event: what is worth telling somebody about a certificate. */
#ifndef OCSPX_EVENT_H
#define OCSPX_EVENT_H

#include "cache.h"

typedef enum {
    OCSPX_EVENT_STAPLED,   /* there is a response, and there was none */
    OCSPX_EVENT_FAILING,   /* attempts fail, and no more than 50, 25, 10 % of
                              the validity is left: once for each; without
                              any response: at the first failure */
    OCSPX_EVENT_RECOVERED, /* a response after OCSPX_EVENT_FAILING */
    OCSPX_EVENT_REVOKED,
    OCSPX_EVENT_EXPIRED,      /* what was served has ended */
    OCSPX_EVENT_CHAIN_BROKEN, /* the chain check found an error that it had not
                                 found before */
    OCSPX_EVENT_COUNT
} ocspx_event_e;

/** "stapled", "chain-broken" ... */
const char *ocspx_event_name(ocspx_event_e event);

/**
 * What happened between two states of one certificate, of which @a after is
 * that of @a now: a set of bits, 1u << ocspx_event_e. Looked for after each
 * attempt.
 */
unsigned ocspx_event_between(const ocspx_cache_state_t *before,
                             const ocspx_cache_state_t *after, apr_time_t now);

/** Who wants to know; called by the refresher. Either may be NULL. */
typedef struct {
    void (*happened)(void *baton, ocspx_event_e event, unsigned entry,
                     apr_time_t now);
    void (*turn)(void *baton, apr_time_t now); /* often: about every 100 ms */
    void *baton;
} ocspx_event_observer_t;

#endif
