/* test_share: a real redis and memcached between real servers; dead, stopped,
 * full, and full of lies.
 */
#include "share_scene.h"

#include <signal.h>

typedef tools_t *start_fn(int port, apr_pool_t *p);

static tools_t *redis(int port, apr_pool_t *p)
{
    return tools_redis_start(port, "0", p);
}

static const struct {
    const char *provider;
    start_fn *start;
} stores[] = {{"redis", redis}, {"memcache", tools_memcached_start}};

static tools_t *store;

/* One site, and a store that it shares what it has in. */
static pki_t *begin(int which, int lifetime)
{
    pki_t *leaf = world_site(w, "a.test");

    store = stores[which].start(0, w->pool);
    configure(w->httpd, share(stores[which].provider, store));
    responder_script(
        w->responder, NULL,
        &(responder_script_t){.lifetime = apr_time_from_sec(lifetime)});
    responder_start(w->responder);
    return leaf;
}

/* --- what it is for ------------------------------------------------------ */

START_TEST(the_second_server_asks_nobody)
{
    pki_t *leaf = begin(_i, 86400);
    httpd_t *second;

    world_up(w);
    world_assert_good(w, "a.test");
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 1);
    second = another(leaf, share(stores[_i].provider, store));
    start(second);
    ck_assert(is_good(second));
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 1);
    ck_assert_int_eq(hits(second), 1);
    ck_assert_int_eq(puts_of(w->httpd), 1);
    ck_assert_int_eq(metric(w->httpd, "ocspx_share_up"), 1);
    /* and with neither store nor share it would */
    ck_assert(httpd_stop(second));
    configure(second, "OCSPXStateDir none\nOCSPXShare none\n");
    start(second);
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 2);
    ck_assert_int_eq(metric(second, "ocspx_share_up"), -1);
}
END_TEST

START_TEST(mod_ssls_store_is_shared)
{
    pki_t *leaf = begin(0, 86400);
    httpd_t *second;

    world_up(w);
    second = another(leaf, apr_psprintf(w->pool,
                                        "SSLStaplingCache redis:127.0.0.1:%d\n",
                                        tools_port(store)));
    start(second);
    ck_assert(is_good(second));
    ck_assert_uint_eq(responder_requests(w->responder, NULL), 1);
    ck_assert_int_eq(hits(second), 1);
}
END_TEST

/* --- dead and stopped ---------------------------------------------------- */

#define LIFETIME 8

START_TEST(a_store_that_dies_is_missed_by_nobody)
{
    pki_t *leaf = begin(_i, LIFETIME);
    int port;

    world_up(w);
    assert_refreshed(leaf, 1);
    port = tools_port(store);
    tools_stop(store);
    assert_refreshed(leaf, 2);
    assert_logged(w->httpd, DOWN, 10000);
    ck_assert_int_eq(metric(w->httpd, "ocspx_share_up"), 0);
    store = stores[_i].start(port, w->pool);
    assert_logged(w->httpd, UP, 60000);
    world_assert_good(w, "a.test");
    ck_assert_int_eq(metric(w->httpd, "ocspx_share_up"), 1);
    ck_assert_int_eq(httpd_log_count(w->httpd, DOWN), 1);
    ck_assert_int_eq(httpd_log_count(w->httpd, UP), 1);
}
END_TEST

/* As stores do with those that have been idle for long. */
START_TEST(a_connection_that_was_closed_is_opened_again)
{
    static const char kill_all[] = "CLIENT KILL TYPE normal\r\n";
    pki_t *leaf = begin(0, LIFETIME);
    apr_size_t len;

    world_up(w);
    assert_refreshed(leaf, 1);
    procs_sleep(500);
    ck_assert_str_ne(
        tools_say(&len, store, kill_all, strlen(kill_all), w->pool), ":0\r\n");
    assert_refreshed(leaf, 2);
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX005"), 0);
    ck_assert_int_eq(metric(w->httpd, "ocspx_share_up"), 1);
}
END_TEST

