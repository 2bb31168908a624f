/* stepped: a refresher whose certificates, cache and verification are real,
 * while clock and network are stepped.
 */
#ifndef OCSPX_BENCH_STEPPED_H
#define OCSPX_BENCH_STEPPED_H

#include "../../mod_ocspx/engine/refresh.h"
#include "../support/pki.h"

#define STEPPED_SEC(n) apr_time_from_sec(n)
#define STEPPED_HOUR STEPPED_SEC(3600)
#define STEPPED_VALIDITY (168 * STEPPED_HOUR)
#define STEPPED_T0 STEPPED_SEC(2000000000)
#define STEPPED_IN_FLIGHT 32

extern apr_time_t stepped_now; /* a refresher's clock has no baton */

typedef struct {
    ocspx_fetch_done_fn *done;
    void *baton;
    long serial;
    apr_time_t answered;
} stepped_question_t;

typedef struct stepped_t stepped_t;

struct stepped_t {
    ocspx_fetch_t vtable; /* first, as it is all the refresher knows */

    /* may be set */
    apr_interval_time_t delay; /* of an answer */
    void (*asked)(void *baton);
    /** When the answer ends; NULL: after STEPPED_VALIDITY. */
    apr_time_t (*ends)(const void *baton, int cert);
    void *baton;

    /* may be read */
    int certs;
    unsigned answers;
    double responder_ns; /* processor time that making them took */
    ocspx_registry_t *registry;
    ocspx_cache_t *cache;

    /* stepped.c's */
    stepped_question_t waiting[STEPPED_IN_FLIGHT];
    int count;
    const pki_t *issuer;
    X509 **leaves;
    apr_pool_t *pool;
};

/** Certificates and an empty cache, whose writer the caller is. */
stepped_t *stepped_make(int certs, apr_pool_t *p);

/** Takes up what the cache says. */
ocspx_refresh_t *stepped_refresher(stepped_t *stepped, apr_pool_t *p);

/** Processor time of this thread. */
double stepped_cpu_ns(void);

#endif
