/* cache_carry: what a reload takes over from the generation before.
 *
 * The other segment is written by processes that have fewer rights than we
 * and may have been broken into, even while we read. So sizes come from our
 * own handle, every value is taken out once and looked at before it is used,
 * and what no honest writer would have left there is put right.
 */
#include "cache_private.h"

#include <apr_hash.h>
#include <openssl/crypto.h>
#include <string.h>

/* Where nothing is served, no schedule pauses for longer than this; nor is any
 * response held for longer. */
#define PAUSE_MAX apr_time_from_sec(3600)

/* No honest counter gets there. */
#define COUNT_MAX ((apr_uint64_t)1 << 53)

static int is_ours(const ocspx_cache_t *from)
{
    return from->layout == OCSPX_CACHE_LAYOUT &&
           ocspx_cache_get(&from->header->magic) == OCSPX_CACHE_MAGIC &&
           ocspx_cache_get(&from->header->layout) == OCSPX_CACHE_LAYOUT;
}

/* --- putting a state right ------------------------------------------- */

static void set_right_text(char *text, apr_size_t size)
{
    apr_size_t i;

    text[size - 1] = '\0';
    for (i = 0; text[i]; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            text[i] = '?';
    memset(text + i, 0, size - i);
}

static apr_time_t between(apr_time_t least, apr_time_t t, apr_time_t most)
{
    return t < least ? least : t > most ? most : t;
}

static void set_right_held(ocspx_cache_held_t *held, apr_time_t now)
{
    held->until = between(0, held->until, now + PAUSE_MAX);
    held->this_update = between(0, held->this_update, now);
    held->next_update = between(0, held->next_update, APR_INT64_MAX);
    held->expiry = between(0, held->expiry, APR_INT64_MAX);
    held->fetched = between(0, held->fetched, now);
    held->fresh_until = between(0, held->fresh_until, APR_INT64_MAX);
    if (held->source > OCSPX_CACHE_SHARED)
        held->source = OCSPX_CACHE_NOWHERE;
}

/* A time to come is believed if it is not negative, one in the past if it is
 * past: thisUpdate ahead of us would make all that is newer look older. */
static void set_right_times(ocspx_cache_state_t *state, apr_time_t now)
{
    state->this_update = between(0, state->this_update, now);
    state->next_update = between(0, state->next_update, APR_INT64_MAX);
    state->expiry = between(0, state->expiry, APR_INT64_MAX);
    state->fetched = between(0, state->fetched, now);
    state->fresh_until = between(0, state->fresh_until, APR_INT64_MAX);
    set_right_held(&state->held, now);
    state->tried = between(0, state->tried, now);
    state->failing_since = between(0, state->failing_since, now);
    state->took = between(0, state->took, PAUSE_MAX);
}

static void set_right(ocspx_cache_state_t *state, apr_time_t now)
{
    set_right_times(state, now);
    if (state->cause >= OCSPX_CAUSE_COUNT)
        state->cause = OCSPX_CAUSE_NONE;
    if (state->source > OCSPX_CACHE_SHARED)
        state->source = OCSPX_CACHE_NOWHERE;
    if (state->http_status > 999)
        state->http_status = 0;
    state->revoked = state->revoked != 0;
    state->egress = state->egress != 0;
    if (state->told > OCSPX_CACHE_TOLD_MAX)
        state->told = 0;
    set_right_text(state->peer, sizeof(state->peer));
    set_right_text(state->message, sizeof(state->message));
}

/* Nobody is to sleep past the end of what is served. */
static apr_time_t right_due(const ocspx_cache_state_t *state, apr_time_t now)
{
    apr_time_t latest = between(now + PAUSE_MAX, state->expiry, APR_INT64_MAX);

    latest = between(latest, state->held.expiry, APR_INT64_MAX);
    return state->due < 0 || state->due > latest ? 0 : state->due;
}

/* --- carrying over --------------------------------------------------- */

static int carry_response(ocspx_cache_state_t *state, ocspx_cache_t *to,
                          unsigned slot, const ocspx_cache_t *from,
                          unsigned from_slot)
{
    ocspx_cache_record_t record;
    unsigned char *der;
    apr_status_t rv;

    switch (ocspx_cache_read(&der, &record, from, from_slot,
                             OCSPX_CACHE_ANY_TIME)) {
    case OCSPX_CACHE_READ_FOUND:
        rv = ocspx_cache_put(to, slot, der, record.len, record.expiry, NULL);
        OPENSSL_free(der);
        state->expiry = record.expiry;
        return rv == APR_SUCCESS;
    case OCSPX_CACHE_READ_EMPTY:
        /* Right where there never was one or where it is withheld. */
        return !state->expiry || state->revoked;
    case OCSPX_CACHE_READ_EXPIRED:
    case OCSPX_CACHE_READ_FAILED:
        break;
    }
    return 0;
}

/* Without it, the responder is asked again. */
static void carry_held(ocspx_cache_state_t *state, ocspx_cache_t *to,
                       unsigned slot, const ocspx_cache_t *from,
                       unsigned from_slot)
{
    unsigned char *der;
    apr_size_t len = ocspx_cache_held(&der, from, from_slot);

    if (!len || ocspx_cache_hold(to, slot, der, len, state->held.expiry)) {
        state->held = (ocspx_cache_held_t){0};
        state->due = 0;
    }
    OPENSSL_free(der);
}

static void carry_count(ocspx_cache_word_t *to, apr_uint64_t count)
{
    ocspx_cache_set(to, count > COUNT_MAX ? 0 : count);
}

static void carry_counts(ocspx_cache_t *to, unsigned slot,
                         const ocspx_cache_t *from, unsigned from_slot)
{
    ocspx_cache_counts_t counts;

    ocspx_cache_counts(&counts, from, from_slot);
    carry_count(ocspx_cache_stapled(to, 0, slot), counts.stapled);
    carry_count(&to->slots[slot].empty, counts.empty);
    carry_count(&to->slots[slot].expired, counts.expired);
}

static int carry(ocspx_cache_t *to, unsigned slot, const ocspx_cache_t *from,
                 unsigned from_slot, apr_time_t now)
{
    ocspx_cache_state_t state;

    ocspx_cache_state_get(&state, from, from_slot);
    if (!carry_response(&state, to, slot, from, from_slot))
        return 0;
    set_right(&state, now);
    if (state.held.until)
        carry_held(&state, to, slot, from, from_slot);
    state.due = right_due(&state, now);
    ocspx_cache_state_set(to, slot, &state);
    return 1;
}

static apr_hash_t *by_digest(const ocspx_cache_t *cache, apr_pool_t *p)
{
    apr_hash_t *slots = apr_hash_make(p);
    unsigned i;

    for (i = 0; i < cache->count; i++)
        apr_hash_set(slots, cache->slots[i].digest, OCSPX_CERT_DIGEST_LEN,
                     &cache->slots[i]);
    return slots;
}

unsigned ocspx_cache_carry(ocspx_cache_t *to, const ocspx_cache_t *from,
                           unsigned char *known, apr_time_t now,
                           apr_pool_t *ptemp)
{
    apr_hash_t *slots = by_digest(to, ptemp);
    unsigned i, carried = 0;

    memset(known, 0, to->count);
    if (!is_ours(from))
        return 0;
    for (i = 0; i < from->count; i++) {
        unsigned char digest[OCSPX_CERT_DIGEST_LEN];
        ocspx_cache_slot_t *slot;
        unsigned s;

        memcpy(digest, from->slots[i].digest, sizeof(digest));
        slot = apr_hash_get(slots, digest, sizeof(digest));
        if (!slot)
            continue;
        s = (unsigned)(slot - to->slots);
        if (known[s])
            continue;
        carry_counts(to, s, from, i);
        if (carry(to, s, from, i, now)) {
            known[s] = 1;
            carried++;
        }
    }
    return carried;
}
