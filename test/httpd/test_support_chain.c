/* test_support_chain: keeps the support for tests of chains honest: documents
 * beside OCSP, what a server sent, and OpenSSL's verdict about it.
 */
#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/world.h"

#include <apr_strings.h>
#include <string.h>

static world_t *w;

static void setup(void)
{
    w = world_make();
    httpd_configure(w->httpd, &(httpd_config_t){.without_ocspx = 1});
}

static void teardown(void)
{
    world_destroy(w);
}

/* ---- documents --------------------------------------------------------- */

static const char document[] = "the document";

/** What curl makes of it: "STATUS TYPE BYTES", "curl STATUS" if it fails. */
static const char *get(const char *path)
{
    const char *argv[] = {"curl",
                          "--silent",
                          "--noproxy",
                          "*",
                          "--max-time",
                          "1",
                          "--output",
                          httpd_path(w->httpd, "got"),
                          "--write-out",
                          "%{http_code} %{content_type} %{size_download}",
                          responder_url_of(w->responder, path),
                          NULL};
    procs_result_t result;

    procs_run(&result, argv, NULL, 5000, w->pool);
    if (result.status != 0)
        return apr_psprintf(w->pool, "curl %d", result.status);
    return result.output;
}

static void put(const char *path, responder_script_t script)
{
    if (script.body == NULL) {
        script.body = document;
        script.body_len = sizeof(document) - 1;
    }
    responder_document(w->responder, path, &script);
}

START_TEST(document_is_served_as_scripted)
{
    static const struct {
        responder_script_t script;
        const char *got;
    } cases[] = {
        {{0}, "200 application/pkix-cert 12"},
        {{.type = "application/pkcs7-mime"}, "200 application/pkcs7-mime 12"},
        {{.chunked = 1}, "200 application/pkix-cert 12"},
        {{.delay_ms = 300}, "200 application/pkix-cert 12"},
        {{.delay_ms = 3000}, "curl 28"},
        {{.byte_ms = 100}, "curl 28"},
        {{.answer = RESPONDER_WRONG_TYPE}, "200 text/plain 12"},
        {{.answer = RESPONDER_TRUNCATED}, "200 application/pkix-cert 6"},
        {{.answer = RESPONDER_CUT}, "curl 18"},
        {{.answer = RESPONDER_HANG}, "curl 28"},
        {{.answer = RESPONDER_RESET}, "curl 56"},
        {{.answer = RESPONDER_HTTP, .http_status = 404}, "404 text/plain 12"},
        {{.answer = RESPONDER_HTML}, "200 text/html 41"},
        {{.answer = RESPONDER_NOT_OCSP}, "200 application/pkix-cert 25"},
        {{.answer = RESPONDER_REDIRECT, .url = "http://a.test/"},
         "302 text/plain 0"},
        {{.answer = RESPONDER_OVERSIZED, .size = 10000000},
         "200 application/pkix-cert 10000000"},
    };
    const unsigned count = sizeof(cases) / sizeof(*cases);

    put("/ca.der", (responder_script_t){0});
    responder_start(w->responder);
    for (unsigned i = 0; i < count; i++) {
        put("/ca.der", cases[i].script);
        ck_assert_str_eq(get("/ca.der"), cases[i].got);
    }
    ck_assert_uint_eq(responder_document_requests(w->responder, "/ca.der"),
                      count);
}
END_TEST

START_TEST(documents_are_told_apart)
{
    responder_counts_t counts;
    char long_body[RESPONDER_BODY_MAX];

    memset(long_body, 'x', sizeof(long_body));
    put("/a.der", (responder_script_t){0});
    put("/a",
        (responder_script_t){.body = long_body, .body_len = sizeof(long_body)});
    responder_start(w->responder);
    ck_assert_str_eq(get("/a"), "200 application/pkix-cert 65536");
    ck_assert_str_eq(get("/a.der"), "200 application/pkix-cert 12");
    ck_assert_str_eq(procs_read_file(httpd_path(w->httpd, "got"), w->pool),
                     document);
    ck_assert_str_eq(get("/a.der"), "200 application/pkix-cert 12");
    ck_assert_str_eq(get("/a.de"), "400 text/plain 0");
    ck_assert_uint_eq(responder_document_requests(w->responder, "/a"), 1);
    ck_assert_uint_eq(responder_document_requests(w->responder, "/a.der"), 2);
    responder_counts(&counts, w->responder);
    ck_assert_uint_eq(counts.malformed, 1);
    ck_assert_uint_eq(counts.requests, 0);
    responder_reset(w->responder);
    ck_assert_uint_eq(responder_document_requests(w->responder, "/a"), 0);
}
END_TEST

