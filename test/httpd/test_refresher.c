/* test_refresher: whoever dies, every handshake carries a valid response and
 * no responder is asked more than needed; and what is revoked stays revoked.
 */
#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/world.h"

#include <apr_strings.h>
#include <signal.h>
#include <stdio.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

static const char *const names[] = {"a.test", "b.test", "c.test", "d.test"};

static world_t *w;

static void setup(void)
{
    w = world_make();
}

static void teardown(void)
{
    world_destroy(w);
}

static void add_sites(pki_t **leaves, world_t *to)
{
    for (int i = 0; i < COUNT(names); i++)
        leaves[i] = world_site(to, names[i]);
}

static void script_lifetime(const world_t *of, const pki_t *leaf, int seconds)
{
    responder_script(
        of->responder, leaf,
        &(responder_script_t){.lifetime = apr_time_from_sec(seconds)});
}

/* --- the refreshing child is killed ------------------------------------ */

#define REFRESHER "OCSPX0121"

static const char *const mpms[] = {"event", "prefork"};

/** Kill the child that refreshes; wait for another one to do it. */
static void kill_refresher(void)
{
    pid_t killed = httpd_log_pid(w->httpd, REFRESHER);

    ck_assert_int_gt(killed, 0);
    httpd_log_mark(w->httpd);
    ck_assert_int_eq(kill(killed, SIGKILL), 0);
    ck_assert(httpd_log_wait(w->httpd, REFRESHER, 5000));
    ck_assert_int_ne(httpd_log_pid(w->httpd, REFRESHER), killed);
}

/** The shortest time between two requests for @a leaf, in milliseconds. */
static int shortest_pause(const pki_t *leaf)
{
    const pki_t *about[64];
    apr_time_t times[64];
    apr_time_t last = 0;
    int shortest = 1000000;
    int n = responder_times(times, about, 64, w->responder);

    for (int i = 0; i < n; i++) {
        int pause = (int)apr_time_as_msec(times[i] - last);

        if (about[i] == leaf) {
            shortest = last != 0 && pause < shortest ? pause : shortest;
            last = times[i];
        }
    }
    return shortest;
}

/* Refreshes come after 45 to 50 % of a response's life, less the part of a
 * second that thisUpdate does not tell. */
#define PAUSE_MS(seconds) ((seconds)*450 - 1000)

/* So many seconds live responses for the first certificate, the others' a
 * month. */
#define LIFETIME 6

START_TEST(another_child_takes_over)
{
    pki_t *leaves[COUNT(names)];

    add_sites(leaves, w);
    httpd_configure(w->httpd, &(httpd_config_t){.mpm = mpms[_i]});
    script_lifetime(w, NULL, 30 * 86400);
    script_lifetime(w, leaves[0], LIFETIME);
    responder_start(w->responder);
    world_up(w);
    ck_assert(responder_wait(w->responder, leaves[0], 2, 10000));
    responder_reset(w->responder);
    for (unsigned round = 1; round <= 2; round++) {
        /* Not while it asks: that would have to be asked again. */
        ck_assert(responder_wait(w->responder, leaves[0], round, 10000));
        procs_sleep(300);
        kill_refresher();
        for (int i = 0; i < COUNT(names); i++)
            world_assert_good(w, names[i]);
    }
    ck_assert(responder_wait(w->responder, leaves[0], 4, 10000));
    ck_assert_uint_eq(responder_requests(w->responder, leaves[0]),
                      responder_requests(w->responder, NULL));
    ck_assert_int_ge(shortest_pause(leaves[0]), PAUSE_MS(LIFETIME));
    world_assert_good(w, names[0]);
}
END_TEST

/* --- responses that live ten seconds ----------------------------------- */

static const struct {
    const char *mpm;
    int connections; /* MaxConnectionsPerChild; 0: any number */
    int seconds;
} loads[] = {{"event", 0, 60}, {"event", 50, 15}, {"prefork", 50, 15}};

typedef struct {
    world_t *world;
    pki_t *leaves[COUNT(names)];
    client_load_t *load;
    long begin;
} crowd_t;

static void start_crowd(crowd_t *crowd, int i)
{
    world_t *of = world_make();
    client_load_spec_t spec = {.names = names,
                               .names_count = COUNT(names),
                               .threads = 4,
                               .pause_ms = 20,
                               .seconds = loads[i].seconds};

    crowd->world = of;
    httpd_configure(of->httpd, &(httpd_config_t){
                                   .mpm = loads[i].mpm,
                                   .global = apr_psprintf(
                                       of->pool, "MaxConnectionsPerChild %d\n",
                                       loads[i].connections)});
    add_sites(crowd->leaves, of);
    script_lifetime(of, NULL, 10);
    responder_start(of->responder);
    world_up(of);
    responder_reset(of->responder);
    crowd->begin = procs_ms();
    spec.client = world_client(of, NULL);
    spec.client.timeout_ms = 10000;
    crowd->load = client_load_start(&spec, of->pool);
}

/* One more than fit, and one that a refresher died over. */
static void assert_few_requests(const crowd_t *crowd)
{
    int ms = (int)(procs_ms() - crowd->begin);

    printf("  requests per certificate and validity:");
    for (int i = 0; i < COUNT(names); i++) {
        int requests =
            (int)responder_requests(crowd->world->responder, crowd->leaves[i]);

        printf(" %.2f", requests * 10000.0 / ms);
        ck_assert_int_le(requests, ms / PAUSE_MS(10) + 2);
    }
    printf("\n");
}

