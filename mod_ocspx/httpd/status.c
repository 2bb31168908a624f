/* status: the handler ocspx-status: the report as HTML, JSON or metrics, and
 * the response of a certificate as it is stapled.
 */
#include "status.h"

#include <apr_lib.h>
#include <apr_optional_hooks.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_protocol.h>
#include <mod_status.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "../engine/metrics.h"
#include "../engine/page.h"
#include "source.h"

#define HANDLER "ocspx-status"

void ocspx_status_write(void *baton, const char *piece, apr_size_t len)
{
    request_rec *r = baton;

    if (!r->connection->aborted)
        ap_rwrite(piece, (int)len, r);
}

/* --- headers --------------------------------------------------------- */

/* As a policy names the style sheet (CSP 3, 2.3.1): by its SHA-256. */
static const char *style_hash(apr_pool_t *p)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned char *text;
    unsigned len = 0;

    EVP_Digest(ocspx_page_style, strlen(ocspx_page_style), digest, &len,
               EVP_sha256(), NULL);
    text = apr_palloc(p, 4 * ((apr_size_t)len + 2) / 3 + 1);
    EVP_EncodeBlock(text, digest, (int)len);
    return (const char *)text;
}

static void set_headers(request_rec *r)
{
    apr_table_t *headers = r->headers_out;

    apr_table_setn(headers, "Content-Security-Policy",
                   apr_pstrcat(r->pool,
                               "default-src 'none'; style-src 'sha256-",
                               style_hash(r->pool),
                               "'; form-action 'self'; base-uri 'none'; "
                               "frame-ancestors 'none'",
                               NULL));
    apr_table_setn(headers, "Cache-Control", "no-store");
    apr_table_setn(headers, "X-Content-Type-Options", "nosniff");
    apr_table_setn(headers, "Referrer-Policy", "no-referrer");
    apr_table_mergen(headers, "Vary", "Accept");
}

/* --- answers --------------------------------------------------------- */

/* @param why one sentence, which repeats nothing of the request */
static int refuse(request_rec *r, int status, const char *why)
{
    r->status = status;
    ap_set_content_type(r, "text/plain; charset=utf-8");
    ap_rvputs(r, why, "\n", NULL);
    return OK;
}

/* One that is in the registry: nobody else has a response. @return 0: none */
static int find_entry(ocspx_report_row_t *row, const ocspx_report_t *report,
                      apr_pool_t *p)
{
    unsigned i;

    for (i = 0; i < report->count; i++) {
        ocspx_report_row(row, report, i, p);
        if (row->index != -1U)
            return 1;
    }
    return 0;
}

/* A name for the file that no file system and no header minds. */
static const char *file_name(const char *name, apr_pool_t *p)
{
    char *safe = apr_pstrndup(p, name, 64);
    char *c;

    for (c = safe; *c; c++)
        if (!apr_isalnum(*c) && *c != '-' && *c != '.')
            *c = '_';
    return safe;
}

static int send_response(request_rec *r, const ocspx_report_t *report)
{
    const ocspx_cache_t *cache = report->source->cache;
    ocspx_report_row_t row;
    unsigned char *der = NULL;
    int len = 0;

    if (cache && find_entry(&row, report, r->pool))
        len = ocspx_cache_peek(&der, cache, row.index, apr_time_now());
    if (!len)
        return refuse(r, HTTP_NOT_FOUND,
                      "There is no response for this certificate now.");
    ap_set_content_type(r, "application/ocsp-response");
    apr_table_setn(r->headers_out, "Content-Disposition",
                   apr_pstrcat(r->pool, "attachment; filename=\"",
                               file_name(row.name, r->pool), ".ocsp.der\"",
                               NULL));
    ap_set_content_length(r, len);
    ap_rwrite(der, len, r);
    OPENSSL_free(der);
    return OK;
}

