/* test_api: what other modules hear from mod_ocspx, by one that asks for all
 * there is.
 */
#include "api_scene.h"

static const char *const protocols[] = {"--http1.1", "--http2"};

/* --- the certificate of a connection ---------------------------------- */

/** As a client sees it that asks for a staple. */
static void assert_same_response(const char *line, const char *name)
{
    client_result_t result = world_handshake(w, name);
    unsigned char digest[32];

    ck_assert_msg(client_good(&result), "%s", result.error);
    SHA256(result.der, result.len, digest);
    ck_assert_str_eq(api_value(line, "response="),
                     apr_psprintf(w->pool, "%d:%s", (int)result.len,
                                  api_hex(digest, sizeof(digest))));
    ck_assert_int_eq(atoi(api_value(line, "this=")),
                     (int)apr_time_sec(result.this_update));
    ck_assert_int_eq(atoi(api_value(line, "next=")),
                     (int)apr_time_sec(result.next_update));
    ck_assert_str_eq(api_value(line, "safe="), api_value(line, "next="));
}

START_TEST(connection_knows_its_certificate)
{
    pki_t *a, *b;
    const char *text, *line;

    api_configure("");
    a = world_site(w, "a.test");
    b = world_site(w, "b.test");
    api_up();
    for (int i = 0; i < 2; i++) {
        text = api_get("b.test", protocols[_i], i ? "--cert-status" : NULL);
        ck_assert_str_eq(api_line(text, "protocol: "), _i ? "2" : "1.1");
        line = api_line(text, "connection:");
        api_assert_status(line, "b.test", "stapled", b);
        ck_assert_str_eq(api_value(line, "stapled="), "1");
        ck_assert_str_eq(api_value(line, "cause="), "-");
        ck_assert_str_eq(api_value(line, "message="), "-");
        ck_assert_str_eq(api_value(line, "failing="), "0");
        ck_assert_str_eq(api_line(text, "in its handshake: "), i ? "1" : "0");
        assert_same_response(line, "b.test");
        ck_assert_str_eq(api_line(text, "certificate 0:"), line);
        ck_assert_str_eq(api_line(text, "certificate 1:"), "");
    }
    line = api_line(api_get("a.test", protocols[_i], NULL), "connection:");
    api_assert_status(line, "a.test", "stapled", a);
    assert_same_response(line, "a.test");
}
END_TEST

