/* metrics: which metrics there are, and where their values come from.
 *
 * One table of families; the formats differ in the describing lines alone. A
 * family's samples have to be together, so what the rows and the responders
 * have to say is gathered first: of each row some 200 bytes.
 */
#include "metrics.h"

#include <apr_strings.h>
#include <string.h>

#include "metrics_series.h"
#include "metrics_text.h"

/* Everything that is printed. */
typedef struct {
    const ocspx_report_totals_t *totals;
    apr_array_header_t *certs;      /* ocspx_metrics_cert_t */
    apr_array_header_t *responders; /* ocspx_ledger_host_t */
    ocspx_metrics_text_t text;
} metrics_t;

typedef struct metric_t {
    ocspx_metrics_family_t family;
    void (*print)(const metrics_t *metrics, const struct metric_t *metric);
    apr_size_t offset; /* of its value, where it is one */
} metric_t;

const char *ocspx_metrics_type(ocspx_metrics_format_e format)
{
    return format == OCSPX_METRICS_OPENMETRICS
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

static apr_int64_t value_in(const void *of, const metric_t *metric)
{
    apr_int64_t value;

    memcpy(&value, (const char *)of + metric->offset, sizeof(value));
    return value;
}

/* --- certificates ---------------------------------------------------- */

static void print_certs(const metrics_t *metrics, const metric_t *metric)
{
    int i;

    for (i = 0; i < metrics->certs->nelts; i++) {
        const ocspx_metrics_cert_t *cert =
            &APR_ARRAY_IDX(metrics->certs, i, ocspx_metrics_cert_t);
        apr_int64_t value = value_in(cert, metric);

        if (value != OCSPX_METRICS_UNKNOWN)
            ocspx_metrics_text_count(&metrics->text, "", cert->labels, value);
    }
}

/* --- responders ------------------------------------------------------ */

static const char *with(const char *labels, const char *name, const char *value,
                        apr_pool_t *p)
{
    return apr_pstrcat(p, labels, *labels ? "," : "",
                       ocspx_metrics_text_label(name, value, p), NULL);
}

static void print_results(const metrics_t *metrics, const metric_t *metric)
{
    const ocspx_metrics_text_t *text = &metrics->text;
    int i;
    unsigned j;

    (void)metric;
    for (i = 0; i < metrics->responders->nelts; i++) {
        const ocspx_ledger_host_t *host =
            &APR_ARRAY_IDX(metrics->responders, i, ocspx_ledger_host_t);
        const char *responder = with("", "responder", host->name, text->p);

        for (j = 0; j < OCSPX_CAUSE_GROUP_COUNT; j++)
            ocspx_metrics_text_count(
                text, "",
                with(responder, "result", ocspx_cause_group_name(j), text->p),
                (apr_int64_t)host->attempts[j]);
    }
}

/* The upper bound of a bucket, always in the one form that OpenMetrics
 * recommends: it is a label, and "1" and "1.0" would be two series. */
static const char *bound_text(unsigned bucket, apr_pool_t *p)
{
    static const double bounds[] = OCSPX_LEDGER_BOUNDS;
    apr_size_t len;
    char *text;

    if (bucket == OCSPX_LEDGER_BUCKETS - 1)
        return "+Inf";
    text = apr_psprintf(p, "%.3f", bounds[bucket]);
    len = strlen(text);
    while (text[len - 1] == '0' && text[len - 2] != '.')
        text[--len] = '\0';
    return text;
}

static void print_durations(const metrics_t *metrics,
                            const ocspx_ledger_host_t *host)
{
    const ocspx_metrics_text_t *text = &metrics->text;
    const char *responder = with("", "responder", host->name, text->p);
    apr_uint64_t count = 0;
    unsigned i;

    for (i = 0; i < OCSPX_LEDGER_BUCKETS; i++) {
        count += host->durations[i];
        ocspx_metrics_text_count(
            text, "_bucket",
            with(responder, "le", bound_text(i, text->p), text->p),
            (apr_int64_t)count);
    }
    ocspx_metrics_text_count(text, "_count", responder, (apr_int64_t)count);
    ocspx_metrics_text_sample(
        text, "_sum", responder,
        apr_psprintf(text->p, "%.6f",
                     (double)host->duration_sum / APR_USEC_PER_SEC));
}

static void print_histograms(const metrics_t *metrics, const metric_t *metric)
{
    int i;

    (void)metric;
    for (i = 0; i < metrics->responders->nelts; i++)
        print_durations(metrics, &APR_ARRAY_IDX(metrics->responders, i,
                                                ocspx_ledger_host_t));
}

/* --- totals ---------------------------------------------------------- */

static void print_total(const metrics_t *metrics, const metric_t *metric)
{
    ocspx_metrics_text_count(&metrics->text, "", "",
                             value_in(metrics->totals, metric));
}

static void print_total_time(const metrics_t *metrics, const metric_t *metric)
{
    apr_time_t t = value_in(metrics->totals, metric);

    if (t)
        ocspx_metrics_text_count(&metrics->text, "", "", apr_time_sec(t));
}

static void print_labelled(const metrics_t *metrics, const char *name,
                           const char *value, apr_int64_t count)
{
    const ocspx_metrics_text_t *text = &metrics->text;

    ocspx_metrics_text_count(text, "", with("", name, value, text->p), count);
}

static void print_states(const metrics_t *metrics, const metric_t *metric)
{
    ocspx_report_state_e i;

    (void)metric;
    for (i = 0; i < OCSPX_REPORT_STATES; i++)
        print_labelled(metrics, "state", ocspx_report_state_name(i),
                       metrics->totals->states[i]);
}

static void print_findings(const metrics_t *metrics, const metric_t *metric)
{
    ocspx_cause_severity_e i;

    (void)metric;
    for (i = OCSPX_CAUSE_INFO; i <= OCSPX_CAUSE_ERROR; i++)
        print_labelled(metrics, "severity", ocspx_cause_severity_name(i),
                       metrics->totals->findings[i]);
}

static void print_handshakes(const metrics_t *metrics, const metric_t *metric)
{
    (void)metric;
    print_labelled(metrics, "result", "stapled", metrics->totals->stapled);
    print_labelled(metrics, "result", "empty", metrics->totals->empty);
    print_labelled(metrics, "result", "expired", metrics->totals->expired);
}

static void print_egress(const metrics_t *metrics, const metric_t *metric)
{
    (void)metric;
    ocspx_metrics_text_count(&metrics->text, "", "",
                             metrics->totals->egress != NULL);
}

static void print_share_up(const metrics_t *metrics, const metric_t *metric)
{
    (void)metric;
    if (metrics->totals->share)
        ocspx_metrics_text_count(&metrics->text, "", "",
                                 !metrics->totals->share_down_since);
}

static void print_share_lookups(const metrics_t *metrics,
                                const metric_t *metric)
{
    const ocspx_report_totals_t *totals = metrics->totals;

    (void)metric;
    if (!totals->share)
        return;
    print_labelled(metrics, "result", "hit", totals->share_hits);
    print_labelled(metrics, "result", "miss", totals->share_misses);
    print_labelled(metrics, "result", "bad", totals->share_bad);
}

static void print_share_puts(const metrics_t *metrics, const metric_t *metric)
{
    (void)metric;
    if (metrics->totals->share)
        ocspx_metrics_text_count(&metrics->text, "", "",
                                 metrics->totals->share_puts);
}

static void print_build(const metrics_t *metrics, const metric_t *metric)
{
    (void)metric;
    print_labelled(metrics, "version", metrics->totals->version, 1);
}

/* --- the table ------------------------------------------------------- */

/* clang-format off */
#define CERT(name, unit, member, help)                                         \
    {{name, OCSPX_METRICS_GAUGE, unit, help},                                  \
     print_certs, offsetof(ocspx_metrics_cert_t, member)}
#define TOTAL(name, unit, printer, member, help)                               \
    {{name, OCSPX_METRICS_GAUGE, unit, help},                                  \
     printer, offsetof(ocspx_report_totals_t, member)}
#define OTHER(name, type, unit, printer, help)                                 \
    {{name, OCSPX_METRICS_##type, unit, help}, printer, 0}

/* The names are a contract: rules and dashboards are made of them. */
static const metric_t table[] = {
    OTHER("ocspx_build_info", GAUGE, NULL, print_build,
        "Always 1; the label tells the version."),
    OTHER("ocspx_certificates", GAUGE, NULL, print_states,
        "Certificates by state."),
    TOTAL("ocspx_earliest_staple_expiry_timestamp_seconds", "seconds",
        print_total_time, earliest_safe_until,
        "When the first of all that is stapled now will no longer be, if "
        "nothing changes."),
    CERT("ocspx_certificate_stapled", NULL, stapled,
        "Whether the certificate is stapled; of those that should be."),
    CERT("ocspx_certificate_must_staple", NULL, must_staple,
        "Whether clients insist on a staple for the certificate."),
    CERT("ocspx_staple_expiry_timestamp_seconds", "seconds", staple_expiry,
        "When the certificate will no longer be stapled, if nothing changes."),
    CERT("ocspx_response_this_update_timestamp_seconds", "seconds",
        this_update,
        "From when on the response to be stapled is valid."),
    CERT("ocspx_response_held_until_timestamp_seconds", "seconds", held_until,
        "When a newer response, there already, takes its place."),
    CERT("ocspx_next_refresh_timestamp_seconds", "seconds", next_refresh,
        "When the next response will be asked for."),
    CERT("ocspx_certificate_start_timestamp_seconds", "seconds", start,
        "When the validity of the certificate itself began."),
    CERT("ocspx_certificate_expiry_timestamp_seconds", "seconds", expiry,
        "When the certificate itself expires."),
    CERT("ocspx_failing_since_timestamp_seconds", "seconds", failing_since,
        "When the first of the failed attempts in a row was made."),
    CERT("ocspx_consecutive_failures", NULL, failures,
        "Failed attempts in a row to get a new response."),
    OTHER("ocspx_handshakes", COUNTER, NULL, print_handshakes,
        "Handshakes that asked for a staple, by what became of them."),
    OTHER("ocspx_responder_requests", COUNTER, NULL, print_results,
        "Attempts to get a response, by what went wrong; ok: nothing."),
    OTHER("ocspx_responder_duration_seconds", HISTOGRAM, "seconds",
        print_histograms,
        "How long the attempts took."),
    OTHER("ocspx_chain_findings", GAUGE, NULL, print_findings,
        "What is wrong with what is sent along with certificates."),
    OTHER("ocspx_egress_blocked", GAUGE, NULL, print_egress,
        "Whether several responders cannot be reached at once."),
    TOTAL("ocspx_refresher_last_turn_timestamp_seconds", "seconds",
        print_total_time, refresher_turn,
        "When the refresher last looked for something due."),
    TOTAL("ocspx_cache_bytes", "bytes", print_total, cache_bytes,
        "Size of the cache."),
    TOTAL("ocspx_cache_used_bytes", "bytes", print_total, cache_used,
        "How much of the cache the responses take."),
    OTHER("ocspx_share_up", GAUGE, NULL, print_share_up,
        "Whether the store that servers share their responses in works."),
    OTHER("ocspx_share_lookups", COUNTER, NULL, print_share_lookups,
        "Look-ups in that store, by what they found."),
    OTHER("ocspx_share_puts", COUNTER, NULL, print_share_puts,
        "Responses put into that store."),
};
/* clang-format on */

void ocspx_metrics_print(const ocspx_report_t *report,
                         ocspx_metrics_format_e format,
                         ocspx_metrics_write_fn *write, void *baton,
                         apr_pool_t *p)
{
    metrics_t metrics = {.totals = &report->totals,
                         .text = {write, baton, format, NULL, NULL}};
    apr_pool_t *pool;
    size_t i;

    apr_pool_create(&pool, p);
    apr_pool_create(&metrics.text.p, pool);
    metrics.certs = ocspx_metrics_series_certs(report, pool);
    metrics.responders = ocspx_metrics_series_responders(report, pool);
    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        ocspx_metrics_text_begin(&metrics.text, &table[i].family);
        table[i].print(&metrics, &table[i]);
        apr_pool_clear(metrics.text.p);
    }
    ocspx_metrics_text_end(&metrics.text);
    apr_pool_destroy(pool);
}
