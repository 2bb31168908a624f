/* test_status: the handler ocspx-status: formats, headers, what it refuses,
 * and where it can be put.
 */
#include "status_scene.h"

#include <apr_file_io.h>
#include <jansson.h>
#include <openssl/evp.h>

/* --- the page -------------------------------------------------------- */

/* As a browser would: the policy allows the style sheet by its hash. */
static const char *policy_for(const char *text)
{
    const char *begin = strstr(text, "<style>") + strlen("<style>");
    const char *end = strstr(begin, "</style>");
    unsigned char digest[EVP_MAX_MD_SIZE], base64[128];
    unsigned len;

    ck_assert_ptr_nonnull(end);
    EVP_Digest(begin, (size_t)(end - begin), digest, &len, EVP_sha256(), NULL);
    EVP_EncodeBlock(base64, digest, (int)len);
    return apr_psprintf(w->pool,
                        "Content-Security-Policy: default-src 'none'; "
                        "style-src 'sha256-%s'; form-action 'self'; base-uri "
                        "'none'; frame-ancestors 'none'",
                        base64);
}

static void assert_safe(const answer_t *answer)
{
    assert_header(answer, "Cache-Control: no-store");
    assert_header(answer, "X-Content-Type-Options: nosniff");
    assert_header(answer, "Referrer-Policy: no-referrer");
    assert_has(answer->head, "\r\nVary: Accept");
    assert_has(answer->head, "\r\nContent-Security-Policy: default-src 'none'");
}

START_TEST(the_page)
{
    answer_t answer;

    world_site(w, "a.test");
    world_site(w, "b.test");
    up();
    answer = ask_page("");
    ck_assert_int_eq(answer.status, 200);
    assert_header(&answer, "Content-Type: text/html; charset=utf-8");
    assert_header(&answer, policy_for(answer.body));
    assert_safe(&answer);
    assert_has(answer.body, "<h1>Both certificates are stapled</h1>");
    assert_has(answer.body, ">a.test</a>");
    assert_has(answer.body, ">b.test</a>");
    assert_has(answer.body, "<b>OCSP stapling</b> on localhost");
    ck_assert_str_eq(complaints(&answer), "");
}
END_TEST

START_TEST(head)
{
    answer_t answer;
    const char *wanted;

    world_site(w, "a.test");
    up();
    wanted = policy_for(page(""));
    answer = ask("/ocspx-status", "--head", NULL);
    ck_assert_int_eq(answer.status, 200);
    assert_header(&answer, "Content-Type: text/html; charset=utf-8");
    assert_header(&answer, wanted);
    assert_safe(&answer);
    /* curl writes the headers there for want of a body */
    assert_lacks(answer.body, "<html");
}
END_TEST

/* --- formats --------------------------------------------------------- */

#define METRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"

static const struct {
    const char *args, *accept, *type, *begin;
} formats[] = {
    {"?format=html", "*/*", "text/html; charset=utf-8", "<!DOCTYPE html>"},
    {"?format=json", "*/*", "application/json", "{\"totals\":{"},
    {"?format=openmetrics", "*/*", METRICS, "# "},
    {"?format=prometheus", "*/*", PROMETHEUS, "# "},
    {"", "", "text/html; charset=utf-8", "<!DOCTYPE html>"},
    {"", "application/json", "application/json", "{\"totals\":{"},
    {"", "application/openmetrics-text;version=1.0.0", METRICS, "# "},
    {"", "text/plain;version=0.0.4", PROMETHEUS, "# "},
    {"", "text/html;q=0.5, application/json", "application/json", "{"},
    {"?format=html", "application/json", "text/html; charset=utf-8", "<"},
    {"?q=a", "application/json", "application/json", "{\"totals\":{"},
};

START_TEST(every_format)
{
    world_site(w, "a.test");
    up();
    for (int i = 0; i < COUNT(formats); i++) {
        answer_t answer =
            ask(apr_pstrcat(w->pool, "/ocspx-status", formats[i].args, NULL),
                "--header",
                apr_pstrcat(w->pool, "Accept:", formats[i].accept, NULL));

        ck_assert_int_eq(answer.status, 200);
        assert_header(&answer, apr_pstrcat(w->pool, "Content-Type: ",
                                           formats[i].type, NULL));
        ck_assert_msg(
            !strncmp(answer.body, formats[i].begin, strlen(formats[i].begin)),
            "%s %s: %.40s", formats[i].args, formats[i].accept, answer.body);
        assert_has(answer.body, "a.test");
        assert_safe(&answer);
    }
    assert_has(page("?format=openmetrics"), "\n# EOF\n");
    assert_lacks(page("?format=prometheus"), "# EOF");
}
END_TEST