START_TEST(server_with_two_certificates)
{
    pki_spec_t spec = {.cn = "a.test", .key = PKI_RSA};
    pki_t *rsa = world_leaf(w, &spec);
    pki_t *ec = world_leaf(w, &(pki_spec_t){.cn = "a.test"});
    const char *keys[2], *text, *line;
    const char *certs[2] = {
        httpd_cert(w->httpd, &keys[0], "rsa", rsa, w->issuer, NULL),
        httpd_cert(w->httpd, &keys[1], "ec", ec, w->issuer, NULL)};

    api_configure("SSLProtocol TLSv1.2");
    httpd_vhost(w->httpd,
                &(httpd_vhost_t){
                    .names = "a.test",
                    .cert = apr_pstrcat(w->pool, certs[0], " ", certs[1], NULL),
                    .key = apr_pstrcat(w->pool, keys[0], " ", keys[1], NULL)});
    responder_script(
        w->responder, rsa,
        &(responder_script_t){.status = V_OCSP_CERTSTATUS_REVOKED});
    api_up();
    text = api_get("a.test", "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256");
    line = api_line(text, "connection:");
    api_assert_status(line, "a.test", "revoked", rsa);
    ck_assert_str_eq(api_value(line, "stapled="), "1");
    ck_assert_str_eq(api_value(line, "cause="), "REVOKED");
    ck_assert_str_eq(api_line(text, "certificate 0:"), line);
    text = api_get("a.test", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256");
    line = api_line(text, "connection:");
    api_assert_status(line, "a.test", "stapled", ec);
    ck_assert_str_eq(api_line(text, "certificate 1:"), line);
    ck_assert_str_eq(api_line(text, "certificate 2:"), "");
}
END_TEST

/* --- states ------------------------------------------------------------ */

/** Asks for the status, with a client that asks for a staple. */
static const char *status_of(const char *name, const char *state,
                             const pki_t *leaf)
{
    const char *text = api_get(name, "--http1.1", NULL);
    const char *line = api_line(text, "connection:");

    api_assert_status(line, name, state, leaf);
    ck_assert_str_eq(api_line(text, "certificate 0:"), line);
    return line;
}

static void assert_nothing(const char *line, const char *cause)
{
    ck_assert_str_eq(api_value(line, "stapled="), "0");
    ck_assert_str_eq(api_value(line, "cause="), cause);
    ck_assert_str_eq(api_value(line, "safe="), "0");
    ck_assert_str_eq(api_value(line, "response="), "none");
}

START_TEST(certificates_that_are_not_stapled)
{
    pki_t *bare =
        world_leaf(w, &(pki_spec_t){.cn = "bare.test", .ocsp_urls = ""});
    pki_t *off = world_leaf(w, &(pki_spec_t){.cn = "off.test"});
    pki_t *withheld = world_leaf(w, &(pki_spec_t){.cn = "withheld.test"});
    pki_t *failing;
    const char *line;

    api_configure("OCSPXStartupWait 1");
    failing = world_site(w, "failing.test");
    world_vhost(w, "bare.test", bare, NULL);
    world_vhost(w, "off.test", off, "OCSPXUseStapling off");
    world_vhost(w, "withheld.test", withheld, "OCSPXRevoked withhold");
    responder_script(
        w->responder, withheld,
        &(responder_script_t){.status = V_OCSP_CERTSTATUS_REVOKED});
    responder_script(w->responder, failing,
                     &(responder_script_t){.answer = RESPONDER_TRY_LATER});
    api_up();
    line = status_of("bare.test", "not-applicable", bare);
    assert_nothing(line, "NO_URL");
    line = status_of("off.test", "not-applicable", off);
    assert_nothing(line, "-");
    ck_assert_ptr_nonnull(strstr(line, "message=stapling is switched off"));
    assert_nothing(status_of("withheld.test", "withheld", withheld), "REVOKED");
    ck_assert(httpd_log_wait(w->httpd, "failing.test: RESP_TRYLATER", 5000));
    line = status_of("failing.test", "failing", failing);
    assert_nothing(line, "RESP_TRYLATER");
    ck_assert_int_gt(atoi(api_value(line, "failing=")), 0);
    ck_assert_msg(strstr(line, "message=http"), "%s", line);
}
END_TEST

START_TEST(repaired_chain_is_stapled)
{
    pki_t *leaf = world_leaf(
        w, &(pki_spec_t){.cn = "a.test",
                         .ca_issuers = responder_url_of(w->responder, "/i")});
    unsigned char *der = NULL;
    int len = i2d_X509(w->issuer->cert, &der);
    const char *text;

    responder_document(
        w->responder, "/i",
        &(responder_script_t){.body = der, .body_len = (apr_size_t)len});
    OPENSSL_free(der);
    api_configure("OCSPXChainRepair on");
    world_chain_vhost(w, "a.test", leaf, NULL, NULL);
    api_up();
    ck_assert(httpd_log_wait(w->httpd, "OCSPX0022: a.test", 10000));
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    world_wait_good(w, "a.test", 10000);
    text = api_get("a.test", "--http1.1", "--cert-status");
    api_assert_status(api_line(text, "connection:"), "a.test", "stapled", leaf);
    ck_assert_str_eq(api_line(text, "in its handshake: "), "1");
}
END_TEST

/* --- callers ----------------------------------------------------------- */

START_TEST(older_and_newer_callers)
{
    const char *text;

    api_configure("");
    world_site(w, "a.test");
    api_up();
    text = api_get("a.test", NULL, NULL);
    ck_assert_str_eq(api_line(text, "newer: "),
                     "1 size kept untouched 16 of 64");
    ck_assert_str_eq(api_line(text, "too old: "), "0 name untouched");
}
END_TEST

START_TEST(response_by_fingerprint)
{
    const char *id, *line;
    pki_t *leaf;
    char *wrong;

    api_configure("");
    leaf = world_site(w, "a.test");
    api_up();
    id = api_fingerprint(leaf);
    line = api_line(api_get_path("a.test", apr_pstrcat(w->pool, "/?", id, NULL),
                                 NULL, NULL),
                    "asked:");
    assert_same_response(api_line(api_get("a.test", NULL, NULL), "connection:"),
                         "a.test");
    ck_assert_int_gt(atoi(api_value(line, "response=")), 0);
    wrong = apr_pstrdup(w->pool, id);
    wrong[63] = wrong[63] == '0' ? '1' : '0';
    for (int i = 0; i < 5; i++) {
        const char *ids[] = {wrong, apr_pstrcat(w->pool, id, "00", NULL),
                             apr_pstrmemdup(w->pool, id, 62), "z",
                             apr_pstrcat(w->pool, "x", id + 1, NULL)};

        line = api_line(api_get_path("a.test",
                                     apr_pstrcat(w->pool, "/?", ids[i], NULL),
                                     NULL, NULL),
                        "asked:");
        ck_assert_str_eq(line, " response=none");
    }
}
END_TEST

START_TEST(without_tls_there_is_no_certificate)
{
    const char *argv[] = {"curl",
                          "--silent",
                          "--noproxy",
                          "*",
                          apr_psprintf(w->pool, "http://127.0.0.1:%d/",
                                       httpd_plain_port(w->httpd)),
                          NULL};
    procs_result_t result;

    api_configure("");
    world_site(w, "a.test");
    api_up();
    procs_run(&result, argv, NULL, 10000, w->pool);
    ck_assert_str_eq(api_line(result.output, "connection:"), "");
    ck_assert_str_eq(api_line(result.output, "certificate 0:"), "");
    ck_assert_str_eq(api_line(result.output, "in its handshake: "), "0");
}
END_TEST

START_TEST(without_mod_ocspx)
{
    httpd_configure(w->httpd,
                    &(httpd_config_t){.early = api_example(),
                                      .without_ocspx = 1,
                                      .global = "SetHandler ocspx-example\n"});
    world_site(w, "a.test");
    api_up();
    ck_assert_str_eq(api_line(api_get("a.test", NULL, NULL), "without "),
                     "mod_ocspx");
}
END_TEST

START_TEST(reload_changes_what_is_told)
{
    const char *text;
    pki_t *b;

    api_configure("");
    world_site(w, "a.test");
    api_up();
    api_get("a.test", NULL, NULL);
    responder_stop(w->responder);
    b = world_leaf(w, &(pki_spec_t){.cn = "b.test"});
    responder_start(w->responder);
    world_vhost(w, "b.test", b, NULL);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    world_wait_good(w, "b.test", 10000);
    text = api_get("b.test", "--http2", NULL);
    api_assert_status(api_line(text, "connection:"), "b.test", "stapled", b);
    assert_same_response(api_line(text, "certificate 0:"), "b.test");
    httpd_configure(w->httpd,
                    &(httpd_config_t){.early = api_example(),
                                      .without_ocspx = 1,
                                      .global = "SetHandler ocspx-example\n"});
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    ck_assert_str_eq(api_line(api_get("b.test", NULL, NULL), "without "),
                     "mod_ocspx");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("api");
    TCase *tests = tcase_create("api");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, api_setup, api_teardown);
    tcase_add_loop_test(tests, connection_knows_its_certificate, 0, 2);
    tcase_add_test(tests, server_with_two_certificates);
    tcase_add_test(tests, certificates_that_are_not_stapled);
    tcase_add_test(tests, repaired_chain_is_stapled);
    tcase_add_test(tests, older_and_newer_callers);
    tcase_add_test(tests, response_by_fingerprint);
    tcase_add_test(tests, without_tls_there_is_no_certificate);
    tcase_add_test(tests, without_mod_ocspx);
    tcase_add_test(tests, reload_changes_what_is_told);
    suite_add_tcase(suite, tests);
    return ocspx_check_main(suite);
}
