/* metrics_text: the lines of metrics: what a family is, and its samples. */
#ifndef OCSPX_METRICS_TEXT_H
#define OCSPX_METRICS_TEXT_H

#include "metrics.h"

typedef enum {
    OCSPX_METRICS_GAUGE,
    OCSPX_METRICS_COUNTER,
    OCSPX_METRICS_HISTOGRAM
} ocspx_metrics_type_e;

/** What is said once of all samples of one name. */
typedef struct {
    const char *name; /* with its unit, without "_total" */
    ocspx_metrics_type_e type;
    const char *unit; /* NULL: none */
    const char *help; /* plain words, nothing to escape */
} ocspx_metrics_family_t;

/** Where to, and what is being printed. */
typedef struct {
    ocspx_metrics_write_fn *write;
    void *baton;
    ocspx_metrics_format_e format;
    const ocspx_metrics_family_t *family;
    apr_pool_t *p; /* for lines */
} ocspx_metrics_text_t;

/** Begin a family; its samples follow. */
void ocspx_metrics_text_begin(ocspx_metrics_text_t *text,
                              const ocspx_metrics_family_t *family);

/** One sample of it. @param suffix of the name: "_bucket" ... or ""; @param
 * labels as they are written between the braces; "": none */
void ocspx_metrics_text_sample(const ocspx_metrics_text_t *text,
                               const char *suffix, const char *labels,
                               const char *value);

/** One whose value is a whole number. */
void ocspx_metrics_text_count(const ocspx_metrics_text_t *text,
                              const char *suffix, const char *labels,
                              apr_int64_t value);

/** After the last family. */
void ocspx_metrics_text_end(const ocspx_metrics_text_t *text);

/** name="value", with anything that is not printable ASCII as \xNN, and then
 * escaped as both formats have it. */
const char *ocspx_metrics_text_label(const char *name, const char *value,
                                     apr_pool_t *p);

#endif
