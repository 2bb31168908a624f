/* test_startup: the first handshakes after a cold start, with a responder
 * that answers and with one that does not.
 */
#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/tools.h"
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

static const char *const mpms[] = {"event", "worker", "prefork"};

typedef int other_client_fn(const char **output, const client_spec_t *spec,
                            apr_pool_t *p);

/* --- a responder that answers ------------------------------------------ */

/** Who makes the very first handshake with the virtual host of this name. */
static const struct {
    const char *name;
    client_tls_e tls;
    other_client_fn *client; /* NULL: our own */
} first_clients[] = {
    {"tls12.test", CLIENT_TLS12, NULL},
    {"tls13.test", CLIENT_TLS13, NULL},
    {"openssl.test", CLIENT_TLS_ANY, client_openssl},
    {"curl.test", CLIENT_TLS_ANY, client_curl},
    {"gnutls.test", CLIENT_TLS_ANY, client_gnutls},
};

enum { FIRST_CLIENTS = sizeof(first_clients) / sizeof(*first_clients) };

static void accepted_by_own_client(client_spec_t spec, client_tls_e tls)
{
    client_result_t result;

    spec.tls = tls;
    client_handshake(&result, &spec, w->pool);
    ck_assert_msg(client_good(&result), "%s: status %d, %s", spec.name,
                  result.status, result.error);
}

static void first_handshakes_are_accepted(void)
{
    for (int i = 0; i < FIRST_CLIENTS; i++) {
        client_spec_t spec = world_client(w, first_clients[i].name);
        const char *output;

        if (first_clients[i].client == NULL) {
            accepted_by_own_client(spec, first_clients[i].tls);
            continue;
        }
        ck_assert_msg(first_clients[i].client(&output, &spec, w->pool),
                      "%s:\n%.3000s", spec.name, output);
    }
}

START_TEST(first_handshake_is_stapled)
{
    httpd_configure(w->httpd, &(httpd_config_t){.mpm = mpms[_i]});
    for (int i = 0; i < FIRST_CLIENTS; i++)
        world_site(w, first_clients[i].name);
    responder_script(w->responder, NULL, &(responder_script_t){.delay_ms = 50});
    responder_start(w->responder);
    world_up(w);
    first_handshakes_are_accepted();
    ck_assert_uint_eq(responder_requests(w->responder, NULL), FIRST_CLIENTS);
}
END_TEST

START_TEST(first_handshake_is_stapled_from_real_responder)
{
    tools_ocsp_entry_t entries[FIRST_CLIENTS] = {0};
    int port = procs_free_port();
    pki_spec_t spec = {.ocsp_urls =
                           apr_psprintf(w->pool, "http://127.0.0.1:%d/", port)};

    for (int i = 0; i < FIRST_CLIENTS; i++) {
        pki_t *leaf;

        spec.cn = first_clients[i].name;
        leaf = world_leaf(w, &spec);
        world_vhost(w, spec.cn, leaf, NULL);
        entries[i].leaf = leaf;
    }
    tools_ocsp_start(port, w->issuer, w->issuer, entries, FIRST_CLIENTS, 60,
                     w->pool);
    world_up(w);
    first_handshakes_are_accepted();
}
END_TEST

/* --- a responder that does not ----------------------------------------- */

static const struct {
    const char *name;
    responder_answer_e answer;
    int waits; /* it takes the whole of OCSPXStartupWait to find out */
} outages[] = {{"hang", RESPONDER_HANG, 1},
               {"refuse", RESPONDER_REFUSE, 0},
               {"black hole", RESPONDER_BLACK_HOLE, 1}};

/** Enough of them for a median that a busy machine does not move. */
#define SAMPLES 31

static int by_size(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;

    return (*x > *y) - (*x < *y);
}

static double median(double *samples)
{
    qsort(samples, SAMPLES, sizeof(*samples), by_size);
    return samples[SAMPLES / 2];
}

/** Unstapled handshakes take no longer than those that want no staple. */
static void handshakes_are_bare_and_at_once(const char *name)
{
    client_spec_t spec = world_client(w, name);
    double wanting[SAMPLES];
    double content[SAMPLES];

    for (int i = 0; i < SAMPLES; i++) {
        client_result_t result;

        spec.no_status_request = 0;
        client_handshake(&result, &spec, w->pool);
        ck_assert_msg(result.ok && !result.stapled, "%s", result.error);
        wanting[i] = result.ms;
        spec.no_status_request = 1;
        client_handshake(&result, &spec, w->pool);
        ck_assert_msg(result.ok, "%s", result.error);
        content[i] = result.ms;
    }
    printf("%s: handshake %.1f ms, without status_request %.1f ms\n", name,
           median(wanting), median(content));
    ck_assert(median(wanting) <= 1.5 * median(content) + 5);
    ck_assert(wanting[SAMPLES - 1] < 1000); /* the longest: it is sorted */
}

/** Cold start; @return milliseconds until httpd answers. */
static int start_with_wait(int seconds)
{
    httpd_stop(w->httpd);
    world_global(w, apr_psprintf(w->pool, "OCSPXStartupWait %d\n", seconds));
    return world_up(w);
}

START_TEST(start_without_responder_is_bounded)
{
    const int wait = 2000; /* less than it takes to give up a connect */
    const int margin = 1000;
    int at_once;
    int waited;

    world_site(w, "a.test");
    world_site(w, "b.test");
    responder_script(w->responder, NULL,
                     &(responder_script_t){.answer = outages[_i].answer});
    responder_start(w->responder);
    at_once = start_with_wait(0);
    handshakes_are_bare_and_at_once("a.test");
    waited = start_with_wait(wait / 1000);
    printf("%s: up after %d ms, with OCSPXStartupWait %d after %d ms\n",
           outages[_i].name, at_once, wait / 1000, waited);
    ck_assert_int_lt(at_once, wait);
    ck_assert_int_le(waited, at_once + wait + margin);
    ck_assert_int_eq(waited >= wait, outages[_i].waits);
    handshakes_are_bare_and_at_once("b.test");
}
END_TEST

START_TEST(twenty_clients_do_not_wait)
{
    static const char *const names[] = {"a.test"};
    client_load_spec_t load = {.names = names,
                               .names_count = 1,
                               .threads = 20,
                               .seconds = 1,
                               .pause_ms = 200};
    client_load_result_t result;

    world_site(w, "a.test");
    world_global(w, "OCSPXStartupWait 0\n");
    responder_script(w->responder, NULL,
                     &(responder_script_t){.delay_ms = 2000});
    responder_start(w->responder);
    world_up(w);
    load.client = world_client(w, NULL);
    client_load_finish(&result, client_load_start(&load, w->pool));
    printf("twenty clients: %u handshakes, %u without, longest %.0f ms\n",
           result.handshakes, result.missing, result.max_ms);
    ck_assert_msg(!result.failures && !result.invalid, "%s", result.error);
    ck_assert_uint_ge(result.missing, 20);
    ck_assert(result.max_ms < 1000);
    world_wait_good(w, "a.test", 10000);
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 1);
}
END_TEST

static Suite *startup_suite(void)
{
    Suite *suite = suite_create("startup");
    TCase *tests = tcase_create("startup");

    tcase_set_timeout(tests, 90);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, first_handshake_is_stapled, 0, 3);
    tcase_add_test(tests, first_handshake_is_stapled_from_real_responder);
    tcase_add_loop_test(tests, start_without_responder_is_bounded, 0, 3);
    tcase_add_test(tests, twenty_clients_do_not_wait);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(startup_suite());
}
