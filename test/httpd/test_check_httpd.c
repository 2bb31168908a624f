/* test_check_httpd: `ocspx check' against a real httpd with the module: good
 * and broken virtual hosts, one at a time and several at once.
 */
#include "../unit/check_scene.h"

#include "../support/world.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static world_t *w;

static void set_up(void)
{
    check_scene_make();
    w = world_make();
    pki_write_certs("root.pem", w->root->cert, NULL);
}

static void tear_down(void)
{
    world_destroy(w);
    strike_the_scene();
}

/** "check NAME:PORT ... --connect 127.0.0.1 --trust root.pem" and a blank. */
static const char *checking(const char *names)
{
    const char *command = "check";
    char *state, *name = apr_strtok(apr_pstrdup(pool, names), " ", &state);

    for (; name != NULL; name = apr_strtok(NULL, " ", &state))
        command =
            apr_psprintf(pool, "%s %s:%d", command, name, httpd_port(w->httpd));
    return apr_pstrcat(pool, command, " --connect 127.0.0.1 --trust root.pem ",
                       NULL);
}

static void up(void)
{
    responder_start(w->responder);
    world_up(w);
}

/* --- one host -------------------------------------------------------- */

static const pki_t *both_site(const char *name)
{
    const pki_t *ec = world_leaf(w, &(pki_spec_t){.cn = name});
    const pki_t *rsa = world_leaf(w, &(pki_spec_t){.cn = name, .key = PKI_RSA});
    const char *key, *other_key;
    const char *cert = httpd_cert(w->httpd, &key, "ec", ec, w->issuer, NULL);
    const char *other =
        httpd_cert(w->httpd, &other_key, "rsa", rsa, w->issuer, NULL);

    httpd_vhost(
        w->httpd,
        &(httpd_vhost_t){.names = name,
                         .cert = apr_pstrcat(pool, cert, " ", other, NULL),
                         .key = apr_pstrcat(pool, key, " ", other_key, NULL)});
    return ec;
}

START_TEST(both_kinds_of_key)
{
    static const char *const keys[] = {"ECDSA 256", "RSA 2048"};
    json_t *host;

    both_site("a.test");
    up();
    host = assert_found(checking("a.test"), "ok:");
    ck_assert_str_eq(handshakes_of(host), "done, done, done, done");
    for (size_t i = 0; i < 2; i++) {
        ck_assert_str_eq(text_of(cert_of(host, i), "key"), keys[i]);
        ck_assert_str_eq(
            text_of(json_object_get(cert_of(host, i), "staple"), "verdict"),
            "good");
    }
    json_decref(host);
}
END_TEST

START_TEST(first_line_is_for_nagios)
{
    json_t *host;
    const char *line, *text;

    world_site(w, "a.test");
    up();
    host = assert_found(checking("a.test"), "ok:");
    line = apr_psprintf(
        pool, "OK - a.test:%d: chain complete, stapled until %s\n",
        httpd_port(w->httpd),
        text_of(json_object_get(cert_of(host, 0), "staple"), "nextUpdate"));
    json_decref(host);
    text = run(0, checking("a.test"));
    ck_assert_msg(strncmp(text, line, strlen(line)) == 0, "no %s in %s", line,
                  text);
    assert_says(text, "\n  TLS 1.3     ECDSA done, RSA not offered\n"
                      "  TLS 1.2     ECDSA done, RSA not offered\n");
    assert_says(text, "\n  ECDSA 256   CN=a.test, until ");
    assert_says(text, "\n  chain       complete\n  staple      good until ");
    assert_says(text, apr_pstrcat(pool, "\n  responder   ",
                                  responder_url(w->responder), ", ", NULL));
    ck_assert_ptr_null(strstr(text, "remedy"));
}
END_TEST

START_TEST(stapling_off)
{
    const char *text;

    world_vhost(w, "a.test", world_leaf(w, &(pki_spec_t){.cn = "a.test"}),
                "OCSPXUseStapling off\n");
    up();
    json_decref(
        assert_found(checking("a.test"), "warning: warning STAPLE_MISSING"));
    text = run(1, checking("a.test"));
    ck_assert_ptr_eq(strstr(text, "WARNING - a.test:"), text);
    assert_says(text,
                "\n  warning     STAPLE_MISSING\n  subject     CN=a.test\n"
                "  message     ");
    assert_says(text, "\n  remedy      ");
}
END_TEST

START_TEST(must_staple_while_the_responder_is_away)
{
    world_vhost(w, "a.test",
                world_leaf(w, &(pki_spec_t){.cn = "a.test", .must_staple = 1}),
                NULL);
    world_global(w, "OCSPXStartupWait 0\n");
    world_up(w);
    json_decref(assert_found(
        checking("a.test"),
        "critical: error STAPLE_MISSING, warning CONNECT_REFUSED"));
}
END_TEST

