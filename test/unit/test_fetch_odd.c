/* test_fetch_odd: answers no responder should give, proxies, names that do
 * not resolve, the way from GET to POST.
 */
#include "fetch_scene.h"

#include <curl/curlver.h>
#include <dlfcn.h>
#include <netdb.h>

/* --- in place of libc's: names of our own ---------------------------- */

#define RESOLVER_MS 3000

typedef int getaddrinfo_fn(const char *host, const char *service,
                           const struct addrinfo *hints,
                           struct addrinfo **result);

int getaddrinfo(const char *host, const char *service,
                const struct addrinfo *hints, struct addrinfo **result)
{
    getaddrinfo_fn *real;
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");

    memcpy(&real, &symbol, sizeof(real));
    if (!strcmp(host, "hanging.test")) {
        procs_sleep(RESOLVER_MS);
        return EAI_AGAIN;
    }
    if (!strcmp(host, "missing.test"))
        return EAI_NONAME;
    if (!strcmp(host, "here.test"))
        host = "127.0.0.1";
    return real(host, service, hints, result);
}

/* --- names ----------------------------------------------------------- */

START_TEST(name_missing)
{
    ocspx_fetch_question_t q = question("http://missing.test:8888/x");
    got_t *got = ask(&q);

    assert_cause(got, OCSPX_CAUSE_DNS);
    ck_assert_int_eq(got->answer.unreachable, 1);
    ck_assert_int_eq(got->answer.requests, 0);
    assert_says(got->answer.message, "missing.test:8888");
}
END_TEST

START_TEST(name_hangs)
{
    ocspx_fetch_question_t q = question("http://hanging.test/");
    got_t *got;

    q.timeout = apr_time_from_msec(300);
    got = ask(&q);
    assert_cause(got, OCSPX_CAUSE_DNS);
    ck_assert_int_eq(got->answer.unreachable, 1);
#if LIBCURL_VERSION_NUM >= 0x075700
    ck_assert_int_lt(got->answer.took, apr_time_from_msec(1000));
#endif
}
END_TEST

START_TEST(name_hangs_cancelled)
{
    ocspx_fetch_question_t q = question("http://hanging.test/");
    long began = procs_ms();
    got_t got = {0};

    network->start(network, &q, on_done, &got);
    network->poll(network, apr_time_from_msec(100));
    apr_pool_destroy(network_pool);
    ck_assert_int_eq(got.calls, 0);
#if LIBCURL_VERSION_NUM >= 0x075700
    ck_assert_int_lt(procs_ms() - began, 1000);
#endif
}
END_TEST

START_TEST(name_and_address)
{
    raw_t *raw = RAW(REPLY("404 Not Found", "", ""));
    ocspx_fetch_question_t q =
        question(apr_psprintf(pool, "http://here.test:%d/", raw->port));
    got_t *got;

    q.method = OCSPX_FETCH_GET;
    got = ask(&q);
    assert_cause(got, OCSPX_CAUSE_RESP_HTTP);
    assert_says(got->answer.message,
                apr_psprintf(pool, "here.test:%d [127.0.0.1:%d]", raw->port,
                             raw->port));
}
END_TEST

START_TEST(bad_urls)
{
    static const char *const urls[] = {"http://a b/", "ftp://127.0.0.1/", "",
                                       "file:///etc/passwd", "http://:/"};
    unsigned i;

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        ocspx_fetch_question_t q = question(urls[i]);
        got_t *got = ask(&q);

        assert_cause(got, OCSPX_CAUSE_BAD_URL);
        ck_assert_int_eq(got->answer.requests, 0);
        assert_says(got->answer.message, urls[i]);
    }
}
END_TEST

/* --- odd answers ----------------------------------------------------- */