START_TEST(a_store_that_is_stopped_holds_up_nothing)
{
    pki_t *leaf = begin(_i, LIFETIME);
    long began;

    world_up(w);
    tools_signal(store, SIGSTOP);
    assert_refreshed(leaf, 2);
    assert_logged(w->httpd, DOWN ".* in time", 10000);
    /* not even the end of a child whose thread hangs in it */
    began = procs_ms();
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    ck_assert(httpd_stop(w->httpd));
    ck_assert_int_lt(procs_ms() - began, 20000);
    ck_assert_int_eq(httpd_log_count(w->httpd, "exit signal"), 0);
    /* nor a start, for longer than one timeout */
    configure(w->httpd,
              apr_pstrcat(w->pool, share(stores[_i].provider, store),
                          "OCSPXStateDir none\nOCSPXStartupWait 30\n", NULL));
    httpd_log_mark(w->httpd);
    ck_assert_int_lt(world_up(w), 15000);
    world_assert_good(w, "a.test");
    assert_refreshed(leaf, 1);
    tools_signal(store, SIGCONT);
    assert_logged(w->httpd, UP, 60000);
    world_assert_good(w, "a.test");
}
END_TEST

/* --- full ---------------------------------------------------------------- */

START_TEST(a_full_store_is_told_once)
{
    pki_t *leaf = begin(0, LIFETIME);

    tools_stop(store);
    store = tools_redis_start(tools_port(store), "1", w->pool);
    world_up(w);
    world_assert_good(w, "a.test");
    assert_logged(w->httpd, DOWN ".*put there", 10000);
    assert_refreshed(leaf, 3);
    ck_assert_int_le(httpd_log_count(w->httpd, DOWN), 2); /* the seeder's */
    ck_assert_int_eq(httpd_log_count(w->httpd, UP), 0);
    ck_assert_int_eq(puts_of(w->httpd), 0);
}
END_TEST

/* --- lies ---------------------------------------------------------------- */

/** The length of what redis has there. */
static apr_size_t length_of(const char *key)
{
    const char *get = apr_psprintf(w->pool, "GET %s\r\n", key);
    apr_size_t len;
    const char *reply = tools_say(&len, store, get, strlen(get), w->pool);

    ck_assert_msg(reply[0] == '$' && reply[1] != '-', "%s: %.40s", key, reply);
    return (apr_size_t)atol(reply + 1);
}

static void set(const char *key, const void *value, apr_size_t len)
{
    apr_size_t size, at;
    char *text = apr_palloc(w->pool, len + 200);

    at = (apr_size_t)apr_snprintf(
        text, 200, "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%" APR_SIZE_T_FMT "\r\n",
        (int)strlen(key), key, len);
    memcpy(text + at, value, len);
    memcpy(text + at + len, "\r\n", 2);
    ck_assert_str_eq(tools_say(&size, store, text, at + len + 2, w->pool),
                     "+OK\r\n");
}

/** The namespace, version and kind of CertID, the certificate's digest. */
static const char *key_of(const pki_t *leaf)
{
    const char *key = "ocspx:0100";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len, i;

    X509_digest(leaf->cert, EVP_sha256(), digest, &len);
    for (i = 0; i < len; i++)
        key = apr_psprintf(w->pool, "%s%02x", key, digest[i]);
    return key;
}

typedef struct {
    const char *bytes;
    apr_size_t len;
} lie_t;

/** A response as the store should have it: good for a day from then on. */
static lie_t response_about(const pki_t *leaf, apr_time_t since)
{
    const pki_single_t single = {
        .cert = leaf->cert,
        .issuer = w->issuer->cert,
        .this_update = since,
        .next_update = since + apr_time_from_sec(86400),
    };
    apr_size_t len;
    const unsigned char *der = pki_response(
        &len,
        &(pki_response_t){.singles = &single, .count = 1, .signer = w->issuer},
        w->pool);
    char *bytes = apr_pcalloc(w->pool, 8 + len);

    memcpy(bytes + 8, der, len);
    return (lie_t){bytes, 8 + len};
}

static lie_t lie(int which)
{
    switch (which) {
    case 0:
        return (lie_t){"garbage that is no response", 27};
    case 1:
        return (lie_t){apr_pcalloc(w->pool, 1 << 20), 1 << 20};
    case 2:
        return (lie_t){"", 0};
    default:
        return response_about(
            pki_make(&(pki_spec_t){.cn = "b.test"}, w->issuer, w->pool),
            apr_time_now() - apr_time_from_sec(10));
    }
}

START_TEST(lies_are_named_and_do_no_harm)
{
    pki_t *leaf = begin(0, 86400);
    lie_t told = lie(_i);
    apr_size_t len;

    set(key_of(leaf), told.bytes, told.len);
    world_up(w);
    world_assert_good(w, "a.test");
    ck_assert_uint_eq(responder_requests(w->responder, leaf), 1);
    assert_logged(w->httpd, "OCSPX0052: a.test: SHARE_BAD: ", 10000);
    ck_assert_int_eq(bad(w->httpd), 1);
    ck_assert_int_eq(httpd_log_count(w->httpd, DOWN), 0);
    /* what was wrong has been replaced */
    ck_assert_int_eq(puts_of(w->httpd), 1);
    len = length_of(key_of(leaf));
    ck_assert_uint_gt(len, 100);
    ck_assert_uint_lt(len, 10000);
}
END_TEST

