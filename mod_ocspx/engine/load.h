/* load: what the store kept from before, judged again and served. */
#ifndef OCSPX_LOAD_H
#define OCSPX_LOAD_H

#include "refresh.h"

/**
 * Publish what the store holds for entry @a i, if it is still good. What is
 * not is left alone, with one line in the log.
 */
void ocspx_load_entry(const ocspx_refresh_config_t *config, unsigned i,
                      apr_pool_t *p);

#endif
