/* queue: the certificates of one host that wait at each server for it to be up
 * again, in the order of the agenda: by expiry.
 */
#ifndef OCSPX_TEST_QUEUE_H
#define OCSPX_TEST_QUEUE_H

#include <apr_pools.h>
#include <apr_time.h>

typedef struct queue_t queue_t;

queue_t *queue_make(unsigned servers, apr_pool_t *p);

/** Empty it; what is added then expires between these, or goes first. */
void queue_open(queue_t *queue, apr_time_t from, apr_time_t to);
void queue_add(queue_t *queue, unsigned server, apr_time_t expiry);
void queue_close(queue_t *queue);

/** How many go first; those of about the same expiry are in the order of the
 * certificates' @a lot, a number below 1. */
double queue_before(const queue_t *queue, unsigned server, apr_time_t expiry,
                    double lot);

#endif
