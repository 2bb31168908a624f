/* split: work in pieces, done by several processes that add up what they
 * count.
 */
#ifndef OCSPX_TEST_SPLIT_H
#define OCSPX_TEST_SPLIT_H

#include <apr_pools.h>

/** Do one piece. @param sums to add to */
typedef void split_work_fn(const void *baton, unsigned piece,
                           apr_uint64_t *sums, apr_pool_t *p);

/** A process that fails ends the program. @return @a numbers sums */
const apr_uint64_t *split(split_work_fn *work, const void *baton,
                          unsigned pieces, unsigned processes,
                          apr_size_t numbers, apr_pool_t *p);

unsigned split_processors(void);

#endif
