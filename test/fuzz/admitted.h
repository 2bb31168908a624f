/* admitted: the cache, and what must hold of a response that got into it. */
#ifndef OCSPX_FUZZ_ADMITTED_H
#define OCSPX_FUZZ_ADMITTED_H

#include <string.h>

#include "../../mod_ocspx/engine/cache.h"
#include "fuzz.h"
#include "world.h"

/** A cache of one slot, with nothing in it. */
static inline void admitted_forget(ocspx_cache_t *cache)
{
    static const ocspx_cache_state_t none;

    ocspx_cache_withdraw(cache, 0);
    ocspx_cache_state_set(cache, 0, &none);
}

static inline ocspx_cache_t *admitted_cache(const fuzz_world_t *world,
                                            apr_pool_t *p)
{
    ocspx_cache_t *cache;

    ck_assert_int_eq(ocspx_cache_create(&cache, 1, 1048576, p), APR_SUCCESS);
    ocspx_cache_name(cache, 0, world->cert->digest);
    ck_assert_int_eq(ocspx_cache_writer_enter(cache), APR_SUCCESS);
    return cache;
}

/** It is these very bytes, OpenSSL accepts them, and they are gone the moment
 * they expire. @param state what is known of it */
static inline void admitted_assert(const fuzz_world_t *world,
                                   const ocspx_cache_t *cache,
                                   const ocspx_cache_state_t *state,
                                   const unsigned char *data, size_t len)
{
    int status = fuzz_world_status(world, data, len, state->expiry);
    unsigned char *der;
    int n;

    ck_assert(status == V_OCSP_CERTSTATUS_GOOD ||
              status == V_OCSP_CERTSTATUS_REVOKED);
    ck_assert_int_eq(status == V_OCSP_CERTSTATUS_REVOKED, (int)state->revoked);
    n = ocspx_cache_peek(&der, cache, 0, FUZZ_NOW);
    ck_assert_int_eq(n, (int)len);
    ck_assert_mem_eq(der, data, len);
    OPENSSL_free(der);
    ck_assert_int_eq(ocspx_cache_peek(&der, cache, 0, state->expiry), 0);
}

/** Nothing is served. */
static inline void admitted_assert_none(const ocspx_cache_t *cache)
{
    unsigned char *der;

    ck_assert_int_eq(ocspx_cache_peek(&der, cache, 0, FUZZ_NOW), 0);
}

#endif
