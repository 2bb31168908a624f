/* fuzz_cache: any sequence of operations on the cache, with what must be in it
 * kept beside it. A reload may find the segment before it broken into.
 *
 * An input is the number of slots, the size of the area, and operations of
 * four bytes: which, slot, two arguments.
 */
#include "fuzz.h"

#include <apr_strings.h>
#include <openssl/crypto.h>
#include <string.h>

#include "../../mod_ocspx/engine/cache_private.h"
#include "../unit/cache_pattern.h"

const char fuzz_name[] = "cache";
const unsigned fuzz_mutations = 4000;

#define SLOTS_MAX 5
#define OPERATIONS_MAX 300

/* What must be in a slot. */
typedef struct {
    unsigned char *der; /* NULL: nothing */
    apr_size_t len;
    apr_time_t expiry;
    unsigned char *held; /* NULL: nothing */
    apr_size_t held_len;
    apr_time_t held_expiry;
    ocspx_cache_state_t state;
    ocspx_cache_counts_t counts;
} shadow_t;

typedef struct {
    apr_pool_t *pool;
    ocspx_cache_t *cache;
    apr_size_t area;
    unsigned n;
    shadow_t slots[SLOTS_MAX];
    apr_uint64_t version;
    unsigned last; /* slot put into by the operation before; n: none */
} scene_t;

typedef struct {
    unsigned what, slot, a, b;
} operation_t;

void fuzz_start(apr_pool_t *p)
{
    (void)p;
}

void fuzz_seeds(apr_pool_t *p)
{
    char *many = apr_palloc(p, 402);

    fuzz_seed_text("2@\0010 A\0011!A\0020 a\0031 A\0040  ");
    fuzz_seed_text("1@\0010 A\0010 A\0010AA\0050  \0010 A\0060  \0010 A");
    fuzz_seed_text("3P\0010@A\0011@A\0012@A\0020  \0013@A\0070@ \0071@!");
    fuzz_seed_text("2\xff\0010@A\0070@A\0011@A\0070!A\0071@A\0071!A\0010@A");
    fuzz_seed_text("4\xff\0010@A\0011@A\0030@A\0041@A\0060 !\0010@A\0050@A");
    for (int i = 0; i < 402; i++)
        many[i] = "\001\002\007\003\001\004\005"[i * i % 7];
    fuzz_seed(many, 402);
}

/* --- what must hold --------------------------------------------------- */

static void assert_read(const shadow_t *wanted, const unsigned char *der,
                        int len, apr_time_t now)
{
    if (!wanted->der || wanted->expiry <= now) {
        ck_assert_int_eq(len, 0);
        ck_assert_ptr_null(der);
    } else {
        ck_assert_int_eq(len, (int)wanted->len);
        ck_assert_mem_eq(der, wanted->der, wanted->len);
    }
}

static void assert_held(const scene_t *s, unsigned i)
{
    const shadow_t *wanted = &s->slots[i];
    unsigned char *der;
    apr_size_t len = ocspx_cache_held(&der, s->cache, i);

    ck_assert_uint_eq(len, wanted->held ? wanted->held_len : 0);
    if (len)
        ck_assert_mem_eq(der, wanted->held, len);
    OPENSSL_free(der);
}

static void assert_slot(scene_t *s, unsigned i, apr_time_t now)
{
    shadow_t *wanted = &s->slots[i];
    ocspx_cache_counts_t counts;
    ocspx_cache_state_t state;
    unsigned char *der;
    int len = ocspx_cache_peek(&der, s->cache, i, now);

    assert_read(wanted, der, len, now);
    OPENSSL_free(der);
    len = ocspx_cache_staple(&der, s->cache, i, now);
    assert_read(wanted, der, len, now);
    OPENSSL_free(der);
    if (len)
        wanted->counts.stapled++;
    else if (wanted->der)
        wanted->counts.expired++;
    else
        wanted->counts.empty++;
    ocspx_cache_counts(&counts, s->cache, i);
    ck_assert_mem_eq(&counts, &wanted->counts, sizeof(counts));
    ck_assert(ocspx_cache_state_get(&state, s->cache, i));
    ck_assert_mem_eq(&state, &wanted->state, sizeof(state));
    ck_assert_uint_eq(ocspx_cache_length(s->cache, i),
                      wanted->der ? wanted->len : 0);
}

