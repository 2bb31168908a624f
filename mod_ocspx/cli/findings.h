/* findings: what a check found, in words or as JSON. */
#ifndef OCSPX_CLI_FINDINGS_H
#define OCSPX_CLI_FINDINGS_H

#include <apr_tables.h>
#include <jansson.h>

#include "../core/chain.h"

/* All take findings as ocspx_chain_t has them. */

/** An array of {code, severity, subject, message, remedy}. */
json_t *cli_findings_json(const apr_array_header_t *findings);

/** A block for each, with an empty line before it. */
void cli_findings_print(const apr_array_header_t *findings, const char *indent);

/** "1 error, 2 warnings"; "" where there is none. */
const char *cli_findings_count(const apr_array_header_t *findings,
                               apr_pool_t *p);

#endif
