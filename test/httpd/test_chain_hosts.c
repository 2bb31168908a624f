/* test_chain_hosts: chains and what is around them: names and must-staple
 * certificates, whom clients trust, several certificates or virtual hosts.
 */
#include <string.h>

#include "../support/procs.h"
#include "chain_scene.h"

/* ---- names ------------------------------------------------------------- */

typedef struct {
    const char *names;   /* of the virtual host */
    const char *covered; /* by its certificate */
    const char *missing; /* what the finding names; NULL: there is none */
} names_t;

static const names_t name_cases[] = {
    {BROKEN, "DNS:" BROKEN, NULL},
    {BROKEN, "DNS:other.test", "broken\\.test"},
    {BROKEN " alias.test", "DNS:" BROKEN ",DNS:alias.test", NULL},
    {BROKEN " alias.test", "DNS:" BROKEN, "alias\\.test"},
    {BROKEN " alias.test", "DNS:alias.test", "broken\\.test"},
    {BROKEN " a.wild.test", "DNS:" BROKEN ",DNS:*.wild.test", NULL},
    {BROKEN " a.b.wild.test", "DNS:" BROKEN ",DNS:*.wild.test",
     "a\\.b\\.wild\\.test"},
    {BROKEN " *.wild.test", "DNS:" BROKEN ",DNS:*.wild.test", NULL},
    {BROKEN " *.wild.test", "DNS:" BROKEN, "\\*\\.wild\\.test"},
};

START_TEST(names_are_covered)
{
    const names_t *c = &name_cases[_i];
    pki_t *leaf = chain_leaf((pki_spec_t){.names = c->covered}, w->issuer);

    chain_sound();
    world_chain_vhost(w, c->names, leaf, NULL, w->issuer, NULL);
    world_up(w);
    ck_assert_int_eq(chain_findings(BROKEN, ""), c->missing != NULL);
    if (c->missing != NULL &&
        chain_findings_at("warn", BROKEN,
                          apr_pstrcat(w->pool, "CHAIN_NAME: .*", c->missing,
                                      ".*\\. [A-Z]", NULL)) != 1)
        chain_fail("the name is not told");
    ck_assert_int_eq(chain_verdict(world_client(w, BROKEN)), 1);
    chain_summary(2, 2);
}
END_TEST

/* ---- must-staple ------------------------------------------------------- */

static void must_staple_vhost(const char *url, const char *extra)
{
    pki_spec_t spec = {.must_staple = 1, .ocsp_urls = url};
    pki_t *leaf = chain_leaf(spec, w->issuer);

    responder_add(w->responder, leaf, w->issuer, w->issuer);
    world_chain_vhost(w, BROKEN, leaf, extra, w->issuer, NULL);
}

static void assert_must_staple(int told, const char *why)
{
    responder_start(w->responder);
    world_up(w);
    ck_assert_int_eq(chain_findings(BROKEN, ""), told);
    if (told && chain_findings_at("error", BROKEN,
                                  apr_pstrcat(w->pool, "MUST_STAPLE_OFF: .*",
                                              why, NULL)) != 1)
        chain_fail("not told why nothing is stapled");
    /* Told once, and by nothing else. */
    ck_assert_int_eq(httpd_log_count(w->httpd, "MUST_STAPLE_OFF"), told);
    ck_assert_int_eq(chain_verdict(world_client(w, BROKEN)), 1);
    chain_summary(1, 1);
}

START_TEST(must_staple_and_stapled)
{
    must_staple_vhost(responder_url(w->responder), "OCSPXUseStapling on");
    assert_must_staple(0, NULL);
    world_assert_good(w, BROKEN);
}
END_TEST

START_TEST(must_staple_with_stapling_off)
{
    must_staple_vhost(responder_url(w->responder), NULL);
    assert_must_staple(1, "off");
}
END_TEST

START_TEST(must_staple_without_responder)
{
    must_staple_vhost(NULL, "OCSPXUseStapling on");
    assert_must_staple(1, "responder");
}
END_TEST

/* ---- whom clients trust ------------------------------------------------ */

/** Without OCSPXChainTrust. */
static void system_trust(void)
{
    world_global(w, "OCSPXUseStapling off\n");
}

START_TEST(private_root_is_no_reason_to_worry)
{
    system_trust();
    chain_sound();
    world_up(w);
    ck_assert_int_eq(chain_findings(SOUND, ""), 1);
    ck_assert_int_eq(
        chain_findings_at("info", SOUND, "CHAIN_PRIVATE: .*CN=Root"), 1);
    ck_assert_int_eq(chain_verdict(world_client(w, SOUND)), 1);
}
END_TEST

