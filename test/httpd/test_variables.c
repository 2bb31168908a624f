/* test_variables: what OCSPXEnvVars puts into the environment of requests, as
 * the access log and expressions see it.
 */
#include "api_scene.h"

/** What the log says of stapled "true", say, until the end of the response. */
static const char *stapled_until(const char *status, const char *stapled)
{
    client_result_t result = world_handshake(w, "a.test");
    apr_time_exp_t e;

    ck_assert_msg(client_good(&result), "%s", result.error);
    apr_time_exp_gmt(&e, result.next_update);
    return apr_psprintf(w->pool,
                        "a.test %s %s stapled %04d-%02d-%02dT%02d:%02d:%02dZ\n",
                        status, stapled, e.tm_year + 1900, e.tm_mon + 1,
                        e.tm_mday, e.tm_hour, e.tm_min, e.tm_sec);
}

static void begin(const char *lines)
{
    api_configure(lines);
    world_site(w, "a.test");
    api_up();
}

static void assert_logged(const char *line)
{
    api_await("access.log", line, 1);
}

START_TEST(logged_if_asked_for)
{
    begin("OCSPXEnvVars on");
    api_get("a.test", _i ? "--http2" : "--http1.1", "--cert-status");
    assert_logged(stapled_until("200", "true"));
    api_get("a.test", _i ? "--http2" : "--http1.1", NULL);
    assert_logged(stapled_until("200", "false"));
}
END_TEST

START_TEST(nothing_is_set_if_not_asked_for)
{
    begin(_i ? "OCSPXEnvVars off" : "");
    api_get("a.test", NULL, NULL);
    assert_logged("a.test 200 - - -\n");
}
END_TEST

START_TEST(virtual_host_decides)
{
    pki_t *bare =
        world_leaf(w, &(pki_spec_t){.cn = "bare.test", .ocsp_urls = ""});

    api_configure("OCSPXEnvVars on");
    world_vhost(w, "off.test", world_leaf(w, &(pki_spec_t){.cn = "off.test"}),
                "OCSPXEnvVars off");
    world_vhost(w, "bare.test", bare, NULL);
    api_up();
    api_get("off.test", NULL, NULL);
    assert_logged("off.test 200 - - -\n");
    api_get("bare.test", NULL, NULL);
    assert_logged("bare.test 200 false not-applicable -\n");
}
END_TEST

/* --- errors ------------------------------------------------------------ */

/** Sends this by TLS; whatever comes back. */
static const char *talk(const char *input, const char *option,
                        const char *value)
{
    const char *argv[] = {
        "openssl",
        "s_client",
        "-quiet",
        "-connect",
        apr_psprintf(w->pool, "127.0.0.1:%d", httpd_port(w->httpd)),
        "-servername",
        "a.test",
        option,
        value,
        NULL};
    procs_result_t result;

    procs_run(&result, argv, input, 10000, w->pool);
    return result.output;
}

START_TEST(errors_have_them)
{
    begin("OCSPXEnvVars on\n<Location /none>\nSetHandler none\n</Location>\n"
          "<Location /no>\nRequire all denied\n</Location>");
    api_get_path("a.test", "/none", NULL, NULL);
    assert_logged(stapled_until("404", "false"));
    api_get_path("a.test", "/no", NULL, NULL);
    assert_logged(stapled_until("403", "false"));
    talk("nonsense\r\n\r\n", NULL, NULL);
    assert_logged(stapled_until("400", "false"));
}
END_TEST

/* mod_ssl frees its SSL before it answers such a client. */
START_TEST(http_to_the_port_of_https)
{
    const char *argv[] = {
        "curl",
        "--silent",
        "--noproxy",
        "*",
        apr_psprintf(w->pool, "http://127.0.0.1:%d/", httpd_port(w->httpd)),
        NULL};
    procs_result_t result;

    begin("OCSPXEnvVars on");
    procs_run(&result, argv, NULL, 10000, w->pool);
    ck_assert_ptr_nonnull(strstr(result.output, "400 Bad Request"));
    assert_logged("a.test 400 - - -\n");
    ck_assert_int_eq(httpd_log_count(w->httpd, "exit signal"), 0);
}
END_TEST

START_TEST(resumed_sessions_have_no_staple)
{
    const char *session = httpd_path(w->httpd, "session.pem");

    begin("OCSPXEnvVars on");
    talk("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n", "-sess_out", session);
    assert_logged(stapled_until("200", "false"));
    ck_assert_str_eq(api_line(talk("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n",
                                   "-sess_in", session),
                              "in its handshake: "),
                     "0");
    assert_logged(stapled_until("200", "-"));
}
END_TEST

/* --- expressions ------------------------------------------------------- */

START_TEST(expressions_see_them)
{
    begin("OCSPXEnvVars on\n<If \"reqenv('OCSPX_STATE') == 'stapled' && "
          "!-T reqenv('OCSPX_STAPLED')\">\nRequire all denied\n</If>");
    api_get("a.test", NULL, NULL);
    assert_logged(stapled_until("403", "false"));
    api_get("a.test", "--cert-status", NULL);
    assert_logged(stapled_until("200", "true"));
}
END_TEST

START_TEST(internal_redirect_has_its_own)
{
    begin("OCSPXEnvVars on\nErrorDocument 403 /error\n"
          "<Location /no>\nRequire all denied\n</Location>");
    ck_assert_ptr_nonnull(strstr(api_get_path("a.test", "/no", NULL, NULL),
                                 "connection: a.test"));
    assert_logged(stapled_until("403", "false"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("variables");
    TCase *tests = tcase_create("variables");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, api_setup, api_teardown);
    tcase_add_loop_test(tests, logged_if_asked_for, 0, 2);
    tcase_add_loop_test(tests, nothing_is_set_if_not_asked_for, 0, 2);
    tcase_add_test(tests, virtual_host_decides);
    tcase_add_test(tests, errors_have_them);
    tcase_add_test(tests, http_to_the_port_of_https);
    tcase_add_test(tests, resumed_sessions_have_no_staple);
    tcase_add_test(tests, expressions_see_them);
    tcase_add_test(tests, internal_redirect_has_its_own);
    suite_add_tcase(suite, tests);
    return ocspx_check_main(suite);
}
