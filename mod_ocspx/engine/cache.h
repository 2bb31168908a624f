/* cache: the responses of all certificates, in memory shared by all workers.
 *
 * One segment per configuration generation, created before the fork. Readers
 * take no lock and make no system call but the clock; there is one writer at
 * a time, and it may be killed at any instruction: see cache.c.
 */
#ifndef OCSPX_CACHE_H
#define OCSPX_CACHE_H

#include <apr_pools.h>
#include <apr_time.h>

#include "../core/cause.h"
#include "../core/cert.h"

typedef struct ocspx_cache_t ocspx_cache_t;

/** The longest response a cache takes, in bytes. */
#define OCSPX_CACHE_RESPONSE_MAX 1048576

/** ocspx_cache_state_t.told is never more. */
#define OCSPX_CACHE_TOLD_MAX 15

/** Where the response that is served came from. */
typedef enum {
    OCSPX_CACHE_NOWHERE,
    OCSPX_CACHE_NETWORK,
    OCSPX_CACHE_DISK,
    OCSPX_CACHE_FILE,
    OCSPX_CACHE_SHARED
} ocspx_cache_source_e;

/** A response that is newer than the one served, and not served yet. */
typedef struct {
    apr_time_t until; /* when its turn is; 0: there is none */
    apr_time_t this_update;
    apr_time_t next_update; /* 0: none given */
    apr_time_t expiry;
    apr_time_t fetched;
    apr_time_t fresh_until; /* HTTP freshness; 0: unknown */
    apr_uint64_t source;    /* ocspx_cache_source_e */
} ocspx_cache_held_t;

/**
 * What the writer knows about a certificate: its schedule and last result.
 * Lives in the segment, so that a take-over of the refresher and a reload
 * forget nothing. Plain data, no pointers.
 */
typedef struct {
    apr_time_t due;         /* next attempt; 0: at once */
    apr_time_t this_update; /* of the response served; 0: none */
    apr_time_t next_update; /* 0: none given */
    apr_time_t expiry;      /* not served from this moment on; 0: nothing */
    apr_time_t fetched;     /* when it was obtained */
    apr_time_t fresh_until; /* HTTP freshness; 0: unknown */
    ocspx_cache_held_t held;
    apr_time_t tried;         /* last attempt; 0: never */
    apr_time_t failing_since; /* first failure in a row; 0: not failing */
    apr_interval_time_t took; /* duration of the last attempt */
    apr_uint32_t failures;    /* in a row */
    apr_uint32_t cause;       /* ocspx_cause_e of the last attempt */
    apr_uint32_t http_status; /* of the last attempt; 0: none */
    apr_uint32_t source;      /* ocspx_cache_source_e */
    apr_uint32_t revoked;     /* the response served says revoked */
    apr_uint32_t requests;    /* sent to a responder, ever */
    apr_uint32_t told;        /* what was told of it last; event.c's */
    apr_uint32_t egress; /* the last failure was that of all (EGRESS_BLOCKED)
                            and told as such */
    char peer[48];       /* address of the last attempt, or "" */
    char message[200];   /* sentence that belongs to cause, or ""; nothing is
                            kept behind its end */
} ocspx_cache_state_t;

/** Handshakes that asked for a staple, by what became of them. */
typedef struct {
    apr_uint64_t stapled;
    apr_uint64_t empty;   /* nothing to send yet, or failing */
    apr_uint64_t expired; /* what there was had expired */
} ocspx_cache_counts_t;

/** Default size of the data area for @a n certificates, in bytes. */
apr_size_t ocspx_cache_area_size(unsigned n);

/**
 * Create the segment: @a n slots and a data area of at least @a area bytes.
 * Destroyed with @a p in this process; a child's mapping stays.
 * @return APR_EINVAL where @a area is 0 or sizes overflow; else what
 * apr_shm_create says
 */
apr_status_t ocspx_cache_create(ocspx_cache_t **cache, unsigned n,
                                apr_size_t area, apr_pool_t *p);

unsigned ocspx_cache_count(const ocspx_cache_t *cache);

/** Name the certificate of a slot; before the fork, once per slot. */
void ocspx_cache_name(ocspx_cache_t *cache, unsigned slot,
                      const unsigned char digest[OCSPX_CERT_DIGEST_LEN]);

/**
 * A copy of the response in @a slot, for a handshake.
 * Any thread of any process; never waits, locks, or calls the system.
 * @return length, and in @a der memory from OPENSSL_malloc that the caller
 * owns; 0 with @a der NULL where there is none, or none valid at @a now
 */
