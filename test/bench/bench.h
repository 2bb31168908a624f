/* bench: what all sections of the benchmark share.
 *
 *   bench.c        options, order of the sections, nothing left running
 *   scene.c        CA, certificates and responder
 *   peers.c        the servers that are compared; peer_nginx.c: that one
 *   load.c         handshakes, and how long they take
 *   table.c        tables, and the same as tab-separated values
 *   stepped.c      a refresher without network and clock
 *   annotate.c     functions by callgrind
 *   figures.c      medians and percentiles; figures_system.c: of processes
 *   section_*.c    the sections themselves
 */
#ifndef OCSPX_BENCH_H
#define OCSPX_BENCH_H

#include <apr_pools.h>

typedef enum { BENCH_SMOKE, BENCH_QUICK, BENCH_FULL } bench_scale_e;

typedef struct {
    apr_pool_t *pool;
    bench_scale_e scale;
    const char *out; /* directory of results */
} bench_t;

/** What this run takes of three. */
static inline int bench_pick(const bench_t *bench, int smoke, int quick,
                             int full)
{
    if (bench->scale == BENCH_SMOKE)
        return smoke;
    return bench->scale == BENCH_QUICK ? quick : full;
}

/** One line on stderr about what is going on. */
void bench_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** A section measures, and prints its tables; in a pool of its own. */
typedef void bench_section_fn(const bench_t *bench, apr_pool_t *p);

bench_section_fn section_rate;   /* (a) */
bench_section_fn section_hang;   /* (b) */
bench_section_fn section_count;  /* (c) */
bench_section_fn section_cache;  /* (d) */
bench_section_fn section_many;   /* (e) */
bench_section_fn section_spread; /* (f) */
bench_section_fn section_linear; /* (g) */

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

#endif
