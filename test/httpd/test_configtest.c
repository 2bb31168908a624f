/* test_configtest: httpd -t finds in the files what a start would find in what
 * mod_ssl made of them.
 */
#include "configtest_scene.h"

#include <sys/stat.h>
#include <unistd.h>

/* Virtual hosts: "a.test" with a certificate of its own, and what is to stand
 * in its file after that. */
#define SITE(name, ...)                                                        \
    world_chain_vhost(w, name, world_leaf(w, &(pki_spec_t){.cn = name}), NULL, \
                      __VA_ARGS__)

/* What the module said of chains, less what differs by time and process. */
static const char *chain_lines(const char *text)
{
    char *copy = apr_pstrdup(w->pool, text);
    const char *lines = "";
    char *state;

    for (char *line = apr_strtok(copy, "\n", &state); line != NULL;
         line = apr_strtok(NULL, "\n", &state)) {
        const char *message = strstr(line, "OCSPX010");

        if (message && (message[8] == '7' || message[8] == '8'))
            lines = apr_pstrcat(w->pool, lines, message, "\n", NULL);
    }
    return lines;
}

/* The test says what the start says, and the start starts. */
static void assert_as_at_a_start(void)
{
    assert_test(0, NULL);
    httpd_log_mark(w->httpd);
    world_up(w);
    ck_assert_str_eq(chain_lines(output),
                     chain_lines(procs_read_file(
                         httpd_path(w->httpd, "error.log"), w->pool)));
}

static const char *chain_sent(const char *name, client_key_e key)
{
    client_spec_t spec = world_client(w, name);
    client_result_t result;

    spec.key = key;
    client_handshake(&result, &spec, w->pool);
    return result.chain;
}

/* --- where the chain comes from --------------------------------------- */

START_TEST(chain_in_the_certificates_file)
{
    configure("info", "");
    SITE("whole.test", w->issuer, NULL);
    SITE("alone.test", NULL);
    assert_as_at_a_start();
    assert_said(1, "OCSPX0108: 2 certificate chains checked, 1 complete; "
                   "errors: 1, warnings: 0, notes: 0");
    assert_said(1, "OCSPX0107");
    assert_said(1, "OCSPX0107: alone.test:.*: CHAIN_MISSING: .*Issuer");
    ck_assert_str_eq(chain_sent("whole.test", CLIENT_KEY_ANY),
                     "whole.test, Issuer");
}
END_TEST

/* A chain file is used instead of what else is in the certificate's. */
static void with_chain_file(const char *name, const pki_t *in_cert_file,
                            const pki_t *in_chain_file)
{
    pki_t *leaf = world_leaf(
        w, &(pki_spec_t){.cn = name, .ca_issuers = "http://ca.test/i"});
    const char *path =
        httpd_path(w->httpd, apr_pstrcat(w->pool, name, ".chain.pem", NULL));

    pki_write_certs(path, in_chain_file->cert, NULL);
    world_chain_vhost(
        w, name, leaf,
        apr_pstrcat(w->pool, "SSLCertificateChainFile ", path, NULL),
        in_cert_file, NULL);
}

START_TEST(chain_in_a_file_of_its_own)
{
    const pki_t *stranger =
        pki_make(&(pki_spec_t){.cn = "Stranger", .ca = 1}, w->root, w->pool);

    configure("info", "");
    with_chain_file("good.test", stranger, w->issuer);
    with_chain_file("bad.test", w->issuer, stranger);
    assert_as_at_a_start();
    /* The chain file is the one to mend. */
    assert_said(1, "OCSPX0107: bad.test:.*: CHAIN_MISSING: .*bad.*chain.pem'");
    assert_said(0, "OCSPX0107: good.test:");
    ck_assert_str_eq(chain_sent("good.test", CLIENT_KEY_ANY),
                     "good.test, Issuer");
}
END_TEST

