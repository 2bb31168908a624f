/* test_fetch_verdict: what libcurl saw -> cause and sentence; the cases that
 * no server on this machine can bring about.
 */
#include "../support/check_main.h"

#include <errno.h>
#include <string.h>

#include "../../mod_ocspx/engine/fetch_verdict.h"

static apr_pool_t *pool;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

/* How far it got. */
#define RESOLVED .resolved = 1
#define CONNECTED RESOLVED, .connected = 1
#define SENT CONNECTED, .sent = 1

/* Texts not given are those of a GET to http://a.test/. */
static const struct {
    ocspx_fetch_facts_t facts;
    ocspx_cause_e cause;
    int unreachable, may_differ;
    const char *message;
} cases[] = {
    {{RESOLVED, .code = CURLE_COULDNT_CONNECT, .os_errno = ECONNREFUSED},
     OCSPX_CAUSE_CONNECT_REFUSED,
     1,
     0,
     "a.test:80 [192.0.2.1:80] refused the connection, after 5 ms"},
    {{RESOLVED, .code = CURLE_COULDNT_CONNECT, .os_errno = EHOSTUNREACH},
     OCSPX_CAUSE_CONNECT_TIMEOUT,
     1,
     0,
     "a.test:80 [192.0.2.1:80]: no connection, after 5 ms: No route to host"},
    {{RESOLVED, .code = CURLE_COULDNT_CONNECT, .os_errno = ECONNRESET,
      .words = "Connection reset by peer"},
     OCSPX_CAUSE_RESP_HTTP,
     0,
     0,
     "a.test:80 [192.0.2.1:80] gave no answer to GET, after 5 ms: Connection "
     "reset by peer"},
    {{RESOLVED, .code = CURLE_COULDNT_CONNECT, .os_errno = EMFILE},
     OCSPX_CAUSE_SERVER_LIMITS,
     1,
     0,
     "a.test:80 [192.0.2.1:80] could not be asked: Too many open files"},
    {{SENT, .code = CURLE_OUT_OF_MEMORY},
     OCSPX_CAUSE_SERVER_LIMITS,
     1,
     1,
     "a.test:80 [192.0.2.1:80] could not be asked: Out of memory"},
    {{.code = CURLE_OPERATION_TIMEDOUT},
     OCSPX_CAUSE_DNS,
     1,
     0,
     "a.test:80 [192.0.2.1:80]: the name was not resolved, after 5 ms"},
    {{RESOLVED, .code = CURLE_OPERATION_TIMEDOUT},
     OCSPX_CAUSE_CONNECT_TIMEOUT,
     1,
     0,
     "a.test:80 [192.0.2.1:80] accepted no connection within 5 ms"},
    {{SENT, .code = CURLE_OPERATION_TIMEDOUT, .heard = 1, .body_len = 3},
     OCSPX_CAUSE_RESP_TIMEOUT,
     0,
     0,
     "a.test:80 [192.0.2.1:80] gave no complete answer to GET within 5 ms "
     "(3 bytes)"},
    {{CONNECTED, .code = CURLE_PEER_FAILED_VERIFICATION,
      .words = "certificate has expired"},
     OCSPX_CAUSE_RESP_HTTP,
     0,
     0,
     "a.test:80 [192.0.2.1:80] gave no answer to GET, after 5 ms: certificate "
     "has expired"},
    {{SENT, .code = CURLE_RECV_ERROR},
     OCSPX_CAUSE_RESP_HTTP,
     0,
     1,
     "a.test:80 [192.0.2.1:80] gave no answer to GET, after 5 ms: Failure when "
     "receiving data from the peer"},
    {{SENT, .code = CURLE_RECV_ERROR, .connect_status = 407,
      .proxy = "http://joe:secret@p.test:3128"},
     OCSPX_CAUSE_PROXY_DENIED,
     0,
     0,
     "a.test:80 through proxy p.test:3128 [192.0.2.1:80] answered 407 to "
     "CONNECT"},
    {{SENT, .code = CURLE_RECV_ERROR, .status = 403, .proxy = "p.test"},
     OCSPX_CAUSE_PROXY_DENIED,
     0,
     1,
     "a.test:80 through proxy p.test [192.0.2.1:80] answered 403 to GET"},
    {{SENT, .code = CURLE_RECV_ERROR, .connect_status = 403, .proxy = "p.test"},
     OCSPX_CAUSE_PROXY_DENIED,
     0,
     0,
     "a.test:80 through proxy p.test [192.0.2.1:80] answered 403 to CONNECT"},
    /* through the tunnel, from the responder itself */
    {{SENT, .status = 403, .connect_status = 200, .proxy = "p.test"},
     OCSPX_CAUSE_RESP_HTTP,
     0,
     1,
     "a.test:80 through proxy p.test [192.0.2.1:80] answered GET with status "
     "403, after 5 ms"},
    {{SENT, .status = 403, .proxy = ""},
     OCSPX_CAUSE_RESP_HTTP,
     0,
     1,
     "a.test:80 [192.0.2.1:80] answered GET with status 403, after 5 ms"},
    {{SENT, .status = 200, .type = "application/ocsp-response", .body_len = 1},
     OCSPX_CAUSE_NONE,
     0,
     0,
     ""},
    {{RESOLVED, .code = CURLE_URL_MALFORMAT, .url = "http://\n/"},
     OCSPX_CAUSE_BAD_URL,
     0,
     0,
     "http://\\x0a/ cannot be asked: URL using bad/illegal format or missing "
     "URL"},
};

static void set_default(const char **text, const char *value)
{
    if (!*text)
        *text = value;
}

START_TEST(verdict)
{
    ocspx_fetch_facts_t facts = cases[_i].facts;
    ocspx_fetch_verdict_t out;

    facts.method = "GET";
    facts.took = apr_time_from_msec(5);
    facts.peer = "192.0.2.1:80";
    facts.answered = "http://a.test/";
    set_default(&facts.url, facts.answered);
    set_default(&facts.words, "");
    set_default(&facts.type, "");
    ocspx_fetch_verdict(&out, &facts, pool);
    ck_assert_str_eq(ocspx_cause_code(out.cause),
                     ocspx_cause_code(cases[_i].cause));
    ck_assert_str_eq(out.message, cases[_i].message);
    ck_assert_int_eq(out.unreachable, cases[_i].unreachable);
    ck_assert_int_eq(out.may_differ, cases[_i].may_differ);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("fetch_verdict");
    TCase *t = tcase_create("fetch_verdict");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, verdict, 0, (int)(sizeof(cases) / sizeof(cases[0])));
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return ocspx_check_main(suite());
}
