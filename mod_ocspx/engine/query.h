/* query: what a request for the status page asks for: the query string and
 * the Accept header, which come from anybody. Knows nothing of httpd.
 */
#ifndef OCSPX_QUERY_H
#define OCSPX_QUERY_H

#include <apr_pools.h>

#include "report.h"

typedef enum {
    OCSPX_QUERY_UNSAID, /* as ocspx_query_accept says */
    OCSPX_QUERY_HTML,
    OCSPX_QUERY_JSON,
    OCSPX_QUERY_OPENMETRICS,
    OCSPX_QUERY_PROMETHEUS, /* its text format 0.0.4 */
    OCSPX_QUERY_DER         /* the response of one certificate */
} ocspx_query_format_e;

typedef struct {
    ocspx_report_query_t report;
    ocspx_query_format_e format;
} ocspx_query_t;

/** Longer query strings are refused; in bytes. */
#define OCSPX_QUERY_MAX 4096

/**
 * Read a query string: format, cert, q, state and page, each at most once;
 * one that is empty is as good as none.
 * @param args as it came, without the question mark; NULL: none
 * @return NULL, or in one sentence what is wrong with it, which repeats
 *         nothing of it
 */
const char *ocspx_query_read(ocspx_query_t *query, const char *args,
                             apr_pool_t *p);

/** The query string that stands for @a query; "" where it asks for all. Has
 * no character that is special in HTML but "&". */
const char *ocspx_query_write(const ocspx_query_t *query, apr_pool_t *p);

/**
 * The format that an Accept header likes best (RFC 9110, 12.5.1): never
 * UNSAID or DER; HTML where there is none (NULL), or it likes nothing of ours.
 */
ocspx_query_format_e ocspx_query_accept(const char *accept, apr_pool_t *p);

#endif
