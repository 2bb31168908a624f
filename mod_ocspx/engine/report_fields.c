/* report_fields: what the report says, as tables: every output prints these
 * rows, in this order, and so says the same.
 */
#include "report.h"

#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

#include "../core/text.h"

#define ROW(kind, member, key, label, help)                                    \
    {                                                                          \
        key, label, help, OCSPX_REPORT_##kind,                                 \
            offsetof(ocspx_report_row_t, member)                               \
    }
#define TOTAL(kind, member, key, label, help)                                  \
    {                                                                          \
        key, label, help, OCSPX_REPORT_##kind,                                 \
            offsetof(ocspx_report_totals_t, member)                            \
    }
#define END                                                                    \
    {                                                                          \
        NULL, NULL, NULL, OCSPX_REPORT_TEXT, 0                                 \
    }

/* clang-format off */
const ocspx_report_field_t ocspx_report_row_fields[] = {
    ROW(TEXT, name, "name", "Name",
        "First name of the certificate"),
    ROW(TEXT, state, "state", "State",
        "Failing, revoked, withheld, waiting, stapled, other-provider or "
        "not-applicable"),
    ROW(TIME, safe_until, "safeUntil", "Safe until",
        "When stapling ends if nothing changes; none: it is not stapled"),
    ROW(TEXT, cause, "cause", "Cause",
        "Code of what is wrong"),
    ROW(TEXT, cause_line, "causeLine", "What is wrong",
        "The cause in one line"),
    ROW(TEXT, message, "message", "Message",
        "The exact facts"),
    ROW(TEXT, remedy, "remedy", "Remedy",
        "What can be done about it"),
    ROW(TIME, failing_since, "failingSince", "Failing since",
        "First failure in a row"),
    ROW(COUNT, tries, "tries", "Failed tries",
        "Attempts that failed in a row"),
    ROW(TIME, next_try, "nextTry", "Next try",
        "When the responder is asked next"),
    ROW(FLAG, revoked, "revoked", "Revoked",
        "Whether the last response says that the certificate is revoked"),
    ROW(TIME, this_update, "thisUpdate", "This update",
        "Start of the response's validity"),
    ROW(TIME, next_update, "nextUpdate", "Next update",
        "End of the response's validity as the responder says it"),
    ROW(TIME, fetched, "fetched", "Fetched",
        "When the response was obtained"),
    ROW(TIME, held_until, "heldUntil", "Newer one held until",
        "When one that is there already takes its place; none: it is the "
        "newest"),
    ROW(TEXT, source, "source", "Source",
        "Where the response came from: network, disk, file or shared"),
    ROW(COUNT, bytes, "bytes", "Size",
        "Bytes of the response that is stapled"),
    ROW(TEXT, responder, "responder", "Responder",
        "URL or file asked first"),
    ROW(TEXT, address, "address", "Address",
        "Address and port of the last attempt"),
    ROW(DURATION, latency, "latency", "Latency",
        "Duration of the last attempt in seconds"),
    ROW(COUNT, http_status, "httpStatus", "HTTP status",
        "Of the last attempt; 0: there was no answer"),
    ROW(COUNT, requests, "requests", "Requests",
        "Requests sent for this certificate"),
    ROW(COUNT, asked, "handshakes", "Handshakes",
        "Handshakes whose client asked for a staple"),
    ROW(COUNT, stapled, "handshakesStapled", "Stapled",
        "Handshakes that got one"),
    ROW(COUNT, empty, "handshakesEmpty", "Not stapled: none",
        "Handshakes without, as there was none"),
    ROW(COUNT, expired, "handshakesExpired", "Not stapled: expired",
        "Handshakes without, as it had expired"),
    ROW(LIST, names, "names", "Names",
        "DNS names and addresses the certificate covers"),
    ROW(LIST, vhosts, "vhosts", "Virtual hosts",
        "Where it is used, as name:port (file:line)"),
    ROW(TEXT, subject, "subject", "Subject",
        "Subject of the certificate"),
    ROW(TEXT, issuer, "issuer", "Issuer",
        "Issuer of the certificate"),
    ROW(TEXT, key_type, "keyType", "Key",
        "Kind and bits of its key"),
    ROW(TEXT, fingerprint, "fingerprint", "Fingerprint",
        "SHA-256 of the certificate, in hex"),
    ROW(TEXT, serial, "serial", "Serial number",
        "Serial number in hex"),
    ROW(FLAG, must_staple, "mustStaple", "Must-staple",
        "Whether clients demand a staple (RFC 7633)"),
    ROW(TIME, not_before, "notBefore", "Valid from",
        "Start of the certificate's validity"),
    ROW(TIME, not_after, "notAfter", "Valid until",
        "End of the certificate's validity"),
    END,
};

