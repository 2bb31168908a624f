/* status_table: rows as a table that fits the terminal.
 *
 * The columns have an order of importance, and as many are shown as fit. What
 * is left of the line goes to those that had to be cut, in the same order.
 */
#include "status_table.h"

#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#include "../core/words.h"

#define GAP 2
#define INDENT 4
#define NAME 1 /* the rank of what a row cannot do without */

/* What is being printed. */
typedef struct {
    const apr_array_header_t *rows; /* const ocspx_report_row_t * */
    apr_time_t now;
    const cli_terminal_t *terminal;
    apr_pool_t *p; /* of one row */
} table_t;

typedef struct {
    const char *title;
    const char *(*text)(const table_t *table, const ocspx_report_row_t *row);
    int rank;       /* 0: most important */
    unsigned least; /* it may be cut to this; 0: it is never cut */
} column_t;

/* --- cells ----------------------------------------------------------- */

static const char *when(const table_t *table, apr_time_t t)
{
    return t ? ocspx_words_when(t, table->now, table->p) : "-";
}

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

static const char *state(const table_t *table, const ocspx_report_row_t *row)
{
    (void)table;
    return row->state;
}

static const char *name(const table_t *table, const ocspx_report_row_t *row)
{
    (void)table;
    return row->name;
}

static const char *safe(const table_t *table, const ocspx_report_row_t *row)
{
    return when(table, row->safe_until);
}

static const char *next(const table_t *table, const ocspx_report_row_t *row)
{
    return when(table, row->next_try);
}

static const char *cause(const table_t *table, const ocspx_report_row_t *row)
{
    (void)table;
    return or_dash(row->cause);
}

static const char *stapled(const table_t *table, const ocspx_report_row_t *row)
{
    return apr_psprintf(table->p, "%" APR_INT64_T_FMT "/%" APR_INT64_T_FMT,
                        row->stapled, row->asked);
}

static const char *ends(const table_t *table, const ocspx_report_row_t *row)
{
    return when(table, row->not_after);
}

static const char *responder(const table_t *table,
                             const ocspx_report_row_t *row)
{
    (void)table;
    return or_dash(row->responder);
}

static const char *vhosts(const table_t *table, const ocspx_report_row_t *row)
{
    if (apr_is_empty_array(row->vhosts))
        return "-";
    return row->vhosts->nelts == 1
               ? APR_ARRAY_IDX(row->vhosts, 0, const char *)
               : apr_psprintf(table->p, "%s +%d",
                              APR_ARRAY_IDX(row->vhosts, 0, const char *),
                              row->vhosts->nelts - 1);
}

/* As they stand in a line. */
static const column_t columns[] = {
    {"STATE", state, 0, 0},          {"CERTIFICATE", name, NAME, 28},
    {"SAFE UNTIL", safe, 2, 0},      {"NEXT TRY", next, 3, 0},
    {"CAUSE", cause, 5, 0},          {"RESPONDER", responder, 4, 24},
    {"STAPLED", stapled, 6, 0},      {"EXPIRES", ends, 7, 0},
    {"VIRTUAL HOST", vhosts, 8, 24},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* --- widths ---------------------------------------------------------- */

static const ocspx_report_row_t *row_at(const table_t *table, int i)
{
    return APR_ARRAY_IDX(table->rows, i, const ocspx_report_row_t *);
}

/* What each column needs to show all of its cells. */
static void measure(unsigned *needs, const table_t *table)
{
    size_t c;
    int i;

    for (c = 0; c < COLUMNS; c++)
        needs[c] = (unsigned)strlen(columns[c].title);
    for (i = 0; i < table->rows->nelts; i++) {
        for (c = 0; c < COLUMNS; c++) {
            size_t len = strlen(columns[c].text(table, row_at(table, i)));

            if (len > needs[c])
                needs[c] = len > 1000 ? 1000 : (unsigned)len;
        }
        apr_pool_clear(table->p);
    }
}

static size_t of_rank(int rank)
{
    size_t c = 0;

    while (columns[c].rank != rank)
        c++;
    return c;
}

static unsigned at_least(size_t c, const unsigned *needs)
{
    return columns[c].least && columns[c].least < needs[c] ? columns[c].least
                                                           : needs[c];
}

/* 0: the column is not shown. */
static void fit(unsigned *widths, const unsigned *needs, unsigned room)
{
    unsigned left = room + GAP;
    int rank, shown;

    memset(widths, 0, COLUMNS * sizeof(*widths));
    for (shown = 0; shown < (int)COLUMNS; shown++) {
        size_t c = of_rank(shown);
        unsigned width = at_least(c, needs);

        if (columns[c].rank == NAME && width + GAP > left)
            width = left - GAP;
        if (width + GAP > left)
            break;
        left -= width + GAP;
        widths[c] = width;
    }
    for (rank = 0; rank < shown; rank++) {
        size_t c = of_rank(rank);
        unsigned more = needs[c] - widths[c];

        widths[c] += more < left ? more : left;
        left -= more < left ? more : left;
    }
}

/* --- lines ----------------------------------------------------------- */

static int is_last(const unsigned *widths, size_t c)
{
    while (++c < COLUMNS)
        if (widths[c])
            return 0;
    return 1;
}

static void put_line(const table_t *table, const unsigned *widths,
                     const ocspx_report_row_t *row)
{
    cli_terminal_style_e style =
        row ? cli_status_level_style(cli_status_judge_row(row, table->now))
            : CLI_TERMINAL_BOLD;
    size_t c;

    for (c = 0; c < COLUMNS; c++) {
        const char *text = row ? columns[c].text(table, row) : columns[c].title;

        if (!widths[c])
            continue;
        cli_terminal_put(table->terminal, row && c ? CLI_TERMINAL_PLAIN : style,
                         cli_terminal_cut(text, widths[c], table->p),
                         is_last(widths, c) ? 0 : widths[c] + GAP);
    }
    putchar('\n');
}

static void put_below(const table_t *table, const char *text)
{
    cli_terminal_wrap(table->terminal, 0, INDENT, text);
}

/* Of what fails or is revoked. */
static void explain(const table_t *table, const ocspx_report_row_t *row)
{
    apr_pool_t *p = table->p;

    if (cli_status_judge_row(row, table->now) == CLI_NAGIOS_OK || !row->cause)
        return;
    put_below(table, apr_pstrcat(p, row->cause, ": ",
                                 row->message ? row->message : "", NULL));
    if (row->failing_since)
        put_below(
            table,
            apr_psprintf(p, "failing for %s, %s",
                         ocspx_words_span(table->now - row->failing_since, p),
                         ocspx_words_number(row->tries, "attempt", p)));
    if (row->remedy)
        put_below(table, row->remedy);
}

void cli_status_table(const apr_array_header_t *rows, apr_time_t now,
                      const cli_terminal_t *terminal, apr_pool_t *p)
{
    table_t table = {rows, now, terminal, NULL};
    unsigned needs[COLUMNS], widths[COLUMNS];
    int i;

    apr_pool_create(&table.p, p);
    measure(needs, &table);
    fit(widths, needs, terminal->width);
    put_line(&table, widths, NULL);
    for (i = 0; i < rows->nelts; i++) {
        put_line(&table, widths, row_at(&table, i));
        explain(&table, row_at(&table, i));
        apr_pool_clear(table.p);
    }
    apr_pool_destroy(table.p);
}
