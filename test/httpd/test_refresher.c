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
    for (int i = 0; i < COUNT(names); i++) {
        leaves[i] = world_site(to, names[i]);
    }
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
    ck_assert(httpd_log_wait(w->httpd, REFRESHER, 10000));
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

/* Responses for the first certificate live 6 s, those for the others a month.
 * Refreshes of the former come after 45 to 50 % of it, less the part of a
 * second that thisUpdate does not tell. */
#define LIFETIME 6
#define PAUSE_MS (LIFETIME * 450 - 1000)

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
        for (int i = 0; i < COUNT(names); i++) {
            world_assert_good(w, names[i]);
        }
    }
    ck_assert(responder_wait(w->responder, leaves[0], 4, 10000));
    ck_assert_uint_eq(responder_requests(w->responder, leaves[0]),
                      responder_requests(w->responder, NULL));
    ck_assert_int_ge(shortest_pause(leaves[0]), PAUSE_MS);
    world_assert_good(w, names[0]);
}
END_TEST

/* --- responses that live ten seconds ----------------------------------- */

static const struct {
    const char *mpm;
    const char *global;
    int seconds;
} loads[] = {{"event", "", 60},
             {"event", "MaxConnectionsPerChild 50\n", 15},
             {"prefork", "MaxConnectionsPerChild 50\n", 15}};

typedef struct {
    world_t *world;
    pki_t *leaves[COUNT(names)];
    client_load_t *load;
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
    httpd_configure(of->httpd, &(httpd_config_t){.mpm = loads[i].mpm,
                                                 .global = loads[i].global});
    add_sites(crowd->leaves, of);
    script_lifetime(of, NULL, 10);
    responder_start(of->responder);
    world_up(of);
    responder_reset(of->responder);
    spec.client = world_client(of, NULL);
    spec.client.timeout_ms = 10000;
    crowd->load = client_load_start(&spec, of->pool);
}

/** Requests per certificate and validity of ten seconds; prints them. */
static double most_requests(const crowd_t *crowd, int seconds)
{
    double most = 0;

    printf("  requests per validity:");
    for (int i = 0; i < COUNT(names); i++) {
        double requests =
            responder_requests(crowd->world->responder, crowd->leaves[i]);

        printf(" %.2f", requests * 10 / seconds);
        most = requests > most ? requests : most;
    }
    printf("\n");
    return most * 10 / seconds;
}

static void finish_crowd(crowd_t *crowd, int i)
{
    client_load_result_t seen;
    int refreshers;
    double requests;

    client_load_finish(&seen, crowd->load);
    refreshers = httpd_log_count(crowd->world->httpd, REFRESHER);
    printf("%s %s: %d s, %u handshakes, %u good, %u failed, %u without staple, "
           "%u invalid; p99 %.0f ms, longest %.0f ms; %d refreshers\n",
           loads[i].mpm, loads[i].global, loads[i].seconds, seen.handshakes,
           seen.good, seen.failures, seen.missing, seen.invalid, seen.p99_ms,
           seen.max_ms, refreshers);
    requests = most_requests(crowd, loads[i].seconds);
    ck_assert_uint_gt(seen.handshakes, 100);
    ck_assert_msg(seen.good == seen.handshakes, "%s", seen.error);
    ck_assert_double_le(requests, 3);
    world_destroy(crowd->world);
}

START_TEST(ten_seconds_of_validity_are_enough)
{
    crowd_t crowds[COUNT(loads)];

    for (int i = 0; i < COUNT(loads); i++) {
        start_crowd(&crowds[i], i);
    }
    for (int i = COUNT(loads) - 1; i >= 0; i--) {
        finish_crowd(&crowds[i], i);
    }
}
END_TEST

/* --- revoked ----------------------------------------------------------- */

/* The good one would live for a day, but is looked after all two seconds. */
#define EAGER "SSLStaplingStandardCacheTimeout 2\nOCSPXRetry 1 2\n"

#define STALE "STALE: .*older than the one already obtained"

static void begin_eagerly(const char *lines)
{
    world_global(w, lines);
    world_site(w, "a.test");
    responder_start(w->responder);
    world_up(w);
}

static void script_revoked(void)
{
    responder_script(
        w->responder, NULL,
        &(responder_script_t){.status = V_OCSP_CERTSTATUS_REVOKED});
}

/** The responder gives again what it gave before. */
static void replay(const client_result_t *old)
{
    responder_script(w->responder, NULL,
                     &(responder_script_t){.answer = RESPONDER_REPLAY,
                                           .body = old->der,
                                           .body_len = old->len});
}

static int is_revoked(const client_result_t *result)
{
    return result->ok && result->verified &&
           result->status == V_OCSP_CERTSTATUS_REVOKED;
}

static int is_bare(const client_result_t *result)
{
    return result->ok && !result->stapled;
}

typedef int wanted_fn(const client_result_t *result);

static void assert_seen(wanted_fn *wanted)
{
    client_result_t result = world_handshake(w, "a.test");

    ck_assert_msg(wanted(&result), "status %d, %s", result.status,
                  result.error);
}

/** Within one refresh. */
static void wait_until_seen(wanted_fn *wanted)
{
    long deadline = procs_ms() + 4000;
    client_result_t result;

    do {
        procs_sleep(50);
        result = world_handshake(w, "a.test");
    } while (!wanted(&result) && procs_ms() < deadline);
    assert_seen(wanted);
}

static void assert_replay_refused(wanted_fn *wanted)
{
    httpd_log_mark(w->httpd);
    responder_reset(w->responder);
    ck_assert(responder_wait(w->responder, NULL, 2, 10000));
    ck_assert(httpd_log_wait(w->httpd, STALE, 5000));
    assert_seen(wanted);
}

static const struct {
    const char *lines;
    wanted_fn *wanted;
} revocations[] = {{EAGER, is_revoked},
                   {EAGER "OCSPXRevoked staple\n", is_revoked},
                   {EAGER "OCSPXRevoked withhold\n", is_bare}};

START_TEST(revoked_stays_revoked)
{
    wanted_fn *wanted = revocations[_i].wanted;
    client_result_t good;

    begin_eagerly(revocations[_i].lines);
    good = world_handshake(w, "a.test");
    ck_assert_msg(client_good(&good), "%s", good.error);
    script_revoked();
    wait_until_seen(wanted);
    replay(&good);
    assert_replay_refused(wanted);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    assert_seen(wanted);
    assert_replay_refused(wanted);
    ck_assert(httpd_stop(w->httpd));
    world_up(w);
    assert_seen(wanted);
    assert_replay_refused(wanted);
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
    tcase_add_loop_test(tests, revoked_stays_revoked, 0, COUNT(revocations));
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(refresher_suite());
}
