/* status_decode: from JSON back to the report it was printed from, by the same
 * tables of fields. What is missing or of another type is refused, so that
 * nothing is said to be fine for want of a key.
 */
#include <apr_strings.h>
#include <string.h>

#include "status.h"

/* A thousand years; no number in microseconds overflows below it. */
#define DURATION_MAX (1000.0 * 365 * 86400)

#define FIELD(type, kind, member, key)                                         \
    {                                                                          \
        key, NULL, NULL, OCSPX_REPORT_##kind, offsetof(type, member)           \
    }
#define END                                                                    \
    {                                                                          \
        NULL, NULL, NULL, OCSPX_REPORT_TEXT, 0                                 \
    }

/* clang-format off */
static const ocspx_report_field_t finding_fields[] = {
    FIELD(cli_status_finding_t, TEXT, code, "code"),
    FIELD(cli_status_finding_t, TEXT, severity, "severity"),
    FIELD(cli_status_finding_t, TEXT, subject, "subject"),
    FIELD(cli_status_finding_t, TEXT, message, "message"),
    FIELD(cli_status_finding_t, TEXT, remedy, "remedy"),
    FIELD(cli_status_finding_t, TEXT, vhost, "vhost"),
    FIELD(cli_status_finding_t, COUNT, others, "others"),
    END,
};

static const ocspx_report_field_t attempt_fields[] = {
    FIELD(cli_status_attempt_t, TIME, time, "time"),
    FIELD(cli_status_attempt_t, DURATION, took, "took"),
    FIELD(cli_status_attempt_t, TEXT, cause, "cause"),
    FIELD(cli_status_attempt_t, TEXT, cause_line, "causeLine"),
    FIELD(cli_status_attempt_t, COUNT, http_status, "httpStatus"),
    END,
};
/* clang-format on */

/* --- values: each is stored, or it is said what it is not -------------- */

static const char *take_text(const char **to, const json_t *value,
                             apr_pool_t *p)
{
    if (json_is_string(value))
        *to = cli_terminal_clean(json_string_value(value), p);
    return json_is_string(value) || json_is_null(value) ? NULL : "no text";
}

static const char *take_list(apr_array_header_t **to, const json_t *value,
                             apr_pool_t *p)
{
    const char *wrong = json_is_array(value) ? NULL : "no list";
    size_t i;

    *to = apr_array_make(p, 4, sizeof(const char *));
    for (i = 0; i < json_array_size(value) && !wrong; i++) {
        const char **text = apr_array_push(*to);

        *text = "";
        wrong = take_text(text, json_array_get(value, i), p);
    }
    return wrong;
}

static const char *take_time(apr_time_t *to, const json_t *value)
{
    if (json_is_null(value))
        return NULL;
    return json_is_string(value) && cli_read_time(to, json_string_value(value))
               ? NULL
               : "no time";
}

static const char *take_duration(apr_interval_time_t *to, const json_t *value)
{
    double seconds = json_number_value(value);

    *to = -1;
    if (json_is_null(value))
        return NULL;
    if (!json_is_number(value) || !(seconds >= 0 && seconds < DURATION_MAX))
        return "no duration";
    *to = (apr_interval_time_t)(seconds * APR_USEC_PER_SEC);
    return NULL;
}

static const char *take_count(apr_int64_t *to, const json_t *value)
{
    *to = json_integer_value(value);
    return json_is_integer(value) && *to >= 0 ? NULL : "no number";
}

static const char *take_flag(apr_int64_t *to, const json_t *value)
{
    *to = json_is_true(value);
    return json_is_boolean(value) ? NULL : "neither true nor false";
}

static const char *take(void *of, const ocspx_report_field_t *field,
                        const json_t *value, apr_pool_t *p)
{
    void *to = (char *)of + field->offset;

    switch (field->kind) {
    case OCSPX_REPORT_TEXT:
        return take_text(to, value, p);
    case OCSPX_REPORT_LIST:
        return take_list(to, value, p);
    case OCSPX_REPORT_TIME:
        return take_time(to, value);
    case OCSPX_REPORT_DURATION:
        return take_duration(to, value);
    case OCSPX_REPORT_COUNT:
        return take_count(to, value);
    case OCSPX_REPORT_FLAG:
        return take_flag(to, value);
    }
    return "unknown";
}