START_TEST(document_leaves_ocsp_alone)
{
    client_result_t result;

    httpd_configure(w->httpd,
                    &(httpd_config_t){.without_ocspx = 1,
                                      .global = apr_psprintf(
                                          w->pool,
                                          "SSLUseStapling on\n"
                                          "SSLStaplingCache shmcb:%s(65536)\n",
                                          httpd_path(w->httpd, "staples"))});
    world_site(w, "a.test");
    put("/ca.der", (responder_script_t){.answer = RESPONDER_HANG});
    responder_start(w->responder);
    world_up(w);
    world_assert_good(w, "a.test");
    put("/ca.der", (responder_script_t){0});
    responder_script(w->responder, NULL,
                     &(responder_script_t){.answer = RESPONDER_HANG});
    ck_assert_str_eq(get("/ca.der"), "200 application/pkix-cert 12");
    responder_script(w->responder, NULL,
                     &(responder_script_t){.answer = RESPONDER_REFUSE});
    ck_assert_str_eq(get("/ca.der"), "curl 7");
    result = world_handshake(w, "a.test");
    ck_assert_int_eq(result.sent, 2);
    ck_assert_str_eq(result.chain, "a.test, Issuer");
}
END_TEST

/* ---- chains ------------------------------------------------------------ */

static void sent(const char *name, client_key_e key, const char *chain,
                 int count, int complete)
{
    client_spec_t spec = world_client(w, name);
    client_result_t result;
    const char *output;

    spec.key = key;
    client_handshake(&result, &spec, w->pool);
    ck_assert_str_eq(result.chain, chain);
    ck_assert_int_eq(result.sent, count);
    ck_assert_int_eq(client_openssl_chain(&output, &spec, w->pool), complete);
}

START_TEST(chain_is_told_and_judged)
{
    pki_t *named = world_leaf(w, &(pki_spec_t){.cn = "short.test"});
    pki_t *other = world_leaf(w, &(pki_spec_t){.cn = "other.test"});
    pki_t *strange =
        pki_make(&(pki_spec_t){.cn = "Issuer", .ca = 1}, NULL, w->pool);

    world_site(w, "good.test");
    world_chain_vhost(w, "short.test", named, NULL, NULL);
    world_chain_vhost(w, "strange.test",
                      world_leaf(w, &(pki_spec_t){.cn = "strange.test"}), NULL,
                      strange, w->issuer, w->root, NULL);
    world_chain_vhost(w, "name.test alias.test", other, NULL, w->issuer, NULL);
    world_up(w);
    sent("good.test", CLIENT_KEY_ANY, "good.test, Issuer", 2, 1);
    sent("short.test", CLIENT_KEY_ANY, "short.test", 1, 0);
    ck_assert(!world_handshake(w, "short.test").ok);
    sent("strange.test", CLIENT_KEY_ANY, "strange.test, Issuer, Issuer, Root",
         4, 1);
    sent("alias.test", CLIENT_KEY_ANY, "other.test, Issuer", 2, 1);
    ck_assert(!world_handshake(w, "alias.test").ok); /* for its name */
    w->root_file = httpd_path(w->httpd, "strange.pem");
    pki_write_certs(w->root_file, strange->cert, NULL);
    sent("good.test", CLIENT_KEY_ANY, "good.test, Issuer", 2, 0);
}
END_TEST

START_TEST(chain_is_judged_by_key)
{
    pki_t *rsa = world_leaf(w, &(pki_spec_t){.cn = "a.test", .key = PKI_RSA});
    pki_t *ec = world_leaf(w, &(pki_spec_t){.cn = "a.test"});
    const char *keys[2];
    const char *certs[2] = {
        httpd_cert(w->httpd, &keys[0], "rsa", rsa, w->issuer, NULL),
        httpd_cert(w->httpd, &keys[1], "ec", ec, NULL)};

    httpd_vhost(w->httpd,
                &(httpd_vhost_t){
                    .names = "a.test",
                    .cert = apr_pstrcat(w->pool, certs[0], " ", certs[1], NULL),
                    .key = apr_pstrcat(w->pool, keys[0], " ", keys[1], NULL)});
    world_up(w);
    sent("a.test", CLIENT_KEY_RSA, "a.test, Issuer", 2, 1);
    sent("a.test", CLIENT_KEY_EC, "a.test", 1, 0);
}
END_TEST

static Suite *support_chain_suite(void)
{
    Suite *suite = suite_create("support_chain");
    TCase *tests = tcase_create("support_chain");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, document_is_served_as_scripted);
    tcase_add_test(tests, documents_are_told_apart);
    tcase_add_test(tests, document_leaves_ocsp_alone);
    tcase_add_test(tests, chain_is_told_and_judged);
    tcase_add_test(tests, chain_is_judged_by_key);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(support_chain_suite());
}
