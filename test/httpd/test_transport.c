/* test_transport: the way to the responder and back, as httpd's refresher
 * goes it: forms of HTTP, proxies, methods, several responders, limits.
 */
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "../../mod_ocspx/core/cert.h"
#include "../../mod_ocspx/engine/fetch_get.h"
#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/tools.h"
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

/**
 * A virtual host with a responder of its own, which is running.
 * @param urls for the certificate; NULL: that of the responder
 * @param script NULL: all good
 */
static responder_t *site(const char *name, const char *urls, const char *extra,
                         const responder_script_t *script)
{
    w->responder = world_responder(w);
    world_vhost(w, name,
                world_leaf(w, &(pki_spec_t){.cn = name, .ocsp_urls = urls}),
                extra);
    if (script != NULL)
        responder_script(w->responder, NULL, script);
    responder_start(w->responder);
    return w->responder;
}

static const char *dead_url(void)
{
    return apr_psprintf(w->pool, "http://127.0.0.1:%d/", procs_free_port());
}

static const char *line(const char *directive, const char *value)
{
    return apr_pstrcat(w->pool, directive, " ", value, "\n", NULL);
}

static responder_counts_t counts(const responder_t *r)
{
    responder_counts_t c;

    responder_counts(&c, r);
    return c;
}

/* --- forms of HTTP --------------------------------------------------- */

/** What a GET to @a from for this certificate asks, at @a to. */
static const char *get_url(const pki_t *leaf, const char *to)
{
    const unsigned char *der;
    ocspx_cert_t *cert;
    apr_size_t len;

    ck_assert_int_eq(
        ocspx_cert_make(&cert, leaf->cert, w->issuer->cert, w->pool),
        APR_SUCCESS);
    ck_assert_int_eq(
        ocspx_cert_request(&der, &len, cert, OCSPX_CERT_SHA1, w->pool),
        APR_SUCCESS);
    return ocspx_fetch_get_url(to, der, len, w->pool);
}

/** A virtual host whose responder redirects to another one. */
static responder_t *redirected_site(const char *name, int status, int by_get)
{
    responder_t *target = world_responder(w);
    const char *to = responder_url(target);
    pki_t *leaf;

    w->responder = world_responder(w);
    leaf = world_leaf(w, &(pki_spec_t){.cn = name});
    world_vhost(w, name, leaf, by_get ? NULL : "OCSPXMethod post\n");
    responder_add(target, leaf, w->issuer, w->issuer);
    responder_script(
        w->responder, NULL,
        &(responder_script_t){.answer = RESPONDER_REDIRECT,
                              .http_status = status,
                              .url = by_get ? get_url(leaf, to) : to});
    responder_start(w->responder);
    responder_start(target);
    return target;
}

START_TEST(every_form_of_http_is_understood)
{
    static const char *const names[] = {"chunked.test", "closing.test",
                                        "slow.test", "moved.test",
                                        "temporary.test"};
    responder_t *by_get, *by_post;

    site(names[0], NULL, NULL, &(responder_script_t){.chunked = 1});
    site(names[1], NULL, NULL, &(responder_script_t){.close = 1});
    site(names[2], NULL, NULL, &(responder_script_t){.byte_ms = 1});
    by_get = redirected_site(names[3], 301, 1);
    by_post = redirected_site(names[4], 307, 0);
    world_up(w);
    for (int i = 0; i < 5; i++)
        world_assert_good(w, names[i]);
    ck_assert_uint_eq(counts(by_get).get, 1);
    ck_assert_uint_eq(counts(by_get).post, 0);
    ck_assert_uint_eq(counts(by_post).post, 1);
    ck_assert_uint_eq(counts(by_post).get, 0);
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX0010"), 0);
}
END_TEST

START_TEST(ipv6_responder_is_asked)
{
    w->responder = responder_make("::1", 0, w->pool);
    world_site(w, "a.test");
    responder_start(w->responder);
    world_up(w);
    world_assert_good(w, "a.test");
    ck_assert_ptr_nonnull(strstr(responder_url(w->responder), "//[::1]:"));
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 1);
}
END_TEST