static const struct {
    int days; /* ago */
    int hits;
} ages[] = {{0, 1}, {2, 0}};

/* One that is over is not wrong, but of no use. */
START_TEST(an_expired_response_is_no_lie)
{
    pki_t *leaf = begin(0, 86400);
    apr_interval_time_t age = apr_time_from_sec(86400 * ages[_i].days + 10);
    lie_t told = response_about(leaf, apr_time_now() - age);

    set(key_of(leaf), told.bytes, told.len);
    world_up(w);
    world_assert_good(w, "a.test");
    ck_assert_int_eq(hits(w->httpd), ages[_i].hits);
    ck_assert_int_eq((int)responder_requests(w->responder, leaf),
                     1 - ages[_i].hits);
    ck_assert_int_eq(bad(w->httpd), 0);
    ck_assert_int_eq(httpd_log_count(w->httpd, "SHARE_"), 0);
}
END_TEST

/* --- configuration -------------------------------------------------------- */

static const struct {
    const char *argument;
    const char *says;
} wrong[] = {
    {"redis", "must be redis:HOST:PORT, memcache:HOST:PORT"},
    {"redis:", "must be redis:HOST:PORT"},
    {"redis:6379", "must be redis:HOST:PORT"},
    {"redis:localhost:0", "must be redis:HOST:PORT"},
    {"redis:localhost:99999", "must be redis:HOST:PORT"},
    {"redis::1", "must be redis:HOST:PORT"},
    {"memcache:a:1,,b:2", "must be redis:HOST:PORT"},
    {"redis:[::1]:6379", "providers do not speak IPv6"},
    {"memcache:localhost:11211,[::1]:11211", "providers do not speak IPv6"},
    {"shmcb:/tmp/x(1024)", "must be redis:HOST:PORT"},
};

START_TEST(wrong_arguments_are_refused)
{
    const char *output;

    configure(w->httpd, apr_pstrcat(w->pool, "OCSPXShare ", wrong[_i].argument,
                                    "\n", NULL));
    ck_assert_int_ne(httpd_configtest(w->httpd, &output), 0);
    ck_assert_msg(strstr(output, wrong[_i].says) != NULL, "%s", output);
    ck_assert_msg(strstr(output, apr_pstrcat(w->pool, "OCSPXShare '",
                                             wrong[_i].argument, "'", NULL)) !=
                      NULL,
                  "%s", output);
}
END_TEST

START_TEST(the_providers_module_is_needed)
{
    const char *output;

    httpd_configure(w->httpd,
                    &(httpd_config_t){.global = "OCSPXShare redis:a:1\n"});
    ck_assert_int_ne(httpd_configtest(w->httpd, &output), 0);
    ck_assert_msg(strstr(output, "load mod_socache_redis first") != NULL, "%s",
                  output);
    configure(w->httpd, "OCSPXShare memcache:a.test:1,b.test\n");
    ck_assert_msg(httpd_configtest(w->httpd, &output) == 0, "%s", output);
    configure(w->httpd, "<VirtualHost *:1>\nOCSPXShare none\n</VirtualHost>\n");
    ck_assert_int_ne(httpd_configtest(w->httpd, &output), 0);
}
END_TEST

static Suite *share_suite(void)
{
    Suite *suite = suite_create("share");
    TCase *tests = tcase_create("httpd");

    tcase_set_timeout(tests, 180);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, the_second_server_asks_nobody, 0, 2);
    tcase_add_test(tests, mod_ssls_store_is_shared);
    tcase_add_loop_test(tests, a_store_that_dies_is_missed_by_nobody, 0, 2);
    tcase_add_test(tests, a_connection_that_was_closed_is_opened_again);
    tcase_add_loop_test(tests, a_store_that_is_stopped_holds_up_nothing, 0, 2);
    tcase_add_test(tests, a_full_store_is_told_once);
    tcase_add_loop_test(tests, lies_are_named_and_do_no_harm, 0, 4);
    tcase_add_loop_test(tests, an_expired_response_is_no_lie, 0, COUNT(ages));
    tcase_add_loop_test(tests, wrong_arguments_are_refused, 0, COUNT(wrong));
    tcase_add_test(tests, the_providers_module_is_needed);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(share_suite());
}