static int send_page(request_rec *r, const ocspx_report_t *report,
                     const ocspx_query_t *query)
{
    const ocspx_html_t html = {ocspx_status_write, r};
    const ocspx_page_t page = {report, query, r->server->server_hostname};

    ap_set_content_type(r, "text/html; charset=utf-8");
    ocspx_page_print(&page, &html, r->pool);
    return OK;
}

static int send_json(request_rec *r, const ocspx_report_t *report)
{
    ap_set_content_type(r, "application/json");
    ocspx_report_print_json(report, ocspx_status_write, r, r->pool);
    return OK;
}

static int send_metrics(request_rec *r, const ocspx_report_t *report,
                        ocspx_metrics_format_e format)
{
    ap_set_content_type(r, ocspx_metrics_type(format));
    ocspx_metrics_print(report, format, ocspx_status_write, r, r->pool);
    return OK;
}

static int send_any(request_rec *r, const ocspx_report_t *report,
                    const ocspx_query_t *query)
{
    switch (query->format) {
    case OCSPX_QUERY_JSON:
        return send_json(r, report);
    case OCSPX_QUERY_OPENMETRICS:
        return send_metrics(r, report, OCSPX_METRICS_OPENMETRICS);
    case OCSPX_QUERY_PROMETHEUS:
        return send_metrics(r, report, OCSPX_METRICS_PROMETHEUS);
    case OCSPX_QUERY_DER:
        return send_response(r, report);
    case OCSPX_QUERY_UNSAID:
    case OCSPX_QUERY_HTML:
        break;
    }
    return send_page(r, report, query);
}

/* JSON is for programs, and has all where no page is asked for. */
static void set_page(ocspx_query_t *query)
{
    switch (query->format) {
    case OCSPX_QUERY_OPENMETRICS:
    case OCSPX_QUERY_PROMETHEUS:
        query->report.page = 1;
        query->report.page_length = OCSPX_METRICS_CERTIFICATES;
        break;
    case OCSPX_QUERY_HTML:
        if (!query->report.page)
            query->report.page = 1;
        break;
    case OCSPX_QUERY_UNSAID:
    case OCSPX_QUERY_JSON:
    case OCSPX_QUERY_DER:
        break;
    }
}

static int answer(request_rec *r, ocspx_query_t *query)
{
    const ocspx_report_source_t source =
        ocspx_source_of(ocspx_generation_current());
    const ocspx_report_t *report;

    set_page(query);
    report =
        ocspx_report_make(&source, &query->report, apr_time_now(), r->pool);
    if (query->report.cert && !report->matching)
        return refuse(r, HTTP_NOT_FOUND, "There is no such certificate here.");
    if (report->page > report->pages)
        return refuse(r, HTTP_NOT_FOUND, "There is no such page.");
    return send_any(r, report, query);
}

static int handle(request_rec *r)
{
    ocspx_query_t query;
    const char *wrong;

    if (!r->handler || strcmp(r->handler, HANDLER) != 0)
        return DECLINED;
    set_headers(r);
    if (r->method_number != M_GET) {
        apr_table_setn(r->headers_out, "Allow", "GET, HEAD");
        return refuse(r, HTTP_METHOD_NOT_ALLOWED,
                      "This can only be read, by GET or HEAD.");
    }
    wrong = ocspx_query_read(&query, r->args, r->pool);
    if (wrong)
        return refuse(r,
                      strlen(r->args) > OCSPX_QUERY_MAX
                          ? HTTP_REQUEST_URI_TOO_LARGE
                          : HTTP_BAD_REQUEST,
                      wrong);
    if (query.format == OCSPX_QUERY_UNSAID)
        query.format =
            ocspx_query_accept(apr_table_get(r->headers_in, "Accept"), r->pool);
    return answer(r, &query);
}

void ocspx_status_register_hooks(apr_pool_t *p)
{
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(ap, status_hook, ocspx_status_section, NULL, NULL,
                      APR_HOOK_MIDDLE);
    (void)p;
}
