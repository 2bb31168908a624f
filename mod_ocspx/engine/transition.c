/* transition: tells the operator what changed for a certificate. */
#include "transition.h"

#include <apr_strings.h>

#include "../core/text.h"

typedef struct {
    const ocspx_log_t *log;
    int entry;
    const char *name;
    const ocspx_cache_state_t *before;
    const ocspx_cache_state_t *after;
    const char *message;
    apr_time_t now;
    apr_pool_t *p;
} change_t;

static const char *outlook(const change_t *c)
{
    if (c->after->expiry <= c->now)
        return "not stapled";
    return apr_pstrcat(c->p, "stapled until ",
                       ocspx_text_time(c->after->expiry, c->p), NULL);
}

static void log_failure(const change_t *c)
{
    int is_new = c->after->failures == 1 || c->after->cause != c->before->cause;

    ocspx_log(c->log, is_new ? OCSPX_LOG_WARNING : OCSPX_LOG_DEBUG, 10,
              c->entry, "%s: %s: %s; %s; next try in %.1f s. %s", c->name,
              ocspx_cause_code(c->after->cause), c->message, outlook(c),
              (double)(c->after->due - c->now) / APR_USEC_PER_SEC,
              ocspx_cause_remedy(c->after->cause));
}

static void log_expiry(const change_t *c)
{
    if (c->after->expiry > c->before->tried && c->after->expiry <= c->now)
        ocspx_log(c->log, OCSPX_LOG_ERROR, 11, c->entry,
                  "%s: the last valid response ended at %s and there is no "
                  "newer one: no longer stapled",
                  c->name, ocspx_text_time(c->after->expiry, c->p));
}

static void log_revocation(const change_t *c)
{
    if (c->after->revoked && !c->before->revoked)
        ocspx_log(c->log, OCSPX_LOG_ERROR, 12, c->entry, "%s: %s: %s. %s",
                  c->name, ocspx_cause_code(c->after->cause), c->message,
                  ocspx_cause_remedy(c->after->cause));
}

static void log_success(const change_t *c)
{
    if (c->before->failures)
        ocspx_log(c->log, OCSPX_LOG_NOTICE, 13, c->entry,
                  "%s: recovered after %u failures since %s; %s", c->name,
                  (unsigned)c->before->failures,
                  ocspx_text_time(c->before->failing_since, c->p), outlook(c));
    else
        ocspx_log(c->log, c->before->expiry ? OCSPX_LOG_DEBUG : OCSPX_LOG_INFO,
                  14, c->entry, "%s: %s", c->name, outlook(c));
}

void ocspx_transition_log(const ocspx_log_t *log,
                          const ocspx_registry_entry_t *entry,
                          const ocspx_cache_state_t *before,
                          const ocspx_cache_state_t *after, const char *message,
                          apr_time_t now, apr_pool_t *p)
{
    const change_t c = {
        log, (int)entry->index, entry->cert->name, before, after, message, now,
        p};

    if (after->failures) {
        log_failure(&c);
        log_expiry(&c);
        return;
    }
    log_revocation(&c);
    log_success(&c);
}
