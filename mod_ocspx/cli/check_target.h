/* check_target: HOST[:PORT] as given, taken apart. */
#ifndef OCSPX_CLI_CHECK_TARGET_H
#define OCSPX_CLI_CHECK_TARGET_H

#include "check.h"

/**
 * @param connect ADDR[:PORT] to connect to in its place; NULL: none
 * @return NULL, after a complaint, where either is not as it should be
 */
cli_check_target_t *cli_check_target(const char *given, const char *connect,
                                     apr_pool_t *p);

#endif