static json_t *as_json(const char *args)
{
    json_error_t error;
    json_t *json = json_loads(page(args), JSON_REJECT_DUPLICATES, &error);

    ck_assert_msg(json != NULL, "%s: %s", args, error.text);
    return json;
}

static int certificates_in(const char *args)
{
    json_t *json = as_json(args);
    int n = (int)json_array_size(json_object_get(json, "certificates"));

    json_decref(json);
    return n;
}

START_TEST(queries)
{
    pki_t *a = world_site(w, "a.test");

    world_site(w, "b.test");
    responder_script(w->responder, a,
                     &(responder_script_t){.answer = RESPONDER_TRY_LATER});
    up();
    ck_assert_int_eq(certificates_in("?format=json"), 2);
    ck_assert_int_eq(certificates_in("?format=json&state=failing"), 1);
    ck_assert_int_eq(certificates_in("?format=json&state=revoked"), 0);
    ck_assert_int_eq(certificates_in("?format=json&q=.test"), 2);
    ck_assert_int_eq(certificates_in("?format=json&q=b.te"), 1);
    ck_assert_int_eq(certificates_in(cert_page(a, "&format=json&page=1")), 1);
    assert_has(page("?state=failing"), ">a.test</a>");
    assert_lacks(page("?state=failing"), ">b.test</a>");
    assert_has(page(cert_page(a, "")), "<h1>a.test</h1>");
    assert_has(page(cert_page(a, "")), "RESP_TRYLATER");
    assert_has(page(cert_page(a, "&format=openmetrics")), "a.test");
    assert_lacks(page(cert_page(a, "&format=openmetrics")), "b.test");
}
END_TEST

#define EXPIRY "\nocspx_staple_expiry_timestamp_seconds{"

static int times(const char *text, const char *what)
{
    int n = 0;

    while ((text = strstr(text, what))) {
        n++;
        text++;
    }
    return n;
}

START_TEST(pages)
{
    EVP_PKEY *key = w->root->key;
    json_t *json;

    for (int i = 0; i < 250; i++) {
        const char *name = apr_psprintf(w->pool, "site-%03d.test", i);

        world_vhost(w, name,
                    world_leaf(w, &(pki_spec_t){.cn = name, .use_key = key}),
                    NULL);
    }
    up();
    ck_assert_int_eq(certificates_in("?format=json"), 250);
    json = as_json("?format=json&page=3");
    ck_assert_int_eq(json_integer_value(json_object_get(json, "pages")), 3);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "matching")),
                     250);
    json_decref(json);
    ck_assert_int_eq(certificates_in("?format=json&page=3"), 50);
    assert_has(page(""), "<span>Page 1 of 3</span>");
    assert_has(page("?page=2"), "<span>Page 2 of 3</span>");
    ck_assert_int_eq(ask_page("?page=4").status, 404);
    ck_assert_int_eq(ask_page("?q=site-24&page=2").status, 404);
    ck_assert_int_eq(times(page("?format=openmetrics"), EXPIRY), 250);
    ck_assert_int_eq(times(page("?format=openmetrics&page=2"), EXPIRY), 250);
    ck_assert_int_eq(times(page("?format=prometheus&q=site-24"), EXPIRY), 10);
    assert_has(ask("/server-status", NULL, NULL).body,
               "and 240 more, none of them worse");
}
END_TEST

/* --- what is refused ------------------------------------------------- */

static const struct {
    const char *args;
    int status;
    const char *word;
} refusals[] = {
    {"?unknown=1", 400, "not known"},
    {"?q=a&q=b", 400, "twice"},
    {"?page=0", 400, "page must"},
    {"?page=x", 400, "page must"},
    {"?page=2", 404, "no such page"},
    {"?state=<b>", 400, "state must"},
    {"?format=xml", 400, "format must"},
    {"?format=der", 400, "needs a certificate"},
    {"?cert=12ab", 400, "fingerprint"},
    {"?cert=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
     404, "no such certificate"},
    {"?cert=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
     "&format=der",
     404, "no such certificate"},
    {"?cert=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
     "&format=openmetrics",
     404, "no such certificate"},
    {"?q=%", 400, "encoded"},
    {"?q=a%00b", 400, "encoded"},
    {"?q=%ff%0a", 400, "printable"},
    {"?\"><script>alert(1)</script>", 400, "not known"},
    {"?<script>=<script>", 400, "not known"},
    {"?q=%3Cscript%3E&page=%3Cscript%3E", 400, "page must"},
};

