/* attempt: asks the responders of one entry, or reads its response file. */
#include "attempt.h"

#include <apr_strings.h>

#include "egress.h"

static void refuse(ocspx_attempt_t *attempt, ocspx_cause_e cause,
                   const char *message)
{
    attempt->result = (ocspx_admit_t){.cause = cause, .message = message};
}

/* --- answers --------------------------------------------------------- */

void ocspx_attempt_note(ocspx_attempt_t *attempt,
                        const ocspx_fetch_answer_t *answer)
{
    ocspx_cache_state_t *state = &attempt->after;

    state->took = answer->took;
    state->http_status = (apr_uint32_t)answer->http_status;
    state->requests += (apr_uint32_t)answer->requests;
    apr_cpystrn(state->peer, answer->peer, sizeof(state->peer));
    attempt->retry_after = answer->retry_after;
}

int ocspx_attempt_is_up(const ocspx_fetch_answer_t *answer, ocspx_cause_e cause)
{
    return !answer->unreachable && answer->http_status < 500 &&
           answer->http_status != 429 && cause != OCSPX_CAUSE_RESP_TRYLATER &&
           cause != OCSPX_CAUSE_RESP_INTERNAL;
}

/* For the report: what responder number @a i, which may be a file, came to. */
static void tell_ledger(ocspx_attempt_t *attempt, int i,
                        const ocspx_fetch_answer_t *answer)
{
    const ocspx_registry_entry_t *entry = attempt->entry;
    const ocspx_ledger_attempt_t what = {
        .time = attempt->config->clock(),
        .took = answer->took,
        .cause = attempt->result.cause,
        .http_status = answer->http_status,
    };

    attempt->told = 1;
    if (!attempt->config->ledger)
        return;
    ocspx_ledger_note(attempt->config->ledger, entry->index,
                      entry->responders[i], &what, (unsigned)answer->requests);
    if (!entry->policy->response_file)
        ocspx_egress_note(attempt->config->ledger, entry->responders[i],
                          what.time);
}

void ocspx_attempt_admit(ocspx_attempt_t *attempt,
                         const ocspx_admit_candidate_t *candidate,
                         const char *from, ocspx_store_t *store)
{
    const ocspx_refresh_config_t *config = attempt->config;

    ocspx_admit(&attempt->result, &attempt->after, attempt->entry, candidate,
                config->cache, store, config->clock(), attempt->pool);
    if (!attempt->result.admitted && from)
        attempt->result.message = apr_pstrcat(attempt->pool, from, ": ",
                                              attempt->result.message, NULL);
    if (attempt->result.admitted && store) {
        attempt->stored = 1;
        if (!attempt->unsaved)
            attempt->unsaved = attempt->result.unsaved;
    }
}

static void take_response(ocspx_attempt_t *attempt,
                          const ocspx_fetch_answer_t *answer)
{
    const ocspx_admit_candidate_t candidate = {
        .der = answer->body,
        .len = answer->body_len,
        .source = OCSPX_CACHE_NETWORK,
        .date = answer->date,
        .fresh_until = answer->fresh_until,
    };

    ocspx_attempt_admit(attempt, &candidate, attempt->question.url,
                        attempt->config->store);
    if (attempt->result.admitted)
        ocspx_attempt_put(attempt, &candidate);
}

/* --- asking the responders ------------------------------------------- */

static void ask_next(ocspx_attempt_t *attempt);

static void on_answer(void *baton, const ocspx_fetch_answer_t *answer)
{
    ocspx_attempt_t *attempt = baton;

    ocspx_attempt_note(attempt, answer);
    if (answer->cause == OCSPX_CAUSE_NONE)
        take_response(attempt, answer);
    else
        refuse(attempt, answer->cause,
               apr_pstrdup(attempt->pool, answer->message));
    tell_ledger(attempt, attempt->url - 1, answer);
    if (ocspx_attempt_is_up(answer, attempt->result.cause))
        attempt->reached = OCSPX_AGENDA_REACHED;
    ask_next(attempt);
}

/* Ask the responders one after the other, until one has been useful. */
static void ask_next(ocspx_attempt_t *attempt)
{
    const apr_array_header_t *urls = attempt->entry->urls;
    ocspx_fetch_t *fetch = attempt->config->fetch;

    while (!attempt->result.admitted && attempt->url < urls->nelts) {
        attempt->question.url =
            APR_ARRAY_IDX(urls, attempt->url++, const char *);
        if (fetch->start(fetch, &attempt->question, on_answer, attempt) ==
            APR_SUCCESS)
            return;
        refuse(attempt, OCSPX_CAUSE_SERVER_LIMITS,
               apr_pstrcat(attempt->pool, "no memory left to ask ",
                           attempt->question.url, NULL));
    }
    attempt->done(attempt);
}

void ocspx_attempt_ask_responders(ocspx_attempt_t *attempt)
{
    const ocspx_registry_policy_t *policy = attempt->entry->policy;

    attempt->question = (ocspx_fetch_question_t){
        .method = policy->method,
        .proxy = policy->proxy,
        .timeout = policy->timeout,
        .max_size = attempt->config->max_response,
    };
    if (ocspx_cert_request(&attempt->question.request,
                           &attempt->question.request_len, attempt->entry->cert,
                           policy->certid_hash, attempt->pool) == APR_SUCCESS) {
        ask_next(attempt);
        return;
    }
    refuse(attempt, OCSPX_CAUSE_WRONG_CERT,
           "no OCSP request can be made for it");
    attempt->done(attempt);
}

/* --- the response file ----------------------------------------------- */

static void read_file(ocspx_attempt_t *attempt)
{
    const char *file = attempt->entry->policy->response_file;
    ocspx_admit_candidate_t candidate = {.source = OCSPX_CACHE_FILE};
    const ocspx_fetch_answer_t no_answer = {0};
    const char *why;

    attempt->reached = OCSPX_AGENDA_REACHED;
    if (ocspx_store_read_file(&candidate.der, &candidate.len, &why, file,
                              attempt->config->max_response,
                              attempt->pool) == APR_SUCCESS)
        ocspx_attempt_admit(attempt, &candidate, file, NULL);
    else
        refuse(attempt, OCSPX_CAUSE_FILE_UNREADABLE, why);
    tell_ledger(attempt, 0, &no_answer);
    attempt->done(attempt);
}

/* --- in order -------------------------------------------------------- */

void ocspx_attempt_ask(ocspx_attempt_t *attempt)
{
    if (attempt->entry->policy->response_file)
        read_file(attempt);
    else if (attempt->config->share)
        ocspx_attempt_look_up(attempt);
    else
        ocspx_attempt_ask_responders(attempt);
}

void ocspx_attempt_start(ocspx_attempt_t *attempt)
{
    if (ocspx_registry_lacks_repair(attempt->entry))
        ocspx_attempt_repair(attempt);
    else
        ocspx_attempt_ask(attempt);
}
