/* test_fetch: questions to the scripted responder: methods, time, size,
 * connections, many at once.
 */
#include "fetch_scene.h"

#include <fcntl.h>

#include "../../mod_ocspx/core/cert.h"
#include "../../mod_ocspx/engine/fetch_get.h"
#include "../support/responder.h"

static const pki_t *ca, *leaf;
static responder_t *responder;
static ocspx_fetch_question_t asked; /* OCSP request for leaf, to responder */

static void make_responder(const char *host)
{
    responder = responder_make(host, 0, pool);
    responder_add(responder, leaf, ca, ca);
    responder_start(responder);
    asked.url = responder_url(responder);
}

static void set_up(void)
{
    ocspx_cert_t *cert;

    scene_make();
    ca = pki_make(&(pki_spec_t){.cn = "CA", .ca = 1}, NULL, pool);
    leaf = pki_make(&(pki_spec_t){.cn = "leaf"}, ca, pool);
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
    asked = question(NULL);
    ck_assert_int_eq(ocspx_cert_request(&asked.request, &asked.request_len,
                                        cert, OCSPX_CERT_SHA1, pool),
                     APR_SUCCESS);
    make_responder(NULL);
}

static void script(const responder_script_t *s)
{
    responder_script(responder, NULL, s);
}

static responder_counts_t counts(void)
{
    responder_counts_t c;

    responder_counts(&c, responder);
    return c;
}

static const char *address(void)
{
    return apr_psprintf(pool, "127.0.0.1:%d", responder_port(responder));
}

static void assert_good(const got_t *got)
{
    const unsigned char *at = got->answer.body;
    OCSP_RESPONSE *response;

    assert_cause(got, OCSPX_CAUSE_NONE);
    ck_assert_str_eq(got->answer.message, "");
    ck_assert_int_eq(got->answer.http_status, 200);
    ck_assert_int_eq(got->answer.unreachable, 0);
    response = d2i_OCSP_RESPONSE(NULL, &at, (long)got->answer.body_len);
    ck_assert_ptr_nonnull(response);
    ck_assert_ptr_eq(at, got->answer.body + got->answer.body_len);
    OCSP_RESPONSE_free(response);
}

/* --- methods --------------------------------------------------------- */

START_TEST(get)
{
    got_t *got = ask(&asked);

    assert_good(got);
    ck_assert_str_eq(got->answer.peer, address());
    ck_assert_int_eq(got->answer.requests, 1);
    ck_assert_uint_eq(counts().get, 1);
    ck_assert_int_gt(got->answer.date, apr_time_now() - apr_time_from_sec(60));
    ck_assert_int_eq(got->answer.fresh_until, 0);
    ck_assert_int_gt(got->answer.took, 0);
}
END_TEST

START_TEST(post)
{
    const char *head;

    asked.method = OCSPX_FETCH_POST;
    assert_good(ask(&asked));
    ck_assert_uint_eq(counts().post, 1);
    head = responder_last_head(responder, pool);
    assert_says(head, "\r\nContent-Type: application/ocsp-request\r\n");
    assert_says(head, "\r\nAccept: application/ocsp-response\r\n");
    assert_says(head, "\r\nUser-Agent: mod_ocspx/");
    ck_assert_ptr_null(strstr(head, "Expect:"));
    ck_assert_ptr_null(strstr(head, "Accept-Encoding:"));
    ck_assert_ptr_null(strstr(head, "Cookie:"));
}
END_TEST

/* The responder's URL, longer, so that its GET form has @a length bytes. */
static const char *url_for(apr_size_t length)
{
    const char *url = apr_pstrcat(pool, responder_url(responder), "/", NULL);

    while (strlen(ocspx_fetch_get_url(url, asked.request, asked.request_len,
                                      pool)) < length)
        url = apr_pstrcat(pool, url, "-", NULL);
    return url;
}

