/* test_directives: what is accepted, refused, inherited and said at startup.
 */
#include <apr_file_io.h>
#include <apr_strings.h>
#include <regex.h>
#include <string.h>

#include "../support/check_main.h"
#include "../support/world.h"

static world_t *w;

static void set_up(void)
{
    w = world_make();
}

static void tear_down(void)
{
    world_destroy(w);
}

static void vhost(const char *name, const char *extra)
{
    world_vhost(w, name, world_leaf(w, &(pki_spec_t){.cn = name}), extra);
}

static void up(void)
{
    responder_start(w->responder);
    world_up(w);
}

static int logged(const char *regex)
{
    return httpd_log_count(w->httpd, regex);
}

static void assert_says(const char *output, const char *regex)
{
    regex_t compiled;

    ck_assert_int_eq(regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB), 0);
    ck_assert_msg(!regexec(&compiled, output, 0, NULL, 0), "no \"%s\" in: %s",
                  regex, output);
    regfree(&compiled);
}

/* mod_ssl wants one where SSLUseStapling on is written. */
static const char *ssl_cache(const char *more)
{
    return apr_pstrcat(
        w->pool, "SSLStaplingCache shmcb:", httpd_path(w->httpd, "stapling"),
        "(65536)\n", more, NULL);
}

/* --- on and off ------------------------------------------------------ */

START_TEST(stock_configuration_works_unchanged)
{
    world_global(w, ssl_cache("SSLUseStapling on\n"
                              "SSLStaplingResponderTimeout 5\n"
                              "SSLStaplingReturnResponderErrors off\n"
                              "SSLStaplingStandardCacheTimeout 3600\n"
                              "SSLStaplingErrorCacheTimeout 600\n"
                              "SSLStaplingFakeTryLater off\n"));
    vhost("a.test", NULL);
    vhost("b.test", "SSLUseStapling off\n");
    up();
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 1);
    world_assert_good(w, "a.test");
    world_assert_bare(w, "b.test");
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 1);
    ck_assert_int_eq(logged("AH0(22|19|28)"), 0); /* mod_ssl's own stapling */
}
END_TEST

START_TEST(each_switch_is_obeyed)
{
    world_global(w, ssl_cache(""));
    vhost("default.test", NULL);
    vhost("ssl-on.test", "SSLUseStapling on\n");
    vhost("ssl-off.test", "SSLUseStapling off\n");
    vhost("own-on.test", "OCSPXUseStapling on\n");
    vhost("own-off.test", "OCSPXUseStapling off\n");
    vhost("own-wins.test", "SSLUseStapling off\nOCSPXUseStapling on\n");
    up();
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 4);
    world_assert_good(w, "default.test");
    world_assert_good(w, "ssl-on.test");
    world_assert_bare(w, "ssl-off.test");
    world_assert_good(w, "own-on.test");
    world_assert_bare(w, "own-off.test");
    world_assert_good(w, "own-wins.test");
}
END_TEST

START_TEST(switched_off_leaves_mod_ssl_alone)
{
    pki_t *leaf;

    world_global(w, ssl_cache("SSLUseStapling on\nOCSPXUseStapling off\n"));
    leaf = world_site(w, "a.test");
    up();
    ck_assert_uint_eq(responder_requests(w->responder, leaf), 0);
    world_assert_good(w, "a.test"); /* fetched in the handshake */
    ck_assert_uint_eq(responder_requests(w->responder, leaf), 1);
}
END_TEST

START_TEST(virtual_hosts_inherit_and_override)
{
    world_global(w, "SSLUseStapling off\n");
    vhost("inherits.test", NULL);
    vhost("overrides.test", "OCSPXUseStapling on\n");
    up();
    world_assert_bare(w, "inherits.test");
    world_assert_good(w, "overrides.test");
}
END_TEST

START_TEST(errors_are_never_stapled)
{
    httpd_configure(w->httpd,
                    &(httpd_config_t){
                        .log_level = "info",
                        .global = ssl_cache("SSLUseStapling on\n"
                                            "SSLStaplingReturnResponderErrors "
                                            "on\nSSLStaplingFakeTryLater on\n"),
                    });
    vhost("a.test", NULL);
    responder_script(w->responder, NULL,
                     &(responder_script_t){.answer = RESPONDER_TRY_LATER});
    up();
    world_assert_bare(w, "a.test");
    ck_assert_int_eq(logged("OCSPX0112"), 1);
    ck_assert_int_ge(logged("RESP_TRYLATER"), 1);
}
END_TEST

