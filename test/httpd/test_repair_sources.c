/* test_repair_sources: a source of intermediates that hangs, lies or talks
 * nonsense changes nothing: it is named in the log, the leaf is sent as
 * before, and no handshake waits.
 */
#include "repair_scene.h"

/* ---- lies -------------------------------------------------------------- */

static void offer_made(pki_spec_t spec, const pki_t *issuer)
{
    spec.cn = "Issuer";
    repair_offer(SOURCE, pki_make(&spec, issuer, w->pool));
}

static void other_key(void)
{
    offer_made((pki_spec_t){.ca = 1}, w->root);
}

static void expired(void)
{
    offer_made(
        (pki_spec_t){.ca = 1,
                     .use_key = w->issuer->key,
                     .not_before = apr_time_now() - apr_time_from_sec(864000),
                     .not_after = apr_time_now() - apr_time_from_sec(86400)},
        w->root);
}

static void no_ca(void)
{
    offer_made((pki_spec_t){.use_key = w->issuer->key}, w->root);
}

/** The right name and key, but of nobody whom clients know. */
static void self_signed(void)
{
    offer_made((pki_spec_t){.ca = 1, .use_key = w->issuer->key}, NULL);
}

static void too_weak(void)
{
    offer_made(
        (pki_spec_t){.ca = 1, .use_key = w->issuer->key, .md = EVP_sha1()},
        w->root);
}

static void leaf_itself(void)
{
    repair_offer(SOURCE, leaf);
}

static void root(void)
{
    repair_offer(SOURCE, w->root);
}

/* ---- nonsense ---------------------------------------------------------- */

static void garbage(void)
{
    repair_offer_bytes(SOURCE, "not a certificate\n", 18);
}

static void nothing(void)
{
    repair_offer_bytes(SOURCE, "", 0);
}

static void damaged(void)
{
    unsigned char *der = NULL;
    int len = i2d_X509(w->issuer->cert, &der);

    der[len - 1] ^= 1; /* in the signature */
    repair_offer_bytes(SOURCE, der, (apr_size_t)len);
    OPENSSL_free(der);
}

static void script(responder_script_t s)
{
    responder_document(w->responder, SOURCE, &s);
}

static void html(void)
{
    script((responder_script_t){.answer = RESPONDER_HTML});
}

static void ten_megabytes(void)
{
    script((responder_script_t){.answer = RESPONDER_OVERSIZED,
                                .size = 10 * 1024 * 1024});
}

static void ten_megabytes_chunked(void)
{
    script((responder_script_t){
        .answer = RESPONDER_OVERSIZED, .size = 10 * 1024 * 1024, .chunked = 1});
}

static void not_found(void)
{
    script((responder_script_t){.answer = RESPONDER_HTTP, .http_status = 404});
}

static void redirected_to_itself(void)
{
    script((responder_script_t){.answer = RESPONDER_REDIRECT,
                                .url = responder_url_of(w->responder, SOURCE)});
}

static void redirected_to_a_file(void)
{
    script((responder_script_t){.answer = RESPONDER_REDIRECT,
                                .url = "file:///etc/passwd"});
}

/* ---- silence ----------------------------------------------------------- */

static void hangs(void)
{
    script((responder_script_t){.answer = RESPONDER_HANG});
}

static void resets(void)
{
    script((responder_script_t){.answer = RESPONDER_RESET});
}

static void drips(void)
{
    repair_offer(SOURCE, w->issuer);
    script((responder_script_t){.answer = RESPONDER_HTML, .byte_ms = 200});
}

static void cut_off(void)
{
    repair_offer(SOURCE, w->issuer);
    script((responder_script_t){
        .answer = RESPONDER_CUT, .body = "0123456789", .body_len = 10});
}

typedef struct {
    void (*source)(void);
    const char *cause;
} case_t;

static const case_t cases[] = {
    {other_key, "CHAIN_WRONG_KEY"},
    {expired, "CHAIN_EXPIRED"},
    {no_ca, "CHAIN_NOT_CA"},
    {self_signed, "CHAIN_REFUSED"},
    {too_weak, "CHAIN_WEAK"},
    {leaf_itself, "CHAIN_REFUSED"},
    {root, "CHAIN_REFUSED"},
    {garbage, "CHAIN_NOT_CERT"},
    {nothing, "CHAIN_NOT_CERT"},
    {damaged, "CHAIN_WRONG_KEY"},
    {html, "INTERCEPTED"},
    {ten_megabytes, "RESP_TOO_LARGE"},
    {ten_megabytes_chunked, "RESP_TOO_LARGE"},
    {not_found, "RESP_HTTP"},
    {redirected_to_itself, "INTERCEPTED"},
    {redirected_to_a_file, "INTERCEPTED"},
    {hangs, "RESP_TIMEOUT"},
    {resets, "RESP_HTTP"},
    {drips, "RESP_TIMEOUT"},
    {cut_off, "RESP_HTTP"},
};

/* ---- nothing changes --------------------------------------------------- */

/** The leaf alone is sent, at once; and the site beside it is stapled. */
static void assert_unchanged(void)
{
    client_result_t result = world_handshake(w, SITE);

    ck_assert_str_eq(result.chain, SITE);
    ck_assert_msg(result.ms < 1000, "%.0f ms", result.ms);
    result = world_handshake(w, SOUND);
    ck_assert_msg(client_good(&result), "%s", result.error);
    ck_assert_msg(result.ms < 1000, "%.0f ms", result.ms);
    ck_assert_int_ne(access(repair_kept(leaf), F_OK), 0);
}

static void assert_named(const char *cause)
{
    repair_await(apr_psprintf(w->pool, "OCSPX0010: " SITE ": %s: .*%s", cause,
                              responder_url_of(w->responder, SOURCE)));
    ck_assert_int_eq(httpd_log_count(w->httpd, REPAIRED), 0);
}

