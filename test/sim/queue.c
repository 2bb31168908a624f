/* queue: the certificates of one host that wait for it to be up again. */
#include "queue.h"

#include <string.h>

#define BINS 1024

struct queue_t {
    apr_time_t from;
    apr_interval_time_t width; /* of a bin */
    unsigned servers;
    unsigned (*until)[BINS + 1]; /* by server: in the bins before this one;
                                    while open: in the one before this one */
};

queue_t *queue_make(unsigned servers, apr_pool_t *p)
{
    queue_t *queue = apr_palloc(p, sizeof(*queue));

    queue->servers = servers;
    queue->until = apr_palloc(p, servers * sizeof(*queue->until));
    return queue;
}

void queue_open(queue_t *queue, apr_time_t from, apr_time_t to)
{
    queue->from = from;
    queue->width = (to - from) / BINS + 1;
    memset(queue->until, 0, queue->servers * sizeof(*queue->until));
}

static unsigned bin_of(const queue_t *queue, apr_time_t expiry)
{
    apr_int64_t bin = (expiry - queue->from) / queue->width;

    if (bin < 0)
        return 0;
    return bin < BINS ? (unsigned)bin : BINS - 1;
}

void queue_add(queue_t *queue, unsigned server, apr_time_t expiry)
{
    queue->until[server][bin_of(queue, expiry) + 1]++;
}

void queue_close(queue_t *queue)
{
    unsigned j, bin;

    for (j = 0; j < queue->servers; j++)
        for (bin = 0; bin < BINS; bin++)
            queue->until[j][bin + 1] += queue->until[j][bin];
}

double queue_before(const queue_t *queue, unsigned server, apr_time_t expiry,
                    double lot)
{
    const unsigned *until = &queue->until[server][bin_of(queue, expiry)];

    return until[0] + lot * (until[1] - until[0]);
}
