/* test_chain_check: OCSPXChainCheck off, warn and require. What is required
 * keeps a server from starting, and never stops one that runs.
 */
#include "chain_scene.h"

#define REFUSED "OCSPX0109: "

/** The broken virtual host: its leaf without the issuer. */
static pki_t *add_broken(const char *extra)
{
    pki_t *leaf = chain_leaf((pki_spec_t){0}, w->issuer);

    world_chain_vhost(w, BROKEN, leaf, extra, NULL);
    return leaf;
}

START_TEST(off_is_silent)
{
    chain_global("OCSPXChainCheck off\n");
    add_broken(NULL);
    world_up(w);
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX010[789]|CHAIN_"), 0);
}
END_TEST

START_TEST(off_for_one_virtual_host)
{
    chain_sound();
    add_broken("OCSPXChainCheck off");
    world_up(w);
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX0107"), 0);
    chain_summary(1, 1);
}
END_TEST

START_TEST(warn_is_the_default)
{
    add_broken(NULL);
    world_up(w);
    ck_assert_int_eq(chain_findings_at("error", BROKEN, "CHAIN_MISSING: "), 1);
    httpd_stop(w->httpd);
    httpd_log_mark(w->httpd);
    chain_global("OCSPXChainCheck warn\n");
    world_up(w);
    ck_assert_int_eq(chain_findings_at("error", BROKEN, "CHAIN_MISSING: "), 1);
    ck_assert_int_eq(httpd_log_count(w->httpd, REFUSED), 0);
}
END_TEST

START_TEST(require_refuses_to_start)
{
    const char *output;

    chain_sound();
    add_broken("OCSPXChainCheck require");
    ck_assert_int_gt(httpd_refusal(w->httpd, &output), 0);
    ck_assert_int_eq(chain_findings_at("crit", BROKEN, "CHAIN_MISSING: "), 1);
    ck_assert_int_eq(httpd_log_count(w->httpd, "crit.*" REFUSED), 1);
}
END_TEST

START_TEST(require_is_content_with_warnings)
{
    chain_global("OCSPXChainCheck require\n");
    chain_sound();
    world_chain_vhost(
        w, BROKEN,
        chain_leaf((pki_spec_t){.names = "DNS:other.test"}, w->issuer), NULL,
        w->issuer, w->issuer, w->root, NULL);
    world_up(w);
    ck_assert_int_eq(chain_findings_at("warn", BROKEN, "CHAIN_NAME: "), 1);
    ck_assert_int_eq(chain_findings_at("warn", BROKEN, "CHAIN_EXTRA: "), 1);
    ck_assert_int_eq(chain_findings_at("info", BROKEN, "CHAIN_ROOT: "), 1);
    ck_assert_int_eq(httpd_log_count(w->httpd, REFUSED), 0);
    ck_assert_int_eq(chain_verdict(world_client(w, BROKEN)), 1);
}
END_TEST

/* An error elsewhere is no matter of who requires. */
START_TEST(require_is_a_virtual_hosts_own)
{
    pki_t *leaf =
        chain_make((pki_spec_t){.cn = SOUND, .names = "DNS:" SOUND}, w->issuer);

    world_chain_vhost(w, SOUND, leaf, "OCSPXChainCheck require", w->issuer,
                      NULL);
    add_broken("OCSPXChainCheck warn");
    world_up(w);
    ck_assert_int_eq(chain_findings_at("error", BROKEN, "CHAIN_MISSING: "), 1);
    ck_assert_int_eq(httpd_log_count(w->httpd, REFUSED), 0);
}
END_TEST

/* The one that requires need not be the first of those with the finding. */
START_TEST(require_of_one_of_two)
{
    static const char require[] = "OCSPXChainCheck require";
    pki_t *leaf = chain_leaf(
        (pki_spec_t){.names = "DNS:" BROKEN ",DNS:v1.test"}, w->issuer);
    const char *output;

    chain_sound();
    world_up(w);
    world_chain_vhost(w, BROKEN, leaf, _i == 0 ? require : NULL, NULL);
    world_chain_vhost(w, "v1.test", leaf, _i == 1 ? require : NULL, NULL);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    ck_assert_int_eq(httpd_log_count(w->httpd,
                                     "ocspx:crit.*OCSPX0107: .* and 1 other "
                                     "virtual host: CHAIN_MISSING: "),
                     1);
    ck_assert_int_eq(httpd_log_count(w->httpd, "ocspx:crit.*" REFUSED), 1);
    ck_assert_int_eq(httpd_stop(w->httpd), 1);
    ck_assert_int_gt(httpd_refusal(w->httpd, &output), 0);
}
END_TEST

START_TEST(reload_goes_on)
{
    const char *key;
    pki_t *leaf = chain_leaf((pki_spec_t){0}, w->issuer);
    client_result_t result;
    pid_t parent;

    chain_global("OCSPXChainCheck require\n");
    chain_sound();
    world_chain_vhost(w, BROKEN, leaf, NULL, w->issuer, NULL);
    world_up(w);
    parent = httpd_pid(w->httpd);
    httpd_log_mark(w->httpd);
    httpd_cert(w->httpd, &key, BROKEN, leaf, NULL);
    ck_assert_int_ge(
        _i == 0 ? httpd_graceful(w->httpd) : httpd_restart(w->httpd), 0);
    ck_assert_int_eq(httpd_pid(w->httpd), parent);
    ck_assert(httpd_running(w->httpd));
    ck_assert_int_eq(chain_findings_at("crit", BROKEN, "CHAIN_MISSING: "), 1);
    ck_assert_int_eq(httpd_log_count(w->httpd, "crit.*" REFUSED), 1);
    world_assert_bare(w, SOUND);
    result = world_handshake(w, BROKEN);
    ck_assert_str_eq(result.chain, BROKEN);
    /* Mended, nothing more is said. */
    httpd_log_mark(w->httpd);
    httpd_cert(w->httpd, &key, BROKEN, leaf, w->issuer, NULL);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    ck_assert_int_eq(httpd_log_count(w->httpd, REFUSED "|OCSPX0107"), 0);
    chain_summary(2, 2);
}
END_TEST

static Suite *chain_check_suite(void)
{
    Suite *suite = suite_create("chain_check");
    TCase *tests = tcase_create("chain_check");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, chain_setup, chain_teardown);
    tcase_add_test(tests, off_is_silent);
    tcase_add_test(tests, off_for_one_virtual_host);
    tcase_add_test(tests, warn_is_the_default);
    tcase_add_test(tests, require_refuses_to_start);
    tcase_add_test(tests, require_is_content_with_warnings);
    tcase_add_test(tests, require_is_a_virtual_hosts_own);
    tcase_add_loop_test(tests, require_of_one_of_two, 0, 2);
    tcase_add_loop_test(tests, reload_goes_on, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(chain_check_suite());
}
