/* test_fleet: a year of a hundred servers with the same certificates. Whatever
 * happens to responders, store and servers, no staple is ever over, none is
 * missing that there could be, and the responders hardly notice how many
 * servers there are.
 */
#include <stdio.h>

#include "../support/check_main.h"
#include "fleet.h"
#include "queue.h"
#include "split.h"

#define CERTIFICATES 1200

static apr_pool_t *pool;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static fleet_result_t run(const world_spec_t *spec, unsigned processes)
{
    const world_t *world = world_make(spec, pool);
    fleet_result_t result;

    fleet_run(&result, world, processes, pool);
    printf("fleet: %u servers%s, seed %u: %u outages of the store, %u long "
           "ones of responders; %llu expired, %llu missing, %llu ended, %llu "
           "empty; requests per validity %.3f with the store, %.5f of them "
           "twice; peaks %.2f, %.2f and %.2f in %u minutes\n",
           spec->servers, spec->alone ? " alone" : "", (unsigned)spec->seed,
           world->store.count, world->long_outages,
           (unsigned long long)result.counts.expired,
           (unsigned long long)result.counts.missing,
           (unsigned long long)result.counts.ended,
           (unsigned long long)result.counts.empty, result.per_validity,
           (double)result.counts.duplicates / (double)result.counts.requests,
           result.peak[FLEET_USUAL], result.peak[FLEET_ENDED],
           result.peak[FLEET_ALONE], result.bucket);
    return result;
}

START_TEST(a_year_of_a_fleet)
{
    world_spec_t spec = {.certificates = CERTIFICATES,
                         .servers = 100,
                         .days = 365,
                         .seed = (apr_uint64_t)_i};
    fleet_result_t fleet = run(&spec, split_processors());
    fleet_result_t alone;

    ck_assert_uint_eq(fleet.counts.expired, 0);
    ck_assert_uint_eq(fleet.counts.missing, 0);
    /* There were outages nobody could have bridged, and such of the store:
     * that the simulation notices. */
    ck_assert_uint_gt(fleet.counts.ended, 0);
    ck_assert_uint_gt(fleet.counts.found, 50 * fleet.counts.requests / 10);
    ck_assert(fleet.counts.duplicates * 100 < fleet.counts.requests);
    ck_assert(fleet.peak[FLEET_USUAL] <= 4);
    ck_assert(fleet.peak[FLEET_ALONE] > 50);
    ck_assert(fleet.peak[FLEET_ALONE] <= 3 * spec.servers);
    spec.servers = 1;
    spec.alone = 1;
    alone = run(&spec, split_processors());
    ck_assert_uint_eq(alone.counts.expired + alone.counts.missing, 0);
    ck_assert(fleet.per_validity <= 1.2 * alone.per_validity);
}
END_TEST

/* With so many certificates that their turns matter when it is. */
START_TEST(a_responder_is_back)
{
    const world_spec_t spec = {
        .certificates = 40000, .servers = 5, .days = 40, .seed = 2};
    fleet_result_t result = run(&spec, split_processors());

    ck_assert_uint_le(result.bucket, 5);
    ck_assert(result.peak[FLEET_USUAL] > 1.5);
    ck_assert(result.peak[FLEET_USUAL] <= 4);
    ck_assert(result.peak[FLEET_ENDED] > result.peak[FLEET_USUAL]);
}
END_TEST

/* By expiry, then by lot, each server for itself. */
START_TEST(turns_in_a_queue)
{
    queue_t *queue = queue_make(2, pool);

    queue_open(queue, T0, T0 + DAY);
    queue_add(queue, 1, T0 + HOUR);
    queue_add(queue, 1, T0 + 3 * HOUR);
    queue_add(queue, 1, T0 + 3 * HOUR);
    queue_add(queue, 1, T0 - DAY);
    queue_add(queue, 1, T0 + 2 * DAY);
    queue_close(queue);
    ck_assert(queue_before(queue, 0, T0 + 2 * DAY, 1) == 0);
    ck_assert(queue_before(queue, 1, T0 - HOUR, 0) == 0);
    ck_assert(queue_before(queue, 1, T0 + HOUR, 0) == 1);
    ck_assert(queue_before(queue, 1, T0 + 2 * HOUR, 0) == 2);
    ck_assert(queue_before(queue, 1, T0 + 3 * HOUR, 0.5) == 3);
    ck_assert(queue_before(queue, 1, T0 + DAY, 1) == 5);
}
END_TEST

/* However many processes share the work. */
START_TEST(same_seed_same_year)
{
    const world_spec_t spec = {
        .certificates = 80, .servers = 10, .days = 200, .seed = 7};
    fleet_result_t one = run(&spec, 1), other = run(&spec, 3);

    ck_assert_uint_gt(one.counts.found, 0);
    ck_assert_mem_eq(&one.counts, &other.counts, sizeof(one.counts));
    ck_assert_mem_eq(one.peak, other.peak, sizeof(one.peak));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fleet");
    TCase *tests = tcase_create("fleet");

    tcase_set_timeout(tests, 300);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, a_year_of_a_fleet, 1, 3);
    tcase_add_test(tests, a_responder_is_back);
    tcase_add_test(tests, turns_in_a_queue);
    tcase_add_test(tests, same_seed_same_year);
    suite_add_tcase(suite, tests);
    return ocspx_check_main(suite);
}
