/* ledger_private: the layout of the ledger's segment, for ledger.c and its
 * test, and for egress.c; drawn in ledger.c.
 */
#ifndef OCSPX_LEDGER_PRIVATE_H
#define OCSPX_LEDGER_PRIVATE_H

#include <stdatomic.h>

#include "ledger.h"

/* A lock hidden inside an "atomic" would be one per process. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2,
               "mod_ocspx needs lock-free 64-bit atomics");

#define OCSPX_LEDGER_VERSION 2U /* raise with any change in this file */
#define OCSPX_LEDGER_LAYOUT                                                    \
    ((apr_uint64_t)OCSPX_LEDGER_VERSION << 32 | OCSPX_CAUSE_COUNT << 16 |      \
     sizeof(ocspx_ledger_cert_words_t))

/** No honest counter gets there; and no number in JSON should. */
#define OCSPX_LEDGER_COUNT_MAX ((apr_uint64_t)1 << 53)

/** The longest duration that is kept of an attempt. */
#define OCSPX_LEDGER_TOOK_MAX (((apr_interval_time_t)1 << 40) - 1)

typedef _Atomic apr_uint64_t ocspx_ledger_word_t;

typedef struct {
    ocspx_ledger_word_t time;
    ocspx_ledger_word_t rest; /* 40 bits of duration, 16 of HTTP status, 8 of
                                 cause */
} ocspx_ledger_attempt_words_t;

typedef struct {
    ocspx_ledger_word_t noted;
    ocspx_ledger_attempt_words_t attempts[OCSPX_LEDGER_ATTEMPTS];
} ocspx_ledger_cert_words_t;

typedef struct {
    ocspx_ledger_word_t requests;
    ocspx_ledger_word_t attempts[OCSPX_CAUSE_GROUP_COUNT];
    ocspx_ledger_word_t durations[OCSPX_LEDGER_BUCKETS];
    ocspx_ledger_word_t duration_sum;
    ocspx_ledger_word_t failing_since;
    ocspx_ledger_word_t cause;
    ocspx_ledger_word_t asked; /* by egress.c */
} ocspx_ledger_host_words_t;

typedef struct {
    ocspx_ledger_word_t pid, since, turn;
    ocspx_ledger_word_t egress_closed; /* by egress.c */
} ocspx_ledger_refresher_words_t;

typedef struct {
    ocspx_ledger_word_t down_since;
    ocspx_ledger_word_t counts[OCSPX_LEDGER_SHARE_COUNTS];
} ocspx_ledger_share_words_t;

/** What there is one of. */
typedef struct {
    ocspx_ledger_refresher_words_t refresher;
    ocspx_ledger_share_words_t share;
} ocspx_ledger_head_t;

/* A process's own view; what it says about sizes and names counts. */
struct ocspx_ledger_t {
    apr_uint64_t layout; /* first in every version: a reload may bring a new
                            module that meets the handle of the old one */
    unsigned cert_count, host_count;
    const unsigned char *digests;
    const char **names;
    ocspx_ledger_head_t *head;
    ocspx_ledger_cert_words_t *certs;
    ocspx_ledger_host_words_t *hosts;
};

static inline apr_uint64_t ocspx_ledger_get(const ocspx_ledger_word_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void ocspx_ledger_set(ocspx_ledger_word_t *word,
                                    apr_uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

static inline apr_time_t ocspx_ledger_get_time(const ocspx_ledger_word_t *word)
{
    apr_time_t t = (apr_time_t)ocspx_ledger_get(word);

    return t < 0 ? 0 : t;
}

#endif
