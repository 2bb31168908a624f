/* report_json: the report as JSON, piece by piece: never more of it in memory
 * than one certificate, one responder or one finding.
 */
#include "report_private.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "../core/text.h"

typedef struct {
    void (*write)(void *baton, const char *piece, apr_size_t len);
    void *baton;
    apr_pool_t *ptemp; /* cleared after each piece */
} out_t;

static void put(const out_t *out, const char *piece)
{
    out->write(out->baton, piece, strlen(piece));
}

/* Takes the value. A double has 15 digits that are true. */
static void put_json(const out_t *out, json_t *value)
{
    char *text =
        json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY |
                              JSON_REAL_PRECISION(15));

    put(out, text ? text : "null");
    free(text);
    json_decref(value);
    apr_pool_clear(out->ptemp);
}

static json_t *text_of(const char *text, apr_pool_t *p)
{
    static const ocspx_report_field_t as_text = {.kind = OCSPX_REPORT_TEXT};

    return ocspx_report_json(&as_text, &text, p);
}

static json_t *time_of(apr_time_t t, apr_pool_t *p)
{
    static const ocspx_report_field_t as_time = {.kind = OCSPX_REPORT_TIME};

    return ocspx_report_json(&as_time, &t, p);
}

static json_t *seconds_of(apr_interval_time_t took)
{
    return json_real((double)took / APR_USEC_PER_SEC);
}

static json_t *cause_of(ocspx_cause_e cause)
{
    return cause ? json_string(ocspx_cause_code(cause)) : json_null();
}

/* --- the parts ------------------------------------------------------- */

static json_t *responder(const ocspx_ledger_host_t *host, apr_pool_t *p)
{
    static const double bounds[] = OCSPX_LEDGER_BOUNDS;
    json_t *attempts = json_object(), *durations = json_array();
    apr_uint64_t sum = 0;
    unsigned i;

    for (i = 0; i < OCSPX_CAUSE_GROUP_COUNT; i++)
        json_object_set_new(attempts,
                            ocspx_cause_group_name((ocspx_cause_group_e)i),
                            json_integer((json_int_t)host->attempts[i]));
    for (i = 0; i < OCSPX_LEDGER_BUCKETS; i++) {
        sum += host->durations[i];
        json_array_append_new(
            durations,
            json_pack("{s:o, s:I}", "upTo",
                      i < OCSPX_LEDGER_BUCKETS - 1 ? json_real(bounds[i])
                                                   : json_null(),
                      "count", (json_int_t)host->durations[i]));
    }
    return json_pack(
        "{s:o, s:I, s:o, s:o, s:o, s:o, s:o}", "name", text_of(host->name, p),
        "requests", (json_int_t)host->requests, "attempts", attempts,
        "failingSince", time_of(host->failing_since, p), "cause",
        cause_of(host->cause), "averageDuration",
        sum ? seconds_of(host->duration_sum / (apr_interval_time_t)sum)
            : json_null(),
        "durations", durations);
}

json_t *ocspx_report_finding(const ocspx_report_finding_t *of, apr_pool_t *p)
{
    const ocspx_chain_finding_t *what = &of->finding;

    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:I}", "code",
                     ocspx_cause_code(what->cause), "severity",
                     ocspx_cause_severity_name(what->severity), "subject",
                     text_of(what->subject, p), "message",
                     text_of(what->message, p), "remedy",
                     text_of(what->remedy, p), "vhost", text_of(of->place, p),
                     "others", (json_int_t)of->others);
}

static json_t *attempt(const ocspx_ledger_attempt_t *of, apr_pool_t *p)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:i}", "time", time_of(of->time, p), "took",
        seconds_of(of->took), "cause", cause_of(of->cause), "causeLine",
        of->cause ? json_string(ocspx_cause_line(of->cause)) : json_null(),
        "httpStatus", of->http_status);
}

/* --- the whole ------------------------------------------------------- */

static void put_head(const out_t *out, const ocspx_report_t *report)
{
    put(out, "{\"totals\":");
    put_json(out, ocspx_report_object(ocspx_report_total_fields,
                                      &report->totals, out->ptemp));
    put(out,
        apr_psprintf(out->ptemp, ",\"page\":%u,\"pages\":%u,\"matching\":%u",
                     report->page, report->pages, report->matching));
}

static void put_rows(const out_t *out, const ocspx_report_t *report)
{
    ocspx_report_row_t row;
    unsigned i;

    put(out, ",\n\"certificates\":[");
    for (i = 0; i < report->count; i++) {
        put(out, i ? ",\n" : "\n");
        ocspx_report_row(&row, report, i, out->ptemp);
        put_json(out, ocspx_report_object(ocspx_report_row_fields, &row,
                                          out->ptemp));
    }
    put(out, "]");
}

static void put_history(const out_t *out, const ocspx_report_t *report)
{
    ocspx_ledger_attempt_t attempts[OCSPX_LEDGER_ATTEMPTS];
    unsigned n = ocspx_report_history(attempts, report), i;

    put(out, ",\n\"history\":[");
    for (i = 0; i < n; i++) {
        put(out, i ? ",\n" : "\n");
        put_json(out, attempt(&attempts[i], out->ptemp));
    }
    put(out, "]");
}

static void put_responders(const out_t *out, const ocspx_report_t *report)
{
    int i;

    put(out, ",\n\"responders\":[");
    for (i = 0; i < report->responders->nelts; i++) {
        put(out, i ? ",\n" : "\n");
        put_json(out, responder(&APR_ARRAY_IDX(report->responders, i,
                                               const ocspx_ledger_host_t),
                                out->ptemp));
    }
    put(out, "]");
}

static void put_findings(const out_t *out, const ocspx_report_t *report)
{
    const apr_array_header_t *findings = report->source->findings;
    int i;

    put(out, ",\n\"findings\":[");
    for (i = 0; i < findings->nelts; i++) {
        put(out, i ? ",\n" : "\n");
        put_json(out,
                 ocspx_report_finding(
                     &APR_ARRAY_IDX(findings, i, const ocspx_report_finding_t),
                     out->ptemp));
    }
    put(out, "]");
}

void ocspx_report_print_json(const ocspx_report_t *report,
                             void (*write)(void *baton, const char *piece,
                                           apr_size_t len),
                             void *baton, apr_pool_t *p)
{
    out_t out = {.write = write, .baton = baton};

    apr_pool_create(&out.ptemp, p);
    put_head(&out, report);
    put_rows(&out, report);
    if (report->cert)
        put_history(&out, report);
    put_responders(&out, report);
    put_findings(&out, report);
    put(&out, "}\n");
    apr_pool_destroy(out.ptemp);
}
