/* status_line: all of it in one line, as Nagios wants it: how bad, in words,
 * and behind a bar the numbers (label=value, s: seconds, c: a counter).
 */
#include <apr_strings.h>

#include "../core/text.h"
#include "../core/words.h"
#include "status.h"

#define N "%" APR_INT64_T_FMT

typedef struct {
    const char *text;
    apr_pool_t *p;
} line_t;

static void add(line_t *line, const char *separator, const char *text)
{
    line->text = apr_pstrcat(line->p, line->text, separator, text, NULL);
}

static void add_words(line_t *line, apr_int64_t number, const char *what)
{
    if (number)
        add(line, ", ", apr_psprintf(line->p, N " %s", number, what));
}

/* Without a comma in the number, as the line is a list. */
static const char *plural(apr_int64_t number, const char *what, apr_pool_t *p)
{
    return apr_psprintf(p, N " %s%s", number, what, number == 1 ? "" : "s");
}

static void add_chain(line_t *line, apr_int64_t number, const char *what)
{
    if (number)
        add(line, ", ", plural(number, what, line->p));
}

static void add_number(line_t *line, const char *label, apr_int64_t number,
                       const char *unit)
{
    add(line, " ", apr_psprintf(line->p, "%s=" N "%s", label, number, unit));
}

static void add_safe_until(line_t *line, const char *what, apr_time_t t,
                           apr_time_t now)
{
    if (t)
        add(line, what,
            apr_pstrcat(line->p, "safe until ", ocspx_text_time(t, line->p),
                        " (", ocspx_words_when(t, now, line->p), ")", NULL));
}

static void add_safe_for(line_t *line, apr_time_t t, apr_time_t now)
{
    if (t)
        add_number(line, "safe_for", apr_time_sec(t - now), "s");
}

static apr_int64_t lacking(const cli_status_t *status)
{
    apr_int64_t count = 0;
    int i;

    for (i = 0; i < status->rows->nelts; i++)
        count += cli_status_lacks(
            &APR_ARRAY_IDX(status->rows, i, ocspx_report_row_t),
            status->totals.generated);
    return count;
}

static void tell_words(line_t *line, const cli_status_t *status)
{
    const ocspx_report_totals_t *totals = &status->totals;
    int i;

    add(line, "", plural(totals->certificates, "certificate", line->p));
    add(line, ", ",
        apr_psprintf(line->p, N " stapled",
                     totals->states[OCSPX_REPORT_STAPLED]));
    for (i = 0; i < OCSPX_REPORT_STATES; i++)
        if (i != OCSPX_REPORT_STAPLED)
            add_words(line, totals->states[i],
                      ocspx_report_state_name((ocspx_report_state_e)i));
    add_words(line, lacking(status), "not stapled");
    add_chain(line, totals->findings[OCSPX_CAUSE_ERROR], "chain error");
    add_chain(line, totals->findings[OCSPX_CAUSE_WARNING], "chain warning");
    if (totals->egress)
        add(line, ", ", "no way out");
    if (cli_status_stalled(totals))
        add(line, ", ", "refresher stalled");
    add_safe_until(line, ", earliest ", totals->earliest_safe_until,
                   totals->generated);
}

static void tell_numbers(line_t *line, const cli_status_t *status)
{
    const ocspx_report_totals_t *totals = &status->totals;
    const apr_int64_t *states = totals->states;

    add(line, "", " |");
    add_number(line, "certificates", totals->certificates, "");
    add_number(line, "stapled", states[OCSPX_REPORT_STAPLED], "");
    add_number(line, "failing", states[OCSPX_REPORT_FAILING], "");
    add_number(line, "revoked", states[OCSPX_REPORT_REVOKED], "");
    add_number(line, "withheld", states[OCSPX_REPORT_WITHHELD], "");
    add_number(line, "waiting", states[OCSPX_REPORT_WAITING], "");
    add_number(line, "not_stapled", lacking(status), "");
    add_number(line, "chain_errors", totals->findings[OCSPX_CAUSE_ERROR], "");
    add_number(line, "chain_warnings", totals->findings[OCSPX_CAUSE_WARNING],
               "");
    add_safe_for(line, totals->earliest_safe_until, totals->generated);
    add_number(line, "handshakes_stapled", totals->stapled, "c");
    add_number(line, "handshakes_empty", totals->empty, "c");
    add_number(line, "handshakes_expired", totals->expired, "c");
}

static line_t begin(cli_nagios_e level, apr_pool_t *p)
{
    return (line_t){
        apr_pstrcat(p, "OCSPX ", cli_nagios_name(level), " - ", NULL), p};
}

const char *cli_status_line(const cli_status_t *status, apr_pool_t *p)
{
    line_t line = begin(cli_status_judge(status), p);

    tell_words(&line, status);
    tell_numbers(&line, status);
    return line.text;
}

const char *cli_status_row_line(const ocspx_report_row_t *row, apr_time_t now,
                                apr_pool_t *p)
{
    line_t line = begin(cli_status_judge_row(row, now), p);

    add(&line, "", apr_pstrcat(p, row->name, " ", row->state, NULL));
    add_safe_until(&line, ", ", row->safe_until, now);
    if (row->cause)
        add(&line, ", ", row->cause);
    add(&line, "", " |");
    add_safe_for(&line, row->safe_until, now);
    add_number(&line, "failed_tries", row->tries, "");
    add_number(&line, "handshakes_stapled", row->stapled, "c");
    add_number(&line, "handshakes_empty", row->empty, "c");
    add_number(&line, "handshakes_expired", row->expired, "c");
    return line.text;
}
