/* cache_writer: all that the writer does with the segment; see cache.c. Whoever
 * changes the order of stores here changes test/model/cache.pml, too.
 */
#include "cache_private.h"

#include <errno.h>
#include <string.h>

/* 0 where there is no record. */
static apr_uint64_t words_at(const ocspx_cache_t *cache, apr_uint64_t pos)
{
    ocspx_cache_record_t record;

    if (!pos)
        return 0;
    record = ocspx_cache_record_at(cache, pos);
    return ocspx_cache_record_ok(cache, &record)
               ? ocspx_cache_record_words(record.len)
               : 0;
}

/* --- the lock -------------------------------------------------------- */

/* Where the next record goes: head, or past the one record that a writer
 * killed between setting a slot's position and moving head has left there. */
static apr_uint64_t whole_head(const ocspx_cache_t *cache)
{
    apr_uint64_t head = ocspx_cache_get(&cache->header->head);
    unsigned i;

    for (i = 0; i < cache->count; i++)
        if (ocspx_cache_get(&cache->slots[i].pos) == head ||
            ocspx_cache_get(&cache->slots[i].held) == head)
            return head + ocspx_cache_record_words(
                              ocspx_cache_record_at(cache, head).len);
    return head;
}

/* Count anew what set_position keeps count of. */
static void take_stock(ocspx_cache_t *cache)
{
    ocspx_cache_header_t *header = cache->header;
    apr_uint64_t live = 0, largest = 0, serving = 0;
    unsigned i;

    for (i = 0; i < cache->count; i++) {
        apr_uint64_t pos = ocspx_cache_get(&cache->slots[i].pos);
        apr_uint64_t served = words_at(cache, pos);
        apr_uint64_t held = words_at(cache, ocspx_cache_held_pos(cache, i));

        live += served + held;
        serving += pos != 0;
        if (largest < served)
            largest = served;
        if (largest < held)
            largest = held;
    }
    ocspx_cache_set(&header->live, live);
    ocspx_cache_set(&header->largest, largest);
    ocspx_cache_set(&header->serving, serving);
}

/* What a killed writer has promoted is no longer held. */
static void end_promotion(ocspx_cache_t *cache)
{
    unsigned i;

    for (i = 0; i < cache->count; i++)
        ocspx_cache_set(&cache->slots[i].held, ocspx_cache_held_pos(cache, i));
}

apr_status_t ocspx_cache_writer_enter(ocspx_cache_t *cache)
{
    int rv = pthread_mutex_trylock(&cache->header->writer);

    if (rv == EOWNERDEAD)
        rv = pthread_mutex_consistent(&cache->header->writer);
    if (rv)
        return rv == EBUSY ? APR_EBUSY : rv;
    ocspx_cache_set(&cache->header->head, whole_head(cache));
    end_promotion(cache);
    take_stock(cache);
    return APR_SUCCESS;
}

void ocspx_cache_writer_leave(ocspx_cache_t *cache)
{
    pthread_mutex_unlock(&cache->header->writer);
}

/* --- appending ------------------------------------------------------- */

static ocspx_cache_word_t *put_word(const ocspx_cache_t *cache,
                                    ocspx_cache_word_t *at, apr_uint64_t word)
{
    ocspx_cache_set(at, word);
    return ocspx_cache_next(cache, at);
}

static void copy_in(const ocspx_cache_t *cache,
                    const ocspx_cache_record_t *record,
                    const unsigned char *der)
{
    ocspx_cache_word_t *at =
        ocspx_cache_at(cache, ocspx_cache_get(&cache->header->head));
    apr_size_t len = record->len;
    apr_uint64_t word;

    at = put_word(cache, at, (apr_uint64_t)record->slot << 32 | len);
    at = put_word(cache, at, (apr_uint64_t)record->expiry);
    for (; len > sizeof(word); len -= sizeof(word), der += sizeof(word)) {
        memcpy(&word, der, sizeof(word));
        at = put_word(cache, at, word);
    }
    word = 0;
    memcpy(&word, der, len);
    ocspx_cache_set(at, word);
}

/* --- positions ------------------------------------------------------- */

/* The one way to change a slot's pos or held, which @a at is; it keeps count
 * of what is live. */
static void set_position(ocspx_cache_t *cache, const ocspx_cache_slot_t *of,
                         ocspx_cache_word_t *at, apr_uint64_t pos)
{
    ocspx_cache_header_t *header = cache->header;
    apr_uint64_t before = ocspx_cache_get(at);

    ocspx_cache_set(&header->live, ocspx_cache_get(&header->live) +
                                       words_at(cache, pos) -
                                       words_at(cache, before));
    if (at == &of->pos)
        ocspx_cache_set(&header->serving, ocspx_cache_get(&header->serving) +
                                              (pos != 0) - (before != 0));
    ocspx_cache_set(at, pos);
}

