/* query: what a request for the status page asks for. */
#include "query.h"

#include <apr_escape.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

static const char *const format_names[] = {
    [OCSPX_QUERY_UNSAID] = "",
    [OCSPX_QUERY_HTML] = "html",
    [OCSPX_QUERY_JSON] = "json",
    [OCSPX_QUERY_OPENMETRICS] = "openmetrics",
    [OCSPX_QUERY_PROMETHEUS] = "prometheus",
    [OCSPX_QUERY_DER] = "der",
};

#define FORMATS (sizeof(format_names) / sizeof(format_names[0]))

/* --- the parameters: each takes a value, or says why not ------------- */

static const char *take_format(ocspx_query_t *query, const char *value,
                               apr_pool_t *p)
{
    size_t i;

    (void)p;
    for (i = OCSPX_QUERY_HTML; i < FORMATS; i++)
        if (!strcmp(value, format_names[i])) {
            query->format = (ocspx_query_format_e)i;
            return NULL;
        }
    return "format must be html, json, openmetrics, prometheus or der.";
}

/* As openssl x509 -fingerprint prints it, too: in capitals, with colons. */
static const char *take_cert(ocspx_query_t *query, const char *value,
                             apr_pool_t *p)
{
    char *id = apr_palloc(p, OCSPX_CERT_ID_LEN + 1);
    size_t len = 0;

    for (; *value; value++) {
        if (*value == ':' && len % 2 == 0 && len > 0 && len < OCSPX_CERT_ID_LEN)
            continue;
        if (!apr_isxdigit(*value) || len == OCSPX_CERT_ID_LEN)
            break;
        id[len++] = (char)apr_tolower(*value);
    }
    if (*value || len < OCSPX_CERT_ID_LEN)
        return "cert must be the SHA-256 fingerprint of a certificate, 64 hex "
               "digits.";
    id[len] = '\0';
    query->report.cert = id;
    return NULL;
}

/* Nothing else is on the page: names in certificates are made printable. */
static const char *take_search(ocspx_query_t *query, const char *value,
                               apr_pool_t *p)
{
    const char *c;

    (void)p;
    for (c = value; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            return "q must be of printable ASCII characters.";
    query->report.search = value;
    return NULL;
}

static const char *take_state(ocspx_query_t *query, const char *value,
                              apr_pool_t *p)
{
    int i;

    (void)p;
    for (i = 0; i < OCSPX_REPORT_STATES; i++) {
        const char *name = ocspx_report_state_name((ocspx_report_state_e)i);

        if (!strcmp(value, name)) {
            query->report.state = name;
            return NULL;
        }
    }
    return "state must be failing, revoked, withheld, waiting, stapled, "
           "other-provider or not-applicable.";
}

#define PAGE_DIGITS_MAX 7

static const char *take_page(ocspx_query_t *query, const char *value,
                             apr_pool_t *p)
{
    size_t len = strspn(value, "0123456789");

    (void)p;
    if (!value[len] && len <= PAGE_DIGITS_MAX)
        query->report.page = (unsigned)apr_atoi64(value);
    return query->report.page ? NULL : "page must be a number, 1 or higher.";
}

typedef struct {
    const char *name;
    const char *(*take)(ocspx_query_t *query, const char *value, apr_pool_t *p);
} parameter_t;

static const parameter_t parameters[] = {{"format", take_format},
                                         {"cert", take_cert},
                                         {"q", take_search},
                                         {"state", take_state},
                                         {"page", take_page}};

#define PARAMETERS (sizeof(parameters) / sizeof(parameters[0]))

/* --- reading --------------------------------------------------------- */

static const char *take(ocspx_query_t *query, unsigned *seen, const char *name,
                        const char *value, apr_pool_t *p)
{
    size_t i;

    for (i = 0; i < PARAMETERS; i++)
        if (!strcmp(name, parameters[i].name)) {
            if (*seen & 1u << i)
                return "A parameter is given twice.";
            *seen |= 1u << i;
            return *value ? parameters[i].take(query, value, p) : NULL;
        }
    return "There is a parameter that is not known here: there are format, "
           "cert, q, state and page.";
}

/* @return NULL: badly encoded */
static const char *decode(const char *text, apr_pool_t *p)
{
    return *text ? apr_punescape_url(p, text, NULL, NULL, 1) : "";
}

static const char *take_pair(ocspx_query_t *query, unsigned *seen, char *pair,
                             apr_pool_t *p)
{
    char *equals = strchr(pair, '=');
    const char *name, *value;

    if (equals)
        *equals++ = '\0';
    name = decode(pair, p);
    value = decode(equals ? equals : "", p);
    if (!name || !value)
        return "The query string is not well encoded.";
    return take(query, seen, name, value, p);
}

const char *ocspx_query_read(ocspx_query_t *query, const char *args,
                             apr_pool_t *p)
{
    unsigned seen = 0;
    const char *wrong = NULL;
    char *pair, *state;

    memset(query, 0, sizeof(*query));
    if (!args)
        return NULL;
    if (strlen(args) > OCSPX_QUERY_MAX)
        return "The query string is too long.";
    pair = apr_strtok(apr_pstrdup(p, args), "&", &state);
    for (; pair && !wrong; pair = apr_strtok(NULL, "&", &state))
        wrong = take_pair(query, &seen, pair, p);
    if (!wrong && query->format == OCSPX_QUERY_DER && !query->report.cert)
        wrong = "format=der needs a certificate, by cert.";
    return wrong;
}

/* --- writing --------------------------------------------------------- */

static const char *add(const char *args, const char *name, const char *value,
                       apr_pool_t *p)
{
    if (!value || !*value)
        return args;
    return apr_pstrcat(p, args, *args ? "&" : "", name, "=",
                       apr_pescape_urlencoded(p, value), NULL);
}

const char *ocspx_query_write(const ocspx_query_t *query, apr_pool_t *p)
{
    const char *args = add("", "format", format_names[query->format], p);

    args = add(args, "cert", query->report.cert, p);
    args = add(args, "q", query->report.search, p);
    args = add(args, "state", query->report.state, p);
    if (query->report.page > 1)
        args = add(args, "page", apr_psprintf(p, "%u", query->report.page), p);
    return args;
}
