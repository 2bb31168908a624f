/* test_check: `ocspx check' against real servers, good ones and broken ones:
 * nginx and `openssl s_server', which staple what they are given.
 */
#include "../unit/check_scene.h"

typedef tools_t *start_fn(const tools_site_t *site, apr_pool_t *p);

/* Each test of a site runs once with each of these. */
static const struct {
    const char *name;
    start_fn *start;
} servers[] = {
    {"nginx", tools_nginx_start},
    {"s_server", tools_s_server_start},
};

#define SERVERS 2

static int server;
static tools_site_t site;

/** Start the server with the site, and the responder. */
static const char *serve(void)
{
    responder_start(responder);
    return check_at(tools_port(servers[server].start(&site, pool)));
}

static void set_site(const pki_spec_t *spec)
{
    site = (tools_site_t){.leaf = make_leaf(spec), .chain = {issuer}};
}

static void staple(void)
{
    add_staple(&site, site.leaf, V_OCSP_CERTSTATUS_GOOD, 12 * HOUR);
}

/** Serve, check, compare; the caller has no use for more. */
static void assert_site(const char *wanted)
{
    json_decref(assert_found(serve(), wanted));
}

/* --- good sites ------------------------------------------------------ */

START_TEST(good)
{
    const json_t *cert, *part;
    json_t *host;

    server = _i;
    set_site(&(pki_spec_t){0});
    staple();
    host = assert_found(serve(), "ok:");
    ck_assert_str_eq(handshakes_of(host),
                     "done, not offered, done, not offered");
    ck_assert_uint_eq(json_array_size(json_object_get(host, "certificates")),
                      1);
    cert = cert_of(host, 0);
    ck_assert_str_eq(text_of(cert, "key"), "ECDSA 256");
    ck_assert_str_eq(text_of(cert, "subject"), "CN=a.test");
    ck_assert(json_is_true(json_object_get(cert, "complete")));
    part = json_object_get(cert, "staple");
    ck_assert_str_eq(text_of(part, "verdict"), "good");
    ck_assert_str_eq(text_of(part, "signer"), "CN=Middle");
    part = json_object_get(cert, "responder");
    ck_assert_str_eq(text_of(part, "verdict"), "good");
    ck_assert_str_eq(text_of(part, "url"), responder_url(responder));
    ck_assert_uint_eq(responder_requests(responder, NULL), 1);
    json_decref(host);
}
END_TEST

START_TEST(rsa_by_tls_1_2_alone)
{
    json_t *host;

    server = _i;
    set_site(&(pki_spec_t){.key = PKI_RSA});
    site.tls12_only = 1;
    staple();
    host = assert_found(serve(), "ok:");
    ck_assert_str_eq(handshakes_of(host),
                     "not offered, not offered, not offered, done");
    ck_assert_str_eq(text_of(cert_of(host, 0), "key"), "RSA 2048");
    json_decref(host);
}
END_TEST

START_TEST(must_staple_that_is_honoured)
{
    json_t *host;

    server = _i;
    set_site(&(pki_spec_t){.must_staple = 1});
    staple();
    host = assert_found(serve(), "ok:");
    ck_assert(json_is_true(json_object_get(cert_of(host, 0), "mustStaple")));
    json_decref(host);
}
END_TEST

/* The responder comes from somewhere else than the certificate. */
START_TEST(must_staple_that_names_no_responder)
{
    server = _i;
    set_site(&(pki_spec_t){.must_staple = 1, .ocsp_urls = ""});
    staple();
    assert_site("ok:");
}
END_TEST

START_TEST(nothing_to_staple)
{
    json_t *host;

    server = _i;
    set_site(&(pki_spec_t){.ocsp_urls = ""});
    host = assert_found(serve(), "ok:");
    ck_assert(json_is_null(json_object_get(cert_of(host, 0), "staple")));
    ck_assert(json_is_null(json_object_get(cert_of(host, 0), "responder")));
    assert_says(text_of(host, "summary"), "nothing to staple");
    json_decref(host);
}
END_TEST

