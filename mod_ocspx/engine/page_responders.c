/* page_responders: who is asked, how fast they are, and who fails. */
#include "page_private.h"

#include "../core/words.h"

/* So many are shown, those that fail first. */
#define RESPONDERS_MAX 50

static apr_int64_t attempts_of(const ocspx_ledger_host_t *host)
{
    apr_int64_t n = 0;
    int i;

    for (i = 0; i < OCSPX_CAUSE_GROUP_COUNT; i++)
        n += (apr_int64_t)host->attempts[i];
    return n;
}

static void put_result(const ocspx_page_run_t *run,
                       const ocspx_ledger_host_t *host, apr_int64_t attempts,
                       apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;

    ocspx_html_put(html, "<td class=\"state\">");
    if (host->failing_since) {
        ocspx_page_severity_icon(html, ocspx_cause_severity(host->cause));
        ocspx_html_put(html, "<span>Failing<small>",
                       ocspx_cause_code(host->cause), ", for ",
                       ocspx_words_span(run->now - host->failing_since, p),
                       "</small></span>");
    } else if (attempts) {
        ocspx_page_state_icon(html, OCSPX_REPORT_STAPLED, OCSPX_PAGE_GOOD);
        ocspx_html_put(html, "<span>Answers</span>");
    } else {
        ocspx_page_state_icon(html, OCSPX_REPORT_WAITING, OCSPX_PAGE_PLAIN);
        ocspx_html_put(html, "<span>Not asked yet</span>");
    }
    ocspx_html_put(html, "</td>");
}

static void put_host(const ocspx_page_run_t *run,
                     const ocspx_ledger_host_t *host, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;
    apr_int64_t attempts = attempts_of(host);
    apr_int64_t ok = (apr_int64_t)host->attempts[OCSPX_CAUSE_GROUP_OK];

    ocspx_html_put(html, "<tr>");
    put_result(run, host, attempts, p);
    ocspx_html_put(
        html, "<th scope=\"row\">", host->name, "</th><td class=\"requests\">",
        ocspx_words_count((apr_int64_t)host->requests, p),
        "</td><td class=\"attempts\">", ocspx_words_count(ok, p), " of ",
        ocspx_words_count(attempts, p), "</td><td class=\"average\">",
        attempts ? ocspx_words_took(host->duration_sum / attempts, p) : "",
        "</td></tr>");
}

/* @return how many of them were shown */
static int put_hosts(const ocspx_page_run_t *run, int failing, int max,
                     apr_pool_t *p)
{
    const apr_array_header_t *hosts = run->report->responders;
    int shown = 0;
    int i;

    for (i = 0; i < hosts->nelts && shown < max; i++) {
        const ocspx_ledger_host_t *host =
            &APR_ARRAY_IDX(hosts, i, const ocspx_ledger_host_t);

        if (!host->failing_since != !failing)
            continue;
        put_host(run, host, p);
        shown++;
    }
    return shown;
}

void ocspx_page_responders(const ocspx_page_run_t *run, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;
    int n = run->report->responders->nelts;
    int shown;

    if (!n)
        return;
    ocspx_html_put(html,
                   "<section class=\"card\" aria-labelledby=\"responders\">"
                   "<h2 id=\"responders\">Responders</h2>"
                   "<table class=\"rows\"><caption>All attempts since "
                   "the server was started, by what is asked first."
                   "</caption><thead><tr><th scope=\"col\">State</th>"
                   "<th scope=\"col\">Responder</th>"
                   "<th scope=\"col\">Requests</th>"
                   "<th scope=\"col\">Answered well</th>"
                   "<th scope=\"col\">On average in</th></tr></thead><tbody>");
    shown = put_hosts(run, 1, RESPONDERS_MAX, p);
    shown += put_hosts(run, 0, RESPONDERS_MAX - shown, p);
    ocspx_html_put(html, "</tbody></table>");
    if (n > shown)
        ocspx_html_put(html, "<p class=\"soft\">",
                       ocspx_words_count(n - shown, p),
                       " more are in the JSON.</p>");
    ocspx_html_put(html, "</section>");
}
