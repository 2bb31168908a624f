/* test_status_hostile: certificates and responders that say what they should
 * not: it arrives as words, in every format.
 */
#include "status_scene.h"

#include <jansson.h>
#include <openssl/x509v3.h>

typedef struct {
    const char *bytes;
    int len; /* 0: up to the end */
} name_t;

static const name_t names[] = {
    {"<script>alert(1)</script>", 0},
    {"\"><img src=x onerror=alert(1)>", 0},
    {"' onmouseover='alert(1)", 0},
    {"a.test\r\nSet-Cookie: x=y\n# HELP x\nx 1", 0},
    {"&lt;b&gt;&amp;&quot;", 0},
    {"\xff\xfe\xc0\xaf\xed\xa0\x80", 0},
    {"a\0<b>", 6},
    {"</title></style><b>", 0},
};

static int length_of(const name_t *name)
{
    return name->len ? name->len : (int)strlen(name->bytes);
}

static void sign_again(pki_t *leaf)
{
    ck_assert_int_gt(X509_sign(leaf->cert, w->issuer->key, EVP_sha256()), 0);
}

/* As no CA would: whatever bytes, as if they were UTF-8. */
static void set_subject(pki_t *leaf, const char *bytes, int len)
{
    X509_NAME *subject = X509_NAME_new();

    ck_assert_int_eq(
        X509_NAME_add_entry_by_NID(subject, NID_commonName, V_ASN1_UTF8STRING,
                                   (const unsigned char *)bytes, len, -1, 0),
        1);
    X509_set_subject_name(leaf->cert, subject);
    X509_NAME_free(subject);
}

static void set_dns_name(pki_t *leaf, const char *bytes, int len)
{
    GENERAL_NAMES *list = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();

    ASN1_STRING_set(text, bytes, len);
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    sk_GENERAL_NAME_push(list, name);
    ck_assert_int_eq(X509_add1_ext_i2d(leaf->cert, NID_subject_alt_name, list,
                                       0, X509V3_ADD_REPLACE),
                     1);
    GENERAL_NAMES_free(list);
}

/* Both by its subject and by its DNS name. */
static pki_t *add_hostile(const char *host, const char *bytes, int len,
                          const char *urls)
{
    pki_t *leaf = world_leaf(w, &(pki_spec_t){.cn = host, .ocsp_urls = urls});

    set_subject(leaf, bytes, len);
    set_dns_name(leaf, bytes, len);
    sign_again(leaf);
    world_vhost(w, host, leaf, NULL);
    return leaf;
}

static void assert_plain_ascii(const char *text)
{
    for (; *text; text++)
        if ((*text < 0x20 || *text > 0x7e) && !strchr("\r\n\t", *text))
            ck_abort_msg("byte %02x before %.40s", (unsigned char)*text,
                         text + 1);
}

static void assert_no_markup(const char *text)
{
    static const char *const markup[] = {
        "<script", "<img", "<b>\"", "='alert", "<b></", "onerror=alert(1)>\n"};

    assert_plain_ascii(text);
    for (int i = 0; i < COUNT(markup); i++)
        assert_lacks(text, markup[i]);
}

static void assert_well_formed(const char *args)
{
    answer_t answer = ask_page(args);

    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(complaints(&answer), "");
    assert_no_markup(answer.body);
    assert_lacks(answer.head, "\nSet-Cookie");
}

static void assert_json(const char *args)
{
    json_error_t error;
    json_t *json = json_loads(page(args), JSON_REJECT_DUPLICATES, &error);

    ck_assert_msg(json != NULL, "%s", error.text);
    json_decref(json);
}

/* A line is a comment or one of ours. */
static void assert_metrics(const char *text)
{
    assert_plain_ascii(text);
    for (; *text; text = strchr(text, '\n') + 1)
        ck_assert_msg(*text == '#' || !strncmp(text, "ocspx_", 6), "%.60s",
                      text);
}

static void assert_all_formats(const char *args)
{
    const char *more = *args ? "&" : "?";

    assert_well_formed(args);
    assert_json(apr_pstrcat(w->pool, args, more, "format=json", NULL));
    assert_metrics(
        page(apr_pstrcat(w->pool, args, more, "format=openmetrics", NULL)));
    assert_metrics(
        page(apr_pstrcat(w->pool, args, more, "format=prometheus", NULL)));
}

