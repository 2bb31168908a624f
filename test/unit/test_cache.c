/* test_cache: the cache in one process: what goes in comes out, until when,
 * and what happens where it does not fit.
 */
#include "../../mod_ocspx/engine/cache_private.h"

#include <openssl/crypto.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/check_main.h"
#include "cache_pattern.h"

#define NOW apr_time_from_sec(1700000000)
#define EXPIRY (NOW + apr_time_from_sec(3600))

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
    ocspx_cache_t *cache;

    ck_assert_int_eq(ocspx_cache_create(&cache, n, area, pool), APR_SUCCESS);
    return cache;
}

static apr_status_t put(ocspx_cache_t *cache, unsigned slot, apr_size_t len,
                        apr_uint64_t version, apr_size_t *needed)
{
    unsigned char *der = apr_palloc(pool, len);

    pattern_fill(der, len, slot, version);
    return ocspx_cache_put(cache, slot, der, len, EXPIRY, needed);
}

static void assert_served(const ocspx_cache_t *cache, unsigned slot,
                          apr_size_t len, apr_uint64_t version)
{
    unsigned char *expected = apr_palloc(pool, len), *der;

    pattern_fill(expected, len, slot, version);
    ck_assert_int_eq(ocspx_cache_peek(&der, cache, slot, NOW), (int)len);
    ck_assert_mem_eq(der, expected, len);
    OPENSSL_free(der);
}

static void assert_nothing(const ocspx_cache_t *cache, unsigned slot)
{
    unsigned char *der = (void *)1;

    ck_assert_int_eq(ocspx_cache_peek(&der, cache, slot, NOW), 0);
    ck_assert_ptr_null(der);
}

/* --- creating -------------------------------------------------------- */

START_TEST(sizes_that_overflow_are_refused)
{
    ocspx_cache_t *cache;

    ck_assert_int_eq(ocspx_cache_create(&cache, 1, 0, pool), APR_EINVAL);
    ck_assert_int_eq(ocspx_cache_create(&cache, 1, APR_SIZE_MAX, pool),
                     APR_EINVAL);
    ck_assert_int_eq(ocspx_cache_create(&cache, 1, APR_SIZE_MAX / 2, pool),
                     APR_EINVAL);
    ck_assert_int_eq(
        ocspx_cache_create(&cache, APR_UINT32_MAX, APR_SIZE_MAX - 7, pool),
        APR_EINVAL);
}
END_TEST

START_TEST(default_size_is_4_kib_each_and_256_kib)
{
    ck_assert_uint_eq(ocspx_cache_area_size(0), 262144);
    ck_assert_uint_eq(ocspx_cache_area_size(200), 200 * 4096 + 262144);
}
END_TEST

START_TEST(a_new_cache_is_empty)
{
    ocspx_cache_t *cache = make(3, 4096);
    ocspx_cache_state_t state, none = {0};
    unsigned i;

    ck_assert_uint_eq(ocspx_cache_count(cache), 3);
    for (i = 0; i < 3; i++) {
        assert_nothing(cache, i);
        memset(&state, 1, sizeof(state));
        ck_assert_int_eq(ocspx_cache_state_get(&state, cache, i), 1);
        ck_assert_mem_eq(&state, &none, sizeof(none));
    }
    ck_assert(ocspx_cache_check(cache));
}
END_TEST

/* Handshakes of one certificate are not to slow down those of another. */
START_TEST(slots_share_no_cache_line)
{
    ocspx_cache_t *cache = make(2, 4096);
    apr_uintptr_t first = (apr_uintptr_t)&cache->slots[0];

    ck_assert_uint_eq(first % OCSPX_CACHE_LINE, 0);
    ck_assert_uint_eq(sizeof(ocspx_cache_slot_t) % OCSPX_CACHE_LINE, 0);
}
END_TEST

/* Nor are those that one processor does to slow down another's. */
START_TEST(stripes_share_no_cache_line)
{
    ocspx_cache_t *cache = make(9, 4096);
    apr_uintptr_t end = (apr_uintptr_t)(cache->slots + 9);
    unsigned i;

    for (i = 0; i < OCSPX_CACHE_STRIPES; i++) {
        apr_uintptr_t stripe = (apr_uintptr_t)ocspx_cache_stapled(cache, i, 0);

        ck_assert_uint_eq(stripe % OCSPX_CACHE_LINE, 0);
        ck_assert_uint_ge(stripe, end);
        end = (apr_uintptr_t)(ocspx_cache_stapled(cache, i, 8) + 1);
    }
    ck_assert_uint_ge((apr_uintptr_t)cache->area, end);
}
END_TEST