START_TEST(revoked_and_withheld)
{
    responder_script(
        w->responder, NULL,
        &(responder_script_t){.status = V_OCSP_CERTSTATUS_REVOKED});
    world_vhost(w, "a.test", world_leaf(w, &(pki_spec_t){.cn = "a.test"}),
                "OCSPXRevoked withhold\n");
    world_site(w, "b.test");
    up();
    json_decref(assert_found(
        checking("a.test"), "critical: error REVOKED, warning STAPLE_MISSING"));
    json_decref(assert_found(checking("b.test"), "critical: error REVOKED"));
}
END_TEST

START_TEST(newer_answer_than_the_staple)
{
    json_t *host;

    responder_script(w->responder, NULL, &(responder_script_t){.age = HOUR});
    world_site(w, "a.test");
    up();
    responder_script(w->responder, NULL,
                     &(responder_script_t){.age = HOUR / 2});
    host = assert_found(checking("a.test"), "ok:");
    ck_assert_str_ne(
        text_of(json_object_get(cert_of(host, 0), "staple"), "thisUpdate"),
        text_of(json_object_get(cert_of(host, 0), "responder"), "thisUpdate"));
    json_decref(host);
    assert_says(run(0, checking("a.test")), " s newer than the staple\n");
}
END_TEST

START_TEST(plain_port)
{
    json_t *host;

    world_site(w, "a.test");
    up();
    host = assert_found(check_at(httpd_plain_port(w->httpd)),
                        "critical: error HANDSHAKE_FAILED");
    assert_says(message_of(host, "HANDSHAKE_FAILED"), "speaks plain HTTP");
    json_decref(host);
}
END_TEST

/* --- several --------------------------------------------------------- */

static void four_sites(void)
{
    const char *key;
    const char *cert =
        httpd_cert(w->httpd, &key, "alone",
                   world_leaf(w, &(pki_spec_t){.cn = "alone.test"}), NULL);

    world_site(w, "good.test");
    httpd_vhost(w->httpd, &(httpd_vhost_t){
                              .names = "alone.test", .cert = cert, .key = key});
    world_vhost(w, "bare.test", world_leaf(w, &(pki_spec_t){.cn = "bare.test"}),
                "OCSPXUseStapling off\n");
    world_vhost(
        w, "none.test",
        world_leaf(w, &(pki_spec_t){.cn = "none.test", .ocsp_urls = ""}), NULL);
    up();
}

START_TEST(several_are_told_apart)
{
    static const char *const wanted[] = {"ok:", "critical: error CHAIN_MISSING",
                                         "warning: warning STAPLE_MISSING",
                                         "ok:"};
    static const char *const titles[] = {
        "\nOK - good.test", "\n\nCRITICAL - alone.test",
        "\n\nWARNING - bare.test", "\n\nOK - none.test"};
    const char *text, *at;
    json_t *hosts;

    four_sites();
    hosts = check_all(2, checking("good.test alone.test bare.test none.test"));
    for (size_t i = 0; i < 4; i++) {
        const char *found = found_at(json_array_get(hosts, i));

        ck_assert_msg(strncmp(found, wanted[i], strlen(wanted[i])) == 0,
                      "%s instead of %s", found, wanted[i]);
    }
    json_decref(hosts);
    text = run(2, checking("good.test alone.test bare.test none.test"));
    at = text = apr_pstrcat(pool, "\n", text, NULL);
    for (int i = 0; i < 4; i++) {
        at = strstr(at, titles[i]);
        ck_assert_msg(at != NULL, "no %s in %s", titles[i], text);
    }
}
END_TEST

static const struct {
    const char *names;
    int status;
} worsts[] = {
    {"good.test none.test", 0},
    {"good.test bare.test", 1},
    {"bare.test alone.test good.test", 2},
};

START_TEST(worst_host_counts)
{
    four_sites();
    for (size_t i = 0; i < COUNT(worsts); i++)
        json_decref(check_all(worsts[i].status, checking(worsts[i].names)));
}
END_TEST

/* A name that resolves beside one that does not. */
START_TEST(unknown_counts_more_than_a_warning)
{
    world_vhost(w, "localhost", world_leaf(w, &(pki_spec_t){.cn = "localhost"}),
                "OCSPXUseStapling off\n");
    up();
    json_decref(check_all(
        3, apr_psprintf(pool,
                        "check none.invalid localhost:%d --trust root.pem "
                        "--timeout 3",
                        httpd_port(w->httpd))));
    json_decref(
        check_all(1, apr_psprintf(pool, "check localhost:%d --trust root.pem",
                                  httpd_port(w->httpd))));
}
END_TEST

/* --- JSON ------------------------------------------------------------ */

