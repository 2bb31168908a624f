/* page_cert: the page of one certificate: how it is, every field of its row,
 * and the last attempts.
 */
#include "page_private.h"

#include <apr_strings.h>

#include "../core/words.h"
#include "timeline.h"

/* --- how it is ------------------------------------------------------- */

/* "Failing: still stapled until ..., in 3 h." */
static void put_outlook(const ocspx_page_run_t *run,
                        const ocspx_report_row_t *row, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;
    const char *hint = ocspx_page_row_hint(row);

    ocspx_html_put(html, "<p>",
                   ocspx_page_state_word(ocspx_page_state(row->state)),
                   *hint ? ": " : "", hint, "");
    if (row->safe_until) {
        ocspx_html_put(html, " until ");
        ocspx_page_time(html, row->safe_until, p);
        ocspx_html_put(html, ", ",
                       ocspx_words_when(row->safe_until, run->now, p),
                       ", if nothing changes");
    }
    ocspx_html_put(html, ".</p>");
}

static void put_heading(const ocspx_page_run_t *run,
                        const ocspx_report_row_t *row, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;

    ocspx_html_put(html,
                   "<p class=\"back\"><a href=\"?\">All certificates</a></p>"
                   "<div class=\"verdict ",
                   ocspx_page_tone_class(ocspx_page_row_tone(row)), "\">");
    ocspx_page_state_icon(html, ocspx_page_state(row->state),
                          ocspx_page_row_tone(row));
    ocspx_html_put(html, "<div><h1>", row->name, "</h1>");
    put_outlook(run, row, p);
    ocspx_html_put(html, "</div></div>");
}

static void put_problem(const ocspx_page_run_t *run,
                        const ocspx_report_row_t *row, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;

    if (!row->message)
        return;
    ocspx_html_put(html, "<section class=\"card ",
                   ocspx_page_tone_class(ocspx_page_row_tone(row)),
                   "\" aria-labelledby=\"problem\"><h2 id=\"problem\">",
                   row->remedy ? "What is wrong" : "Why", "</h2>");
    ocspx_page_problem(run, row, p);
    ocspx_html_put(html, "</section>");
}

static void put_response(const ocspx_page_run_t *run,
                         const ocspx_report_row_t *row, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;

    if (!ocspx_timeline_end(row))
        return;
    ocspx_html_put(html,
                   "<section class=\"card\" aria-labelledby=\"response\">"
                   "<h2 id=\"response\">The response</h2>"
                   "<div class=\"life large ",
                   ocspx_page_tone_class(ocspx_page_row_tone(row)), "\">");
    ocspx_timeline_print(html, row, run->now, 0, p);
    ocspx_page_legend(html);
    ocspx_html_put(html, "</div>");
    if (row->safe_until)
        ocspx_html_put(html, "<p><a href=\"?cert=", row->fingerprint,
                       "&amp;format=der\">Download the response</a> "
                       "<span class=\"soft\">(DER, what you would mail to the "
                       "CA)</span></p>");
    ocspx_html_put(html, "</section>");
}

/* --- every field ----------------------------------------------------- */

static void put_list(const ocspx_html_t *html, const apr_array_header_t *list)
{
    int i;

    ocspx_html_put(html, "<ul>");
    for (i = 0; i < list->nelts; i++)
        ocspx_html_put(html, "<li>", APR_ARRAY_IDX(list, i, const char *),
                       "</li>");
    ocspx_html_put(html, "</ul>");
}

static void put_moment(const ocspx_page_run_t *run, apr_time_t t, apr_pool_t *p)
{
    ocspx_page_time(run->html, t, p);
    ocspx_html_put(run->html, " <span class=\"soft\">(",
                   ocspx_words_when(t, run->now, p), ")</span>");
}

/* One that there is; times, durations and flags are numbers, too. */
static void put_value(const ocspx_page_run_t *run,
                      const ocspx_report_field_t *field, const void *at,
                      apr_pool_t *p)
{
    const apr_int64_t *n = at;

    switch (field->kind) {
    case OCSPX_REPORT_TEXT:
        ocspx_html_text(run->html, *(const char *const *)at);
        break;
    case OCSPX_REPORT_LIST:
        put_list(run->html, *(const apr_array_header_t *const *)at);
        break;
    case OCSPX_REPORT_TIME:
        put_moment(run, *n, p);
        break;
    case OCSPX_REPORT_DURATION:
        ocspx_html_text(run->html, ocspx_words_took(*n, p));
        break;
    case OCSPX_REPORT_COUNT:
        ocspx_html_text(run->html, ocspx_words_count(*n, p));
        break;
    case OCSPX_REPORT_FLAG:
        ocspx_html_text(run->html, *n ? "yes" : "no");
        break;
    }
}

