/* test_repair: OCSPXChainRepair completes a chain that lacks intermediates, in
 * whatever form and from however many places they come: from the next start or
 * reload on it is sent whole, and stapled.
 */
#include "repair_scene.h"

#include <pwd.h>

static const char *const mpms[] = {"event", "worker", "prefork"};

/** Strict clients of all makes, which trust the root alone. */
static void everybody_is_content(void)
{
    client_spec_t spec = world_client(w, SITE);
    const char *output;

    world_assert_good(w, SITE);
    spec.tls = CLIENT_TLS12;
    ck_assert(client_wait_good(&spec, 0, w->pool));
    spec.tls = CLIENT_TLS13;
    ck_assert(client_wait_good(&spec, 0, w->pool));
    ck_assert_msg(client_openssl(&output, &spec, w->pool), "%s", output);
    ck_assert_msg(client_curl(&output, &spec, w->pool), "%s", output);
    ck_assert_msg(client_gnutls(&output, &spec, w->pool), "%s", output);
}

START_TEST(chain_is_completed_and_stapled)
{
    httpd_configure(
        w->httpd, &(httpd_config_t){.mpm = mpms[_i], .global = repair_lines()});
    repair_sites();
    repair_offer(SOURCE, w->issuer);
    repair_up();
    ck_assert_int_eq(httpd_log_count(w->httpd,
                                     "OCSPX0107: " SITE ":.*: CHAIN_MISSING: "
                                     ".*CN=Issuer.*OCSPXChainRepair"),
                     1);
    repair_await(REPAIRED);
    ck_assert_ptr_nonnull(
        strstr(httpd_log_line(w->httpd, REPAIRED), repair_kept(leaf)));
    ck_assert_int_eq(httpd_log_count(w->httpd, REPAIRED), 1);
    world_assert_good(w, SOUND);

    repair_graceful();
    world_wait_good(w, SITE, SOON_MS);
    everybody_is_content();
    repair_assert_sent(SITE ", Issuer");

    /* A cold start has all it needs on the disk. */
    ck_assert_int_eq(httpd_stop(w->httpd), 1);
    responder_document(w->responder, SOURCE,
                       &(responder_script_t){.answer = RESPONDER_HANG});
    responder_script(w->responder, NULL,
                     &(responder_script_t){.answer = RESPONDER_HANG});
    responder_reset(w->responder);
    world_up(w);
    everybody_is_content();
    world_assert_good(w, SOUND);
    ck_assert_uint_eq(responder_document_requests(w->responder, SOURCE), 0);
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 0);
}
END_TEST

/* The worker user alone has to do with what was fetched. */
START_TEST(kept_file_is_the_workers)
{
    const struct passwd *worker = httpd_user() ? getpwnam(httpd_user()) : NULL;
    struct stat st;

    repair_sites();
    repair_offer(SOURCE, w->issuer);
    repair_done();
    ck_assert_int_eq(lstat(repair_kept(leaf), &st), 0);
    ck_assert(S_ISREG(st.st_mode));
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    ck_assert_uint_eq(st.st_uid, worker ? worker->pw_uid : geteuid());
}
END_TEST

/* ---- forms ------------------------------------------------------------- */

/* Each makes "made" from the PEM of the issuer. */
static const char *const forms[] = {
    "openssl x509 -in issuer.pem -outform DER -out made",
    "cp issuer.pem made",
    "(echo Some words first; cat issuer.pem) > made",
    "openssl crl2pkcs7 -nocrl -certfile issuer.pem -outform DER -out made",
    "openssl crl2pkcs7 -nocrl -certfile issuer.pem -out made",
};

START_TEST(every_form_is_understood)
{
    repair_sites();
    pki_write_certs(httpd_path(w->httpd, "issuer.pem"), w->issuer->cert, NULL);
    repair_offer_made(SOURCE, forms[_i]);
    repair_done();
}
END_TEST

