/* test_cache_report: what the report asks the cache: sizes, how full it is,
 * and counters that survive a reload.
 */
#include "../../mod_ocspx/engine/cache_private.h"

#include <openssl/crypto.h>

#include "../support/check_main.h"

#define NOW apr_time_from_sec(1700000000)
#define EXPIRY (NOW + apr_time_from_sec(3600))
#define AREA 8192

static apr_pool_t *pool;
static ocspx_cache_t *cache;
static const unsigned char der[AREA];

static ocspx_cache_t *make(unsigned n)
{
    ocspx_cache_t *made;
    unsigned i;

    ck_assert_int_eq(ocspx_cache_create(&made, n, AREA, pool), APR_SUCCESS);
    for (i = 0; i < n; i++) {
        unsigned char digest[OCSPX_CERT_DIGEST_LEN] = {(unsigned char)i};

        ocspx_cache_name(made, i, digest);
    }
    return made;
}

static void setup(void)
{
    apr_pool_create(&pool, NULL);
    cache = make(3);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

static void put(unsigned slot, apr_size_t len)
{
    ck_assert_int_eq(ocspx_cache_put(cache, slot, der, len, EXPIRY, NULL),
                     APR_SUCCESS);
}

static void staple(unsigned slot, apr_time_t now, int times)
{
    unsigned char *copy;

    while (times--) {
        ocspx_cache_staple(&copy, cache, slot, now);
        OPENSSL_free(copy);
    }
}

/* --- length ---------------------------------------------------------- */

START_TEST(length_is_that_of_the_response)
{
    ck_assert_uint_eq(ocspx_cache_length(cache, 1), 0);
    put(0, 17);
    put(1, 1);
    ck_assert_uint_eq(ocspx_cache_length(cache, 0), 17);
    ck_assert_uint_eq(ocspx_cache_length(cache, 1), 1);
    ck_assert_uint_eq(ocspx_cache_length(cache, 2), 0);
    put(0, 900);
    ck_assert_uint_eq(ocspx_cache_length(cache, 0), 900);
    ocspx_cache_withdraw(cache, 0);
    ck_assert_uint_eq(ocspx_cache_length(cache, 0), 0);
}
END_TEST

START_TEST(length_counts_no_handshake)
{
    ocspx_cache_counts_t counts;

    ocspx_cache_length(cache, 0);
    put(0, 17);
    ocspx_cache_length(cache, 0);
    ocspx_cache_counts(&counts, cache, 0);
    ck_assert_uint_eq(counts.stapled + counts.empty + counts.expired, 0);
}
END_TEST

/* Any bytes at all give a length that a response can have, or none. */
START_TEST(a_damaged_record_has_no_length)
{
    apr_uint64_t pos;

    put(0, 17);
    pos = ocspx_cache_get(&cache->slots[0].pos);
    ocspx_cache_set(ocspx_cache_at(cache, pos), (apr_uint64_t)1 << 32 | 17);
    ck_assert_uint_eq(ocspx_cache_length(cache, 0), 0);
    ocspx_cache_set(ocspx_cache_at(cache, pos), OCSPX_CACHE_RESPONSE_MAX + 1);
    ck_assert_uint_eq(ocspx_cache_length(cache, 0), 0);
    ocspx_cache_set(ocspx_cache_at(cache, pos), AREA);
    ck_assert_uint_eq(ocspx_cache_length(cache, 0), 0);
    ocspx_cache_set(ocspx_cache_at(cache, pos), 17);
    ck_assert_uint_eq(ocspx_cache_length(cache, 0), 17);
}
END_TEST

START_TEST(an_overtaken_record_has_no_length)
{
    put(0, 17);
    ocspx_cache_set(&cache->header->tail,
                    ocspx_cache_get(&cache->header->head));
    ck_assert_uint_eq(ocspx_cache_length(cache, 0), 0);
}
END_TEST

/* --- usage ----------------------------------------------------------- */

static apr_size_t used(void)
{
    apr_size_t bytes, size;

    ocspx_cache_usage(&bytes, &size, cache);
    ck_assert_uint_eq(size, AREA);
    return bytes;
}

/* With a header of two words each; dead records do not count. */
START_TEST(usage_is_what_live_responses_take)
{
    int i;

    ck_assert_uint_eq(used(), 0);
    for (i = 0; i < 100; i++)
        put(0, 17);
    ck_assert_uint_eq(used(), 16 + 24);
    put(1, 8);
    ck_assert_uint_eq(used(), 16 + 24 + 16 + 8);
    ocspx_cache_withdraw(cache, 0);
    ck_assert_uint_eq(used(), 16 + 8);
}
END_TEST

START_TEST(usage_is_never_more_than_there_is)
{
    apr_uint64_t pos;
    unsigned i;

    put(0, 17);
    pos = ocspx_cache_get(&cache->slots[0].pos);
    ocspx_cache_set(ocspx_cache_at(cache, pos), AREA - 16);
    ck_assert_uint_eq(used(), AREA);
    for (i = 1; i < 3; i++) {
        put(i, 17);
        pos = ocspx_cache_get(&cache->slots[i].pos);
        ocspx_cache_set(ocspx_cache_at(cache, pos),
                        (apr_uint64_t)i << 32 | (AREA - 16));
    }
    ck_assert_uint_eq(used(), AREA);
}
END_TEST

/* --- counters -------------------------------------------------------- */

static ocspx_cache_counts_t carried(unsigned slot)
{
    ocspx_cache_t *to = make(3);
    unsigned char known[3];
    ocspx_cache_counts_t counts;

    ocspx_cache_carry(to, cache, known, NOW, pool);
    ocspx_cache_counts(&counts, to, slot);
    return counts;
}

START_TEST(counters_are_carried_over)
{
    ocspx_cache_counts_t counts;

    staple(1, NOW, 5);
    put(1, 17);
    staple(1, NOW, 3);
    staple(1, EXPIRY, 2);
    counts = carried(1);
    ck_assert_uint_eq(counts.stapled, 3);
    ck_assert_uint_eq(counts.empty, 5);
    ck_assert_uint_eq(counts.expired, 2);
    counts = carried(0);
    ck_assert_uint_eq(counts.stapled + counts.empty + counts.expired, 0);
}
END_TEST

/* Its response is lost, not what it is remembered for. */
START_TEST(counters_outlive_a_damaged_response)
{
    put(1, 17);
    staple(1, NOW, 3);
    ocspx_cache_set(
        ocspx_cache_at(cache, ocspx_cache_get(&cache->slots[1].pos)), 0);
    ck_assert_uint_eq(carried(1).stapled, 3);
}
END_TEST

START_TEST(what_every_processor_counts_is_added_up)
{
    ocspx_cache_counts_t counts;
    unsigned i;

    for (i = 0; i < OCSPX_CACHE_STRIPES; i++)
        ocspx_cache_set(ocspx_cache_stapled(cache, i, 1), 1ULL << (4 * i));
    ocspx_cache_counts(&counts, cache, 1);
    ck_assert_uint_eq(counts.stapled, 0x11111111);
    ck_assert_uint_eq(carried(1).stapled, 0x11111111);
}
END_TEST

START_TEST(counters_are_not_believed_whatever_they_say)
{
    const apr_uint64_t most = (apr_uint64_t)1 << 53;
    ocspx_cache_counts_t counts;

    ocspx_cache_set(ocspx_cache_stapled(cache, 0, 1), most);
    ocspx_cache_set(&cache->slots[1].empty, most + 1);
    ocspx_cache_set(&cache->slots[1].expired, APR_UINT64_MAX);
    counts = carried(1);
    ck_assert_uint_eq(counts.stapled, most);
    ck_assert_uint_eq(counts.empty, 0);
    ck_assert_uint_eq(counts.expired, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cache_report");
    TCase *tc = tcase_create("cache_report");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, length_is_that_of_the_response);
    tcase_add_test(tc, length_counts_no_handshake);
    tcase_add_test(tc, a_damaged_record_has_no_length);
    tcase_add_test(tc, an_overtaken_record_has_no_length);
    tcase_add_test(tc, usage_is_what_live_responses_take);
    tcase_add_test(tc, usage_is_never_more_than_there_is);
    tcase_add_test(tc, counters_are_carried_over);
    tcase_add_test(tc, counters_outlive_a_damaged_response);
    tcase_add_test(tc, what_every_processor_counts_is_added_up);
    tcase_add_test(tc, counters_are_not_believed_whatever_they_say);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
