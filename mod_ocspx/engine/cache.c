/* cache: the segment, and all that readers do with it.
 *
 *   +--------+--------+--------+-----+----------+---------------------------+
 *   | header | slot 0 | slot 1 | ... | counters | area: a ring of 64-bit    |
 *   |        |        |        |     | messages | words                     |
 *   +--------+--------+--------+-----+----------+---------------------------+
 *                 |                                     ^
 *                 +----------------- pos ---------------+
 *
 *   area, as the positions run:
 *
 *        tail                                   head        tail + words
 *   -----+------+-----------+------+------------+ - - - - - - - - +
 *        | dead |   live    | dead |    live    |      free       |
 *   -----+------+-----------+------+------------+ - - - - - - - - +
 *               ^ slot 1's pos     ^ slot 0's pos
 *
 *   record: { slot, length | expiry | DER, padded to 8 bytes }
 *
 * A position counts words since ever and never comes back; it lies at word
 * pos % words of the area, and a record may run over the end of the area. A
 * record is live while its slot has its position: the slot says what is served,
 * the area only holds it. Expired records stay live, so that "expired" and
 * "nothing there" can be told apart.
 *
 * The writer appends at head: the words of the record into free space, then
 * the slot's pos, then head. For more free space it frees the oldest record:
 * one that is live is first appended anew, then tail moves past the old one.
 * There is always room to append the largest live record, so this never fails.
 *
 * A reader takes pos from the slot, copies the record, and then looks at tail:
 * if it is not beyond pos the copy is good, else it starts again.
 *
 * Why a reader never returns a wrong byte: every word is stored with release
 * and loaded with acquire. Having loaded pos, the reader sees each word of the
 * record as it was stored before pos, or newer. A newer one is only stored
 * after tail has moved past the record; so a reader that loads just one of
 * them also sees that tail, and throws the copy away. Until then it may have
 * taken any bytes for a record, but never leaves the area, nor its own buffer.
 * As positions never come back, tail <= pos leaves no doubt. And as a live
 * record's new pos is stored before tail moves, the reader that starts again
 * finds it: to be overtaken twice it has to be slower than the writer is with
 * a whole lap of the area.
 *
 * Why the writer may be killed anywhere: until it stores pos it has written
 * nothing but free space, and the record before is in force; from then on the
 * new one is. All that can be left undone is to move head, which the next
 * writer does first of all: it looks for a slot whose record is at head. Nor
 * does freeing have to be finished: once a moved record has its new pos, the
 * old one is dead, and is freed in its turn.
 *
 * A second record of a slot may be held: its position is in held, and all that
 * is said above of pos holds for it, but that handshakes never look there. To
 * promote it is to store its position in pos, then 0 in held. A writer that is
 * killed between the two leaves the record in both, which is as good as done:
 * everybody takes held for 0 then, and the next writer makes it so first of
 * all. To publish another response, held becomes 0 before pos changes: what is
 * held is never older than what is served.
 *
 * A state is written beside the one in force, which of the two that is says
 * turn; the same reasoning holds, with turn in the place of pos and tail.
 *
 * All this is checked: test/model/cache.pml is the protocol as a model, with
 * the names of the functions here and in cache_writer.c. Keep them in step.
 */
#include "cache_private.h"

#include <openssl/crypto.h>
#include <sched.h>
#include <string.h>

#define READ_TRIES 16

/* --- the segment ----------------------------------------------------- */

apr_size_t ocspx_cache_area_size(unsigned n)
{
    apr_size_t size;

    if (__builtin_mul_overflow(n, (apr_size_t)4096, &size) ||
        __builtin_add_overflow(size, (apr_size_t)262144, &size))
        return APR_SIZE_MAX; /* which ocspx_cache_create refuses */
    return size;
}