/** The source has what is missing among other things. */
START_TEST(bundle_is_searched)
{
    pki_spec_t spec = {.cn = "Issuer", .ca = 1};
    pki_t *impostor = pki_make(&spec, w->root, w->pool);

    repair_sites();
    pki_write_certs(httpd_path(w->httpd, "issuer.pem"), w->root->cert,
                    impostor->cert, w->issuer->cert, NULL);
    repair_offer_made(SOURCE, forms[3]);
    repair_done();
    repair_assert_sent(SITE ", Issuer");
}
END_TEST

/* ---- what is missing --------------------------------------------------- */

/** leaf <- Sub <- Issuer <- root; the upper one is named by the lower. */
static pki_t *add_sub(void)
{
    pki_spec_t spec = {.cn = "Sub", .ca = 1};
    pki_t *sub;

    spec.ca_issuers = responder_url_of(w->responder, "/upper.der");
    sub = pki_make(&spec, w->issuer, w->pool);
    repair_offer("/upper.der", w->issuer);
    w->issuer = sub;
    w->signer = sub;
    leaf = repair_leaf((pki_spec_t){0}, SOURCE);
    repair_offer(SOURCE, sub);
    return sub;
}

START_TEST(two_levels_are_missing)
{
    add_sub();
    world_chain_vhost(w, SITE, leaf, NULL, NULL);
    repair_done();
    repair_assert_sent(SITE ", Sub, Issuer");
    everybody_is_content();
    ck_assert_uint_eq(responder_document_requests(w->responder, SOURCE), 1);
    ck_assert_uint_eq(responder_document_requests(w->responder, "/upper.der"),
                      1);
}
END_TEST

START_TEST(upper_level_is_missing)
{
    world_chain_vhost(w, SITE, leaf, NULL, add_sub(), NULL);
    world_chain_vhost(w, "none.test", leaf, NULL, NULL);
    httpd_vhosts_clear(w->httpd);
    world_chain_vhost(w, SITE, leaf, NULL, w->issuer, NULL);
    repair_done();
    repair_assert_sent(SITE ", Sub, Issuer");
    ck_assert_uint_eq(responder_document_requests(w->responder, SOURCE), 0);
}
END_TEST

/* With the wrong intermediate of the right name in the file. */
START_TEST(wrong_intermediate_is_replaced)
{
    pki_spec_t spec = {.cn = "Issuer", .ca = 1};

    leaf = repair_leaf((pki_spec_t){0}, SOURCE);
    repair_offer(SOURCE, w->issuer);
    world_chain_vhost(w, SITE, leaf, NULL, pki_make(&spec, w->root, w->pool),
                      NULL);
    repair_done();
    everybody_is_content();
}
END_TEST

START_TEST(second_url_is_asked)
{
    pki_spec_t spec = {.cn = SITE};

    spec.ca_issuers =
        apr_pstrcat(w->pool, responder_url_of(w->responder, "/gone.der"), " ",
                    responder_url_of(w->responder, SOURCE), NULL);
    leaf = world_leaf(w, &spec);
    repair_offer(SOURCE, w->issuer);
    responder_document(
        w->responder, "/gone.der",
        &(responder_script_t){.answer = RESPONDER_HTTP, .http_status = 404});
    world_chain_vhost(w, SITE, leaf, NULL, NULL);
    repair_done();
    ck_assert_uint_ge(responder_document_requests(w->responder, "/gone.der"),
                      1);
}
END_TEST

START_TEST(redirect_is_followed)
{
    const char *url = responder_url_of(w->responder, "/moved.der");

    repair_sites();
    responder_document(
        w->responder, SOURCE,
        &(responder_script_t){.answer = RESPONDER_REDIRECT, .url = url});
    repair_offer("/moved.der", w->issuer);
    repair_done();
}
END_TEST

/* ---- other certificates beside it -------------------------------------- */

static client_result_t by_key(client_key_e key)
{
    client_spec_t spec = world_client(w, SITE);
    client_result_t result;

    spec.key = key;
    client_handshake(&result, &spec, w->pool);
    return result;
}

