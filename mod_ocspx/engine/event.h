/* event: what is worth telling somebody about a certificate.
 *
 * How things stand is compared with what was told last, which is part of the
 * certificate's state: so neither a take-over of the refresher nor a reload
 * tells anything twice, and what happened while nobody was there to tell it
 * (at startup) is told by the first that is.
 */
#ifndef OCSPX_EVENT_H
#define OCSPX_EVENT_H

#include "cache.h"

typedef enum {
    OCSPX_EVENT_STAPLED,   /* there is a response, and there was none, or one
                              that said revoked */
    OCSPX_EVENT_FAILING,   /* attempts fail, and no more than 50, 25, 10 % of
                              the validity is left: once for each; without
                              any response: at the first failure */
    OCSPX_EVENT_RECOVERED, /* a response after FAILING or EXPIRED */
    OCSPX_EVENT_REVOKED,
    OCSPX_EVENT_EXPIRED,      /* the last response has ended */
    OCSPX_EVENT_CHAIN_BROKEN, /* the chain check found an error that it had not
                                 found before; of no certificate's state */
    OCSPX_EVENT_COUNT
} ocspx_event_e;

/** "stapled", "chain-broken" ... */
const char *ocspx_event_name(ocspx_event_e event);

/** Who wants to know; called by the refresher. */
typedef struct {
    void (*happened)(void *baton, ocspx_event_e event, unsigned entry,
                     apr_time_t now);
    void (*turn)(void *baton, apr_time_t now); /* often: about every 100 ms */
    void *baton;
} ocspx_event_observer_t;

/**
 * What is to be told of a certificate, and note in its state that it was.
 * @return a set of bits, 1u << ocspx_event_e
 */
unsigned ocspx_event_take(ocspx_cache_state_t *state, apr_time_t now);

/** Writer only: tell what is to be told of @a entry, once its state is in the
 * cache. @param observer NULL: nobody wants to know, yet */
void ocspx_event_tell(const ocspx_event_observer_t *observer,
                      ocspx_cache_t *cache, unsigned entry, apr_time_t now);

#endif