/* A defect is one whoever the root is. */
START_TEST(private_chain_with_a_defect)
{
    pki_t *sub = chain_ca("Sub", w->issuer);

    system_trust();
    chain_sound();
    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, sub), NULL, sub,
                      sub, w->issuer, NULL);
    world_up(w);
    ck_assert_int_eq(chain_findings_at("warn", BROKEN, "CHAIN_EXTRA: "), 1);
    ck_assert_int_eq(chain_findings_at("error", BROKEN, ""), 0);
    ck_assert_int_eq(chain_verdict(world_client(w, BROKEN)), 1);
}
END_TEST

START_TEST(root_is_known_to_the_system)
{
    setenv("SSL_CERT_FILE", w->root_file, 1);
    system_trust();
    chain_sound();
    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, w->issuer), NULL,
                      NULL);
    world_up(w);
    ck_assert_int_eq(chain_findings(SOUND, ""), 0);
    ck_assert_int_eq(chain_findings_at("error", BROKEN, "CHAIN_MISSING: "), 1);
    chain_summary(2, 1);
}
END_TEST

/** A file of roots of a CA other than the world's. */
static const char *other_root(const pki_t *root)
{
    const char *file = httpd_path(w->httpd, "other-root.pem");

    pki_write_certs(file, root->cert, NULL);
    return file;
}

START_TEST(trust_is_a_virtual_hosts_own)
{
    pki_t *root = chain_ca("Other root", NULL);
    pki_t *ca = chain_ca("Other issuer", root);
    const char *file = other_root(root);
    client_spec_t spec;

    chain_sound();
    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, ca),
                      apr_pstrcat(w->pool, "OCSPXChainTrust ", file, NULL), ca,
                      NULL);
    world_up(w);
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX0107"), 0);
    spec = world_client(w, BROKEN);
    spec.ca_file = file;
    ck_assert_int_eq(chain_verdict(spec), 1);
    chain_summary(2, 2);
}
END_TEST

START_TEST(trust_in_a_directory)
{
    const char *dir = httpd_path(w->httpd, "roots");
    const char *argv[] = {"sh",
                          "-c",
                          "mkdir \"$0\" && cp \"$1\" \"$0\" && "
                          "openssl rehash \"$0\"",
                          dir,
                          w->root_file,
                          NULL};
    procs_result_t result;

    procs_run(&result, argv, NULL, 10000, w->pool);
    ck_assert_msg(result.status == 0, "%s", result.output);
    world_global(w, apr_psprintf(w->pool,
                                 "OCSPXUseStapling off\nOCSPXChainTrust %s\n",
                                 dir));
    chain_sound();
    world_chain_vhost(w, BROKEN, chain_leaf((pki_spec_t){0}, w->issuer), NULL,
                      NULL);
    world_up(w);
    ck_assert_int_eq(chain_findings(SOUND, ""), 0);
    ck_assert_int_eq(chain_findings_at("error", BROKEN, "CHAIN_MISSING: "), 1);
    chain_summary(2, 1);
}
END_TEST

START_TEST(trust_that_is_none)
{
    const char *const bad[] = {"no-such-file", "httpd.conf"};
    const char *output;

    for (int i = 0; i < 2; i++) {
        world_global(w, apr_psprintf(w->pool, "OCSPXChainTrust %s\n",
                                     httpd_path(w->httpd, bad[i])));
        ck_assert_int_ne(httpd_configtest(w->httpd, &output), 0);
        ck_assert_ptr_nonnull(strstr(output, "OCSPXChainTrust"));
        ck_assert_ptr_nonnull(strstr(output, bad[i]));
    }
}
END_TEST

/** A root that took over from the root of the world, which signed it. */
static void cross_signed(int trust_new, int with_cross)
{
    pki_t *new_root = chain_ca("New root", NULL);
    pki_t *cross = chain_make(
        (pki_spec_t){.cn = "New root", .ca = 1, .use_key = new_root->key},
        w->root);
    pki_t *ca = chain_ca("New issuer", new_root);
    pki_t *leaf = chain_leaf((pki_spec_t){0}, ca);

    if (trust_new)
        w->root_file = other_root(new_root);
    chain_global("");
    world_chain_vhost(w, BROKEN, leaf, NULL, ca, with_cross ? cross : NULL,
                      NULL);
    world_up(w);
}

START_TEST(cross_signed_under_either_root)
{
    cross_signed(_i, 1);
    ck_assert_int_eq(chain_verdict(world_client(w, BROKEN)), 1);
    ck_assert_int_eq(chain_findings_at("error", BROKEN, ""), 0);
    ck_assert_int_eq(chain_findings_at("warn", BROKEN, ""), 0);
    chain_summary(1, 1);
}
END_TEST