const ocspx_report_field_t ocspx_report_total_fields[] = {
    TOTAL(TIME, generated, "generated", "Generated",
        "When this was written"),
    TOTAL(TEXT, version, "version", "Version",
        "Version of mod_ocspx"),
    TOTAL(COUNT, certificates, "certificates", "Certificates",
        "Certificates of this configuration"),
    TOTAL(COUNT, states[OCSPX_REPORT_FAILING],
        "certificatesFailing", "Failing",
        "Certificates whose last attempt failed"),
    TOTAL(COUNT, states[OCSPX_REPORT_REVOKED],
        "certificatesRevoked", "Revoked",
        "Certificates that are revoked"),
    TOTAL(COUNT, states[OCSPX_REPORT_WITHHELD],
        "certificatesWithheld", "Withheld",
        "Revoked certificates that are not stapled for that reason"),
    TOTAL(COUNT, states[OCSPX_REPORT_WAITING],
        "certificatesWaiting", "Waiting",
        "Certificates that wait for their first response"),
    TOTAL(COUNT, states[OCSPX_REPORT_STAPLED],
        "certificatesStapled", "Stapled",
        "Certificates that are stapled and good"),
    TOTAL(COUNT, states[OCSPX_REPORT_OTHER_PROVIDER],
        "certificatesOtherProvider", "Other provider",
        "Certificates that another module staples"),
    TOTAL(COUNT, states[OCSPX_REPORT_NOT_APPLICABLE],
        "certificatesNotApplicable", "Not applicable",
        "Certificates without responder or with stapling switched off"),
    TOTAL(TIME, earliest_safe_until, "earliestSafeUntil", "Safe until",
        "When the first of the stapled certificates will not be any more if "
        "nothing changes"),
    TOTAL(TEXT, earliest, "earliestName", "First to end",
        "Name of that certificate"),
    TOTAL(TEXT, egress, "egress", "Way out",
        "EGRESS_BLOCKED where no responder can be reached"),
    TOTAL(TEXT, egress_message, "egressMessage", "Out of reach",
        "The hosts and ports"),
    TOTAL(TEXT, egress_remedy, "egressRemedy", "Remedy",
        "What can be done about it"),
    TOTAL(COUNT, requests, "requests", "Requests",
        "Requests sent to responders"),
    TOTAL(COUNT, results[OCSPX_CAUSE_GROUP_OK],
        "attemptsOk", "Attempts: ok",
        "Attempts that gave a response"),
    TOTAL(COUNT, results[OCSPX_CAUSE_GROUP_CLOCK],
        "attemptsClock", "Attempts: clock",
        "Attempts that failed by the time"),
    TOTAL(COUNT, results[OCSPX_CAUSE_GROUP_EGRESS],
        "attemptsEgress", "Attempts: egress",
        "Attempts that did not reach the responder"),
    TOTAL(COUNT, results[OCSPX_CAUSE_GROUP_SIGNER],
        "attemptsSigner", "Attempts: signer",
        "Attempts that failed by the response's signature"),
    TOTAL(COUNT, results[OCSPX_CAUSE_GROUP_CONFIGURATION],
        "attemptsConfiguration", "Attempts: configuration",
        "Attempts that failed by the configuration"),
    TOTAL(COUNT, results[OCSPX_CAUSE_GROUP_CHAIN],
        "attemptsChain", "Attempts: chain",
        "Attempts that failed by the chain"),
    TOTAL(COUNT, results[OCSPX_CAUSE_GROUP_RESPONDER],
        "attemptsResponder", "Attempts: responder",
        "Attempts that failed by the responder"),
    TOTAL(COUNT, results[OCSPX_CAUSE_GROUP_STATUS],
        "attemptsStatus", "Attempts: status",
        "Attempts whose response did not know the certificate"),
    TOTAL(COUNT, stapled, "handshakesStapled", "Handshakes: stapled",
        "Handshakes that got a staple"),
    TOTAL(COUNT, empty, "handshakesEmpty", "Handshakes: none",
        "Handshakes without, as there was none"),
    TOTAL(COUNT, expired, "handshakesExpired", "Handshakes: expired",
        "Handshakes without, as it had expired"),
    TOTAL(COUNT, cache_bytes, "cacheBytes", "Cache",
        "Bytes that the cache has for responses"),
    TOTAL(COUNT, cache_used, "cacheUsed", "Cache used",
        "Bytes of these that responses take"),
    TOTAL(TEXT, share, "share", "Shared store",
        "Store that servers share their responses in"),
    TOTAL(TIME, share_down_since, "shareDownSince", "Store down since",
        "Since when it cannot be used"),
    TOTAL(COUNT, share_hits, "shareHits", "Store: hits",
        "Look-ups there that made a request unnecessary"),
    TOTAL(COUNT, share_misses, "shareMisses", "Store: misses",
        "Look-ups there that found nothing, or nothing newer"),
    TOTAL(COUNT, share_bad, "shareBad", "Store: wrong",
        "Look-ups there that found something wrong"),
    TOTAL(COUNT, share_puts, "sharePuts", "Store: put",
        "Responses put there"),
    TOTAL(COUNT, refresher_pid, "refresherPid", "Refresher",
        "Process that asks the responders; 0: none yet"),
    TOTAL(TIME, refresher_turn, "refresherTurn", "Last turn",
        "When it last looked for something due"),
    TOTAL(COUNT, findings[OCSPX_CAUSE_ERROR],
        "findingsError", "Chain errors",
        "Findings of the chain check that clients refuse"),
    TOTAL(COUNT, findings[OCSPX_CAUSE_WARNING],
        "findingsWarning", "Chain warnings",
        "Findings of the chain check to be put right"),
    TOTAL(COUNT, findings[OCSPX_CAUSE_INFO],
        "findingsInfo", "Chain notes",
        "Findings of the chain check that do no harm"),
    END,
};
/* clang-format on */

