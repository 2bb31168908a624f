/* test_files: responses that something else brings: OCSPXResponseFile, and
 * `ocspx fetch' before a certificate is taken into use.
 */
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/world.h"

#define HOUR apr_time_from_sec(3600)
#define WAIT_MS 20000

/* A file is looked at once a minute, or as often as this says. */
#define LOOK_OFTEN "SSLStaplingStandardCacheTimeout 1\n"

static world_t *w;
static pki_t *leaf;
static const char *file;

static void set_up(void)
{
    w = world_make();
    file = httpd_path(w->httpd, "response.der");
    leaf = world_leaf(w, &(pki_spec_t){.cn = "a.test"});
    world_vhost(w, "a.test", leaf,
                apr_pstrcat(w->pool, LOOK_OFTEN "OCSPXResponseFile ", file,
                            "\n", NULL));
    world_global(w, "OCSPXRetry 1 2\n");
    responder_start(w->responder);
}

static void tear_down(void)
{
    world_destroy(w);
}

/** As whoever keeps it fresh should: in one step. */
static void replace_file(const void *data, apr_size_t len)
{
    const char *temp = apr_pstrcat(w->pool, file, ".new", NULL);

    pki_write_file(temp, data, len);
    ck_assert_int_eq(rename(temp, file), 0);
}

static void write_response(apr_interval_time_t age, const pki_t *signer)
{
    apr_time_t made = apr_time_now() - age;
    pki_single_t single = {.cert = leaf->cert,
                           .issuer = w->issuer->cert,
                           .this_update = made - made % APR_USEC_PER_SEC,
                           .next_update = made + 24 * HOUR};
    pki_response_t response = {
        .singles = &single, .count = 1, .signer = signer};
    apr_size_t len;
    const unsigned char *der = pki_response(&len, &response, w->pool);

    replace_file(der, len);
}

static void await_cause(const char *cause)
{
    const char *regex =
        apr_pstrcat(w->pool, "OCSPX0010: a\\.test: ", cause, ": ", NULL);

    if (!httpd_log_wait(w->httpd, regex, WAIT_MS)) {
        httpd_log_dump(w->httpd);
        ck_abort_msg("not logged: %s", regex);
    }
}

/** How old the good staple is. */
static apr_interval_time_t staple_age(void)
{
    world_assert_good(w, "a.test");
    return apr_time_now() - world_handshake(w, "a.test").this_update;
}

static void await_staple_younger_than(apr_interval_time_t age)
{
    long deadline = procs_ms() + WAIT_MS;

    while (staple_age() > age) {
        ck_assert_msg(procs_ms() < deadline, "the new file is not stapled");
        procs_sleep(50);
    }
}

static void assert_nobody_asked(void)
{
    responder_counts_t counts;

    responder_counts(&counts, w->responder);
    ck_assert_uint_eq(counts.connections, 0);
}

START_TEST(file_is_stapled_and_looked_at_again)
{
    write_response(3 * HOUR, w->issuer);
    world_up(w);
    ck_assert(staple_age() > 2 * HOUR);
    write_response(HOUR, w->issuer);
    await_staple_younger_than(2 * HOUR);
    assert_nobody_asked();
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX0010"), 0);
}
END_TEST

START_TEST(bad_file_is_named_and_the_old_response_kept)
{
    const pki_t *stranger =
        pki_make(&(pki_spec_t){.cn = "Stranger", .ca = 1}, NULL, w->pool);

    write_response(3 * HOUR, w->issuer);
    world_up(w);
    replace_file("junk", 4);
    await_cause("RESP_NOT_OCSP");
    ck_assert(staple_age() > 2 * HOUR);
    write_response(HOUR, stranger);
    await_cause("SIGNER_UNKNOWN");
    ck_assert(staple_age() > 2 * HOUR);
    write_response(4 * HOUR, w->issuer); /* older than what is stapled */
    await_cause("STALE");
    ck_assert(staple_age() < 4 * HOUR);
    ck_assert_int_eq(unlink(file), 0);
    await_cause("FILE_UNREADABLE");
    ck_assert(staple_age() < 4 * HOUR);
    write_response(HOUR, w->issuer);
    await_staple_younger_than(2 * HOUR);
    assert_nobody_asked();
}
END_TEST

START_TEST(missing_file_is_named_and_waited_for)
{
    world_up(w);
    await_cause("FILE_UNREADABLE");
    world_assert_bare(w, "a.test");
    write_response(HOUR, w->issuer);
    world_wait_good(w, "a.test", WAIT_MS);
    assert_nobody_asked();
}
END_TEST

/* A new certificate has its staple before the reload that brings it in, and
 * nobody needs to be asked then. */
START_TEST(response_fetched_by_hand_is_stapled)
{
    const char *own = getenv("OCSPX_CLI");
    const char *state = httpd_path(w->httpd, "state");
    const char *argv[] = {own != NULL ? own : OCSPX_CLI_PATH,
                          "fetch",
                          "--cert",
                          httpd_path(w->httpd, "new.test.pem"),
                          "--state-dir",
                          state,
                          NULL};
    procs_result_t result;

    write_response(HOUR, w->issuer);
    world_up(w); /* makes the directory */
    responder_stop(w->responder);
    w->responder = world_responder(w);
    world_site(w, "new.test");
    responder_start(w->responder);
    procs_run(&result, argv, NULL, WAIT_MS, w->pool);
    ck_assert_msg(result.status == 0, "%s", result.output);
    responder_stop(w->responder);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    world_assert_good(w, "new.test");
    world_assert_good(w, "a.test");
}
END_TEST

static Suite *files_suite(void)
{
    Suite *suite = suite_create("files");
    TCase *tests = tcase_create("files");

    tcase_set_timeout(tests, 180);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, file_is_stapled_and_looked_at_again);
    tcase_add_test(tests, bad_file_is_named_and_the_old_response_kept);
    tcase_add_test(tests, missing_file_is_named_and_waited_for);
    tcase_add_test(tests, response_fetched_by_hand_is_stapled);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(files_suite());
}