/* --- values ---------------------------------------------------------- */

/* Lines for the main server that the configuration test must refuse, and
 * what it has to say besides the directive's name. */
static const struct {
    const char *line, *says;
} refused[] = {
    {"OCSPXUseStapling maybe", "On or Off"},
    {"OCSPXCache 1K", "'1K': must be a size in bytes"},
    {"OCSPXCache lots", "'lots': must be a size in bytes"},
    {"OCSPXCache 3000M", "'3000M': must be a size in bytes"},
    {"OCSPXStateDir ''", "takes one argument"},
    {"OCSPXStartupWait -1", "'-1': must be a whole number of seconds from 0"},
    {"OCSPXStartupWait 601", "'601': must be a whole number of seconds from 0"},
    {"OCSPXStartupWait 5s", "'5s': must be a whole number of seconds from 0"},
    {"OCSPXRefreshAt 4", "'4': must be a whole number of percent from 5 to 75"},
    {"OCSPXRefreshAt 76", "'76': must be a whole number of percent"},
    {"OCSPXRetry 0 10", "'0': must be a whole number of seconds \\(min\\)"},
    {"OCSPXRetry 10 9", "'9': must be a whole number of seconds \\(max\\) "
                        "from 10 to 86400"},
    {"OCSPXRetry 10", "takes two arguments"},
    {"OCSPXMaturity -1", "'-1': must be a whole number of seconds from 0"},
    {"OCSPXMaturity 3601", "'3601': must be a whole number of seconds from 0 "
                           "to 3600"},
    {"OCSPXMaxParallel 0", "'0': must be a whole number \\(total\\) from 1"},
    {"OCSPXMaxParallel 4 5", "'5': must be a whole number \\(per host\\) from "
                             "1 to 4"},
    {"OCSPXProxy proxy:3128", "must be an http or https URL"},
    {"OCSPXMethod put", "'put': must be 'auto', 'get' or 'post'"},
    {"OCSPXCertIDHash md5", "'md5': must be 'sha1' or 'sha256'"},
    {"OCSPXMaxResponseSize 1023", "'1023': must be a whole number of bytes"},
    {"OCSPXMaxResponseSize 99999999999999999999", "must be a whole number"},
    {"OCSPXResponseFile ''", "takes one argument"},
    {"OCSPXRevoked hide", "'hide': must be 'staple' or 'withhold'"},
    {"OCSPXNotify", "a command is missing"},
    {"OCSPXNotify /nowhere/command", "'/nowhere/command': must be the path of"},
    {"OCSPXNotify /tmp a b", "'/tmp': must be the path of an executable file"},
    {"OCSPXNotify httpd.conf", "'httpd.conf': must be the path of"},
    {"SSLStaplingForceURL ldap://x/", "must be an http or https URL"},
    {"SSLStaplingResponderTimeout -5", "invalid argument|not below 0"},
    {"SSLOCSPProxyURL ftp://x/", "must be an http or https URL"},
};

START_TEST(wrong_value_is_refused_with_a_sentence)
{
    const char *output;

    vhost("a.test", NULL);
    world_global(w, apr_pstrcat(w->pool, refused[_i].line, "\n", NULL));
    ck_assert_int_ne(httpd_configtest(w->httpd, &output), 0);
    assert_says(output, apr_pstrndup(w->pool, refused[_i].line,
                                     strcspn(refused[_i].line, " ")));
    assert_says(output, refused[_i].says);
}
END_TEST

/* Bytes of the largest anonymous shared mapping of httpd: the cache. */
static unsigned long cache_size(void)
{
    const char *path =
        apr_psprintf(w->pool, "/proc/%d/maps", (int)httpd_pid(w->httpd));
    FILE *maps = fopen(path, "r");
    unsigned long largest = 0, from, to;
    char line[1024];

    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof(line), maps))
        if (strstr(line, "/dev/zero") &&
            sscanf(line, "%lx-%lx rw-s", &from, &to) == 2 &&
            to - from > largest)
            largest = to - from;
    fclose(maps);
    return largest;
}

START_TEST(cache_is_as_large_as_asked_for)
{
    static const struct {
        const char *lines;
        unsigned long least, most;
    } sizes[] = {
        {"", 262144, 2000000},
        {"OCSPXCache 9M\n", 9437184, 10000000},
        {"OCSPXCache 64K\n", 262144, 2000000}, /* "at least" */
        {"SSLStaplingCache shmcb:stapling(9000000)\n", 9000000, 10000000},
        {"OCSPXCache 9000K\nSSLStaplingCache shmcb:stapling(512000)\n", 9216000,
         10000000},
    };
    unsigned long size;

    world_global(w, sizes[_i].lines);
    vhost("a.test", NULL);
    up();
    world_assert_good(w, "a.test");
    size = cache_size();
    ck_assert_uint_ge(size, sizes[_i].least);
    ck_assert_uint_le(size, sizes[_i].most);
}
END_TEST

