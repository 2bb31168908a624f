/* load_private: one handshake, for the loops of load.c and load_walk.c. */
#ifndef OCSPX_BENCH_LOAD_PRIVATE_H
#define OCSPX_BENCH_LOAD_PRIVATE_H

#include "load.h"

/** Seconds of the monotonic clock. */
double load_now(void);

/** As load_shake(). @param until the moment it was done, or had failed
 * @param turn which handshake it is; each goes to the next site */
int load_shake_in(int *stapled, double *until, SSL_CTX *context,
                  const load_spec_t *spec, unsigned turn);

#endif