START_TEST(bad_source_changes_nothing)
{
    repair_sites();
    cases[_i].source();
    repair_up();
    assert_unchanged();
    assert_named(cases[_i].cause);
    assert_unchanged();
    repair_graceful();
    assert_unchanged();
    world_wait_good(w, SOUND, 0);
}
END_TEST

START_TEST(nobody_listens)
{
    responder_t *ocsp = w->responder;

    w->responder = world_responder(w);
    leaf = repair_leaf((pki_spec_t){0}, SOURCE);
    world_chain_vhost(w, SITE, leaf, NULL, NULL);
    w->responder = ocsp;
    world_site(w, SOUND);
    responder_start(w->responder);
    world_up(w);
    assert_unchanged();
    repair_await("OCSPX0010: " SITE ": CONNECT_REFUSED: .*" SOURCE);
    assert_unchanged();
}
END_TEST

/* As soon as the source is all right again, the repair is made. */
START_TEST(source_gets_well)
{
    repair_sites();
    other_key();
    repair_up();
    assert_named("CHAIN_WRONG_KEY");
    repair_offer(SOURCE, w->issuer);
    repair_await(REPAIRED);
    repair_graceful();
    world_wait_good(w, SITE, SOON_MS);
}
END_TEST

/* A fault that stays is told once, not at each attempt. */
START_TEST(fault_is_told_once)
{
    unsigned asked;

    repair_sites();
    garbage();
    repair_up();
    asked = responder_document_requests(w->responder, SOURCE);
    for (int i = 0; i < 100; i++) {
        if (responder_document_requests(w->responder, SOURCE) >= asked + 3)
            break;
        procs_sleep(100);
    }
    ck_assert_uint_ge(responder_document_requests(w->responder, SOURCE),
                      asked + 3);
    ck_assert_int_ge(
        httpd_log_count(w->httpd, "ocspx:(warn|error)\\] .*OCSPX0010: " SITE),
        1);
    /* one line of the process that fills the cache, one of the refresher */
    ck_assert_int_le(
        httpd_log_count(w->httpd, "ocspx:(warn|error)\\] .*OCSPX0010: " SITE),
        2);
}
END_TEST

/* Two levels are missing, and only the lower is there: nothing is used. */
START_TEST(half_a_repair_is_none)
{
    pki_spec_t spec = {.cn = "Sub", .ca = 1};
    pki_t *sub;

    spec.ca_issuers = responder_url_of(w->responder, "/upper.der");
    sub = pki_make(&spec, w->issuer, w->pool);
    world_site(w, SOUND);
    w->issuer = sub;
    w->signer = sub;
    leaf = repair_leaf((pki_spec_t){0}, SOURCE);
    world_chain_vhost(w, SITE, leaf, NULL, NULL);
    repair_offer(SOURCE, sub);
    responder_document(
        w->responder, "/upper.der",
        &(responder_script_t){.answer = RESPONDER_HTTP, .http_status = 404});
    repair_up();
    repair_await("OCSPX0010: " SITE ": RESP_HTTP: .*/upper.der");
    repair_graceful();
    assert_unchanged();
    ck_assert_int_eq(httpd_log_count(w->httpd, REPAIRED), 0);
}
END_TEST

/* A CA whose certificates name each other without end. */
START_TEST(endless_chain_comes_to_an_end)
{
    enum { LEVELS = 10 };
    pki_t *ca = w->issuer;

    world_site(w, SOUND);
    for (int i = LEVELS; i > 0; i--) {
        pki_spec_t spec = {.cn = apr_psprintf(w->pool, "CA %d", i), .ca = 1};
        const char *path = apr_psprintf(w->pool, "/ca%d.der", i);

        spec.ca_issuers = responder_url_of(
            w->responder, apr_psprintf(w->pool, "/ca%d.der", i + 1));
        ca = pki_make(&spec, ca, w->pool);
        repair_offer(path, ca);
    }
    w->issuer = ca;
    w->signer = ca;
    leaf = repair_leaf((pki_spec_t){0}, "/ca1.der");
    world_chain_vhost(w, SITE, leaf, NULL, NULL);
    repair_up();
    repair_await("OCSPX0010: " SITE ": ");
    ck_assert_uint_eq(responder_document_requests(w->responder, "/ca9.der"), 0);
    assert_unchanged();
}
END_TEST

/* Of a chain that cannot be repaired nothing is fetched. */
START_TEST(nothing_to_repair_with)
{
    pki_spec_t spec = {.cn = SITE};

    leaf = world_leaf(w, &spec);
    world_chain_vhost(w, SITE, leaf, NULL, NULL);
    world_site(w, SOUND);
    repair_up();
    ck_assert_int_eq(
        httpd_log_count(w->httpd,
                        "\\[ocspx:error\\].*OCSPX0107: .*: CHAIN_MISSING: "),
        1);
    assert_unchanged();
}
END_TEST

static Suite *repair_sources_suite(void)
{
    Suite *suite = suite_create("repair_sources");
    TCase *tests = tcase_create("repair_sources");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, repair_setup, repair_teardown);
    tcase_add_loop_test(tests, bad_source_changes_nothing, 0,
                        sizeof(cases) / sizeof(*cases));
    tcase_add_test(tests, nobody_listens);
    tcase_add_test(tests, source_gets_well);
    tcase_add_test(tests, fault_is_told_once);
    tcase_add_test(tests, half_a_repair_is_none);
    tcase_add_test(tests, endless_chain_comes_to_an_end);
    tcase_add_test(tests, nothing_to_repair_with);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(repair_sources_suite());
}
