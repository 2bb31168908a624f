/* test_source: what the report is made from on a real httpd: certificates that
 * are not ours, and why; findings; what a reload takes along.
 */
#include "status_scene.h"

#include <jansson.h>

static json_t *json; /* the report asked for last */

static void tear_down_json(void)
{
    json_decref(json);
    json = NULL;
    tear_down();
}

static void report(const char *args)
{
    json_error_t error;

    json_decref(json);
    json = json_loads(page(apr_pstrcat(w->pool, "?format=json", args, NULL)),
                      JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(json != NULL, "%s", error.text);
}

static json_int_t total(const char *key)
{
    return json_integer_value(
        json_object_get(json_object_get(json, "totals"), key));
}

/* The only row of this certificate. */
static const json_t *row(const pki_t *leaf)
{
    report(apr_pstrcat(w->pool, "&cert=", id_of(leaf), NULL));
    ck_assert_uint_eq(json_array_size(json_object_get(json, "certificates")),
                      1);
    return json_array_get(json_object_get(json, "certificates"), 0);
}

static const char *text(const json_t *of, const char *key)
{
    const char *value = json_string_value(json_object_get(of, key));

    return value ? value : "";
}

static void assert_row(const pki_t *leaf, const char *state, const char *cause,
                       const char *message)
{
    const json_t *of = row(leaf);

    ck_assert_str_eq(text(of, "state"), state);
    ck_assert_str_eq(text(of, "cause"), cause);
    ck_assert_msg(strstr(text(of, "message"), message) != NULL, "%s",
                  text(of, "message"));
    ck_assert_str_eq(text(of, "safeUntil"), "");
}

static size_t places(const pki_t *leaf)
{
    return json_array_size(json_object_get(row(leaf), "vhosts"));
}

static void let_mod_ssl_staple(void)
{
    httpd_configure(
        w->httpd,
        &(httpd_config_t){.modules = "socache_shmcb",
                          .global = PAGE "SSLStaplingCache shmcb:stapling\n"});
}

/* --- others ---------------------------------------------------------- */

START_TEST(every_reason_is_told)
{
    pki_t *off = world_leaf(w, &(pki_spec_t){.cn = "off.test"});
    pki_t *must =
        world_leaf(w, &(pki_spec_t){.cn = "must.test", .must_staple = 1});
    pki_t *ssl = world_leaf(w, &(pki_spec_t){.cn = "ssl.test"});
    pki_t *none =
        world_leaf(w, &(pki_spec_t){.cn = "none.test", .ocsp_urls = ""});
    pki_t *bad = world_leaf(
        w, &(pki_spec_t){.cn = "bad.test", .ocsp_urls = "ldap://bad/"});
    pki_t *alone = world_leaf(w, &(pki_spec_t){.cn = "alone.test"});
    pki_t *self = pki_make(&(pki_spec_t){.cn = "self.test"}, NULL, w->pool);
    pki_t *ours = world_site(w, "ours.test");

    let_mod_ssl_staple();
    world_vhost(w, "off.test", off, "OCSPXUseStapling off\n");
    world_vhost(w, "must.test", must, "OCSPXUseStapling off\n");
    world_vhost(w, "ssl.test", ssl,
                "OCSPXUseStapling off\nSSLUseStapling on\n");
    world_vhost(w, "none.test", none, NULL);
    world_vhost(w, "bad.test", bad, NULL);
    world_chain_vhost(w, "alone.test", alone, NULL, NULL);
    world_chain_vhost(w, "self.test", self, NULL, NULL);
    up();
    assert_row(off, "not-applicable", "", "switched off");
    assert_row(must, "not-applicable", "MUST_STAPLE_OFF", "switched off");
    assert_row(ssl, "other-provider", "OTHER_PROVIDER", "mod_ssl staples it");
    assert_row(none, "not-applicable", "NO_URL", "names no OCSP responder");
    assert_row(bad, "not-applicable", "BAD_URL",
               "it names no OCSP responder that can be asked, but ldap://bad/");
    assert_row(alone, "failing", "CHAIN_MISSING", "issuer is not in the chain");
    assert_row(self, "not-applicable", "NO_URL", "names no OCSP responder");
    ck_assert_str_eq(text(row(ours), "state"), "stapled");
    ck_assert_int_eq(total("certificates"), 8);
    ck_assert_int_eq(total("certificatesNotApplicable"), 5);
    ck_assert_int_eq(total("certificatesFailing"), 1);
}
END_TEST

START_TEST(another_module_is_told)
{
    pki_t *theirs = world_leaf(w, &(pki_spec_t){.cn = "theirs.test"});

    httpd_configure(w->httpd,
                    &(httpd_config_t){.modules = "md", .global = PAGE});
    world_vhost(w, "theirs.test", theirs, "MDStapling on\n");
    up();
    assert_row(theirs, "other-provider", "OTHER_PROVIDER", "mod_md");
}
END_TEST

/* The same certificate for the same reason is one row, for another it is
 * another. */
START_TEST(one_row_for_one_reason)
{
    pki_t *leaf = world_leaf(
        w, &(pki_spec_t){.cn = "a.test",
                         .names = "DNS:a.test,DNS:b.test,DNS:c.test"});

    let_mod_ssl_staple();
    world_vhost(w, "a.test", leaf, "OCSPXUseStapling off\n");
    world_vhost(w, "b.test", leaf, "OCSPXUseStapling off\n");
    up();
    ck_assert_uint_eq(places(leaf), 2);
    world_vhost(w, "c.test", leaf, NULL);
    world_vhost(w, "d.test", leaf, "OCSPXUseStapling off\nSSLUseStapling on\n");
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    world_wait_good(w, "c.test", 10000);
    report("");
    ck_assert_int_eq(total("certificates"), 3);
    ck_assert_int_eq(total("certificatesStapled"), 1);
    ck_assert_int_eq(total("certificatesOtherProvider"), 1);
    ck_assert_int_eq(total("certificatesNotApplicable"), 1);
}
END_TEST

/* What a repair is to complete is in the registry, with or without responder,
 * and nowhere else. */
START_TEST(to_be_repaired_is_ours)
{
    const pki_spec_t spec = {.cn = "a.test",
                             .ca_issuers = "http://127.0.0.1:1/ca"};
    pki_spec_t silent = spec;
    pki_t *leaf = world_leaf(w, &spec), *nobody;

    silent.ocsp_urls = "";
    nobody = world_leaf(w, &silent);
    world_chain_vhost(w, "a.test", leaf, "OCSPXChainRepair on\n", NULL);
    world_chain_vhost(w, "b.test", nobody, "OCSPXChainRepair on\n", NULL);
    up();
    assert_row(leaf, "failing", "CONNECT_REFUSED", "127.0.0.1:1");
    assert_row(nobody, "not-applicable", "CONNECT_REFUSED", "127.0.0.1:1");
    ck_assert_int_eq(total("certificates"), 2);
}
END_TEST

/* Nothing is stapled by us, so all of it is told as others. */
START_TEST(without_mod_watchdog)
{
    pki_t *leaf = world_site(w, "a.test");
    const char *preload = getenv("OCSPX_WITHOUT_WATCHDOG");

    ck_assert_ptr_nonnull(preload);
    setenv("LD_PRELOAD", preload, 1);
    up();
    unsetenv("LD_PRELOAD");
    assert_row(leaf, "not-applicable", "", "mod_watchdog is not loaded");
}
END_TEST

/* --- findings -------------------------------------------------------- */

START_TEST(findings_are_told)
{
    pki_t *leaf = world_leaf(w, &(pki_spec_t){.cn = "a.test"});
    const json_t *finding;

    world_chain_vhost(w, "a.test", leaf, NULL, NULL);
    world_chain_vhost(w, "b.test", leaf, NULL, NULL);
    up();
    report("");
    ck_assert_int_eq(total("findingsError"), 1);
    finding = json_array_get(json_object_get(json, "findings"), 0);
    ck_assert_str_eq(text(finding, "code"), "CHAIN_MISSING");
    ck_assert_ptr_nonnull(strstr(text(finding, "vhost"), ".test:"));
    ck_assert_ptr_nonnull(strstr(text(finding, "vhost"), "httpd.conf:"));
    ck_assert_int_eq(json_integer_value(json_object_get(finding, "others")), 1);
}
END_TEST

/* --- reload ---------------------------------------------------------- */

START_TEST(a_reload_takes_all_along)
{
    pki_t *leaf = world_site(w, "a.test");
    pki_t *later = world_leaf(w, &(pki_spec_t){.cn = "b.test"});

    up();
    world_assert_good(w, "a.test");
    world_assert_good(w, "a.test");
    ck_assert_int_eq(
        json_integer_value(json_object_get(row(leaf), "handshakesStapled")), 2);
    ck_assert_int_eq(total("requests"), 1);
    ck_assert_int_eq(total("attemptsOk"), 1);
    ck_assert_uint_eq(json_array_size(json_object_get(json, "history")), 1);
    ck_assert_int_gt(total("refresherPid"), 0);
    world_vhost(w, "b.test", later, NULL);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    ck_assert_int_eq(
        json_integer_value(json_object_get(row(leaf), "handshakesStapled")), 2);
    ck_assert_uint_eq(json_array_size(json_object_get(json, "history")), 1);
    ck_assert_int_ge(total("requests"), 1);
    ck_assert_int_ge(total("attemptsOk"), 1);
    ck_assert_int_ge(total("cacheUsed"), 1);
    ck_assert_int_gt(total("cacheBytes"), total("cacheUsed"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("source");
    TCase *tc = tcase_create("source");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down_json);
    tcase_add_test(tc, every_reason_is_told);
    tcase_add_test(tc, another_module_is_told);
    tcase_add_test(tc, one_row_for_one_reason);
    tcase_add_test(tc, to_be_repaired_is_ours);
    tcase_add_test(tc, without_mod_watchdog);
    tcase_add_test(tc, findings_are_told);
    tcase_add_test(tc, a_reload_takes_all_along);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
