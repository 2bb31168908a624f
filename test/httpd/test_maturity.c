/* test_maturity: clients whose clock is slow, and the response that waits until
 * they take it for valid.
 */
#include "status_scene.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* --- a client that is four minutes slow ------------------------------- */

/* New responses are SLOW - 3 seconds old, and come every second; the patient
 * site holds them until SLOW + 2. */
#define SLOW 240
#define PATIENT "OCSPXMaturity 242\nSSLStaplingStandardCacheTimeout 1\n"
#define HASTY "OCSPXMaturity 0\nSSLStaplingStandardCacheTimeout 1\n"

static const char *const sites[] = {"patient.test", "hasty.test"};

/* What that client, which is this program once more, has seen of a site. */
typedef struct {
    int good, early, other;
    int staples; /* different ones */
} seen_t;

static void look(seen_t *seen, apr_time_t *last, const client_spec_t *spec,
                 apr_pool_t *p)
{
    client_result_t result;

    client_handshake(&result, spec, p);
    seen->staples += result.this_update != *last;
    *last = result.this_update;
    if (client_good(&result))
        seen->good++;
    else if (strstr(result.error, "thisUpdate lies in the future"))
        seen->early++;
    else
        seen->other++;
}

/* Until the first site has sent four staples, or the time is up. */
static int be_the_client(int port, const char *ca_file)
{
    apr_time_t last[2] = {0, 0};
    seen_t seen[2] = {{0}};
    apr_pool_t *pool;

    for (int i = 0; seen[0].staples < 4 && i < 400; i++) {
        apr_pool_create(&pool, NULL);
        for (int s = 0; s < 2; s++)
            look(&seen[s], &last[s],
                 &(client_spec_t){
                     .name = sites[s], .port = port, .ca_file = ca_file},
                 pool);
        apr_pool_destroy(pool);
        procs_sleep(100);
    }
    for (int s = 0; s < 2; s++)
        printf("%d %d %d %d\n", seen[s].good, seen[s].early, seen[s].other,
               seen[s].staples);
    return 0;
}

static void run_the_client(seen_t seen[2])
{
    const char *argv[] = {
        "faketime",       "-f",         apr_psprintf(w->pool, "-%ds", SLOW),
        "/proc/self/exe", "the client", apr_itoa(w->pool, httpd_port(w->httpd)),
        w->root_file,     NULL};
    char self[256] = "";
    procs_result_t result;

    ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
    argv[3] = self;
    procs_run(&result, argv, NULL, 90000, w->pool);
    ck_assert_msg(sscanf(result.output, "%d %d %d %d\n%d %d %d %d",
                         &seen[0].good, &seen[0].early, &seen[0].other,
                         &seen[0].staples, &seen[1].good, &seen[1].early,
                         &seen[1].other, &seen[1].staples) == 8,
                  "%s", result.output);
}

static void script_age(int seconds)
{
    responder_script(w->responder, NULL,
                     &(responder_script_t){.age = apr_time_from_sec(seconds)});
}

START_TEST(a_client_that_is_slow_sees_none_that_is_not_yet_valid)
{
    seen_t seen[2];

    world_vhost(w, sites[0], world_leaf(w, &(pki_spec_t){.cn = sites[0]}),
                PATIENT);
    world_vhost(w, sites[1], world_leaf(w, &(pki_spec_t){.cn = sites[1]}),
                HASTY);
    script_age(1000);
    up();
    script_age(SLOW - 3);
    run_the_client(seen);
    ck_assert_int_eq(seen[0].staples, 4);
    ck_assert_int_eq(seen[0].early + seen[0].other, 0);
    ck_assert_int_gt(seen[0].good, 4);
    ck_assert_int_eq(seen[1].other, 0);
    ck_assert_int_gt(seen[1].early, 4); /* else the client is not slow */
}
END_TEST

/* --- a response that waits for minutes -------------------------------- */

/* Serves one that is old, and holds one that is new. */
static const pki_t *start_holding(void)
{
    pki_t *leaf = world_leaf(w, &(pki_spec_t){.cn = "a.test"});

    world_vhost(w, "a.test", leaf,
                "OCSPXMaturity 300\nSSLStaplingStandardCacheTimeout 2\n");
    script_age(1000);
    up();
    script_age(0);
    ck_assert(
        httpd_log_wait(w->httpd, "a.test: .* newest response from", 9000));
    return leaf;
}