START_TEST(cross_certificate_not_sent)
{
    cross_signed(_i, 0);
    ck_assert_int_eq(chain_verdict(world_client(w, BROKEN)), _i);
    ck_assert_int_eq(
        chain_findings_at("error", BROKEN, "CHAIN_MISSING: .*CN=New root"),
        !_i);
    chain_summary(1, _i);
}
END_TEST

/* ---- several ----------------------------------------------------------- */

START_TEST(one_certificate_of_two_is_broken)
{
    pki_t *rsa = chain_leaf((pki_spec_t){.key = PKI_RSA}, w->issuer);
    pki_t *ec = chain_leaf((pki_spec_t){0}, chain_ca("EC issuer", w->root));
    client_spec_t spec;
    const char *output;
    const char *keys[2];
    const char *certs[2] = {
        httpd_cert(w->httpd, &keys[0], "rsa", rsa, w->issuer, NULL),
        httpd_cert(w->httpd, &keys[1], "ec", ec, NULL)};

    httpd_vhost(w->httpd,
                &(httpd_vhost_t){
                    .names = BROKEN,
                    .cert = apr_pstrcat(w->pool, certs[0], " ", certs[1], NULL),
                    .key = apr_pstrcat(w->pool, keys[0], " ", keys[1], NULL)});
    world_up(w);
    ck_assert_int_eq(chain_findings(BROKEN, ""), 1);
    ck_assert_int_eq(
        chain_findings_at("error", BROKEN, "CHAIN_MISSING: .*CN=EC issuer"), 1);
    chain_summary(2, 1);
    spec = world_client(w, BROKEN);
    spec.key = CLIENT_KEY_EC;
    ck_assert_int_eq(chain_verdict(spec), 0);
    spec.key = CLIENT_KEY_RSA;
    ck_assert(client_openssl_chain(&output, &spec, w->pool));
}
END_TEST

START_TEST(same_certificate_is_told_once)
{
    enum { VHOSTS = 3 };
    pki_spec_t spec = {.names = "DNS:" BROKEN ",DNS:v1.test,DNS:v2.test"};
    pki_t *leaf = chain_leaf(spec, w->issuer);

    world_chain_vhost(w, BROKEN, leaf, NULL, NULL);
    world_chain_vhost(w, "v1.test", leaf, NULL, NULL);
    world_up(w);
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX0107"), 1);
    ck_assert_int_eq(httpd_log_count(w->httpd,
                                     "OCSPX0107: (" BROKEN "|v1.test):[0-9]+ "
                                     "\\(.*httpd.conf:[0-9]+\\) and 1 other "
                                     "virtual host: CHAIN_MISSING: "),
                     1);
    chain_summary(2, 0);
    httpd_log_mark(w->httpd);
    world_chain_vhost(w, "v2.test", leaf, NULL, NULL);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    ck_assert_int_eq(
        httpd_log_count(w->httpd, "OCSPX0107: .* and 2 other virtual hosts: "),
        1);
    chain_summary(VHOSTS, 0);
}
END_TEST

START_TEST(reload_sees_the_chain_anew)
{
    pki_t *leaf = chain_leaf((pki_spec_t){0}, w->issuer);
    const char *key;

    world_chain_vhost(w, BROKEN, leaf, NULL, NULL);
    world_up(w);
    chain_summary(1, 0);
    httpd_cert(w->httpd, &key, BROKEN, leaf, w->issuer, NULL);
    httpd_log_mark(w->httpd);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX0107"), 0);
    chain_summary(1, 1);
}
END_TEST

static Suite *chain_hosts_suite(void)
{
    Suite *suite = suite_create("chain_hosts");
    TCase *tests = tcase_create("chain_hosts");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, chain_setup, chain_teardown);
    tcase_add_loop_test(tests, names_are_covered, 0,
                        sizeof(name_cases) / sizeof(*name_cases));
    tcase_add_test(tests, must_staple_and_stapled);
    tcase_add_test(tests, must_staple_with_stapling_off);
    tcase_add_test(tests, must_staple_without_responder);
    tcase_add_test(tests, private_root_is_no_reason_to_worry);
    tcase_add_test(tests, private_chain_with_a_defect);
    tcase_add_test(tests, root_is_known_to_the_system);
    tcase_add_test(tests, trust_is_a_virtual_hosts_own);
    tcase_add_test(tests, trust_in_a_directory);
    tcase_add_test(tests, trust_that_is_none);
    tcase_add_loop_test(tests, cross_signed_under_either_root, 0, 2);
    tcase_add_loop_test(tests, cross_certificate_not_sent, 0, 2);
    tcase_add_test(tests, one_certificate_of_two_is_broken);
    tcase_add_test(tests, same_certificate_is_told_once);
    tcase_add_test(tests, reload_sees_the_chain_anew);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(chain_hosts_suite());
}