/* The record at head takes the place of the one before. */
static void place(ocspx_cache_t *cache, const ocspx_cache_slot_t *of,
                  ocspx_cache_word_t *at, apr_uint64_t size)
{
    apr_uint64_t head = ocspx_cache_get(&cache->header->head);

    set_position(cache, of, at, head);
    ocspx_cache_set(&cache->header->head, head + size);
}

/* --- making room ----------------------------------------------------- */

static apr_uint64_t free_words(const ocspx_cache_t *cache)
{
    apr_uint64_t used = ocspx_cache_get(&cache->header->head) -
                        ocspx_cache_get(&cache->header->tail);

    return used > cache->words ? 0 : cache->words - used;
}

static void append_copy(ocspx_cache_t *cache, apr_uint64_t pos,
                        apr_uint64_t size)
{
    ocspx_cache_word_t *from = ocspx_cache_at(cache, pos);
    ocspx_cache_word_t *at =
        ocspx_cache_at(cache, ocspx_cache_get(&cache->header->head));

    while (size--) {
        at = put_word(cache, at, ocspx_cache_get(from));
        from = ocspx_cache_next(cache, from);
    }
}

/* Where the slot has this position; NULL: nowhere, the record is dead. */
static ocspx_cache_word_t *owner(const ocspx_cache_t *cache, unsigned slot,
                                 apr_uint64_t pos)
{
    ocspx_cache_slot_t *of = &cache->slots[slot];

    if (ocspx_cache_get(&of->pos) == pos)
        return &of->pos;
    return ocspx_cache_get(&of->held) == pos ? &of->held : NULL;
}

/* Free the oldest record, keeping it if it is live; 0 where there is none. */
static int free_oldest(ocspx_cache_t *cache)
{
    apr_uint64_t tail = ocspx_cache_get(&cache->header->tail);
    ocspx_cache_record_t record = ocspx_cache_record_at(cache, tail);
    apr_uint64_t size = ocspx_cache_record_words(record.len);
    ocspx_cache_word_t *at;

    if (!ocspx_cache_record_ok(cache, &record))
        return 0;
    at = owner(cache, record.slot, tail);
    if (at) {
        if (free_words(cache) < size)
            return 0;
        append_copy(cache, tail, size);
        place(cache, &cache->slots[record.slot], at, size);
    }
    ocspx_cache_set(&cache->header->tail, tail + size);
    return 1;
}

/* One lap at most: after it there is nothing in the area but live records. */
static apr_status_t make_room(ocspx_cache_t *cache, apr_uint64_t wanted)
{
    apr_uint64_t lap = ocspx_cache_get(&cache->header->head);

    while (free_words(cache) < wanted)
        if (ocspx_cache_get(&cache->header->tail) >= lap || !free_oldest(cache))
            return APR_EGENERAL;
    return APR_SUCCESS;
}

/* --- the writer's functions ------------------------------------------ */

/* What a record asks of the area; in words. Room for all that is live and twice
 * the largest record: once to move it, and once to put another beside the one
 * it replaces. So what fits once, can be replaced for ever; it is the newcomer
 * who is told that the area is full. What is only held leaves room for a
 * response of each slot that serves nothing. */
static apr_uint64_t claim(const ocspx_cache_t *cache,
                          const ocspx_cache_word_t *at, int held,
                          apr_uint64_t size)
{
    const ocspx_cache_header_t *header = cache->header;
    apr_uint64_t largest = ocspx_cache_get(&header->largest);
    apr_uint64_t empty = cache->count - ocspx_cache_get(&header->serving);

    if (largest < size)
        largest = size;
    return ocspx_cache_get(&header->live) -
           words_at(cache, ocspx_cache_get(at)) + size +
           (held ? 2 + empty : 2) * largest;
}

static apr_status_t admit(ocspx_cache_t *cache, const ocspx_cache_word_t *at,
                          int held, apr_uint64_t size, apr_size_t *needed)
{
    ocspx_cache_word_t *largest = &cache->header->largest;

    /* Perhaps the largest has gone since. */
    if (claim(cache, at, held, size) > cache->words)
        take_stock(cache);
    if (claim(cache, at, held, size) > cache->words) {
        if (needed)
            *needed = (apr_size_t)claim(cache, at, held, size) * 8;
        return APR_ENOSPC;
    }
    if (ocspx_cache_get(largest) < size)
        ocspx_cache_set(largest, size);
    return make_room(cache, size + ocspx_cache_get(largest));
}

/* Find room at head, and fill it. */
static apr_status_t append(ocspx_cache_t *cache, const ocspx_cache_word_t *at,
                           int held, const ocspx_cache_record_t *record,
                           const unsigned char *der, apr_size_t *needed)
{
    apr_status_t rv;

    if (record->len == 0 || record->len > OCSPX_CACHE_RESPONSE_MAX)
        return APR_EINVAL;
    rv = admit(cache, at, held, ocspx_cache_record_words(record->len), needed);
    if (rv == APR_SUCCESS)
        copy_in(cache, record, der);
    return rv;
}

