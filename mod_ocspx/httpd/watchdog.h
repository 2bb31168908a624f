/* watchdog: the refresher in a thread of mod_watchdog, in one child of the
 * server; another child takes over when that one ends.
 */
#ifndef OCSPX_WATCHDOG_H
#define OCSPX_WATCHDOG_H

#include "generation.h"

/** Is mod_watchdog there? Without it nothing can be kept fresh. */
int ocspx_watchdog_available(void);

/** Register the refresher of @a generation; from post_config. */
apr_status_t ocspx_watchdog_register(ocspx_generation_t *generation,
                                     apr_pool_t *p);

/** Prepare a child for it; from child_init, before its threads start. */
void ocspx_watchdog_child_init(ocspx_generation_t *generation,
                               apr_pool_t *pchild);

#endif
