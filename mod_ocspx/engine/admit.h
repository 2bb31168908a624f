/* admit: one candidate response on its way to the clients:
 *
 *   verify -> compare -> store -> publish
 *                              -> hold ... verify -> publish
 *
 * The same for a response from the network, the store, a response file and
 * what servers share; of the latter only what is newer than what is served. A
 * candidate that is not admitted leaves everything as it was.
 */
#ifndef OCSPX_ADMIT_H
#define OCSPX_ADMIT_H

#include <apr_pools.h>
#include <apr_time.h>

#include "cache.h"
#include "registry.h"
#include "store.h"

typedef struct {
    const unsigned char *der;
    apr_size_t len;
    ocspx_cache_source_e source;
    apr_time_t date;        /* the responder's clock; 0: unknown */
    apr_time_t fresh_until; /* HTTP freshness; 0: unknown */
} ocspx_admit_candidate_t;

typedef struct {
    int admitted;
    ocspx_cause_e cause; /* NONE, SIGNER_EXPIRES_EARLY, REVOKED; else why not
                            admitted */
    const char *message; /* the judge's sentence, or ours */
    const char *unsaved; /* why the store could not keep it; NULL: it did,
                            or did not have to */
} ocspx_admit_t;

/**
 * @param state of the entry; where the candidate is admitted, what it says of
 *        the responses served and held is brought up to date (the rest is not)
 * @param store NULL: memory only
 */
void ocspx_admit(ocspx_admit_t *out, ocspx_cache_state_t *state,
                 const ocspx_registry_entry_t *entry,
                 const ocspx_admit_candidate_t *candidate, ocspx_cache_t *cache,
                 ocspx_store_t *store, apr_time_t now, apr_pool_t *p);

/**
 * The first step alone: ocspx_response_judge, and SERVER_CLOCK where it is
 * only by our clock, not by the responder's, that a response or its signer is
 * too new or too old. The responder's clock is its Date; where it sends none,
 * producedAt shows that ours is slow.
 */
void ocspx_admit_judge(ocspx_response_t *response,
                       const ocspx_admit_candidate_t *candidate,
                       const ocspx_cert_t *cert,
                       const ocspx_response_policy_t *policy, apr_time_t now,
                       apr_pool_t *p);

/**
 * The second step: why this response must not take the place of one with
 * that thisUpdate (0: there is none), which says revoked or not.
 * @return NULL: it may
 */
const char *ocspx_admit_objection(const ocspx_response_t *response,
                                  apr_time_t this_update, int revoked);

/**
 * Is the newest response, served or held, too new by our clock? That has been
 * set back since; and unless it says revoked, an older one may take its place.
 */
int ocspx_admit_is_from_future(const ocspx_cache_state_t *state,
                               const ocspx_registry_entry_t *entry,
                               apr_time_t now);

/**
 * The time has come for the response that is held: publish it, or forget it.
 * @param state of the entry; brought up to date in either case
 */
void ocspx_admit_held(ocspx_admit_t *out, ocspx_cache_state_t *state,
                      const ocspx_registry_entry_t *entry, ocspx_cache_t *cache,
                      apr_time_t now, apr_pool_t *p);

/** What a state says of the newest response, served or held, as the schedule
 * wants it. Until its expiry there is something to serve. */
ocspx_schedule_validity_t
ocspx_admit_validity(const ocspx_cache_state_t *state);

#endif
