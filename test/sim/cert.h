/* cert: the life of one certificate on all servers. */
#ifndef OCSPX_TEST_CERT_OF_FLEET_H
#define OCSPX_TEST_CERT_OF_FLEET_H

#include "../../mod_ocspx/engine/heap.h"
#include "count.h"
#include "queue.h"

/** One certificate at one server. */
typedef struct {
    ocspx_schedule_validity_t newest; /* served, or held until its turn */
    apr_uint64_t instance;            /* as in ocspx_schedule_stagger */
    unsigned restarts;
    apr_time_t began; /* to look for a first response */
    int asking;       /* its request is under way */
    int was_shut_out; /* the responder was down */
} staple_t;

/** One certificate. */
typedef struct {
    /* What it is born with: */
    const world_t *world;
    const world_host_t *host;
    count_t *count;
    queue_t *queue; /* of the host */
    unsigned number;

    apr_uint64_t random;
    apr_time_t now;
    const world_outage_t *outage; /* of the host; under way, or the next */
    const world_outage_t *store_outage;
    ocspx_schedule_validity_t stored;
    unsigned asking; /* requests under way */
    staple_t *staples;
    apr_time_t *wake; /* by server */
    ocspx_heap_t heap;
} cert_t;

void cert_begin(cert_t *cert, apr_pool_t *p);
void cert_live(cert_t *cert, apr_time_t until);
void cert_end(cert_t *cert);

#endif
