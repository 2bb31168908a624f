/* admit: one candidate response on its way to the clients. */
#include "admit.h"

#include <apr_strings.h>
#include <openssl/crypto.h>
#include <stdlib.h>

static int refuse(ocspx_admit_t *out, ocspx_cause_e cause, const char *message)
{
    out->cause = cause;
    out->message = message;
    return 0;
}

/* A verdict that hangs on what time it is. */
static int is_about_time(const ocspx_response_t *response)
{
    return response->cause == OCSPX_CAUSE_FUTURE ||
           response->cause == OCSPX_CAUSE_STALE ||
           response->cause == OCSPX_CAUSE_SIGNER_EXPIRED;
}

/* By the responder's clock, at this moment: its Date; without one it is not
 * earlier than when it says it produced the response. 0: unknown. */
static apr_time_t time_there(const ocspx_response_t *response,
                             const ocspx_admit_candidate_t *candidate,
                             apr_time_t now)
{
    if (candidate->date)
        return candidate->date;
    return response->produced_at > now ? response->produced_at : 0;
}

static const char *difference(const ocspx_admit_candidate_t *candidate,
                              apr_time_t there, apr_time_t now, apr_pool_t *p)
{
    return apr_psprintf(
        p, "this server's clock is %s%" APR_INT64_T_FMT " s %s the responder's",
        candidate->date ? "" : "at least ",
        (apr_int64_t)llabs(apr_time_sec(there - now)),
        there < now ? "ahead of" : "behind");
}

/* Two clocks disagree, and by the other one nothing is wrong. */
void ocspx_admit_judge(ocspx_response_t *response,
                       const ocspx_admit_candidate_t *candidate,
                       const ocspx_cert_t *cert,
                       const ocspx_response_policy_t *policy, apr_time_t now,
                       apr_pool_t *p)
{
    ocspx_response_t by_theirs;
    apr_time_t there;

    ocspx_response_judge(response, candidate->der, candidate->len, cert, policy,
                         now, p);
    there = time_there(response, candidate, now);
    if (!is_about_time(response) || !there ||
        llabs(there - now) <= policy->skew)
        return;
    ocspx_response_judge(&by_theirs, candidate->der, candidate->len, cert,
                         policy, there, p);
    if (by_theirs.verdict == OCSPX_RESPONSE_REJECT)
        return;
    response->cause = OCSPX_CAUSE_SERVER_CLOCK;
    response->message = apr_pstrcat(p, difference(candidate, there, now, p),
                                    "; ", response->message, NULL);
}

static int verify(ocspx_admit_t *out, ocspx_response_t *response,
                  const ocspx_registry_entry_t *entry,
                  const ocspx_admit_candidate_t *candidate, apr_time_t now,
                  apr_pool_t *p)
{
    ocspx_admit_judge(response, candidate, entry->cert,
                      &entry->policy->response, now, p);
    out->cause = response->cause;
    out->message = response->message;
    return response->verdict == OCSPX_RESPONSE_GOOD ||
           response->verdict == OCSPX_RESPONSE_REVOKED;
}

/* A responder, or somebody in between, that goes back in time must not bring
 * back a "good" from before a revocation. */
const char *ocspx_admit_objection(const ocspx_response_t *response,
                                  apr_time_t this_update, int revoked)
{
    if (response->this_update < this_update)
        return "the response is older than the one already obtained";
    if (response->this_update == this_update && revoked &&
        response->verdict == OCSPX_RESPONSE_GOOD)
        return "the response says good in the very second of one that says "
               "revoked";
    return NULL;
}

int ocspx_admit_is_from_future(const ocspx_cache_state_t *state,
                               const ocspx_registry_entry_t *entry,
                               apr_time_t now)
{
    return ocspx_admit_validity(state).this_update >
           now + entry->policy->response.skew;
}

static int compare(ocspx_admit_t *out, const ocspx_cache_state_t *state,
                   const ocspx_registry_entry_t *entry,
                   const ocspx_response_t *response,
                   const ocspx_admit_candidate_t *candidate, apr_time_t now)
{
    ocspx_schedule_validity_t newest = ocspx_admit_validity(state);
    const char *objection = ocspx_admit_objection(response, newest.this_update,
                                                  (int)state->revoked);

    /* An answer that fits our clock takes the place of one that does not. */
    if (!state->revoked && ocspx_admit_is_from_future(state, entry, now))
        return 1;
    /* Whoever put it there may have had it from here. */
    if (!objection && candidate->source == OCSPX_CACHE_SHARED &&
        response->this_update == newest.this_update)
        objection = "the response is the one already obtained";
    return !objection || refuse(out, OCSPX_CAUSE_STALE, objection);
}

static int publish(ocspx_admit_t *out, const ocspx_registry_entry_t *entry,
                   const ocspx_response_t *response,
                   const ocspx_admit_candidate_t *candidate,
                   ocspx_cache_t *cache, apr_pool_t *p)
{
    apr_size_t needed;
    apr_status_t rv;

    if (response->verdict == OCSPX_RESPONSE_REVOKED &&
        entry->policy->withhold_revoked) {
        ocspx_cache_withdraw(cache, entry->index);
        return 1;
    }
    rv = ocspx_cache_put(cache, entry->index, candidate->der, candidate->len,
                         response->expiry, &needed);
    if (rv == APR_SUCCESS)
        return 1;
    return refuse(
        out, OCSPX_CAUSE_CACHE_FULL,
        rv == APR_ENOSPC
            ? apr_psprintf(p,
                           "the cache is too small for all responses; "
                           "%" APR_SIZE_T_FMT " bytes would do",
                           needed)
            : apr_psprintf(p, "the cache takes no response: %pm", &rv));
}

