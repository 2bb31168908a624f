/* test_cache_held: a response that is kept ready beside the one served. */
#include "../../mod_ocspx/engine/cache_private.h"

#include <openssl/crypto.h>

#include "../support/check_main.h"
#include "cache_pattern.h"

#define NOW apr_time_from_sec(1700000000)
#define HOUR apr_time_from_sec(3600)
#define EXPIRY (NOW + 10 * HOUR)
#define LEN 100

/* What is held is of a version above, what is served below. */
#define HELD 1000

static apr_pool_t *pool;

static void setup(void)
{
    apr_pool_create(&pool, NULL);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

static ocspx_cache_t *make(unsigned n, apr_size_t area)
{
    static const unsigned char digest[OCSPX_CERT_DIGEST_LEN] = {1};
    ocspx_cache_t *cache;

    ck_assert_int_eq(ocspx_cache_create(&cache, n, area, pool), APR_SUCCESS);
    ocspx_cache_name(cache, 0, digest);
    return cache;
}

static apr_status_t put(ocspx_cache_t *cache, unsigned slot, apr_size_t len,
                        apr_uint64_t version)
{
    unsigned char *der = apr_palloc(pool, len);

    pattern_fill(der, len, slot, version);
    return ocspx_cache_put(cache, slot, der, len, EXPIRY, NULL);
}

static apr_status_t hold(ocspx_cache_t *cache, unsigned slot, apr_size_t len,
                         apr_uint64_t version)
{
    unsigned char *der = apr_palloc(pool, len);

    pattern_fill(der, len, slot, version);
    return ocspx_cache_hold(cache, slot, der, len, EXPIRY + HOUR);
}

static apr_uint64_t version_of(unsigned char *der, apr_size_t len,
                               unsigned slot)
{
    apr_uint64_t version = len ? pattern_version(der, len, slot) : 0;

    ck_assert_msg(!len == !version, "a wrong byte for slot %u", slot);
    ck_assert_int_eq(!len, !der);
    OPENSSL_free(der);
    return version;
}

/* The version that is served, that is held; 0: none. */
static apr_uint64_t served(const ocspx_cache_t *cache, unsigned slot)
{
    unsigned char *der;
    int len = ocspx_cache_peek(&der, cache, slot, NOW);

    return version_of(der, (apr_size_t)len, slot);
}

static apr_uint64_t held(const ocspx_cache_t *cache, unsigned slot)
{
    unsigned char *der;
    apr_size_t len = ocspx_cache_held(&der, cache, slot);

    return version_of(der, len, slot);
}

static void assert_has(const ocspx_cache_t *cache, apr_uint64_t is_served,
                       apr_uint64_t is_held)
{
    ck_assert_uint_eq(served(cache, 0), is_served);
    ck_assert_uint_eq(held(cache, 0), is_held);
    ck_assert(ocspx_cache_check(cache));
}

/* --- what becomes of it ---------------------------------------------- */

START_TEST(handshakes_do_not_see_it)
{
    ocspx_cache_t *cache = make(1, 4096);
    apr_size_t used, size;

    ck_assert_int_eq(hold(cache, 0, LEN, HELD), APR_SUCCESS);
    assert_has(cache, 0, HELD);
    ck_assert_uint_eq(ocspx_cache_length(cache, 0), 0);
    put(cache, 0, LEN, 1);
    assert_has(cache, 1, 0);
    hold(cache, 0, 2 * LEN, HELD);
    assert_has(cache, 1, HELD);
    ck_assert_uint_eq(ocspx_cache_length(cache, 0), LEN);
    ocspx_cache_usage(&used, &size, cache);
    ck_assert_uint_eq(used, 16 + 104 + 16 + 200);
}
END_TEST

START_TEST(promoted_it_is_served_to_its_own_end)
{
    ocspx_cache_t *cache = make(1, 4096);
    unsigned char *der;
    int len;

    put(cache, 0, LEN, 1);
    hold(cache, 0, LEN, HELD);
    ocspx_cache_promote(cache, 0);
    assert_has(cache, HELD, 0);
    len = ocspx_cache_peek(&der, cache, 0, EXPIRY + HOUR - 1);
    ck_assert_uint_eq(version_of(der, (apr_size_t)len, 0), HELD);
    ck_assert_int_eq(ocspx_cache_peek(&der, cache, 0, EXPIRY + HOUR), 0);
}
END_TEST

START_TEST(the_next_one_takes_its_place)
{
    ocspx_cache_t *cache = make(1, 4096);

    put(cache, 0, LEN, 1);
    hold(cache, 0, LEN, HELD);
    hold(cache, 0, LEN, HELD + 1);
    assert_has(cache, 1, HELD + 1);
}
END_TEST

START_TEST(what_ends_it)
{
    ocspx_cache_t *cache = make(1, 4096);

    put(cache, 0, LEN, 1);
    hold(cache, 0, LEN, HELD);
    ocspx_cache_forget(cache, 0);
    assert_has(cache, 1, 0);
    hold(cache, 0, LEN, HELD);
    put(cache, 0, LEN, 2);
    assert_has(cache, 2, 0);
    hold(cache, 0, LEN, HELD);
    ocspx_cache_withdraw(cache, 0);
    assert_has(cache, 0, 0);
}
END_TEST

/* --- going round ----------------------------------------------------- */

#define SLOTS 6

START_TEST(many_laps)
{
    ocspx_cache_t *cache = make(SLOTS, 4096);
    apr_uint64_t now[SLOTS] = {0}, next[SLOTS] = {0}, seed = 7;
    apr_pool_t *parent = pool;
    unsigned i, slot, full = 0;

    for (i = 1; i <= 20000; i++) {
        apr_size_t len = 20 + pattern_random(&seed, 300);

        apr_pool_create(&pool, parent);
        slot = pattern_random(&seed, SLOTS);
        switch (pattern_random(&seed, 4)) {
        case 0:
            if (put(cache, slot, len, i) == APR_SUCCESS) {
                now[slot] = i;
                next[slot] = 0;
            } else {
                full++;
            }
            break;
        case 1:
            if (next[slot]) {
                ocspx_cache_promote(cache, slot);
                now[slot] = next[slot];
                next[slot] = 0;
            }
            break;
        default:
            if (hold(cache, slot, len, i) == APR_SUCCESS)
                next[slot] = i;
            else
                full++;
        }
        for (slot = 0; slot < SLOTS; slot++) {
            ck_assert_uint_eq(served(cache, slot), now[slot]);
            ck_assert_uint_eq(held(cache, slot), next[slot]);
        }
        ck_assert(ocspx_cache_check(cache));
        apr_pool_destroy(pool);
        pool = parent;
    }
    ck_assert_uint_lt(full, 5000);
    ck_assert_uint_gt(ocspx_cache_get(&cache->header->tail), 20 * cache->words);
}
END_TEST

/* --- room ------------------------------------------------------------ */

/* 15 words each: two that are served, one that is not yet, and twice one. */
#define RECORD ((2 + (LEN + 7) / 8) * 8)

START_TEST(a_newcomer_does_not_lose_its_room_to_it)
{
    ocspx_cache_t *cache = make(3, 5 * RECORD);

    ck_assert_int_eq(put(cache, 0, LEN, 1), APR_SUCCESS);
    ck_assert_int_eq(put(cache, 1, LEN, 1), APR_SUCCESS);
    ck_assert_int_eq(hold(cache, 0, LEN, HELD), APR_ENOSPC);
    assert_has(cache, 1, 0);
    ck_assert_int_eq(put(cache, 2, LEN, 1), APR_SUCCESS);

    cache = make(3, 6 * RECORD);
    put(cache, 0, LEN, 1);
    put(cache, 1, LEN, 1);
    ck_assert_int_eq(hold(cache, 0, LEN, HELD), APR_SUCCESS);
    ck_assert_int_eq(hold(cache, 1, LEN, HELD), APR_ENOSPC);
    ck_assert_int_eq(put(cache, 2, LEN, 1), APR_SUCCESS);
    ck_assert_int_eq(put(cache, 1, LEN, 2), APR_SUCCESS);
    assert_has(cache, 1, HELD);
}
END_TEST

START_TEST(nonsense_is_refused)
{
    ocspx_cache_t *cache = make(1, 4 * OCSPX_CACHE_RESPONSE_MAX);
    unsigned char byte = 0;

    ck_assert_int_eq(ocspx_cache_hold(cache, 0, &byte, 0, EXPIRY), APR_EINVAL);
    ck_assert_int_eq(hold(cache, 0, OCSPX_CACHE_RESPONSE_MAX + 1, HELD),
                     APR_EINVAL);
    assert_has(cache, 0, 0);
}
END_TEST

/* --- a reload -------------------------------------------------------- */

static ocspx_cache_state_t honest_state(void)
{
    return (ocspx_cache_state_t){
        .due = EXPIRY + HOUR,
        .this_update = NOW - 9 * HOUR,
        .expiry = EXPIRY,
        .held = {.until = NOW + 240,
                 .this_update = NOW - 60,
                 .next_update = EXPIRY + HOUR,
                 .expiry = EXPIRY + HOUR,
                 .fetched = NOW - 30,
                 .fresh_until = NOW + 60,
                 .source = OCSPX_CACHE_NETWORK},
    };
}

/* Carry what serves 1 and holds HELD, with that state; @return what it is then.
 */
static ocspx_cache_state_t carried(ocspx_cache_t *to, int is_held,
                                   const ocspx_cache_state_t *state)
{
    ocspx_cache_t *from = make(1, 4096);
    ocspx_cache_state_t after;
    unsigned char known;

    put(from, 0, LEN, 1);
    if (is_held)
        hold(from, 0, LEN, HELD);
    ocspx_cache_state_set(from, 0, state);
    ck_assert_uint_eq(ocspx_cache_carry(to, from, &known, NOW, pool), 1);
    ocspx_cache_state_get(&after, to, 0);
    return after;
}

START_TEST(it_is_carried)
{
    ocspx_cache_state_t honest = honest_state(), after;
    ocspx_cache_t *to = make(1, 4096);

    after = carried(to, 1, &honest);
    ck_assert_mem_eq(&after, &honest, sizeof(after));
    assert_has(to, 1, HELD);
    ocspx_cache_promote(to, 0);
    assert_has(to, HELD, 0);
}
END_TEST

/* Not there, no room for it, or not said to be there. */
START_TEST(without_it_the_responder_is_asked)
{
    static const ocspx_cache_held_t none;
    ocspx_cache_state_t state = honest_state(), after;
    ocspx_cache_t *to = make(1, 4096);

    state.due = NOW + HOUR;
    after = carried(to, 0, &state);
    ck_assert_mem_eq(&after.held, &none, sizeof(none));
    ck_assert_int_eq(after.due, 0);
    ck_assert_int_eq(after.expiry, EXPIRY);
    assert_has(to, 1, 0);
    to = make(1, 3 * RECORD);
    after = carried(to, 1, &state);
    ck_assert_mem_eq(&after.held, &none, sizeof(none));
    ck_assert_int_eq(after.due, 0);
    assert_has(to, 1, 0);
    state.held.until = 0;
    to = make(1, 4096);
    carried(to, 1, &state);
    assert_has(to, 1, 0);
}
END_TEST

#define PUT_RIGHT(member, given, expected)                                     \
    do {                                                                       \
        state = honest_state();                                                \
        state.held.member = given;                                             \
        state = carried(make(1, 4096), 1, &state);                             \
        ck_assert_int_eq((apr_int64_t)state.held.member, expected);            \
    } while (0)

START_TEST(what_is_said_of_it_is_put_right)
{
    ocspx_cache_state_t state;

    PUT_RIGHT(until, APR_INT64_MAX, NOW + HOUR);
    PUT_RIGHT(until, -1, 0);
    PUT_RIGHT(this_update, NOW + HOUR, NOW);
    PUT_RIGHT(this_update, -1, 0);
    PUT_RIGHT(next_update, -1, 0);
    PUT_RIGHT(expiry, -1, 0);
    PUT_RIGHT(fetched, NOW + 1, NOW);
    PUT_RIGHT(fetched, -1, 0);
    PUT_RIGHT(fresh_until, -1, 0);
    PUT_RIGHT(source, OCSPX_CACHE_SHARED + 1, OCSPX_CACHE_NOWHERE);
    PUT_RIGHT(source, APR_UINT64_MAX, OCSPX_CACHE_NOWHERE);
    state = honest_state();
    state.due = state.held.expiry + 1;
    ck_assert_int_eq(carried(make(1, 4096), 1, &state).due, 0);
}
END_TEST

/* Words that no honest writer leaves there. */
START_TEST(damage_is_not_believed)
{
    apr_uint64_t seed = 11;
    unsigned i;

    for (i = 0; i < 2000; i++) {
        ocspx_cache_state_t state = honest_state();
        ocspx_cache_t *from = make(1, 1024), *to = make(1, 1024);
        unsigned char known, *der;

        put(from, 0, LEN, 1);
        hold(from, 0, LEN, HELD);
        ocspx_cache_state_set(from, 0, &state);
        ocspx_cache_set(&from->slots[0].held, pattern_random(&seed, 2)
                                                  ? pattern_mix(i)
                                                  : pattern_random(&seed, 400));
        ocspx_cache_carry(to, from, &known, NOW, pool);
        ck_assert(ocspx_cache_check(to));
        ck_assert_uint_eq(served(to, 0), 1);
        ocspx_cache_held(&der, to, 0); /* whatever it is, it is within */
        OPENSSL_free(der);
        teardown();
        setup();
    }
}
END_TEST

/* The writer keeps count of what it does; the next one counts what is there. */
START_TEST(the_count_is_right)
{
    ocspx_cache_t *cache = make(4, 2048);
    const ocspx_cache_header_t *header = cache->header;
    apr_uint64_t version, live, serving;

    for (version = 1; version < 200; version++) {
        unsigned slot = (unsigned)(version % 4);

        put(cache, slot, LEN + version % 50, version);
        hold(cache, (slot + 1) % 4, LEN + version % 70, HELD + version);
        if (version % 3 == 0)
            ocspx_cache_promote(cache, (slot + 1) % 4);
        if (version % 5 == 0)
            ocspx_cache_forget(cache, (slot + 2) % 4);
        if (version % 7 == 0)
            ocspx_cache_withdraw(cache, (slot + 3) % 4);
        live = ocspx_cache_get(&header->live);
        serving = ocspx_cache_get(&header->serving);
        ck_assert_int_eq(ocspx_cache_writer_enter(cache), APR_SUCCESS);
        ck_assert_uint_eq(ocspx_cache_get(&header->live), live);
        ck_assert_uint_eq(ocspx_cache_get(&header->serving), serving);
        ocspx_cache_writer_leave(cache);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cache_held");
    TCase *tc = tcase_create("cache_held");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, handshakes_do_not_see_it);
    tcase_add_test(tc, promoted_it_is_served_to_its_own_end);
    tcase_add_test(tc, the_next_one_takes_its_place);
    tcase_add_test(tc, what_ends_it);
    tcase_add_test(tc, many_laps);
    tcase_add_test(tc, a_newcomer_does_not_lose_its_room_to_it);
    tcase_add_test(tc, nonsense_is_refused);
    tcase_add_test(tc, it_is_carried);
    tcase_add_test(tc, without_it_the_responder_is_asked);
    tcase_add_test(tc, what_is_said_of_it_is_put_right);
    tcase_add_test(tc, damage_is_not_believed);
    tcase_add_test(tc, the_count_is_right);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