START_TEST(get_up_to_255)
{
    asked.url = url_for(255);
    assert_good(ask(&asked));
    ck_assert_uint_eq(counts().get, 1);
    responder_reset(responder);
    asked.url = url_for(256);
    assert_good(ask(&asked));
    ck_assert_uint_eq(counts().post, 1);
    ck_assert_uint_eq(counts().get, 0);
}
END_TEST

/* --- the ways of an answer ------------------------------------------- */

START_TEST(ways)
{
    const responder_script_t scripts[] = {
        {.chunked = 1}, {.padding = 16384}, {.padding = 16384, .chunked = 1},
        {.close = 1},   {.delay_ms = 100},  {.answer = RESPONDER_TRY_LATER},
    };
    unsigned i;

    for (i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        script(&scripts[i]);
        assert_good(ask(&asked));
    }
}
END_TEST

START_TEST(ipv6)
{
    make_responder("::1");
    assert_good(ask(&asked));
    responder_stop(responder);
    assert_says(ask(&asked)->answer.message,
                apr_psprintf(pool, "[::1]:%d refused the connection",
                             responder_port(responder)));
}
END_TEST

START_TEST(max_size)
{
    responder_script_t s = {.answer = RESPONDER_OVERSIZED, .size = MAX_SIZE};
    got_t *got;

    asked.method = OCSPX_FETCH_POST;
    for (s.chunked = 0; s.chunked <= 1; s.chunked++) {
        s.size = MAX_SIZE;
        script(&s);
        got = ask(&asked);
        assert_cause(got, OCSPX_CAUSE_NONE);
        ck_assert_uint_eq(got->answer.body_len, MAX_SIZE);
        s.size = MAX_SIZE + 1;
        script(&s);
        got = ask(&asked);
        assert_cause(got, OCSPX_CAUSE_RESP_TOO_LARGE);
        assert_says(got->answer.message, "more than the 65536 bytes allowed");
        ck_assert_int_eq(got->answer.http_status, 200);
    }
}
END_TEST

START_TEST(redirect)
{
    responder_t *old = responder;
    got_t *got;

    asked.method = OCSPX_FETCH_POST;
    make_responder(NULL);
    responder_script(old, NULL,
                     &(responder_script_t){.answer = RESPONDER_REDIRECT,
                                           .url = asked.url,
                                           .headers = "Cache-Control: "
                                                      "max-age=60\r\n"});
    asked.url = responder_url(old);
    got = ask(&asked);
    assert_good(got);
    ck_assert_int_eq(got->answer.requests, 2);
    ck_assert_str_eq(got->answer.peer, address());
    ck_assert_int_eq(got->answer.fresh_until, 0);
    ck_assert_uint_eq(counts().post, 1);
}
END_TEST

START_TEST(http_freshness)
{
    apr_time_t now = apr_time_now();
    got_t *got;

    script(&(responder_script_t){
        .headers = "Cache-Control: max-age=600\r\nAge: 100\r\n"});
    got = ask(&asked);
    assert_good(got);
    ck_assert_int_ge(got->answer.fresh_until, now + apr_time_from_sec(500));
    ck_assert_int_le(got->answer.fresh_until, now + apr_time_from_sec(515));
}
END_TEST

/* --- no answer ------------------------------------------------------- */

static void assert_unreachable(const got_t *got, ocspx_cause_e cause)
{
    assert_cause(got, cause);
    ck_assert_int_eq(got->answer.unreachable, 1);
    ck_assert_int_eq(got->answer.http_status, 0);
    assert_says(got->answer.message, address());
    assert_says(got->answer.message, " ms");
}

START_TEST(refused)
{
    got_t *got;

    responder_stop(responder);
    got = ask(&asked);
    assert_unreachable(got, OCSPX_CAUSE_CONNECT_REFUSED);
    ck_assert_int_eq(got->answer.requests, 0);
    ck_assert_str_eq(got->answer.peer, "");
    ck_assert_int_lt(got->answer.took, apr_time_from_sec(1));
}
END_TEST

