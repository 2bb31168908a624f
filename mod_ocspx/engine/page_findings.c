/* page_findings: what is wrong with more than one certificate: the way out,
 * and what the chain check found.
 */
#include "page_private.h"

#include "../core/words.h"

static void put_egress(const ocspx_page_run_t *run)
{
    const ocspx_html_t *html = run->html;
    const ocspx_report_totals_t *totals = run->totals;

    if (!totals->egress)
        return;
    ocspx_html_put(html,
                   "<section class=\"card bad\" aria-labelledby=\"egress\">"
                   "<h2 id=\"egress\">The way out</h2>"
                   "<div class=\"problem\"><p>");
    ocspx_page_severity_icon(html, OCSPX_CAUSE_ERROR);
    ocspx_html_put(html, "<strong class=\"code\">", totals->egress,
                   "</strong> ", totals->egress_message,
                   ".</p><p><b>What to do:</b> ", totals->egress_remedy,
                   "</p></div></section>");
}

/* So many are shown of each severity. */
#define FINDINGS_MAX 20

static void put_finding(const ocspx_html_t *html,
                        const ocspx_report_finding_t *found, apr_pool_t *p)
{
    const ocspx_chain_finding_t *finding = &found->finding;

    ocspx_html_put(html, "<li>");
    ocspx_page_severity_icon(html, finding->severity);
    ocspx_html_put(html, "<div class=\"problem\"><p><strong class=\"code\">",
                   ocspx_cause_code(finding->cause), "</strong> (",
                   ocspx_cause_severity_name(finding->severity), ") ",
                   finding->message, ".</p><p><b>What to do:</b> ",
                   finding->remedy, "</p><p class=\"soft\">", found->place);
    if (found->others)
        ocspx_html_put(
            html, " and ",
            ocspx_words_number(found->others, "other virtual host", p), "");
    ocspx_html_put(html, "</p></div></li>");
}

static void put_findings_of(const ocspx_page_run_t *run,
                            ocspx_cause_severity_e severity, apr_pool_t *p)
{
    const apr_array_header_t *findings = run->report->source->findings;
    apr_int64_t left = run->totals->findings[severity];
    int shown = 0;
    int i;

    for (i = 0; i < findings->nelts && shown < FINDINGS_MAX; i++) {
        const ocspx_report_finding_t *found =
            &APR_ARRAY_IDX(findings, i, ocspx_report_finding_t);

        if (found->finding.severity != severity)
            continue;
        put_finding(run->html, found, p);
        shown++;
    }
    if (left > shown)
        ocspx_html_put(run->html, "<li class=\"soft\">",
                       ocspx_words_count(left - shown, p),
                       " more of this kind: see the JSON.</li>");
}

static void put_chains(const ocspx_page_run_t *run, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;
    const apr_int64_t *n = run->totals->findings;

    if (n[OCSPX_CAUSE_ERROR] || n[OCSPX_CAUSE_WARNING]) {
        ocspx_html_put(html, "<ul class=\"findings\">");
        put_findings_of(run, OCSPX_CAUSE_ERROR, p);
        put_findings_of(run, OCSPX_CAUSE_WARNING, p);
        ocspx_html_put(html, "</ul>");
    }
    if (n[OCSPX_CAUSE_INFO]) {
        ocspx_html_put(html, "<details><summary>",
                       ocspx_words_number(n[OCSPX_CAUSE_INFO], "note", p),
                       " on chains, nothing to worry about</summary>"
                       "<ul class=\"findings\">");
        put_findings_of(run, OCSPX_CAUSE_INFO, p);
        ocspx_html_put(html, "</ul></details>");
    }
}

void ocspx_page_findings(const ocspx_page_run_t *run, apr_pool_t *p)
{
    const apr_int64_t *n = run->totals->findings;

    put_egress(run);
    if (!n[OCSPX_CAUSE_ERROR] && !n[OCSPX_CAUSE_WARNING] &&
        !n[OCSPX_CAUSE_INFO])
        return;
    ocspx_html_put(run->html,
                   "<section class=\"card\" aria-labelledby=\"chains\">"
                   "<h2 id=\"chains\">Certificate chains</h2>");
    put_chains(run, p);
    ocspx_html_put(run->html, "</section>");
}