/* Bytes for everything, and for bringing it to the start of a cache line. */
static int segment_size(apr_size_t *size, unsigned n, apr_size_t words)
{
    const apr_size_t one =
        sizeof(ocspx_cache_slot_t) +
        2 * OCSPX_CACHE_MESSAGE_WORDS * sizeof(ocspx_cache_word_t);
    apr_size_t slots, area;

    return words > 0 && !__builtin_mul_overflow(n, one, &slots) &&
           !__builtin_add_overflow(
               words, OCSPX_CACHE_STRIPES * ocspx_cache_stripe_words(n),
               &words) &&
           !__builtin_mul_overflow(words, sizeof(ocspx_cache_word_t), &area) &&
           !__builtin_add_overflow(slots, area, size) &&
           !__builtin_add_overflow(
               *size, sizeof(ocspx_cache_header_t) + OCSPX_CACHE_LINE, size) &&
           *size <= APR_SIZE_MAX / 2; /* APR adds to it unchecked */
}

/* The mutex is never destroyed: its memory goes with the last process. */
static apr_status_t writer_lock_init(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;
    int rv = pthread_mutexattr_init(&attr);

    if (rv)
        return rv;
    if (!(rv = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED)) &&
        !(rv = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST)))
        rv = pthread_mutex_init(lock, &attr);
    pthread_mutexattr_destroy(&attr);
    return rv;
}

/* The memory is new and therefore zero. */
static apr_status_t segment_init(ocspx_cache_t *cache)
{
    ocspx_cache_header_t *header = cache->header;

    ocspx_cache_set(&header->magic, OCSPX_CACHE_MAGIC);
    ocspx_cache_set(&header->layout, OCSPX_CACHE_LAYOUT);
    ocspx_cache_set(&header->count, cache->count);
    ocspx_cache_set(&header->words, cache->words);
    /* Position 0 means none, so the first lap is the second. */
    ocspx_cache_set(&header->head, cache->words);
    ocspx_cache_set(&header->tail, cache->words);
    return writer_lock_init(&header->writer);
}

static void *line_start(void *address)
{
    apr_uintptr_t line = OCSPX_CACHE_LINE;

    return (void *)APR_ALIGN((apr_uintptr_t)address, line);
}

apr_status_t ocspx_cache_create(ocspx_cache_t **cache, unsigned n,
                                apr_size_t area, apr_pool_t *p)
{
    apr_size_t size, words = area / 8 + (area % 8 != 0);
    ocspx_cache_t *made = apr_pcalloc(p, sizeof(*made));
    apr_shm_t *shm;
    apr_status_t rv;

    if (!segment_size(&size, n, words))
        return APR_EINVAL;
    rv = apr_shm_create(&shm, size, NULL, p);
    if (rv != APR_SUCCESS)
        return rv;
    made->layout = OCSPX_CACHE_LAYOUT;
    made->count = n;
    made->words = words;
    made->header = line_start(apr_shm_baseaddr_get(shm));
    made->slots = (void *)(made->header + 1);
    made->stripes = (void *)(made->slots + n);
    made->messages = ocspx_cache_stapled(made, OCSPX_CACHE_STRIPES, 0);
    made->area = ocspx_cache_message(made, n, 0);
    *cache = made;
    return segment_init(made);
}

unsigned ocspx_cache_count(const ocspx_cache_t *cache)
{
    return cache->count;
}

void ocspx_cache_name(ocspx_cache_t *cache, unsigned slot,
                      const unsigned char digest[OCSPX_CERT_DIGEST_LEN])
{
    memcpy(cache->slots[slot].digest, digest, OCSPX_CERT_DIGEST_LEN);
}

/* --- reading --------------------------------------------------------- */

/* Two words at once: what a handshake costs is spent here. The machine never
 * tears a word, and the fence orders all of them before the look at tail, as
 * acquiring each one would; ThreadSanitizer knows only the latter. */
typedef apr_uint64_t pair_t
    __attribute__((vector_size(16), aligned(8), may_alias));

static void copy_run(apr_uint64_t *to, const ocspx_cache_word_t *from,
                     apr_uint64_t words)
{
    apr_uint64_t i = 0;

#ifndef __SANITIZE_THREAD__
#pragma GCC unroll 8
    for (; i + 2 <= words; i += 2)
        *(pair_t *)&to[i] = *(const volatile pair_t *)(apr_uintptr_t)&from[i];
    atomic_thread_fence(memory_order_acquire);
#endif
    for (; i < words; i++)
        to[i] = ocspx_cache_get(&from[i]);
}