static const struct {
    raw_reply_t reply;
    ocspx_cause_e cause;
    const char *says;
    int status;
} odd[] = {
    {GOOD, OCSPX_CAUSE_NONE, "", 200},
    {REPLY("200 OK", "CONTENT-type:  Application/OCSP-Response ; x=y\r\n",
           "DER!"),
     OCSPX_CAUSE_NONE, "", 200},
    {REPLY("404 Not Found", OCSP_TYPE, "DER!"), OCSPX_CAUSE_RESP_HTTP,
     "with status 404", 404},
    {REPLY("204 No Content", OCSP_TYPE, ""), OCSPX_CAUSE_RESP_HTTP, "204", 204},
    {REPLY("304 Not Modified", OCSP_TYPE, ""), OCSPX_CAUSE_RESP_HTTP, "304",
     304},
    {REPLY("302 Found", "", ""), OCSPX_CAUSE_RESP_HTTP, "302", 302},
    {REPLY("500 Broken", "Content-Type: text/html\r\n", "<p>sorry"),
     OCSPX_CAUSE_RESP_HTTP, "500", 500},
    {REPLY("403 Forbidden", "", ""), OCSPX_CAUSE_RESP_HTTP, "403", 403},
    {REPLY("200 OK", "Content-Type: text/html; charset=utf-8\r\n", "<p>"),
     OCSPX_CAUSE_INTERCEPTED, "text/html", 200},
    {REPLY("200 OK", "Content-Type: application/xhtml+xml\r\n", "<p>"),
     OCSPX_CAUSE_INTERCEPTED, "xhtml", 200},
    {REPLY("511 Login", "", ""), OCSPX_CAUSE_INTERCEPTED, "511", 511},
    {REPLY("200 OK", "Content-Type: text/plain\r\n", "DER!"),
     OCSPX_CAUSE_RESP_NOT_OCSP, "\"text/plain\"", 200},
    {REPLY("200 OK", "Content-Type: x\x1b[2J\xff\r\n", "DER!"),
     OCSPX_CAUSE_RESP_NOT_OCSP, "\"x\\x1b[2J\\xff\"", 200},
    {REPLY("200 OK", "Content-Type: application/ocsp-responses\r\n", "DER!"),
     OCSPX_CAUSE_RESP_NOT_OCSP, "ocsp-responses", 200},
    {REPLY("200 OK", "", "DER!"), OCSPX_CAUSE_RESP_NOT_OCSP, "no Content-Type",
     200},
    {REPLY("200 OK", OCSP_TYPE, ""), OCSPX_CAUSE_RESP_NOT_OCSP, "an empty body",
     200},
    {REPLY("200 OK", OCSP_TYPE "Content-Encoding: gzip\r\n", "\x1f\x8b"),
     OCSPX_CAUSE_RESP_NOT_OCSP, "Content-Encoding", 200},
    {REPLY("200 OK", OCSP_TYPE "Content-Length: 99\r\n", "DER!"),
     OCSPX_CAUSE_RESP_HTTP, "gave no answer", 200},
    {REPLY("200 OK", OCSP_TYPE "Content-Length: 65537\r\n", "DER!"),
     OCSPX_CAUSE_RESP_TOO_LARGE, "65536", 200},
    {REPLY("200 OK", OCSP_TYPE "Content-Length: 99999999999999999999\r\n",
           "DER!"),
     OCSPX_CAUSE_RESP_TOO_LARGE, "65536", 200},
    {REPLY("200 OK", OCSP_TYPE "Content-Length: -1\r\n", "DER!"),
     OCSPX_CAUSE_RESP_HTTP, "gave no answer", 200},
    {REPLY("200 OK", OCSP_TYPE "Transfer-Encoding: chunked\r\n", "zzz\r\n"),
     OCSPX_CAUSE_RESP_HTTP, "gave no answer", 200},
    {{.bytes = ""}, OCSPX_CAUSE_RESP_HTTP, "gave no answer", 0},
    {{.bytes = "SSH-2.0-OpenSSH_9.2\r\n"},
     OCSPX_CAUSE_RESP_HTTP,
     "gave no answer",
     0},
    {{.bytes = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" OCSP_TYPE
               "Content-Length: 4\r\n\r\nDER!"},
     OCSPX_CAUSE_NONE,
     "",
     200},
};

START_TEST(odd_answer)
{
    raw_t *raw = RAW(odd[_i].reply);
    ocspx_fetch_question_t q = question(raw->url);
    got_t *got;

    q.method = OCSPX_FETCH_GET;
    got = ask(&q);
    assert_cause(got, odd[_i].cause);
    assert_says(got->answer.message, odd[_i].says);
    ck_assert_int_eq(got->answer.http_status, odd[_i].status);
    ck_assert_int_eq(got->answer.requests, 1);
    ck_assert_int_eq(got->answer.unreachable, 0);
    if (odd[_i].cause == OCSPX_CAUSE_NONE) {
        ck_assert_uint_eq(got->answer.body_len, 4);
        ck_assert_mem_eq(got->answer.body, "DER!", 4);
    } else {
        assert_says(got->answer.message,
                    apr_psprintf(pool, "127.0.0.1:%d", raw->port));
    }
}
END_TEST