START_TEST(names_in_certificates)
{
    pki_t *leaves[COUNT(names)];

    for (int i = 0; i < COUNT(names); i++)
        leaves[i] =
            add_hostile(apr_psprintf(w->pool, "%d.test", i), names[i].bytes,
                        length_of(&names[i]), responder_url(w->responder));
    up();
    assert_all_formats("");
    for (int i = 0; i < COUNT(names); i++) {
        answer_t answer;

        assert_all_formats(cert_page(leaves[i], ""));
        answer = ask_page(cert_page(leaves[i], "&format=der"));
        ck_assert_int_eq(answer.status, 200);
        assert_has(answer.head, ".ocsp.der\"\r\n");
        assert_lacks(answer.head, "\nSet-Cookie");
    }
    assert_no_markup(ask("/server-status", NULL, NULL).body);
    assert_plain_ascii(ask("/server-status?auto", NULL, NULL).body);
    assert_has(page(""), "&lt;script&gt;alert(1)&lt;/script&gt;");
}
END_TEST

START_TEST(a_name_of_4_kb)
{
    char *bytes = apr_palloc(w->pool, 4096);
    answer_t answer;
    pki_t *leaf;

    memset(bytes, '<', 4096);
    leaf = add_hostile("a.test", bytes, 4096, responder_url(w->responder));
    up();
    assert_all_formats("");
    assert_all_formats(cert_page(leaf, ""));
    ck_assert_uint_lt(strlen(page("")), 40000);
    answer = ask_page(cert_page(leaf, "&format=der"));
    assert_header(&answer, "Content-Disposition: attachment; filename=\""
                           "________________________________"
                           "________________________________.ocsp.der\"");
    assert_no_markup(ask("/server-status", NULL, NULL).body);
}
END_TEST

START_TEST(responder_urls)
{
    const char *urls = apr_psprintf(
        w->pool,
        "%s/\"'><script>alert(1)</script>\r\n\xff ftp://x/<script> "
        "http://<script>/ javascript:alert(1)",
        responder_url(w->responder));
    pki_t *leaf = add_hostile("a.test", "a.test", 6, urls);

    up();
    assert_all_formats("");
    assert_all_formats(cert_page(leaf, ""));
    assert_lacks(page(cert_page(leaf, "")), "href=\"javascript");
    assert_no_markup(ask("/server-status", NULL, NULL).body);
}
END_TEST

/* --- what responders answer ------------------------------------------ */

static const responder_script_t answers[] = {
    {.answer = RESPONDER_HTTP,
     .http_status = 500,
     .headers = "Content-Type: <script>alert(1)</script>\"'\r\n",
     .body = "<script>",
     .body_len = 8},
    {.answer = RESPONDER_HTTP,
     .http_status = 200,
     .headers = "Content-Type: text/html<script>\xff\r\n",
     .body = "<script>",
     .body_len = 8},
    {.answer = RESPONDER_REDIRECT,
     .url = "http://127.0.0.1/<script>alert(1)</script>\"'\xff"},
    {.answer = RESPONDER_REDIRECT, .url = "javascript:<script>"},
    {.answer = RESPONDER_REPLAY, .body = "<script>", .body_len = 8},
};

START_TEST(answers_of_responders)
{
    pki_t *leaves[COUNT(answers)];

    for (int i = 0; i < COUNT(answers); i++) {
        leaves[i] = world_site(w, apr_psprintf(w->pool, "%d.test", i));
        responder_script(w->responder, leaves[i], &answers[i]);
    }
    up();
    assert_all_formats("");
    for (int i = 0; i < COUNT(answers); i++)
        assert_all_formats(cert_page(leaves[i], ""));
    assert_has(page(""), "<b>5</b> Failing");
    assert_no_markup(ask("/server-status", NULL, NULL).body);
}
END_TEST

/* --- what clients ask ------------------------------------------------ */

static const char *const searches[] = {
    "%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    "%27%20onfocus=%27alert(1)",
    "\"><script>alert(1)</script>",
    "</form><script>",
    "%26lt;script%26gt;",
};

START_TEST(searches_of_clients)
{
    world_site(w, "a.test");
    up();
    for (int i = 0; i < COUNT(searches); i++)
        assert_all_formats(apr_pstrcat(w->pool, "?q=", searches[i], NULL));
}
END_TEST

/* httpd lets the client choose this name; the page has the configured one. */
START_TEST(host_headers)
{
    answer_t answer;

    world_site(w, "a.test");
    up();
    answer = ask("/ocspx-status", "--header", "Host: evil.test");
    ck_assert_int_eq(answer.status, 200);
    assert_lacks(answer.body, "evil");
}
END_TEST

static Suite *status_hostile_suite(void)
{
    Suite *suite = suite_create("status_hostile");
    TCase *tests = tcase_create("httpd");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, names_in_certificates);
    tcase_add_test(tests, a_name_of_4_kb);
    tcase_add_test(tests, responder_urls);
    tcase_add_test(tests, answers_of_responders);
    tcase_add_test(tests, searches_of_clients);
    tcase_add_test(tests, host_headers);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(status_hostile_suite());
}
