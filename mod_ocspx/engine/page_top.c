/* page_top: what one look tells: the verdict and the totals. */
#include "page_private.h"

#include <apr_strings.h>
#include <string.h>

#include "../core/words.h"

/* --- the verdict ----------------------------------------------------- */

/* What becomes of the certificates that are ours to staple. */
typedef struct {
    apr_int64_t ours, attention, waiting, chains;
} sums_t;

static sums_t sums_of(const ocspx_report_totals_t *totals)
{
    const apr_int64_t *states = totals->states;

    return (sums_t){
        .ours = totals->certificates - states[OCSPX_REPORT_OTHER_PROVIDER] -
                states[OCSPX_REPORT_NOT_APPLICABLE],
        .attention = states[OCSPX_REPORT_FAILING] +
                     states[OCSPX_REPORT_REVOKED] +
                     states[OCSPX_REPORT_WITHHELD],
        .waiting = states[OCSPX_REPORT_WAITING],
        .chains = totals->findings[OCSPX_CAUSE_ERROR],
    };
}

static const char *of_all(apr_int64_t n, const ocspx_report_totals_t *totals,
                          apr_pool_t *p)
{
    return apr_pstrcat(
        p, ocspx_words_count(n, p), " of ",
        ocspx_words_number(totals->certificates, "certificate", p), NULL);
}

static const char *warning(const sums_t *sums,
                           const ocspx_report_totals_t *totals, apr_pool_t *p)
{
    const char *chains =
        ocspx_words_number(sums->chains, "certificate chain", p);

    if (!sums->chains)
        return apr_pstrcat(p, of_all(sums->attention, totals, p),
                           sums->attention == 1 ? " needs attention"
                                                : " need attention",
                           NULL);
    if (!sums->attention)
        return apr_pstrcat(
            p, chains,
            sums->chains == 1 ? " needs attention" : " need attention", NULL);
    return apr_pstrcat(p, of_all(sums->attention, totals, p), " and ", chains,
                       " need attention", NULL);
}

static const char *all_is_well(apr_int64_t ours,
                               const ocspx_report_totals_t *totals,
                               apr_pool_t *p)
{
    if (ours < totals->certificates)
        return apr_pstrcat(p, of_all(ours, totals, p),
                           ours == 1 ? " is to be stapled, and is"
                                     : " are to be stapled, and all are",
                           NULL);
    if (ours == 1)
        return "The certificate is stapled";
    return apr_pstrcat(p, ours == 2 ? "Both" : "All ",
                       ours == 2 ? "" : ocspx_words_count(ours, p),
                       " certificates are stapled", NULL);
}

const char *ocspx_page_verdict(ocspx_page_tone_e *tone,
                               const ocspx_report_totals_t *totals,
                               apr_pool_t *p)
{
    sums_t sums = sums_of(totals);

    *tone = OCSPX_PAGE_BAD;
    if (sums.attention || sums.chains)
        return warning(&sums, totals, p);
    *tone = OCSPX_PAGE_PLAIN;
    if (sums.waiting)
        return apr_pstrcat(p, of_all(sums.waiting, totals, p),
                           sums.waiting == 1 ? " waits" : " wait",
                           " for a first response", NULL);
    if (!totals->certificates)
        return "There is no certificate here";
    if (!sums.ours)
        return "No certificate here is to be stapled";
    *tone = OCSPX_PAGE_GOOD;
    return all_is_well(sums.ours, totals, p);
}

static void put_earliest(const ocspx_page_run_t *run, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;
    const ocspx_report_totals_t *totals = run->totals;

    if (totals->earliest_safe_until) {
        ocspx_html_put(html, "<p>If nothing changes, the first staple ends ");
        ocspx_page_when(run, totals->earliest_safe_until, p);
        ocspx_html_put(html, ", that of ", totals->earliest, ".</p>");
    } else if (totals->certificates) {
        ocspx_html_put(html, "<p>Nothing is stapled now.</p>");
    }
}

static ocspx_report_state_e state_of_tone(ocspx_page_tone_e tone,
                                          const ocspx_report_totals_t *totals)
{
    if (tone == OCSPX_PAGE_BAD)
        return OCSPX_REPORT_FAILING;
    if (tone == OCSPX_PAGE_GOOD)
        return OCSPX_REPORT_STAPLED;
    return totals->states[OCSPX_REPORT_WAITING] ? OCSPX_REPORT_WAITING
                                                : OCSPX_REPORT_NOT_APPLICABLE;
}

