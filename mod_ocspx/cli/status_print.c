/* status_print: the report for a person: all certificates, or one in full. */
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#include "../core/words.h"
#include "status.h"
#include "status_table.h"

#define INDENT 4

/* --- which rows ------------------------------------------------------ */

static int in_list(const apr_array_header_t *texts, const char *wanted)
{
    int i;

    for (i = 0; i < texts->nelts; i++)
        if (strcasestr(APR_ARRAY_IDX(texts, i, const char *), wanted))
            return 1;
    return 0;
}

static int in_text(const char *text, const char *wanted)
{
    return text && strcasestr(text, wanted);
}

/* As the status page searches. */
static int matches(const ocspx_report_row_t *row,
                   const cli_status_filter_t *filter)
{
    const char *search = filter->search;

    if (filter->state && strcmp(filter->state, row->state) != 0)
        return 0;
    return !search || in_text(row->name, search) ||
           in_list(row->names, search) || in_list(row->vhosts, search) ||
           in_text(row->responder, search) || in_text(row->subject, search);
}

static apr_array_header_t *choose(const cli_status_t *status,
                                  const cli_status_filter_t *filter,
                                  apr_pool_t *p)
{
    apr_array_header_t *chosen =
        apr_array_make(p, 16, sizeof(const ocspx_report_row_t *));
    int i;

    for (i = 0; i < status->rows->nelts; i++) {
        const ocspx_report_row_t *row =
            &APR_ARRAY_IDX(status->rows, i, ocspx_report_row_t);

        if (matches(row, filter))
            APR_ARRAY_PUSH(chosen, const ocspx_report_row_t *) = row;
    }
    return chosen;
}

/* --- all ------------------------------------------------------------- */

static void put_below(const cli_terminal_t *terminal, const char *text)
{
    if (text && *text)
        cli_terminal_wrap(terminal, 0, INDENT, text);
}

static void print_egress(const ocspx_report_totals_t *totals,
                         const cli_terminal_t *terminal)
{
    if (!totals->egress)
        return;
    putchar('\n');
    cli_terminal_put(terminal, CLI_TERMINAL_RED, totals->egress, 0);
    putchar('\n');
    put_below(terminal, totals->egress_message);
    put_below(terminal, totals->egress_remedy);
}

static cli_terminal_style_e severity_style(const char *severity)
{
    return !strcmp(severity, "error")     ? CLI_TERMINAL_RED
           : !strcmp(severity, "warning") ? CLI_TERMINAL_YELLOW
                                          : CLI_TERMINAL_PLAIN;
}

static void print_finding(const cli_status_finding_t *finding,
                          const cli_terminal_t *terminal, apr_pool_t *p)
{
    const char *where = finding->vhost;

    if (finding->others)
        where = apr_psprintf(p, "%s and %" APR_INT64_T_FMT " more", where,
                             finding->others);
    putchar('\n');
    cli_terminal_put(terminal, severity_style(finding->severity),
                     finding->severity, 0);
    cli_terminal_wrap(terminal, (unsigned)strlen(finding->severity), INDENT,
                      apr_pstrcat(p, ": ", finding->code, " ", where, NULL));
    put_below(terminal, finding->message);
    put_below(terminal, finding->remedy);
}

void cli_status_print(const cli_status_t *status,
                      const cli_status_filter_t *filter,
                      const cli_terminal_t *terminal, apr_pool_t *p)
{
    const apr_array_header_t *rows = choose(status, filter, p);
    apr_int64_t missing =
        status->totals.certificates - (apr_int64_t)status->rows->nelts;
    int i;

    print_egress(&status->totals, terminal);
    if (!apr_is_empty_array(rows)) {
        putchar('\n');
        cli_status_table(rows, status->totals.generated, terminal, p);
    } else if (!apr_is_empty_array(status->rows)) {
        printf("\nNo certificate is like that.\n");
    }
    if (missing > 0)
        printf("\n%s not told here.\n",
               ocspx_words_number(missing, "certificate", p));
    for (i = 0; i < status->findings->nelts; i++)
        print_finding(&APR_ARRAY_IDX(status->findings, i, cli_status_finding_t),
                      terminal, p);
}

/* --- one ------------------------------------------------------------- */

static unsigned label_width(void)
{
    const ocspx_report_field_t *field;
    size_t width = 0;

    for (field = ocspx_report_row_fields; field->key; field++)
        if (strlen(field->label) > width)
            width = strlen(field->label);
    return (unsigned)width + 2;
}

/* Times are told twice: for the log, and for the reader. */
static const char *value(const ocspx_report_field_t *field, const void *row,
                         apr_time_t now, apr_pool_t *p)
{
    const char *text = ocspx_report_text(field, row, p);
    apr_time_t t;

    if (!text)
        return "-";
    if (field->kind == OCSPX_REPORT_DURATION)
        return apr_pstrcat(p, text, " s", NULL);
    if (field->kind != OCSPX_REPORT_TIME)
        return text;
    memcpy(&t, (const char *)row + field->offset, sizeof(t));
    return apr_pstrcat(p, text, " (", ocspx_words_when(t, now, p), ")", NULL);
}

static void print_attempt(const cli_status_attempt_t *attempt, apr_time_t now,
                          const cli_terminal_t *terminal, apr_pool_t *p)
{
    const char *took =
        attempt->took < 0 ? "-" : ocspx_words_took(attempt->took, p);
    const char *status =
        attempt->http_status
            ? apr_psprintf(p, "HTTP %" APR_INT64_T_FMT, attempt->http_status)
            : "no answer";

    put_below(terminal,
              apr_psprintf(p, "%-14s %-8s %-9s %s%s%s",
                           ocspx_words_when(attempt->time, now, p), took,
                           status, attempt->cause ? attempt->cause : "ok",
                           attempt->cause_line ? ": " : "",
                           attempt->cause_line ? attempt->cause_line : ""));
}

void cli_status_print_cert(const cli_status_t *status,
                           const ocspx_report_row_t *row,
                           const cli_terminal_t *terminal, apr_pool_t *p)
{
    const apr_time_t now = status->totals.generated;
    const unsigned width = label_width();
    const ocspx_report_field_t *field;
    int i;

    putchar('\n');
    for (field = ocspx_report_row_fields; field->key; field++) {
        cli_terminal_put(terminal, CLI_TERMINAL_BOLD, field->label, width);
        cli_terminal_wrap(terminal, width, width, value(field, row, now, p));
    }
    if (!status->history || apr_is_empty_array(status->history))
        return;
    printf("\nLast attempts\n");
    for (i = 0; i < status->history->nelts; i++)
        print_attempt(&APR_ARRAY_IDX(status->history, i, cli_status_attempt_t),
                      now, terminal, p);
}
