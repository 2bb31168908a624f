/* transition: tells the operator what changed for a certificate. */
#include "transition.h"

#include <apr_strings.h>

#include "../core/text.h"

typedef struct {
    const ocspx_log_t *log;
    const ocspx_registry_entry_t *entry;
    const ocspx_cache_state_t *before;
    const ocspx_cache_state_t *after;
    const char *message;
    apr_time_t now;
    apr_pool_t *p;
} change_t;

static const char *name(const change_t *c)
{
    return c->entry->cert->name;
}

static int index_of(const change_t *c)
{
    return (int)c->entry->index;
}

/* Of all there is to staple. */
static apr_time_t end(const change_t *c)
{
    return ocspx_admit_validity(c->after).expiry;
}

static const char *stapling(const change_t *c)
{
    apr_time_t held = c->after->held.until;

    if (end(c) <= c->now)
        return "not stapled";
    return apr_pstrcat(c->p, "stapled until ", ocspx_text_time(end(c), c->p),
                       held ? ", with the newest response from " : NULL,
                       held ? ocspx_text_time(held, c->p) : NULL,
                       held ? " on" : NULL, NULL);
}

static const char *outlook(const change_t *c)
{
    int lacks = ocspx_registry_lacks_repair(c->entry);

    if (!ocspx_registry_staples(c->entry))
        return lacks ? "its chain stays incomplete" : "its chain is repaired";
    return lacks ? apr_pstrcat(c->p, "its chain stays incomplete, ",
                               stapling(c), NULL)
                 : stapling(c);
}

static void log_failure(const change_t *c)
{
    int is_new = c->after->failures == 1 || c->after->cause != c->before->cause;

    ocspx_log(c->log, is_new ? OCSPX_LOG_WARNING : OCSPX_LOG_DEBUG, 10,
              index_of(c), "%s: %s: %s; %s; next try in %.1f s. %s", name(c),
              ocspx_cause_code(c->after->cause), c->message, outlook(c),
              (double)(c->after->due - c->now) / APR_USEC_PER_SEC,
              ocspx_cause_remedy(c->after->cause));
}

static void log_expiry(const change_t *c)
{
    if (end(c) > c->before->tried && end(c) <= c->now)
        ocspx_log(c->log, OCSPX_LOG_ERROR, 11, index_of(c),
                  "%s: the last valid response ended at %s and there is no "
                  "newer one: no longer stapled",
                  name(c), ocspx_text_time(end(c), c->p));
}

static void log_revocation(const change_t *c)
{
    if (c->after->revoked && !c->before->revoked)
        ocspx_log(c->log, OCSPX_LOG_ERROR, 12, index_of(c), "%s: %s: %s. %s",
                  name(c), ocspx_cause_code(c->after->cause), c->message,
                  ocspx_cause_remedy(c->after->cause));
}

static void log_success(const change_t *c)
{
    if (c->before->failures)
        ocspx_log(c->log, OCSPX_LOG_NOTICE, 13, index_of(c),
                  "%s: recovered after %u failures since %s; %s", name(c),
                  (unsigned)c->before->failures,
                  ocspx_text_time(c->before->failing_since, c->p), outlook(c));
    else if (ocspx_registry_staples(c->entry))
        ocspx_log(c->log, c->before->expiry ? OCSPX_LOG_DEBUG : OCSPX_LOG_INFO,
                  14, index_of(c), "%s: %s", name(c), outlook(c));
}

void ocspx_transition_log(const ocspx_log_t *log,
                          const ocspx_registry_entry_t *entry,
                          const ocspx_cache_state_t *before,
                          const ocspx_cache_state_t *after, const char *message,
                          apr_time_t now, apr_pool_t *p)
{
    const change_t c = {log, entry, before, after, message, now, p};

    if (after->failures) {
        log_failure(&c);
        log_expiry(&c);
        return;
    }
    log_revocation(&c);
    log_success(&c);
}

void ocspx_transition_log_held(const ocspx_log_t *log,
                               const ocspx_registry_entry_t *entry,
                               const ocspx_admit_t *result)
{
    if (result->admitted)
        ocspx_log(log, OCSPX_LOG_DEBUG, 45, (int)entry->index,
                  "%s: the newest response, held back so far, is served",
                  entry->cert->name);
    else
        ocspx_log(log, OCSPX_LOG_INFO, 46, (int)entry->index,
                  "%s: the newest response, held back so far, is not used: %s",
                  entry->cert->name, result->message);
}
