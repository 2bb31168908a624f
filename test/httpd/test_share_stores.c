/* test_share_stores: several stores, of which one fails; one that takes
 * nothing more; one for two fleets; and every MPM.
 */
#include "share_scene.h"

#include <signal.h>

#define SITES 16
#define LIFETIME 6 /* of a response, in seconds */

/* So many are under way at most (OCSPXMaxParallel). */
#define PER_HOST 6

/* Nothing but the refresher, of which there is one, tells of a store. */
#define NO_SEEDER "OCSPXStartupWait 0\n"

static const char *names[SITES];
static pki_t *leaves[SITES];

static void answer(int lifetime)
{
    responder_script(
        w->responder, NULL,
        &(responder_script_t){.lifetime = apr_time_from_sec(lifetime)});
    responder_start(w->responder);
}

static void make_sites(void)
{
    for (int i = 0; i < SITES; i++) {
        names[i] = apr_psprintf(w->pool, "s%d.test", i);
        leaves[i] = world_leaf(w, &(pki_spec_t){.cn = names[i]});
    }
}

static httpd_t *with_all_sites(httpd_t *h, const char *lines)
{
    for (int i = 0; i < SITES; i++)
        add_site(h, names[i], leaves[i]);
    configure(h, lines);
    return h;
}

static httpd_t *another_with_all(const char *lines)
{
    return with_all_sites(httpd_make(&(httpd_config_t){0}, w->pool), lines);
}

static void wait_served(const httpd_t *h)
{
    long began = procs_ms();

    while (metric(h, "ocspx_certificates{state=\"stapled\"}") != SITES) {
        ck_assert_int_lt(procs_ms() - began, 30000);
        procs_sleep(100);
    }
}

/** What is said of that one. */
static const char *down(int port)
{
    return apr_psprintf(w->pool, DOWN "memcache:127.0.0.1:%d: ", port);
}

static const char *two_memcached(int port, int other)
{
    return apr_psprintf(w->pool,
                        "OCSPXShare memcache:127.0.0.1:%d,127.0.0.1:%d\n", port,
                        other);
}

/* --- one of several ------------------------------------------------------ */

START_TEST(one_that_was_never_there)
{
    int nobody = procs_free_port();
    tools_t *store = tools_memcached_start(0, w->pool);
    const char *lines =
        apr_pstrcat(w->pool, two_memcached(nobody, tools_port(store)),
                    NO_SEEDER "OCSPXStateDir none\n", NULL);
    httpd_t *second;

    make_sites();
    answer(86400);
    start(with_all_sites(w->httpd, lines));
    wait_served(w->httpd);
    ck_assert_uint_eq(responder_requests(w->responder, NULL), SITES);
    second = another_with_all(lines);
    start(second);
    wait_served(second);
    /* Only what was looked up before the first failure is asked for again. */
    ck_assert_int_ge(hits(second), SITES - PER_HOST);
    ck_assert_int_eq(metric(second, "ocspx_share_up"), 0);
    ck_assert_int_eq(httpd_log_count(second, down(nobody)), 1);
}
END_TEST

static const int ends[] = {SIGSTOP, SIGKILL};

static client_load_t *start_load(const httpd_t *h)
{
    client_load_spec_t spec = {
        .names = names,
        .names_count = SITES,
        .threads = 1,
        .pause_ms = 30,
        .client = {.port = httpd_port(h), .ca_file = w->root_file}};

    return client_load_start(&spec, w->pool);
}

static void finish_load(client_load_t *load)
{
    client_load_result_t seen;

    client_load_finish(&seen, load);
    ck_assert_uint_gt(seen.handshakes, 50);
    ck_assert_msg(seen.good == seen.handshakes, "%s", seen.error);
}

/** Most of what is refreshed from now on is fetched by one of them alone. */
static void wait_sharing(httpd_t *const servers[2])
{
    int shared = hits(servers[0]) + hits(servers[1]);
    long began = procs_ms();

    while (hits(servers[0]) + hits(servers[1]) < shared + SITES / 2) {
        ck_assert_int_lt(procs_ms() - began, LIFETIME * 1000);
        procs_sleep(100);
    }
}

