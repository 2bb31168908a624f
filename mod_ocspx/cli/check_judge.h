/* check_judge: what the judges of a host's facts share.
 *
 *   check_judge.c    connection, chain, and the sum of it all
 *   check_staple.c   staple and responder
 */
#ifndef OCSPX_CLI_CHECK_JUDGE_H
#define OCSPX_CLI_CHECK_JUDGE_H

#include "check.h"

typedef struct {
    cli_check_host_t *host;
    const ocspx_chain_trust_t *trust;
    apr_pool_t *pool;
} cli_judge_t;

/** Note a finding, once; without a remedy it gets its cause's own. */
void cli_judge_add(const cli_judge_t *j, ocspx_chain_finding_t finding);

/** What was stapled to this certificate, or was not, and what its responder
 * says. */
void cli_judge_staples(const cli_judge_t *j, cli_check_cert_t *cert);

#endif