static void assert_all(scene_t *s, apr_time_t now)
{
    apr_size_t used, size, wanted = 0;

    for (unsigned i = 0; i < s->n; i++) {
        assert_slot(s, i, now);
        assert_held(s, i);
        if (s->slots[i].der)
            wanted += 8 * ocspx_cache_record_words(s->slots[i].len);
        if (s->slots[i].held)
            wanted += 8 * ocspx_cache_record_words(s->slots[i].held_len);
    }
    ocspx_cache_usage(&used, &size, s->cache);
    ck_assert_uint_eq(used, wanted);
    ck_assert_uint_eq(size, s->area);
    ck_assert(ocspx_cache_check(s->cache));
}

/* --- operations ------------------------------------------------------- */

static ocspx_cache_t *create(const scene_t *s)
{
    ocspx_cache_t *cache;

    ck_assert_int_eq(ocspx_cache_create(&cache, s->n, s->area, s->pool),
                     APR_SUCCESS);
    for (unsigned i = 0; i < s->n; i++) {
        unsigned char digest[OCSPX_CERT_DIGEST_LEN] = {(unsigned char)(i + 1)};

        ocspx_cache_name(cache, i, digest);
    }
    return cache;
}

static void put(scene_t *s, const operation_t *op, apr_size_t len)
{
    shadow_t *slot = &s->slots[op->slot];
    unsigned char *der = apr_palloc(s->pool, len + 1);
    apr_time_t expiry = FUZZ_NOW + op->b;
    apr_size_t needed = 0;
    apr_status_t rv;

    pattern_fill(der, len, op->slot, ++s->version);
    rv = ocspx_cache_put(s->cache, op->slot, der, len, expiry, &needed);
    if (rv == APR_SUCCESS) {
        slot->der = der;
        slot->len = len;
        slot->expiry = expiry;
        slot->held = NULL;
        s->last = op->slot;
        return;
    }
    if (!len) {
        ck_assert_int_eq(rv, APR_EINVAL);
        return;
    }
    ck_assert_int_eq(rv, APR_ENOSPC);
    ck_assert_uint_gt(needed, s->area);
    ck_assert_msg(!slot->der || ocspx_cache_record_words(slot->len) <
                                    ocspx_cache_record_words(len),
                  "as much was there before");
}

static void withdraw(scene_t *s, const operation_t *op)
{
    ocspx_cache_withdraw(s->cache, op->slot);
    s->slots[op->slot].der = NULL;
    s->slots[op->slot].held = NULL;
}

static void hold(scene_t *s, const operation_t *op)
{
    shadow_t *slot = &s->slots[op->slot];
    apr_size_t len = op->a + 1;
    unsigned char *der = apr_palloc(s->pool, len);
    apr_status_t rv;

    pattern_fill(der, len, op->slot, ++s->version);
    rv = ocspx_cache_hold(s->cache, op->slot, der, len, FUZZ_NOW + op->b);
    if (rv == APR_SUCCESS) {
        slot->held = der;
        slot->held_len = len;
        slot->held_expiry = FUZZ_NOW + op->b;
    } else {
        ck_assert_int_eq(rv, APR_ENOSPC);
    }
}

/* To the end, or by a writer that is killed before it gets there. */
static void promote(scene_t *s, unsigned i, int killed)
{
    ocspx_cache_slot_t *slot = &s->cache->slots[i];
    shadow_t *shadow = &s->slots[i];

    if (killed) {
        ocspx_cache_set(&slot->pos, ocspx_cache_get(&slot->held));
        ck_assert_int_eq(ocspx_cache_writer_enter(s->cache), APR_SUCCESS);
        ocspx_cache_writer_leave(s->cache);
    } else {
        ocspx_cache_promote(s->cache, i);
    }
    shadow->der = shadow->held;
    shadow->len = shadow->held_len;
    shadow->expiry = shadow->held_expiry;
    shadow->held = NULL;
}

