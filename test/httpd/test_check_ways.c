/* test_check_ways: `ocspx check' on its way to servers and to responders. The
 * servers are all `openssl s_server' and send a good staple.
 */
#include "../unit/check_scene.h"

static tools_site_t site;
static tools_t *server;

static void set_site(const pki_spec_t *spec)
{
    site = (tools_site_t){.leaf = make_leaf(spec), .chain = {issuer}};
    add_staple(&site, site.leaf, V_OCSP_CERTSTATUS_GOOD, 12 * HOUR);
}

/** Start server and responder. @return the server's port */
static int start(void)
{
    responder_start(responder);
    server = tools_s_server_start(&site, pool);
    return tools_port(server);
}

/* --- responders ------------------------------------------------------ */

static json_t *ask_with(const responder_script_t *script, const char *wanted)
{
    set_site(&(pki_spec_t){0});
    responder_script(responder, NULL, script);
    return assert_found(check_at(start()), wanted);
}

START_TEST(revoked_since_the_staple)
{
    json_t *host =
        ask_with(&(responder_script_t){.status = V_OCSP_CERTSTATUS_REVOKED},
                 "critical: error REVOKED");

    assert_says(message_of(host, "REVOKED"), "but the staple still says good");
    json_decref(host);
}
END_TEST

START_TEST(unknown_to_the_responder)
{
    json_decref(
        ask_with(&(responder_script_t){.status = V_OCSP_CERTSTATUS_UNKNOWN},
                 "critical: error UNKNOWN"));
}
END_TEST

START_TEST(responder_out_of_reach)
{
    json_t *host = ask_with(&(responder_script_t){.answer = RESPONDER_REFUSE},
                            "warning: warning CONNECT_REFUSED");
    const json_t *part = json_object_get(cert_of(host, 0), "responder");

    assert_says(message_of(host, "CONNECT_REFUSED"), "asked from here: ");
    ck_assert(json_is_false(json_object_get(part, "answered")));
    ck_assert_str_eq(text_of(part, "cause"), "CONNECT_REFUSED");
    ck_assert(json_is_null(json_object_get(part, "clockDifference")));
    json_decref(host);
}
END_TEST

START_TEST(responder_that_hangs)
{
    long begin;

    set_site(&(pki_spec_t){0});
    responder_script(responder, NULL,
                     &(responder_script_t){.answer = RESPONDER_HANG});
    begin = procs_ms();
    json_decref(
        assert_found(apr_pstrcat(pool, check_at(start()), "--timeout 1", NULL),
                     "warning: warning RESP_TIMEOUT"));
    ck_assert_int_lt(procs_ms() - begin, 5000);
}
END_TEST

static const struct {
    int seconds; /* the responder's clock is ahead */
    int age;     /* and the answer has been in a cache for so long */
    const char *found, *message;
} clocks[] = {
    {0, 0, "ok:", ""},
    {290, 0, "ok:", ""},
    {-290, 0, "ok:", ""},
    {600, 0, "warning: warning SERVER_CLOCK", "behind that of http://"},
    {-600, 0, "warning: warning SERVER_CLOCK", "ahead of that of http://"},
    {-600, 600, "ok:", ""},
};

START_TEST(clocks_are_compared)
{
    char *date = apr_palloc(pool, APR_RFC822_DATE_LEN);
    responder_script_t script = {0};
    apr_int64_t difference;
    json_t *host;

    apr_rfc822_date(date,
                    apr_time_now() + apr_time_from_sec(clocks[_i].seconds));
    script.headers =
        apr_psprintf(pool, "Date: %s\r\nAge: %d\r\n", date, clocks[_i].age);
    host = ask_with(&script, clocks[_i].found);
    assert_says(message_of(host, "SERVER_CLOCK"), clocks[_i].message);
    difference = json_integer_value(json_object_get(
        json_object_get(cert_of(host, 0), "responder"), "clockDifference"));
    ck_assert_int_le(llabs(difference - clocks[_i].seconds - clocks[_i].age),
                     5);
    json_decref(host);
}
END_TEST

START_TEST(clock_is_blamed_once)
{
    char *date = apr_palloc(pool, APR_RFC822_DATE_LEN);
    responder_script_t script = {.answer = RESPONDER_FUTURE};

    apr_rfc822_date(date, apr_time_now() + HOUR);
    script.headers = apr_psprintf(pool, "Date: %s\r\n", date);
    json_decref(ask_with(&script, "warning: warning SERVER_CLOCK"));
}
END_TEST

