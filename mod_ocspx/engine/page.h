/* page: the report as one HTML document: whole without script or any other
 * file, so that it can be served with the strictest of policies.
 *
 * page.c has its frame and the list of certificates, page_top.c the verdict and
 * the totals, page_findings.c what the chain check found, page_row.c a row of
 * the list, page_responders.c who is asked, page_cert.c the page of one
 * certificate, page_parts.c what these have in common, timeline.c the bar,
 * page_style.c the style sheet.
 */
#ifndef OCSPX_PAGE_H
#define OCSPX_PAGE_H

#include <apr_pools.h>

#include "html.h"
#include "query.h"
#include "report.h"

typedef struct {
    const ocspx_report_t *report; /* made for the query; with one certificate
                                     asked for, that is on it */
    const ocspx_query_t *query;
    const char *host; /* of the server, for the heading */
} ocspx_page_t;

/** What stands between <style> and </style>, to the byte. */
extern const char ocspx_page_style[];

/** Write the document; the memory of one row is used at a time. */
void ocspx_page_print(const ocspx_page_t *page, const ocspx_html_t *html,
                      apr_pool_t *p);

#endif
