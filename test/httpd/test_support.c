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

typedef int other_client_fn(const char **output, const client_spec_t *spec,
                            apr_pool_t *p);

static other_client_fn *const other_clients[] = {client_openssl, client_curl,
                                                 client_gnutls};

static void ask_others(const char *name, int expected)
{
    client_spec_t spec = {
        .name = name, .port = httpd_port(httpd), .ca_file = root_file};

    for (int i = 0; i < 3; i++) {
        const char *output;
        int accepted = other_clients[i](&output, &spec, pool);

        ck_assert_msg(accepted == expected, "client %d, %s:\n%.2000s", i, name,
                      output);
    }
}

START_TEST(other_clients_accept)
{
    client_result_t result;
    const char *issuer_file;
    const char *output;

    make_httpd("event", "");
    add_stapled("a.test", PKI_EC);
    responder_start(responder);
    start_httpd();
    issuer_file = httpd_path(httpd, "issuer.pem");
    pki_write_certs(issuer_file, issuer->cert, NULL);
    ask_others("a.test", 1);
    result = shake_hands((client_spec_t){.name = "a.test"});
    ck_assert_msg(client_openssl_verify(&output, result.der, result.len,
                                        root_file, issuer_file,
                                        httpd_path(httpd, "a.test.pem"), pool),
                  "%s", output);
}
END_TEST

START_TEST(other_clients_refuse)
{
    pki_t *leaf;

    make_httpd("event", "");
    leaf = add_stapled("revoked.test", PKI_EC);
    responder_script(
        responder, leaf,
        &(responder_script_t){.status = V_OCSP_CERTSTATUS_REVOKED});
    leaf = add_stapled("later.test", PKI_EC);
    responder_script(responder, leaf,
                     &(responder_script_t){.answer = RESPONDER_TRY_LATER});
    add_vhost("none.test", make_leaf("none.test", PKI_EC, NULL));
    responder_start(responder);
    start_httpd();
    ask_others("revoked.test", 0);
    ask_others("later.test", 0);
    ask_others("none.test", 0);
}
END_TEST

/** Staple these bytes by `openssl s_server', which does not look at them. */
static client_result_t handshake_with_staple(const pki_t *leaf, const void *der,
                                             apr_size_t len)
{
    const char *dir = procs_temp_dir(pool);
    const char *cert = apr_pstrcat(pool, dir, "/cert.pem", NULL);
    const char *chain = apr_pstrcat(pool, dir, "/issuer.pem", NULL);
    const char *key = apr_pstrcat(pool, dir, "/key.pem", NULL);
    const char *staple = apr_pstrcat(pool, dir, "/staple.der", NULL);
    const char *ca = apr_pstrcat(pool, dir, "/root.pem", NULL);
    int port = procs_free_port();
    const char *argv[] = {"openssl",
                          "s_server",
                          "-www",
                          "-accept",
                          apr_psprintf(pool, "127.0.0.1:%d", port),
                          "-cert",
                          cert,
                          "-key",
                          key,
                          "-cert_chain",
                          chain,
                          "-status_file",
                          staple,
                          NULL};
    client_spec_t spec = {.name = "a.test", .port = port, .ca_file = ca};
    client_result_t result;
    pid_t pid;

    pki_write_certs(cert, leaf->cert, NULL);
    pki_write_certs(chain, issuer->cert, NULL);
    pki_write_certs(ca, root->cert, NULL);
    pki_write_key(key, leaf);
    pki_write_file(staple, der, len);
    pid = procs_spawn(argv, apr_pstrcat(pool, dir, "/log", NULL));
    ck_assert(procs_wait_port(port, 5000));
    client_handshake(&result, &spec, pool);
    procs_stop(pid, SIGKILL, 5000);
    return result;
}

enum { ISSUER, NO_EKU, STRANGER };

static const struct {
    int starts_in; /* seconds from now */
    int lifetime;
    int other_cert;
    int signer;
    int break_signature;
    const char *error; /* "": good */
} staples[] = {
    {-10, 3600, 0, 0, 0, ""},
    {-10, 5, 0, 0, 0, "staple: expired"},
    {20, 3600, 0, 0, 0, "staple: thisUpdate lies in the future"},
    {-10, 3600, 1, 0, 0, "staple: about another certificate"},
    {-10, 3600, 0, NO_EKU, 0, "staple: signature or signer not verified"},
    {-10, 3600, 0, STRANGER, 0, "staple: signature or signer not verified"},
    {-10, 3600, 0, 0, 1, "staple: signature or signer not verified"},
};

