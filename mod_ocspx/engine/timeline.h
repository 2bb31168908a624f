/* timeline: the life of a response as a bar. */
#ifndef OCSPX_TIMELINE_H
#define OCSPX_TIMELINE_H

#include <apr_pools.h>

#include "html.h"
#include "report.h"

/**
 * Draw when the response of @a row began and ends, how much of that is over at
 * @a now, the next try, and the end of the certificate where it is near. Inline
 * SVG that says the same in words, and dates; nothing where there is no
 * response.
 * @param number makes it unique on the page
 */
void ocspx_timeline_print(const ocspx_html_t *html,
                          const ocspx_report_row_t *row, apr_time_t now,
                          unsigned number, apr_pool_t *p);

/** The bar's signs, for a legend. */
typedef enum {
    OCSPX_TIMELINE_OVER,
    OCSPX_TIMELINE_LEFT,
    OCSPX_TIMELINE_NOW,
    OCSPX_TIMELINE_NEXT_TRY,
    OCSPX_TIMELINE_CERT_END,
    OCSPX_TIMELINE_SIGNS
} ocspx_timeline_sign_e;

void ocspx_timeline_sign(const ocspx_html_t *html, ocspx_timeline_sign_e sign);

/** When the response ends: must not be used any more; 0: there is none. */
apr_time_t ocspx_timeline_end(const ocspx_report_row_t *row);

#endif