apr_status_t ocspx_cache_put(ocspx_cache_t *cache, unsigned slot,
                             const unsigned char *der, apr_size_t len,
                             apr_time_t expiry, apr_size_t *needed)
{
    ocspx_cache_record_t record = {.slot = slot, .len = len, .expiry = expiry};
    ocspx_cache_slot_t *of = &cache->slots[slot];
    apr_status_t rv = append(cache, &of->pos, 0, &record, der, needed);

    if (rv != APR_SUCCESS)
        return rv;
    ocspx_cache_forget(cache, slot);
    place(cache, of, &of->pos, ocspx_cache_record_words(len));
    return APR_SUCCESS;
}

apr_status_t ocspx_cache_hold(ocspx_cache_t *cache, unsigned slot,
                              const unsigned char *der, apr_size_t len,
                              apr_time_t expiry)
{
    ocspx_cache_record_t record = {.slot = slot, .len = len, .expiry = expiry};
    ocspx_cache_slot_t *of = &cache->slots[slot];
    apr_status_t rv = append(cache, &of->held, 1, &record, der, NULL);

    if (rv == APR_SUCCESS)
        place(cache, of, &of->held, ocspx_cache_record_words(len));
    return rv;
}

void ocspx_cache_promote(ocspx_cache_t *cache, unsigned slot)
{
    ocspx_cache_slot_t *of = &cache->slots[slot];

    set_position(cache, of, &of->pos, ocspx_cache_get(&of->held));
    set_position(cache, of, &of->held, 0);
}

void ocspx_cache_forget(ocspx_cache_t *cache, unsigned slot)
{
    ocspx_cache_slot_t *of = &cache->slots[slot];

    set_position(cache, of, &of->held, 0);
}

void ocspx_cache_withdraw(ocspx_cache_t *cache, unsigned slot)
{
    ocspx_cache_slot_t *of = &cache->slots[slot];

    ocspx_cache_forget(cache, slot);
    set_position(cache, of, &of->pos, 0);
}

void ocspx_cache_state_set(ocspx_cache_t *cache, unsigned slot,
                           const ocspx_cache_state_t *state)
{
    ocspx_cache_slot_t *of = &cache->slots[slot];
    apr_uint64_t turn = ocspx_cache_get(&of->turn) + 1, which = turn % 2;
    ocspx_cache_word_t *message = ocspx_cache_message(cache, slot, which);
    apr_size_t len = strnlen(state->message, sizeof(state->message));
    apr_uint64_t image[OCSPX_CACHE_STATE_WORDS];
    unsigned i;

    memcpy(image, state, sizeof(image));
    for (i = 0; i < OCSPX_CACHE_FACT_WORDS; i++)
        ocspx_cache_set(&of->facts[which][i], image[i]);
    for (i = 0; i * sizeof(*image) < len; i++)
        ocspx_cache_set(&message[i], image[OCSPX_CACHE_FACT_WORDS + i]);
    ocspx_cache_set(&of->said[which], i);
    ocspx_cache_set(&of->turn, turn);
}

/* --- the structure --------------------------------------------------- */

static int header_holds(const ocspx_cache_t *cache)
{
    const ocspx_cache_header_t *header = cache->header;

    return ocspx_cache_get(&header->magic) == OCSPX_CACHE_MAGIC &&
           ocspx_cache_get(&header->layout) == cache->layout &&
           ocspx_cache_get(&header->count) == cache->count &&
           ocspx_cache_get(&header->words) == cache->words;
}

/* Do the records lie end to end, and does every position have one of them? And
 * is there room to move the largest one, now or once the dead ones that are
 * next are freed? */
int ocspx_cache_check(const ocspx_cache_t *cache)
{
    apr_uint64_t tail = ocspx_cache_get(&cache->header->tail);
    apr_uint64_t head = whole_head(cache), pos, dead = 0;
    unsigned i, live = 0, published = 0;

    if (!header_holds(cache) || !tail || head - tail > cache->words)
        return 0;
    for (i = 0; i < cache->count; i++) {
        published += ocspx_cache_get(&cache->slots[i].pos) != 0;
        published += ocspx_cache_held_pos(cache, i) != 0;
    }
    for (pos = tail; pos != head;) {
        ocspx_cache_record_t record = ocspx_cache_record_at(cache, pos);
        apr_uint64_t size = ocspx_cache_record_words(record.len);

        if (!ocspx_cache_record_ok(cache, &record) || size > head - pos)
            return 0;
        if (owner(cache, record.slot, pos))
            live++;
        else if (!live)
            dead += size;
        pos += size;
    }
    return live == published && cache->words - (head - tail) + dead >=
                                    ocspx_cache_get(&cache->header->largest);
}
