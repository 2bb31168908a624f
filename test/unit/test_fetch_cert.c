/* test_fetch_cert: asking for a certificate instead of a response. */
#include "fetch_scene.h"

static ocspx_fetch_question_t cert_question(const char *url)
{
    ocspx_fetch_question_t q = question(url);

    q.request = NULL;
    q.request_len = 0;
    return q;
}

static const char *at(const raw_t *raw, const char *path)
{
    return apr_pstrcat(pool, raw->url, path, NULL);
}

static void assert_got(const got_t *got)
{
    assert_cause(got, OCSPX_CAUSE_NONE);
    ck_assert_str_eq(got->answer.message, "");
    ck_assert_uint_eq(got->answer.body_len, 4);
    ck_assert_mem_eq(got->answer.body, "CERT", 4);
    ck_assert_int_eq(got->answer.requests, 1);
}

static void assert_line(const raw_t *raw, int i, const char *line)
{
    ck_assert_msg(!strncmp(raw->requests[i], line, strlen(line)), "%s",
                  raw->requests[i]);
}

#define PKIX "Content-Type: application/pkix-cert\r\n"
#define CERT REPLY("200 OK", PKIX "Content-Length: 4\r\n", "CERT")

/* --- what is asked --------------------------------------------------- */

START_TEST(plain_get)
{
    raw_t *raw = RAW(CERT);
    ocspx_fetch_question_t q = cert_question(at(raw, "/a/ca%20x.cer/"));

    assert_got(ask(&q));
    assert_line(raw, 0, "GET /a/ca%20x.cer/ HTTP/1.1\r\n");
    assert_says(raw->requests[0],
                "\r\nAccept: application/pkix-cert, application/pkcs7-mime, "
                "*/*;q=0.1\r\n");
    assert_says(raw->requests[0], "\r\nUser-Agent: mod_ocspx/");
    ck_assert_ptr_null(strstr(raw->requests[0], "Content-"));
    ck_assert_ptr_null(strstr(raw->requests[0], "ocsp-re"));
}
END_TEST

/* However long, and with whatever is in it: there is no other way to ask. */
START_TEST(url_as_it_stands)
{
    const char *path = "/x?id=1&b=%2F";
    raw_t *raw = RAW(CERT, CERT, CERT);
    ocspx_fetch_question_t q = cert_question(at(raw, path));

    assert_got(ask(&q));
    assert_line(raw, 0, "GET /x?id=1&b=%2F HTTP/1.1\r\n");
    q.method = OCSPX_FETCH_POST;
    assert_got(ask(&q));
    assert_line(raw, 1, "GET /x?id=1&b=%2F HTTP/1.1\r\n");
    while (strlen(path) < 300)
        path = apr_pstrcat(pool, path, "0123456789", NULL);
    q.url = at(raw, path);
    q.method = OCSPX_FETCH_AUTO;
    assert_got(ask(&q));
    assert_line(raw, 2, apr_pstrcat(pool, "GET ", path, " HTTP", NULL));
}
END_TEST

START_TEST(through_proxy)
{
    raw_t *raw = RAW(CERT, REPLY("407 Login", "", ""));
    ocspx_fetch_question_t q = cert_question("http://missing.test/ca.cer");
    got_t *got;

    q.proxy = raw->url;
    assert_got(ask(&q));
    assert_line(raw, 0, "GET http://missing.test/ca.cer HTTP/1.1\r\n");
    got = ask(&q);
    assert_cause(got, OCSPX_CAUSE_PROXY_DENIED);
    ck_assert_int_eq(got->answer.requests, 1);
}
END_TEST

static raw_reply_t redirect_to(const char *url)
{
    return (raw_reply_t){
        .bytes = apr_pstrcat(pool,
                             "HTTP/1.1 302 There\r\nConnection: close\r\n"
                             "Content-Length: 0\r\nLocation: ",
                             url, "\r\n\r\n", NULL)};
}

START_TEST(redirects)
{
    raw_reply_t again = redirect_to("/again");
    raw_t *raw = RAW(again, again, again, CERT);
    ocspx_fetch_question_t q = cert_question(at(raw, "/first"));
    got_t *got = ask(&q);

    assert_cause(got, OCSPX_CAUSE_NONE);
    ck_assert_int_eq(got->answer.requests, 4);
    assert_line(raw, 3, "GET /again HTTP/1.1\r\n");
    raw = RAW(again, again, again, again, CERT);
    q.url = raw->url;
    assert_cause(ask(&q), OCSPX_CAUSE_INTERCEPTED);
    raw = RAW(redirect_to("file:///etc/ssl/cert.pem"));
    q.url = raw->url;
    assert_cause(ask(&q), OCSPX_CAUSE_INTERCEPTED);
}
END_TEST

/* --- what is taken and what is not ----------------------------------- */