static void decide(scene_t *s, const operation_t *op)
{
    shadow_t *slot = &s->slots[op->slot];

    if (!slot->held) {
        hold(s, op);
    } else if (op->a % 4) {
        promote(s, op->slot, op->a % 2);
    } else {
        ocspx_cache_forget(s->cache, op->slot);
        slot->held = NULL;
    }
}

static void set_state(scene_t *s, const operation_t *op)
{
    ocspx_cache_state_t *state = &s->slots[op->slot].state;

    pattern_state(state, op->slot, ++s->version);
    state->expiry = op->b % 2 ? FUZZ_NOW + op->b : 0;
    ocspx_cache_state_set(s->cache, op->slot, state);
}

/* Only a put moves head, and does it last. */
static void kill_writer(scene_t *s, unsigned last)
{
    apr_uint64_t pos;

    if (last == s->n || !s->slots[last].der)
        return;
    pos = ocspx_cache_get(&s->cache->slots[last].pos);
    ck_assert_uint_eq(pos + ocspx_cache_record_words(s->slots[last].len),
                      ocspx_cache_get(&s->cache->header->head));
    ocspx_cache_set(&s->cache->header->head, pos);
    ck_assert(ocspx_cache_check(s->cache));
    ck_assert_int_eq(ocspx_cache_writer_enter(s->cache), APR_SUCCESS);
    ocspx_cache_writer_leave(s->cache);
}

/* Nothing that an honest writer would not have left there. */
static void assert_right(const ocspx_cache_state_t *state, apr_time_t now)
{
    const apr_time_t past[] = {state->this_update, state->fetched, state->tried,
                               state->failing_since};

    for (size_t i = 0; i < sizeof(past) / sizeof(past[0]); i++)
        ck_assert(past[i] >= 0 && past[i] <= now);
    ck_assert(state->next_update >= 0 && state->fresh_until >= 0);
    ck_assert(state->took >= 0 && state->took <= FUZZ_HOUR);
    ck_assert(state->due >= 0 &&
              (state->due <= now + FUZZ_HOUR || state->due <= state->expiry));
    ck_assert_uint_lt(state->cause, OCSPX_CAUSE_COUNT);
    ck_assert_uint_le(state->source, OCSPX_CACHE_SHARED);
    ck_assert_uint_le(state->http_status, 999);
    ck_assert_uint_le(state->revoked, 1);
    ck_assert_uint_le(state->told, OCSPX_CACHE_TOLD_MAX);
    if (*state->peer)
        fuzz_assert_printable(state->peer);
    if (*state->message)
        fuzz_assert_printable(state->message);
    ck_assert_int_eq(state->peer[sizeof(state->peer) - 1], 0);
    ck_assert_int_eq(state->message[sizeof(state->message) - 1], 0);
}

/* What became of a slot in a reload, taken for granted from now on. */
static void take_over(scene_t *s, unsigned i, int known)
{
    static const ocspx_cache_state_t none;
    ocspx_cache_record_t record = {0};
    shadow_t *slot = &s->slots[i];
    unsigned char *der;

    ocspx_cache_read(&der, &record, s->cache, i, APR_INT64_MIN);
    slot->der = der ? apr_pmemdup(s->pool, der, record.len) : NULL;
    OPENSSL_free(der);
    slot->len = record.len;
    slot->expiry = record.expiry;
    ck_assert(ocspx_cache_state_get(&slot->state, s->cache, i));
    slot->held_len = ocspx_cache_held(&der, s->cache, i);
    slot->held = der ? apr_pmemdup(s->pool, der, slot->held_len) : NULL;
    slot->held_expiry = slot->state.held.expiry;
    OPENSSL_free(der);
    ocspx_cache_counts(&slot->counts, s->cache, i);
    ck_assert_int_eq(slot->state.held.until != 0, slot->held != NULL);
    if (known)
        assert_right(&slot->state, FUZZ_NOW);
    else
        ck_assert_mem_eq(&slot->state, &none, sizeof(none));
}

