/* share_queue: what one store is asked, and what is put there. Only share uses
 * it.
 */
#ifndef OCSPX_SHARE_QUEUE_H
#define OCSPX_SHARE_QUEUE_H

#include "share.h"

typedef struct ocspx_share_queue_t ocspx_share_queue_t;

/** @param ledger NULL: there is none */
ocspx_share_queue_t *ocspx_share_queue_make(ocspx_share_store_t *store,
                                            ocspx_ledger_t *ledger,
                                            const ocspx_log_t *log,
                                            apr_time_t (*clock)(void),
                                            apr_pool_t *p);

/** As those of share.h. */
void ocspx_share_queue_look_up(ocspx_share_queue_t *queue,
                               const ocspx_registry_entry_t *entry,
                               ocspx_share_found_fn *done, void *baton);
void ocspx_share_queue_put(ocspx_share_queue_t *queue,
                           const ocspx_registry_entry_t *entry,
                           const ocspx_share_found_t *response,
                           apr_time_t expiry);
void ocspx_share_queue_turn(ocspx_share_queue_t *queue);
unsigned ocspx_share_queue_waiting(const ocspx_share_queue_t *queue);

/** Since when it is left alone; 0: it works. */
apr_time_t ocspx_share_queue_down_since(const ocspx_share_queue_t *queue);

#endif
