/* status_judge: how bad it is.
 *
 * A response that is valid for hours only is renewed within hours: that one
 * ends soon is worth an alarm in the last quarter of its validity only.
 */
#include <string.h>

#include "status.h"

#define SOON apr_time_from_sec(24 * 3600)

/* The refresher looks every second or so. */
#define STALLED apr_time_from_sec(300)

cli_terminal_style_e cli_status_level_style(cli_nagios_e level)
{
    return level == CLI_NAGIOS_OK        ? CLI_TERMINAL_GREEN
           : level == CLI_NAGIOS_WARNING ? CLI_TERMINAL_YELLOW
                                         : CLI_TERMINAL_RED;
}

/* --- one certificate ------------------------------------------------- */

static int in_state(const ocspx_report_row_t *row, ocspx_report_state_e state)
{
    return !strcmp(row->state, ocspx_report_state_name(state));
}

/* Or has ended, or was never there. */
static int ends_soon(const ocspx_report_row_t *row, apr_time_t now)
{
    apr_interval_time_t left = row->safe_until - now;

    return left < SOON && left < (row->safe_until - row->this_update) / 4;
}

int cli_status_lacks(const ocspx_report_row_t *row, apr_time_t now)
{
    return in_state(row, OCSPX_REPORT_WAITING) ||
           (in_state(row, OCSPX_REPORT_FAILING) && row->safe_until <= now);
}

cli_nagios_e cli_status_judge_row(const ocspx_report_row_t *row, apr_time_t now)
{
    if (in_state(row, OCSPX_REPORT_OTHER_PROVIDER))
        return CLI_NAGIOS_OK;
    if (in_state(row, OCSPX_REPORT_NOT_APPLICABLE))
        return row->must_staple ? CLI_NAGIOS_CRITICAL : CLI_NAGIOS_OK;
    if (row->revoked || ends_soon(row, now))
        return CLI_NAGIOS_CRITICAL;
    return in_state(row, OCSPX_REPORT_FAILING) ? CLI_NAGIOS_WARNING
                                               : CLI_NAGIOS_OK;
}

/* --- all ------------------------------------------------------------- */

/* How many should be stapled, or are to be not for a reason. */
static apr_int64_t looked_after(const ocspx_report_totals_t *totals)
{
    return totals->states[OCSPX_REPORT_FAILING] +
           totals->states[OCSPX_REPORT_REVOKED] +
           totals->states[OCSPX_REPORT_WITHHELD] +
           totals->states[OCSPX_REPORT_WAITING] +
           totals->states[OCSPX_REPORT_STAPLED];
}

int cli_status_stalled(const ocspx_report_totals_t *totals)
{
    return looked_after(totals) &&
           totals->generated - totals->refresher_turn > STALLED;
}

/* The totals are of all certificates even where the rows are not. */
cli_nagios_e cli_status_judge(const cli_status_t *status)
{
    const ocspx_report_totals_t *totals = &status->totals;
    cli_nagios_e level = CLI_NAGIOS_OK;
    int i;

    if (totals->states[OCSPX_REPORT_FAILING] ||
        totals->findings[OCSPX_CAUSE_WARNING] || cli_status_stalled(totals))
        level = CLI_NAGIOS_WARNING;
    if (totals->states[OCSPX_REPORT_REVOKED] ||
        totals->states[OCSPX_REPORT_WITHHELD] ||
        totals->states[OCSPX_REPORT_WAITING] ||
        totals->findings[OCSPX_CAUSE_ERROR] || totals->egress)
        level = CLI_NAGIOS_CRITICAL;
    for (i = 0; i < status->rows->nelts; i++)
        level = cli_nagios_worse(
            level, cli_status_judge_row(
                       &APR_ARRAY_IDX(status->rows, i, ocspx_report_row_t),
                       totals->generated));
    return level;
}
