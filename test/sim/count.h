/* count: the requests of a fleet, and how they are spread over time. */
#ifndef OCSPX_TEST_COUNT_H
#define OCSPX_TEST_COUNT_H

#include "fleet.h"

typedef struct count_t count_t;

count_t *count_make(fleet_result_t *result, const world_t *world,
                    apr_pool_t *p);
void count_request(count_t *count, apr_time_t now, int first, int duplicate);
void count_found(count_t *count, apr_time_t now);
/** Means and peaks. */
void count_conclude(count_t *count);

#endif
