/* socache: what servers share lies in redis or memcached, by way of httpd's
 * own socache providers.
 */
#ifndef OCSPX_SOCACHE_H
#define OCSPX_SOCACHE_H

#include "generation.h"

/**
 * For a refresher, in its own process: nothing here is made in the parent.
 * @param fetch woken when the store has answered
 * @return NULL: nothing is to be shared
 */
ocspx_share_t *ocspx_socache_share(const ocspx_generation_t *generation,
                                   ocspx_fetch_t *fetch, apr_pool_t *p);

#endif
