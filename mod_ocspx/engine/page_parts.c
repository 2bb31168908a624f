/* page_parts: what the parts of the page have in common: words and shapes for
 * states, times, problems.
 */
#include "page_private.h"

#include <string.h>

#include "../core/text.h"
#include "../core/words.h"
#include "timeline.h"

const char *ocspx_page_tone_class(ocspx_page_tone_e tone)
{
    static const char *const names[] = {
        [OCSPX_PAGE_PLAIN] = "plain",
        [OCSPX_PAGE_GOOD] = "good",
        [OCSPX_PAGE_WARN] = "warn",
        [OCSPX_PAGE_BAD] = "bad",
    };

    return names[tone];
}

/* --- states ---------------------------------------------------------- */

static const struct {
    const char *word;
    ocspx_page_tone_e tone;
    const char *shape; /* in a square of 16, filled but for what is cut out */
} states[OCSPX_REPORT_STATES] = {
    [OCSPX_REPORT_FAILING] = {"Failing", OCSPX_PAGE_BAD,
                              "<path d=\"M8 1 15.5 14.5H.5z\"/>"
                              "<path class=\"cut\" d=\"M8 6v3.4m0 2.6v.1\"/>"},
    [OCSPX_REPORT_REVOKED] =
        {"Revoked", OCSPX_PAGE_BAD,
         "<path d=\"M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5z\"/>"
         "<path class=\"cut\" d=\"m5.2 5.2 5.6 5.6m0-5.6-5.6 5.6\"/>"},
    [OCSPX_REPORT_WITHHELD] =
        {"Withheld", OCSPX_PAGE_BAD,
         "<path class=\"line\" d=\"M8 1.6a6.4 6.4 0 1 0 0 12.8A6.4 6.4 0 0 0 "
         "8 1.6zM3.5 12.5l9-9\"/>"},
    [OCSPX_REPORT_WAITING] =
        {"Waiting", OCSPX_PAGE_PLAIN,
         "<path class=\"line\" d=\"M8 1.6a6.4 6.4 0 1 0 0 12.8A6.4 6.4 0 0 0 "
         "8 1.6zM8 4.5V8l2.6 1.8\"/>"},
    [OCSPX_REPORT_STAPLED] =
        {"Stapled", OCSPX_PAGE_GOOD,
         "<circle cx=\"8\" cy=\"8\" r=\"7.3\"/>"
         "<path class=\"cut\" d=\"m4.6 8.3 2.4 2.4 4.4-5\"/>"},
    [OCSPX_REPORT_OTHER_PROVIDER] =
        {"Other module", OCSPX_PAGE_PLAIN,
         "<path class=\"line\" d=\"M7 2H2v12h12V9M9 2h5v5M14 2 7.5 8.5\"/>"},
    [OCSPX_REPORT_NOT_APPLICABLE] = {"Not applicable", OCSPX_PAGE_PLAIN,
                                     "<path class=\"line\" d=\"M2.5 8h11\"/>"},
};

ocspx_report_state_e ocspx_page_state(const char *name)
{
    int i = 0;

    while (i < OCSPX_REPORT_NOT_APPLICABLE &&
           strcmp(name, ocspx_report_state_name((ocspx_report_state_e)i)) != 0)
        i++;
    return (ocspx_report_state_e)i;
}

const char *ocspx_page_state_word(ocspx_report_state_e state)
{
    return states[state].word;
}

ocspx_page_tone_e ocspx_page_state_tone(ocspx_report_state_e state)
{
    return states[state].tone;
}

void ocspx_page_symbols(const ocspx_html_t *html)
{
    int i;

    ocspx_html_put(html, "<svg class=\"symbols\" aria-hidden=\"true\">");
    for (i = 0; i < OCSPX_REPORT_STATES; i++) {
        ocspx_html_put(html, "<symbol id=\"i-",
                       ocspx_report_state_name((ocspx_report_state_e)i),
                       "\" viewBox=\"0 0 16 16\">");
        ocspx_html_put(html, states[i].shape, "", "</symbol>");
    }
    ocspx_html_put(html,
                   "<symbol id=\"i-info\" viewBox=\"0 0 16 16\">"
                   "<path class=\"line\" d=\"M8 1.6a6.4 6.4 0 1 0 0 12.8A6.4 "
                   "6.4 0 0 0 8 1.6zM8 7.2v4.3M8 4.4v1.4\"/></symbol></svg>");
}

static void icon(const ocspx_html_t *html, ocspx_page_tone_e tone,
                 const char *symbol)
{
    ocspx_html_put(html, "<svg class=\"icon ", ocspx_page_tone_class(tone),
                   "\" aria-hidden=\"true\"><use href=\"#i-", symbol,
                   "\"/></svg>");
}

void ocspx_page_state_icon(const ocspx_html_t *html, ocspx_report_state_e state,
                           ocspx_page_tone_e tone)
{
    icon(html, tone, ocspx_report_state_name(state));
}

void ocspx_page_severity_icon(const ocspx_html_t *html,
                              ocspx_cause_severity_e severity)
{
    if (severity == OCSPX_CAUSE_INFO)
        icon(html, OCSPX_PAGE_PLAIN, "info");
    else if (severity == OCSPX_CAUSE_WARNING)
        icon(html, OCSPX_PAGE_WARN, "failing");
    else
        icon(html, OCSPX_PAGE_BAD, "revoked");
}

