/* tools_private: what the files of the tools share.
 *
 *   tools.c        running them; responder and proxy
 *   tools_store.c  stores that servers share
 *   tools_tls.c    TLS servers
 */
#ifndef OCSPX_TEST_TOOLS_PRIVATE_H
#define OCSPX_TEST_TOOLS_PRIVATE_H

#include "tools.h"

/** Run it; returns once it listens. */
tools_t *tools_start(const char *const *argv, const char *dir, int port,
                     apr_pool_t *p);

/** The path of a program; "": there is none. */
const char *tools_find(const char *program, apr_pool_t *p);

#endif
