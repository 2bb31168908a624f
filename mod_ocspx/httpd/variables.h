/* variables: what logs and expressions see of it: OCSPX_STAPLED and so on, in
 * the environment of requests, where OCSPXEnvVars is on.
 */
#ifndef OCSPX_VARIABLES_H
#define OCSPX_VARIABLES_H

#include <apr_pools.h>

void ocspx_variables_register_hooks(apr_pool_t *p);

#endif
