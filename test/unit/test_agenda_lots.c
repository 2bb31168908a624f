/* test_agenda_lots: servers that share do not ask for the same all at once. */
#include "../../mod_ocspx/engine/agenda.h"
#include "../support/check_main.h"

#define SEC(n) apr_time_from_sec(n)
#define HOUR SEC(3600)
#define DAY (24 * HOUR)
#define T0 (20000 * DAY)
#define ENTRIES 20

static apr_pool_t *pool;
static ocspx_agenda_t *agenda;
static unsigned host_of[ENTRIES];

static void setup(void)
{
    apr_pool_create(&pool, NULL);
    memset(host_of, 0, sizeof(host_of));
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

static int take(apr_time_t now)
{
    apr_time_t next;

    return ocspx_agenda_take(agenda, now, &next);
}

/* Entries that are all due at T0, and end in the next hours. */
static void fill(unsigned hosts, apr_uint64_t lots)
{
    unsigned i;

    for (i = 0; i < ENTRIES; i++)
        host_of[i] = i % hosts;
    agenda = ocspx_agenda_make(ENTRIES, hosts, host_of, ENTRIES, ENTRIES, lots,
                               pool);
    for (i = 0; i < ENTRIES; i++)
        ocspx_agenda_set(agenda, i, T0, T0 + (i + 1) * HOUR, DAY);
}

static void order_at(int *order, apr_time_t now, unsigned hosts,
                     apr_uint64_t lots)
{
    int i;

    fill(hosts, lots);
    for (i = 0; i < ENTRIES; i++)
        order[i] = take(now + i * SEC(10));
}

/* Servers are to have the same order while the pace holds, and another one
 * each when what they have has ended. */
START_TEST(what_has_ended_goes_by_lot)
{
    unsigned hosts = _i ? ENTRIES : 1;
    int one[ENTRIES], other[ENTRIES], again[ENTRIES];

    order_at(one, T0, hosts, 1);
    order_at(other, T0, hosts, 2);
    ck_assert_int_eq(one[ENTRIES - 1], ENTRIES - 1);
    ck_assert_mem_eq(one, other, sizeof(one));
    order_at(one, T0 + DAY, hosts, 1);
    order_at(other, T0 + DAY, hosts, 2);
    order_at(again, T0 + DAY, hosts, 2);
    ck_assert_mem_ne(one, other, sizeof(one));
    ck_assert_mem_eq(again, other, sizeof(other));
}
END_TEST

START_TEST(what_ends_while_it_waits_goes_by_lot)
{
    unsigned i, first = 0;

    for (i = 0; i < 8; i++) {
        agenda = ocspx_agenda_make(3, 1, host_of, 1, 1, i, pool);
        ocspx_agenda_set(agenda, 0, T0, T0 + HOUR, DAY);
        ocspx_agenda_set(agenda, 1, T0, T0 + 2 * HOUR, DAY);
        ocspx_agenda_set(agenda, 2, T0, T0 + 3 * HOUR, DAY);
        ck_assert_int_eq(take(T0), 0);
        ck_assert_int_eq(take(T0 + SEC(60)), -1);
        ocspx_agenda_done(agenda, 0, OCSPX_AGENDA_REACHED);
        first += take(T0 + 4 * HOUR) == 1;
    }
    ck_assert_uint_gt(first, 0);
    ck_assert_uint_lt(first, 8);
}
END_TEST

/* One probes it, and one besides; no lot makes others more needy. */
START_TEST(what_has_ended_leaves_a_dead_host_alone)
{
    apr_time_t now = T0 + DAY;
    unsigned probes = 0;
    int i;

    fill(1, (apr_uint64_t)_i);
    while ((i = take(now)) >= 0) {
        probes++;
        ocspx_agenda_done(agenda, (unsigned)i, OCSPX_AGENDA_SILENT);
        ocspx_agenda_set(agenda, (unsigned)i, now + SEC(60),
                         T0 + (i + 1) * HOUR, DAY);
    }
    ck_assert_uint_eq(probes, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("agenda_lots");
    TCase *tests = tcase_create("agenda_lots");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, what_has_ended_goes_by_lot, 0, 2);
    tcase_add_test(tests, what_ends_while_it_waits_goes_by_lot);
    tcase_add_loop_test(tests, what_has_ended_leaves_a_dead_host_alone, 0, 8);
    suite_add_tcase(suite, tests);
    return ocspx_check_main(suite);
}