START_TEST(chain_file_is_the_certificates_file)
{
    pki_t *leaf = world_leaf(w, &(pki_spec_t){.cn = "a.test"});
    const char *key;
    const char *cert =
        httpd_cert(w->httpd, &key, "a.test", leaf, w->issuer, NULL);

    configure("info", "");
    httpd_vhost(w->httpd, &(httpd_vhost_t){.names = "a.test",
                                           .cert = cert,
                                           .key = key,
                                           .chain = cert});
    assert_as_at_a_start();
    assert_said(0, "OCSPX0107");
    assert_said(1, "OCSPX0108: 1 .* 1 complete");
    ck_assert_str_eq(chain_sent("a.test", CLIENT_KEY_ANY), "a.test, Issuer");
}
END_TEST

/* A directory as openssl rehash makes it. */
static const char *directory_with(const pki_t *ca)
{
    const char *path = httpd_path(w->httpd, "ca");

    ck_assert_int_eq(mkdir(path, 0755), 0);
    pki_write_certs(
        apr_psprintf(w->pool, "%s/%08lx.0", path,
                     X509_NAME_hash(X509_get_subject_name(ca->cert))),
        ca->cert, NULL);
    return path;
}

START_TEST(chain_found_by_openssl_in_the_ca_files)
{
    const char *file = httpd_path(w->httpd, "ca.pem");
    pki_t *leaf = world_leaf(w, &(pki_spec_t){.cn = "file.test"});

    pki_write_certs(file, w->root->cert, w->issuer->cert, NULL);
    configure("info", "");
    world_chain_vhost(w, "file.test", leaf,
                      apr_pstrcat(w->pool, "SSLCACertificateFile ", file, NULL),
                      NULL);
    leaf = world_leaf(w, &(pki_spec_t){.cn = "path.test"});
    world_chain_vhost(w, "path.test", leaf,
                      apr_pstrcat(w->pool, "SSLCACertificatePath ",
                                  directory_with(w->issuer), NULL),
                      NULL);
    leaf = world_leaf(w, &(pki_spec_t){.cn = "both.test"});
    world_chain_vhost(w, "both.test", leaf,
                      apr_pstrcat(w->pool, "SSLCACertificateFile ", file, NULL),
                      w->issuer, NULL);
    SITE("none.test", NULL);
    assert_as_at_a_start();
    assert_said(1, "OCSPX0107: file.test:.*: CHAIN_ROOT: ");
    assert_said(1, "OCSPX0107: none.test:.*: CHAIN_MISSING: ");
    assert_said(2, "OCSPX0107");
    ck_assert_str_eq(chain_sent("file.test", CLIENT_KEY_ANY),
                     "file.test, Issuer, Root");
    ck_assert_str_eq(chain_sent("path.test", CLIENT_KEY_ANY),
                     "path.test, Issuer");
    ck_assert_str_eq(chain_sent("both.test", CLIENT_KEY_ANY),
                     "both.test, Issuer");
    ck_assert_str_eq(chain_sent("none.test", CLIENT_KEY_ANY), "none.test");
}
END_TEST

/* Two certificates in files of their own, each with what follows it. */
static void two_files(const pki_t *first, const pki_t *first_chain,
                      const pki_t *second, const pki_t *second_chain)
{
    const char *keys[2];
    const char *certs[2] = {
        httpd_cert(w->httpd, &keys[0], "first", first, first_chain, NULL),
        httpd_cert(w->httpd, &keys[1], "second", second, second_chain, NULL)};

    httpd_vhost(w->httpd,
                &(httpd_vhost_t){
                    .names = "a.test",
                    .cert = apr_pstrcat(w->pool, certs[0], " ", certs[1], NULL),
                    .key = apr_pstrcat(w->pool, keys[0], " ", keys[1], NULL)});
}