/* --- values ---------------------------------------------------------- */

/* RFC 3339 has four digits for the year. */
#define TIME_LEAST (-apr_time_from_sec(62167219200))
#define TIME_MOST apr_time_from_sec(253402300800)

static const char *time_text(apr_time_t t, apr_pool_t *p)
{
    return t && t >= TIME_LEAST && t < TIME_MOST ? ocspx_text_time(t, p) : NULL;
}

static const char *list_text(const apr_array_header_t *list, apr_pool_t *p)
{
    apr_array_header_t *parts;
    int i;

    if (!list || apr_is_empty_array(list))
        return NULL;
    parts = apr_array_make(p, 2 * list->nelts, sizeof(const char *));
    for (i = 0; i < list->nelts; i++) {
        if (i)
            APR_ARRAY_PUSH(parts, const char *) = ", ";
        APR_ARRAY_PUSH(parts, const char *) =
            APR_ARRAY_IDX(list, i, const char *);
    }
    return apr_array_pstrcat(p, parts, 0);
}

const char *ocspx_report_text(const ocspx_report_field_t *field, const void *of,
                              apr_pool_t *p)
{
    const void *at = (const char *)of + field->offset;

    switch (field->kind) {
    case OCSPX_REPORT_TEXT:
        return *(const char *const *)at;
    case OCSPX_REPORT_LIST:
        return list_text(*(const apr_array_header_t *const *)at, p);
    case OCSPX_REPORT_TIME:
        return time_text(*(const apr_time_t *)at, p);
    case OCSPX_REPORT_DURATION:
        return *(const apr_interval_time_t *)at < 0
                   ? NULL
                   : apr_psprintf(p, "%.3f",
                                  (double)*(const apr_interval_time_t *)at /
                                      APR_USEC_PER_SEC);
    case OCSPX_REPORT_COUNT:
        return apr_psprintf(p, "%" APR_INT64_T_FMT, *(const apr_int64_t *)at);
    case OCSPX_REPORT_FLAG:
        return *(const apr_int64_t *)at ? "yes" : "no";
    }
    return NULL;
}

/* jansson takes UTF-8 alone. */
static json_t *string(const char *text, apr_pool_t *p)
{
    json_t *value = json_string(text);

    return value ? value
                 : json_string(ocspx_cert_printable(text, strlen(text), p));
}

static json_t *array(const apr_array_header_t *list, apr_pool_t *p)
{
    json_t *value = json_array();
    int i;

    for (i = 0; list && i < list->nelts; i++)
        json_array_append_new(value,
                              string(APR_ARRAY_IDX(list, i, const char *), p));
    return value;
}

json_t *ocspx_report_json(const ocspx_report_field_t *field, const void *of,
                          apr_pool_t *p)
{
    const void *at = (const char *)of + field->offset;
    const char *text;

    switch (field->kind) {
    case OCSPX_REPORT_LIST:
        return array(*(const apr_array_header_t *const *)at, p);
    case OCSPX_REPORT_DURATION:
        return *(const apr_interval_time_t *)at < 0
                   ? json_null()
                   : json_real((double)*(const apr_interval_time_t *)at /
                               APR_USEC_PER_SEC);
    case OCSPX_REPORT_COUNT:
        return json_integer(*(const apr_int64_t *)at);
    case OCSPX_REPORT_FLAG:
        return json_boolean(*(const apr_int64_t *)at);
    case OCSPX_REPORT_TEXT:
    case OCSPX_REPORT_TIME:
        break;
    }
    text = ocspx_report_text(field, of, p);
    return text ? string(text, p) : json_null();
}

json_t *ocspx_report_object(const ocspx_report_field_t *fields, const void *of,
                            apr_pool_t *p)
{
    json_t *object = json_object();

    for (; fields->key; fields++)
        json_object_set_new(object, fields->key,
                            ocspx_report_json(fields, of, p));
    return object;
}
