/* test_cache_carry: what a reload takes over, and what it does not believe. */
#include "../../mod_ocspx/engine/cache_private.h"

#include <openssl/crypto.h>

#include "../support/check_main.h"
#include "cache_pattern.h"

#define HOUR apr_time_from_sec(3600)
#define NOW apr_time_from_sec(1700000000)
#define EXPIRY (NOW + 96 * HOUR)
#define AREA 8192
#define LEN 100

static apr_pool_t *pool;
static ocspx_cache_t *from, *to;
static unsigned char known[8];

/* Certificate @a cert's, in @a slot. */
static void name(ocspx_cache_t *cache, unsigned slot, unsigned cert)
{
    unsigned char digest[OCSPX_CERT_DIGEST_LEN] = {0};

    digest[OCSPX_CERT_DIGEST_LEN - 1] = (unsigned char)cert;
    ocspx_cache_name(cache, slot, digest);
}

static ocspx_cache_t *make(unsigned n, apr_size_t area)
{
    ocspx_cache_t *cache;

    ck_assert_int_eq(ocspx_cache_create(&cache, n, area, pool), APR_SUCCESS);
    return cache;
}

static ocspx_cache_state_t honest_state(void)
{
    return (ocspx_cache_state_t){
        .due = NOW + 48 * HOUR,
        .this_update = NOW - 2 * HOUR,
        .next_update = EXPIRY + HOUR,
        .expiry = EXPIRY,
        .fetched = NOW - HOUR,
        .fresh_until = NOW + HOUR,
        .tried = NOW - HOUR / 2,
        .failing_since = NOW - HOUR / 2,
        .took = 1234,
        .failures = 3,
        .cause = OCSPX_CAUSE_DNS,
        .http_status = 503,
        .source = OCSPX_CACHE_NETWORK,
        .requests = 77,
        .told = OCSPX_CACHE_TOLD_MAX,
        .peer = "192.0.2.1:80",
        .message = "no address for ocsp.example",
    };
}

static void put(ocspx_cache_t *cache, unsigned slot, apr_uint64_t version)
{
    unsigned char der[LEN];

    pattern_fill(der, LEN, slot, version);
    ck_assert_int_eq(ocspx_cache_put(cache, slot, der, LEN, EXPIRY, NULL),
                     APR_SUCCESS);
}

