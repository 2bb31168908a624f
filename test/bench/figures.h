/* figures: medians and percentiles, and what processes use. */
#ifndef OCSPX_BENCH_FIGURES_H
#define OCSPX_BENCH_FIGURES_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <sys/types.h>

/* Arrays of double; these sort them. */

double figures_median(apr_array_header_t *values);
/** @param part 0.999: that part of the values is at most as large */
double figures_quantile(apr_array_header_t *values, double part);
/** The median and the quartiles, as a cell of a table. */
const char *figures_spread(apr_array_header_t *values, int decimals,
                           apr_pool_t *p);

/** The median and the interval in which that of all values there could be is
 * with 95 %, whatever their distribution; likewise. */
const char *figures_sure(apr_array_header_t *values, int decimals,
                         apr_pool_t *p);

apr_array_header_t *figures_make(apr_pool_t *p);
static inline void figures_add(apr_array_header_t *values, double value)
{
    APR_ARRAY_PUSH(values, double) = value;
}

/* Of all processes of a group, as far as they are still there. */

/** User and system time in microseconds. */
double figures_cpu(pid_t group);
/** Memory in KB, what is shared divided among those that share it. */
double figures_pss(pid_t group);

#endif