typedef struct {
    const char *key;
    char type; /* s: string, n: string or null, i: integer, m: integer or null,
                  b: boolean, a: array, o: object */
} json_key_t;

static int has_type(const json_t *value, char type)
{
    switch (type) {
    case 's':
        return json_is_string(value);
    case 'n':
        return json_is_string(value) || json_is_null(value);
    case 'i':
        return json_is_integer(value);
    case 'm':
        return json_is_integer(value) || json_is_null(value);
    case 'b':
        return json_is_boolean(value);
    case 'a':
        return json_is_array(value);
    default:
        return json_is_object(value);
    }
}

/** These keys, and no other. */
static void assert_shape(const json_t *json, const json_key_t *keys,
                         size_t count)
{
    ck_assert_uint_eq(json_object_size(json), count);
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(
            has_type(json_object_get(json, keys[i].key), keys[i].type),
            "%s in %s", keys[i].key, json_dumps(json, 0));
}

#define VERDICT                                                                \
    {"verdict", 's'}, {"cause", 's'}, {"message", 's'}, {"remedy", 's'},       \
        {"status", 'n'}, {"thisUpdate", 'n'}, {"nextUpdate", 'n'},             \
        {"producedAt", 'n'},                                                   \
    {                                                                          \
        "signer", 'n'                                                          \
    }

static const json_key_t host_keys[] = {
    {"host", 's'},     {"port", 'i'},         {"connected", 'n'},
    {"status", 's'},   {"summary", 's'},      {"handshakes", 'a'},
    {"findings", 'a'}, {"certificates", 'a'},
};
static const json_key_t handshake_keys[] = {
    {"version", 's'}, {"key", 's'},     {"result", 's'},
    {"stapled", 'b'}, {"message", 'n'},
};
static const json_key_t cert_keys[] = {
    {"key", 's'},        {"subject", 's'},  {"notAfter", 'n'},
    {"mustStaple", 'b'}, {"complete", 'b'}, {"staple", 'o'},
    {"responder", 'o'},
};
static const json_key_t staple_keys[] = {VERDICT};
static const json_key_t responder_keys[] = {VERDICT,
                                            {"url", 's'},
                                            {"answered", 'b'},
                                            {"milliseconds", 'i'},
                                            {"clockDifference", 'm'}};
static const json_key_t finding_keys[] = {
    {"code", 's'},    {"severity", 's'}, {"subject", 's'},
    {"message", 's'}, {"remedy", 's'},
};

static void assert_host_shape(const json_t *host)
{
    const json_t *cert = cert_of(host, 0);
    json_t *one;
    size_t i;

    assert_shape(host, host_keys, COUNT(host_keys));
    ck_assert_uint_eq(json_array_size(json_object_get(host, "handshakes")), 4);
    json_array_foreach(json_object_get(host, "handshakes"), i, one)
    {
        assert_shape(one, handshake_keys, COUNT(handshake_keys));
    }
    json_array_foreach(json_object_get(host, "findings"), i, one)
    {
        assert_shape(one, finding_keys, COUNT(finding_keys));
    }
    assert_shape(cert, cert_keys, COUNT(cert_keys));
    assert_shape(json_object_get(cert, "staple"), staple_keys,
                 COUNT(staple_keys));
    assert_shape(json_object_get(cert, "responder"), responder_keys,
                 COUNT(responder_keys));
}

START_TEST(json_has_its_keys)
{
    json_t *host;

    world_site(w, "a.test");
    up();
    host = assert_found(checking("a.test"), "ok:");
    assert_host_shape(host);
    ck_assert_str_eq(text_of(host, "host"), "a.test");
    ck_assert_int_eq(json_integer_value(json_object_get(host, "port")),
                     httpd_port(w->httpd));
    ck_assert_str_eq(text_of(host, "connected"),
                     apr_psprintf(pool, "127.0.0.1:%d", httpd_port(w->httpd)));
    json_decref(host);
    responder_stop(w->responder);
    host = assert_found(checking("a.test"), "warning: warning CONNECT_REFUSED");
    assert_host_shape(host);
    json_decref(host);
}
END_TEST

static Suite *check_suite(void)
{
    Suite *suite = suite_create("check httpd");
    TCase *tests = tcase_create("httpd");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, both_kinds_of_key);
    tcase_add_test(tests, first_line_is_for_nagios);
    tcase_add_test(tests, stapling_off);
    tcase_add_test(tests, must_staple_while_the_responder_is_away);
    tcase_add_test(tests, revoked_and_withheld);
    tcase_add_test(tests, newer_answer_than_the_staple);
    tcase_add_test(tests, plain_port);
    tcase_add_test(tests, several_are_told_apart);
    tcase_add_test(tests, worst_host_counts);
    tcase_add_test(tests, unknown_counts_more_than_a_warning);
    tcase_add_test(tests, json_has_its_keys);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(check_suite());
}