/** @a n virtual hosts with one responder for all. */
static responder_t *sites(const char *prefix, int n,
                          const responder_script_t *script)
{
    w->responder = world_responder(w);
    responder_script(w->responder, NULL, script);
    for (int i = 0; i < n; i++)
        world_site(w, apr_psprintf(w->pool, "%s%d.test", prefix, i));
    responder_start(w->responder);
    return w->responder;
}

static void assert_all_good(const char *prefix, int n)
{
    for (int i = 0; i < n; i++)
        world_assert_good(w, apr_psprintf(w->pool, "%s%d.test", prefix, i));
}

START_TEST(connections_are_used_again)
{
    responder_t *keeping, *closing;

    world_global(w, "OCSPXMaxParallel 2 1\n");
    keeping = sites("keep", 6, &(responder_script_t){0});
    closing = sites("close", 3, &(responder_script_t){.close = 1});
    world_up(w);
    assert_all_good("keep", 6);
    assert_all_good("close", 3);
    ck_assert_uint_eq(counts(keeping).requests, 6);
    ck_assert_uint_eq(counts(keeping).connections, 1);
    ck_assert_uint_eq(counts(closing).connections, 3);
}
END_TEST

/* --- limits ---------------------------------------------------------- */

static const struct {
    const char *line;
    unsigned most; /* at one of two responders */
} parallels[] = {
    {"OCSPXMaxParallel 1\n", 1},
    {"OCSPXMaxParallel 8 2\n", 2},
    {"OCSPXMaxParallel 8 3\n", 3},
    {"", 6},
};

START_TEST(no_more_at_once_than_allowed)
{
    responder_script_t slow = {.delay_ms = 250};
    responder_t *a, *b;

    world_global(w, parallels[_i].line);
    a = sites("a", 7, &slow);
    b = sites("b", 7, &slow);
    world_up(w);
    assert_all_good("a", 7);
    assert_all_good("b", 7);
    ck_assert_uint_eq(counts(a).concurrent_max, parallels[_i].most);
    ck_assert_uint_eq(counts(b).concurrent_max, parallels[_i].most);
}
END_TEST

START_TEST(no_more_at_once_in_all_than_allowed)
{
    responder_script_t slow = {.delay_ms = 400};
    const pki_t *whose[8];
    apr_time_t at_a[4], at_b[4];
    responder_t *a, *b;

    world_global(w, "OCSPXMaxParallel 4 4\n");
    a = sites("a", 4, &slow);
    b = sites("b", 4, &slow);
    world_up(w);
    assert_all_good("a", 4);
    assert_all_good("b", 4);
    ck_assert_int_eq(responder_times(at_a, whose, 4, a), 4);
    ck_assert_int_eq(responder_times(at_b, whose, 4, b), 4);
    /* Two rounds of four, however they fall on the two. */
    ck_assert((at_a[3] > at_b[3] ? at_a[3] : at_b[3]) -
                  (at_a[0] < at_b[0] ? at_a[0] : at_b[0]) >
              apr_time_from_msec(350));
}
END_TEST

START_TEST(largest_response_may_be_set)
{
    responder_script_t large = {.padding = 6000};

    world_global(w, "OCSPXMaxResponseSize 4096\n");
    site("small.test", NULL, NULL, NULL);
    site("large.test", NULL, NULL, &large);
    world_up(w);
    world_assert_good(w, "small.test");
    world_assert_refused(w, "large.test", "RESP_TOO_LARGE");
}
END_TEST

/* OpenSSL's clients end a handshake of TLS 1.2 with a staple of more than
 * 16380 bytes, and its servers one of TLS 1.3 with more than 65527. */
START_TEST(what_does_not_fit_breaks_no_handshake)
{
    static const struct {
        const char *name;
        apr_size_t padding;
        int in_tls12, in_tls13;
    } sizes[] = {{"small.test", 16000, 1, 1},
                 {"large.test", 16384, 0, 1},
                 {"largest.test", 63400, 0, 1},
                 {"too-large.test", 65300, 0, 0}};
    client_result_t result;

    for (int i = 0; i < 4; i++) {
        site(sizes[i].name, NULL, NULL,
             &(responder_script_t){.padding = sizes[i].padding});
    }
    world_up(w);
    for (int i = 0; i < 8; i++) {
        client_spec_t spec = world_client(w, sizes[i / 2].name);
        int stapled = i % 2 ? sizes[i / 2].in_tls13 : sizes[i / 2].in_tls12;

        spec.tls = i % 2 ? CLIENT_TLS13 : CLIENT_TLS12;
        client_handshake(&result, &spec, w->pool);
        ck_assert_msg(result.ok, "%s: %s", spec.name, result.error);
        ck_assert_msg(client_good(&result) == stapled, "%s: %s", spec.name,
                      result.error);
        ck_assert_int_eq(result.stapled, stapled);
    }
    world_assert_refused(w, "too-large.test", "RESP_TOO_LARGE");
}
END_TEST