static void finish_crowd(crowd_t *crowd, int i)
{
    client_load_result_t seen;

    client_load_finish(&seen, crowd->load);
    printf("%s, MaxConnectionsPerChild %d: %d s, %u handshakes: %u good, %u "
           "failed, %u without staple, %u invalid; p99 %.0f ms, longest %.0f "
           "ms; %d refreshers\n",
           loads[i].mpm, loads[i].connections, loads[i].seconds,
           seen.handshakes, seen.good, seen.failures, seen.missing,
           seen.invalid, seen.p99_ms, seen.max_ms,
           httpd_log_count(crowd->world->httpd, REFRESHER));
    assert_few_requests(crowd);
    ck_assert_uint_gt(seen.handshakes, 100);
    ck_assert_msg(seen.good == seen.handshakes, "%s", seen.error);
    world_destroy(crowd->world);
}

START_TEST(ten_seconds_of_validity_are_enough)
{
    crowd_t crowds[COUNT(loads)];

    for (int i = 0; i < COUNT(loads); i++)
        start_crowd(&crowds[i], i);
    for (int i = COUNT(loads) - 1; i >= 0; i--)
        finish_crowd(&crowds[i], i);
}
END_TEST

/* --- revoked ----------------------------------------------------------- */

typedef int wanted_fn(const client_result_t *result);

static int is_revoked(const client_result_t *result)
{
    return result->ok && result->verified &&
           result->status == V_OCSP_CERTSTATUS_REVOKED;
}

static int is_bare(const client_result_t *result)
{
    return result->ok && !result->stapled;
}

static const struct {
    const char *name;
    const char *extra;
    wanted_fn *wanted; /* once it is revoked */
} sites[] = {{"staple.test", NULL, is_revoked},
             {"withhold.test", "OCSPXRevoked withhold", is_bare}};

/** A good response of each site that lives for a day. */
static void begin_good(pki_t **leaves, client_result_t *good)
{
    for (int i = 0; i < COUNT(sites); i++) {
        leaves[i] = world_leaf(w, &(pki_spec_t){.cn = sites[i].name});
        world_vhost(w, sites[i].name, leaves[i], sites[i].extra);
    }
    world_global(w, "SSLStaplingStandardCacheTimeout 2\nOCSPXRetry 1 2\n");
    responder_start(w->responder);
    world_up(w);
    for (int i = 0; i < COUNT(sites); i++) {
        good[i] = world_handshake(w, sites[i].name);
        ck_assert_msg(client_good(&good[i]), "%s", good[i].error);
    }
}

static void assert_wanted(void)
{
    for (int i = 0; i < COUNT(sites); i++) {
        client_result_t result = world_handshake(w, sites[i].name);

        ck_assert_msg(sites[i].wanted(&result), "%s: status %d, %s",
                      sites[i].name, result.status, result.error);
    }
}

/** Within one refresh, which comes every two seconds. */
static void wait_until_revoked(void)
{
    long deadline = procs_ms() + 4000;

    responder_script(
        w->responder, NULL,
        &(responder_script_t){.status = V_OCSP_CERTSTATUS_REVOKED});
    for (int i = 0; i < COUNT(sites); i++) {
        client_result_t result = world_handshake(w, sites[i].name);

        while (!sites[i].wanted(&result) && procs_ms() < deadline) {
            procs_sleep(50);
            result = world_handshake(w, sites[i].name);
        }
    }
    assert_wanted();
}

/** The responder gives again what it gave before; nothing changes. */
static void assert_replay_refused(void)
{
    for (int i = 0; i < COUNT(sites); i++) {
        const char *refused =
            apr_psprintf(w->pool, "%s: STALE: .*older", sites[i].name);

        ck_assert_msg(httpd_log_wait(w->httpd, refused, 10000), "%s", refused);
    }
    assert_wanted();
}

START_TEST(revoked_stays_revoked)
{
    client_result_t good[COUNT(sites)];
    pki_t *leaves[COUNT(sites)];

    begin_good(leaves, good);
    wait_until_revoked();
    for (int i = 0; i < COUNT(sites); i++) {
        responder_script(w->responder, leaves[i],
                         &(responder_script_t){.answer = RESPONDER_REPLAY,
                                               .body = good[i].der,
                                               .body_len = good[i].len});
    }
    assert_replay_refused();
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    assert_wanted();
    httpd_log_mark(w->httpd);
    assert_replay_refused();
    ck_assert(httpd_stop(w->httpd));
    httpd_log_mark(w->httpd);
    world_up(w);
    assert_wanted();
    assert_replay_refused();
}
END_TEST

static Suite *refresher_suite(void)
{
    Suite *suite = suite_create("refresher");
    TCase *tests = tcase_create("httpd");

    tcase_set_timeout(tests, 180);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, another_child_takes_over, 0, COUNT(mpms));
    tcase_add_test(tests, ten_seconds_of_validity_are_enough);
    tcase_add_test(tests, revoked_stays_revoked);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(refresher_suite());
}