START_TEST(root_sent_and_not_trusted_here)
{
    const char *command;

    server = _i;
    set_site(&(pki_spec_t){0});
    staple();
    site.chain[1] = root;
    command = serve();
    json_decref(assert_found(command, "ok: info CHAIN_ROOT"));
    command = apr_pstrmemdup(
        pool, command, (apr_size_t)(strstr(command, "--trust") - command));
    json_decref(assert_found(command, "ok: info CHAIN_PRIVATE"));
}
END_TEST

/* --- broken chains --------------------------------------------------- */

START_TEST(leaf_alone)
{
    json_t *host;

    server = _i;
    set_site(&(pki_spec_t){0});
    staple();
    site.chain[0] = NULL;
    host = assert_found(serve(),
                        "critical: error CHAIN_MISSING, warning CHAIN_MISSING");
    ck_assert(json_is_false(json_object_get(cert_of(host, 0), "complete")));
    assert_says(text_of(host, "summary"), "CHAIN_MISSING: ");
    assert_says(text_of(host, "summary"), "CN=Middle");
    ck_assert_uint_eq(responder_requests(responder, NULL), 0);
    json_decref(host);
}
END_TEST

/* Whoever trusts the intermediate itself has all that is needed. */
START_TEST(issuer_that_is_trusted)
{
    const char *command;
    json_t *host;

    server = _i;
    set_site(&(pki_spec_t){0});
    staple();
    site.chain[0] = NULL;
    pki_write_certs("both.pem", root->cert, issuer->cert, NULL);
    command = apr_pstrcat(pool, serve(), "--trust both.pem", NULL);
    host = assert_found(command, "ok:");
    ck_assert_str_eq(
        text_of(json_object_get(cert_of(host, 0), "staple"), "verdict"),
        "good");
    json_decref(host);
}
END_TEST

START_TEST(wrong_order)
{
    server = _i;
    set_site(&(pki_spec_t){0});
    staple();
    site.chain[0] = root;
    site.chain[1] = issuer;
    assert_site("warning: warning CHAIN_ORDER, info CHAIN_ROOT");
}
END_TEST

START_TEST(expired)
{
    server = _i;
    set_site(&(pki_spec_t){.not_after = apr_time_now() - HOUR});
    staple();
    assert_site("critical: error CHAIN_EXPIRED");
}
END_TEST

START_TEST(wrong_name)
{
    json_t *host;

    server = _i;
    set_site(&(pki_spec_t){.names = "DNS:b.test"});
    staple();
    host = assert_found(serve(), "critical: error CHAIN_NAME");
    assert_says(message_of(host, "CHAIN_NAME"), "a.test");
    json_decref(host);
}
END_TEST

/* --- broken staples -------------------------------------------------- */

START_TEST(no_staple)
{
    json_t *host;

    server = _i;
    set_site(&(pki_spec_t){0});
    host = assert_found(serve(), "warning: warning STAPLE_MISSING");
    ck_assert(json_is_null(json_object_get(cert_of(host, 0), "staple")));
    assert_says(message_of(host, "STAPLE_MISSING"),
                "in TLS 1.3 with ECDSA, TLS 1.2 with ECDSA");
    json_decref(host);
}
END_TEST

/* Many certificates of today have names and no subject. */
START_TEST(certificate_without_subject)
{
    json_t *host;

    server = _i;
    set_site(&(pki_spec_t){.cn = ""});
    host = assert_found(serve(), "warning: warning STAPLE_MISSING");
    ck_assert_str_eq(text_of(cert_of(host, 0), "subject"), "a.test");
    json_decref(host);
}
END_TEST

START_TEST(must_staple_without)
{
    server = _i;
    set_site(&(pki_spec_t){.must_staple = 1});
    assert_site("critical: error STAPLE_MISSING");
}
END_TEST

START_TEST(must_staple_without_and_without_responder)
{
    server = _i;
    set_site(&(pki_spec_t){.must_staple = 1, .ocsp_urls = ""});
    assert_site("critical: error STAPLE_MISSING");
}
END_TEST

START_TEST(expired_staple)
{
    json_t *host;

    server = _i;
    set_site(&(pki_spec_t){0});
    add_staple(&site, site.leaf, V_OCSP_CERTSTATUS_GOOD, -HOUR);
    host = assert_found(serve(), "critical: error STALE");
    assert_says(message_of(host, "STALE"),
                "clients refuse the staple: expired: nextUpdate was");
    ck_assert_str_eq(
        text_of(json_object_get(cert_of(host, 0), "staple"), "verdict"),
        "reject");
    json_decref(host);
}
END_TEST

