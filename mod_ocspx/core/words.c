/* words: times, durations and numbers as a person reads them. */
#include "words.h"

#include <apr_strings.h>
#include <string.h>

#define SECOND APR_INT64_C(1)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

typedef struct {
    apr_int64_t seconds;
    const char *name;
} unit_t;

static const unit_t units[] = {
    {DAY, "d"}, {HOUR, "h"}, {MINUTE, "min"}, {SECOND, "s"}};

#define UNITS (sizeof(units) / sizeof(units[0]))

const char *ocspx_words_span(apr_interval_time_t span, apr_pool_t *p)
{
    apr_int64_t left = apr_time_sec(span);
    apr_int64_t first, second;
    size_t i = 0;

    if (left < 0)
        left = -left;
    while (i < UNITS - 1 && left < units[i].seconds)
        i++;
    first = left / units[i].seconds;
    second = i < UNITS - 1 ? left % units[i].seconds / units[i + 1].seconds : 0;
    if (!second)
        return apr_psprintf(p, "%" APR_INT64_T_FMT " %s", first, units[i].name);
    return apr_psprintf(p, "%" APR_INT64_T_FMT " %s %" APR_INT64_T_FMT " %s",
                        first, units[i].name, second, units[i + 1].name);
}

const char *ocspx_words_when(apr_time_t t, apr_time_t now, apr_pool_t *p)
{
    apr_interval_time_t away;

    if (__builtin_sub_overflow(t, now, &away))
        away = t > now ? APR_INT64_MAX : APR_INT64_MIN;
    if (away > -APR_USEC_PER_SEC && away < APR_USEC_PER_SEC)
        return "now";
    if (away > 0)
        return apr_pstrcat(p, "in ", ocspx_words_span(away, p), NULL);
    return apr_pstrcat(p, ocspx_words_span(away, p), " ago", NULL);
}

const char *ocspx_words_time(apr_time_t t, apr_pool_t *p)
{
    apr_time_exp_t e;

    if (apr_time_exp_gmt(&e, t) != APR_SUCCESS)
        return "an unknown time";
    return apr_psprintf(p, "%04d-%02d-%02d %02d:%02d:%02d UTC",
                        e.tm_year + 1900, e.tm_mon + 1, e.tm_mday, e.tm_hour,
                        e.tm_min, e.tm_sec);
}

const char *ocspx_words_date(apr_time_t t, apr_pool_t *p)
{
    apr_time_exp_t e;

    if (apr_time_exp_gmt(&e, t) != APR_SUCCESS)
        return "an unknown time";
    return apr_psprintf(p, "%d %s %02d:%02d", e.tm_mday,
                        apr_month_snames[e.tm_mon], e.tm_hour, e.tm_min);
}

const char *ocspx_words_took(apr_interval_time_t took, apr_pool_t *p)
{
    apr_int64_t ms = took / 1000 + (took % 1000 >= 500);

    if (took < 1000)
        return "under 1 ms";
    if (ms < 1000)
        return apr_psprintf(p, "%" APR_INT64_T_FMT " ms", ms);
    return apr_psprintf(p, "%" APR_INT64_T_FMT ".%d s", ms / 1000,
                        (int)(ms % 1000 / 100));
}

const char *ocspx_words_count(apr_int64_t n, apr_pool_t *p)
{
    const char *digits = apr_psprintf(p, "%" APR_INT64_T_FMT, n);
    size_t len = strlen(digits);
    char *out = apr_palloc(p, len + len / 3 + 1);
    char *to = out;

    for (; *digits; digits++, len--) {
        *to++ = *digits;
        if (*digits != '-' && len > 1 && len % 3 == 1)
            *to++ = ',';
    }
    *to = '\0';
    return out;
}

const char *ocspx_words_size(apr_int64_t bytes, apr_pool_t *p)
{
    static const char *const names[] = {"KB", "MB", "GB"};
    double size = (double)bytes / 1024;
    size_t i = 0;

    if (bytes < 10000)
        return ocspx_words_number(bytes, "byte", p);
    while (size >= 1024 && i < sizeof(names) / sizeof(names[0]) - 1) {
        size /= 1024;
        i++;
    }
    return apr_psprintf(p, "%.1f %s", size, names[i]);
}

const char *ocspx_words_number(apr_int64_t n, const char *what, apr_pool_t *p)
{
    return apr_pstrcat(p, ocspx_words_count(n, p), " ", what, n == 1 ? "" : "s",
                       NULL);
}