START_TEST(black_hole)
{
    got_t *got;

    script(&(responder_script_t){.answer = RESPONDER_BLACK_HOLE});
    asked.timeout = apr_time_from_msec(300);
    got = ask(&asked);
    assert_unreachable(got, OCSPX_CAUSE_CONNECT_TIMEOUT);
    ck_assert_int_eq(got->answer.requests, 0);
    ck_assert_int_lt(got->answer.took, apr_time_from_msec(900));
    asked.timeout = apr_time_from_sec(10);
    got = ask(&asked);
    assert_unreachable(got, OCSPX_CAUSE_CONNECT_TIMEOUT);
    ck_assert_int_gt(got->answer.took, apr_time_from_msec(2900));
    ck_assert_int_lt(got->answer.took, apr_time_from_msec(4500));
}
END_TEST

START_TEST(hang)
{
    got_t *got;

    script(&(responder_script_t){.answer = RESPONDER_HANG});
    asked.timeout = apr_time_from_msec(300);
    got = ask(&asked);
    assert_unreachable(got, OCSPX_CAUSE_RESP_TIMEOUT);
    assert_says(got->answer.message, "nothing came");
    ck_assert_str_eq(got->answer.peer, address());
    ck_assert_int_ge(got->answer.took, apr_time_from_msec(290));
    ck_assert_int_lt(got->answer.took, apr_time_from_msec(900));
    ck_assert_int_eq(got->answer.requests, 1);
    ck_assert_uint_eq(counts().post, 0);
}
END_TEST

START_TEST(byte_by_byte)
{
    got_t *got;

    script(&(responder_script_t){.byte_ms = 10});
    asked.timeout = apr_time_from_sec(1);
    got = ask(&asked);
    assert_cause(got, OCSPX_CAUSE_RESP_TIMEOUT);
    ck_assert_int_eq(got->answer.unreachable, 0);
    ck_assert_int_lt(got->answer.took, apr_time_from_msec(1600));
}
END_TEST

START_TEST(broken_off)
{
    const responder_answer_e broken[] = {RESPONDER_RESET, RESPONDER_CUT};
    unsigned i;

    for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        got_t *got;

        script(&(responder_script_t){.answer = broken[i]});
        got = ask(&asked);
        assert_cause(got, OCSPX_CAUSE_RESP_HTTP);
        ck_assert_int_eq(got->answer.unreachable, 0);
        assert_says(got->answer.message, "gave no answer to POST");
    }
}
END_TEST

/* --- many ------------------------------------------------------------ */

START_TEST(keep_alive)
{
    int i;

    for (i = 0; i < 5; i++)
        assert_good(ask(&asked));
    asked.method = OCSPX_FETCH_POST;
    assert_good(ask(&asked));
    ck_assert_uint_eq(counts().connections, 1);
}
END_TEST

START_TEST(responder_restarts)
{
    assert_good(ask(&asked));
    responder_stop(responder);
    responder_start(responder);
    assert_good(ask(&asked));
}
END_TEST

#define MANY 40

START_TEST(many_at_once)
{
    got_t got = {0};
    long began;
    int i;

    script(&(responder_script_t){.delay_ms = 500});
    began = procs_ms();
    for (i = 0; i < MANY; i++)
        ck_assert_int_eq(network->start(network, &asked, on_done, &got),
                         APR_SUCCESS);
    wait_for(&got, MANY);
    ck_assert_int_lt(procs_ms() - began, 4000);
    ck_assert_uint_eq(counts().concurrent_max, MANY);
    /* What is kept open afterwards has a limit. */
    ck_assert_int_lt(open_files(), MANY + 10);
}
END_TEST

typedef struct {
    got_t got;
    int more;
} chain_t;

