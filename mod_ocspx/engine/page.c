/* page: the report as one HTML document: its frame, and the list. */
#include "page_private.h"

#include <apr_strings.h>
#include <string.h>

#include "../core/words.h"

/* --- the frame ------------------------------------------------------- */

static const char *title(const ocspx_page_run_t *run, apr_pool_t *p)
{
    ocspx_page_tone_e tone;
    ocspx_report_row_t row;

    if (!run->page->query->report.cert)
        return ocspx_page_verdict(&tone, run->totals, p);
    ocspx_report_row(&row, run->report, 0, p);
    return row.name;
}

static void put_head(const ocspx_page_run_t *run, apr_pool_t *p)
{
    ocspx_html_put(
        run->html,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">"
        "\n<meta name=\"viewport\" content=\"width=device-width, "
        "initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light "
        "dark\">\n<meta name=\"robots\" content=\"noindex\">\n<title>",
        title(run, p), " &ndash; OCSP stapling on ", run->page->host,
        "</title>\n<style>");
    ocspx_html_put(run->html, ocspx_page_style, "", "</style>\n</head>\n");
}

static void put_banner(const ocspx_page_run_t *run, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;

    ocspx_html_put(html,
                   "<body>\n<a class=\"skip\" href=\"#main\">Skip to the "
                   "report</a>\n<header><p><b>OCSP stapling</b> on ",
                   run->page->host, "</p><p class=\"soft\">");
    ocspx_page_time(html, run->now, p);
    ocspx_html_put(html, "</p></header>\n");
    ocspx_page_symbols(html);
    ocspx_html_put(html, "\n<main id=\"main\">\n");
}

/* The same in another format. */
static void put_link(const ocspx_page_run_t *run, ocspx_query_format_e format,
                     const char *name, apr_pool_t *p)
{
    ocspx_query_t query = *run->page->query;

    query.format = format;
    if (format == OCSPX_QUERY_OPENMETRICS)
        query.report = (ocspx_report_query_t){0};
    ocspx_html_put(run->html, " <a href=\"?", ocspx_query_write(&query, p),
                   "\">", name, "</a>");
}

static void put_footer(const ocspx_page_run_t *run, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;

    ocspx_html_put(html, "</main>\n<footer><p>mod_ocspx ", run->totals->version,
                   ", made ");
    ocspx_page_time(html, run->now, p);
    ocspx_html_put(html, "</p><p>The same as");
    put_link(run, OCSPX_QUERY_JSON, "JSON", p);
    ocspx_html_put(html, " or");
    put_link(run, OCSPX_QUERY_OPENMETRICS, "metrics", p);
    ocspx_html_put(html, "</p></footer>\n</body>\n</html>\n");
}

/* --- the list -------------------------------------------------------- */

static void put_choice(const ocspx_page_run_t *run, ocspx_report_state_e state)
{
    const ocspx_html_t *html = run->html;
    const char *name = ocspx_report_state_name(state);
    const char *asked = run->page->query->report.state;

    ocspx_html_put(html, "<option value=\"", name,
                   asked && !strcmp(asked, name) ? "\" selected>" : "\">",
                   ocspx_page_state_word(state), "</option>");
}

static void put_form(const ocspx_page_run_t *run)
{
    const ocspx_html_t *html = run->html;
    const char *search = run->page->query->report.search;
    int i;

    ocspx_html_put(html,
                   "<form role=\"search\" action=\"?\" method=\"get\">"
                   "<p><label for=\"q\">Name, place or responder</label>"
                   "<input type=\"search\" id=\"q\" name=\"q\" value=\"",
                   search ? search : "",
                   "\"></p><p><label for=\"state\">State</label>"
                   "<select id=\"state\" name=\"state\">"
                   "<option value=\"\">any</option>");
    for (i = 0; i < OCSPX_REPORT_STATES; i++)
        put_choice(run, (ocspx_report_state_e)i);
    ocspx_html_put(html,
                   "</select></p><p><button type=\"submit\">Show</button></p>"
                   "</form>");
}

static void put_turn(const ocspx_page_run_t *run, unsigned to, const char *rel,
                     const char *words, apr_pool_t *p)
{
    ocspx_query_t query = *run->page->query;

    query.report.page = to;
    ocspx_html_put(run->html, "<a rel=\"", rel, "\" href=\"?",
                   ocspx_query_write(&query, p), "\">", words, "</a> ");
}

static void put_paging(const ocspx_page_run_t *run, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;
    const ocspx_report_t *report = run->report;

    if (report->pages < 2)
        return;
    ocspx_html_put(html, "<nav class=\"paging\" aria-label=\"Pages\">");
    if (report->page > 1)
        put_turn(run, report->page - 1, "prev", "Previous page", p);
    ocspx_html_put(html, "<span>Page ", ocspx_words_count(report->page, p),
                   " of ", ocspx_words_count(report->pages, p), "</span> ");
    if (report->page < report->pages)
        put_turn(run, report->page + 1, "next", "Next page", p);
    ocspx_html_put(html, "</nav>");
}

static void put_caption(const ocspx_page_run_t *run, apr_pool_t *p)
{
    const ocspx_report_t *report = run->report;

    ocspx_html_put(run->html, "<caption>",
                   ocspx_words_number(report->matching, "certificate", p), "");
    if (report->matching < run->totals->certificates)
        ocspx_html_put(run->html, " of ",
                       ocspx_words_count(run->totals->certificates, p), "");
    ocspx_html_put(run->html, report->matching > 1 ? ", worst first</caption>"
                                                   : "</caption>");
}

static void put_rows(const ocspx_page_run_t *run, apr_pool_t *p)
{
    apr_pool_t *row;
    unsigned i;

    apr_pool_create(&row, p);
    for (i = 0; i < run->report->count; i++) {
        apr_pool_clear(row);
        ocspx_page_row(run, i, row);
    }
    apr_pool_destroy(row);
}

static void put_table(const ocspx_page_run_t *run, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;

    ocspx_html_put(html, "<table class=\"list\">");
    put_caption(run, p);
    ocspx_html_put(html, "<thead><tr><th scope=\"col\">State</th>"
                         "<th scope=\"col\">Certificate</th>"
                         "<th scope=\"col\">Safe until</th>"
                         "<th scope=\"col\">Life of the response</th>"
                         "<th scope=\"col\">Responder</th></tr></thead>\n");
    put_rows(run, p);
    ocspx_html_put(html, "</table>");
    ocspx_page_legend(html);
}

static void put_list(const ocspx_page_run_t *run, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;

    ocspx_html_put(html,
                   "<section class=\"card\" aria-labelledby=\"certificates\">"
                   "<div class=\"title\">"
                   "<h2 id=\"certificates\">Certificates</h2>");
    put_form(run);
    ocspx_html_put(html, "</div>");
    if (run->report->count)
        put_table(run, p);
    else
        ocspx_html_put(html, "<p>There is none, or none like this.</p>");
    put_paging(run, p);
    ocspx_html_put(html, "</section>");
}

void ocspx_page_print(const ocspx_page_t *page, const ocspx_html_t *html,
                      apr_pool_t *p)
{
    const ocspx_page_run_t run = {.html = html,
                                  .page = page,
                                  .report = page->report,
                                  .totals = &page->report->totals,
                                  .now = page->report->totals.generated};

    put_head(&run, p);
    put_banner(&run, p);
    if (page->query->report.cert) {
        ocspx_page_certificate(&run, p);
    } else {
        ocspx_page_top(&run, p);
        ocspx_page_findings(&run, p);
        put_list(&run, p);
        ocspx_page_responders(&run, p);
    }
    put_footer(&run, p);
}
