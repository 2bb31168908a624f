/* observer: tells those who want to know what happened: OCSPXNotify's command.
 */
#ifndef OCSPX_OBSERVER_H
#define OCSPX_OBSERVER_H

#include "generation.h"

/**
 * Find the errors of the chain check that the previous configuration did not
 * have. In the parent, once ocspx_source_prepare is done.
 */
void ocspx_observer_prepare(ocspx_generation_t *generation, apr_pool_t *pconf);

/** Is there somebody to be told of them? */
int ocspx_observer_has_news(const ocspx_generation_t *generation);

/**
 * For the refresher; the first one of a generation tells of the chains, too.
 * @param p the refresher's
 */
const ocspx_event_observer_t *
ocspx_observer_make(const ocspx_generation_t *generation, apr_pool_t *p);

#endif
