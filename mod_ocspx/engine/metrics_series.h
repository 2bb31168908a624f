/* metrics_series: what has series of its own: some certificates, some
 * responders, and no more than that of either.
 */
#ifndef OCSPX_METRICS_SERIES_H
#define OCSPX_METRICS_SERIES_H

#include "metrics.h"

#define OCSPX_METRICS_UNKNOWN (-1)

/** The values of one certificate, times in seconds; or OCSPX_METRICS_UNKNOWN.
 */
typedef struct {
    const char *labels;
    apr_int64_t start, expiry;
    apr_int64_t staple_expiry, next_refresh, this_update, held_until;
    apr_int64_t failing_since;
    apr_int64_t failures, stapled, must_staple;
} ocspx_metrics_cert_t;

/** Of the rows on the page: ocspx_metrics_cert_t, not two with the same
 * labels. */
apr_array_header_t *ocspx_metrics_series_certs(const ocspx_report_t *report,
                                               apr_pool_t *p);

/** ocspx_ledger_host_t, not two with the same name; all that are too many as
 * one. */
apr_array_header_t *
ocspx_metrics_series_responders(const ocspx_report_t *report, apr_pool_t *p);

#endif
