/* test_support: keeps the support for tests against a real httpd honest: with
 * mod_ssl's own stapling and no mod_ocspx. A client that took every staple, or
 * a responder that always said good, would make all other tests worthless.
 */
#include "../support/check_main.h"
#include "../support/client.h"
#include "../support/httpd.h"
#include "../support/pki.h"
#include "../support/procs.h"
#include "../support/responder.h"
#include "../support/tools.h"

#include <apr_strings.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static apr_pool_t *pool;
static pki_t *root;
static pki_t *issuer;
static responder_t *responder;
static httpd_t *httpd;
static const char *root_file;

static void setup(void)
{
    apr_pool_create(&pool, NULL);
    root = pki_make(&(pki_spec_t){.cn = "Root", .ca = 1}, NULL, pool);
    issuer = pki_make(&(pki_spec_t){.cn = "Issuer", .ca = 1}, root, pool);
    responder = responder_make(NULL, 0, pool);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

static pki_t *make_leaf(const char *name, pki_key_e key, const char *url)
{
    pki_spec_t spec = {.cn = name,
                       .names = apr_pstrcat(pool, "DNS:", name, NULL),
                       .ocsp_urls = url,
                       .key = key};

    return pki_make(&spec, issuer, pool);
}

/** An httpd that staples by mod_ssl alone, from what @a lines add. */
static void make_httpd(const char *mpm, const char *lines)
{
    httpd_config_t config = {.mpm = mpm, .without_ocspx = 1};

    httpd = httpd_make(&config, pool);
    config.global = apr_psprintf(pool,
                                 "SSLUseStapling on\n"
                                 "SSLStaplingCache shmcb:%s(65536)\n"
                                 "SSLStaplingResponderTimeout 2\n%s",
                                 httpd_path(httpd, "staples"), lines);
    httpd_configure(httpd, &config);
    root_file = httpd_path(httpd, "root.pem");
    pki_write_certs(root_file, root->cert, NULL);
}

static void add_vhost(const char *name, const pki_t *leaf)
{
    const char *key;
    const char *cert = httpd_cert(httpd, &key, name, leaf, issuer, NULL);

    httpd_vhost(httpd,
                &(httpd_vhost_t){.names = name, .cert = cert, .key = key});
}

static pki_t *add_stapled(const char *name, pki_key_e key)
{
    pki_t *leaf = make_leaf(name, key, responder_url(responder));

    responder_add(responder, leaf, issuer, issuer);
    add_vhost(name, leaf);
    return leaf;
}

static void start_httpd(void)
{
    ck_assert_msg(httpd_start(httpd) >= 0, "%s", httpd_output(httpd));
}

static client_result_t shake_hands(client_spec_t spec)
{
    client_result_t result;

    spec.port = httpd_port(httpd);
    spec.ca_file = root_file;
    client_handshake(&result, &spec, pool);
    return result;
}

static const char *const mpms[] = {"event", "worker", "prefork"};

START_TEST(staple_is_verified)
{
    client_result_t result;
    pki_t *leaf;

    make_httpd(mpms[_i], "");
    leaf = add_stapled("a.test", PKI_EC);
    responder_start(responder);
    start_httpd();
    result = shake_hands((client_spec_t){.name = "a.test"});
    ck_assert_str_eq(result.error, "");
    ck_assert(client_good(&result));
    ck_assert_uint_gt(result.len, 0);
    ck_assert(result.next_update - result.this_update ==
              apr_time_from_sec(86400));
    ck_assert_uint_eq(responder_requests(responder, leaf), 1);
    ck_assert(httpd_stop(httpd));
}
END_TEST

START_TEST(tls_version_and_key_type_are_obeyed)
{
    client_spec_t spec = {.name = "rsa.test", .key = CLIENT_KEY_RSA};

    make_httpd("event", "");
    add_stapled("rsa.test", PKI_RSA);
    add_stapled("ec.test", PKI_EC);
    responder_start(responder);
    start_httpd();
    for (int tls = CLIENT_TLS12; tls <= CLIENT_TLS13; tls++) {
        client_result_t result;

        spec.tls = (client_tls_e)tls;
        spec.name = "rsa.test";
        result = shake_hands(spec);
        ck_assert_msg(client_good(&result), "%s", result.error);
        spec.name = "ec.test";
        result = shake_hands(spec);
        ck_assert(!result.ok);
    }
    spec = (client_spec_t){.name = "ec.test", .no_status_request = 1};
    ck_assert(!shake_hands(spec).stapled);
    ck_assert(shake_hands(spec).ok);
    spec.name = "other.test"; /* the first vhost answers: wrong name */
    ck_assert(!shake_hands(spec).ok);
}
END_TEST

START_TEST(other_clients_accept)
{
    client_spec_t spec = {.name = "a.test"};
    client_result_t result;
    const char *issuer_file;
    const char *output;

    make_httpd("event", "");
    add_stapled("a.test", PKI_EC);
    responder_start(responder);
    start_httpd();
    issuer_file = httpd_path(httpd, "issuer.pem");
    pki_write_certs(issuer_file, issuer->cert, NULL);
    spec.port = httpd_port(httpd);
    spec.ca_file = root_file;
    ck_assert_msg(client_openssl(&output, &spec, pool), "%s", output);
    ck_assert_msg(client_curl(&output, &spec, pool), "%s", output);
    ck_assert_msg(client_gnutls(&output, &spec, pool), "%s", output);
    result = shake_hands(spec);
    ck_assert_msg(client_openssl_verify(&output, result.der, result.len,
                                        root_file, issuer_file,
                                        httpd_path(httpd, "a.test.pem"), pool),
                  "%s", output);
}
END_TEST

START_TEST(other_clients_refuse)
{
    client_spec_t spec = {.name = "a.test"};
    const char *output;
    pki_t *leaf;

    make_httpd("event", "");
    leaf = add_stapled("a.test", PKI_EC);
    add_vhost("none.test", make_leaf("none.test", PKI_EC, NULL));
    responder_script(
        responder, leaf,
        &(responder_script_t){.status = V_OCSP_CERTSTATUS_REVOKED});
    responder_start(responder);
    start_httpd();
    spec.port = httpd_port(httpd);
    spec.ca_file = root_file;
    for (int i = 0; i < 2; i++) {
        ck_assert_msg(!client_openssl(&output, &spec, pool), "%s", output);
        ck_assert_msg(!client_curl(&output, &spec, pool), "%s", output);
        ck_assert_msg(!client_gnutls(&output, &spec, pool), "%s", output);
        spec.name = "none.test";
    }
}
END_TEST

/* mod_ssl staples all of these. */
static const struct {
    responder_script_t script;
    const char *error;
} bad_staples[] = {
    {{.answer = RESPONDER_WRONG_SIGNER}, "staple: signature"},
    {{.answer = RESPONDER_SIGNER_NO_EKU}, "staple: signature"},
    {{.answer = RESPONDER_SIGNER_EXPIRED}, "staple: signature"},
    {{.answer = RESPONDER_BAD_SIGNATURE}, "staple: signature"},
    {{.answer = RESPONDER_TRY_LATER}, "staple: an error response"},
};

START_TEST(client_refuses_bad_staple)
{
    client_result_t result;
    pki_t *leaf;

    make_httpd("event", "");
    leaf = add_stapled("a.test", PKI_EC);
    responder_script(responder, leaf, &bad_staples[_i].script);
    responder_start(responder);
    start_httpd();
    result = shake_hands((client_spec_t){.name = "a.test"});
    ck_assert(result.ok && result.stapled && !result.verified);
    ck_assert_ptr_nonnull(strstr(result.error, bad_staples[_i].error));
}
END_TEST

START_TEST(client_tells_status_and_expiry)
{
    client_spec_t spec = {.name = "revoked.test"};
    client_result_t result;
    pki_t *leaf;

    make_httpd("event", "");
    leaf = add_stapled("revoked.test", PKI_EC);
    responder_script(
        responder, leaf,
        &(responder_script_t){.status = V_OCSP_CERTSTATUS_REVOKED});
    leaf = add_stapled("short.test", PKI_EC);
    responder_script(responder, leaf,
                     &(responder_script_t){.lifetime = apr_time_from_sec(2)});
    responder_start(responder);
    start_httpd();
    result = shake_hands(spec);
    ck_assert(result.verified && !client_good(&result));
    ck_assert_int_eq(result.status, V_OCSP_CERTSTATUS_REVOKED);
    spec.name = "short.test";
    result = shake_hands(spec);
    ck_assert_msg(client_good(&result), "%s", result.error);
    ck_assert(result.next_update - result.this_update == apr_time_from_sec(2));
}
END_TEST

START_TEST(real_responder_through_real_proxy)
{
    pki_t *leaf;
    tools_t *proxy = tools_proxy_start(pool);
    int port = procs_free_port();
    client_result_t result;

    leaf = make_leaf("a.test", PKI_EC,
                     apr_psprintf(pool, "http://127.0.0.1:%d/", port));
    tools_ocsp_start(port, issuer, issuer, &(tools_ocsp_entry_t){.leaf = leaf},
                     1, 60, pool);
    make_httpd("event", apr_pstrcat(pool, "SSLOCSPProxyURL ", tools_url(proxy),
                                    "\n", NULL));
    add_vhost("a.test", leaf);
    start_httpd();
    result = shake_hands((client_spec_t){.name = "a.test"});
    ck_assert_msg(client_good(&result), "%s", result.error);
    ck_assert(result.next_update - result.this_update ==
              apr_time_from_sec(3600));
    ck_assert_ptr_nonnull(
        strstr(tools_log(proxy, pool), apr_psprintf(pool, ":%d/", port)));
}
END_TEST

START_TEST(load_counts_every_handshake)
{
    static const char *const names[] = {"a.test", "b.test", "none.test"};
    client_load_spec_t spec = {.names = names,
                               .names_count = 3,
                               .threads = 3,
                               .pause_ms = 10,
                               .seconds = 1};
    client_load_result_t result;
    pki_t *leaf;

    make_httpd("event", "");
    add_stapled("a.test", PKI_EC);
    leaf = add_stapled("b.test", PKI_EC);
    responder_script(responder, leaf,
                     &(responder_script_t){.answer = RESPONDER_BAD_SIGNATURE});
    add_vhost("none.test", make_leaf("none.test", PKI_EC, NULL));
    responder_start(responder);
    start_httpd();
    spec.client.port = httpd_port(httpd);
    spec.client.ca_file = root_file;
    client_load_finish(&result, client_load_start(&spec, pool));
    ck_assert_uint_gt(result.handshakes, 10);
    ck_assert_uint_eq(result.failures, 0);
    ck_assert_uint_ge(result.good, result.handshakes / 3);
    ck_assert_uint_ge(result.invalid, result.handshakes / 3);
    ck_assert_uint_ge(result.missing, result.handshakes / 3);
    ck_assert(result.p99_ms > 0 && result.p99_ms <= result.max_ms);
    ck_assert_ptr_nonnull(strstr(result.error, "signature"));

    spec.seconds = 0;
    httpd_stop(httpd);
    client_load_finish(&result, client_load_start(&spec, pool));
    ck_assert_uint_gt(result.failures, 0);
    ck_assert_uint_eq(result.failures, result.handshakes);
}
END_TEST

START_TEST(wrong_configuration_is_told)
{
    const char *output;

    make_httpd("event", "NoSuchDirective on\n");
    ck_assert_int_ne(httpd_configtest(httpd, &output), 0);
    ck_assert_ptr_nonnull(strstr(output, "NoSuchDirective"));
    ck_assert_int_eq(httpd_start(httpd), -1);
    ck_assert_ptr_nonnull(strstr(httpd_output(httpd), "NoSuchDirective"));
    ck_assert(!httpd_running(httpd));
    httpd_configure(httpd, &(httpd_config_t){.without_ocspx = 1});
    ck_assert_int_eq(httpd_configtest(httpd, &output), 0);
}
END_TEST

static int is_among(pid_t pid, const pid_t *pids, int n)
{
    for (int i = 0; i < n; i++) {
        if (pids[i] == pid) {
            return 1;
        }
    }
    return 0;
}

START_TEST(reloads_make_new_children)
{
    pid_t before[64];
    pid_t after[64];
    pid_t parent;
    int n;

    make_httpd(mpms[_i], "");
    add_stapled("a.test", PKI_EC);
    start_httpd();
    parent = httpd_pid(httpd);
    n = httpd_children(before, 64, httpd);
    ck_assert_int_ge(n, 2);
    ck_assert_int_ge(httpd_graceful(httpd), 0);
    ck_assert(!is_among(httpd_log_pid(httpd, "Graceful restart|graceful"),
                        before, n));
    ck_assert_int_ge(httpd_restart(httpd), 0);
    ck_assert_int_ge(httpd_children(after, 64, httpd), 2);
    ck_assert(!is_among(after[0], before, n));
    ck_assert_int_eq(httpd_pid(httpd), parent);
    httpd_kill9(httpd);
    ck_assert(!httpd_running(httpd));
    ck_assert_int_ne(kill(-parent, 0), 0);
    start_httpd();
}
END_TEST

START_TEST(log_is_searched)
{
    static const char up[] = "resuming normal operations";

    make_httpd("event", "");
    add_stapled("a.test", PKI_EC);
    start_httpd();
    ck_assert(httpd_log_wait(httpd, up, 5000));
    ck_assert_int_eq(httpd_log_count(httpd, up), 1);
    ck_assert_int_eq(httpd_log_pid(httpd, up), httpd_pid(httpd));
    ck_assert_ptr_nonnull(strstr(httpd_log_line(httpd, up), "Apache"));
    httpd_log_mark(httpd);
    ck_assert_int_eq(httpd_log_count(httpd, up), 0);
    ck_assert(!httpd_log_wait(httpd, up, 50));
    httpd_graceful(httpd);
    ck_assert(httpd_log_wait(httpd, up, 5000));
}
END_TEST

/** Start a server, tell its pid and directory, and die. */
static void die_with_httpd(pid_t *pid, char *directory)
{
    if (freopen("/dev/null", "w", stderr) == NULL) {
        _exit(1);
    }
    make_httpd("event", "");
    add_stapled("a.test", PKI_EC);
    responder_start(responder);
    start_httpd();
    strcpy(directory, httpd_root(httpd));
    *pid = httpd_pid(httpd);
    raise(SIGKILL);
}

START_TEST(nothing_outlives_the_test)
{
    pid_t *pid = procs_shared(sizeof(*pid), pool);
    char *directory = procs_shared(256, pool);
    long deadline = procs_ms() + 15000;
    pid_t child = fork();

    if (child == 0) {
        die_with_httpd(pid, directory);
    }
    ck_assert(procs_wait(child, 15000));
    ck_assert_int_gt(*pid, 0);
    while (kill(-*pid, 0) == 0 || access(directory, F_OK) == 0) {
        ck_assert_msg(procs_ms() < deadline, "left: %s", directory);
        waitpid(-1, NULL, WNOHANG);
        procs_sleep(5);
    }
    ck_assert(!procs_wait_port("127.0.0.1", responder_port(responder), 0));
}
END_TEST

static Suite *support_suite(void)
{
    Suite *suite = suite_create("support");
    TCase *tests = tcase_create("httpd");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, staple_is_verified, 0, 3);
    tcase_add_test(tests, tls_version_and_key_type_are_obeyed);
    tcase_add_test(tests, other_clients_accept);
    tcase_add_test(tests, other_clients_refuse);
    tcase_add_loop_test(tests, client_refuses_bad_staple, 0,
                        sizeof(bad_staples) / sizeof(*bad_staples));
    tcase_add_test(tests, client_tells_status_and_expiry);
    tcase_add_test(tests, real_responder_through_real_proxy);
    tcase_add_test(tests, load_counts_every_handshake);
    tcase_add_test(tests, wrong_configuration_is_told);
    tcase_add_loop_test(tests, reloads_make_new_children, 0, 3);
    tcase_add_test(tests, log_is_searched);
    tcase_add_test(tests, nothing_outlives_the_test);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(support_suite());
}