/* All whole words of a record's DER; the last may hold some padding. */
static void copy_out(apr_uint64_t *der, const ocspx_cache_t *cache,
                     const ocspx_cache_word_t *from, apr_uint64_t words)
{
    apr_uint64_t to_end = (apr_uint64_t)(cache->area + cache->words - from);

    if (words <= to_end) {
        copy_run(der, from, words);
        return;
    }
    copy_run(der, from, to_end);
    copy_run(der + to_end, cache->area, words - to_end);
}

static int overtaken(const ocspx_cache_t *cache, apr_uint64_t pos)
{
    return ocspx_cache_get(&cache->header->tail) > pos;
}

/* The record of @a slot at @a pos; to be believed if not overtaken then. */
static ocspx_cache_read_e read_at(unsigned char **der,
                                  ocspx_cache_record_t *record,
                                  const ocspx_cache_t *cache, unsigned slot,
                                  apr_uint64_t pos, apr_time_t now)
{
    apr_uint64_t words, *copy;

    *record = ocspx_cache_record_at(cache, pos);
    if (!ocspx_cache_record_ok(cache, record) || record->slot != slot)
        return OCSPX_CACHE_READ_FAILED;
    if (record->expiry <= now)
        return OCSPX_CACHE_READ_EXPIRED;
    words = ocspx_cache_record_words(record->len) - OCSPX_CACHE_RECORD_HEADER;
    copy = OPENSSL_malloc(words * sizeof(*copy));
    if (!copy)
        return OCSPX_CACHE_READ_FAILED;
    copy_out(copy, cache, record->der, words);
    *der = (unsigned char *)copy;
    return OCSPX_CACHE_READ_FOUND;
}

/* What is at the position that @a word of the slot says. */
static inline ocspx_cache_read_e
read_from(unsigned char **der, ocspx_cache_record_t *record,
          const ocspx_cache_t *cache, unsigned slot,
          const ocspx_cache_word_t *word, apr_time_t now)
{
    int tries;

    *der = NULL;
    for (tries = 0; tries < READ_TRIES; tries++) {
        apr_uint64_t pos = ocspx_cache_get(word);
        ocspx_cache_read_e outcome;

        if (!pos)
            return OCSPX_CACHE_READ_EMPTY;
        outcome = read_at(der, record, cache, slot, pos, now);
        if (!overtaken(cache, pos))
            return outcome;
        OPENSSL_free(*der);
        *der = NULL;
    }
    return OCSPX_CACHE_READ_FAILED;
}

ocspx_cache_read_e ocspx_cache_read(unsigned char **der,
                                    ocspx_cache_record_t *record,
                                    const ocspx_cache_t *cache, unsigned slot,
                                    apr_time_t now)
{
    return read_from(der, record, cache, slot, &cache->slots[slot].pos, now);
}

apr_size_t ocspx_cache_held(unsigned char **der, const ocspx_cache_t *cache,
                            unsigned slot)
{
    ocspx_cache_record_t record;

    *der = NULL;
    if (!ocspx_cache_held_pos(cache, slot) ||
        read_from(der, &record, cache, slot, &cache->slots[slot].held,
                  OCSPX_CACHE_ANY_TIME) != OCSPX_CACHE_READ_FOUND)
        return 0;
    return record.len;
}

int ocspx_cache_peek(unsigned char **der, const ocspx_cache_t *cache,
                     unsigned slot, apr_time_t now)
{
    ocspx_cache_record_t record;

    if (ocspx_cache_read(der, &record, cache, slot, now) !=
        OCSPX_CACHE_READ_FOUND)
        return 0;
    return (int)record.len;
}

static apr_size_t length_at(const ocspx_cache_t *cache, unsigned slot,
                            const ocspx_cache_word_t *word)
{
    int tries;

    for (tries = 0; tries < READ_TRIES; tries++) {
        apr_uint64_t pos = ocspx_cache_get(word);
        ocspx_cache_record_t record;

        if (!pos)
            return 0;
        record = ocspx_cache_record_at(cache, pos);
        if (!overtaken(cache, pos))
            return ocspx_cache_record_ok(cache, &record) && record.slot == slot
                       ? record.len
                       : 0;
    }
    return 0;
}

