/* attempt_repair: completes the chain of one entry, before its responders are
 * asked: without the issuer nothing they say could be judged.
 */
#include <apr_strings.h>
#include <string.h>

#include "attempt.h"

/* --- the end of it --------------------------------------------------- */

/* What is known without the repair is done without it. */
static void give_up(ocspx_attempt_t *attempt)
{
    const ocspx_registry_entry_t *entry = attempt->entry;

    if (!entry->cert->issuer || !ocspx_registry_staples(entry)) {
        attempt->done(attempt);
        return;
    }
    attempt->unrepaired = attempt->result;
    attempt->reached = OCSPX_AGENDA_SILENT;
    ocspx_attempt_ask(attempt);
}

/* "CN=B" or "CN=B and CN=A": what was fetched. */
static const char *subjects(const ocspx_repair_try_t *repair, apr_pool_t *p)
{
    const char *names = "";
    int i;

    for (i = repair->configured; i < repair->path->nelts; i++)
        names = apr_pstrcat(p, names, i > repair->configured ? " and " : "",
                            ocspx_cert_name(X509_get_subject_name(APR_ARRAY_IDX(
                                                repair->path, i, X509 *)),
                                            p),
                            NULL);
    return names;
}

static const char *sources(const ocspx_repair_try_t *repair, apr_pool_t *p)
{
    const char *urls = "";
    int i;

    for (i = 0; i < repair->sources->nelts; i++) {
        const char *url = APR_ARRAY_IDX(repair->sources, i, const char *);

        urls = apr_pstrcat(p, urls, i ? " and " : "",
                           ocspx_cert_printable(url, strlen(url), p), NULL);
    }
    return urls;
}

/* How the operator makes the repair last. */
static const char *advice(const ocspx_repair_t *repair, apr_pool_t *p)
{
    return apr_psprintf(
        p,
        repair->served->nelts > 1
            ? "put that file in place of what follows the certificate in %s"
            : "append that file to %s",
        repair->file ? repair->file : "the certificate's file");
}

static void tell_kept(const ocspx_attempt_t *attempt, const char *what,
                      int many)
{
    const ocspx_repair_t *repair = attempt->entry->repair;
    apr_pool_t *p = attempt->pool;

    ocspx_log(
        attempt->config->log, OCSPX_LOG_NOTICE, 22, (int)attempt->entry->index,
        "%s: %s: repaired: %s and %s kept in %s; %s to make it last; sent "
        "to clients from the next start or reload on",
        attempt->entry->cert->name, ocspx_cause_code(OCSPX_CAUSE_CHAIN_MISSING),
        what, many ? "are" : "is",
        ocspx_store_file(attempt->config->store, OCSPX_STORE_CHAIN,
                         repair->cert->id, p),
        advice(repair, p));
}

static void tell(const ocspx_attempt_t *attempt)
{
    const ocspx_repair_try_t *repair = attempt->repair;
    int many = repair->path->nelts > repair->configured + 1;
    const char *what = apr_pstrcat(
        attempt->pool, subjects(repair, attempt->pool), many ? " were" : " was",
        " fetched from ", sources(repair, attempt->pool), NULL);

    if (attempt->config->store && !attempt->unsaved)
        tell_kept(attempt, what, many);
    else
        ocspx_log(attempt->config->log, OCSPX_LOG_WARNING, 25,
                  (int)attempt->entry->index,
                  "%s: %s: %s, but not kept: it is not sent to clients. %s",
                  attempt->entry->cert->name,
                  ocspx_cause_code(OCSPX_CAUSE_CHAIN_MISSING), what,
                  ocspx_cause_remedy(OCSPX_CAUSE_STORE_UNWRITABLE));
}

static void keep(ocspx_attempt_t *attempt)
{
    ocspx_store_t *store = attempt->config->store;
    const char *why;

    if (!store)
        return;
    attempt->stored = 1;
    if (ocspx_repair_save(&why, attempt->repair, store, attempt->pool) !=
        APR_SUCCESS)
        attempt->unsaved = why;
}

static void complete(ocspx_attempt_t *attempt)
{
    const ocspx_registry_entry_t *entry = attempt->entry;
    int staples = ocspx_registry_staples(entry);

    keep(attempt);
    if (attempt->unsaved && !staples) {
        /* To be kept was all it was for. */
        attempt->result = (ocspx_admit_t){.cause = OCSPX_CAUSE_STORE_UNWRITABLE,
                                          .message = attempt->unsaved};
        attempt->done(attempt);
        return;
    }
    ocspx_repair_apply(entry->repair, ocspx_repair_chain(attempt->repair));
    tell(attempt);
    if (!staples) {
        attempt->result = (ocspx_admit_t){.admitted = 1};
        attempt->done(attempt);
        return;
    }
    attempt->reached = OCSPX_AGENDA_SILENT;
    ocspx_attempt_ask(attempt);
}

/* --- asking ---------------------------------------------------------- */

static void refuse(ocspx_attempt_t *attempt, ocspx_cause_e cause,
                   const char *message)
{
    const char *url = attempt->question.url;

    attempt->result = (ocspx_admit_t){
        .cause = cause,
        .message =
            apr_pstrcat(attempt->pool,
                        ocspx_cert_printable(url, strlen(url), attempt->pool),
                        ": ", message, NULL)};
}

static void ask_next(ocspx_attempt_t *attempt);

static void on_answer(void *baton, const ocspx_fetch_answer_t *answer)
{
    ocspx_attempt_t *attempt = baton;
    ocspx_repair_result_e result = OCSPX_REPAIR_REFUSED;
    ocspx_cause_e cause = answer->cause;
    const char *message = answer->message;

    ocspx_attempt_note(attempt, answer);
    if (cause == OCSPX_CAUSE_NONE)
        result =
            ocspx_repair_take(&cause, &message, attempt->repair, answer->body,
                              answer->body_len, attempt->config->clock());
    if (ocspx_attempt_is_up(answer, answer->cause))
        attempt->reached = OCSPX_AGENDA_REACHED;
    if (result == OCSPX_REPAIR_COMPLETE) {
        complete(attempt);
        return;
    }
    if (result == OCSPX_REPAIR_REFUSED)
        refuse(attempt, cause, message);
    ask_next(attempt);
}

static void ask_next(ocspx_attempt_t *attempt)
{
    ocspx_fetch_t *fetch = attempt->config->fetch;

    while ((attempt->question.url = ocspx_repair_next(attempt->repair))) {
        if (fetch->start(fetch, &attempt->question, on_answer, attempt) ==
            APR_SUCCESS)
            return;
        refuse(attempt, OCSPX_CAUSE_BAD_URL, "cannot be asked");
    }
    give_up(attempt);
}

void ocspx_attempt_repair(ocspx_attempt_t *attempt)
{
    const ocspx_registry_policy_t *policy = attempt->entry->policy;

    attempt->repair = ocspx_repair_begin(
        attempt->entry->repair, attempt->config->clock(), attempt->pool);
    attempt->result = (ocspx_admit_t){.cause = attempt->repair->cause,
                                      .message = attempt->repair->message};
    attempt->question = (ocspx_fetch_question_t){
        .proxy = policy->proxy,
        .timeout = policy->timeout,
        .max_size = OCSPX_RESPONSE_SIZE_MAX,
    };
    ask_next(attempt);
}