static void on_done_next(void *baton, const ocspx_fetch_answer_t *answer)
{
    chain_t *chain = baton;

    on_done(&chain->got, answer);
    if (chain->more-- > 0)
        ck_assert_int_eq(network->start(network, &asked, on_done_next, chain),
                         APR_SUCCESS);
}

START_TEST(start_from_done)
{
    chain_t chain = {.more = 3};

    ck_assert_int_eq(network->start(network, &asked, on_done_next, &chain),
                     APR_SUCCESS);
    wait_for(&chain.got, 4);
    assert_good(&chain.got);
    ck_assert_uint_eq(counts().connections, 1);
}
END_TEST

START_TEST(one_hangs_others_do_not_wait)
{
    responder_t *healthy = responder;
    got_t stuck = {0};
    ocspx_fetch_question_t hanging;

    make_responder(NULL);
    script(&(responder_script_t){.answer = RESPONDER_HANG});
    hanging = asked;
    ck_assert_int_eq(network->start(network, &hanging, on_done, &stuck),
                     APR_SUCCESS);
    asked.url = responder_url(healthy);
    assert_good(ask(&asked));
    ck_assert_int_eq(stuck.calls, 0);
}
END_TEST

START_TEST(poll_keeps_its_time)
{
    got_t got = {0};
    long began;

    script(&(responder_script_t){.answer = RESPONDER_HANG});
    network->start(network, &asked, on_done, &got);
    began = procs_ms();
    ck_assert_int_eq(network->poll(network, apr_time_from_msec(200)),
                     APR_SUCCESS);
    ck_assert_int_ge(procs_ms() - began, 190);
    ck_assert_int_lt(procs_ms() - began, 600);
    ck_assert_int_eq(got.calls, 0);
}
END_TEST

/* Programs that httpd starts have no business with our connections. */
START_TEST(sockets_are_private)
{
    int fd, connections = 0;

    assert_good(ask(&asked));
    for (fd = 3; fd < 100; fd++) {
        struct sockaddr_in peer = {0};
        socklen_t len = sizeof(peer);

        if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0 ||
            ntohs(peer.sin_port) != responder_port(responder))
            continue;
        ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        connections++;
    }
    ck_assert_int_eq(connections, 1);
}
END_TEST

START_TEST(cancel)
{
    int before = open_files(), i;
    got_t got = {0};

    script(&(responder_script_t){.answer = RESPONDER_HANG});
    for (i = 0; i < 5; i++)
        network->start(network, &asked, on_done, &got);
    network->poll(network, apr_time_from_msec(100));
    ck_assert_uint_eq(counts().concurrent_max, 5);
    apr_pool_destroy(network_pool);
    ck_assert_int_eq(got.calls, 0);
    ck_assert_int_le(open_files(), before);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("fetch");
    TCase *t = tcase_create("fetch");

    tcase_add_checked_fixture(t, set_up, scene_end);
    tcase_set_timeout(t, 20);
    tcase_add_test(t, get);
    tcase_add_test(t, post);
    tcase_add_test(t, get_up_to_255);
    tcase_add_test(t, ways);
    tcase_add_test(t, ipv6);
    tcase_add_test(t, max_size);
    tcase_add_test(t, redirect);
    tcase_add_test(t, http_freshness);
    tcase_add_test(t, refused);
    tcase_add_test(t, black_hole);
    tcase_add_test(t, hang);
    tcase_add_test(t, byte_by_byte);
    tcase_add_test(t, broken_off);
    tcase_add_test(t, keep_alive);
    tcase_add_test(t, responder_restarts);
    tcase_add_test(t, many_at_once);
    tcase_add_test(t, start_from_done);
    tcase_add_test(t, one_hangs_others_do_not_wait);
    tcase_add_test(t, poll_keeps_its_time);
    tcase_add_test(t, sockets_are_private);
    tcase_add_test(t, cancel);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return ocspx_check_main(suite());
}