static void wait_good_by_key(client_key_e key)
{
    client_spec_t spec = world_client(w, SITE);

    spec.key = key;
    if (!client_wait_good(&spec, SOON_MS, w->pool))
        repair_fail(by_key(key).error);
}

/** @param rsa_chain sent with the RSA certificate, or NULL */
static void add_rsa_and_ec(const pki_t *rsa_chain)
{
    pki_t *rsa = repair_leaf((pki_spec_t){.key = PKI_RSA}, SOURCE);
    const char *keys[2];
    const char *certs[2];

    leaf = repair_leaf((pki_spec_t){0}, SOURCE);
    certs[0] = httpd_cert(w->httpd, &keys[0], "rsa", rsa, rsa_chain, NULL);
    certs[1] = httpd_cert(w->httpd, &keys[1], "ec", leaf, NULL);
    httpd_vhost(w->httpd,
                &(httpd_vhost_t){
                    .names = SITE,
                    .cert = apr_pstrcat(w->pool, certs[0], " ", certs[1], NULL),
                    .key = apr_pstrcat(w->pool, keys[0], " ", keys[1], NULL)});
    repair_offer(SOURCE, w->issuer);
}

static int both_repaired(void)
{
    long deadline = procs_ms() + SOON_MS;

    while (httpd_log_count(w->httpd, REPAIRED) < 2)
        if (procs_ms() > deadline)
            return 0;
        else
            procs_sleep(20);
    return 1;
}

START_TEST(rsa_and_ecdsa_are_both_repaired)
{
    add_rsa_and_ec(NULL);
    repair_up();
    ck_assert(both_repaired());
    repair_graceful();
    wait_good_by_key(CLIENT_KEY_RSA);
    wait_good_by_key(CLIENT_KEY_EC);
    ck_assert_str_ne(by_key(CLIENT_KEY_RSA).serial,
                     by_key(CLIENT_KEY_EC).serial);
}
END_TEST

START_TEST(second_certificate_is_fine)
{
    client_result_t result;

    add_rsa_and_ec(w->issuer);
    responder_document(w->responder, SOURCE,
                       &(responder_script_t){.answer = RESPONDER_HANG});
    repair_up();
    wait_good_by_key(CLIENT_KEY_RSA);
    result = by_key(CLIENT_KEY_EC);
    ck_assert_int_eq(result.sent, 1);
    repair_offer(SOURCE, w->issuer);
    repair_await(REPAIRED);
    repair_graceful();
    wait_good_by_key(CLIENT_KEY_EC);
    wait_good_by_key(CLIENT_KEY_RSA);
    ck_assert_int_eq(by_key(CLIENT_KEY_RSA).sent, 2);
    ck_assert_int_eq(by_key(CLIENT_KEY_EC).sent, 2);
}
END_TEST

/* The same certificate, once whole and once not: the repair of the one must
 * not cost the other its staple, whichever comes first. */
START_TEST(same_certificate_once_whole)
{
    pki_spec_t spec = {.names = "DNS:" SITE ",DNS:whole.test"};

    leaf = repair_leaf(spec, SOURCE);
    if (_i == 0)
        world_chain_vhost(w, SITE, leaf, NULL, NULL);
    world_chain_vhost(w, "whole.test", leaf, NULL, w->issuer, NULL);
    if (_i == 1)
        world_chain_vhost(w, SITE, leaf, NULL, NULL);
    responder_document(w->responder, SOURCE,
                       &(responder_script_t){.answer = RESPONDER_HANG});
    repair_up();
    world_wait_good(w, "whole.test", SOON_MS);
    repair_offer(SOURCE, w->issuer);
    repair_await(REPAIRED);
    repair_graceful();
    world_wait_good(w, SITE, SOON_MS);
    world_assert_good(w, "whole.test");
}
END_TEST

/* ---- without staple ---------------------------------------------------- */