START_TEST(rsa_and_ecdsa_are_checked_apart)
{
    configure("info", "");
    two_files(world_leaf(w, &(pki_spec_t){.cn = "a.test", .key = PKI_RSA}),
              w->issuer,
              world_leaf(w, &(pki_spec_t){.cn = "a.test",
                                          .ca_issuers = "http://ca.test/i"}),
              NULL);
    assert_as_at_a_start();
    assert_said(1, "OCSPX0107");
    assert_said(1, "OCSPX0107: a.test:.*: CHAIN_MISSING: .*/second.pem");
    assert_said(1, "OCSPX0108: 2 certificate chains checked, 1 complete");
    ck_assert_str_eq(chain_sent("a.test", CLIENT_KEY_RSA), "a.test, Issuer");
    ck_assert_str_eq(chain_sent("a.test", CLIENT_KEY_EC), "a.test");
}
END_TEST

START_TEST(of_two_of_a_kind_the_last_is_sent)
{
    configure("info", "");
    two_files(world_leaf(w, &(pki_spec_t){.cn = "a.test"}), NULL,
              world_leaf(w, &(pki_spec_t){.cn = "a.test"}), w->issuer);
    assert_as_at_a_start();
    assert_said(0, "OCSPX0107");
    assert_said(1, "OCSPX0108: 1 .* 1 complete");
}
END_TEST

/* The main server's RSA certificate is replaced by the virtual host's first
 * file, its EC certificate stays. */
START_TEST(virtual_hosts_inherit_as_with_mod_ssl)
{
    const char *keys[3];
    const char *files[] = {
        httpd_cert(w->httpd, &keys[0], "main-rsa",
                   world_leaf(w, &(pki_spec_t){.cn = "a.test", .key = PKI_RSA}),
                   NULL),
        httpd_cert(
            w->httpd, &keys[1], "main-ec",
            world_leaf(w, &(pki_spec_t){.cn = "a.test",
                                        .ca_issuers = "http://ca.test/i"}),
            NULL),
        httpd_cert(w->httpd, &keys[2], "own-rsa",
                   world_leaf(w, &(pki_spec_t){.cn = "a.test", .key = PKI_RSA}),
                   w->issuer, NULL)};

    configure("info",
              apr_psprintf(w->pool,
                           "SSLCertificateFile %s\nSSLCertificateKeyFile %s\n"
                           "SSLCertificateFile %s\nSSLCertificateKeyFile %s\n",
                           files[0], keys[0], files[1], keys[1]));
    httpd_vhost(
        w->httpd,
        &(httpd_vhost_t){.names = "a.test", .cert = files[2], .key = keys[2]});
    assert_as_at_a_start();
    assert_said(1, "OCSPX0107");
    assert_said(1, "CHAIN_MISSING: .*/main-ec.pem");
    assert_said(1, "OCSPX0108: 2 .* 1 complete");
}
END_TEST

/* One of another kind than the main server's, in its place. */
START_TEST(the_first_replaces_the_first)
{
    const char *key;
    const char *cert =
        httpd_cert(w->httpd, &key, "main-ec",
                   world_leaf(w, &(pki_spec_t){.cn = "a.test"}), NULL);

    configure("info", apr_psprintf(w->pool,
                                   "SSLCertificateFile %s\n"
                                   "SSLCertificateKeyFile %s\n",
                                   cert, key));
    world_vhost(w, "a.test",
                world_leaf(w, &(pki_spec_t){.cn = "a.test", .key = PKI_RSA}),
                NULL);
    assert_as_at_a_start();
    assert_said(0, "OCSPX0107");
    assert_said(1, "OCSPX0108: 1 .* 1 complete");
}
END_TEST

/* --- which virtual hosts ---------------------------------------------- */

static const char *own_lines(const char *name, const char *engine)
{
    const char *key;
    const char *cert = httpd_cert(
        w->httpd, &key, name, world_leaf(w, &(pki_spec_t){.cn = name}), NULL);

    return apr_psprintf(w->pool,
                        "%sSSLCertificateFile %s\nSSLCertificateKeyFile %s\n",
                        engine, cert, key);
}

static void plain(const char *name, const char *extra, int port)
{
    httpd_vhost(w->httpd,
                &(httpd_vhost_t){.names = name, .extra = extra, .port = port});
}