static void put_verdict(const ocspx_page_run_t *run, apr_pool_t *p)
{
    ocspx_page_tone_e tone;
    const char *verdict = ocspx_page_verdict(&tone, run->totals, p);

    ocspx_html_put(run->html, "<div class=\"verdict ",
                   ocspx_page_tone_class(tone), "\">");
    ocspx_page_state_icon(run->html, state_of_tone(tone, run->totals), tone);
    ocspx_html_put(run->html, "<div><h1>", verdict, "</h1>");
    put_earliest(run, p);
    ocspx_html_put(run->html, "</div></div>");
}

/* --- totals ---------------------------------------------------------- */

static void put_state(const ocspx_page_run_t *run, ocspx_report_state_e state,
                      apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;
    const char *name = ocspx_report_state_name(state);
    const char *asked = run->page->query->report.state;

    ocspx_html_put(html, "<li><a href=\"?state=", name, "\"");
    if (asked && !strcmp(asked, name))
        ocspx_html_put(html, " aria-current=\"true\"");
    ocspx_html_put(html, ">");
    ocspx_page_state_icon(html, state, ocspx_page_state_tone(state));
    ocspx_html_put(html, "<b>",
                   ocspx_words_count(run->totals->states[state], p), "</b> ",
                   ocspx_page_state_word(state), "</a></li>");
}

/* So that one of ten thousand can be seen, too. */
#define PART_LEAST 5
#define PART_GAP 3

/* @return where the next one begins */
static double put_part(const ocspx_page_run_t *run, double x,
                       ocspx_report_state_e state, apr_pool_t *p)
{
    double width = 1000 * (double)run->totals->states[state] /
                   (double)run->totals->certificates;

    if (width < PART_LEAST)
        width = PART_LEAST;
    ocspx_html_put(run->html, "<rect class=\"",
                   ocspx_page_tone_class(ocspx_page_state_tone(state)),
                   "\" x=\"", apr_psprintf(p, "%.1f", x), "\" width=\"",
                   apr_psprintf(p, "%.1f", width - PART_GAP),
                   "\" height=\"8\"/>");
    return x + width;
}