/* Its size must not hide what it is. */
START_TEST(large_page)
{
    char *page = apr_pcalloc(pool, MAX_SIZE + 1000);
    raw_t *raw;
    ocspx_fetch_question_t q;

    memset(page, 'x', MAX_SIZE + 999);
    memcpy(page, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", 44);
    raw = RAW({.bytes = page});
    q = question(raw->url);
    q.method = OCSPX_FETCH_GET;
    assert_cause(ask(&q), OCSPX_CAUSE_INTERCEPTED);
}
END_TEST

START_TEST(endless_header)
{
    char *head = apr_pcalloc(pool, 2 * MAX_SIZE);
    ocspx_fetch_question_t q;
    got_t *got;
    int i;

    strcpy(head, "HTTP/1.1 200 OK\r\n" OCSP_TYPE);
    for (i = 0; i < 70; i++) {
        size_t at = strlen(head);

        memset(head + at, 'x', 1000);
        memcpy(head + at, "X: ", 3);
        strcpy(head + at + 998, "\r\n");
    }
    q = question(
        RAW({.bytes = apr_pstrcat(pool, head, "\r\nDER!", NULL)})->url);
    q.method = OCSPX_FETCH_GET;
    got = ask(&q);
    assert_cause(got, OCSPX_CAUSE_RESP_TOO_LARGE);
    assert_says(got->answer.message, "an endless header");
}
END_TEST

START_TEST(not_tls)
{
    raw_t *raw = RAW({.bytes = "HTTP/1.1 400 Bad Request\r\n\r\n"});
    ocspx_fetch_question_t q =
        question(apr_psprintf(pool, "https://127.0.0.1:%d/", raw->port));
    got_t *got = ask(&q);

    assert_cause(got, OCSPX_CAUSE_RESP_HTTP);
    ck_assert_int_eq(got->answer.requests, 0);
    assert_says(got->answer.message, "SSL");
}
END_TEST

START_TEST(tls_hangs)
{
    raw_t *raw = RAW({.bytes = "", .delay_ms = 5000});
    ocspx_fetch_question_t q =
        question(apr_psprintf(pool, "https://127.0.0.1:%d/", raw->port));
    got_t *got;

    q.timeout = apr_time_from_msec(300);
    got = ask(&q);
    assert_cause(got, OCSPX_CAUSE_RESP_TIMEOUT);
    ck_assert_int_eq(got->answer.unreachable, 1);
}
END_TEST

START_TEST(drip)
{
    raw_t *raw =
        RAW({.bytes = "HTTP/1.1 200 OK\r\n" OCSP_TYPE "\r\n",
             .drip = "a response that takes far longer than anybody waits",
             .drip_ms = 500});
    ocspx_fetch_question_t q = question(raw->url);
    got_t *got;

    q.timeout = apr_time_from_sec(30);
    got = ask(&q);
    assert_cause(got, OCSPX_CAUSE_RESP_TIMEOUT);
    ck_assert_int_eq(got->answer.unreachable, 0);
    ck_assert_int_gt(got->answer.took, apr_time_from_sec(4));
    ck_assert_int_lt(got->answer.took, apr_time_from_sec(9));
}
END_TEST

/* A responder may take its time, up to the limit, before it begins. */
START_TEST(thinks_long)
{
    raw_t *raw = RAW({.bytes = "HTTP/1.1 200 OK\r\n" OCSP_TYPE "\r\nDER!",
                      .delay_ms = 6500});
    ocspx_fetch_question_t q = question(raw->url);

    assert_cause(ask(&q), OCSPX_CAUSE_NONE);
}
END_TEST

/* --- redirects ------------------------------------------------------- */

static const char *redirect_to(const char *url, const char *more)
{
    return apr_pstrcat(pool,
                       "HTTP/1.1 302 Found\r\nConnection: close\r\n"
                       "Content-Length: 0\r\nLocation: ",
                       url, "\r\n", more, "\r\n", NULL);
}

START_TEST(redirects)
{
    raw_reply_t again = {.bytes = redirect_to("/again", "")};
    raw_t *raw = RAW(again, again, again, GOOD);
    ocspx_fetch_question_t q = question(raw->url);
    got_t *got;

    q.method = OCSPX_FETCH_POST;
    got = ask(&q);
    assert_cause(got, OCSPX_CAUSE_NONE);
    ck_assert_int_eq(got->answer.requests, 4);
    ck_assert_int_eq(strncmp(raw->requests[3], "POST /again", 11), 0);

    raw = RAW(again, again, again, again, GOOD);
    q.url = raw->url;
    got = ask(&q);
    assert_cause(got, OCSPX_CAUSE_INTERCEPTED);
    assert_says(got->answer.message, "after 3 redirects");
}
END_TEST

START_TEST(redirect_to_portal)
{
    raw_t *portal = RAW(REPLY("403 No", "Content-Type: text/html\r\n", "<p>"));
    raw_t *raw = RAW({.bytes = redirect_to(portal->url, "")});
    ocspx_fetch_question_t q = question(raw->url);
    got_t *got;

    q.method = OCSPX_FETCH_GET;
    got = ask(&q);
    assert_cause(got, OCSPX_CAUSE_INTERCEPTED);
    assert_says(got->answer.message,
                apr_psprintf(pool, "127.0.0.1:%d (redirected from 127.0.0.1:%d",
                             portal->port, raw->port));
}
END_TEST

START_TEST(redirect_elsewhere)
{
    static const char *const urls[] = {"file:///etc/passwd", "ftp://127.0.0.1/",
                                       "gopher://127.0.0.1/", "dict://x/"};
    unsigned i;

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        raw_t *raw = RAW({.bytes = redirect_to(urls[i], "")});
        ocspx_fetch_question_t q = question(raw->url);
        got_t *got;

        q.method = OCSPX_FETCH_GET;
        got = ask(&q);
        assert_cause(got, OCSPX_CAUSE_INTERCEPTED);
        assert_says(got->answer.message, urls[i]);
    }
}
END_TEST

