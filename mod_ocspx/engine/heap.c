/* heap: a binary heap of numbered things, least key first. */
#include "heap.h"

ocspx_heap_t ocspx_heap_make(unsigned n, const apr_time_t *key, apr_pool_t *p)
{
    return (ocspx_heap_t){
        .ids = apr_palloc(p, n * sizeof(unsigned)),
        .at = ocspx_heap_places(n, p),
        .key = key,
    };
}

unsigned *ocspx_heap_places(unsigned n, apr_pool_t *p)
{
    unsigned *at = apr_palloc(p, n * sizeof(*at));

    while (n)
        at[--n] = OCSPX_HEAP_NONE;
    return at;
}

static void place(ocspx_heap_t *heap, unsigned at, unsigned id)
{
    heap->ids[at] = id;
    heap->at[id] = at;
}

static int before(const ocspx_heap_t *heap, unsigned id, unsigned other)
{
    return heap->key[id] < heap->key[other];
}

static void sift_up(ocspx_heap_t *heap, unsigned id)
{
    unsigned at = heap->at[id];

    while (at && before(heap, id, heap->ids[(at - 1) / 2])) {
        place(heap, at, heap->ids[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(heap, at, id);
}

static void sift_down(ocspx_heap_t *heap, unsigned id)
{
    unsigned at = heap->at[id];
    unsigned child;

    while ((child = 2 * at + 1) < heap->n) {
        if (child + 1 < heap->n &&
            before(heap, heap->ids[child + 1], heap->ids[child]))
            child++;
        if (!before(heap, heap->ids[child], id))
            break;
        place(heap, at, heap->ids[child]);
        at = child;
    }
    place(heap, at, id);
}

void ocspx_heap_put(ocspx_heap_t *heap, unsigned id)
{
    if (heap->at[id] == OCSPX_HEAP_NONE)
        place(heap, heap->n++, id);
    sift_up(heap, id);
    sift_down(heap, id);
}

void ocspx_heap_drop(ocspx_heap_t *heap, unsigned id)
{
    unsigned at = heap->at[id];
    unsigned last;

    if (at == OCSPX_HEAP_NONE)
        return;
    heap->at[id] = OCSPX_HEAP_NONE;
    last = heap->ids[--heap->n];
    if (last == id)
        return;
    place(heap, at, last);
    ocspx_heap_put(heap, last);
}
