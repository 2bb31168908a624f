/* fetch_headers: what an answer's header says about time and type. */
#include "fetch_headers.h"

#include <apr_date.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>
#include <strings.h>

/* A longer value says nothing we need. */
#define VALUE_MAX 1000

void ocspx_fetch_headers_init(ocspx_fetch_headers_t *headers)
{
    *headers = (ocspx_fetch_headers_t){
        .date = -1,
        .expires = -1,
        .max_age = -1,
        .age = -1,
        .retry_after = -1,
        .retry_at = -1,
    };
}

/* --- values ---------------------------------------------------------- */

/* Digits, up to the end or a comma; -1 where there is anything else. */
static apr_int64_t seconds(const char *text)
{
    apr_int64_t n = 0;

    if (!apr_isdigit(*text))
        return -1;
    for (; apr_isdigit(*text); text++)
        if (n < OCSPX_FETCH_HEADERS_SEC_MAX)
            n = 10 * n + (*text - '0');
    text += strspn(text, " \t\"");
    if (*text && *text != ',')
        return -1;
    return n < OCSPX_FETCH_HEADERS_SEC_MAX ? n : OCSPX_FETCH_HEADERS_SEC_MAX;
}

/* -1: not a date, or one before 1970. */
static apr_time_t date(const char *text)
{
    apr_time_t t = apr_date_parse_http(text);

    return t > 0 ? t : -1;
}

/* --- fields ---------------------------------------------------------- */

static void take_date(ocspx_fetch_headers_t *headers, const char *value)
{
    if (headers->date < 0)
        headers->date = date(value);
}

static void take_expires(ocspx_fetch_headers_t *headers, const char *value)
{
    apr_time_t t = date(value);

    if (headers->expires < 0)
        headers->expires = t < 0 ? 0 : t;
}

static void take_age(ocspx_fetch_headers_t *headers, const char *value)
{
    if (headers->age < 0)
        headers->age = seconds(value);
}

static void take_cache_control(ocspx_fetch_headers_t *headers,
                               const char *value)
{
    while (headers->max_age < 0 && value) {
        value += strspn(value, " \t,");
        if (!strncasecmp(value, "max-age=", 8))
            headers->max_age = seconds(value + 8 + (value[8] == '"'));
        value = strchr(value, ',');
    }
}

static void take_retry_after(ocspx_fetch_headers_t *headers, const char *value)
{
    if (headers->retry_after < 0 && headers->retry_at < 0) {
        headers->retry_after = seconds(value);
        headers->retry_at = date(value);
    }
}

static void take_content_encoding(ocspx_fetch_headers_t *headers,
                                  const char *value)
{
    headers->encoded = strcasecmp(value, "identity") != 0;
}

static void take_content_type(ocspx_fetch_headers_t *headers, const char *value)
{
    if (!*headers->type)
        apr_cpystrn(headers->type, value, sizeof(headers->type));
}

static const struct {
    const char *name;
    void (*take)(ocspx_fetch_headers_t *headers, const char *value);
} fields[] = {
    {"Date", take_date},
    {"Expires", take_expires},
    {"Age", take_age},
    {"Cache-Control", take_cache_control},
    {"Retry-After", take_retry_after},
    {"Content-Encoding", take_content_encoding},
    {"Content-Type", take_content_type},
};

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void ocspx_fetch_headers_line(ocspx_fetch_headers_t *headers, const char *line,
                              size_t len)
{
    const char *colon = memchr(line, ':', len);
    const char *end = line + len;
    char value[VALUE_MAX + 1];
    size_t i, name_len;

    if (len >= 5 && !memcmp(line, "HTTP/", 5))
        ocspx_fetch_headers_init(headers);
    if (!colon)
        return;
    name_len = (size_t)(colon++ - line);
    while (colon < end && is_space(*colon))
        colon++;
    while (end > colon && is_space(end[-1]))
        end--;
    if (end - colon > VALUE_MAX)
        return;
    memcpy(value, colon, (size_t)(end - colon));
    value[end - colon] = '\0';
    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (name_len == strlen(fields[i].name) &&
            !strncasecmp(line, fields[i].name, name_len))
            fields[i].take(headers, value);
}

/* --- what follows from them ------------------------------------------ */

static apr_int64_t bounded(apr_int64_t sec)
{
    if (sec < 0)
        return 0;
    return sec < OCSPX_FETCH_HEADERS_SEC_MAX ? sec
                                             : OCSPX_FETCH_HEADERS_SEC_MAX;
}

apr_time_t ocspx_fetch_headers_date(const ocspx_fetch_headers_t *headers)
{
    if (headers->date < 0)
        return 0;
    return headers->date + apr_time_from_sec(bounded(headers->age));
}

/* Expires less Date, not less our time: the responder's clock cancels out. */
static apr_int64_t lifetime(const ocspx_fetch_headers_t *headers,
                            apr_time_t now)
{
    if (headers->max_age >= 0)
        return headers->max_age;
    return apr_time_sec(headers->expires -
                        (headers->date < 0 ? now : headers->date));
}

apr_time_t ocspx_fetch_headers_fresh_until(const ocspx_fetch_headers_t *headers,
                                           apr_time_t now)
{
    if (headers->max_age < 0 && headers->expires < 0)
        return 0;
    return now + apr_time_from_sec(bounded(bounded(lifetime(headers, now)) -
                                           bounded(headers->age)));
}

apr_time_t ocspx_fetch_headers_retry_after(const ocspx_fetch_headers_t *headers,
                                           apr_time_t now)
{
    apr_int64_t wait = headers->retry_after;

    if (headers->retry_at >= 0)
        wait = apr_time_sec(headers->retry_at -
                            (headers->date < 0 ? now : headers->date));
    return wait > 0 ? now + apr_time_from_sec(bounded(wait)) : 0;
}
