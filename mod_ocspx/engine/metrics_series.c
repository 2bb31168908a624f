/* metrics_series: what has series of its own: some certificates, some
 * responders, and no more than that of either. A series that is there twice
 * would make all of the output invalid.
 */
#include "metrics_series.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>

#include "metrics_text.h"

/* Enough of the fingerprint to tell certificates apart. */
#define FINGERPRINT 16

/* --- certificates ---------------------------------------------------- */

static int in_state(const ocspx_report_row_t *row, ocspx_report_state_e state)
{
    return !strcmp(row->state, ocspx_report_state_name(state));
}

static apr_int64_t seconds(apr_time_t t)
{
    return t ? apr_time_sec(t) : OCSPX_METRICS_UNKNOWN;
}

/* Nobody here knows what another module staples. */
static void fill(ocspx_metrics_cert_t *cert, const ocspx_report_row_t *row,
                 apr_time_t now)
{
    int elsewhere = in_state(row, OCSPX_REPORT_OTHER_PROVIDER);
    int wanted = !elsewhere && !in_state(row, OCSPX_REPORT_NOT_APPLICABLE) &&
                 !in_state(row, OCSPX_REPORT_WITHHELD);

    cert->start = seconds(row->not_before);
    cert->expiry = seconds(row->not_after);
    cert->staple_expiry = seconds(row->safe_until);
    cert->next_refresh = seconds(row->next_try);
    cert->this_update = seconds(row->this_update);
    cert->held_until = seconds(row->held_until);
    cert->failing_since = seconds(row->failing_since);
    cert->failures = row->index == -1U ? OCSPX_METRICS_UNKNOWN : row->tries;
    cert->stapled = wanted ? row->safe_until > now : OCSPX_METRICS_UNKNOWN;
    cert->must_staple = elsewhere ? OCSPX_METRICS_UNKNOWN : row->must_staple;
}

static const char *labels_of(const ocspx_report_row_t *row, apr_pool_t *p)
{
    const char *fingerprint = apr_pstrndup(p, row->fingerprint, FINGERPRINT);

    return apr_pstrcat(
        p, ocspx_metrics_text_label("certificate", row->name, p), ",",
        ocspx_metrics_text_label("fingerprint", fingerprint, p), NULL);
}

/* A certificate may be stapled at one place and left alone at another; the
 * worse row comes first. */
static void add_cert(apr_array_header_t *certs, apr_hash_t *seen,
                     const ocspx_report_row_t *row, apr_time_t now,
                     apr_pool_t *p)
{
    const char *labels = labels_of(row, p);
    ocspx_metrics_cert_t *cert;

    if (apr_hash_get(seen, labels, APR_HASH_KEY_STRING))
        return;
    cert = apr_array_push(certs);
    cert->labels = apr_pstrdup(certs->pool, labels);
    fill(cert, row, now);
    apr_hash_set(seen, cert->labels, APR_HASH_KEY_STRING, cert->labels);
}

apr_array_header_t *ocspx_metrics_series_certs(const ocspx_report_t *report,
                                               apr_pool_t *p)
{
    apr_array_header_t *certs =
        apr_array_make(p, 64, sizeof(ocspx_metrics_cert_t));
    apr_hash_t *seen = apr_hash_make(p);
    ocspx_report_row_t row;
    apr_pool_t *rowp;
    unsigned i;

    apr_pool_create(&rowp, p);
    for (i = 0; i < report->count && i < OCSPX_METRICS_CERTIFICATES; i++) {
        ocspx_report_row(&row, report, i, rowp);
        add_cert(certs, seen, &row, report->totals.generated, rowp);
        apr_pool_clear(rowp);
    }
    apr_pool_destroy(rowp);
    return certs;
}

/* --- responders ------------------------------------------------------ */

static void add_up(ocspx_ledger_host_t *sum, const ocspx_ledger_host_t *host)
{
    unsigned i;

    for (i = 0; i < OCSPX_CAUSE_GROUP_COUNT; i++)
        sum->attempts[i] += host->attempts[i];
    for (i = 0; i < OCSPX_LEDGER_BUCKETS; i++)
        sum->durations[i] += host->durations[i];
    sum->duration_sum += host->duration_sum;
}

static ocspx_ledger_host_t *find(const apr_array_header_t *hosts,
                                 const char *name)
{
    int i;

    for (i = 0; i < hosts->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(hosts, i, ocspx_ledger_host_t).name, name))
            return &APR_ARRAY_IDX(hosts, i, ocspx_ledger_host_t);
    return NULL;
}

/* The first in the configuration, so that a reload seldom moves one from or
 * to the others. Long names, once cut, may be the same. */
apr_array_header_t *
ocspx_metrics_series_responders(const ocspx_report_t *report, apr_pool_t *p)
{
    apr_array_header_t *hosts =
        apr_array_make(p, 8, sizeof(ocspx_ledger_host_t));
    int i;

    for (i = 0; i < report->responders->nelts; i++) {
        ocspx_ledger_host_t host =
            APR_ARRAY_IDX(report->responders, i, ocspx_ledger_host_t);
        ocspx_ledger_host_t *sum;

        if (i >= OCSPX_METRICS_RESPONDERS)
            host.name = "other";
        sum = find(hosts, host.name);
        if (sum)
            add_up(sum, &host);
        else
            APR_ARRAY_PUSH(hosts, ocspx_ledger_host_t) = host;
    }
    return hosts;
}