static void put_field(const ocspx_page_run_t *run,
                      const ocspx_report_field_t *field,
                      const ocspx_report_row_t *row, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;
    const char *at = (const char *)row + field->offset;

    ocspx_html_put(html, "<tr><th scope=\"row\">", field->label,
                   "</th><td id=\"field-", field->key, "\">");
    if (ocspx_report_text(field, row, p))
        put_value(run, field, at, p);
    else
        ocspx_html_put(html, "<span class=\"soft\">none</span>");
    ocspx_html_put(html, "</td></tr>");
}

static void put_fields(const ocspx_page_run_t *run,
                       const ocspx_report_row_t *row, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;
    const ocspx_report_field_t *field;

    ocspx_html_put(html, "<section class=\"card\" aria-labelledby=\"facts\">"
                         "<h2 id=\"facts\">Everything known</h2>"
                         "<table class=\"fields\"><tbody>");
    for (field = ocspx_report_row_fields; field->key; field++)
        put_field(run, field, row, p);
    ocspx_html_put(html, "</tbody></table></section>");
}

/* --- the last attempts ----------------------------------------------- */

static void put_attempt(const ocspx_page_run_t *run,
                        const ocspx_ledger_attempt_t *attempt, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;
    int ok = ocspx_cause_group(attempt->cause) == OCSPX_CAUSE_GROUP_OK;

    ocspx_html_put(html, "<tr><td class=\"when\">");
    ocspx_page_time(html, attempt->time, p);
    ocspx_html_put(html, "<small>",
                   ocspx_words_when(attempt->time, run->now, p),
                   "</small></td><td class=\"state\">");
    if (ok)
        ocspx_page_state_icon(html, OCSPX_REPORT_STAPLED, OCSPX_PAGE_GOOD);
    else
        ocspx_page_severity_icon(html, ocspx_cause_severity(attempt->cause));
    if (attempt->cause == OCSPX_CAUSE_NONE)
        ocspx_html_put(html, "<span>A new response</span>");
    else
        ocspx_html_put(html, "<span>", ocspx_cause_code(attempt->cause),
                       "<small>", ocspx_cause_line(attempt->cause),
                       "</small></span>");
    ocspx_html_put(
        html, "</td><td class=\"took\">", ocspx_words_took(attempt->took, p),
        "</td><td class=\"http\">",
        attempt->http_status ? apr_itoa(p, attempt->http_status) : "none",
        "</td></tr>");
}

static void put_attempts(const ocspx_page_run_t *run, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;
    ocspx_ledger_attempt_t attempts[OCSPX_LEDGER_ATTEMPTS];
    unsigned n = ocspx_report_history(attempts, run->report);
    unsigned i;

    ocspx_html_put(html, "<section class=\"card\" aria-labelledby=\"history\">"
                         "<h2 id=\"history\">The last attempts</h2>");
    if (!n)
        ocspx_html_put(html, "<p class=\"soft\">There was none yet.</p>");
    else
        ocspx_html_put(
            html, "<table class=\"rows\"><thead><tr>"
                  "<th scope=\"col\">When</th><th scope=\"col\">Result"
                  "</th><th scope=\"col\">Took</th>"
                  "<th scope=\"col\">HTTP status</th></tr></thead><tbody>");
    for (i = 0; i < n; i++)
        put_attempt(run, &attempts[i], p);
    ocspx_html_put(html, n ? "</tbody></table></section>" : "</section>");
}

/* The same certificate may be stapled in one virtual host and not in another.
 */
static void put_elsewhere(const ocspx_page_run_t *run, unsigned i,
                          apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;
    ocspx_report_row_t row;

    ocspx_report_row(&row, run->report, i, p);
    ocspx_html_put(html, "<section class=\"card\"><h2>Elsewhere: ",
                   ocspx_page_state_word(ocspx_page_state(row.state)), "</h2>");
    ocspx_page_problem(run, &row, p);
    ocspx_html_put(html, "</section>");
}

void ocspx_page_certificate(const ocspx_page_run_t *run, apr_pool_t *p)
{
    ocspx_report_row_t row;
    unsigned i;

    ocspx_report_row(&row, run->report, 0, p);
    put_heading(run, &row, p);
    put_problem(run, &row, p);
    for (i = 1; i < run->report->count; i++)
        put_elsewhere(run, i, p);
    put_response(run, &row, p);
    put_fields(run, &row, p);
    put_attempts(run, p);
}
