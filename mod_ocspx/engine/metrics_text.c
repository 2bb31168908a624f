/* metrics_text: the lines of metrics: what a family is, and its samples. */
#include "metrics_text.h"

#include <apr_strings.h>
#include <string.h>

static void put(const ocspx_metrics_text_t *text, const char *line)
{
    text->write(text->baton, line, strlen(line));
}

static const char *total(const ocspx_metrics_text_t *text)
{
    return text->family->type == OCSPX_METRICS_COUNTER ? "_total" : "";
}

static void describe(const ocspx_metrics_text_t *text, const char *keyword,
                     const char *what)
{
    put(text, apr_pstrcat(text->p, "# ", keyword, " ", text->family->name,
                          total(text), " ", what, "\n", NULL));
}

/* In OpenMetrics a counter's family goes without the suffix of its samples, and
 * promtool, which knows the plain text alone, would find no help for them. So
 * there it is without a type: both are content, and Prometheus does the same
 * with it. */
static int has_type(const ocspx_metrics_text_t *text)
{
    return text->format == OCSPX_METRICS_PROMETHEUS ||
           text->family->type != OCSPX_METRICS_COUNTER;
}

void ocspx_metrics_text_begin(ocspx_metrics_text_t *text,
                              const ocspx_metrics_family_t *family)
{
    static const char *const types[] = {
        [OCSPX_METRICS_GAUGE] = "gauge",
        [OCSPX_METRICS_COUNTER] = "counter",
        [OCSPX_METRICS_HISTOGRAM] = "histogram",
    };

    text->family = family;
    describe(text, "HELP", family->help);
    if (has_type(text))
        describe(text, "TYPE", types[family->type]);
    if (family->unit && text->format == OCSPX_METRICS_OPENMETRICS)
        describe(text, "UNIT", family->unit);
}

void ocspx_metrics_text_sample(const ocspx_metrics_text_t *text,
                               const char *suffix, const char *labels,
                               const char *value)
{
    put(text, apr_pstrcat(text->p, text->family->name, suffix, total(text),
                          *labels ? "{" : "", labels, *labels ? "} " : " ",
                          value, "\n", NULL));
}

void ocspx_metrics_text_count(const ocspx_metrics_text_t *text,
                              const char *suffix, const char *labels,
                              apr_int64_t value)
{
    ocspx_metrics_text_sample(
        text, suffix, labels,
        apr_psprintf(text->p, "%" APR_INT64_T_FMT, value));
}

void ocspx_metrics_text_end(const ocspx_metrics_text_t *text)
{
    if (text->format == OCSPX_METRICS_OPENMETRICS)
        put(text, "# EOF\n");
}

static char *escape(char *to, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";

    if (c == '\\' || c == '"' || c == '\n') {
        *to++ = '\\';
        *to++ = (char)(c == '\n' ? 'n' : c);
    } else if (c >= 0x20 && c < 0x7f) {
        *to++ = (char)c;
    } else {
        *to++ = '\\';
        *to++ = '\\';
        *to++ = 'x';
        *to++ = digits[c >> 4];
        *to++ = digits[c & 15];
    }
    return to;
}

const char *ocspx_metrics_text_label(const char *name, const char *value,
                                     apr_pool_t *p)
{
    char *escaped = apr_palloc(p, 5 * strlen(value) + 1);
    char *to = escaped;

    while (*value)
        to = escape(to, (unsigned char)*value++);
    *to = '\0';
    return apr_pstrcat(p, name, "=\"", escaped, "\"", NULL);
}