static const struct {
    raw_reply_t reply;
    ocspx_cause_e cause;
    const char *says;
} answers[] = {
    {CERT, OCSPX_CAUSE_NONE, ""},
    {REPLY("200 OK", "Content-Length: 4\r\n", "CERT"), OCSPX_CAUSE_NONE, ""},
    {REPLY("200 OK", "", "CERT"), OCSPX_CAUSE_NONE, ""},
    {REPLY("200 OK", "Content-Type: application/pkcs7-mime\r\n", "CERT"),
     OCSPX_CAUSE_NONE, ""},
    {REPLY("200 OK", "Content-Type: application/x-x509-ca-cert\r\n", "CERT"),
     OCSPX_CAUSE_NONE, ""},
    {REPLY("200 OK", "Content-Type: text/plain\r\n", "CERT"), OCSPX_CAUSE_NONE,
     ""},
    {REPLY("200 OK", "Content-Type: text/html; charset=x\r\n", "<p>log in"),
     OCSPX_CAUSE_INTERCEPTED, "answered GET with a page of \"text/html"},
    {REPLY("511 Log in", PKIX, "CERT"), OCSPX_CAUSE_INTERCEPTED, "status 511"},
    {REPLY("200 OK", PKIX "Content-Encoding: gzip\r\n", "CERT"),
     OCSPX_CAUSE_CHAIN_NOT_CERT,
     "answered GET with a Content-Encoding that nobody asked for"},
    {REPLY("200 OK", PKIX "Content-Length: 0\r\n", ""),
     OCSPX_CAUSE_CHAIN_NOT_CERT, "answered GET with an empty body"},
    {REPLY("200 OK", PKIX "Content-Length: 10000000\r\n", "CERT"),
     OCSPX_CAUSE_RESP_TOO_LARGE, "more than the 65536 bytes allowed"},
    {REPLY("404 Not Found", "Content-Type: text/html\r\n", "<p>gone"),
     OCSPX_CAUSE_RESP_HTTP, "answered GET with status 404"},
    {REPLY("405 By POST", "", ""), OCSPX_CAUSE_RESP_HTTP, "status 405"},
    {REPLY("503 Busy", "", ""), OCSPX_CAUSE_RESP_HTTP, "status 503"},
    {{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nCERT"},
     OCSPX_CAUSE_RESP_HTTP,
     "gave no answer to GET"},
    {{.bytes = "SSH-2.0-OpenSSH_9.2\r\n"},
     OCSPX_CAUSE_RESP_HTTP,
     "gave no answer to GET"},
};

/* Nothing but GET is ever tried: one request, whatever comes of it. */
START_TEST(answer)
{
    raw_t *raw = RAW(answers[_i].reply, CERT);
    ocspx_fetch_question_t q = cert_question(at(raw, "/ca.cer"));
    got_t *got = ask(&q);

    assert_cause(got, answers[_i].cause);
    assert_says(got->answer.message, answers[_i].says);
    ck_assert_int_eq(got->answer.requests, 1);
    ck_assert_int_eq(got->answer.unreachable, 0);
    if (!answers[_i].cause)
        assert_got(got);
    else
        assert_says(got->answer.message,
                    apr_psprintf(pool, "127.0.0.1:%d", raw->port));
}
END_TEST

START_TEST(endless_body)
{
    char *body = apr_palloc(pool, 2 * MAX_SIZE);
    raw_reply_t reply;
    ocspx_fetch_question_t q;

    memset(body, 'x', 2 * MAX_SIZE - 1);
    body[2 * MAX_SIZE - 1] = '\0';
    reply = (raw_reply_t){
        .bytes = apr_pstrcat(pool, "HTTP/1.1 200 OK\r\n\r\n", body, NULL)};
    q = cert_question(RAW(reply)->url);
    assert_cause(ask(&q), OCSPX_CAUSE_RESP_TOO_LARGE);
}
END_TEST

START_TEST(silence)
{
    raw_t *raw = RAW({.bytes = "", .delay_ms = PATIENCE_MS});
    ocspx_fetch_question_t q = cert_question(raw->url);
    got_t *got;

    q.timeout = apr_time_from_msec(300);
    got = ask(&q);
    assert_cause(got, OCSPX_CAUSE_RESP_TIMEOUT);
    ck_assert_int_eq(got->answer.unreachable, 1);
    ck_assert_int_lt(got->answer.took, apr_time_from_sec(3));
}
END_TEST

START_TEST(nobody_there)
{
    ocspx_fetch_question_t q = cert_question("http://127.0.0.1:1/ca.cer");
    got_t *got = ask(&q);

    assert_cause(got, OCSPX_CAUSE_CONNECT_REFUSED);
    ck_assert_int_eq(got->answer.unreachable, 1);
    ck_assert_int_eq(got->answer.requests, 0);
    q.url = "ldap://127.0.0.1/";
    assert_cause(ask(&q), OCSPX_CAUSE_BAD_URL);
}
END_TEST

/* The two kinds of questions share the network, not the headers. */
START_TEST(beside_a_response)
{
    raw_t *raw = RAW(CERT, GOOD);
    ocspx_fetch_question_t q = cert_question(raw->url);

    assert_got(ask(&q));
    q = question(raw->url);
    assert_cause(ask(&q), OCSPX_CAUSE_NONE);
    assert_says(raw->requests[1], "\r\nAccept: application/ocsp-response\r\n");
    ck_assert_ptr_null(strstr(raw->requests[1], "pkix"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fetch_cert");
    TCase *tc = tcase_create("fetch_cert");

    tcase_add_checked_fixture(tc, scene_make, scene_end);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, plain_get);
    tcase_add_test(tc, url_as_it_stands);
    tcase_add_test(tc, through_proxy);
    tcase_add_test(tc, redirects);
    tcase_add_loop_test(tc, answer, 0,
                        (int)(sizeof(answers) / sizeof(answers[0])));
    tcase_add_test(tc, endless_body);
    tcase_add_test(tc, silence);
    tcase_add_test(tc, nobody_there);
    tcase_add_test(tc, beside_a_response);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