static void save(ocspx_admit_t *out, const ocspx_registry_entry_t *entry,
                 const ocspx_admit_candidate_t *candidate, ocspx_store_t *store,
                 apr_pool_t *p)
{
    if (!store || (candidate->source != OCSPX_CACHE_NETWORK &&
                   candidate->source != OCSPX_CACHE_SHARED))
        return;
    if (ocspx_store_save(&out->unsaved, store, OCSPX_STORE_RESPONSE,
                         entry->cert->id, candidate->der, candidate->len,
                         p) == APR_SUCCESS)
        out->unsaved = NULL;
}

static ocspx_schedule_validity_t served(const ocspx_cache_state_t *state)
{
    return (ocspx_schedule_validity_t){
        .this_update = state->this_update,
        .expiry = state->expiry,
        .open = state->expiry && !state->next_update,
        .fresh_until = state->fresh_until,
    };
}

/* From when on the response is served. Nobody is kept waiting for "revoked",
 * nor for the end of it, nor for the end of what a clock set back has left. */
static apr_time_t its_turn(const ocspx_cache_state_t *state,
                           const ocspx_registry_entry_t *entry,
                           const ocspx_response_t *response, apr_time_t now)
{
    ocspx_schedule_validity_t old = served(state);
    ocspx_schedule_validity_t fresh = {.this_update = response->this_update,
                                       .expiry = response->expiry};

    if (response->verdict == OCSPX_RESPONSE_REVOKED || state->revoked ||
        ocspx_admit_is_from_future(state, entry, now))
        return now;
    return ocspx_schedule_serve(now, &old, &fresh, &entry->policy->schedule);
}

/* What is held already stays: were it replaced again and again, its turn would
 * never come. @return 0: there is no room to hold it */
static int hold(ocspx_cache_state_t *state, const ocspx_registry_entry_t *entry,
                const ocspx_response_t *response,
                const ocspx_admit_candidate_t *candidate, ocspx_cache_t *cache,
                apr_time_t until, apr_time_t now)
{
    if (state->held.until)
        return 1;
    if (ocspx_cache_hold(cache, entry->index, candidate->der, candidate->len,
                         response->expiry) != APR_SUCCESS)
        return 0;
    state->held = (ocspx_cache_held_t){
        .until = until,
        .this_update = response->this_update,
        .next_update = response->next_update,
        .expiry = response->expiry,
        .fetched = now,
        .fresh_until = candidate->fresh_until,
        .source = candidate->source,
    };
    return 1;
}

static void note_served(ocspx_cache_state_t *state,
                        const ocspx_response_t *response,
                        apr_time_t fresh_until, apr_time_t fetched,
                        ocspx_cache_source_e source)
{
    state->this_update = response->this_update;
    state->next_update = response->next_update;
    state->expiry = response->expiry;
    state->revoked = response->verdict == OCSPX_RESPONSE_REVOKED;
    state->fresh_until = fresh_until;
    state->fetched = fetched;
    state->source = source;
    state->held = (ocspx_cache_held_t){0};
}

void ocspx_admit(ocspx_admit_t *out, ocspx_cache_state_t *state,
                 const ocspx_registry_entry_t *entry,
                 const ocspx_admit_candidate_t *candidate, ocspx_cache_t *cache,
                 ocspx_store_t *store, apr_time_t now, apr_pool_t *p)
{
    ocspx_response_t response;
    apr_time_t turn;

    *out = (ocspx_admit_t){0};
    if (!verify(out, &response, entry, candidate, now, p) ||
        !compare(out, state, entry, &response, candidate, now))
        return;
    save(out, entry, candidate, store, p);
    turn = its_turn(state, entry, &response, now);
    out->admitted = turn > now &&
                    hold(state, entry, &response, candidate, cache, turn, now);
    if (out->admitted || !publish(out, entry, &response, candidate, cache, p))
        return;
    out->admitted = 1;
    note_served(state, &response, candidate->fresh_until, now,
                candidate->source);
}

void ocspx_admit_held(ocspx_admit_t *out, ocspx_cache_state_t *state,
                      const ocspx_registry_entry_t *entry, ocspx_cache_t *cache,
                      apr_time_t now, apr_pool_t *p)
{
    const ocspx_cache_held_t held = state->held;
    unsigned char *der;
    apr_size_t len = ocspx_cache_held(&der, cache, entry->index);
    const ocspx_admit_candidate_t candidate = {.der = der, .len = len};
    ocspx_response_t response;

    *out = (ocspx_admit_t){.message = "it was lost"};
    state->held = (ocspx_cache_held_t){0};
    if (len && verify(out, &response, entry, &candidate, now, p)) {
        out->admitted = 1;
        ocspx_cache_promote(cache, entry->index);
        note_served(state, &response, held.fresh_until, held.fetched,
                    (ocspx_cache_source_e)held.source);
    } else {
        ocspx_cache_forget(cache, entry->index);
    }
    OPENSSL_free(der);
}

ocspx_schedule_validity_t ocspx_admit_validity(const ocspx_cache_state_t *state)
{
    const ocspx_cache_held_t *held = &state->held;

    if (!held->until)
        return served(state);
    return (ocspx_schedule_validity_t){
        .this_update = held->this_update,
        .expiry = held->expiry,
        .open = !held->next_update,
        .fresh_until = held->fresh_until,
    };
}
