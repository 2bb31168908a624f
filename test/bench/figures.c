/* figures: medians and percentiles. */
#include "figures.h"

#include <math.h>
#include <stdlib.h>

#include <apr_strings.h>

apr_array_header_t *figures_make(apr_pool_t *p)
{
    return apr_array_make(p, 64, sizeof(double));
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

double figures_quantile(apr_array_header_t *values, double part)
{
    int at = (int)ceil(part * values->nelts) - 1;

    if (values->nelts == 0)
        return 0;
    qsort(values->elts, (size_t)values->nelts, sizeof(double), compare);
    return APR_ARRAY_IDX(values, at > 0 ? at : 0, double);
}

double figures_median(apr_array_header_t *values)
{
    int n = values->nelts;
    double upper = figures_quantile(values, 0.5);

    return n > 0 && n % 2 == 0
               ? (APR_ARRAY_IDX(values, n / 2, double) + upper) / 2
               : upper;
}

/** @param off how far from the median, as a part of the values */
static const char *print(apr_array_header_t *values, double off, int decimals,
                         apr_pool_t *p)
{
    return apr_psprintf(p, "%.*f\t%.*f\t%.*f", decimals, figures_median(values),
                        decimals, figures_quantile(values, 0.5 - off), decimals,
                        figures_quantile(values, 0.5 + off));
}

const char *figures_spread(apr_array_header_t *values, int decimals,
                           apr_pool_t *p)
{
    return print(values, 0.25, decimals, p);
}

/* How many of n values are below the median is binomial, n / 2 on average and
 * with a deviation of sqrt(n) / 2. */
const char *figures_sure(apr_array_header_t *values, int decimals,
                         apr_pool_t *p)
{
    double off = values->nelts ? 0.98 / sqrt(values->nelts) : 0;

    return print(values, off < 0.5 ? off : 0.5, decimals, p);
}