static void assert_refused(const answer_t *answer, int status, const char *word)
{
    const char *end = strchr(answer->body, '\n');

    ck_assert_msg(answer->status == status, "%d, not %d: %s", answer->status,
                  status, answer->body);
    assert_header(answer, "Content-Type: text/plain; charset=utf-8");
    assert_safe(answer);
    assert_has(answer->body, word);
    ck_assert_msg(end && end > answer->body && end[-1] == '.' && !end[1],
                  "no sentence: %s", answer->body);
    ck_assert_ptr_null(strpbrk(answer->body, "<>&\"'%"));
}

START_TEST(odd_requests)
{
    world_site(w, "a.test");
    up();
    for (int i = 0; i < COUNT(refusals); i++) {
        answer_t answer = ask_page(refusals[i].args);

        assert_refused(&answer, refusals[i].status, refusals[i].word);
    }
}
END_TEST

START_TEST(long_queries)
{
    static const int lengths[] = {4097, 7000, 65536};
    char *args = apr_palloc(w->pool, 65537);

    world_site(w, "a.test");
    up();
    memset(args, 'a', 65536);
    memcpy(args, "?q=", 3);
    for (int i = 0; i < COUNT(lengths); i++) {
        answer_t answer =
            ask_page(apr_pstrndup(w->pool, args, (apr_size_t)lengths[i] + 1));

        ck_assert_int_eq(answer.status, 414);
        if (lengths[i] < 8000)
            assert_refused(&answer, 414, "too long");
    }
    ck_assert_int_eq(ask_page(apr_pstrndup(w->pool, args, 4097)).status, 200);
}
END_TEST

static const char *const methods[] = {"POST",  "PUT",     "DELETE",
                                      "PATCH", "OPTIONS", "PROPFIND"};

START_TEST(read_only)
{
    world_site(w, "a.test");
    up();
    for (int i = 0; i < COUNT(methods); i++) {
        answer_t answer = ask("/ocspx-status", "--request", methods[i]);

        assert_refused(&answer, 405, "only be read");
        assert_header(&answer, "Allow: GET, HEAD");
    }
    ck_assert_int_eq(ask("/ocspx-status", "--data", "q=a.test").status, 405);
    ck_assert_int_eq(ask("/ocspx-status?q=a", NULL, NULL).status, 200);
}
END_TEST

/* --- the response itself --------------------------------------------- */

START_TEST(the_response_as_it_is_stapled)
{
    pki_t *leaf = world_leaf(
        w, &(pki_spec_t){.cn = "*.a.test", .names = "DNS:*.a.test,DNS:a.test"});
    client_result_t client;
    answer_t answer;
    apr_finfo_t info;
    const char *body;

    world_vhost(w, "a.test", leaf, NULL);
    up();
    client = world_handshake(w, "a.test");
    ck_assert(client_good(&client));
    answer = ask_page(cert_page(leaf, "&format=der"));
    ck_assert_int_eq(answer.status, 200);
    assert_header(&answer, "Content-Type: application/ocsp-response");
    assert_header(&answer, "Content-Disposition: attachment; "
                           "filename=\"_.a.test.ocsp.der\"");
    assert_safe(&answer);
    ck_assert_int_eq(apr_stat(&info, answer.file, APR_FINFO_SIZE, w->pool),
                     APR_SUCCESS);
    ck_assert_uint_eq((apr_size_t)info.size, client.len);
    body = procs_read_file(answer.file, w->pool);
    ck_assert_mem_eq(body, client.der, client.len);
}
END_TEST

START_TEST(no_response_to_show)
{
    pki_t *failing = world_site(w, "a.test");
    pki_t *withheld = world_leaf(w, &(pki_spec_t){.cn = "b.test"});
    pki_t *off = world_leaf(w, &(pki_spec_t){.cn = "c.test"});
    const pki_t *leaves[] = {failing, withheld, off};

    world_vhost(w, "b.test", withheld, "OCSPXRevoked withhold\n");
    world_vhost(w, "c.test", off, "OCSPXUseStapling off\n");
    responder_script(w->responder, failing,
                     &(responder_script_t){.answer = RESPONDER_TRY_LATER});
    responder_script(
        w->responder, withheld,
        &(responder_script_t){.status = V_OCSP_CERTSTATUS_REVOKED});
    up();
    for (int i = 0; i < COUNT(leaves); i++) {
        answer_t answer = ask_page(cert_page(leaves[i], "&format=der"));

        assert_refused(&answer, 404, "no response");
        ck_assert_int_eq(ask_page(cert_page(leaves[i], "")).status, 200);
    }
}
END_TEST

