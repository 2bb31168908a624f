/* status: what the operator sees: the handler ocspx-status, and a section on
 * mod_status's page.
 */
#ifndef OCSPX_STATUS_H
#define OCSPX_STATUS_H

#include <httpd.h>

void ocspx_status_register_hooks(apr_pool_t *p);

/** Passes pieces of output on to the client. @param baton request_rec * */
void ocspx_status_write(void *baton, const char *piece, apr_size_t len);

/** As mod_status's hook has it; see status_section.c. */
int ocspx_status_section(request_rec *r, int flags);

#endif
