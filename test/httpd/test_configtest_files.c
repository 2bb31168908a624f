/* test_configtest_files: httpd -t with files that are damaged or none, and
 * with mod_ssl's directives where they must not be.
 */
#include "configtest_scene.h"

#include <sys/stat.h>

#include "../support/httpd_private.h"

/* A virtual host whose certificate is this; its key is in order. */
static const char *site_with(const char *name, const char *pem,
                             const char *extra)
{
    pki_t *leaf = world_leaf(w, &(pki_spec_t){.cn = name});
    const char *path = world_chain_vhost(w, name, leaf, extra, w->issuer, NULL);

    if (pem)
        pki_write_file(path, pem, strlen(pem));
    return path;
}

static const char damaged[] = "-----BEGIN CERTIFICATE-----\n"
                              "MIIB\n"
                              "-----END CERTIFICATE-----\n";
static const char garbled[] = "-----BEGIN CERTIFICATE-----\n"
                              "M*IB\n"
                              "-----END CERTIFICATE-----\n";
static const char endless[] = "-----BEGIN CERTIFICATE-----\n"
                              "MIIB\n";
static const char text[] = "This is no certificate.\n";

/* httpd does not start with what is reported; and the others are checked. */
static void assert_reported(const char *name, const char *path, const char *why)
{
    world_chain_vhost(w, "alone.test",
                      world_leaf(w, &(pki_spec_t){.cn = "alone.test"}), NULL,
                      NULL);
    assert_test(0, NULL);
    assert_said(1, apr_psprintf(w->pool,
                                "ocspx:warn.*OCSPX0130: %s:.*httpd.conf:.*: "
                                "%s %s",
                                name, path, why));
    assert_said(1, "OCSPX0130");
    assert_said(1, "OCSPX0107: alone.test:.*CHAIN_MISSING");
    assert_said(1, "OCSPX0107");
    ck_assert_int_lt(httpd_start(w->httpd), 0);
}

typedef struct {
    const char *content;
    const char *why;
} bad_t;

static const bad_t bad[] = {
    {damaged, "is damaged: "},
    {garbled, "is damaged: "},
    {endless, "is damaged: "},
    {text, "has no certificate in it"},
};
enum { BAD = sizeof(bad) / sizeof(*bad) };

START_TEST(bad_certificate)
{
    configure("warn", "");
    assert_reported("a.test", site_with("a.test", bad[_i].content, NULL),
                    bad[_i].why);
}
END_TEST

/* A test by somebody who may read less than httpd, and says so. */
START_TEST(certificate_that_may_not_be_read)
{
    const char *user = httpd_user();
    const char *argv[] = {"setpriv",
                          "--reuid",
                          user,
                          "--clear-groups",
                          httpd_config_binary(),
                          "-t",
                          "-f",
                          httpd_path(w->httpd, "httpd.conf"),
                          NULL};
    procs_result_t result;
    const char *path;

    if (!user) /* httpd is run by who runs this */
        return;
    configure("warn", "");
    path = site_with("a.test", NULL, NULL);
    assert_test(0, NULL);
    assert_said(0, "OCSPX0130");
    ck_assert_int_eq(chmod(path, 0600), 0);
    procs_run(&result, argv, NULL, 10000, w->pool);
    output = result.output;
    ck_assert_int_eq(result.status, 0);
    assert_said(1, "OCSPX0130: a.test:.* cannot be read: Permission denied; ");
}
END_TEST

START_TEST(bad_certificate_after_a_good_one)
{
    const char *path;
    const char *both;

    configure("warn", "");
    path = site_with("a.test", NULL, NULL);
    both = apr_pstrcat(w->pool, procs_read_file(path, w->pool), bad[0].content,
                       NULL);
    pki_write_file(path, both, strlen(both));
    assert_reported("a.test", path, bad[0].why);
}
END_TEST

static const char *other_file(const char *content)
{
    const char *path = httpd_path(w->httpd, "other.pem");

    pki_write_file(path, content, strlen(content));
    return path;
}

/* A chain file without any certificate is in order for mod_ssl. */
START_TEST(bad_chain_file)
{
    const char *path = other_file(bad[_i].content);

    configure("warn", "");
    site_with("a.test", NULL,
              apr_pstrcat(w->pool, "SSLCertificateChainFile ", path, NULL));
    assert_reported("a.test", path, bad[_i].why);
}
END_TEST

