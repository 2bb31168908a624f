/* page_private: what the files of page share. */
#ifndef OCSPX_PAGE_PRIVATE_H
#define OCSPX_PAGE_PRIVATE_H

#include "page.h"

/** A page under way. */
typedef struct {
    const ocspx_html_t *html;
    const ocspx_page_t *page;
    const ocspx_report_t *report;
    const ocspx_report_totals_t *totals;
    apr_time_t now;
} ocspx_page_run_t;

/* --- page_parts: small things ---------------------------------------- */

/** How bad is it? Names a class of the style sheet. */
typedef enum {
    OCSPX_PAGE_PLAIN,
    OCSPX_PAGE_GOOD,
    OCSPX_PAGE_WARN,
    OCSPX_PAGE_BAD
} ocspx_page_tone_e;

const char *ocspx_page_tone_class(ocspx_page_tone_e tone);

/** Of the state of this name. */
ocspx_report_state_e ocspx_page_state(const char *name);
const char *ocspx_page_state_word(ocspx_report_state_e state);
ocspx_page_tone_e ocspx_page_state_tone(ocspx_report_state_e state);

/** The drawings that the icons refer to; once, before them. */
void ocspx_page_symbols(const ocspx_html_t *html);

/** An icon that is never alone: its word is beside it. */
void ocspx_page_state_icon(const ocspx_html_t *html, ocspx_report_state_e state,
                           ocspx_page_tone_e tone);
void ocspx_page_severity_icon(const ocspx_html_t *html,
                              ocspx_cause_severity_e severity);

/** "in 3 h", with the time itself for programs and for who points at it. */
void ocspx_page_when(const ocspx_page_run_t *run, apr_time_t t, apr_pool_t *p);
/** "2026-11-21 09:30:00 UTC" */
void ocspx_page_time(const ocspx_html_t *html, apr_time_t t, apr_pool_t *p);
/** "21 Nov 09:30" */
void ocspx_page_date(const ocspx_html_t *html, apr_time_t t, apr_pool_t *p);

/** What is wrong with a certificate and what to do: of a row with a message. */
void ocspx_page_problem(const ocspx_page_run_t *run,
                        const ocspx_report_row_t *row, apr_pool_t *p);

/** How bad this row is: who fails and still staples has time. */
ocspx_page_tone_e ocspx_page_row_tone(const ocspx_report_row_t *row);
/** "still stapled", "not stapled" ..., or "". */
const char *ocspx_page_row_hint(const ocspx_report_row_t *row);

/** Explains the bars. */
void ocspx_page_legend(const ocspx_html_t *html);

/* --- the larger ones ------------------------------------------------- */

/** One sentence; @a tone says how bad it is. */
const char *ocspx_page_verdict(ocspx_page_tone_e *tone,
                               const ocspx_report_totals_t *totals,
                               apr_pool_t *p);

/** The verdict and the totals. */
void ocspx_page_top(const ocspx_page_run_t *run, apr_pool_t *p);

/** The way out, and what the chain check found; nothing if all is well. */
void ocspx_page_findings(const ocspx_page_run_t *run, apr_pool_t *p);

/** Row @a i of the list. */
void ocspx_page_row(const ocspx_page_run_t *run, unsigned i, apr_pool_t *p);

/** The responders: below the list. */
void ocspx_page_responders(const ocspx_page_run_t *run, apr_pool_t *p);

/** All about the only certificate on the page. */
void ocspx_page_certificate(const ocspx_page_run_t *run, apr_pool_t *p);

#endif
