/* load: full handshakes, and how long they take. The staple is looked at no
 * further than that it is there and longer than an error answer: what judging
 * it takes would be taken from the server.
 */
#ifndef OCSPX_BENCH_LOAD_H
#define OCSPX_BENCH_LOAD_H

#include <apr_tables.h>
#include <openssl/ssl.h>

#include "scene.h"

typedef struct {
    const scene_t *scene; /* its sites in turn */
    int port;
    client_tls_e tls;
    int no_status_request;
    SSL_CTX *context; /* for many short loads; NULL: one of its own */
    int threads;
    int ms;         /* for so long; and at most limit handshakes */
    int limit;      /* 0: no limit */
    int counted;    /* limit handshakes whose instructions are counted: leave
                       nothing to luck, see load_shake.c */
    int rate;       /* open loop: handshakes a second, which are due whether or
                       not those before are done; 0: one after the other */
    int timeout_ms; /* of a handshake */
} load_spec_t;

typedef struct {
    unsigned done, failed, stapled;
    double seconds;
    /* double: milliseconds from when it was due; a failed one counts with its
     * time as well */
    apr_array_header_t *ms;
} load_result_t;

typedef struct load_t load_t;

/** What TLS needs for this; the caller's. */
SSL_CTX *load_context(const load_spec_t *spec);

load_t *load_start(const load_spec_t *spec, apr_pool_t *p);
void load_finish(load_result_t *result, load_t *load);

/** Both. */
void load_run(load_result_t *result, const load_spec_t *spec, apr_pool_t *p);

/** One handshake. @return 1: done */
int load_shake(int *stapled, double *ms, const load_spec_t *spec, int site);

/** A handshake and a request. @return 1: there was an answer */
int load_request(const load_spec_t *spec, int site);

/**
 * Handshakes with all sites again and again until each has been stapled.
 * @param stapled one byte for each site, set where it was
 * @param rounds at most so many; 0: any number
 * @return how many sites
 */
int load_walk(unsigned char *stapled, const load_spec_t *spec, int rounds);

#endif