/* --- anywhere -------------------------------------------------------- */

START_TEST(in_htaccess)
{
    const char *dir = httpd_path(w->httpd, "htdocs/deep");

    world_global(w, apr_psprintf(w->pool,
                                 "<Directory %s>\n    AllowOverride All\n"
                                 "</Directory>\n",
                                 httpd_path(w->httpd, "htdocs")));
    world_site(w, "a.test");
    up();
    ck_assert_int_eq(ask("/deep/status", NULL, NULL).status, 404);
    ck_assert_int_eq(apr_dir_make(dir, APR_FPROT_OS_DEFAULT, w->pool),
                     APR_SUCCESS);
    pki_write_file(apr_pstrcat(w->pool, dir, "/.htaccess", NULL),
                   "SetHandler ocspx-status\n", 24);
    assert_has(ask("/deep/status", NULL, NULL).body, ">a.test</a>");
    assert_has(ask("/deep/", NULL, NULL).body, ">a.test</a>");
    ck_assert_int_eq(ask("/status", NULL, NULL).status, 404);
}
END_TEST

START_TEST(without_mod_status)
{
    httpd_configure(w->httpd,
                    &(httpd_config_t){.global = PAGE, .without = "status"});
    world_site(w, "a.test");
    up();
    assert_has(page(""), ">a.test</a>");
    ck_assert_int_eq(ask("/server-status", NULL, NULL).status, 404);
}
END_TEST

START_TEST(without_anything_to_staple)
{
    httpd_configure(w->httpd,
                    &(httpd_config_t){.global = PAGE, .without = "ssl"});
    httpd_vhost(w->httpd, &(httpd_vhost_t){.names = "a.test"});
    world_up(w);
    assert_has(page(""), "<h1>There is no certificate here</h1>");
    assert_has(page("?format=openmetrics"), "# EOF");
    ck_assert_int_eq(certificates_in("?format=json"), 0);
}
END_TEST

START_TEST(not_where_it_is_not_asked_for)
{
    world_global(w, "");
    world_site(w, "a.test");
    up();
    ck_assert_int_eq(ask_page("").status, 404);
}
END_TEST

/* The lines between the comment's, as an administrator would take them. */
static const char *sample_block(void)
{
    const char *srcdir = getenv("srcdir");
    const char *text = procs_read_file(
        apr_pstrcat(w->pool, srcdir ? srcdir : ".", "/conf.d/ocspx.conf", NULL),
        w->pool);
    const char *at = strstr(text, "#<Location"), *end;
    const char *lines = "";

    ck_assert_ptr_nonnull(at);
    end = strstr(at, "#</Location>\n");
    ck_assert_ptr_nonnull(end);
    for (; at <= end; at = strchr(at, '\n') + 1)
        lines = apr_pstrcat(
            w->pool, lines,
            apr_pstrndup(w->pool, at + 1, strcspn(at + 1, "\n")), "\n", NULL);
    return lines;
}

START_TEST(as_the_sample_has_it)
{
    httpd_configure(w->httpd, &(httpd_config_t){.global = sample_block(),
                                                .modules = "authz_host"});
    world_site(w, "a.test");
    up();
    assert_has(page(""), ">a.test</a>");
    assert_has(sample_block(), "Require local");
}
END_TEST

static Suite *status_suite(void)
{
    Suite *suite = suite_create("status");
    TCase *tests = tcase_create("httpd");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_page);
    tcase_add_test(tests, head);
    tcase_add_test(tests, every_format);
    tcase_add_test(tests, queries);
    tcase_add_test(tests, pages);
    tcase_add_test(tests, odd_requests);
    tcase_add_test(tests, long_queries);
    tcase_add_test(tests, read_only);
    tcase_add_test(tests, the_response_as_it_is_stapled);
    tcase_add_test(tests, no_response_to_show);
    tcase_add_test(tests, in_htaccess);
    tcase_add_test(tests, without_mod_status);
    tcase_add_test(tests, without_anything_to_staple);
    tcase_add_test(tests, not_where_it_is_not_asked_for);
    tcase_add_test(tests, as_the_sample_has_it);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(status_suite());
}
