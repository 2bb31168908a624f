/* attempt_share: looks for the response where other servers put theirs, before
 * any responder is asked.
 *
 *   nothing, or nothing newer than what is served ----> ask the responders
 *   wrong: SHARE_BAD ---------------------------------> ask the responders
 *   newer, but due for its refresh itself: serve it --> ask the responders
 *   newer: serve it; that was the refresh
 */
#include <apr_strings.h>

#include "attempt.h"

/* Is it the store's fault that this was not admitted? One that merely holds
 * what is old does no wrong, and a full cache is our own. */
static int is_wrong(ocspx_cause_e cause)
{
    return ocspx_cause_group(cause) != OCSPX_CAUSE_GROUP_CLOCK &&
           cause != OCSPX_CAUSE_CACHE_FULL;
}

static void tell_ledger(const ocspx_attempt_t *attempt)
{
    const ocspx_ledger_attempt_t what = {.time = attempt->config->clock(),
                                         .cause = OCSPX_CAUSE_SHARE_BAD};

    if (attempt->config->ledger)
        ocspx_ledger_note(attempt->config->ledger, attempt->entry->index,
                          OCSPX_LEDGER_NOBODY, &what, 0);
}

static void judged(const ocspx_attempt_t *attempt, const char *from)
{
    const ocspx_admit_t *result = &attempt->result;
    ocspx_ledger_share_e what = result->admitted ? OCSPX_LEDGER_SHARE_HIT
                                : is_wrong(result->cause)
                                    ? OCSPX_LEDGER_SHARE_BAD
                                    : OCSPX_LEDGER_SHARE_MISS;

    ocspx_share_judged(attempt->config->share, attempt->entry, from, what,
                       result->cause, result->message);
    if (what == OCSPX_LEDGER_SHARE_BAD)
        tell_ledger(attempt);
}

/* What another server fetched long ago is better than nothing, no more. */
static int is_refreshed(const ocspx_attempt_t *attempt)
{
    ocspx_schedule_validity_t served = ocspx_admit_validity(&attempt->after);

    return attempt->result.admitted &&
           !ocspx_schedule_overdue(attempt->config->clock(), &served,
                                   &attempt->entry->policy->schedule);
}

static void on_found(void *baton, const ocspx_share_found_t *found)
{
    ocspx_attempt_t *attempt = baton;

    if (found) {
        const ocspx_admit_candidate_t candidate = {
            .der = found->der,
            .len = found->len,
            .source = OCSPX_CACHE_SHARED,
            .fresh_until = found->fresh_until,
        };

        ocspx_attempt_admit(attempt, &candidate, NULL, attempt->config->store);
        judged(attempt, found->from);
        if (is_refreshed(attempt)) {
            attempt->reached = OCSPX_AGENDA_UNASKED;
            attempt->done(attempt);
            return;
        }
        attempt->result = (ocspx_admit_t){0};
    }
    ocspx_attempt_ask_responders(attempt);
}

void ocspx_attempt_look_up(ocspx_attempt_t *attempt)
{
    ocspx_share_look_up(attempt->config->share, attempt->entry, on_found,
                        attempt);
}

void ocspx_attempt_put(const ocspx_attempt_t *attempt,
                       const ocspx_admit_candidate_t *candidate)
{
    const ocspx_share_found_t response = {
        .der = candidate->der,
        .len = candidate->len,
        .fresh_until = candidate->fresh_until,
    };

    if (attempt->config->share)
        ocspx_share_put(attempt->config->share, attempt->entry, &response,
                        attempt->after.expiry);
}