/* --- putting and getting --------------------------------------------- */

START_TEST(every_length_comes_back)
{
    ocspx_cache_t *cache = make(2, 4 * OCSPX_CACHE_RESPONSE_MAX);
    unsigned char byte = 0;
    apr_size_t len;

    for (len = 1; len <= 64; len++) {
        ck_assert_int_eq(put(cache, 1, len, len, NULL), APR_SUCCESS);
        assert_served(cache, 1, len, len);
    }
    ck_assert_int_eq(put(cache, 1, 65536, 7, NULL), APR_SUCCESS);
    assert_served(cache, 1, 65536, 7);
    len = OCSPX_CACHE_RESPONSE_MAX;
    ck_assert_int_eq(put(cache, 1, len, 8, NULL), APR_SUCCESS);
    assert_served(cache, 1, len, 8);
    ck_assert_int_eq(put(cache, 1, len + 1, 9, NULL), APR_EINVAL);
    ck_assert_int_eq(ocspx_cache_put(cache, 1, &byte, 0, EXPIRY, NULL),
                     APR_EINVAL);
    assert_served(cache, 1, len, 8);
    assert_nothing(cache, 0);
    ck_assert(ocspx_cache_check(cache));
}
END_TEST

START_TEST(not_served_from_the_expiry_on)
{
    ocspx_cache_t *cache = make(1, 4096);
    unsigned char *der;

    put(cache, 0, 20, 1, NULL);
    ck_assert_int_eq(ocspx_cache_peek(&der, cache, 0, EXPIRY - 1), 20);
    OPENSSL_free(der);
    ck_assert_int_eq(ocspx_cache_peek(&der, cache, 0, EXPIRY), 0);
    ck_assert_ptr_null(der);
    ck_assert_int_eq(ocspx_cache_peek(&der, cache, 0, EXPIRY + 1), 0);
}
END_TEST

START_TEST(staple_counts_what_becomes_of_it)
{
    ocspx_cache_t *cache = make(2, 4096);
    ocspx_cache_counts_t counts;
    unsigned char *der;

    ck_assert_int_eq(ocspx_cache_staple(&der, cache, 1, NOW), 0);
    ck_assert_ptr_null(der);
    put(cache, 1, 20, 1, NULL);
    ck_assert_int_eq(ocspx_cache_staple(&der, cache, 1, NOW), 20);
    OPENSSL_free(der);
    ck_assert_int_eq(ocspx_cache_staple(&der, cache, 1, NOW), 20);
    OPENSSL_free(der);
    ck_assert_int_eq(ocspx_cache_staple(&der, cache, 1, EXPIRY), 0);
    ocspx_cache_staple(&der, cache, 1, EXPIRY);
    ocspx_cache_staple(&der, cache, 1, EXPIRY);
    assert_served(cache, 1, 20, 1);
    ocspx_cache_counts(&counts, cache, 1);
    ck_assert_uint_eq(counts.empty, 1);
    ck_assert_uint_eq(counts.stapled, 2);
    ck_assert_uint_eq(counts.expired, 3);
    ocspx_cache_counts(&counts, cache, 0);
    ck_assert_uint_eq(counts.empty + counts.stapled + counts.expired, 0);
}
END_TEST

START_TEST(withdrawn_is_empty_until_the_next_put)
{
    ocspx_cache_t *cache = make(2, 4096);

    put(cache, 0, 20, 1, NULL);
    put(cache, 1, 20, 1, NULL);
    ocspx_cache_withdraw(cache, 0);
    assert_nothing(cache, 0);
    assert_served(cache, 1, 20, 1);
    ck_assert(ocspx_cache_check(cache));
    put(cache, 0, 30, 2, NULL);
    assert_served(cache, 0, 30, 2);
}
END_TEST

/* Messages of all lengths, one after the other; and where there is none, the
 * memory for it is not touched. */
START_TEST(a_message_is_kept_where_there_is_one)
{
    ocspx_cache_t *cache = make(2, 4096);
    ocspx_cache_state_t state = {.cause = 1}, seen;

    for (unsigned n = 0; n < 2 * sizeof(state.message); n++) {
        memset(state.message, 0, sizeof(state.message));
        memset(state.message, 'a', n * 7 % sizeof(state.message));
        ocspx_cache_state_set(cache, 1, &state);
        ck_assert_int_eq(ocspx_cache_state_get(&seen, cache, 1), 1);
        ck_assert_mem_eq(&seen, &state, sizeof(seen));
        state.message[0] = '\0';
        ocspx_cache_state_set(cache, 0, &state);
    }
    for (unsigned i = 0; i < OCSPX_CACHE_MESSAGE_WORDS; i++) {
        ck_assert_uint_eq(*(ocspx_cache_message(cache, 0, 0) + i), 0);
        ck_assert_uint_eq(*(ocspx_cache_message(cache, 0, 1) + i), 0);
        ck_assert_uint_ne(*(ocspx_cache_message(cache, 1, 0) + i), 0);
    }
}
END_TEST