START_TEST(staple_of_another)
{
    server = _i;
    set_site(&(pki_spec_t){0});
    add_staple(&site, make_leaf(&(pki_spec_t){.cn = "b.test"}),
               V_OCSP_CERTSTATUS_GOOD, HOUR);
    assert_site("critical: error WRONG_CERT");
}
END_TEST

START_TEST(revoked_and_stapled_so)
{
    server = _i;
    set_site(&(pki_spec_t){0});
    add_staple(&site, site.leaf, V_OCSP_CERTSTATUS_REVOKED, HOUR);
    responder_script(responder, NULL,
                     &(responder_script_t){.answer = RESPONDER_TRY_LATER});
    assert_site("critical: error REVOKED, warning RESP_TRYLATER");
}
END_TEST

START_TEST(revoked_is_said_once)
{
    server = _i;
    set_site(&(pki_spec_t){0});
    add_staple(&site, site.leaf, V_OCSP_CERTSTATUS_REVOKED, HOUR);
    responder_script(
        responder, NULL,
        &(responder_script_t){.status = V_OCSP_CERTSTATUS_REVOKED});
    assert_site("critical: error REVOKED");
}
END_TEST

/* One staple for both certificates, which is all that these two can do. */
START_TEST(two_certificates_and_one_staple)
{
    json_t *host;

    server = _i;
    set_site(&(pki_spec_t){0});
    site.other = make_leaf(&(pki_spec_t){.key = PKI_RSA});
    staple();
    host = assert_found(serve(), "critical: error WRONG_CERT");
    ck_assert_str_eq(handshakes_of(host), "done, done, done, done");
    for (size_t i = 0; i < 2; i++) {
        const json_t *cert = cert_of(host, i);

        ck_assert_str_eq(text_of(cert, "key"),
                         i == 0 ? "ECDSA 256" : "RSA 2048");
        ck_assert_str_eq(text_of(json_object_get(cert, "staple"), "verdict"),
                         i == 0 ? "good" : "reject");
    }
    ck_assert_uint_eq(responder_requests(responder, site.leaf), 1);
    ck_assert_uint_eq(responder_requests(responder, site.other), 1);
    json_decref(host);
}
END_TEST

static Suite *check_suite(void)
{
    Suite *suite = suite_create("check");
    TCase *tests = tcase_create("servers");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, check_scene_make, strike_the_scene);
    tcase_add_loop_test(tests, good, 0, SERVERS);
    tcase_add_loop_test(tests, rsa_by_tls_1_2_alone, 0, SERVERS);
    tcase_add_loop_test(tests, must_staple_that_is_honoured, 0, SERVERS);
    tcase_add_loop_test(tests, must_staple_that_names_no_responder, 0, SERVERS);
    tcase_add_loop_test(tests, nothing_to_staple, 0, SERVERS);
    tcase_add_loop_test(tests, root_sent_and_not_trusted_here, 0, SERVERS);
    tcase_add_loop_test(tests, leaf_alone, 0, SERVERS);
    tcase_add_loop_test(tests, issuer_that_is_trusted, 0, SERVERS);
    tcase_add_loop_test(tests, wrong_order, 0, SERVERS);
    tcase_add_loop_test(tests, expired, 0, SERVERS);
    tcase_add_loop_test(tests, wrong_name, 0, SERVERS);
    tcase_add_loop_test(tests, no_staple, 0, SERVERS);
    tcase_add_loop_test(tests, certificate_without_subject, 0, SERVERS);
    tcase_add_loop_test(tests, must_staple_without, 0, SERVERS);
    tcase_add_loop_test(tests, must_staple_without_and_without_responder, 0,
                        SERVERS);
    tcase_add_loop_test(tests, expired_staple, 0, SERVERS);
    tcase_add_loop_test(tests, staple_of_another, 0, SERVERS);
    tcase_add_loop_test(tests, revoked_and_stapled_so, 0, SERVERS);
    tcase_add_loop_test(tests, revoked_is_said_once, 0, SERVERS);
    tcase_add_loop_test(tests, two_certificates_and_one_staple, 0, SERVERS);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(check_suite());
}
