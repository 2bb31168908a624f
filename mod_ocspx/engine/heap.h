/* heap: a binary heap of numbered things, least key first. */
#ifndef OCSPX_HEAP_H
#define OCSPX_HEAP_H

#include <apr_pools.h>
#include <apr_time.h>

/** Place of an id that is in no heap. */
#define OCSPX_HEAP_NONE (~0U)

/**
 * ids[0] is the id with the least key. The owner of @a key calls
 * ocspx_heap_put after each change of the key of an id that is in the heap.
 * Heaps that never have an id in common may share one @a at.
 */
typedef struct {
    unsigned *ids;
    unsigned n;
    unsigned *at;          /* by id: where in ids it is, or NONE */
    const apr_time_t *key; /* by id */
} ocspx_heap_t;

/** An empty heap for the ids below @a n. */
ocspx_heap_t ocspx_heap_make(unsigned n, const apr_time_t *key, apr_pool_t *p);

/** Places for @a n ids, all NONE. */
unsigned *ocspx_heap_places(unsigned n, apr_pool_t *p);

/** Put @a id in, or to its new place after its key has changed. */
void ocspx_heap_put(ocspx_heap_t *heap, unsigned id);

/** Take @a id out, if it is in. */
void ocspx_heap_drop(ocspx_heap_t *heap, unsigned id);

#endif