START_TEST(last_header_counts)
{
    raw_t *raw =
        RAW({.bytes = redirect_to("/", "Date: Sat, 21 Nov 2020 09:30:00 GMT\r\n"
                                       "Cache-Control: max-age=9\r\n"
                                       "Content-Type: text/html\r\n")},
            GOOD);
    ocspx_fetch_question_t q = question(raw->url);
    got_t *got = ask(&q);

    assert_cause(got, OCSPX_CAUSE_NONE);
    ck_assert_int_eq(got->answer.date, 0);
    ck_assert_int_eq(got->answer.fresh_until, 0);
}
END_TEST

/* --- GET, then POST -------------------------------------------------- */

static const raw_reply_t get_failures[] = {
    REPLY("404 Not Found", "", ""),
    REPLY("405 Method Not Allowed", "", ""),
    REPLY("200 OK", "Content-Type: text/html\r\n", "<p>"),
    REPLY("200 OK", "Content-Type: text/plain\r\n", "DER!"),
    REPLY("200 OK", OCSP_TYPE, ""),
    REPLY("200 OK", OCSP_TYPE "Content-Length: 99999\r\n", "DER!"),
    {.bytes = ""},
};

START_TEST(get_fails_then_post)
{
    raw_t *raw = RAW(get_failures[_i], GOOD);
    ocspx_fetch_question_t q = question(raw->url);
    got_t *got = ask(&q);

    assert_cause(got, OCSPX_CAUSE_NONE);
    ck_assert_int_eq(got->calls, 1);
    ck_assert_int_eq(got->answer.requests, 2);
    ck_assert_uint_eq(got->answer.body_len, 4);
    ck_assert_int_eq(
        strncmp(raw->requests[0], "GET /%2B%2F%2F%2BMA%3D%3D HTTP/1.1\r\n", 36),
        0);
    ck_assert_int_eq(strncmp(raw->requests[1], "POST / HTTP/1.1\r\n", 17), 0);
    assert_says(raw->requests[1], "\r\nContent-Length: 4\r\n");
    assert_says(raw->requests[1], "\r\n\r\n\xfb\xff\xfe\x30");
}
END_TEST

