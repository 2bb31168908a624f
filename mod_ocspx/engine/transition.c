/* transition: tells the operator what changed for a certificate. */
#include "transition.h"

#include <apr_strings.h>

#include "../core/text.h"
#include "egress.h"

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

/* What was told as that of all was not told of this one. */
static int is_news(const change_t *c)
{
    if (c->after->egress)
        return 0;
    return c->after->failures == 1 || c->after->cause != c->before->cause ||
           c->before->egress;
}

static void log_failure(const change_t *c)
{
    ocspx_cause_e cause = c->after->egress ? OCSPX_CAUSE_EGRESS_BLOCKED
                                           : (ocspx_cause_e)c->after->cause;

    ocspx_log(c->log, is_news(c) ? OCSPX_LOG_WARNING : OCSPX_LOG_DEBUG, 10,
              index_of(c), "%s: %s: %s; %s; next try in %.1f s. %s", name(c),
              ocspx_cause_code(cause), c->message, outlook(c),
              (double)(c->after->due - c->now) / APR_USEC_PER_SEC,
              ocspx_cause_remedy(cause));
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
        ocspx_log(c->log,
                  c->before->egress ? OCSPX_LOG_DEBUG : OCSPX_LOG_NOTICE, 13,
                  index_of(c), "%s: recovered after %u failures since %s; %s",
                  name(c), (unsigned)c->before->failures,
                  ocspx_text_time(c->before->failing_since, c->p), outlook(c));
    else if (ocspx_registry_staples(c->entry))
        ocspx_log(c->log, c->before->expiry ? OCSPX_LOG_DEBUG : OCSPX_LOG_INFO,
                  14, index_of(c), "%s: %s", name(c), outlook(c));
}

/* Only a signer can do that: see ocspx_response_t. */
static int ends_early(const ocspx_cache_state_t *state)
{
    return state->expiry && state->expiry < state->next_update;
}

void ocspx_transition_log_signer(const ocspx_log_t *log,
                                 const ocspx_registry_entry_t *entry,
                                 const ocspx_cache_state_t *before,
                                 const ocspx_cache_state_t *after,
                                 const char *message)
{
    if (after->cause == OCSPX_CAUSE_SIGNER_EXPIRES_EARLY && !ends_early(before))
        ocspx_log(log, OCSPX_LOG_INFO, 42, (int)entry->index, "%s: %s: %s. %s",
                  entry->cert->name, ocspx_cause_code(after->cause), message,
                  ocspx_cause_remedy(after->cause));
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
    ocspx_transition_log_signer(log, entry, before, after, message);
}

/* --- the way out ----------------------------------------------------- */

/* "3 of 5 certificates are stapled, the first of them until ..." */
static const char *stock(const ocspx_refresh_config_t *config, apr_time_t now,
                         apr_pool_t *p)
{
    unsigned n = ocspx_registry_count(config->registry), all = 0, stapled = 0;
    apr_time_t first = APR_INT64_MAX;
    const char *text;

    for (unsigned i = 0; i < n; i++) {
        ocspx_cache_state_t state;

        if (!ocspx_registry_staples(ocspx_registry_get(config->registry, i)))
            continue;
        ocspx_cache_state_get(&state, config->cache, i);
        all++;
        if (state.expiry <= now)
            continue;
        stapled++;
        if (state.expiry < first)
            first = state.expiry;
    }
    text = apr_psprintf(p, "%u of %u certificates are stapled", stapled, all);
    return stapled ? apr_pstrcat(p, text, ", the first to end until ",
                                 ocspx_text_time(first, p), NULL)
                   : text;
}

void ocspx_transition_log_closed(const ocspx_refresh_config_t *config,
                                 apr_time_t now, apr_pool_t *p)
{
    ocspx_log(config->log, OCSPX_LOG_ERROR, 40, -1, "%s: %s; %s. %s",
              ocspx_cause_code(OCSPX_CAUSE_EGRESS_BLOCKED),
              ocspx_egress_message(config->ledger, p), stock(config, now, p),
              ocspx_cause_remedy(OCSPX_CAUSE_EGRESS_BLOCKED));
}

void ocspx_transition_log_opened(const ocspx_refresh_config_t *config,
                                 const char *host, apr_interval_time_t after)
{
    ocspx_log(config->log, OCSPX_LOG_NOTICE, 41, -1,
              "there is a way out to the responders again, after "
              "%" APR_INT64_T_FMT " s: %s answers; what failed is tried again "
              "soon",
              (apr_int64_t)apr_time_sec(after), host);
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