static const pki_t *signer_for(int kind)
{
    pki_spec_t no_eku = {.cn = "No OCSP signer"};
    pki_spec_t stranger = {.cn = "Issuer", .ca = 1};

    if (kind == NO_EKU)
        return pki_make(&no_eku, issuer, pool);
    return kind == STRANGER ? pki_make(&stranger, NULL, pool) : issuer;
}

START_TEST(client_judges_staple)
{
    pki_t *leaf = make_leaf("a.test", PKI_EC, NULL);
    pki_t *other = make_leaf("other.test", PKI_EC, NULL);
    apr_time_t begin =
        apr_time_now() + apr_time_from_sec(staples[_i].starts_in);
    pki_single_t single = {
        .cert = staples[_i].other_cert ? other->cert : leaf->cert,
        .issuer = issuer->cert,
        .this_update = begin,
        .next_update = begin + apr_time_from_sec(staples[_i].lifetime)};
    pki_response_t response = {.singles = &single,
                               .count = 1,
                               .signer = signer_for(staples[_i].signer),
                               .with_signer_cert = staples[_i].signer != 0,
                               .break_signature = staples[_i].break_signature};
    client_result_t result;
    apr_size_t len;
    const unsigned char *der = pki_response(&len, &response, pool);

    result = handshake_with_staple(leaf, der, len);
    ck_assert(result.ok && result.stapled);
    ck_assert_str_eq(result.error, staples[_i].error);
    ck_assert_int_eq(result.verified, staples[_i].error[0] == '\0');
    ck_assert_int_eq(client_good(&result), result.verified);
    ck_assert(result.len == len && memcmp(result.der, der, len) == 0);
}
END_TEST

START_TEST(client_refuses_error_response)
{
    pki_t *leaf = make_leaf("a.test", PKI_EC, NULL);
    client_result_t result;
    apr_size_t len;
    const unsigned char *der =
        pki_response_error(&len, OCSP_RESPONSE_STATUS_TRYLATER, pool);

    result = handshake_with_staple(leaf, der, len);
    ck_assert(result.ok && result.stapled && !result.verified);
    ck_assert_str_eq(result.error, "staple: an error response");
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

/** Wait for @a wanted children that are none of the @a n before. */
static int fresh_children(pid_t *fresh, int wanted, const pid_t *before, int n)
{
    long deadline = procs_ms() + 5000;
    pid_t now[64];
    int found;

    do {
        int count = httpd_children(now, 64, httpd);

        found = 0;
        for (int i = 0; i < count; i++) {
            int known = 0;

            for (int j = 0; j < n; j++)
                known |= now[i] == before[j];
            if (!known)
                fresh[found++] = now[i];
        }
    } while (found < wanted && procs_ms() < deadline);
    return found;
}

START_TEST(reloads_make_new_children)
{
    pid_t first[64];
    pid_t second[64];
    pid_t third[64];
    pid_t parent;
    int n;

    make_httpd(mpms[_i], "");
    add_stapled("a.test", PKI_EC);
    start_httpd();
    parent = httpd_pid(httpd);
    n = fresh_children(first, 2, NULL, 0);
    ck_assert_int_ge(n, 2);
    ck_assert_int_ge(httpd_graceful(httpd), 0);
    n = fresh_children(second, 1, first, n);
    ck_assert_int_ge(n, 1);
    httpd_log_mark(httpd);
    ck_assert_int_ge(httpd_restart(httpd), 0);
    ck_assert(httpd_log_wait(httpd, "SIGHUP received", 0));
    ck_assert_int_ge(fresh_children(third, 1, second, n), 1);
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
    ck_assert_int_ge(httpd_graceful(httpd), 0);
    ck_assert_int_eq(httpd_log_count(httpd, up), 1); /* it is the new one */
}
END_TEST

/** Start a server, tell its pid and directory, and die. */
static void die_with_httpd(pid_t *pid, char *directory)
{
    if (freopen("/dev/null", "w", stderr) == NULL)
        _exit(1);
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

    if (child == 0)
        die_with_httpd(pid, directory);
    ck_assert(procs_wait(child, 15000));
    ck_assert_int_gt(*pid, 0);
    while (kill(-*pid, 0) == 0 || access(directory, F_OK) == 0) {
        ck_assert_msg(procs_ms() < deadline, "left: %s", directory);
        waitpid(-1, NULL, WNOHANG);
        procs_sleep(5);
    }
    ck_assert(!procs_wait_port(responder_port(responder), 0));
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
    tcase_add_loop_test(tests, client_judges_staple, 0,
                        sizeof(staples) / sizeof(*staples));
    tcase_add_test(tests, client_refuses_error_response);
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