START_TEST(without_tls_nothing_is_checked)
{
    configure("info", "");
    plain("off.test", own_lines("off.test", "SSLEngine off\n"), 0);
    plain("unset.test", own_lines("unset.test", ""), 0);
    assert_as_at_a_start();
    assert_said(0, "OCSPX");
}
END_TEST

START_TEST(the_main_server_may_do_tls)
{
    configure("info", own_lines("localhost", "SSLEngine on\n"));
    plain("off.test", "SSLEngine off\n", 0);
    assert_test(0, NULL);
    assert_said(1, "OCSPX0107: localhost:[0-9]+ \\(main server\\): "
                   "CHAIN_MISSING");
    assert_said(1, "OCSPX0107");
}
END_TEST

START_TEST(tls_may_be_said_by_listen)
{
    int https = procs_free_port();
    int http = procs_free_port();

    configure("info", apr_psprintf(w->pool,
                                   "Listen 127.0.0.1:%d https\n"
                                   "Listen 127.0.0.1:%d http\n",
                                   https, http));
    plain("https.test", own_lines("https.test", ""), https);
    plain("http.test", own_lines("http.test", ""), http);
    plain("off.test", own_lines("off.test", "SSLEngine off\n"), https);
    plain("on.test", own_lines("on.test", "SSLEngine oN\n"), http);
    plain("optional.test", own_lines("optional.test", "SSLEngine optional\n"),
          https);
    assert_as_at_a_start();
    assert_said(2, "OCSPX0107: (https|on).test:.*CHAIN_MISSING");
    assert_said(2, "OCSPX0107");
}
END_TEST

START_TEST(objects_in_a_token_are_passed_over)
{
    configure("info", "");
    plain("token.test",
          "SSLEngine on\n"
          "SSLCertificateFile pkcs11:object=cert\n"
          "SSLCertificateKeyFile pkcs11:object=key\n",
          0);
    SITE("file.test", NULL);
    assert_test(0, NULL);
    assert_said(0, "token.test|pkcs11");
    assert_said(1, "OCSPX0107: file.test:");
}
END_TEST

/* --- what is said, and how httpd ends --------------------------------- */

/* "alone.test:4711 (/.../httpd.conf:12)" */
static const char *place_of(const char *name)
{
    const char *path = httpd_path(w->httpd, "httpd.conf");
    const char *text = procs_read_file(path, w->pool);
    const char *at =
        strstr(text, apr_pstrcat(w->pool, "ServerName ", name, NULL));
    int line = 0; /* ServerName stands in the second line of its section */

    ck_assert_ptr_nonnull(at);
    while (at > text)
        line += *--at == '\n';
    return apr_psprintf(w->pool, "%s:%d \\(%s:%d\\): ", name,
                        httpd_port(w->httpd), path, line);
}

static void one_of_each_severity(void)
{
    const pki_t *stranger =
        pki_make(&(pki_spec_t){.cn = "Stranger", .ca = 1}, NULL, w->pool);

    SITE("error.test", NULL);
    SITE("warning.test", w->issuer, stranger, NULL);
    SITE("info.test", w->issuer, w->root, NULL);
}

static void assert_placed(const char *name, const char *level, const char *code)
{
    assert_said(1, apr_pstrcat(w->pool, "\\[ocspx:", level, "\\] .*OCSPX0107: ",
                               place_of(name), code, ": ", NULL));
}

START_TEST(every_severity_has_its_place)
{
    configure("info", "");
    one_of_each_severity();
    assert_as_at_a_start();
    assert_placed("error.test", "error", "CHAIN_MISSING");
    assert_placed("warning.test", "warn", "CHAIN_EXTRA");
    assert_placed("info.test", "info", "CHAIN_ROOT");
    assert_said(1, "OCSPX0108: 3 certificate chains checked, 2 complete; "
                   "errors: 1, warnings: 1, notes: 1");
}
END_TEST

