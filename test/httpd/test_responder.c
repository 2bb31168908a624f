/* test_responder: the scripted responder does what it is told, as judged by
 * curl and `openssl ocsp'.
 */
#include "../support/check_main.h"
#include "../support/pki.h"
#include "../support/procs.h"
#include "../support/responder.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_MS 10000

/* What curl ends with. */
#define CURL_OK 0
#define CURL_REFUSED 7
#define CURL_PARTIAL 18
#define CURL_TIMEOUT 28
#define CURL_RESET 56

static apr_pool_t *pool;
static const char *directory;
static pki_t *issuer;
static pki_t *leaf;
static pki_t *other;
static responder_t *responder;

static const char *file(const char *name)
{
    return apr_pstrcat(pool, directory, "/", name, NULL);
}

/** DER of a request for @a about. */
static unsigned char *make_request(int *len, const pki_t *about)
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    unsigned char *der = NULL;
    unsigned char *copy;

    OCSP_request_add0_id(
        request, OCSP_cert_to_id(EVP_sha1(), about->cert, issuer->cert));
    *len = i2d_OCSP_REQUEST(request, &der);
    copy = apr_pmemdup(pool, der, (apr_size_t)*len);
    OPENSSL_free(der);
    OCSP_REQUEST_free(request);
    return copy;
}

static void write_request(const char *name, const pki_t *about)
{
    int len;
    unsigned char *der = make_request(&len, about);

    pki_write_file(file(name), der, (apr_size_t)len);
}

static pki_t *make_leaf(const char *name)
{
    return pki_make(&(pki_spec_t){.cn = name}, issuer, pool);
}

