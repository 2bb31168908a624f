/* repair_path: what an attempt at a repair has so far: a path that grows
 * upwards from the leaf. Only for repair.c.
 *
 * Of what is offered (configured, fetched or kept) only that is added which
 * really signed the top; where several did (CAs cross-sign), that with the
 * best outlook. What the outlook is, and where the path may end, the judge of
 * chains says and nobody else.
 */
#ifndef OCSPX_REPAIR_PATH_H
#define OCSPX_REPAIR_PATH_H

#include "repair.h"

/** From the leaf alone, add what fits of those configured; then urls has whom
 * to ask, or cause and message say why nobody. */
void ocspx_repair_path_start(ocspx_repair_try_t *attempt, apr_time_t now);

/**
 * Add what fits of an offer from outside; not where nothing comes of it.
 * @param cause,message why the path is not complete then
 * @param most certificates that the path may have
 */
ocspx_repair_result_e ocspx_repair_path_grow(ocspx_cause_e *cause,
                                             const char **message,
                                             ocspx_repair_try_t *attempt,
                                             const apr_array_header_t *offer,
                                             int most, apr_time_t now);

#endif
