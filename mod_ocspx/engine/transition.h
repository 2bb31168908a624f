/* transition: tells the operator what changed for a certificate. The first
 * failure and every new cause are warnings, repetitions debug, the end of an
 * outage a notice.
 */
#ifndef OCSPX_TRANSITION_H
#define OCSPX_TRANSITION_H

#include "admit.h"
#include "cache.h"
#include "log.h"
#include "registry.h"

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

#endif