START_TEST(get_only)
{
    raw_t *raw = RAW(REPLY("404 Not Found", "", ""), GOOD);
    ocspx_fetch_question_t q = question(raw->url);
    got_t *got;

    q.method = OCSPX_FETCH_GET;
    got = ask(&q);
    assert_cause(got, OCSPX_CAUSE_RESP_HTTP);
    assert_says(got->answer.message, "answered GET with status 404");
    ck_assert_str_eq(raw->requests[1], "");
}
END_TEST

START_TEST(both_fail)
{
    raw_t *raw =
        RAW(REPLY("404 Not Found", "", ""), REPLY("500 Broken", "", ""));
    ocspx_fetch_question_t q = question(raw->url);
    got_t *got = ask(&q);

    assert_cause(got, OCSPX_CAUSE_RESP_HTTP);
    assert_says(got->answer.message, "answered POST with status 500");
    ck_assert_int_eq(got->answer.requests, 2);
}
END_TEST

START_TEST(post_has_the_rest_of_the_time)
{
    raw_t *raw = RAW({.bytes = "HTTP/1.1 404 No\r\nConnection: close\r\n\r\n",
                      .delay_ms = 600},
                     {.bytes = "", .delay_ms = 5000});
    ocspx_fetch_question_t q = question(raw->url);
    got_t *got;

    q.timeout = apr_time_from_sec(1);
    got = ask(&q);
    assert_cause(got, OCSPX_CAUSE_RESP_TIMEOUT);
    ck_assert_int_eq(got->answer.requests, 2);
    ck_assert_int_eq(got->answer.unreachable, 0);
    ck_assert_int_gt(got->answer.took, apr_time_from_msec(950));
    ck_assert_int_lt(got->answer.took, apr_time_from_msec(1500));
}
END_TEST

START_TEST(retry_after_is_obeyed)
{
    raw_t *raw = RAW(REPLY("503 Busy", "Retry-After: 60\r\n", ""), GOOD);
    ocspx_fetch_question_t q = question(raw->url);
    apr_time_t now = apr_time_now();
    got_t *got = ask(&q);

    assert_cause(got, OCSPX_CAUSE_RESP_HTTP);
    ck_assert_int_eq(got->answer.requests, 1);
    ck_assert_int_ge(got->answer.retry_after, now + apr_time_from_sec(60));
    ck_assert_int_lt(got->answer.retry_after, now + apr_time_from_sec(75));
}
END_TEST

START_TEST(query_goes_by_post)
{
    raw_t *raw = RAW(GOOD);
    ocspx_fetch_question_t q =
        question(apr_pstrcat(pool, raw->url, "/ocsp?ca=1", NULL));

    assert_cause(ask(&q), OCSPX_CAUSE_NONE);
    ck_assert_int_eq(strncmp(raw->requests[0], "POST /ocsp?ca=1 ", 16), 0);
}
END_TEST

/* libcurl would ask first, from this size on, and wait for a second. */
START_TEST(no_expect)
{
    raw_t *raw = RAW(GOOD);
    ocspx_fetch_question_t q = question(raw->url);

    q.method = OCSPX_FETCH_POST;
    q.request_len = 2 * 1024 * 1024;
    q.request = apr_pcalloc(pool, q.request_len);
    ask(&q);
    assert_says(raw->requests[0], "Content-Length: 2097152\r\n");
    ck_assert_ptr_null(strstr(raw->requests[0], "Expect:"));
}
END_TEST

/* --- proxies --------------------------------------------------------- */

START_TEST(proxy)
{
    raw_t *raw = RAW(GOOD);
    ocspx_fetch_question_t q = question("http://missing.test/x");
    got_t *got;

    q.proxy = raw->url;
    got = ask(&q);
    assert_cause(got, OCSPX_CAUSE_NONE);
    ck_assert_int_eq(
        strncmp(raw->requests[0], "GET http://missing.test/x/%2B", 29), 0);
}
END_TEST