START_TEST(states_are_kept_apart)
{
    ocspx_cache_t *cache = make(2, 4096);
    ocspx_cache_state_t state, expected;
    apr_uint64_t version;
    unsigned slot;

    for (version = 1; version < 6; version++)
        for (slot = 0; slot < 2; slot++) {
            pattern_state(&expected, slot, version);
            ocspx_cache_state_set(cache, slot, &expected);
            ck_assert_int_eq(ocspx_cache_state_get(&state, cache, slot), 1);
            ck_assert_mem_eq(&state, &expected, sizeof(state));
        }
    pattern_state(&expected, 0, 5);
    ocspx_cache_state_get(&state, cache, 0);
    ck_assert_mem_eq(&state, &expected, sizeof(state));
}
END_TEST

/* --- going round ----------------------------------------------------- */

#define SLOTS 8

/* All slots, all the time, against what was put there last; now and then one
 * is withdrawn. Long records among short ones, and an area so tight that each
 * lap moves most of what there is. */
static void go_round(ocspx_cache_t *cache, apr_uint64_t seed, unsigned puts,
                     unsigned longest)
{
    apr_size_t len[SLOTS] = {0}, needed;
    apr_uint64_t version[SLOTS] = {0};
    unsigned i, slot, full = 0;
    apr_pool_t *parent = pool;

    for (i = 1; i <= puts; i++) {
        unsigned l =
            1 + pattern_random(&seed, pattern_random(&seed, 10) ? longest / 16
                                                                : longest);

        apr_pool_create(&pool, parent);
        slot = pattern_random(&seed, SLOTS);
        if (pattern_random(&seed, 20) == 0) {
            ocspx_cache_withdraw(cache, slot);
            len[slot] = 0;
        } else if (put(cache, slot, l, i, &needed) == APR_SUCCESS) {
            len[slot] = l;
            version[slot] = i;
        } else {
            full++;
        }
        for (slot = 0; slot < SLOTS; slot++)
            if (len[slot])
                assert_served(cache, slot, len[slot], version[slot]);
            else
                assert_nothing(cache, slot);
        ck_assert(ocspx_cache_check(cache));
        apr_pool_destroy(pool);
        pool = parent;
    }
    ck_assert_uint_lt(full, puts / 2);
    ck_assert_uint_gt(ocspx_cache_get(&cache->header->tail), 20 * cache->words);
}

START_TEST(many_laps_of_small_records)
{
    go_round(make(SLOTS, 1999), 1, 20000, 400);
    go_round(make(SLOTS, 2048), 2, 20000, 400);
}
END_TEST

START_TEST(many_laps_of_large_records)
{
    go_round(make(SLOTS, 300000), 3, 2000, 65536);
}
END_TEST

/* --- too small ------------------------------------------------------- */

static apr_size_t segment_bytes(const ocspx_cache_t *cache)
{
    return (apr_size_t)((apr_uintptr_t)(cache->area + cache->words) -
                        (apr_uintptr_t)cache->header);
}

static apr_size_t fill_three(ocspx_cache_t *cache, apr_status_t third)
{
    apr_size_t needed = 0;

    ck_assert_int_eq(put(cache, 0, 1000, 1, NULL), APR_SUCCESS);
    ck_assert_int_eq(put(cache, 1, 500, 1, NULL), APR_SUCCESS);
    ck_assert_int_eq(put(cache, 2, 1500, 1, &needed), third);
    return needed;
}

START_TEST(too_small_says_what_is_needed)
{
    ocspx_cache_t *cache = make(3, 4000);
    unsigned char *before = apr_palloc(pool, segment_bytes(cache));
    apr_size_t needed;
    apr_uint64_t i;

    needed = fill_three(cache, APR_ENOSPC);
    ck_assert_uint_gt(needed, 4000);
    memcpy(before, cache->header, segment_bytes(cache));
    ck_assert_int_eq(put(cache, 2, 1500, 1, NULL), APR_ENOSPC);
    ck_assert_mem_eq(before, cache->header, segment_bytes(cache));
    assert_served(cache, 0, 1000, 1);
    assert_served(cache, 1, 500, 1);

    fill_three(make(3, needed - 8), APR_ENOSPC);
    cache = make(3, needed);
    fill_three(cache, APR_SUCCESS);
    for (i = 2; i < 200; i++) {
        ck_assert_int_eq(put(cache, 0, 1000, i, NULL), APR_SUCCESS);
        ck_assert_int_eq(put(cache, 2, 1500, i, NULL), APR_SUCCESS);
        assert_served(cache, 0, 1000, i);
        assert_served(cache, 1, 500, 1);
        assert_served(cache, 2, 1500, i);
    }
}
END_TEST