/* --- proxies --------------------------------------------------------- */

/** Did requests for this responder, and those alone, come through? */
static void assert_passed(const tools_t *proxy, const responder_t *r)
{
    const char *log = tools_log(proxy, w->pool);
    const char *ours = apr_psprintf(w->pool, ":%d/", responder_port(r));
    const char *at = log;

    ck_assert_msg(strstr(log, ours) != NULL, "no %s in %s", ours, log);
    while ((at = strstr(at, "GET http://127.0.0.1")) != NULL) {
        at += strlen("GET http://127.0.0.1");
        ck_assert_msg(strncmp(at, ours, strlen(ours)) == 0, "%s", log);
    }
}

START_TEST(each_proxy_is_used_where_it_is_meant)
{
    tools_t *ssl = tools_proxy_start(w->pool);
    tools_t *own = tools_proxy_start(w->pool);
    tools_t *env = tools_proxy_start(w->pool);
    const char *by_ssl = line("SSLOCSPProxyURL", tools_url(ssl));
    responder_t *r_ssl, *r_own, *r_none, *r_env;

    unsetenv("no_proxy");
    setenv("http_proxy", tools_url(env), 1);
    r_env = site("env.test", NULL, NULL, NULL);
    r_ssl = site("ssl.test", NULL, by_ssl, NULL);
    r_own = site(
        "own.test", NULL,
        apr_pstrcat(w->pool, by_ssl, "OCSPXProxy ", tools_url(own), "\n", NULL),
        NULL);
    r_none =
        site("none.test", NULL,
             apr_pstrcat(w->pool, by_ssl, "OCSPXProxy none\n", NULL), NULL);
    site("dead.test", NULL, line("OCSPXProxy", dead_url()), NULL);
    world_up(w);
    world_assert_good(w, "env.test");
    world_assert_good(w, "ssl.test");
    world_assert_good(w, "own.test");
    world_assert_good(w, "none.test");
    assert_passed(env, r_env);
    assert_passed(ssl, r_ssl);
    assert_passed(own, r_own);
    ck_assert_uint_eq(responder_requests(r_none, NULL), 1);
    world_assert_refused(w, "dead.test", "CONNECT_REFUSED");
}
END_TEST

/* --- whom to ask, and how -------------------------------------------- */

START_TEST(next_responder_is_asked)
{
    responder_t *busy = world_responder(w);
    responder_t *next = world_responder(w);
    pki_spec_t spec = {.cn = "busy.test"};
    pki_t *leaf;

    spec.ocsp_urls =
        apr_pstrcat(w->pool, dead_url(), " ", responder_url(next), NULL);
    w->responder = next;
    world_vhost(w, "dead.test",
                world_leaf(w, &(pki_spec_t){.cn = "dead.test",
                                            .ocsp_urls = spec.ocsp_urls}),
                NULL);
    spec.ocsp_urls = apr_pstrcat(w->pool, responder_url(busy), " ",
                                 responder_url(next), NULL);
    leaf = world_leaf(w, &spec);
    world_vhost(w, "busy.test", leaf, NULL);
    responder_add(busy, leaf, w->issuer, w->issuer);
    responder_script(busy, NULL,
                     &(responder_script_t){.answer = RESPONDER_TRY_LATER});
    responder_start(busy);
    responder_start(next);
    world_up(w);
    world_assert_good(w, "dead.test");
    world_assert_good(w, "busy.test");
    ck_assert_uint_eq(responder_requests(busy, NULL), 1);
    ck_assert_uint_eq(responder_requests(next, NULL), 2);
}
END_TEST