int ocspx_cache_staple(unsigned char **der, ocspx_cache_t *cache, unsigned slot,
                       apr_time_t now);

/** As ocspx_cache_staple, but counts nothing. */
int ocspx_cache_peek(unsigned char **der, const ocspx_cache_t *cache,
                     unsigned slot, apr_time_t now);

/** Bytes of the response in @a slot, be it valid or expired; 0: there is
 * none. Any thread of any process. */
apr_size_t ocspx_cache_length(const ocspx_cache_t *cache, unsigned slot);

/** Bytes that the responses take of the data area, and its size. Looks at
 * every slot; any thread of any process. */
void ocspx_cache_usage(apr_size_t *used, apr_size_t *size,
                       const ocspx_cache_t *cache);

/** A snapshot of the counters of @a slot; any thread of any process. */
void ocspx_cache_counts(ocspx_cache_counts_t *counts,
                        const ocspx_cache_t *cache, unsigned slot);

/**
 * Become the writer. The lock is robust: a dead owner's is taken over. It
 * belongs to the thread that entered; before the fork nobody needs it.
 * @return APR_EBUSY where another live process or thread is the writer
 */
apr_status_t ocspx_cache_writer_enter(ocspx_cache_t *cache);
void ocspx_cache_writer_leave(ocspx_cache_t *cache);

/**
 * Writer only: publish a response for @a slot, valid until @a expiry.
 * The one before stays in force until this one is whole; one that is held is
 * forgotten.
 * @return APR_ENOSPC where the live responses do not fit: @a needed (may be
 * NULL) is then the area size in bytes that would do; nothing has changed.
 * What was put once can always be replaced by as much.
 * APR_EINVAL where @a len is 0 or above OCSPX_CACHE_RESPONSE_MAX. APR_EGENERAL
 * where something wrote over the segment: what can still be read stays served,
 * and the next generation is a new segment.
 */
apr_status_t ocspx_cache_put(ocspx_cache_t *cache, unsigned slot,
                             const unsigned char *der, apr_size_t len,
                             apr_time_t expiry, apr_size_t *needed);

/** Writer only: serve nothing for @a slot from now on, and hold nothing. */
void ocspx_cache_withdraw(ocspx_cache_t *cache, unsigned slot);

/**
 * Writer only: keep a response ready for @a slot beside the one served, in the
 * place of one that is held already. Handshakes do not see it.
 * @return as ocspx_cache_put; APR_ENOSPC also where it would take the room of
 * a certificate that has no response yet
 */
apr_status_t ocspx_cache_hold(ocspx_cache_t *cache, unsigned slot,
                              const unsigned char *der, apr_size_t len,
                              apr_time_t expiry);

/**
 * A copy of the response that is held for @a slot; any thread of any process.
 * @param der from OPENSSL_malloc and the caller's; NULL: there is none
 * @return its length, 0: none
 */
apr_size_t ocspx_cache_held(unsigned char **der, const ocspx_cache_t *cache,
                            unsigned slot);

/** Writer only: serve what is held for @a slot. */
void ocspx_cache_promote(ocspx_cache_t *cache, unsigned slot);

/** Writer only: forget what is held for @a slot. */
void ocspx_cache_forget(ocspx_cache_t *cache, unsigned slot);

/**
 * Writer only: replace the state of @a slot. The one before stays in force
 * until this one is whole.
 */
void ocspx_cache_state_set(ocspx_cache_t *cache, unsigned slot,
                           const ocspx_cache_state_t *state);

/**
 * A consistent copy of the state of @a slot; any thread of any process.
 * @return 0 where the writer was faster several times in a row: all zero then
 */
int ocspx_cache_state_get(ocspx_cache_state_t *state,
                          const ocspx_cache_t *cache, unsigned slot);

/**
 * Copy responses, states and counters from the previous generation's segment,
 * by certificate. That segment was writable by the workers (and still is), so
 * its every offset, length and value is checked; nothing in it is parsed.
 * Called by the parent before the fork.
 * @return the number of certificates of @a to that @a from knew; @a known
 *         (ocspx_cache_count(to) bytes) tells which. A certificate whose
 *         response is damaged, or does not fit, is not known.
 */
unsigned ocspx_cache_carry(ocspx_cache_t *to, const ocspx_cache_t *from,
                           unsigned char *known, apr_time_t now,
                           apr_pool_t *ptemp);

/**
 * Does the segment's structure hold? While nobody writes; a writer that was
 * killed does not. For tests and fuzzing.
 */
int ocspx_cache_check(const ocspx_cache_t *cache);

#endif