/* --- times ----------------------------------------------------------- */

void ocspx_page_when(const ocspx_page_run_t *run, apr_time_t t, apr_pool_t *p)
{
    ocspx_html_put(run->html, "<time datetime=\"", ocspx_text_time(t, p),
                   "\" title=\"", ocspx_words_time(t, p), "\">",
                   ocspx_words_when(t, run->now, p), "</time>");
}

void ocspx_page_time(const ocspx_html_t *html, apr_time_t t, apr_pool_t *p)
{
    ocspx_html_put(html, "<time datetime=\"", ocspx_text_time(t, p), "\">",
                   ocspx_words_time(t, p), "</time>");
}

void ocspx_page_date(const ocspx_html_t *html, apr_time_t t, apr_pool_t *p)
{
    ocspx_html_put(html, "<time datetime=\"", ocspx_text_time(t, p), "\">",
                   ocspx_words_date(t, p), "</time>");
}

/* --- rows ------------------------------------------------------------ */

ocspx_page_tone_e ocspx_page_row_tone(const ocspx_report_row_t *row)
{
    ocspx_report_state_e state = ocspx_page_state(row->state);

    if (state == OCSPX_REPORT_FAILING && row->safe_until)
        return OCSPX_PAGE_WARN;
    return states[state].tone;
}

const char *ocspx_page_row_hint(const ocspx_report_row_t *row)
{
    switch (ocspx_page_state(row->state)) {
    case OCSPX_REPORT_FAILING:
        return row->safe_until ? "still stapled" : "not stapled";
    case OCSPX_REPORT_REVOKED:
        return "stapled";
    case OCSPX_REPORT_WITHHELD:
        return "not stapled";
    case OCSPX_REPORT_WAITING:
        return "not stapled yet";
    case OCSPX_REPORT_STAPLED:
    case OCSPX_REPORT_OTHER_PROVIDER:
    case OCSPX_REPORT_NOT_APPLICABLE:
    case OCSPX_REPORT_STATES:
        break;
    }
    return "";
}

/* "The host refuses connections: 192.0.2.1:80 refused the connection." */
static void put_facts(const ocspx_html_t *html, const ocspx_report_row_t *row)
{
    size_t len = strlen(row->message);

    if (row->cause_line && strcmp(row->cause_line, row->message) != 0)
        ocspx_html_put(html, "", row->cause_line, ": ");
    ocspx_html_text(html, row->message);
    if (!len || row->message[len - 1] != '.')
        ocspx_html_put(html, ".");
}

static void put_series(const ocspx_page_run_t *run,
                       const ocspx_report_row_t *row, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;

    ocspx_html_put(html, "Failing since ");
    ocspx_page_time(html, row->failing_since, p);
    ocspx_html_put(html, " (",
                   ocspx_words_when(row->failing_since, run->now, p), "), ",
                   ocspx_words_number(row->tries, "failed attempt", p));
    if (row->next_try > run->now) {
        ocspx_html_put(html, "; next try ");
        ocspx_page_when(run, row->next_try, p);
    }
    ocspx_html_put(html, row->next_try > run->now ? ". " : "; next try now. ");
}

static void put_places(const ocspx_html_t *html,
                       const apr_array_header_t *vhosts, apr_pool_t *p)
{
    if (!vhosts->nelts)
        return;
    ocspx_html_put(html, "Used by ", APR_ARRAY_IDX(vhosts, 0, const char *),
                   "");
    if (vhosts->nelts > 1)
        ocspx_html_put(html, " and ",
                       ocspx_words_number(vhosts->nelts - 1, "other", p), "");
    ocspx_html_put(html, ".");
}

void ocspx_page_problem(const ocspx_page_run_t *run,
                        const ocspx_report_row_t *row, apr_pool_t *p)
{
    const ocspx_html_t *html = run->html;

    ocspx_html_put(html, "<div class=\"problem\"><p>");
    if (row->cause)
        ocspx_html_put(html, "<strong class=\"code\">", row->cause,
                       "</strong> ");
    put_facts(html, row);
    ocspx_html_put(html, "</p>");
    if (row->remedy)
        ocspx_html_put(html, "<p><b>What to do:</b> ", row->remedy, "</p>");
    ocspx_html_put(html, "<p class=\"soft\">");
    if (row->failing_since)
        put_series(run, row, p);
    put_places(html, row->vhosts, p);
    ocspx_html_put(html, "</p></div>");
}

/* --- legend ---------------------------------------------------------- */

void ocspx_page_legend(const ocspx_html_t *html)
{
    static const char *const words[OCSPX_TIMELINE_SIGNS] = {
        [OCSPX_TIMELINE_OVER] =
            "part of the response&rsquo;s life that is over",
        [OCSPX_TIMELINE_LEFT] = "what is left",
        [OCSPX_TIMELINE_NOW] = "now",
        [OCSPX_TIMELINE_NEXT_TRY] = "next refresh",
        [OCSPX_TIMELINE_CERT_END] = "end of the certificate",
    };
    int i;

    ocspx_html_put(html, "<p class=\"legend soft\">");
    for (i = 0; i < OCSPX_TIMELINE_SIGNS; i++) {
        ocspx_html_put(html, "<span>");
        ocspx_timeline_sign(html, (ocspx_timeline_sign_e)i);
        ocspx_html_put(html, words[i], "", "</span> ");
    }
    ocspx_html_put(html, "</p>");
}