START_TEST(forced_url_is_asked_instead)
{
    responder_t *named = world_responder(w);
    responder_t *forced = world_responder(w);
    const char *force = line("SSLStaplingForceURL", responder_url(forced));

    w->responder = forced;
    world_vhost(w, "named.test",
                world_leaf(w, &(pki_spec_t){.cn = "named.test",
                                            .ocsp_urls = responder_url(named)}),
                force);
    world_vhost(
        w, "none.test",
        world_leaf(w, &(pki_spec_t){.cn = "none.test", .ocsp_urls = ""}),
        force);
    responder_start(named);
    responder_start(forced);
    world_up(w);
    world_assert_good(w, "named.test");
    world_assert_good(w, "none.test");
    ck_assert_uint_eq(counts(named).connections, 0);
    ck_assert_uint_eq(responder_requests(forced, NULL), 2);
}
END_TEST

static void assert_methods(const responder_t *r, unsigned get, unsigned post)
{
    ck_assert_uint_eq(counts(r).get, get);
    ck_assert_uint_eq(counts(r).post, post);
}

START_TEST(method_is_obeyed)
{
    const responder_script_t no_get = {.post_only = 1};
    const char *padding = apr_psprintf(w->pool, "%0200d", 0);
    responder_t *usual, *get, *post, *refused, *stubborn, *lengthy;

    usual = site("usual.test", NULL, NULL, NULL);
    get = site("get.test", NULL, "OCSPXMethod get\n", NULL);
    post = site("post.test", NULL, "OCSPXMethod post\n", NULL);
    refused = site("refused.test", NULL, NULL, &no_get);
    stubborn = site("stubborn.test", NULL, "OCSPXMethod get\n", &no_get);
    lengthy = world_responder(w);
    w->responder = lengthy;
    world_vhost(w, "long.test",
                world_leaf(w, &(pki_spec_t){.cn = "long.test",
                                            .ocsp_urls = apr_pstrcat(
                                                w->pool, responder_url(lengthy),
                                                "/", padding, NULL)}),
                NULL);
    responder_start(lengthy);
    world_up(w);
    world_assert_good(w, "usual.test");
    assert_methods(usual, 1, 0);
    world_assert_good(w, "get.test");
    assert_methods(get, 1, 0);
    world_assert_good(w, "post.test");
    assert_methods(post, 0, 1);
    world_assert_good(w, "long.test");
    assert_methods(lengthy, 0, 1);
    world_assert_good(w, "refused.test");
    assert_methods(refused, 1, 1);
    world_assert_refused(w, "stubborn.test", "RESP_HTTP");
    ck_assert_uint_eq(counts(stubborn).post, 0);
}
END_TEST

START_TEST(hash_of_the_certid_is_obeyed)
{
    responder_t *usual = site("usual.test", NULL, NULL, NULL);
    responder_t *sha1 = site("sha1.test", NULL, "OCSPXCertIDHash sha1\n", NULL);
    responder_t *sha256 =
        site("sha256.test", NULL, "OCSPXCertIDHash sha256\n", NULL);

    world_up(w);
    world_assert_good(w, "usual.test");
    world_assert_good(w, "sha1.test");
    world_assert_good(w, "sha256.test");
    ck_assert_uint_eq(counts(usual).sha256, 0);
    ck_assert_uint_eq(counts(sha1).sha256, 0);
    ck_assert_uint_eq(counts(sha256).sha256, 1);
}
END_TEST

static Suite *transport_suite(void)
{
    Suite *suite = suite_create("transport");
    TCase *tests = tcase_create("transport");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, every_form_of_http_is_understood);
    tcase_add_test(tests, ipv6_responder_is_asked);
    tcase_add_test(tests, connections_are_used_again);
    tcase_add_loop_test(tests, no_more_at_once_than_allowed, 0,
                        sizeof(parallels) / sizeof(*parallels));
    tcase_add_test(tests, no_more_at_once_in_all_than_allowed);
    tcase_add_test(tests, largest_response_may_be_set);
    tcase_add_test(tests, what_does_not_fit_breaks_no_handshake);
    tcase_add_test(tests, each_proxy_is_used_where_it_is_meant);
    tcase_add_test(tests, next_responder_is_asked);
    tcase_add_test(tests, forced_url_is_asked_instead);
    tcase_add_test(tests, method_is_obeyed);
    tcase_add_test(tests, hash_of_the_certid_is_obeyed);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(transport_suite());
}