START_TEST(the_smallest_area_does_no_harm)
{
    ocspx_cache_t *cache = make(1, 1);
    apr_size_t needed;

    ck_assert_int_eq(put(cache, 0, 1, 1, &needed), APR_ENOSPC);
    assert_nothing(cache, 0);
    cache = make(1, needed);
    ck_assert_int_eq(put(cache, 0, 1, 1, NULL), APR_SUCCESS);
    ck_assert_int_eq(put(cache, 0, 1, 2, NULL), APR_SUCCESS);
    ck_assert_int_eq(put(cache, 0, 1, 3, NULL), APR_SUCCESS);
    assert_served(cache, 0, 1, 3);
}
END_TEST

/* --- the writer's lock ----------------------------------------------- */

typedef enum { ENTERED, BUSY, FAILED } entering_e;

/* By a process that ends without leaving. */
static entering_e enter_in_child(ocspx_cache_t *cache)
{
    pid_t pid = fork();
    int status;

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        apr_status_t rv = ocspx_cache_writer_enter(cache);

        _exit(rv == APR_SUCCESS ? ENTERED : rv == APR_EBUSY ? BUSY : FAILED);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    return (entering_e)WEXITSTATUS(status);
}

START_TEST(there_is_one_writer)
{
    ocspx_cache_t *cache = make(1, 4096);

    ck_assert_int_eq(ocspx_cache_writer_enter(cache), APR_SUCCESS);
    ck_assert_int_eq(enter_in_child(cache), BUSY);
    ocspx_cache_writer_leave(cache);
    /* More than once, as what is taken over must be left sound. */
    ck_assert_int_eq(enter_in_child(cache), ENTERED);
    ck_assert_int_eq(enter_in_child(cache), ENTERED);
    ck_assert_int_eq(ocspx_cache_writer_enter(cache), APR_SUCCESS);
    ck_assert_int_eq(enter_in_child(cache), BUSY);
    ocspx_cache_writer_leave(cache);
    ck_assert_int_eq(enter_in_child(cache), ENTERED);
}
END_TEST

/* --- damage ---------------------------------------------------------- */

static void assert_check_sees(const ocspx_cache_t *cache,
                              ocspx_cache_word_t *word, apr_uint64_t value)
{
    apr_uint64_t before = ocspx_cache_get(word);

    ck_assert(ocspx_cache_check(cache));
    ocspx_cache_set(word, value);
    ck_assert(!ocspx_cache_check(cache));
    ocspx_cache_set(word, before);
}

START_TEST(check_sees_damage)
{
    ocspx_cache_t *cache = make(2, 512);
    ocspx_cache_header_t *header = cache->header;
    apr_uint64_t head, pos, lent;

    put(cache, 0, 20, 1, NULL);
    put(cache, 1, 30, 1, NULL);
    head = ocspx_cache_get(&header->head);
    pos = ocspx_cache_get(&cache->slots[0].pos);
    lent = 1ULL << 32;
    assert_check_sees(cache, &header->magic, 1);
    assert_check_sees(cache, &header->layout, 1);
    assert_check_sees(cache, &header->count, 3);
    assert_check_sees(cache, &header->words, 1);
    assert_check_sees(cache, &header->head, head + 1);
    assert_check_sees(cache, &header->head, head - 1);
    assert_check_sees(cache, &header->head, 0);
    assert_check_sees(cache, &header->tail, pos + 1);
    assert_check_sees(cache, &header->tail, 0);
    assert_check_sees(cache, &header->tail, head);
    assert_check_sees(cache, &header->largest, cache->words);
    assert_check_sees(cache, &cache->slots[0].pos, pos + 1);
    assert_check_sees(cache, &cache->slots[1].pos, pos);
    assert_check_sees(cache, ocspx_cache_at(cache, pos), 0);
    assert_check_sees(cache, ocspx_cache_at(cache, pos), APR_UINT32_MAX);
    assert_check_sees(cache, ocspx_cache_at(cache, pos), lent | 20);
    assert_check_sees(cache, ocspx_cache_at(cache, pos), 2 * lent | 20);
}
END_TEST

