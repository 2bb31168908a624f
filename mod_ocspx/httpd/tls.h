/* tls: the hooks that mod_ssl calls: which certificates there are, and what
 * to staple in a handshake.
 */
#ifndef OCSPX_TLS_H
#define OCSPX_TLS_H

#include "generation.h"

void ocspx_tls_register_hooks(apr_pool_t *p);

/** Say in one line each what was not taken over, and why. */
void ocspx_tls_log_summary(const ocspx_generation_t *generation);

#endif
