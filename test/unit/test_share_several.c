/* test_share_several: of several stores each has its part; one that fails takes
 * away no more than that, and only until the others have it.
 */
#include "share_scene.h"

#define STORES 3
#define CERTS 300

/* Instead of a store. */
#define NOBODY (-1)
#define WAITS (-2)

typedef struct {
    ocspx_share_store_t face;
    int hangs;
    apr_status_t status;
    unsigned begun;
    int jobs;
} part_t;

static part_t parts[STORES];
static const char *const names[STORES] = {"one", "two", "three"};
static ocspx_cert_t certs[CERTS];
static ocspx_registry_entry_t entries[CERTS];
static int used[CERTS]; /* the store that answered */
static ocspx_share_t *share;

static apr_status_t part_begin(ocspx_share_store_t *face,
                               const ocspx_share_job_t *job)
{
    part_t *part = (part_t *)face;

    (void)job;
    part->begun++;
    part->jobs++;
    return APR_SUCCESS;
}

static int part_collect(ocspx_share_result_t *result, ocspx_share_store_t *face)
{
    part_t *part = (part_t *)face;

    if (part->hangs || !part->begun)
        return 0;
    part->begun--;
    *result = (ocspx_share_result_t){.status = part->status};
    return 1;
}

static void part_abandon(ocspx_share_store_t *face)
{
    ((part_t *)face)->begun = 0;
}

static ocspx_share_t *make_share(const int *order)
{
    ocspx_share_t *made;
    int i;

    for (i = 0; i < STORES; i++)
        parts[i] = (part_t){
            .face = {names[i], 1, part_begin, part_collect, part_abandon},
            .status = APR_NOTFOUND};
    made = ocspx_share_make(&parts[order[0]].face, ledger, &log_to, clock_now,
                            pool);
    for (i = 1; i < STORES; i++)
        ocspx_share_add(made, &parts[order[i]].face);
    return made;
}

static void set_up_several(void)
{
    static const int order[STORES] = {0, 1, 2};
    int i;

    set_up_sharing();
    make_sharing(); /* for its ledger */
    for (i = 0; i < CERTS; i++) {
        apr_uint64_t digest = ocspx_schedule_mix((apr_uint64_t)i);

        memcpy(certs[i].digest, &digest, sizeof(digest));
        entries[i] =
            (ocspx_registry_entry_t){.cert = &certs[i], .policy = &policy};
    }
    share = make_share(order);
}

static void note_store(void *baton, const ocspx_share_found_t *found)
{
    int *store_used = baton;
    int which;

    ck_assert_ptr_null(found);
    *store_used = NOBODY;
    for (which = 0; which < STORES; which++)
        if (parts[which].jobs)
            *store_used = which;
}

/* One after the other, so that it is seen who is asked. */
static void ask_all(void)
{
    int i, which;

    for (i = 0; i < CERTS; i++) {
        for (which = 0; which < STORES; which++)
            parts[which].jobs = 0;
        used[i] = WAITS;
        ocspx_share_look_up(share, &entries[i], note_store, &used[i]);
        ocspx_share_turn(share);
    }
}

static int answered_by(int which)
{
    int i, n = 0;

    for (i = 0; i < CERTS; i++)
        n += used[i] == which;
    return n;
}

static void pass(apr_interval_time_t time)
{
    apr_time_t until = now + time;

    for (; now < until; now += SECONDS(1) / 10)
        ocspx_share_turn(share);
}

static int logged(const char *text)
{
    const char *at = log_text;
    int n = 0;

    for (; (at = strstr(at, text)); at++)
        n++;
    return n;
}

START_TEST(each_has_its_part_whatever_their_order)
{
    static const int order[STORES] = {2, 0, 1};
    int before[CERTS], i;

    ask_all();
    for (i = 0; i < STORES; i++)
        ck_assert_int_gt(answered_by(i), CERTS / STORES * 3 / 4);
    memcpy(before, used, sizeof(used));
    share = make_share(order);
    ask_all();
    ck_assert_mem_eq(used, before, sizeof(used));
}
END_TEST

/* Hanging or refusing. */
START_TEST(one_that_fails_takes_its_part_and_no_more)
{
    int before[CERTS], i, part, moved[STORES] = {0};

    ask_all();
    memcpy(before, used, sizeof(used));
    part = answered_by(1);
    parts[1].hangs = _i;
    parts[1].status = APR_ECONNREFUSED;
    ask_all();
    ck_assert_int_eq(answered_by(WAITS), _i ? part : 0);
    pass(OCSPX_SHARE_TIMEOUT + SECONDS(2) / 10);
    ck_assert_int_eq(answered_by(WAITS), 0);
    ck_assert_int_ne(down_since(), 0);
    ask_all();
    for (i = 0; i < CERTS; i++) {
        ck_assert(used[i] == before[i] || before[i] == 1);
        moved[used[i]] += before[i] == 1;
    }
    ck_assert_int_eq(moved[1], 0);
    ck_assert_int_gt(moved[0], CERTS / STORES / 4);
    ck_assert_int_gt(moved[2], CERTS / STORES / 4);
    ck_assert_int_eq(logged("OCSPX0050: SHARE_DOWN: two: "), 1);
    /* and gets it back */
    parts[1].hangs = 0;
    parts[1].status = APR_NOTFOUND;
    pass(SECONDS(10));
    ck_assert_int_eq(down_since(), 0);
    ask_all();
    ck_assert_mem_eq(used, before, sizeof(used));
    ck_assert_int_eq(logged("OCSPX005"), 2);
}
END_TEST

START_TEST(it_is_down_until_all_of_them_work)
{
    apr_time_t first = now;
    int i;

    parts[0].status = APR_ECONNREFUSED;
    ask_all();
    ck_assert_int_eq(down_since(), first);
    now += SECONDS(1);
    parts[1].status = parts[2].status = APR_ECONNREFUSED;
    ask_all();
    ck_assert_int_eq(down_since(), first);
    ask_all();
    ck_assert_int_eq(answered_by(NOBODY), CERTS);
    parts[0].status = APR_NOTFOUND;
    pass(SECONDS(10));
    ck_assert_int_eq(down_since(), first + SECONDS(1));
    for (i = 0; i < STORES; i++)
        parts[i].status = APR_NOTFOUND;
    pass(SECONDS(40));
    ck_assert_int_eq(down_since(), 0);
}
END_TEST

static Suite *share_several_suite(void)
{
    Suite *suite = suite_create("share_several");
    TCase *tests = tcase_create("share_several");

    tcase_add_checked_fixture(tests, set_up_several, tear_down);
    tcase_add_test(tests, each_has_its_part_whatever_their_order);
    tcase_add_loop_test(tests, one_that_fails_takes_its_part_and_no_more, 0, 2);
    tcase_add_test(tests, it_is_down_until_all_of_them_work);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(share_several_suite());
}