START_TEST(check_sees_a_record_of_nothing)
{
    ocspx_cache_t *cache = make(1, 512);
    apr_uint64_t pos;

    put(cache, 0, 1, 1, NULL);
    pos = ocspx_cache_get(&cache->slots[0].pos);
    ocspx_cache_set(ocspx_cache_at(cache, pos), 0);
    ocspx_cache_set(&cache->header->head, pos + 2);
    ck_assert(!ocspx_cache_check(cache));
}
END_TEST

START_TEST(a_damaged_record_is_not_served)
{
    ocspx_cache_t *cache = make(2, 2 * OCSPX_CACHE_RESPONSE_MAX);
    ocspx_cache_word_t *first;

    put(cache, 0, 20, 1, NULL);
    put(cache, 1, 20, 1, NULL);
    first = ocspx_cache_at(cache, ocspx_cache_get(&cache->slots[0].pos));
    ocspx_cache_set(first, 1ULL << 32 | 20);
    assert_nothing(cache, 0); /* another slot's */
    ocspx_cache_set(first, 0);
    assert_nothing(cache, 0);
    ocspx_cache_set(first, OCSPX_CACHE_RESPONSE_MAX + 1);
    assert_nothing(cache, 0);
    ocspx_cache_set(first, APR_UINT32_MAX);
    assert_nothing(cache, 0);
    assert_served(cache, 1, 20, 1);

    cache = make(1, 512);
    put(cache, 0, 20, 1, NULL);
    first = ocspx_cache_at(cache, ocspx_cache_get(&cache->slots[0].pos));
    ocspx_cache_set(first, 513);
    assert_nothing(cache, 0);
}
END_TEST

START_TEST(a_reader_overtaken_for_ever_gives_up)
{
    ocspx_cache_t *cache = make(1, 512);
    apr_uint64_t tail = ocspx_cache_get(&cache->header->tail);

    put(cache, 0, 20, 1, NULL);
    ocspx_cache_set(&cache->header->tail, tail + 1);
    assert_nothing(cache, 0);
    ocspx_cache_set(&cache->header->tail, tail);
    assert_served(cache, 0, 20, 1);
}
END_TEST

START_TEST(a_damaged_area_stops_the_writer_only)
{
    ocspx_cache_t *cache = make(2, 1024);
    apr_status_t rv = APR_SUCCESS;
    unsigned i;

    put(cache, 1, 20, 1, NULL);
    put(cache, 0, 20, 1, NULL);
    put(cache, 1, 20, 2, NULL);
    ocspx_cache_set(ocspx_cache_at(cache, cache->words), APR_UINT32_MAX);
    for (i = 0; i < 200 && rv == APR_SUCCESS; i++)
        rv = put(cache, 1, 20, 3, NULL);
    ck_assert_int_eq(rv, APR_EGENERAL);
    assert_served(cache, 0, 20, 1);
    assert_served(cache, 1, 20, 3);
    ocspx_cache_set(&cache->header->tail, 0);
    ck_assert_int_eq(put(cache, 1, 20, 4, NULL), APR_EGENERAL);
    ocspx_cache_set(&cache->header->tail, APR_UINT64_MAX);
    ck_assert_int_eq(put(cache, 1, 20, 4, NULL), APR_EGENERAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cache");
    TCase *tc = tcase_create("cache");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, sizes_that_overflow_are_refused);
    tcase_add_test(tc, default_size_is_4_kib_each_and_256_kib);
    tcase_add_test(tc, a_new_cache_is_empty);
    tcase_add_test(tc, slots_share_no_cache_line);
    tcase_add_test(tc, stripes_share_no_cache_line);
    tcase_add_test(tc, every_length_comes_back);
    tcase_add_test(tc, not_served_from_the_expiry_on);
    tcase_add_test(tc, staple_counts_what_becomes_of_it);
    tcase_add_test(tc, withdrawn_is_empty_until_the_next_put);
    tcase_add_test(tc, a_message_is_kept_where_there_is_one);
    tcase_add_test(tc, states_are_kept_apart);
    tcase_add_test(tc, many_laps_of_small_records);
    tcase_add_test(tc, many_laps_of_large_records);
    tcase_add_test(tc, too_small_says_what_is_needed);
    tcase_add_test(tc, the_smallest_area_does_no_harm);
    tcase_add_test(tc, there_is_one_writer);
    tcase_add_test(tc, check_sees_damage);
    tcase_add_test(tc, check_sees_a_record_of_nothing);
    tcase_add_test(tc, a_damaged_record_is_not_served);
    tcase_add_test(tc, a_reader_overtaken_for_ever_gives_up);
    tcase_add_test(tc, a_damaged_area_stops_the_writer_only);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
