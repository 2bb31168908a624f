/* cache_private: the layout of the cache segment, for cache*.c and their tests.
 *
 * See cache.c for the drawing and for why this is safe.
 */
#ifndef OCSPX_CACHE_PRIVATE_H
#define OCSPX_CACHE_PRIVATE_H

#include <apr_shm.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>

#include "cache.h"

/* A lock hidden inside an "atomic" would be one per process. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2,
               "mod_ocspx needs lock-free 64-bit atomics");

#define OCSPX_CACHE_LINE 64
#define OCSPX_CACHE_MAGIC 0x585043534f78646fULL
#define OCSPX_CACHE_VERSION 5U /* raise with any change in this file */
#define OCSPX_CACHE_LAYOUT                                                     \
    ((apr_uint64_t)OCSPX_CACHE_VERSION << 32 | sizeof(ocspx_cache_slot_t))

/** The unit of everything that one process writes while others read. */
typedef _Atomic apr_uint64_t ocspx_cache_word_t;

/* What orders the cache is this pair and nothing else: who sees a value that
 * was set also sees all that its writer had set before. Both are plain moves
 * on x86 and single instructions on ARMv8. */
static inline apr_uint64_t ocspx_cache_get(const ocspx_cache_word_t *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

static inline void ocspx_cache_set(ocspx_cache_word_t *word, apr_uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_release);
}

typedef struct {
    /* const after ocspx_cache_create */
    ocspx_cache_word_t magic, layout, count, words;
    /* of the writer; readers look at tail */
    alignas(OCSPX_CACHE_LINE) ocspx_cache_word_t head;
    ocspx_cache_word_t tail;
    ocspx_cache_word_t live;    /* words of all live records */
    ocspx_cache_word_t largest; /* of the largest of them, or more */
    ocspx_cache_word_t serving; /* slots that serve something */
    alignas(OCSPX_CACHE_LINE) pthread_mutex_t writer;
} ocspx_cache_header_t;

#define OCSPX_CACHE_STATE_WORDS (sizeof(ocspx_cache_state_t) / 8)

/* The message is the last of it. */
#define OCSPX_CACHE_FACT_WORDS (offsetof(ocspx_cache_state_t, message) / 8)
#define OCSPX_CACHE_MESSAGE_WORDS                                              \
    (OCSPX_CACHE_STATE_WORDS - OCSPX_CACHE_FACT_WORDS)

_Static_assert(sizeof(ocspx_cache_state_t) % 8 == 0 &&
                   offsetof(ocspx_cache_state_t, message) % 8 == 0,
               "facts and message are whole words");

/* What every handshake reads and what only the report reads are kept on cache
 * lines of their own; what every handshake writes is in the stripes. */
typedef struct {
    alignas(OCSPX_CACHE_LINE) ocspx_cache_word_t pos; /* 0: no record */
    ocspx_cache_word_t held;                          /* 0, or pos: none */
    unsigned char digest[OCSPX_CERT_DIGEST_LEN];
    ocspx_cache_word_t empty, expired; /* handshakes without a staple */
    alignas(OCSPX_CACHE_LINE) ocspx_cache_word_t turn; /* facts[turn % 2] */
    ocspx_cache_word_t facts[2][OCSPX_CACHE_FACT_WORDS];
    ocspx_cache_word_t said[2]; /* words of the message, in messages */
} ocspx_cache_slot_t;

/* One word that counts the staples of a busy certificate would go from one
 * processor to the other with each of them. So a processor has a stripe to
 * itself, or shares it with few: a word for each slot, on its own lines. */
#define OCSPX_CACHE_STRIPES 8

static inline apr_uint64_t ocspx_cache_stripe_words(unsigned n)
{
    return APR_ALIGN((apr_uint64_t)n,
                     OCSPX_CACHE_LINE / sizeof(ocspx_cache_word_t));
}

/* A process's own view; what it says about sizes outranks the segment. */
struct ocspx_cache_t {
    apr_uint64_t layout; /* first in every version: a reload may bring a new
                            module that meets the handle of the old one */
    unsigned count;
    apr_uint64_t words; /* in the area */
    ocspx_cache_header_t *header;
    ocspx_cache_slot_t *slots;
    ocspx_cache_word_t *stripes;
    ocspx_cache_word_t *messages;
    ocspx_cache_word_t *area;
};

