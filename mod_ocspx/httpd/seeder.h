/* seeder: fills the cache before the server opens its doors. */
#ifndef OCSPX_SEEDER_H
#define OCSPX_SEEDER_H

#include "generation.h"

/**
 * Fork a process that drops to the worker user, loads the store and asks the
 * network, and wait until it is done or the time is up.
 * @param known one byte per certificate: already carried over from the
 *        previous generation; NULL at the first start
 */
void ocspx_seeder_run(ocspx_generation_t *generation,
                      const unsigned char *known, apr_pool_t *ptemp);

/**
 * In such a process ask the network for every certificate once, whatever comes
 * of it, for @a wait at most.
 */
void ocspx_seeder_ask_once(ocspx_generation_t *generation,
                           apr_interval_time_t wait, apr_pool_t *ptemp);

#endif