START_TEST(chain_file_with_nothing)
{
    const char *path = other_file(text);

    configure("warn", "");
    site_with("a.test", NULL,
              apr_pstrcat(w->pool, "SSLCertificateChainFile ", path, NULL));
    assert_test(0, NULL);
    assert_said(0, "OCSPX0130");
    assert_said(1, "OCSPX0107: a.test:.*CHAIN_MISSING");
    world_up(w);
    ck_assert_int_eq(
        httpd_log_count(w->httpd, "OCSPX0107: a.test:.*CHAIN_MISSING"), 1);
}
END_TEST

/* Only certificates that need it are left out. */
START_TEST(bad_ca_file)
{
    const char *path = other_file(bad[_i].content);
    const char *extra =
        apr_pstrcat(w->pool, "SSLCACertificateFile ", path, NULL);

    configure("info", "");
    site_with("a.test", NULL, extra);
    world_chain_vhost(w, "b.test", world_leaf(w, &(pki_spec_t){.cn = "b.test"}),
                      extra, NULL);
    assert_reported("b.test", path, bad[_i].why);
    assert_said(1, "OCSPX0108: 2 .* 1 complete");
}
END_TEST

START_TEST(one_file_is_reported_once)
{
    const char *path;

    configure("warn", "");
    path = site_with("a.test", damaged, NULL);
    httpd_vhost(w->httpd,
                &(httpd_vhost_t){.names = "b.test",
                                 .cert = path,
                                 .key = httpd_path(w->httpd, "a.test.key")});
    assert_reported("b.test", path, "is damaged: ");
}
END_TEST

/* Also where the one who requires is not the one who is named. */
START_TEST(bad_file_and_require)
{
    configure("warn", "");
    httpd_vhost(
        w->httpd,
        &(httpd_vhost_t){
            .names = "b.test",
            .cert = site_with("a.test", damaged,
                              _i == 1 ? "OCSPXChainCheck require" : NULL),
            .key = httpd_path(w->httpd, "a.test.key"),
            .extra = _i == 2 ? "OCSPXChainCheck require" : NULL});
    assert_test(_i > 0, NULL);
    assert_said(1, "OCSPX0130: b.test");
    assert_said(_i > 0, "OCSPX0131");
}
END_TEST

START_TEST(bad_ca_file_and_require)
{
    const char *ca = apr_pstrcat(w->pool, "SSLCACertificateFile ",
                                 other_file(damaged), "\n", NULL);

    configure("warn", "");
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "b.test" : "a.test";

        world_chain_vhost(
            w, name, world_leaf(w, &(pki_spec_t){.cn = name}),
            i == _i ? apr_pstrcat(w->pool, ca, "OCSPXChainCheck require", NULL)
                    : ca,
            NULL);
    }
    assert_test(1, NULL);
    assert_said(1, "OCSPX0130");
    assert_said(1, "OCSPX0131");
    assert_live(2);
    ck_assert_int_eq(lines_in(table(), "^[ab].test:[0-9]+ +unreadable"), 2);
}
END_TEST

/* The key is mod_ssl's business, and may ask for a pass phrase. */
START_TEST(keys_are_not_read)
{
    pki_t *leaf = world_leaf(w, &(pki_spec_t){.cn = "a.test"});

    configure("info", "");
    world_chain_vhost(w, "a.test", leaf, NULL, w->issuer, NULL);
    pki_write_file(httpd_path(w->httpd, "a.test.key"), text, strlen(text));
    assert_test(0, NULL);
    assert_said(1, "OCSPX0108: 1 certificate chain checked, 1 complete");
}
END_TEST

/* --- the directives are mod_ssl's -------------------------------------- */

/* As a virtual host's or the main server's line. */
static const char *const refused[] = {
    "SSLEngine perhaps",
    "SSLCertificateFile /nowhere/at.all",
    "SSLCertificateChainFile /nowhere/at.all",
    "SSLCACertificateFile /nowhere/at.all",
    "SSLCACertificatePath /nowhere/at.all",
    "<Directory />\nSSLCACertificatePath /\n</Directory>",
    "<Directory />\nSSLCACertificateFile /etc/passwd\n</Directory>",
    "<Directory />\nSSLCertificateFile /etc/passwd\n</Directory>",
};
enum { REFUSED = sizeof(refused) / sizeof(*refused) };

