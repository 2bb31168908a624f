/* status_table: rows as a table that fits the terminal. */
#ifndef OCSPX_CLI_STATUS_TABLE_H
#define OCSPX_CLI_STATUS_TABLE_H

#include "status.h"

/**
 * Print these. Under each that fails or is revoked: why, and what to do.
 * @param rows const ocspx_report_row_t *
 * @param now the time of the report
 */
void cli_status_table(const apr_array_header_t *rows, apr_time_t now,
                      const cli_terminal_t *terminal, apr_pool_t *p);

#endif
