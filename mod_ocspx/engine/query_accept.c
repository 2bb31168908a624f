/* query_accept: the format that an Accept header likes best.
 *
 * The header is a list of media ranges, each with a weight. What counts for a
 * format is the most exact range that it fits. Of formats with the same
 * weight the one named more exactly wins (who wants JSON often adds that
 * anything will do), then the one that comes first below.
 */
#include "query.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

typedef struct {
    ocspx_query_format_e format;
    const char *type;
    int exactness; /* of the range that it fits; 0: none */
    int weight;    /* in thousandths */
} offer_t;

enum { NOT_AT_ALL, ANYTHING, TYPE, SUBTYPE };

static int fits(const char *type, const char *range)
{
    size_t len = strlen(range);

    if (!strcmp(range, type))
        return SUBTYPE;
    if (!strcmp(range, "*/*"))
        return ANYTHING;
    if (len > 2 && !strcmp(range + len - 2, "/*") &&
        !strncmp(range, type, len - 1))
        return TYPE;
    return NOT_AT_ALL;
}

/* As RFC 9110, 12.4.2 has it; what is no weight counts as 0. */
static int weight_of(const char *text)
{
    int weight = *text == '1' ? 1000 : 0;
    int digit = 100;

    if (*text != '0' && *text != '1')
        return 0;
    if (*++text == '.')
        text++;
    for (; apr_isdigit(*text) && digit; text++, digit /= 10)
        weight += (*text - '0') * digit;
    return *text || weight > 1000 ? 0 : weight;
}

static void consider(offer_t *offer, const char *range, int weight)
{
    int exactness = fits(offer->type, range);

    if (exactness < offer->exactness ||
        (exactness == offer->exactness && weight < offer->weight))
        return;
    offer->exactness = exactness;
    offer->weight = weight;
}

static int is_better(const offer_t *a, const offer_t *b)
{
    if (a->weight != b->weight)
        return a->weight > b->weight;
    return a->weight && a->exactness > b->exactness;
}

/* An element of the list, without spaces and in lower case. */
static void read_element(offer_t *offers, size_t n, char *element)
{
    int weight = 1000;
    char *state;
    const char *range = apr_strtok(element, ";", &state);
    const char *parameter;
    size_t i;

    if (!range)
        return;
    while ((parameter = apr_strtok(NULL, ";", &state)))
        if (!strncmp(parameter, "q=", 2))
            weight = weight_of(parameter + 2);
    for (i = 0; i < n; i++)
        consider(&offers[i], range, weight);
}

static char *normal_form(const char *accept, apr_pool_t *p)
{
    char *list = apr_pstrdup(p, accept);
    char *c;

    apr_collapse_spaces(list, list);
    for (c = list; *c; c++)
        *c = (char)apr_tolower(*c);
    return list;
}

ocspx_query_format_e ocspx_query_accept(const char *accept, apr_pool_t *p)
{
    offer_t offers[] = {
        {OCSPX_QUERY_HTML, "text/html", 0, 0},
        {OCSPX_QUERY_JSON, "application/json", 0, 0},
        {OCSPX_QUERY_OPENMETRICS, "application/openmetrics-text", 0, 0},
        {OCSPX_QUERY_PROMETHEUS, "text/plain", 0, 0},
    };
    const size_t n = sizeof(offers) / sizeof(offers[0]);
    char *element, *state;
    size_t i, best = 0;

    if (!accept)
        return OCSPX_QUERY_HTML;
    element = apr_strtok(normal_form(accept, p), ",", &state);
    for (; element; element = apr_strtok(NULL, ",", &state))
        read_element(offers, n, element);
    for (i = 1; i < n; i++)
        if (is_better(&offers[i], &offers[best]))
            best = i;
    return offers[best].format;
}
