/* configtest: what httpd -t says about certificates. */
#ifndef OCSPX_CONFIGTEST_H
#define OCSPX_CONFIGTEST_H

#include <apr_pools.h>

void ocspx_configtest_register_hooks(apr_pool_t *p);

#endif
