/* shmcb: mod_socache_shmcb and a global mutex, as mod_ssl uses them for its
 * staples, without httpd.
 */
#ifndef OCSPX_BENCH_SHMCB_H
#define OCSPX_BENCH_SHMCB_H

#include <apr_pools.h>

typedef struct shmcb_t shmcb_t;

/** Room for @a n entries of @a length bytes. */
shmcb_t *shmcb_make(unsigned n, unsigned length, apr_pool_t *p);

/** In a process that was forked. */
void shmcb_child(shmcb_t *shmcb);

void shmcb_write(shmcb_t *shmcb, unsigned i, unsigned char *data,
                 unsigned length);

/** Into a buffer on the stack, as mod_ssl does. @return the length; 0: none */
unsigned shmcb_read(shmcb_t *shmcb, unsigned i);

#endif