START_TEST(what_mod_ssl_refuses_is_refused_by_mod_ssl)
{
    const char *without;
    const char *directive = strstr(refused[_i], "SSL");

    httpd_configure(w->httpd, &(httpd_config_t){.without_ocspx = 1,
                                                .state_dir = "",
                                                .log_level = "error",
                                                .global = refused[_i]});
    ck_assert_int_eq(httpd_configtest(w->httpd, &without), 1);
    httpd_configure(w->httpd, &(httpd_config_t){.state_dir = "",
                                                .log_level = "error",
                                                .early = "# one line",
                                                .global = refused[_i]});
    ck_assert_int_eq(httpd_configtest(w->httpd, &output), 1);
    without = strstr(without, "\n");
    ck_assert_ptr_nonnull(without);
    ck_assert_msg(strstr(output, without) != NULL, "%s: %s is not in: %s",
                  directive, without, output);
}
END_TEST

START_TEST(relative_paths_are_the_server_roots)
{
    const char *key;

    httpd_cert(w->httpd, &key, "a.test",
               world_leaf(w, &(pki_spec_t){.cn = "a.test"}), NULL);
    pki_write_certs(httpd_path(w->httpd, "chain.pem"), w->issuer->cert, NULL);
    configure("info", "");
    httpd_vhost(w->httpd,
                &(httpd_vhost_t){.names = "a.test",
                                 .extra = "SSLEngine on\n"
                                          "SSLCertificateFile a.test.pem\n"
                                          "SSLCertificateKeyFile a.test.key\n"
                                          "SSLCertificateChainFile "
                                          "chain.pem\n"});
    assert_test(0, NULL);
    assert_said(1, "OCSPX0108: 1 certificate chain checked, 1 complete");
    assert_said(0, "OCSPX0107");
}
END_TEST

static const char *const without_ssl[] = {
    "SSLEngine on",
    "SSLCertificateFile /etc/passwd",
    "SSLCertificateChainFile /etc/passwd",
    "SSLCACertificateFile /etc/passwd",
    "SSLCACertificatePath /",
};
enum { WITHOUT_SSL = sizeof(without_ssl) / sizeof(*without_ssl) };

/* Otherwise what was to be served over TLS would be served in the clear. */
START_TEST(without_mod_ssl_its_directives_are_refused)
{
    httpd_configure(w->httpd, &(httpd_config_t){.without = "ssl",
                                                .global = without_ssl[_i]});
    assert_test(1, NULL);
    assert_said(1, "^SSL[A-Za-z]*: .*mod_ssl, which is not loaded");
    httpd_configure(w->httpd, &(httpd_config_t){.without = "ssl"});
    assert_test(0, NULL);
    assert_said(0, "OCSPX|mod_ssl");
    assert_test(0, "OCSPX_CHECK");
    assert_said(0, "OCSPX|mod_ssl|VERDICT");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("configtest_files");
    TCase *tc = tcase_create("configtest_files");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, bad_certificate, 0, BAD);
    tcase_add_test(tc, certificate_that_may_not_be_read);
    tcase_add_test(tc, bad_certificate_after_a_good_one);
    tcase_add_loop_test(tc, bad_chain_file, 0, BAD - 1);
    tcase_add_test(tc, chain_file_with_nothing);
    tcase_add_loop_test(tc, bad_ca_file, 0, BAD);
    tcase_add_test(tc, one_file_is_reported_once);
    tcase_add_loop_test(tc, bad_file_and_require, 0, 3);
    tcase_add_loop_test(tc, bad_ca_file_and_require, 0, 2);
    tcase_add_test(tc, keys_are_not_read);
    tcase_add_loop_test(tc, what_mod_ssl_refuses_is_refused_by_mod_ssl, 0,
                        REFUSED);
    tcase_add_test(tc, relative_paths_are_the_server_roots);
    tcase_add_loop_test(tc, without_mod_ssl_its_directives_are_refused, 0,
                        WITHOUT_SSL);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
