/* test_outage: responders go away and come back; certificates of other
 * responders do not notice, and nothing is stapled past its time.
 */
#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/world.h"

#include <apr_strings.h>
#include <stdio.h>

static world_t *w;

static void setup(void)
{
    w = world_make();
}

static void teardown(void)
{
    world_destroy(w);
}

/* --- a minute without three responders, beside nine healthy ones --------- */

typedef struct {
    const char *name; /* of the only virtual host with this responder */
    responder_t *responder;
    pki_t *leaf;
} site_t;

static const responder_script_t outages[] = {{.answer = RESPONDER_HANG},
                                             {.answer = RESPONDER_REFUSE},
                                             {.answer = RESPONDER_BLACK_HOLE}};

enum { OUTAGES = sizeof(outages) / sizeof(*outages), NEIGHBOURS = 9 };

#define OUTAGE_MS 60000
#define BACK_MS 15000
#define LIFETIME_MS 8000

static void add_site(site_t *site, const char *name,
                     const responder_script_t *script)
{
    site->name = name;
    site->responder = w->responder = world_responder(w);
    site->leaf = world_site(w, name);
    responder_script(site->responder, NULL, script);
    responder_start(site->responder);
}

static void add_outages(site_t *dead)
{
    static const char *const names[OUTAGES] = {"hang.test", "refuse.test",
                                               "black-hole.test"};

    for (int i = 0; i < OUTAGES; i++)
        add_site(&dead[i], names[i], &outages[i]);
}

static void add_neighbours(site_t *healthy)
{
    responder_script_t script = {.lifetime = apr_time_from_msec(LIFETIME_MS)};

    for (int i = 0; i < NEIGHBOURS; i++) {
        add_site(&healthy[i], apr_psprintf(w->pool, "healthy%d.test", i),
                 &script);
    }
}

/** Handshakes with all the neighbours, one after the other, for ever. */
static client_load_t *watch_neighbours(const site_t *healthy)
{
    const char **names = apr_palloc(w->pool, NEIGHBOURS * sizeof(*names));
    client_load_spec_t load = {.client = world_client(w, NULL),
                               .names = names,
                               .names_count = NEIGHBOURS,
                               .threads = 2,
                               .pause_ms = 20};

    for (int i = 0; i < NEIGHBOURS; i++)
        names[i] = healthy[i].name;
    return client_load_start(&load, w->pool);
}

static void neighbours_never_expired(client_load_t *load, const site_t *healthy)
{
    client_load_result_t result;

    client_load_finish(&result, load);
    printf("neighbours: %u handshakes, %u good, longest %.0f ms\n",
           result.handshakes, result.good, result.max_ms);
    ck_assert_msg(result.good == result.handshakes,
                  "%u failed, %u without a staple, %u bad: %s", result.failures,
                  result.missing, result.invalid, result.error);
    for (int i = 0; i < NEIGHBOURS; i++) { /* and it took that many answers */
        ck_assert_uint_ge(responder_requests(healthy[i].responder, NULL),
                          OUTAGE_MS / LIFETIME_MS);
    }
}

/** @return 1: its staple is there; until then its handshakes succeed too */
static int is_back(const site_t *site, long since)
{
    client_result_t result = world_handshake(w, site->name);
    long ms = procs_ms() - since;

    ck_assert_msg(result.ok, "%s: %s", site->name, result.error);
    if (client_good(&result)) {
        printf("%s: stapled %.1f s after the end of the outage\n", site->name,
               (double)ms / 1000);
        return 1;
    }
    ck_assert_msg(ms <= BACK_MS, "%s: no staple after %ld ms", site->name, ms);
    return 0;
}

/** Repair all at once, and tell nobody. */
static void staples_appear(const site_t *dead)
{
    int back[OUTAGES] = {0};
    int missing = OUTAGES;
    long begin;

    for (int i = 0; i < OUTAGES; i++) {
        world_assert_bare(w, dead[i].name);
        responder_script(dead[i].responder, NULL, &(responder_script_t){0});
    }
    begin = procs_ms();
    while (missing > 0) {
        for (int i = 0; i < OUTAGES; i++) {
            if (!back[i]) {
                back[i] = is_back(&dead[i], begin);
                missing -= back[i];
            }
        }
        procs_sleep(50);
    }
}

