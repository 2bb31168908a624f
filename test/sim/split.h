/* split: work shared by several processes, which add up what they count. */
#ifndef OCSPX_TEST_SPLIT_H
#define OCSPX_TEST_SPLIT_H

#include <apr_pools.h>

typedef struct {
    unsigned number, of;
} split_part_t;

/** @param sums its own, zero at first */
typedef void split_work_fn(const void *baton, void *sums, split_part_t part,
                           apr_pool_t *p);

/** A process that fails ends the program. @return @a numbers sums */
const apr_uint64_t *split(split_work_fn *work, const void *baton,
                          unsigned processes, apr_size_t numbers,
                          apr_pool_t *p);

unsigned split_processors(void);

#endif
