/* metrics: the report as monitoring wants it: OpenMetrics, Prometheus' own
 * text, and the lines of mod_status's ?auto.
 *
 *   ap_set_content_type(r, ocspx_metrics_type(format));
 *   ocspx_metrics_print(report, format, write, r, p);
 */
#ifndef OCSPX_METRICS_H
#define OCSPX_METRICS_H

#include <apr_pools.h>

#include "report.h"

typedef enum {
    OCSPX_METRICS_OPENMETRICS, /* 1.0 */
    OCSPX_METRICS_PROMETHEUS   /* text format 0.0.4 */
} ocspx_metrics_format_e;

/** So many of the report's rows have series of their own, worst first. */
#define OCSPX_METRICS_CERTIFICATES 1000

/** So many responders have; the others are one, named "other". */
#define OCSPX_METRICS_RESPONDERS 100

/** Takes each piece of the output. */
typedef void ocspx_metrics_write_fn(void *baton, const char *piece,
                                    apr_size_t len);

/** The media type, as in Content-Type. */
const char *ocspx_metrics_type(ocspx_metrics_format_e format);

/**
 * All metrics. The series of certificates are of the rows on the report's
 * page, so the page should be the first and hold OCSPX_METRICS_CERTIFICATES.
 * What is unknown is left out.
 */
void ocspx_metrics_print(const ocspx_report_t *report,
                         ocspx_metrics_format_e format,
                         ocspx_metrics_write_fn *write, void *baton,
                         apr_pool_t *p);

/** The totals as lines of mod_status's ?auto: "OcspxCertificates: 12". */
void ocspx_auto_print(const ocspx_report_t *report,
                      ocspx_metrics_write_fn *write, void *baton,
                      apr_pool_t *p);

#endif
