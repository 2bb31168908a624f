/* transition: tells the operator what changed for a certificate. The first
 * failure and every new cause are warnings, repetitions debug, the end of an
 * outage a notice. That there is no way out is told once, not for each of the
 * certificates.
 */
#ifndef OCSPX_TRANSITION_H
#define OCSPX_TRANSITION_H

#include "admit.h"
#include "refresh.h"

/**
 * Log what happened between two states of one certificate.
 * @param message the sentence that belongs to after->cause
 * @param now the time of @a after
 */
void ocspx_transition_log(const ocspx_log_t *log,
                          const ocspx_registry_entry_t *entry,
                          const ocspx_cache_state_t *before,
                          const ocspx_cache_state_t *after, const char *message,
                          apr_time_t now, apr_pool_t *p);

/** Log what became of a response whose turn has come: see ocspx_admit_held. */
void ocspx_transition_log_held(const ocspx_log_t *log,
                               const ocspx_registry_entry_t *entry,
                               const ocspx_admit_t *result);

/** The part of it that concerns the signer of a new response: a note, once,
 * where it expires before its response does. */
void ocspx_transition_log_signer(const ocspx_log_t *log,
                                 const ocspx_registry_entry_t *entry,
                                 const ocspx_cache_state_t *before,
                                 const ocspx_cache_state_t *after,
                                 const char *message);

/** There is no way out any more. */
void ocspx_transition_log_closed(const ocspx_refresh_config_t *config,
                                 apr_time_t now, apr_pool_t *p);

/** There is one again, after so long: this responder answers. */
void ocspx_transition_log_opened(const ocspx_refresh_config_t *config,
                                 const char *host, apr_interval_time_t after);

#endif