START_TEST(unusable_url_is_told)
{
    set_site(&(pki_spec_t){.ocsp_urls = "ldap://a.test/"});
    json_decref(assert_found(check_at(start()), "warning: warning BAD_URL"));
}
END_TEST

/* --- other ways ------------------------------------------------------ */

START_TEST(client_certificates_are_not_needed)
{
    json_t *host;

    set_site(&(pki_spec_t){0});
    site.demands_certs = 1;
    host = assert_found(check_at(start()), "ok:");
    ck_assert_str_eq(handshakes_of(host),
                     "done, not offered, done, not offered");
    json_decref(host);
}
END_TEST

START_TEST(address_instead_of_name)
{
    json_t *host;
    int port;

    set_site(&(pki_spec_t){.names = "IP:::1"});
    site.host = "::1";
    port = start();
    host = assert_found(
        apr_psprintf(pool, "check [::1]:%d --trust root.pem", port), "ok:");
    ck_assert_str_eq(text_of(host, "connected"),
                     apr_psprintf(pool, "[::1]:%d", port));
    json_decref(host);
    json_decref(assert_found(
        apr_psprintf(pool, "check ::1 --connect [::1]:%d --trust root.pem",
                     port),
        "ok:"));
    json_decref(assert_found(
        apr_psprintf(pool, "check ::2 --connect [::1]:%d --trust root.pem",
                     port),
        "critical: error CHAIN_NAME"));
}
END_TEST

/* --- names ----------------------------------------------------------- */

/** Where names are as in other_names.c. */
static const char *check_names(int status, const char *arguments)
{
    return run_shell(status,
                     apr_pstrcat(pool, "LD_PRELOAD=$OCSPX_OTHER_NAMES $OCSPX ",
                                 arguments, NULL));
}

static const char *check_two(int timeout)
{
    set_site(&(pki_spec_t){.names = "DNS:two.test"});
    return apr_psprintf(pool, "check two.test:%d --trust root.pem --timeout %d",
                        start(), timeout);
}

START_TEST(every_address_is_tried)
{
    assert_says(check_names(0, check_two(10)), "  connected   127.0.0.1:");
    tools_stop(server);
    assert_says(
        check_names(
            2, apr_psprintf(pool, "check two.test:%d", tools_port(server))),
        apr_psprintf(pool,
                     ": CONNECT_REFUSED: no connection to 127.0.0.2:%d: "
                     "Connection refused; 127.0.0.1:%d: Connection refused\n",
                     tools_port(server), tools_port(server)));
}
END_TEST

/* The first address swallows its share of the time, once. */
START_TEST(each_address_has_its_share_of_the_time)
{
    const char *command = check_two(4);
    responder_t *wall = responder_make("127.0.0.2", tools_port(server), pool);
    long begin;

    responder_script(wall, NULL,
                     &(responder_script_t){.answer = RESPONDER_BLACK_HOLE});
    responder_start(wall);
    begin = procs_ms();
    assert_says(check_names(0, command), "  connected   127.0.0.1:");
    ck_assert_int_ge(procs_ms() - begin, 2000);
    ck_assert_int_lt(procs_ms() - begin, 7000);
}
END_TEST

START_TEST(resolver_that_hangs_is_left_behind)
{
    long begin = procs_ms();

    assert_says(check_names(3, "check slow.test --timeout 1"),
                "UNKNOWN - slow.test: DNS: the name slow.test was not resolved "
                "within 1 s\n");
    ck_assert_int_ge(procs_ms() - begin, 1000);
    ck_assert_int_lt(procs_ms() - begin, 5000);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

static Suite *check_suite(void)
{
    Suite *suite = suite_create("check ways");
    TCase *tests = tcase_create("ways");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, check_scene_make, strike_the_scene);
    tcase_add_test(tests, revoked_since_the_staple);
    tcase_add_test(tests, unknown_to_the_responder);
    tcase_add_test(tests, responder_out_of_reach);
    tcase_add_test(tests, responder_that_hangs);
    tcase_add_loop_test(tests, clocks_are_compared, 0, COUNT(clocks));
    tcase_add_test(tests, clock_is_blamed_once);
    tcase_add_test(tests, unusable_url_is_told);
    tcase_add_test(tests, client_certificates_are_not_needed);
    tcase_add_test(tests, address_instead_of_name);
    tcase_add_test(tests, every_address_is_tried);
    tcase_add_test(tests, each_address_has_its_share_of_the_time);
    tcase_add_test(tests, resolver_that_hangs_is_left_behind);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(check_suite());
}
