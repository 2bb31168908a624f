/* load: what the store kept from before, judged again and used. */
#ifndef OCSPX_LOAD_H
#define OCSPX_LOAD_H

#include "refresh.h"

/**
 * Use what the store holds for entry @a i, if it is still good: the repair of
 * its chain, and the response, which is published. What is not good is left
 * alone, with one line in the log.
 */
void ocspx_load_entry(const ocspx_refresh_config_t *config, unsigned i,
                      apr_pool_t *p);

/** The repair alone, unless it is in use or there is none to be done. */
void ocspx_load_repair(const ocspx_refresh_config_t *config, unsigned i,
                       apr_pool_t *p);

#endif