START_TEST(server_wide_directive_is_refused_in_a_virtual_host)
{
    static const char *const lines[] = {
        "OCSPXCache 1M",
        "OCSPXStateDir none",
        "OCSPXStartupWait 1",
        "OCSPXRefreshAt 50",
        "OCSPXRetry 5 60",
        "OCSPXMaxParallel 1",
        "OCSPXMaxResponseSize 65536",
        "OCSPXNotify /bin/true",
    };
    const char *output;

    vhost("a.test", lines[_i]);
    ck_assert_int_ne(httpd_configtest(w->httpd, &output), 0);
    assert_says(output, "cannot occur within <VirtualHost>");
}
END_TEST

/* --- what is said at startup ----------------------------------------- */

static void log_info(const char *global)
{
    httpd_configure(w->httpd,
                    &(httpd_config_t){.log_level = "info", .global = global});
}

START_TEST(certificates_without_responder_are_one_line)
{
    log_info(ssl_cache("SSLUseStapling on\n"));
    world_vhost(w, "a.test",
                world_leaf(w, &(pki_spec_t){.cn = "a.test", .ocsp_urls = ""}),
                NULL);
    world_vhost(w, "b.test",
                world_leaf(w, &(pki_spec_t){.cn = "b.test", .ocsp_urls = ""}),
                NULL);
    vhost("c.test", NULL);
    up();
    world_assert_bare(w, "a.test");
    world_assert_bare(w, "b.test");
    world_assert_good(w, "c.test");
    ck_assert_int_eq(logged("OCSPX0105: NO_URL: 2 certificates"), 1);
    /* mod_ssl may find an older OpenSSL than it was built with. */
    ck_assert_int_eq(logged("(ocspx|ssl):(warn|error)"), logged("AH01882"));
}
END_TEST

START_TEST(must_staple_that_cannot_be_is_a_warning)
{
    world_vhost(w, "a.test",
                world_leaf(w, &(pki_spec_t){.cn = "a.test", .must_staple = 1}),
                "OCSPXUseStapling off\n");
    world_vhost(w, "b.test",
                world_leaf(w, &(pki_spec_t){.cn = "b.test",
                                            .must_staple = 1,
                                            .ocsp_urls = ""}),
                NULL);
    up();
    ck_assert_int_eq(
        logged("OCSPX0107: a.test:.*: MUST_STAPLE_OFF: .*switched off"), 1);
    ck_assert_int_eq(logged("OCSPX0107: b.test:.*: MUST_STAPLE_OFF: "), 1);
}
END_TEST

START_TEST(different_settings_for_one_certificate_are_a_warning)
{
    pki_t *leaf = world_leaf(
        w, &(pki_spec_t){.cn = "a.test", .names = "DNS:a.test,DNS:b.test"});

    world_vhost(w, "a.test", leaf, NULL);
    world_vhost(w, "b.test", leaf, "OCSPXMethod post\n");
    up();
    world_assert_good(w, "a.test");
    world_assert_good(w, "b.test");
    ck_assert_int_eq(logged("OCSPX0102: certificate a.test is used with "
                            "different OCSP settings by b.test:.*and a.test:"),
                     1);
    ck_assert_uint_eq(responder_requests(w->responder, leaf), 1);
}
END_TEST

START_TEST(missing_issuer_is_named)
{
    pki_t *leaf = world_leaf(w, &(pki_spec_t){.cn = "a.test"});
    const char *key;
    const char *cert = httpd_cert(w->httpd, &key, "a.test", leaf, NULL);

    httpd_vhost(w->httpd,
                &(httpd_vhost_t){.names = "a.test", .cert = cert, .key = key});
    up();
    ck_assert_int_eq(logged("OCSPX0107: a.test:.*: CHAIN_MISSING: .*Issuer"),
                     1);
}
END_TEST