/* --- objects --------------------------------------------------------- */

static const char *take_fields(void *of, const ocspx_report_field_t *field,
                               const json_t *object, apr_pool_t *p)
{
    if (!json_is_object(object))
        return " is no object";
    for (; field->key; field++) {
        const json_t *value = json_object_get(object, field->key);
        const char *wrong = value ? take(of, field, value, p) : "missing";

        if (wrong)
            return apr_pstrcat(p, ".", field->key, " is ", wrong, NULL);
    }
    return NULL;
}

/* All of an array of such objects. */
static const char *take_all(apr_array_header_t **to, const char *key,
                            const ocspx_report_field_t *fields,
                            const json_t *json, int size, apr_pool_t *p)
{
    const json_t *array = json_object_get(json, key);
    size_t i;

    if (!json_is_array(array))
        return apr_pstrcat(p, key, " is no list", NULL);
    *to = apr_array_make(p, 16, size);
    for (i = 0; i < json_array_size(array); i++) {
        void *of = memset(apr_array_push(*to), 0, (size_t)size);
        const char *wrong =
            take_fields(of, fields, json_array_get(array, i), p);

        if (wrong)
            return apr_psprintf(p, "%s[%" APR_SIZE_T_FMT "]%s", key, i, wrong);
    }
    return NULL;
}

int cli_status_is_state(const char *name)
{
    int i;

    for (i = 0; i < OCSPX_REPORT_STATES; i++)
        if (!strcmp(name, ocspx_report_state_name((ocspx_report_state_e)i)))
            return 1;
    return 0;
}

/* Without these nothing can be said of it. */
static const char *check_rows(const apr_array_header_t *rows, apr_pool_t *p)
{
    int i;

    for (i = 0; i < rows->nelts; i++) {
        const ocspx_report_row_t *row =
            &APR_ARRAY_IDX(rows, i, ocspx_report_row_t);

        if (!row->name || !row->fingerprint || !row->state ||
            !cli_status_is_state(row->state))
            return apr_psprintf(p,
                                "certificates[%d] has no name, no state or no "
                                "fingerprint",
                                i);
    }
    return NULL;
}

static const char *check_findings(const apr_array_header_t *findings,
                                  apr_pool_t *p)
{
    int i;

    for (i = 0; i < findings->nelts; i++) {
        const cli_status_finding_t *finding =
            &APR_ARRAY_IDX(findings, i, cli_status_finding_t);

        if (!finding->code || !finding->severity || !finding->vhost)
            return apr_psprintf(p,
                                "findings[%d] has no code, no severity or no "
                                "vhost",
                                i);
    }
    return NULL;
}

const char *cli_status_decode(cli_status_t *status, const json_t *json,
                              apr_pool_t *p)
{
    const char *wrong;

    memset(status, 0, sizeof(*status));
    wrong = take_fields(&status->totals, ocspx_report_total_fields,
                        json_object_get(json, "totals"), p);
    if (wrong)
        return apr_pstrcat(p, "totals", wrong, NULL);
    if (!status->totals.generated)
        return "totals.generated is no time";
    wrong = take_all(&status->rows, "certificates", ocspx_report_row_fields,
                     json, sizeof(ocspx_report_row_t), p);
    if (!wrong)
        wrong = check_rows(status->rows, p);
    if (!wrong)
        wrong = take_all(&status->findings, "findings", finding_fields, json,
                         sizeof(cli_status_finding_t), p);
    if (!wrong)
        wrong = check_findings(status->findings, p);
    if (!wrong && json_object_get(json, "history"))
        wrong = take_all(&status->history, "history", attempt_fields, json,
                         sizeof(cli_status_attempt_t), p);
    return wrong;
}