static apr_time_t staples(void)
{
    client_result_t result = world_handshake(w, "a.test");

    ck_assert(client_good(&result));
    return result.this_update;
}

/* The value of a member of the first certificate's row. */
static const char *told(const char *key)
{
    const char *at = strstr(page("?format=json"), "\"certificates\"");
    const char *member = apr_psprintf(w->pool, "\"%s\":\"", key);

    at = at ? strstr(at, member) : NULL;
    if (!at)
        return NULL;
    at += strlen(member);
    return apr_pstrndup(w->pool, at, strcspn(at, "\""));
}

START_TEST(every_output_tells_of_it)
{
    const pki_t *leaf = start_holding();
    const char *until = told("heldUntil"), *output;
    const char *argv[] = {getenv("OCSPX_CLI"),
                          "status",
                          "--cert",
                          id_of(leaf),
                          apr_psprintf(w->pool,
                                       "http://127.0.0.1:%d/ocspx-status",
                                       httpd_plain_port(w->httpd)),
                          NULL};
    procs_result_t result;

    ck_assert_ptr_nonnull(until);
    assert_has(page(cert_page(leaf, "")), "Newer one held until");
    assert_has(page(cert_page(leaf, "")), until);
    assert_has(page("?format=openmetrics"),
               "\nocspx_response_held_until_timestamp_seconds{certificate="
               "\"a.test\"");
    procs_run(&result, argv, NULL, 20000, w->pool);
    output = apr_pstrcat(w->pool, "\nNewer one held until  ", until, NULL);
    assert_has(result.output, output);
}
END_TEST

#define REFRESHER "OCSPX0121"

static void kill_refresher(void)
{
    pid_t pid = httpd_log_pid(w->httpd, REFRESHER);

    ck_assert_int_gt(pid, 0);
    httpd_log_mark(w->httpd);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert(httpd_log_wait(w->httpd, REFRESHER, 9000));
}

START_TEST(it_outlives_its_refresher_and_a_reload)
{
    const char *until;
    apr_time_t old;

    start_holding();
    until = told("heldUntil");
    old = staples();
    ck_assert_ptr_nonnull(until);
    kill_refresher();
    ck_assert_ptr_nonnull(told("heldUntil"));
    ck_assert_str_eq(told("heldUntil"), until);
    ck_assert_int_eq(staples(), old);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    ck_assert_ptr_nonnull(told("heldUntil"));
    ck_assert_str_eq(told("heldUntil"), until);
    ck_assert_int_eq(staples(), old);

    ck_assert_int_eq(httpd_stop(w->httpd), 1);
    responder_stop(w->responder);
    world_up(w);
    ck_assert_int_gt(staples(), old + apr_time_from_sec(900));
    ck_assert_ptr_null(told("heldUntil"));
}
END_TEST

START_TEST(revoked_does_not_wait)
{
    client_result_t result;

    start_holding();
    responder_script(
        w->responder, NULL,
        &(responder_script_t){.status = V_OCSP_CERTSTATUS_REVOKED});
    ck_assert(httpd_log_wait(w->httpd, "OCSPX0012: a.test", 9000));
    for (int i = 0; i < 50; i++) {
        result = world_handshake(w, "a.test");
        if (result.status == V_OCSP_CERTSTATUS_REVOKED)
            break;
        procs_sleep(100);
    }
    ck_assert_int_eq(result.status, V_OCSP_CERTSTATUS_REVOKED);
    ck_assert_ptr_null(told("heldUntil"));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("maturity");
    TCase *tc = tcase_create("maturity");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_client_that_is_slow_sees_none_that_is_not_yet_valid);
    tcase_add_test(tc, every_output_tells_of_it);
    tcase_add_test(tc, it_outlives_its_refresher_and_a_reload);
    tcase_add_test(tc, revoked_does_not_wait);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "the client") == 0) {
        apr_initialize();
        return be_the_client(atoi(argv[2]), argv[3]);
    }
    return ocspx_check_main(make_suite());
}
