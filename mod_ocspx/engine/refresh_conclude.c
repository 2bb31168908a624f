/* refresh_conclude: the end of an attempt. */
#include "refresh_private.h"

#include <apr_strings.h>
#include <string.h>

#include "egress.h"
#include "transition.h"

/* --- when next ------------------------------------------------------- */

apr_uint64_t ocspx_refresh_seed(const ocspx_refresh_config_t *config,
                                const ocspx_registry_entry_t *entry,
                                const ocspx_cache_state_t *state)
{
    apr_uint64_t cert;

    memcpy(&cert, entry->cert->digest, sizeof(cert));
    return ocspx_schedule_stagger(config->instance, cert, state->this_update);
}

/* What was fetched together shall not come due together; what another server
 * fetched is due there at a time of its own already. */
static ocspx_schedule_spread_e spread_of(const ocspx_attempt_t *attempt)
{
    const ocspx_cache_state_t *state = &attempt->after;

    if ((state->held.until ? state->held.source : state->source) ==
        OCSPX_CACHE_SHARED)
        return OCSPX_SCHEDULE_REST;
    return attempt->before.expiry ? OCSPX_SCHEDULE_WINDOW
                                  : OCSPX_SCHEDULE_WHOLE;
}

static apr_time_t next_due(ocspx_refresh_t *refresh,
                           const ocspx_attempt_t *attempt, apr_time_t now)
{
    const ocspx_cache_state_t *state = &attempt->after;
    const ocspx_schedule_policy_t *policy = &attempt->entry->policy->schedule;
    ocspx_schedule_validity_t newest = ocspx_admit_validity(state);
    ocspx_schedule_failures_t failures = {
        .count = state->failures,
        .since = state->failing_since,
        .retry_after = attempt->retry_after,
    };

    if (state->failures)
        return ocspx_schedule_retry(now, &newest, policy, &failures,
                                    ocspx_refresh_random(refresh));
    return ocspx_schedule_refresh(
        now, &newest, policy,
        ocspx_refresh_seed(&refresh->config, attempt->entry, state),
        spread_of(attempt));
}

/* --- what is told of it ---------------------------------------------- */

/* One line when the store stops working and one when it works again, however
 * many certificates are concerned. */
static void note_store(ocspx_refresh_t *refresh, const char *unsaved)
{
    if (unsaved && !refresh->unsaved)
        ocspx_log(refresh->config.log, OCSPX_LOG_ERROR, 15, -1,
                  "%s: %s; stapling goes on from memory. %s",
                  ocspx_cause_code(OCSPX_CAUSE_STORE_UNWRITABLE), unsaved,
                  ocspx_cause_remedy(OCSPX_CAUSE_STORE_UNWRITABLE));
    else if (!unsaved && refresh->unsaved)
        ocspx_log(refresh->config.log, OCSPX_LOG_NOTICE, 16, -1,
                  "responses can be written to the state directory again");
    refresh->unsaved = unsaved != NULL;
}

/* What is to be told of an attempt: the worst of it. */
static const ocspx_admit_t *outcome(const ocspx_attempt_t *attempt)
{
    if (ocspx_cause_severity(attempt->result.cause) == OCSPX_CAUSE_INFO &&
        attempt->unrepaired.cause)
        return &attempt->unrepaired;
    return &attempt->result;
}

/* This one may be what shows that all are cut off, or no longer are; unless
 * somebody else is about to tell. */
static void judge_egress(const ocspx_refresh_t *refresh,
                         const ocspx_attempt_t *attempt, apr_time_t now)
{
    const ocspx_refresh_config_t *config = &refresh->config;
    apr_time_t closed = ocspx_egress_closed(config->ledger);
    int open = ocspx_agenda_is_asking(refresh->agenda, attempt->entry->host);
    ocspx_ledger_host_t answers;

    if (!config->ledger || !attempt->told)
        return;
    switch (ocspx_egress_judge(&answers, config->ledger, open, now)) {
    case OCSPX_EGRESS_CLOSED:
        ocspx_transition_log_closed(config, now, attempt->pool);
        break;
    case OCSPX_EGRESS_OPENED:
        ocspx_transition_log_opened(config, answers.name, now - closed);
        break;
    case OCSPX_EGRESS_UNCHANGED:
        break;
    }
}

static void record(ocspx_refresh_t *refresh, ocspx_attempt_t *attempt,
                   apr_time_t now)
{
    ocspx_cache_state_t *state = &attempt->after;
    const ocspx_admit_t *result = outcome(attempt);

    state->tried = now;
    state->cause = result->cause;
    state->egress = ocspx_egress_cause(refresh->config.ledger, result->cause) ==
                    OCSPX_CAUSE_EGRESS_BLOCKED;
    if (result->admitted) {
        state->failures = 0;
        state->failing_since = 0;
        apr_cpystrn(state->message, result->cause ? result->message : "",
                    sizeof(state->message));
    } else {
        if (!state->failures++)
            state->failing_since = now;
        apr_cpystrn(state->message, result->message, sizeof(state->message));
    }
    state->due = ocspx_refresh_has_work(attempt->entry)
                     ? next_due(refresh, attempt, now)
                     : 0;
}

/* What no responder said: it is about the chain, or nobody was asked. */
static void tell_ledger(const ocspx_attempt_t *attempt, apr_time_t now)
{
    const ocspx_refresh_config_t *config = attempt->config;
    ocspx_ledger_attempt_t what = {.time = now,
                                   .cause = outcome(attempt)->cause};

    if (!config->ledger ||
        (attempt->told && outcome(attempt) != &attempt->unrepaired))
        return;
    if (!attempt->told) {
        what.took = attempt->after.took;
        what.http_status = (int)attempt->after.http_status;
    }
    ocspx_ledger_note(config->ledger, attempt->entry->index,
                      OCSPX_LEDGER_NOBODY, &what, 0);
}

/* --- all of it -------------------------------------------------------- */

void ocspx_refresh_conclude(ocspx_attempt_t *attempt)
{
    ocspx_refresh_t *refresh = attempt->baton;
    const ocspx_registry_entry_t *entry = attempt->entry;
    apr_time_t now = refresh->config.clock();

    judge_egress(refresh, attempt, now);
    record(refresh, attempt, now);
    tell_ledger(attempt, now);
    if (attempt->stored)
        note_store(refresh, attempt->unsaved);
    if (ocspx_refresh_never_tried(&attempt->before))
        refresh->untried--;
    ocspx_transition_log(refresh->config.log, entry, &attempt->before,
                         &attempt->after, outcome(attempt)->message, now,
                         attempt->pool);
    ocspx_cache_state_set(refresh->config.cache, entry->index, &attempt->after);
    ocspx_event_tell(refresh->config.observer, refresh->config.cache,
                     entry->index, now);
    ocspx_agenda_done(refresh->agenda, entry->index, attempt->reached);
    if (!refresh->config.once)
        ocspx_refresh_enter(refresh, entry, &attempt->after);
    apr_pool_destroy(attempt->pool);
}
