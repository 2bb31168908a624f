/* api: what other modules may ask and hear: include/mod_ocspx.h. */
#ifndef OCSPX_API_H
#define OCSPX_API_H

#include "../engine/event.h"
#include "generation.h"

/** Register the optional functions. */
void ocspx_api_register(apr_pool_t *p);

/** Does another module want to hear of events? */
int ocspx_api_listened(void);

/** Tell other modules of an event of the registry's entry @a index. */
void ocspx_api_event(const ocspx_generation_t *generation, ocspx_event_e event,
                     unsigned index, apr_time_t now, apr_pool_t *ptemp);

/** The same of a finding: OCSPX_EVENT_CHAIN_BROKEN. */
void ocspx_api_finding(const ocspx_report_finding_t *finding,
                       apr_pool_t *ptemp);

#endif