START_TEST(one_that_ends_takes_nothing_along)
{
    tools_t *dying = tools_memcached_start(0, w->pool);
    tools_t *other = tools_memcached_start(0, w->pool);
    int port = tools_port(dying);
    const char *lines = apr_pstrcat(
        w->pool, two_memcached(port, tools_port(other)), NO_SEEDER, NULL);
    httpd_t *servers[] = {w->httpd, NULL};
    client_load_t *loads[2];

    make_sites();
    answer(LIFETIME);
    servers[1] = another_with_all(lines);
    with_all_sites(w->httpd, lines);
    for (int i = 0; i < 2; i++) {
        start(servers[i]);
        wait_served(servers[i]);
        loads[i] = start_load(servers[i]);
    }
    tools_signal(dying, ends[_i]);
    for (int i = 0; i < 2; i++)
        assert_logged(servers[i], down(port), 20000);
    wait_sharing(servers);
    if (ends[_i] == SIGKILL) {
        tools_stop(dying);
        dying = tools_memcached_start(port, w->pool);
    } else {
        tools_signal(dying, SIGCONT);
    }
    for (int i = 0; i < 2; i++) {
        assert_logged(servers[i], UP, 60000);
        finish_load(loads[i]);
        ck_assert_int_eq(httpd_log_count(servers[i], down(port)), 1);
        ck_assert_int_eq(metric(servers[i], "ocspx_share_up"), 1);
    }
}
END_TEST

/* --- full ----------------------------------------------------------------- */

/** Memory for values of a kind of size is never taken from another's. */
static void fill(const tools_t *memcached)
{
    for (int size = 200; size < 1500; size += 50) {
        int n = 1500000 / size;
        char *text = apr_palloc(w->pool, (apr_size_t)(n * (size + 60)));
        char *at = text;
        apr_size_t len;

        for (int i = 0; i < n; i++)
            at += sprintf(at, "set f%d-%d 0 0 %d noreply\r\n%0*d\r\n", size, i,
                          size, size, 0);
        tools_say(&len, memcached, text, (apr_size_t)(at - text), w->pool);
    }
}

START_TEST(a_full_memcached_is_told_once)
{
    tools_t *store = tools_memcached_start(0, w->pool);
    pki_t *leaf = world_site(w, "a.test");

    fill(store);
    answer(LIFETIME);
    configure(w->httpd,
              apr_pstrcat(w->pool, share("memcache", store), NO_SEEDER, NULL));
    world_up(w);
    assert_logged(w->httpd, DOWN ".*put there", 10000);
    assert_refreshed(leaf, 2);
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX005"), 1);
    ck_assert_int_eq(puts_of(w->httpd), 0);
}
END_TEST

/* --- others in the same store --------------------------------------------- */

/* Even of the same name. */
START_TEST(fleets_do_not_see_each_other)
{
    tools_t *store = tools_redis_start(0, "0", w->pool);
    const char *lines =
        apr_pstrcat(w->pool, share("redis", store), NO_SEEDER, NULL);
    pki_t *certs[2];
    httpd_t *servers[4];

    for (int i = 0; i < 2; i++)
        certs[i] = world_leaf(w, &(pki_spec_t){.cn = "a.test"});
    answer(86400);
    for (int i = 0; i < 4; i++) {
        servers[i] = another(certs[i % 2], lines);
        start(servers[i]);
    }
    for (int i = 0; i < 4; i++) {
        long began = procs_ms();

        while (!is_good(servers[i]))
            ck_assert_int_lt(procs_ms() - began, 10000);
        ck_assert_int_eq(hits(servers[i]), i / 2);
        ck_assert_int_eq(bad(servers[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        ck_assert_uint_eq(responder_requests(w->responder, certs[i]), 1);
}
END_TEST

/* --- every MPM -------------------------------------------------------------
 */

static const char *const mpms[] = {"prefork", "worker"};

START_TEST(every_mpm_shares)
{
    tools_t *store = tools_redis_start(0, "0", w->pool);
    pki_t *leaf = world_site(w, "a.test");
    httpd_t *second;

    mpm = mpms[_i];
    answer(LIFETIME);
    configure(w->httpd, share("redis", store));
    world_up(w);
    second = another(leaf, share("redis", store));
    start(second);
    ck_assert(is_good(second));
    ck_assert_int_ge(hits(second), 1);
    assert_refreshed(leaf, 1);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    tools_signal(store, SIGSTOP);
    assert_refreshed(leaf, 2);
    assert_logged(w->httpd, DOWN ".* in time", 10000);
    for (int i = 0; i < 2; i++) {
        httpd_t *h = i ? second : w->httpd;

        ck_assert(is_good(h));
        ck_assert(httpd_stop(h));
        ck_assert_int_eq(httpd_log_count(h, "exit signal"), 0);
    }
}
END_TEST

static Suite *share_stores_suite(void)
{
    Suite *suite = suite_create("share_stores");
    TCase *tests = tcase_create("httpd");

    tcase_set_timeout(tests, 180);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, one_that_was_never_there);
    tcase_add_loop_test(tests, one_that_ends_takes_nothing_along, 0,
                        COUNT(ends));
    tcase_add_test(tests, a_full_memcached_is_told_once);
    tcase_add_test(tests, fleets_do_not_see_each_other);
    tcase_add_loop_test(tests, every_mpm_shares, 0, COUNT(mpms));
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(share_stores_suite());
}
