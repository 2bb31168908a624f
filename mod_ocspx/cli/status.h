/* status: what the files of `ocspx status' share: the report as it comes out
 * of its JSON. All text in it is clean (see terminal.h).
 */
#ifndef OCSPX_CLI_STATUS_H
#define OCSPX_CLI_STATUS_H

#include <jansson.h>

#include "../engine/report.h"
#include "cli.h"
#include "nagios.h"
#include "terminal.h"

/** The colour it goes with. */
cli_terminal_style_e cli_status_level_style(cli_nagios_e level);

/** A finding of the chain check. */
typedef struct {
    const char *code, *severity, *subject, *message, *remedy, *vhost;
    apr_int64_t others; /* virtual hosts that have it, too */
} cli_status_finding_t;

/** One attempt to get a response. */
typedef struct {
    apr_time_t time;
    apr_interval_time_t took;
    const char *cause, *cause_line; /* NULL: it gave one */
    apr_int64_t http_status;        /* 0: none */
} cli_status_attempt_t;

typedef struct {
    ocspx_report_totals_t totals;
    apr_array_header_t *rows;     /* ocspx_report_row_t; index has no meaning */
    apr_array_header_t *findings; /* cli_status_finding_t */
    apr_array_header_t *history;  /* cli_status_attempt_t; NULL: not told */
} cli_status_t;

/* --- reading --------------------------------------------------------- */

/** Where the report is. */
typedef struct {
    const char *place; /* URL, file, or "-" */
    const char *proxy; /* as in ocspx_fetch_question_t */
    const char *cert;  /* fingerprint; NULL: all */
} cli_status_source_t;

/**
 * The JSON that is there.
 * @return NULL, and in @a why one sentence, where it cannot be read or is none
 */
json_t *cli_status_load(const char **why, const cli_status_source_t *source,
                        apr_pool_t *p);

/** What it says. @return NULL, or why it is not a report */
const char *cli_status_decode(cli_status_t *status, const json_t *json,
                              apr_pool_t *p);

/** Is this the name of a state of certificates? */
int cli_status_is_state(const char *name);

/* --- judging --------------------------------------------------------- */

/** Is it not stapled, and should be? */
int cli_status_lacks(const ocspx_report_row_t *row, apr_time_t now);

/** Is there something to refresh, and nobody who looks for it? */
int cli_status_stalled(const ocspx_report_totals_t *totals);

/** @a row at @a now, the time of the report. */
cli_nagios_e cli_status_judge_row(const ocspx_report_row_t *row,
                                  apr_time_t now);
cli_nagios_e cli_status_judge(const cli_status_t *status);

/** What a Nagios plugin says in one line: words, a bar, numbers. */
const char *cli_status_line(const cli_status_t *status, apr_pool_t *p);
const char *cli_status_row_line(const ocspx_report_row_t *row, apr_time_t now,
                                apr_pool_t *p);

/* --- printing -------------------------------------------------------- */

/** What to show of the rows; NULL: any. */
typedef struct {
    const char *state, *search;
} cli_status_filter_t;

void cli_status_print(const cli_status_t *status,
                      const cli_status_filter_t *filter,
                      const cli_terminal_t *terminal, apr_pool_t *p);

/** One certificate with all fields, and its history. */
void cli_status_print_cert(const cli_status_t *status,
                           const ocspx_report_row_t *row,
                           const cli_terminal_t *terminal, apr_pool_t *p);

#endif