/* Two generations of one certificate, with a response and an honest state. */
static void setup(void)
{
    ocspx_cache_state_t state = honest_state();

    apr_pool_create(&pool, NULL);
    from = make(1, AREA);
    to = make(1, AREA);
    name(from, 0, 1);
    name(to, 0, 1);
    put(from, 0, 5);
    ocspx_cache_state_set(from, 0, &state);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

static unsigned carry(void)
{
    unsigned n = ocspx_cache_carry(to, from, known, NOW, pool);

    ck_assert(ocspx_cache_check(to));
    return n;
}

/* @a slot of @a to serves what @a was of @a from was given. */
static void assert_served(unsigned slot, unsigned was, apr_uint64_t version)
{
    unsigned char *der;
    int len = ocspx_cache_peek(&der, to, slot, EXPIRY - 1);

    ck_assert_int_eq(len, LEN);
    ck_assert_uint_eq(pattern_version(der, (apr_size_t)len, was), version);
    OPENSSL_free(der);
    ck_assert_int_eq(ocspx_cache_peek(&der, to, slot, EXPIRY), 0);
}

static void assert_nothing(unsigned slot)
{
    ocspx_cache_state_t state, none = {0};
    unsigned char *der;

    ck_assert_int_eq(ocspx_cache_peek(&der, to, slot, NOW), 0);
    ck_assert_int_eq(ocspx_cache_state_get(&state, to, slot), 1);
    ck_assert_mem_eq(&state, &none, sizeof(none));
}

/* --- what is carried ------------------------------------------------- */

START_TEST(an_honest_state_is_carried_as_it_is)
{
    ocspx_cache_state_t state, expected = honest_state();

    ck_assert_uint_eq(carry(), 1);
    ck_assert_int_eq(known[0], 1);
    assert_served(0, 0, 5);
    ocspx_cache_state_get(&state, to, 0);
    ck_assert_mem_eq(&state, &expected, sizeof(state));
}
END_TEST

START_TEST(certificates_are_matched_by_digest)
{
    unsigned char expected[] = {0, 1, 0, 1};
    unsigned i;

    from = make(3, AREA);
    to = make(4, AREA);
    for (i = 0; i < 3; i++) {
        name(from, i, 10 + i); /* 10, 11, 12 */
        put(from, i, 20 + i);
    }
    for (i = 0; i < 4; i++)
        name(to, i, 13 - i); /* 13, 12, 11, 10 */
    name(to, 2, 99);
    memset(known, 9, sizeof(known));
    ck_assert_uint_eq(carry(), 2);
    ck_assert_mem_eq(known, expected, sizeof(expected));
    ck_assert_int_eq(known[4], 9);
    assert_nothing(0);
    assert_served(1, 2, 22);
    assert_nothing(2);
    assert_served(3, 0, 20);
}
END_TEST

START_TEST(an_expired_response_stays_expired)
{
    ocspx_cache_counts_t counts;
    unsigned char *der;

    ck_assert_uint_eq(ocspx_cache_carry(to, from, known, EXPIRY, pool), 1);
    ck_assert_int_eq(ocspx_cache_staple(&der, to, 0, EXPIRY), 0);
    ocspx_cache_counts(&counts, to, 0);
    ck_assert_uint_eq(counts.expired, 1);
}
END_TEST

START_TEST(back_off_is_carried_without_a_response)
{
    ocspx_cache_state_t state = honest_state();

    ocspx_cache_withdraw(from, 0);
    state.expiry = 0;
    state.due = NOW + HOUR;
    ocspx_cache_state_set(from, 0, &state);
    ck_assert_uint_eq(carry(), 1);
    ocspx_cache_state_get(&state, to, 0);
    ck_assert_int_eq(state.due, NOW + HOUR);
    ck_assert_uint_eq(state.failures, 3);
}
END_TEST

START_TEST(a_withheld_response_stays_withheld)
{
    ocspx_cache_state_t state = honest_state();

    ocspx_cache_withdraw(from, 0);
    state.revoked = 1;
    ocspx_cache_state_set(from, 0, &state);
    ck_assert_uint_eq(carry(), 1);
    ocspx_cache_state_get(&state, to, 0);
    ck_assert_int_eq(state.due, NOW + 48 * HOUR);
    ck_assert_int_eq(state.expiry, EXPIRY);
}
END_TEST

/* --- what is not ----------------------------------------------------- */

START_TEST(a_lost_response_is_left_to_the_store)
{
    ocspx_cache_withdraw(from, 0);
    ck_assert_uint_eq(carry(), 0);
    ck_assert_int_eq(known[0], 0);
    assert_nothing(0);
}
END_TEST

START_TEST(what_does_not_fit_is_left_to_the_store)
{
    to = make(1, LEN);
    name(to, 0, 1);
    ck_assert_uint_eq(carry(), 0);
    assert_nothing(0);
}
END_TEST

START_TEST(a_digest_counts_once)
{
    from = make(2, AREA);
    name(from, 0, 1);
    name(from, 1, 1);
    put(from, 0, 30);
    put(from, 1, 31);
    ck_assert_uint_eq(carry(), 1);
    assert_served(0, 0, 30);
}
END_TEST

START_TEST(another_layout_is_not_touched)
{
    ocspx_cache_set(&from->header->magic, 1);
    ck_assert_uint_eq(carry(), 0);
    assert_nothing(0);
    ocspx_cache_set(&from->header->magic, OCSPX_CACHE_MAGIC);
    ocspx_cache_set(&from->header->layout, OCSPX_CACHE_LAYOUT + 1);
    ck_assert_uint_eq(carry(), 0);
    ocspx_cache_set(&from->header->layout, OCSPX_CACHE_LAYOUT);
    from->layout++;
    ck_assert_uint_eq(carry(), 0);
    from->layout--;
    ck_assert_uint_eq(carry(), 1);
}
END_TEST

/* --- a segment that was tampered with -------------------------------- */

START_TEST(sizes_in_the_segment_are_not_believed)
{
    ocspx_cache_set(&from->header->count, APR_UINT32_MAX);
    ocspx_cache_set(&from->header->words, APR_UINT64_MAX);
    ocspx_cache_set(&from->header->head, 0);
    ocspx_cache_set(&from->header->largest, APR_UINT64_MAX);
    ck_assert_uint_eq(carry(), 1);
    assert_served(0, 0, 5);
}
END_TEST

START_TEST(positions_are_not_believed)
{
    static const apr_uint64_t positions[] = {
        1,         AREA / 8,       AREA / 8 + 1,
        AREA,      APR_UINT64_MAX, APR_UINT64_MAX - 1,
        1ULL << 63};
    unsigned i;

    for (i = 0; i < sizeof(positions) / sizeof(*positions); i++) {
        ocspx_cache_set(&from->slots[0].pos, positions[i]);
        carry();
    }
    put(from, 0, 6);
    ocspx_cache_set(&from->header->tail, APR_UINT64_MAX);
    ck_assert_uint_eq(carry(), 0);
}
END_TEST

START_TEST(records_are_not_believed)
{
    static const apr_uint64_t firsts[] = {
        0,                            /* no byte */
        AREA + 1,                     /* more than there is */
        OCSPX_CACHE_RESPONSE_MAX + 1, /* too long */
        APR_UINT32_MAX,
        1ULL << 32 | LEN, /* a slot there is not */
        APR_UINT64_MAX};
    apr_uint64_t pos = ocspx_cache_get(&from->slots[0].pos);
    unsigned i;

    for (i = 0; i < sizeof(firsts) / sizeof(*firsts); i++) {
        ocspx_cache_set(ocspx_cache_at(from, pos), firsts[i]);
        ck_assert_uint_eq(carry(), 0);
        assert_nothing(0);
    }
}
END_TEST

/* What honest_state becomes with this one change. */
#define CARRIED(change)                                                        \
    do {                                                                       \
        state = honest_state();                                                \
        change;                                                                \
        ocspx_cache_state_set(from, 0, &state);                                \
        ck_assert_uint_eq(carry(), 1);                                         \
        ocspx_cache_state_get(&state, to, 0);                                  \
    } while (0)

START_TEST(times_are_put_right)
{
    ocspx_cache_state_t state;

    CARRIED(state.due = EXPIRY + 1);
    ck_assert_int_eq(state.due, 0);
    CARRIED(state.due = EXPIRY);
    ck_assert_int_eq(state.due, EXPIRY);
    CARRIED(state.due = -1);
    ck_assert_int_eq(state.due, 0);
    CARRIED(state.expiry = APR_INT64_MAX);
    ck_assert_int_eq(state.expiry, EXPIRY);
    CARRIED(state.this_update = NOW + HOUR);
    ck_assert_int_eq(state.this_update, NOW);
    CARRIED(state.this_update = -1);
    ck_assert_int_eq(state.this_update, 0);
    CARRIED(state.next_update = -1);
    ck_assert_int_eq(state.next_update, 0);
    CARRIED(state.fetched = APR_INT64_MAX);
    ck_assert_int_eq(state.fetched, NOW);
    CARRIED(state.fresh_until = -1);
    ck_assert_int_eq(state.fresh_until, 0);
    CARRIED(state.tried = NOW + 1);
    ck_assert_int_eq(state.tried, NOW);
    CARRIED(state.failing_since = NOW + 1);
    ck_assert_int_eq(state.failing_since, NOW);
    CARRIED(state.took = -1);
    ck_assert_int_eq(state.took, 0);
    CARRIED(state.took = APR_INT64_MAX);
    ck_assert_int_eq(state.took, HOUR);
}
END_TEST

START_TEST(what_was_told_is_told_anew_where_it_makes_no_sense)
{
    ocspx_cache_state_t state;

    CARRIED(state.told = OCSPX_CACHE_TOLD_MAX + 1);
    ck_assert_uint_eq(state.told, 0);
    CARRIED(state.told = OCSPX_CACHE_TOLD_MAX);
    ck_assert_uint_eq(state.told, OCSPX_CACHE_TOLD_MAX);
}
END_TEST

START_TEST(nobody_sleeps_long_with_nothing_to_serve)
{
    ocspx_cache_state_t state;

    ocspx_cache_withdraw(from, 0);
    CARRIED(state.expiry = 0; state.due = NOW + HOUR + 1);
    ck_assert_int_eq(state.due, 0);
    CARRIED(state.revoked = 2);
    ck_assert_uint_eq(state.revoked, 1);
}
END_TEST

START_TEST(long_validity_keeps_its_schedule)
{
    ocspx_cache_state_t state;

    ocspx_cache_withdraw(from, 0);
    CARRIED(state.expiry = NOW + 90 * 24 * HOUR; state.revoked = 1;
            state.due = NOW + 45 * 24 * HOUR);
    ck_assert_int_eq(state.due, NOW + 45 * 24 * HOUR);
}
END_TEST

START_TEST(values_are_put_right)
{
    ocspx_cache_state_t state;

    CARRIED(state.cause = OCSPX_CAUSE_COUNT);
    ck_assert_uint_eq(state.cause, OCSPX_CAUSE_NONE);
    CARRIED(state.cause = OCSPX_CAUSE_COUNT - 1);
    ck_assert_uint_eq(state.cause, OCSPX_CAUSE_COUNT - 1);
    CARRIED(state.source = OCSPX_CACHE_SHARED + 1);
    ck_assert_uint_eq(state.source, OCSPX_CACHE_NOWHERE);
    CARRIED(state.source = OCSPX_CACHE_SHARED);
    ck_assert_uint_eq(state.source, OCSPX_CACHE_SHARED);
    CARRIED(state.http_status = 1000);
    ck_assert_uint_eq(state.http_status, 0);
}
END_TEST

START_TEST(texts_are_put_right)
{
    ocspx_cache_state_t state;
    char zero[sizeof(state.message)] = {0};

    CARRIED(memset(state.peer, 'x', sizeof(state.peer)));
    ck_assert_uint_eq(strlen(state.peer), sizeof(state.peer) - 1);
    CARRIED(memset(state.message, 'x', sizeof(state.message)));
    ck_assert_uint_eq(strlen(state.message), sizeof(state.message) - 1);
    CARRIED(memcpy(state.message, "a\nb\x1b\xff~ \x7f\0z", 11));
    ck_assert_str_eq(state.message, "a?b??~ ?");
    ck_assert_mem_eq(state.message + 8, zero, sizeof(state.message) - 8);
}
END_TEST

/* Any bytes at all: the new segment is sound, or the old one is left alone. */
START_TEST(noise_does_no_harm)
{
    apr_uint64_t seed = 42, round;
    unsigned i;

    from = make(8, AREA);
    to = make(8, AREA);
    for (i = 0; i < 8; i++)
        name(to, i, i);
    for (round = 0; round < 500; round++) {
        ocspx_cache_word_t *word = (void *)from->slots;

        for (; word < from->area + from->words; word++)
            ocspx_cache_set(word,
                            pattern_mix(++seed) >> pattern_random(&seed, 64));
        for (i = 0; i < 8; i++)
            name(from, i, pattern_random(&seed, 8));
        ocspx_cache_set(&from->header->tail, 0);
        for (i = 0; i < 8; i++) {
            apr_uint64_t pos = ocspx_cache_get(&from->slots[i].pos);

            ocspx_cache_set(ocspx_cache_at(from, pos),
                            (apr_uint64_t)pattern_random(&seed, 9) << 32 |
                                pattern_random(&seed, AREA / 8));
        }
        carry();
    }
    ck_assert_uint_gt(ocspx_cache_get(&to->header->head), 2 * to->words);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cache_carry");
    TCase *tc = tcase_create("cache_carry");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, an_honest_state_is_carried_as_it_is);
    tcase_add_test(tc, certificates_are_matched_by_digest);
    tcase_add_test(tc, an_expired_response_stays_expired);
    tcase_add_test(tc, back_off_is_carried_without_a_response);
    tcase_add_test(tc, a_withheld_response_stays_withheld);
    tcase_add_test(tc, a_lost_response_is_left_to_the_store);
    tcase_add_test(tc, what_does_not_fit_is_left_to_the_store);
    tcase_add_test(tc, a_digest_counts_once);
    tcase_add_test(tc, another_layout_is_not_touched);
    tcase_add_test(tc, sizes_in_the_segment_are_not_believed);
    tcase_add_test(tc, positions_are_not_believed);
    tcase_add_test(tc, records_are_not_believed);
    tcase_add_test(tc, times_are_put_right);
    tcase_add_test(tc, what_was_told_is_told_anew_where_it_makes_no_sense);
    tcase_add_test(tc, nobody_sleeps_long_with_nothing_to_serve);
    tcase_add_test(tc, long_validity_keeps_its_schedule);
    tcase_add_test(tc, values_are_put_right);
    tcase_add_test(tc, texts_are_put_right);
    tcase_add_test(tc, noise_does_no_harm);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