apr_size_t ocspx_cache_length(const ocspx_cache_t *cache, unsigned slot)
{
    return length_at(cache, slot, &cache->slots[slot].pos);
}

/* Bytes of the area that a response takes. */
static apr_size_t area_bytes(apr_size_t len)
{
    return len ? (apr_size_t)ocspx_cache_record_words(len) *
                     sizeof(ocspx_cache_word_t)
               : 0;
}

void ocspx_cache_usage(apr_size_t *used, apr_size_t *size,
                       const ocspx_cache_t *cache)
{
    unsigned i;

    *used = 0;
    *size = (apr_size_t)cache->words * sizeof(ocspx_cache_word_t);
    for (i = 0; i < cache->count; i++) {
        *used += area_bytes(ocspx_cache_length(cache, i));
        if (ocspx_cache_held_pos(cache, i))
            *used += area_bytes(length_at(cache, i, &cache->slots[i].held));
    }
    if (*used > *size)
        *used = *size;
}

/* No system call: the C library has it from the kernel's shared page. */
static unsigned own_stripe(void)
{
    return (unsigned)sched_getcpu() % OCSPX_CACHE_STRIPES;
}

static ocspx_cache_word_t *counter(const ocspx_cache_t *cache, unsigned slot,
                                   ocspx_cache_read_e outcome)
{
    if (outcome == OCSPX_CACHE_READ_FOUND)
        return ocspx_cache_stapled(cache, own_stripe(), slot);
    if (outcome == OCSPX_CACHE_READ_EXPIRED)
        return &cache->slots[slot].expired;
    return &cache->slots[slot].empty;
}

int ocspx_cache_staple(unsigned char **der, ocspx_cache_t *cache, unsigned slot,
                       apr_time_t now)
{
    ocspx_cache_record_t record;
    ocspx_cache_read_e outcome =
        ocspx_cache_read(der, &record, cache, slot, now);

    atomic_fetch_add_explicit(counter(cache, slot, outcome), 1,
                              memory_order_relaxed);
    return outcome == OCSPX_CACHE_READ_FOUND ? (int)record.len : 0;
}

void ocspx_cache_counts(ocspx_cache_counts_t *counts,
                        const ocspx_cache_t *cache, unsigned slot)
{
    const ocspx_cache_slot_t *of = &cache->slots[slot];

    counts->stapled = 0;
    for (unsigned i = 0; i < OCSPX_CACHE_STRIPES; i++)
        counts->stapled += ocspx_cache_get(ocspx_cache_stapled(cache, i, slot));
    counts->empty = ocspx_cache_get(&of->empty);
    counts->expired = ocspx_cache_get(&of->expired);
}

static void copy_state(ocspx_cache_state_t *state, const ocspx_cache_t *cache,
                       unsigned slot, apr_uint64_t which)
{
    const ocspx_cache_slot_t *of = &cache->slots[slot];
    const ocspx_cache_word_t *message = ocspx_cache_message(cache, slot, which);
    apr_uint64_t said = ocspx_cache_get(&of->said[which]);
    apr_uint64_t image[OCSPX_CACHE_STATE_WORDS] = {0};
    unsigned i;

    for (i = 0; i < OCSPX_CACHE_FACT_WORDS; i++)
        image[i] = ocspx_cache_get(&of->facts[which][i]);
    for (i = 0; i < OCSPX_CACHE_MESSAGE_WORDS && i < said; i++)
        image[OCSPX_CACHE_FACT_WORDS + i] = ocspx_cache_get(&message[i]);
    memcpy(state, image, sizeof(*state));
}

int ocspx_cache_state_get(ocspx_cache_state_t *state,
                          const ocspx_cache_t *cache, unsigned slot)
{
    const ocspx_cache_slot_t *of = &cache->slots[slot];
    int tries;

    for (tries = 0; tries < READ_TRIES; tries++) {
        apr_uint64_t turn = ocspx_cache_get(&of->turn);

        copy_state(state, cache, slot, turn % 2);
        if (ocspx_cache_get(&of->turn) == turn)
            return 1;
    }
    memset(state, 0, sizeof(*state));
    return 0;
}