/** Where one stripe counts the staples of @a slot. */
static inline ocspx_cache_word_t *
ocspx_cache_stapled(const ocspx_cache_t *cache, unsigned stripe, unsigned slot)
{
    return &cache->stripes[stripe * ocspx_cache_stripe_words(cache->count) +
                           slot];
}

/** Where the message is that goes with facts[@a which] of @a slot. Apart from
 * the slots: mostly there is nothing to say, and memory that nobody looks at is
 * none. */
static inline ocspx_cache_word_t *
ocspx_cache_message(const ocspx_cache_t *cache, unsigned slot,
                    apr_uint64_t which)
{
    return &cache->messages[(2 * (apr_uint64_t)slot + which) *
                            OCSPX_CACHE_MESSAGE_WORDS];
}

/* --- records --------------------------------------------------------- */

/** The first two words of a record: slot and length, expiry. */
typedef struct {
    unsigned slot;
    apr_size_t len; /* of the DER that follows, in bytes */
    apr_time_t expiry;
    ocspx_cache_word_t *der;
} ocspx_cache_record_t;

#define OCSPX_CACHE_RECORD_HEADER 2

static inline apr_uint64_t ocspx_cache_record_words(apr_size_t len)
{
    return OCSPX_CACHE_RECORD_HEADER + (len + 7) / 8;
}

static inline ocspx_cache_word_t *ocspx_cache_at(const ocspx_cache_t *cache,
                                                 apr_uint64_t pos)
{
    return &cache->area[pos % cache->words];
}

/** The word after @a word in the area, which is a ring. */
static inline ocspx_cache_word_t *ocspx_cache_next(const ocspx_cache_t *cache,
                                                   ocspx_cache_word_t *word)
{
    return ++word == cache->area + cache->words ? cache->area : word;
}

/** Whatever is at @a pos, taken for a record. */
static inline ocspx_cache_record_t
ocspx_cache_record_at(const ocspx_cache_t *cache, apr_uint64_t pos)
{
    ocspx_cache_word_t *first = ocspx_cache_at(cache, pos);
    ocspx_cache_word_t *second = ocspx_cache_next(cache, first);
    apr_uint64_t packed = ocspx_cache_get(first);

    return (ocspx_cache_record_t){
        .slot = (unsigned)(packed >> 32),
        .len = (apr_size_t)(packed & APR_UINT32_MAX),
        .expiry = (apr_time_t)ocspx_cache_get(second),
        .der = ocspx_cache_next(cache, second),
    };
}

/** Where the record is that is held for @a slot; 0: there is none. A writer
 * that was killed while it promoted one has left it in pos and held. */
static inline apr_uint64_t ocspx_cache_held_pos(const ocspx_cache_t *cache,
                                                unsigned slot)
{
    apr_uint64_t held = ocspx_cache_get(&cache->slots[slot].held);

    return held == ocspx_cache_get(&cache->slots[slot].pos) ? 0 : held;
}

/** Could it be one? */
static inline int ocspx_cache_record_ok(const ocspx_cache_t *cache,
                                        const ocspx_cache_record_t *record)
{
    return record->slot < cache->count && record->len > 0 &&
           record->len <= OCSPX_CACHE_RESPONSE_MAX &&
           ocspx_cache_record_words(record->len) <= cache->words;
}

/* --- reading --------------------------------------------------------- */

typedef enum {
    OCSPX_CACHE_READ_FOUND,
    OCSPX_CACHE_READ_EMPTY,   /* the slot has no record */
    OCSPX_CACHE_READ_EXPIRED, /* it has one that is not valid any more */
    OCSPX_CACHE_READ_FAILED   /* damaged, no memory, or overtaken each time */
} ocspx_cache_read_e;

/** Instead of now: whether the record has expired does not matter. */
#define OCSPX_CACHE_ANY_TIME ((apr_time_t)APR_INT64_MIN)

/**
 * Copy the record of @a slot; as ocspx_cache_staple.
 * @param der from OPENSSL_malloc and the caller's; NULL unless found
 */
ocspx_cache_read_e ocspx_cache_read(unsigned char **der,
                                    ocspx_cache_record_t *record,
                                    const ocspx_cache_t *cache, unsigned slot,
                                    apr_time_t now);

#endif