/* In proportion; nothing that the list beside it does not say. */
static void put_shares(const ocspx_page_run_t *run, apr_pool_t *p)
{
    double x = 0;
    int i;

    if (!run->totals->certificates)
        return;
    ocspx_html_put(run->html,
                   "<svg class=\"shares\" viewBox=\"0 0 997 8\" "
                   "preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    for (i = 0; i < OCSPX_REPORT_STATES; i++)
        if (run->totals->states[i])
            x = put_part(run, x, (ocspx_report_state_e)i, p);
    ocspx_html_put(run->html, "</svg>");
}

static void put_states(const ocspx_page_run_t *run, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;
    int i;

    ocspx_html_put(html, "<nav aria-label=\"Certificates by state\">"
                         "<ul class=\"states\"><li><a href=\"?\"");
    if (!run->page->query->report.state && !run->page->query->report.search)
        ocspx_html_put(html, " aria-current=\"true\"");
    ocspx_html_put(html, "><b>",
                   ocspx_words_count(run->totals->certificates, p),
                   "</b> in all</a></li>");
    for (i = 0; i < OCSPX_REPORT_STATES; i++)
        if (run->totals->states[i])
            put_state(run, (ocspx_report_state_e)i, p);
    ocspx_html_put(html, "</ul></nav>");
}

static void put_fact(const ocspx_html_t *html, const char *label,
                     const char *value, const char *detail)
{
    ocspx_html_put(html, "<li><span>", label, "</span> <b>", value, "</b>");
    if (*detail)
        ocspx_html_put(html, " <small>", detail, "</small>");
    ocspx_html_put(html, "</li>");
}

/* The counters are in memory that every worker can write. */
static const char *percent(apr_int64_t part, apr_int64_t all, apr_pool_t *p)
{
    int thousandths;

    if (part < 0 || part > all)
        return "unknown";
    if (part == all)
        return "100 %";
    thousandths = (int)(1000 * (double)part / (double)all);
    return apr_psprintf(p, "%d.%d %%", thousandths / 10, thousandths % 10);
}

static apr_int64_t sum(apr_int64_t a, apr_int64_t b)
{
    return (apr_int64_t)((apr_uint64_t)a + (apr_uint64_t)b);
}

static void put_handshakes(const ocspx_page_run_t *run, apr_pool_t *p)
{
    const ocspx_report_totals_t *totals = run->totals;
    apr_int64_t bare = sum(totals->empty, totals->expired);
    apr_int64_t asked = sum(totals->stapled, bare);
    const char *detail = "";

    if (asked)
        detail =
            apr_pstrcat(p, "of ", ocspx_words_count(asked, p), " that asked; ",
                        ocspx_words_count(bare, p), " got none", NULL);
    if (totals->expired)
        detail =
            apr_pstrcat(p, detail, ", ", ocspx_words_count(totals->expired, p),
                        " of them as it had expired", NULL);
    put_fact(run->html, "Handshakes stapled",
             asked ? percent(totals->stapled, asked, p) : "none yet", detail);
}

/* "214 attempts: 200 ok, 10 egress, 4 responder" */
static const char *results(const ocspx_report_totals_t *totals, apr_pool_t *p)
{
    const char *list = "";
    apr_int64_t all = 0;
    int i;

    for (i = 0; i < OCSPX_CAUSE_GROUP_COUNT; i++) {
        if (!totals->results[i])
            continue;
        all = sum(all, totals->results[i]);
        list =
            apr_pstrcat(p, list, *list ? ", " : ": ",
                        ocspx_words_count(totals->results[i], p), " ",
                        ocspx_cause_group_name((ocspx_cause_group_e)i), NULL);
    }
    return apr_pstrcat(p, ocspx_words_number(all, "attempt", p), list, NULL);
}

static void put_responders(const ocspx_page_run_t *run, apr_pool_t *p)
{
    const apr_array_header_t *hosts = run->report->responders;
    int failing = 0;
    int i;

    for (i = 0; i < hosts->nelts; i++)
        failing +=
            APR_ARRAY_IDX(hosts, i, const ocspx_ledger_host_t).failing_since !=
            0;
    put_fact(run->html, "Responders that fail",
             apr_psprintf(p, "%d of %d", failing, hosts->nelts),
             results(run->totals, p));
}

static void put_refresher(const ocspx_page_run_t *run, apr_pool_t *p)
{
    const ocspx_report_totals_t *totals = run->totals;

    if (!totals->refresher_pid)
        put_fact(run->html, "Refresher", "none yet", "");
    else
        put_fact(run->html, "Refresher looked",
                 ocspx_words_when(totals->refresher_turn, run->now, p),
                 apr_psprintf(p, "process %" APR_INT64_T_FMT,
                              totals->refresher_pid));
}

static void put_share(const ocspx_page_run_t *run, apr_pool_t *p)
{
    const ocspx_report_totals_t *totals = run->totals;
    const char *state = "works";

    if (!totals->share)
        return;
    if (totals->share_down_since)
        state = apr_pstrcat(
            p, ocspx_cause_code(OCSPX_CAUSE_SHARE_DOWN), ", ",
            ocspx_words_when(totals->share_down_since, run->now, p), NULL);
    put_fact(run->html, "Shared store", state,
             apr_pstrcat(p, totals->share, ": ",
                         ocspx_words_count(totals->share_hits, p), " found, ",
                         ocspx_words_count(totals->share_misses, p), " not, ",
                         ocspx_words_count(totals->share_bad, p), " wrong, ",
                         ocspx_words_count(totals->share_puts, p), " put",
                         NULL));
}

static void put_facts(const ocspx_page_run_t *run, apr_pool_t *p)
{
    const ocspx_report_totals_t *totals = run->totals;

    ocspx_html_put(run->html, "<ul class=\"facts\">");
    put_handshakes(run, p);
    put_responders(run, p);
    put_refresher(run, p);
    put_fact(
        run->html, "Cache in use", ocspx_words_size(totals->cache_used, p),
        apr_pstrcat(p, "of ", ocspx_words_size(totals->cache_bytes, p), NULL));
    put_share(run, p);
    ocspx_html_put(run->html, "</ul>");
}

void ocspx_page_top(const ocspx_page_run_t *run, apr_pool_t *p)
{
    put_verdict(run, p);
    put_shares(run, p);
    put_states(run, p);
    put_facts(run, p);
}