START_TEST(mod_md_keeps_what_it_staples)
{
    pki_t *theirs;
    pki_t *ours;

    httpd_configure(w->httpd, &(httpd_config_t){
                                  .modules = "md",
                                  .log_level = "info",
                                  .global = apr_pstrcat(
                                      w->pool, "MDStoreDir ",
                                      httpd_path(w->httpd, "md"), "\n", NULL),
                              });
    theirs = world_leaf(w, &(pki_spec_t){.cn = "theirs.test"});
    world_vhost(w, "theirs.test", theirs, "MDStapling on\n");
    ours = world_leaf(w, &(pki_spec_t){.cn = "ours.test"});
    world_vhost(w, "ours.test", ours, NULL);
    up();
    ck_assert_int_eq(
        logged("OCSPX0106: OTHER_PROVIDER: 1 certificate stapled "), 1);
    ck_assert_int_eq(logged("OCSPX0115: stapling 1 certificate"), 1);
    world_assert_good(w, "ours.test");
    world_wait_good(w, "theirs.test", 15000);
}
END_TEST

/* --- modules that are missing, or there twice ------------------------ */

START_TEST(without_mod_ssl_there_is_nothing_to_do)
{
    httpd_configure(w->httpd, &(httpd_config_t){.without = "ssl"});
    world_up(w);
    ck_assert_int_eq(logged("OCSPX0116"), 1);
    ck_assert_int_eq(logged("OCSPX"), 1);
}
END_TEST

START_TEST(without_tls_there_is_nothing_to_say)
{
    httpd_configure(w->httpd, &(httpd_config_t){.log_level = "info"});
    world_up(w);
    ck_assert_int_eq(logged("OCSPX"), 0);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    ck_assert_int_eq(logged("OCSPX"), 0);
}
END_TEST

START_TEST(without_mod_watchdog_stapling_is_mod_ssls)
{
    const char *preload = getenv("OCSPX_WITHOUT_WATCHDOG");

    ck_assert_ptr_nonnull(preload);
    world_global(w, ssl_cache("SSLUseStapling on\n"));
    vhost("a.test", NULL);
    responder_start(w->responder);
    setenv("LD_PRELOAD", preload, 1);
    world_up(w);
    unsetenv("LD_PRELOAD");
    ck_assert_int_eq(logged("OCSPX0117"), 1);
    ck_assert_int_eq(logged("OCSPX"), 1 + logged("OCSPX010[78]"));
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 0);
    world_assert_good(w, "a.test");
}
END_TEST

START_TEST(second_copy_of_the_module_does_no_harm)
{
    const char *module = getenv("OCSPX_MODULE");
    const char *copy = httpd_path(w->httpd, "copy.so");
    const char *output;

    ck_assert_ptr_nonnull(module);
    ck_assert_int_eq(apr_file_copy(module, copy, APR_FPROT_OS_DEFAULT, w->pool),
                     APR_SUCCESS);
    httpd_configure(w->httpd,
                    &(httpd_config_t){
                        .early = apr_psprintf(w->pool,
                                              "LoadModule ocspx_module %s\n"
                                              "LoadModule ocspx_module %s\n",
                                              module, copy),
                    });
    vhost("a.test", NULL);
    ck_assert_int_eq(httpd_configtest(w->httpd, &output), 0);
    assert_says(output, "ocspx_module is already loaded");
    up();
    world_assert_good(w, "a.test");
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 1);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    world_assert_good(w, "a.test");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("directives");
    TCase *tc = tcase_create("directives");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, stock_configuration_works_unchanged);
    tcase_add_test(tc, each_switch_is_obeyed);
    tcase_add_test(tc, switched_off_leaves_mod_ssl_alone);
    tcase_add_test(tc, virtual_hosts_inherit_and_override);
    tcase_add_test(tc, errors_are_never_stapled);
    tcase_add_loop_test(tc, wrong_value_is_refused_with_a_sentence, 0,
                        sizeof(refused) / sizeof(*refused));
    tcase_add_loop_test(tc, server_wide_directive_is_refused_in_a_virtual_host,
                        0, 8);
    tcase_add_loop_test(tc, cache_is_as_large_as_asked_for, 0, 5);
    tcase_add_test(tc, certificates_without_responder_are_one_line);
    tcase_add_test(tc, must_staple_that_cannot_be_is_a_warning);
    tcase_add_test(tc, different_settings_for_one_certificate_are_a_warning);
    tcase_add_test(tc, missing_issuer_is_named);
    tcase_add_test(tc, mod_md_keeps_what_it_staples);
    tcase_add_test(tc, without_mod_ssl_there_is_nothing_to_do);
    tcase_add_test(tc, without_tls_there_is_nothing_to_say);
    tcase_add_test(tc, without_mod_watchdog_stapling_is_mod_ssls);
    tcase_add_test(tc, second_copy_of_the_module_does_no_harm);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
