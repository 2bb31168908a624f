/* page_row: one certificate in the list. What is wrong with it, and what to
 * do, stands in a second row across all columns.
 */
#include "page_private.h"

#include <apr_strings.h>
#include <string.h>

#include "../core/words.h"
#include "timeline.h"

static void put_state(const ocspx_page_run_t *run,
                      const ocspx_report_row_t *row)
{
    const ocspx_html_t *html = run->html;
    ocspx_report_state_e state = ocspx_page_state(row->state);
    const char *hint = ocspx_page_row_hint(row);

    ocspx_html_put(html, "<td class=\"state\">");
    ocspx_page_state_icon(html, state, ocspx_page_row_tone(row));
    ocspx_html_put(html, "<span>", ocspx_page_state_word(state));
    if (*hint)
        ocspx_html_put(html, "<small>", hint, "</small>");
    ocspx_html_put(html, "</span></td>");
}

/* One is not worth a word. */
static void put_several(const ocspx_html_t *html,
                        const apr_array_header_t *list, const char *what,
                        apr_pool_t *p)
{
    if (list->nelts > 1)
        ocspx_html_put(html, "<span>", ocspx_words_number(list->nelts, what, p),
                       "</span> ");
}

static void put_name(const ocspx_page_run_t *run, const ocspx_report_row_t *row,
                     apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;

    ocspx_html_put(html, "<th scope=\"row\"><a href=\"?cert=", row->fingerprint,
                   "\">", row->name, "</a><small class=\"list\">");
    put_several(html, row->names, "name", p);
    put_several(html, row->vhosts, "virtual host", p);
    if (row->key_type)
        ocspx_html_put(html, "<span>", row->key_type, "</span> ");
    if (row->must_staple)
        ocspx_html_put(html, "<span>must-staple</span>");
    ocspx_html_put(html, "</small></th>");
}

static void put_safe(const ocspx_page_run_t *run, const ocspx_report_row_t *row,
                     apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;
    apr_time_t end = ocspx_timeline_end(row);

    ocspx_html_put(html, "<td class=\"safe\">");
    if (row->safe_until) {
        ocspx_html_put(html, "<b>",
                       ocspx_words_when(row->safe_until, run->now, p),
                       "</b><small>");
        ocspx_page_date(html, row->safe_until, p);
        ocspx_html_put(html, "</small>");
    } else {
        ocspx_html_put(html, "<span class=\"soft none\">not stapled</span>");
        if (end && end <= run->now)
            ocspx_html_put(html, "<small>ended ",
                           ocspx_words_when(end, run->now, p), "</small>");
    }
    ocspx_html_put(html, "</td>");
}

static void put_life(const ocspx_page_run_t *run, const ocspx_report_row_t *row,
                     unsigned number, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;

    ocspx_html_put(html, "<td class=\"life\">");
    if (ocspx_timeline_end(row))
        ocspx_timeline_print(html, row, run->now, number, p);
    else
        ocspx_html_put(html, "<span class=\"soft none\">no response</span>");
    ocspx_html_put(html, "</td>");
}

/* "ocsp.example.com:8080" of a URL; a file's name as it is. */
static const char *host_of(const char *responder, apr_pool_t *p)
{
    const char *host = strstr(responder, "://");

    if (!host)
        return responder;
    host += 3;
    return apr_pstrndup(p, host, strcspn(host, "/?#"));
}

static void put_responder(const ocspx_page_run_t *run,
                          const ocspx_report_row_t *row, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;

    ocspx_html_put(html, "<td class=\"asked\">");
    if (!row->responder) {
        ocspx_html_put(html, "<span class=\"soft none\">none</span></td>");
        return;
    }
    ocspx_html_put(html, "", host_of(row->responder, p), "");
    if (row->latency >= 0)
        ocspx_html_put(html, "<small>", ocspx_words_took(row->latency, p), "");
    if (row->latency >= 0 && row->http_status && row->http_status != 200)
        ocspx_html_put(html, ", HTTP ",
                       apr_psprintf(p, "%" APR_INT64_T_FMT, row->http_status),
                       "");
    ocspx_html_put(html, row->latency >= 0 ? "</small></td>" : "</td>");
}

/* Where nothing is wrong, a word on why it is as it is will do. */
static void put_note(const ocspx_page_run_t *run, const ocspx_report_row_t *row,
                     apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;

    ocspx_html_put(html, "<tr class=\"note\"><td colspan=\"5\">");
    if (ocspx_page_row_tone(row) == OCSPX_PAGE_PLAIN)
        ocspx_html_put(html, "<p class=\"soft\">", row->message, "</p>");
    else
        ocspx_page_problem(run, row, p);
    ocspx_html_put(html, "</td></tr>");
}

void ocspx_page_row(const ocspx_page_run_t *run, unsigned i, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;
    ocspx_report_row_t row;

    ocspx_report_row(&row, run->report, i, p);
    ocspx_html_put(html, "<tbody class=\"",
                   ocspx_page_tone_class(ocspx_page_row_tone(&row)), "\"><tr>");
    put_state(run, &row);
    put_name(run, &row, p);
    put_safe(run, &row, p);
    put_life(run, &row, i, p);
    put_responder(run, &row, p);
    ocspx_html_put(html, "</tr>");
    if (row.message)
        put_note(run, &row, p);
    ocspx_html_put(html, "</tbody>\n");
}
