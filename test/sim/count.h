/* count: the requests of a fleet, and how they are spread over time. */
#ifndef OCSPX_TEST_COUNT_H
#define OCSPX_TEST_COUNT_H

#include "fleet.h"

/* Nothing but numbers, so that those of several processes can be added up. */
typedef struct {
    fleet_counts_t all;
    apr_uint64_t by_minute[]; /* requests, after the warm-up */
} count_t;

/** How many numbers that is. */
apr_size_t count_numbers(const world_t *world);

void count_request(count_t *count, const world_t *world, apr_time_t now,
                   int first, int duplicate);
void count_found(count_t *count, const world_t *world, apr_time_t now);
/** Means and peaks. */
void count_conclude(fleet_result_t *result, const count_t *count,
                    const world_t *world, apr_pool_t *p);

#endif