/* Also where OpenSSL, as it is set up here, would not take it. */
START_TEST(weakness_is_a_finding)
{
    configure("warn", "");
    world_vhost(
        w, "a.test",
        world_leaf(w,
                   &(pki_spec_t){.cn = "a.test", .key = PKI_RSA, .bits = 1024}),
        NULL);
    assert_test(0, NULL);
    assert_said(1, "OCSPX0107: a.test:.*: CHAIN_WEAK: .*1024");
    assert_said(0, "OCSPX0130");
}
END_TEST

START_TEST(notes_are_for_those_who_ask)
{
    configure("warn", "");
    one_of_each_severity();
    assert_test(0, NULL);
    assert_placed("error.test", "error", "CHAIN_MISSING");
    assert_placed("warning.test", "warn", "CHAIN_EXTRA");
    assert_said(2, "OCSPX0107");
    assert_said(1, "OCSPX0108");
}
END_TEST

START_TEST(require_refuses_errors_alone)
{
    configure("warn", "OCSPXChainCheck require\n");
    SITE("a.test", w->issuer,
         pki_make(&(pki_spec_t){.cn = "Stranger", .ca = 1}, NULL, w->pool),
         NULL);
    assert_test(0, NULL);
    assert_said(1, "OCSPX0107: a.test:.*CHAIN_EXTRA");
    assert_said(0, "OCSPX0131");
    SITE("b.test", NULL);
    assert_test(1, NULL);
    assert_said(1, "ocspx:crit.*OCSPX0107: b.test:.*CHAIN_MISSING");
    assert_said(1, "OCSPX0131: .*OCSPXChainCheck is require");
    ck_assert_int_lt(httpd_start(w->httpd), 0);
}
END_TEST

START_TEST(off_says_nothing)
{
    configure("debug", "OCSPXChainCheck off\n");
    one_of_each_severity();
    pki_write_file(SITE("damaged.test", NULL), "no certificate", 14);
    assert_test(0, NULL);
    assert_said(0, "OCSPX");
}
END_TEST

/* Only where the configuration is tested. */
START_TEST(a_start_says_nothing_before_its_time)
{
    configure("info", "");
    SITE("a.test", NULL);
    world_up(w);
    ck_assert_int_eq(lines_in(httpd_output(w->httpd), "OCSPX"), 0);
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX0107"), 1);
    httpd_configtest_define(w->httpd, &output, "DUMP_VHOSTS");
    assert_said(1, "a.test");
    assert_said(0, "OCSPX");
}
END_TEST

static void add_tests(TCase *tc)
{
    tcase_add_test(tc, chain_in_the_certificates_file);
    tcase_add_test(tc, chain_in_a_file_of_its_own);
    tcase_add_test(tc, chain_file_is_the_certificates_file);
    tcase_add_test(tc, chain_found_by_openssl_in_the_ca_files);
    tcase_add_test(tc, rsa_and_ecdsa_are_checked_apart);
    tcase_add_test(tc, of_two_of_a_kind_the_last_is_sent);
    tcase_add_test(tc, virtual_hosts_inherit_as_with_mod_ssl);
    tcase_add_test(tc, the_first_replaces_the_first);
    tcase_add_test(tc, without_tls_nothing_is_checked);
    tcase_add_test(tc, the_main_server_may_do_tls);
    tcase_add_test(tc, tls_may_be_said_by_listen);
    tcase_add_test(tc, objects_in_a_token_are_passed_over);
    tcase_add_test(tc, every_severity_has_its_place);
    tcase_add_test(tc, weakness_is_a_finding);
    tcase_add_test(tc, notes_are_for_those_who_ask);
    tcase_add_test(tc, require_refuses_errors_alone);
    tcase_add_test(tc, off_says_nothing);
    tcase_add_test(tc, a_start_says_nothing_before_its_time);
}

int main(void)
{
    Suite *suite = suite_create("configtest");
    TCase *tc = tcase_create("configtest");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    add_tests(tc);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