START_TEST(proxy_of_environment)
{
    raw_t *raw = RAW(GOOD);
    ocspx_fetch_question_t q = question("http://missing.test/x");

    setenv("http_proxy", raw->url, 1);
    assert_cause(ask(&q), OCSPX_CAUSE_DNS);
    q.proxy = NULL;
    assert_cause(ask(&q), OCSPX_CAUSE_NONE);
    setenv("no_proxy", "missing.test", 1);
    assert_cause(ask(&q), OCSPX_CAUSE_DNS);
}
END_TEST

static got_t *ask_through(raw_reply_t reply, const char *url)
{
    raw_t *raw = RAW(reply);
    ocspx_fetch_question_t q = question(url);
    got_t *got;

    q.method = OCSPX_FETCH_GET;
    q.proxy = apr_psprintf(pool, "http://joe:secret@127.0.0.1:%d", raw->port);
    got = ask(&q);
    assert_says(got->answer.message,
                apr_psprintf(pool, "through proxy 127.0.0.1:%d", raw->port));
    ck_assert_ptr_null(strstr(got->answer.message, "secret"));
    return got;
}

START_TEST(proxy_denies)
{
    raw_reply_t no = REPLY("403 Forbidden", "", "");
    raw_reply_t login =
        REPLY("407 Login", "Proxy-Authenticate: Basic realm=x\r\n", "");
    raw_reply_t away = REPLY("503 Away", "", "");

    assert_cause(ask_through(no, "http://a.test/"), OCSPX_CAUSE_PROXY_DENIED);
    assert_cause(ask_through(login, "http://a.test/"),
                 OCSPX_CAUSE_PROXY_DENIED);
    assert_cause(ask_through(away, "http://a.test/"), OCSPX_CAUSE_RESP_HTTP);
    assert_cause(ask_through(no, "https://a.test/"), OCSPX_CAUSE_PROXY_DENIED);
    assert_cause(ask_through(login, "https://a.test/"),
                 OCSPX_CAUSE_PROXY_DENIED);
    assert_cause(ask_through(away, "https://a.test/"), OCSPX_CAUSE_RESP_HTTP);
}
END_TEST

START_TEST(proxy_unreachable)
{
    ocspx_fetch_question_t q = question("http://a.test/");
    got_t *got;

    q.proxy = "http://missing.test:3128";
    got = ask(&q);
    assert_cause(got, OCSPX_CAUSE_PROXY_DENIED);
    ck_assert_int_eq(got->answer.unreachable, 1);
    assert_says(got->answer.message, "proxy missing.test:3128");
    q.proxy = apr_psprintf(pool, "http://127.0.0.1:%d", procs_free_port());
    got = ask(&q);
    assert_cause(got, OCSPX_CAUSE_CONNECT_REFUSED);
    assert_says(got->answer.message, "through proxy 127.0.0.1:");
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table[0])))

static Suite *suite(void)
{
    Suite *s = suite_create("fetch_odd");
    TCase *t = tcase_create("fetch_odd");

    tcase_add_checked_fixture(t, scene_make, scene_end);
    tcase_set_timeout(t, 20);
    tcase_add_test(t, name_missing);
    tcase_add_test(t, name_hangs);
    tcase_add_test(t, name_hangs_cancelled);
    tcase_add_test(t, name_and_address);
    tcase_add_test(t, bad_urls);
    tcase_add_loop_test(t, odd_answer, 0, COUNT(odd));
    tcase_add_test(t, large_page);
    tcase_add_test(t, endless_header);
    tcase_add_test(t, not_tls);
    tcase_add_test(t, tls_hangs);
    tcase_add_test(t, drip);
    tcase_add_test(t, thinks_long);
    tcase_add_test(t, redirects);
    tcase_add_test(t, redirect_to_portal);
    tcase_add_test(t, redirect_elsewhere);
    tcase_add_test(t, last_header_counts);
    tcase_add_loop_test(t, get_fails_then_post, 0, COUNT(get_failures));
    tcase_add_test(t, get_only);
    tcase_add_test(t, both_fail);
    tcase_add_test(t, post_has_the_rest_of_the_time);
    tcase_add_test(t, retry_after_is_obeyed);
    tcase_add_test(t, query_goes_by_post);
    tcase_add_test(t, no_expect);
    tcase_add_test(t, proxy);
    tcase_add_test(t, proxy_of_environment);
    tcase_add_test(t, proxy_denies);
    tcase_add_test(t, proxy_unreachable);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return ocspx_check_main(suite());
}