static void assert_carried(const scene_t *s, const shadow_t *before)
{
    for (unsigned i = 0; i < s->n; i++) {
        const shadow_t *now = &s->slots[i];

        /* what is held may be forgotten, and asked for again */
        ck_assert(!now->held ||
                  (now->held_len == before[i].held_len &&
                   !memcmp(now->held, before[i].held, now->held_len)));
        ck_assert(!now->der == !before[i].der);
        if (!now->der)
            continue;
        ck_assert_uint_eq(now->len, before[i].len);
        ck_assert_mem_eq(now->der, before[i].der, now->len);
        ck_assert(now->expiry == before[i].expiry);
        /* below 0 only where it was damaged before */
        ck_assert(now->state.expiry == (now->expiry < 0 ? 0 : now->expiry));
        ck_assert_mem_eq(&now->counts, &before[i].counts, sizeof(now->counts));
    }
}

static void reload(scene_t *s, int honest)
{
    ocspx_cache_t *before = s->cache;
    unsigned char known[SLOTS_MAX];
    shadow_t shadow[SLOTS_MAX];
    unsigned carried, counted = 0;

    memcpy(shadow, s->slots, sizeof(shadow));
    s->cache = create(s);
    carried = ocspx_cache_carry(s->cache, before, known, FUZZ_NOW, s->pool);
    for (unsigned i = 0; i < s->n; i++) {
        take_over(s, i, known[i]);
        counted += known[i] != 0;
    }
    ck_assert_uint_eq(carried, counted);
    if (honest)
        assert_carried(s, shadow);
}

/* One word of the old segment, anywhere but in the lock and the digests. */
static void damage(const scene_t *s, const operation_t *op)
{
    ocspx_cache_slot_t *slot = &s->cache->slots[op->slot];
    ocspx_cache_header_t *header = s->cache->header;
    ocspx_cache_word_t *const words[] = {
        &slot->pos,
        &slot->held,
        &slot->turn,
        ocspx_cache_stapled(s->cache, op->b % OCSPX_CACHE_STRIPES, op->slot),
        &slot->expired,
        &header->head,
        &header->tail,
        &header->words,
        &header->count,
        &slot->facts[0][op->b % OCSPX_CACHE_FACT_WORDS],
        &slot->facts[1][op->b % OCSPX_CACHE_FACT_WORDS],
        &slot->said[op->b % 2],
        ocspx_cache_message(s->cache, op->slot, op->b % 2),
        &s->cache->area[op->b % s->cache->words],
        ocspx_cache_at(s->cache, ocspx_cache_get(&slot->pos)),
        ocspx_cache_at(s->cache, ocspx_cache_get(&slot->pos) + 1),
    };
    ocspx_cache_word_t *word =
        words[op->a % (sizeof(words) / sizeof(words[0]))];
    apr_uint64_t value = ocspx_cache_get(word);

    if (op->b % 4 == 0)
        value = ~value;
    else
        value ^= 1ULL << (op->b / 4);
    ocspx_cache_set(word, value);
}

static void run(scene_t *s, const operation_t *op)
{
    unsigned last = s->last;

    s->last = s->n;
    switch (op->what % 8) {
    case 2:
        withdraw(s, op);
        break;
    case 3:
        set_state(s, op);
        break;
    case 4:
        reload(s, 1);
        break;
    case 5:
        kill_writer(s, last);
        break;
    case 6:
        damage(s, op);
        if (op->b % 3)
            damage(s, &(operation_t){0, op->slot, op->b, op->a});
        reload(s, 0);
        break;
    case 7:
        decide(s, op);
        break;
    default:
        put(s, op, op->what & 8 ? op->a * 8 : op->a);
    }
    assert_all(s, FUZZ_NOW + op->a % 4);
}

void fuzz_one(const unsigned char *data, size_t len, apr_pool_t *p)
{
    const unsigned char *end = data + len;
    scene_t s = {.pool = p};
    int i;

    if (len < 2)
        return;
    s.n = s.last = 1 + *data++ % SLOTS_MAX;
    s.area = 8 * (1 + (apr_size_t)*data++);
    s.cache = create(&s);
    for (i = 0; i < OPERATIONS_MAX && end - data >= 4; i++, data += 4)
        run(&s, &(operation_t){data[0], data[1] % s.n, data[2], data[3]});
}