START_TEST(certificate_without_responder)
{
    leaf = repair_leaf((pki_spec_t){.ocsp_urls = ""}, SOURCE);
    world_chain_vhost(w, SITE, leaf, NULL, NULL);
    repair_offer(SOURCE, w->issuer);
    repair_up();
    repair_await(REPAIRED);
    repair_graceful();
    repair_assert_sent(SITE ", Issuer");
    world_assert_bare(w, SITE);
    procs_sleep(1500);
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 0);
    ck_assert_uint_eq(responder_document_requests(w->responder, SOURCE), 1);
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX0010"), 0);
}
END_TEST

/* Then there is no repair, and none is promised. */
START_TEST(repair_with_stapling_off)
{
    leaf = repair_leaf((pki_spec_t){0}, SOURCE);
    world_chain_vhost(w, SITE, leaf, "OCSPXUseStapling off", NULL);
    repair_offer(SOURCE, w->issuer);
    repair_up();
    ck_assert_int_eq(httpd_log_count(w->httpd, "ocspx:error.*OCSPX0107: " SITE
                                               ":.*: CHAIN_MISSING: .*: curl "),
                     1);
    procs_sleep(1500);
    ck_assert_uint_eq(responder_document_requests(w->responder, SOURCE), 0);
}
END_TEST

/* The one's promise is not the other's. */
START_TEST(same_certificate_once_with_repair_off)
{
    pki_spec_t spec = {.names = "DNS:" SITE ",DNS:other.test"};

    leaf = repair_leaf(spec, SOURCE);
    world_chain_vhost(w, SITE, leaf, NULL, NULL);
    world_chain_vhost(w, "other.test", leaf, "OCSPXChainRepair off", NULL);
    repair_offer(SOURCE, w->issuer);
    repair_up();
    ck_assert_int_eq(httpd_log_count(w->httpd,
                                     "ocspx:warn.*OCSPX0107: " SITE
                                     ":.*: CHAIN_MISSING: .*OCSPXChainRepair"),
                     1);
    ck_assert_int_eq(httpd_log_count(w->httpd,
                                     "ocspx:error.*OCSPX0107: other.test"
                                     ":.*: CHAIN_MISSING: .*: curl "),
                     1);
}
END_TEST

/* It is to be asked for. */
START_TEST(repair_is_off_by_default)
{
    world_global(w,
                 apr_psprintf(w->pool, "OCSPXChainTrust %s\n", w->root_file));
    repair_sites();
    repair_offer(SOURCE, w->issuer);
    repair_up();
    world_assert_good(w, SOUND);
    procs_sleep(1500);
    ck_assert_uint_eq(responder_document_requests(w->responder, SOURCE), 0);
    ck_assert_str_eq(repair_sent(), SITE);
}
END_TEST

static Suite *repair_suite(void)
{
    Suite *suite = suite_create("repair");
    TCase *tests = tcase_create("repair");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, repair_setup, repair_teardown);
    tcase_add_loop_test(tests, chain_is_completed_and_stapled, 0, 3);
    tcase_add_test(tests, kept_file_is_the_workers);
    tcase_add_loop_test(tests, every_form_is_understood, 0,
                        sizeof(forms) / sizeof(*forms));
    tcase_add_test(tests, bundle_is_searched);
    tcase_add_test(tests, two_levels_are_missing);
    tcase_add_test(tests, upper_level_is_missing);
    tcase_add_test(tests, wrong_intermediate_is_replaced);
    tcase_add_test(tests, second_url_is_asked);
    tcase_add_test(tests, redirect_is_followed);
    tcase_add_test(tests, rsa_and_ecdsa_are_both_repaired);
    tcase_add_test(tests, second_certificate_is_fine);
    tcase_add_loop_test(tests, same_certificate_once_whole, 0, 2);
    tcase_add_test(tests, certificate_without_responder);
    tcase_add_test(tests, repair_with_stapling_off);
    tcase_add_test(tests, same_certificate_once_with_repair_off);
    tcase_add_test(tests, repair_is_off_by_default);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(repair_suite());
}
