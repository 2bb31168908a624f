/* status_section: what mod_status's page says about stapling: the totals, and
 * the certificates that are worst off; in the plain manner of that page.
 */
#include "status.h"

#include <http_protocol.h>
#include <mod_status.h>

#include "../core/words.h"
#include "../engine/html.h"
#include "../engine/metrics.h"
#include "source.h"

#define ROWS_MAX 10

typedef struct {
    ocspx_html_t html;
    const ocspx_report_t *report;
    int tables; /* may there be any? */
    apr_pool_t *p;
} section_t;

static const char *until(const section_t *section, apr_time_t t)
{
    return t ? ocspx_words_when(t, section->report->totals.generated,
                                section->p)
             : "not stapled";
}

static void put_totals(const section_t *section)
{
    const ocspx_html_t *html = &section->html;
    const ocspx_report_totals_t *totals = &section->report->totals;
    int i;

    ocspx_html_put(
        html, "<hr>\n<h2>OCSP stapling (mod_ocspx ", totals->version,
        ")</h2>\n<dl><dt>",
        ocspx_words_number(totals->certificates, "certificate", section->p),
        "");
    for (i = 0; i < OCSPX_REPORT_STATES; i++)
        if (totals->states[i])
            ocspx_html_put(
                html, ", ", ocspx_words_count(totals->states[i], section->p),
                " ", ocspx_report_state_name((ocspx_report_state_e)i), "");
    ocspx_html_put(html, "</dt>\n");
    if (totals->earliest_safe_until)
        ocspx_html_put(html, "<dt>First to end: ", totals->earliest, ", ",
                       until(section, totals->earliest_safe_until), "</dt>\n");
    if (totals->egress)
        ocspx_html_put(html, "<dt>", totals->egress, ": ",
                       totals->egress_message, ". ", totals->egress_remedy,
                       "</dt>\n");
    ocspx_html_put(html, "</dl>\n");
}

static void put_row(const section_t *section, const ocspx_report_row_t *row)
{
    const ocspx_html_t *html = &section->html;
    const char *cell = section->tables ? "</td><td>" : ": ";

    ocspx_html_put(html, section->tables ? "<tr><td>" : "<p>", row->state, cell,
                   row->name, cell, until(section, row->safe_until), "");
    if (section->tables || row->cause)
        ocspx_html_put(html, cell, row->cause ? row->cause : "", "");
    if (section->tables || row->message)
        ocspx_html_put(html, cell, row->message ? row->message : "", "");
    ocspx_html_put(html, section->tables ? "</td></tr>\n" : "</p>\n");
}

static void put_rows(const section_t *section)
{
    const ocspx_html_t *html = &section->html;
    ocspx_report_row_t row;
    unsigned i;

    if (!section->report->count)
        return;
    if (section->tables)
        ocspx_html_put(html,
                       "<table border=\"0\"><tr><th>State</th>"
                       "<th>Certificate</th><th>Safe until</th><th>Cause</th>"
                       "<th>Message</th></tr>\n");
    for (i = 0; i < section->report->count; i++) {
        ocspx_report_row(&row, section->report, i, section->p);
        put_row(section, &row);
    }
    if (section->tables)
        ocspx_html_put(html, "</table>\n");
    if (section->report->matching > section->report->count)
        ocspx_html_put(html, "<p>and ",
                       ocspx_words_count(section->report->matching -
                                             section->report->count,
                                         section->p),
                       " more, none of them worse</p>\n");
}

int ocspx_status_section(request_rec *r, int flags)
{
    const ocspx_report_query_t query = {.page = 1, .page_length = ROWS_MAX};
    const ocspx_report_source_t source =
        ocspx_source_of(ocspx_generation_current());
    const section_t section = {
        .html = {ocspx_status_write, r},
        .report = ocspx_report_make(&source, &query, apr_time_now(), r->pool),
        .tables = !(flags & AP_STATUS_NOTABLE),
        .p = r->pool};

    if (flags & AP_STATUS_SHORT) {
        ocspx_auto_print(section.report, ocspx_status_write, r, r->pool);
        return OK;
    }
    put_totals(&section);
    put_rows(&section);
    return OK;
}