static void setup(void)
{
    apr_pool_create(&pool, NULL);
    directory = procs_temp_dir(pool);
    issuer = pki_make(&(pki_spec_t){.cn = "Issuer", .ca = 1}, NULL, pool);
    leaf = make_leaf("a.test");
    other = make_leaf("b.test");
    responder = responder_make(NULL, 0, pool);
    responder_add(responder, leaf, issuer, issuer);
    responder_add(responder, other, issuer, issuer);
    pki_write_certs(file("issuer.pem"), issuer->cert, NULL);
    pki_write_certs(file("leaf.pem"), leaf->cert, NULL);
    write_request("request", leaf);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

typedef struct {
    int exit;
    int http_status;
    int size;
    double connected; /* seconds; 0: never */
    double seconds;
} answer_t;

/** Ask by curl; the body of the answer goes to the file "answer". */
static answer_t ask_url(const char *url, const char *request)
{
    const char *data = apr_pstrcat(pool, "@", file(request), NULL);
    const char *argv[] = {
        "curl",
        "--silent",
        "--globoff",
        "--noproxy",
        "*",
        "--max-time",
        "1",
        "--output",
        file("answer"),
        "--write-out",
        "%{http_code} %{size_download} %{time_connect} %{time_total}",
        url,
        request[0] != '\0' ? "--data-binary" : NULL,
        data,
        NULL};
    procs_result_t result;
    answer_t answer;
    char *rest;

    procs_run(&result, argv, NULL, LIMIT_MS, pool);
    answer.exit = result.status;
    answer.http_status = (int)strtol(result.output, &rest, 10);
    answer.size = (int)strtol(rest, &rest, 10);
    answer.connected = strtod(rest, &rest);
    answer.seconds = strtod(rest, NULL);
    return answer;
}

static answer_t ask(const char *request)
{
    return ask_url(responder_url(responder), request);
}

/** What `openssl ocsp' says of the last answer. */
static const char *verdict(void)
{
    const char *argv[] = {"openssl",
                          "ocsp",
                          "-respin",
                          file("answer"),
                          "-CAfile",
                          file("issuer.pem"),
                          "-issuer",
                          file("issuer.pem"),
                          "-cert",
                          file("leaf.pem"),
                          "-validity_period",
                          "0", /* tolerate no skew */
                          NULL};
    procs_result_t result;

    procs_run(&result, argv, NULL, LIMIT_MS, pool);
    return result.output;
}

#define OK "Response verify OK"
#define FAILURE "Response Verify Failure"
#define GOOD "leaf.pem: good"
#define BAD_TIMES "Status times invalid"
#define NO_RESPONSE "Error reading OCSP response"

static const struct {
    const char *name;
    responder_script_t script;
    int exit;
    int http_status;
    const char *says; /* `openssl ocsp'; NULL: not asked */
    const char *also;
} answers[] = {
    {"normal", {0}, CURL_OK, 200, OK, GOOD},
    {"revoked",
     {.status = V_OCSP_CERTSTATUS_REVOKED},
     CURL_OK,
     200,
     OK,
     "leaf.pem: revoked"},
    {"unknown",
     {.status = V_OCSP_CERTSTATUS_UNKNOWN},
     CURL_OK,
     200,
     OK,
     "leaf.pem: unknown"},
    {"chunked", {.chunked = 1}, CURL_OK, 200, OK, GOOD},
    {"close", {.close = 1}, CURL_OK, 200, OK, GOOD},
    {"no nextUpdate", {.no_next_update = 1}, CURL_OK, 200, OK, GOOD},
    {"refuse", {.answer = RESPONDER_REFUSE}, CURL_REFUSED, 0, NULL, NULL},
    {"black hole",
     {.answer = RESPONDER_BLACK_HOLE},
     CURL_TIMEOUT,
     0,
     NULL,
     NULL},
    {"hang", {.answer = RESPONDER_HANG}, CURL_TIMEOUT, 0, NULL, NULL},
    {"reset", {.answer = RESPONDER_RESET}, CURL_RESET, 0, NULL, NULL},
    {"http",
     {.answer = RESPONDER_HTTP,
      .http_status = 503,
      .body = "busy",
      .body_len = 4},
     CURL_OK,
     503,
     NO_RESPONSE,
     ""},
    {"html", {.answer = RESPONDER_HTML}, CURL_OK, 200, NO_RESPONSE, ""},
    {"redirect",
     {.answer = RESPONDER_REDIRECT, .url = "http://127.0.0.1/"},
     CURL_OK,
     302,
     NULL,
     NULL},
    {"wrong type", {.answer = RESPONDER_WRONG_TYPE}, CURL_OK, 200, OK, GOOD},
    {"truncated",
     {.answer = RESPONDER_TRUNCATED},
     CURL_OK,
     200,
     NO_RESPONSE,
     ""},
    {"cut", {.answer = RESPONDER_CUT}, CURL_PARTIAL, 200, NO_RESPONSE, ""},
    {"oversized",
     {.answer = RESPONDER_OVERSIZED, .size = 70000},
     CURL_OK,
     200,
     NO_RESPONSE,
     ""},
    {"replay",
     {.answer = RESPONDER_REPLAY,
      .body = "\x30\x03\x0a\x01\x06",
      .body_len = 5},
     CURL_OK,
     200,
     "unauthorized",
     ""},
    {"try later",
     {.answer = RESPONDER_TRY_LATER},
     CURL_OK,
     200,
     "trylater",
     ""},
    {"unauthorized",
     {.answer = RESPONDER_UNAUTHORIZED},
     CURL_OK,
     200,
     "unauthorized",
     ""},
    {"internal",
     {.answer = RESPONDER_INTERNAL},
     CURL_OK,
     200,
     "internalerror",
     ""},
    {"not OCSP", {.answer = RESPONDER_NOT_OCSP}, CURL_OK, 200, NO_RESPONSE, ""},
    {"wrong signer",
     {.answer = RESPONDER_WRONG_SIGNER},
     CURL_OK,
     200,
     FAILURE,
     ""},
    {"no EKU",
     {.answer = RESPONDER_SIGNER_NO_EKU},
     CURL_OK,
     200,
     FAILURE,
     "missing ocspsigning usage"},
    {"signer expired",
     {.answer = RESPONDER_SIGNER_EXPIRED},
     CURL_OK,
     200,
     FAILURE,
     "certificate has expired"},
    {"bad signature",
     {.answer = RESPONDER_BAD_SIGNATURE},
     CURL_OK,
     200,
     FAILURE,
     "signature failure"},
    {"other CertID",
     {.answer = RESPONDER_OTHER_CERTID},
     CURL_OK,
     200,
     OK,
     "No Status found"},
    {"several", {.answer = RESPONDER_SEVERAL}, CURL_OK, 200, OK, GOOD},
    {"expired", {.answer = RESPONDER_EXPIRED}, CURL_OK, 200, OK, BAD_TIMES},
    {"future", {.answer = RESPONDER_FUTURE}, CURL_OK, 200, OK, BAD_TIMES},
};

START_TEST(answers_as_told)
{
    answer_t answer;

    responder_start(responder);
    responder_script(responder, NULL, &answers[_i].script);
    answer = ask("request");
    ck_assert_msg(answer.exit == answers[_i].exit, "%s: curl ends with %d",
                  answers[_i].name, answer.exit);
    ck_assert_msg(answer.http_status == answers[_i].http_status, "%s: %d",
                  answers[_i].name, answer.http_status);
    ck_assert((answer.connected > 0) ==
              (answers[_i].script.answer != RESPONDER_REFUSE &&
               answers[_i].script.answer != RESPONDER_BLACK_HOLE));
    if (answers[_i].says != NULL) {
        const char *says = verdict();

        ck_assert_msg(strstr(says, answers[_i].says) != NULL &&
                          strstr(says, answers[_i].also) != NULL,
                      "%s: %s", answers[_i].name, says);
    }
    responder_script(responder, NULL, &(responder_script_t){0});
    ck_assert_int_eq(ask("request").exit, CURL_OK);
    ck_assert_ptr_nonnull(strstr(verdict(), GOOD));
}
END_TEST

START_TEST(delegated_signer_on_ipv6)
{
    pki_spec_t spec = {.cn = "Signer", .ocsp_signing = 1};

    responder = responder_make("::1", 0, pool);
    responder_add(responder, leaf, issuer, pki_make(&spec, issuer, pool));
    responder_start(responder);
    ck_assert_int_eq(ask("request").exit, CURL_OK);
    ck_assert_ptr_nonnull(strstr(verdict(), OK));
}
END_TEST

START_TEST(sizes_and_headers)
{
    responder_start(responder);
    responder_script(
        responder, NULL,
        &(responder_script_t){.answer = RESPONDER_OVERSIZED, .size = 70000});
    ck_assert_int_eq(ask("request").size, 70000);
    responder_script(
        responder, NULL,
        &(responder_script_t){.padding = 16384,
                              .headers = "X-First: 1\r\nX-Second: 2\r\n"});
    ck_assert_int_ge(ask_url(responder_url(responder), "request").size, 16384);
    ck_assert_ptr_nonnull(strstr(verdict(), GOOD));
    ck_assert_ptr_nonnull(
        strstr(responder_last_head(responder, pool), "POST /ocsp HTTP/1.1"));
}
END_TEST

START_TEST(slowness)
{
    answer_t answer;

    responder_start(responder);
    responder_script(responder, NULL, &(responder_script_t){.delay_ms = 300});
    answer = ask("request");
    ck_assert_int_eq(answer.exit, CURL_OK);
    ck_assert(answer.seconds >= 0.3);
    responder_script(responder, NULL, &(responder_script_t){.byte_ms = 100});
    answer = ask("request");
    ck_assert_int_eq(answer.exit, CURL_TIMEOUT);
    ck_assert_int_lt(answer.size, 20);
}
END_TEST

START_TEST(get_is_understood)
{
    char base64[512];
    char escaped[1536] = "";
    responder_counts_t counts;
    int len;
    unsigned char *der = make_request(&len, leaf);

    EVP_EncodeBlock((unsigned char *)base64, der, len);
    for (char *c = base64; *c != '\0'; c++) {
        apr_snprintf(escaped + strlen(escaped), 4,
                     strchr("/+=", *c) ? "%%%02X" : "%c", (unsigned)*c);
    }
    responder_start(responder);
    ask_url(apr_pstrcat(pool, responder_url(responder), "/", base64, NULL), "");
    ck_assert_ptr_nonnull(strstr(verdict(), GOOD));
    ask_url(apr_pstrcat(pool, responder_url(responder), "/", escaped, NULL),
            "");
    ck_assert_ptr_nonnull(strstr(verdict(), GOOD));
    ck_assert_int_eq(ask_url(responder_url(responder), "").http_status, 400);
    responder_counts(&counts, responder);
    ck_assert_uint_eq(counts.get, 2);
    ck_assert_uint_eq(counts.post, 0);
    ck_assert_uint_eq(counts.malformed, 1);
}
END_TEST

START_TEST(equal_serials_of_two_issuers)
{
    pki_spec_t spec = {.cn = "c.test", .serial = 7};
    pki_t *ours = pki_make(&spec, issuer, pool);
    pki_t *theirs = pki_make(&spec, other, pool);

    responder_add(responder, ours, issuer, issuer);
    responder_add(responder, theirs, other, other);
    responder_start(responder);
    write_request("request", ours);
    ck_assert_int_eq(ask("request").http_status, 200);
    ck_assert_uint_eq(responder_requests(responder, ours), 1);
    ck_assert_uint_eq(responder_requests(responder, theirs), 0);
}
END_TEST

START_TEST(certificates_have_scripts_of_their_own)
{
    const pki_t *leaves[8];
    apr_time_t times[8];
    responder_counts_t counts;

    write_request("other", other);
    write_request("stranger", make_leaf("c.test"));
    responder_script(responder, other,
                     &(responder_script_t){.answer = RESPONDER_HTML});
    responder_start(responder);
    ask("request");
    ck_assert_ptr_nonnull(strstr(verdict(), GOOD));
    ask("other");
    ck_assert_ptr_nonnull(strstr(verdict(), NO_RESPONSE));
    ask("stranger");
    ck_assert_ptr_nonnull(strstr(verdict(), "unauthorized"));
    responder_script_drop(responder, other);
    ask("other");
    ck_assert_ptr_nonnull(strstr(verdict(), OK));
    ck_assert_uint_eq(responder_requests(responder, other), 2);
    ck_assert_uint_eq(responder_requests(responder, leaf), 1);
    ck_assert_uint_eq(responder_requests(responder, NULL), 4);
    responder_counts(&counts, responder);
    ck_assert_uint_eq(counts.unknown, 1);
    ck_assert_uint_eq(counts.connections, 4);
    ck_assert_int_eq(responder_times(times, leaves, 8, responder), 4);
    ck_assert(leaves[0] == leaf && leaves[1] == other && !leaves[2]);
    ck_assert(times[0] < times[3] && times[3] <= apr_time_now());
    responder_reset(responder);
    ck_assert_uint_eq(responder_requests(responder, NULL), 0);
    ck_assert(!responder_wait(responder, NULL, 1, 20));
}
END_TEST

START_TEST(comes_back_on_its_port)
{
    responder_start(responder);
    ck_assert_int_eq(ask("request").exit, CURL_OK);
    responder_stop(responder);
    ck_assert_int_eq(ask("request").exit, CURL_REFUSED);
    responder_start(responder);
    ck_assert_int_eq(ask("request").exit, CURL_OK);
    ck_assert_uint_eq(responder_requests(responder, leaf), 2);
}
END_TEST

/** Many requests at once, all by one curl. */
static double ask_many(int count, int at_once)
{
    const char *url =
        apr_psprintf(pool, "%s/[1-%d]", responder_url(responder), count);
    const char *data = apr_pstrcat(pool, "@", file("request"), NULL);
    const char *argv[] = {"curl",
                          "--silent",
                          "--noproxy",
                          "*",
                          "--parallel",
                          "--parallel-immediate",
                          "--parallel-max",
                          apr_itoa(pool, at_once),
                          "--data-binary",
                          data,
                          "--output",
                          "/dev/null",
                          url,
                          NULL};
    procs_result_t result;
    long begin = procs_ms();

    procs_run(&result, argv, NULL, LIMIT_MS, pool);
    ck_assert_int_eq(result.status, 0);
    return (double)(procs_ms() - begin) / 1000.0;
}

START_TEST(serves_many)
{
    responder_counts_t counts;
    double seconds;

    responder_start(responder);
    responder_script(responder, NULL, &(responder_script_t){.delay_ms = 1000});
    ask_many(200, 200);
    responder_counts(&counts, responder);
    ck_assert_uint_eq(counts.post, 200);
    ck_assert_uint_eq(counts.concurrent_max, 200);

    responder_script(responder, NULL, &(responder_script_t){0});
    responder_reset(responder);
    seconds = ask_many(600, 4);
    responder_counts(&counts, responder);
    ck_assert_uint_eq(counts.requests, 600);
    ck_assert_uint_lt(counts.connections, 50); /* keep-alive */
    ck_assert_msg(seconds < 2, "600 requests took %g s", seconds);
}
END_TEST

static Suite *responder_suite(void)
{
    Suite *suite = suite_create("responder");
    TCase *tests = tcase_create("responder");

    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, answers_as_told, 0,
                        sizeof(answers) / sizeof(*answers));
    tcase_add_test(tests, delegated_signer_on_ipv6);
    tcase_add_test(tests, sizes_and_headers);
    tcase_add_test(tests, slowness);
    tcase_add_test(tests, get_is_understood);
    tcase_add_test(tests, equal_serials_of_two_issuers);
    tcase_add_test(tests, certificates_have_scripts_of_their_own);
    tcase_add_test(tests, comes_back_on_its_port);
    tcase_add_test(tests, serves_many);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(responder_suite());
}