START_TEST(outage_of_a_minute)
{
    site_t dead[OUTAGES];
    site_t healthy[NEIGHBOURS];
    client_load_t *load;
    long end;

    add_outages(dead);
    add_neighbours(healthy);
    world_global(w, "OCSPXStartupWait 2\n");
    end = procs_ms() + OUTAGE_MS;
    world_up(w);
    load = watch_neighbours(healthy);
    procs_sleep((int)(end - procs_ms()));
    staples_appear(dead);
    neighbours_never_expired(load, healthy);
}
END_TEST

/* --- no staple past its time --------------------------------------------- */

/** Handshakes near the end of the last staple, on either side of it. */
typedef struct {
    unsigned before;
    unsigned after;
} near_end_t;

#define NEAR apr_time_from_msec(500)
#define ERROR_LINE "\\[ocspx:error\\].*OCSPX0011: short.test: "

/**
 * One handshake, which may not lack a staple that has not ended, nor have one
 * that has.
 * @param until the end of the last staple seen; kept up to date
 * @return 1: that is past by more than a second
 */
static int check_end(near_end_t *near_end, apr_time_t *until)
{
    apr_time_t begin = apr_time_now();
    client_result_t result = world_handshake(w, "short.test");
    apr_time_t end = apr_time_now();

    ck_assert_msg(result.ok, "%s", result.error);
    if (result.stapled) {
        ck_assert_msg(client_good(&result), "%s", result.error);
        *until = result.next_update;
    }
    ck_assert_msg(result.stapled || end >= *until,
                  "no staple %.3f s before nextUpdate",
                  (double)(*until - end) / APR_USEC_PER_SEC);
    ck_assert_msg(!result.stapled || begin < *until,
                  "a staple %.3f s after nextUpdate",
                  (double)(begin - *until) / APR_USEC_PER_SEC);
    near_end->before += end < *until && end > *until - NEAR;
    near_end->after += begin >= *until && begin < *until + NEAR;
    return begin > *until + apr_time_from_sec(1);
}

/** Wait for one more failed attempt. */
static void wait_for_failure(void)
{
    int failures = httpd_log_count(w->httpd, "OCSPX0010");
    long deadline = procs_ms() + 20000;

    while (httpd_log_count(w->httpd, "OCSPX0010") == failures) {
        ck_assert(procs_ms() < deadline);
        procs_sleep(50);
    }
}

START_TEST(stapled_to_next_update_and_no_longer)
{
    responder_script_t script = {.lifetime = apr_time_from_sec(12)};
    near_end_t near_end = {0};
    apr_time_t until = 0;

    world_site(w, "short.test");
    responder_script(w->responder, NULL, &script);
    responder_start(w->responder);
    world_up(w);
    world_assert_good(w, "short.test");
    responder_stop(w->responder);
    while (!check_end(&near_end, &until))
        procs_sleep(10);
    printf("%u handshakes in the last half second, %u in the one after it\n",
           near_end.before, near_end.after);
    ck_assert(near_end.before > 0 && near_end.after > 0);
    ck_assert(httpd_log_wait(w->httpd, ERROR_LINE, 10000));
    wait_for_failure();
    world_assert_bare(w, "short.test");
    ck_assert_int_eq(httpd_log_count(w->httpd, "\\[ocspx:error\\]"), 1);
    ck_assert_int_eq(httpd_log_count(w->httpd, "\\[ocspx:warn\\]"), 1);
}
END_TEST

static Suite *outage_suite(void)
{
    Suite *suite = suite_create("outage");
    TCase *tests = tcase_create("outage");

    tcase_set_timeout(tests, 180);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, outage_of_a_minute);
    tcase_add_test(tests, stapled_to_next_update_and_no_longer);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(outage_suite());
}
