/* test_page_cert: the page of one certificate, and what the page of all says
 * of chains, responders and the way out.
 */
#include "page_scene.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

/* --- one certificate ------------------------------------------------- */

static void note(unsigned i, apr_time_t when, ocspx_cause_e cause, int status)
{
    ocspx_ledger_note(
        ledger, i, ocspx_registry_get(registry, i)->host,
        &(ocspx_ledger_attempt_t){
            .time = when, .took = 42000, .cause = cause, .http_status = status},
        1);
    ocspx_egress_note(ledger, ocspx_registry_get(registry, i)->host, when);
    judge_egress(when);
}

START_TEST(stapled)
{
    const char *page;

    add_spec(&(pki_spec_t){
        .cn = "a.test", .names = "DNS:a.test,DNS:b.test", .ocsp_urls = URL});
    open_model();
    make_stapled(0, HOURS(76));
    page = page_of_cert(0);
    assert_has(page, "<h1>a.test</h1><p>Stapled until <time "
                     "datetime=\"2033-05-21T07:33:20Z\">2033-05-21 07:33:20 "
                     "UTC</time>, in 3 d 4 h, if nothing changes.</p>");
    assert_has(page, "<a href=\"?\">All certificates</a>");
    ck_assert_int_eq(
        times(page_of(apr_pstrcat(
                  pool, "cert=", ocspx_registry_get(registry, 0)->cert->id,
                  NULL)),
              "<title>a.test &ndash; "),
        1);
    assert_has(page, "<svg class=\"bar\"");
    assert_has(page, apr_pstrcat(pool, "<a href=\"?cert=",
                                 ocspx_registry_get(registry, 0)->cert->id,
                                 "&amp;format=der\">", NULL));
    assert_has(page, apr_pstrcat(pool, "<a href=\"?format=json&amp;cert=",
                                 ocspx_registry_get(registry, 0)->cert->id,
                                 "\">", NULL));
    assert_lacks(page, "What is wrong</h2>");
    assert_has(page, "There was none yet.");
    ck_assert_int_eq(times(page, "<h1>"), 1);
}
END_TEST

START_TEST(failing)
{
    const char *page;

    add_cert("a.test", URL);
    open_model();
    make_failing(0, HOURS(5), OCSPX_CAUSE_DNS, "no such host");
    page = page_of_cert(0);
    assert_has(page, "<p>Failing: still stapled until ");
    assert_has(page, "<section class=\"card warn\"");
    assert_has(page, "<div class=\"life large warn\">");
    assert_has(page, ">DNS</strong> ");
    assert_has(page, ": no such host.</p>");
    make_failing(0, 0, OCSPX_CAUSE_DNS, "no such host");
    ocspx_cache_withdraw(cache, 0);
    page = page_of_cert(0);
    assert_has(page, "<p>Failing: not stapled.</p>");
    assert_has(page, "<section class=\"card bad\"");
    assert_lacks(page, "format=der");
    assert_lacks(page, "<svg class=\"bar\"");
}
END_TEST

START_TEST(withheld)
{
    const char *page;

    fill();
    page = page_of_cert(WITHHELD);
    assert_has(page, "<p>Withheld: not stapled.</p>");
    assert_has(page, "The response</h2>");
    assert_lacks(page, "format=der");
}
END_TEST

START_TEST(somebody_else_staples)
{
    ocspx_query_t query = {0};
    const char *page;

    add_other("md.test", OCSPX_REPORT_OTHER_PROVIDER, "mod_md staples it");
    query.report.cert = APR_ARRAY_IDX(others, 0, ocspx_report_other_t).cert->id;
    page = body_of(ocspx_query_write(&query, pool));
    assert_has(page, "<p>Other module.</p>");
    assert_has(page, "mod_md staples it.</p>");
    assert_has(page, "<h2 id=\"problem\">Why</h2>");
    assert_lacks(page, "The response</h2>");
    assert_has(page, "There was none yet.");
}
END_TEST

/* In one virtual host it is stapled, in another stapling is off. */
START_TEST(both_stapled_and_not)
{
    const char *page;

    add_cert("a.test", URL);
    open_model();
    make_stapled(0, HOURS(76));
    add_other("a.test", OCSPX_REPORT_NOT_APPLICABLE, "stapling is off");
    APR_ARRAY_IDX(others, 0, ocspx_report_other_t).cert =
        ocspx_registry_get(registry, 0)->cert;
    page = page_of_cert(0);
    assert_has(page, "<p>Stapled until ");
    assert_has(page, "<h2>Elsewhere: Not applicable</h2>");
    assert_has(page, "<p>stapling is off.</p><p class=\"soft\">Used by "
                     "elsewhere:443 (ssl.conf:99).");
}
END_TEST

/* As text, each in its place; in whatever form a person likes to see it. */
static void assert_field(const char *page, const ocspx_report_field_t *field,
                         const ocspx_report_row_t *row)
{
    const char *text = ocspx_report_text(field, row, pool);
    const char *begin = apr_psprintf(pool,
                                     "<th scope=\"row\">%s</th><td "
                                     "id=\"field-%s\">",
                                     field->label, field->key);
    const char *at = strstr(page, begin);

    ck_assert_msg(at != NULL, "%s", begin);
    at += strlen(begin);
    if (!text)
        text = "<span class=\"soft\">none</span>";
    else if (field->kind == OCSPX_REPORT_TIME)
        text = apr_psprintf(pool, "<time datetime=\"%s\">", text);
    else if (field->kind == OCSPX_REPORT_DURATION)
        text = "42 ms";
    else if (field->kind == OCSPX_REPORT_LIST)
        text = apr_psprintf(pool, "<ul><li>%.*s</li>", (int)strcspn(text, ","),
                            text);
    if (field->kind == OCSPX_REPORT_TEXT || field->kind == OCSPX_REPORT_COUNT ||
        field->kind == OCSPX_REPORT_FLAG)
        text = apr_pstrcat(pool, text, "</td>", NULL);
    ck_assert_msg(!strncmp(at, text, strlen(text)), "%s: %.60s, not %s",
                  field->key, at, text);
}

START_TEST(every_field)
{
    const ocspx_report_field_t *field;
    ocspx_report_query_t query = {0};
    ocspx_report_row_t row;
    const char *page;

    add_spec(&(pki_spec_t){.cn = "a.test",
                           .names = "DNS:a.test,DNS:b.test",
                           .ocsp_urls = URL,
                           .must_staple = 1});
    open_model();
    make_stapled(0, HOURS(76));
    page = page_of_cert(0);
    ocspx_report_row(&row, make_report(&query), 0, pool);
    for (field = ocspx_report_row_fields; field->key; field++)
        assert_field(page, field, &row);
    assert_has(page, "<ul><li>a.test</li><li>b.test</li></ul>");
    assert_has(page, ">2033-05-21 07:33:20 UTC</time> <span class=\"soft\">"
                     "(in 3 d 4 h)</span>");
}
END_TEST

START_TEST(history)
{
    static const char *const order[] = {
        "<h2 id=\"history\">",
        ">1 min ago</small>",
        ">A new response<",
        "<td class=\"took\">42 ms</td>",
        "<td class=\"http\">200</td>",
        ">2 min ago</small>",
        ">REVOKED<small>The certificate has been revoked",
        ">1 h ago</small>",
        ">RESP_HTTP<small>",
        "<td class=\"http\">503</td>",
        ">2 h ago</small>",
        ">DNS<small>",
        "<td class=\"http\">none</td>",
        "</table>"};
    const char *page;

    add_cert("a.test", URL);
    add_cert("b.test", URL);
    open_model();
    note(0, NOW - HOURS(2), OCSPX_CAUSE_DNS, 0);
    note(0, NOW - HOURS(1), OCSPX_CAUSE_RESP_HTTP, 503);
    note(1, NOW - HOURS(1), OCSPX_CAUSE_STALE, 200);
    note(0, NOW - SECONDS(120), OCSPX_CAUSE_REVOKED, 200);
    note(0, NOW - SECONDS(60), OCSPX_CAUSE_NONE, 200);
    page = page_of_cert(0);
    assert_order(page, order, COUNT(order));
    assert_has(page, "#i-stapled\"/></svg><span>A new response<");
    assert_has(page, "#i-stapled\"/></svg><span>REVOKED<");
    assert_has(page, "#i-failing\"/></svg><span>RESP_HTTP<");
    assert_has(page, "#i-revoked\"/></svg><span>DNS<");
    assert_lacks(page, "STALE");
}
END_TEST

/* --- chains ---------------------------------------------------------- */

START_TEST(no_findings_no_section)
{
    add_cert("a.test", URL);
    open_model();
    assert_lacks(body_of(NULL), "Certificate chains");
}
END_TEST

START_TEST(worst_findings_first)
{
    static const char *const order[] = {
        "<h2 id=\"chains\">Certificate chains</h2>",
        "<use href=\"#i-revoked\"/></svg><div",
        "(error) The issuer is missing.</p>",
        "<b>What to do:</b> Send it.</p>",
        "a.test:443 (ssl.conf:1) and 7 other virtual hosts",
        "<use href=\"#i-failing\"/></svg><div",
        "(warning) It ends soon.</p>",
        "<details><summary>1 note on chains",
        "<use href=\"#i-info\"/></svg><div",
        "(info) The root is sent.</p>",
        "</details>",
        "<h2 id=\"certificates\">",
    };

    open_model();
    add_finding(OCSPX_CAUSE_INFO, "The root is sent");
    add_finding(OCSPX_CAUSE_WARNING, "It ends soon");
    add_finding(OCSPX_CAUSE_ERROR, "The issuer is missing");
    APR_ARRAY_IDX(findings, 2, ocspx_report_finding_t).others = 7;
    assert_order(body_of(NULL), order, COUNT(order));
}
END_TEST

START_TEST(only_notes)
{
    open_model();
    add_finding(OCSPX_CAUSE_INFO, "The root is sent");
    assert_has(body_of(NULL), "</h2><details>");
}
END_TEST

START_TEST(not_too_many_findings)
{
    const char *page;

    open_model();
    for (int i = 0; i < 1021; i++)
        add_finding(OCSPX_CAUSE_WARNING, apr_psprintf(pool, "No. %d", i));
    assert_lacks(body_of(NULL), "<details");
    for (int i = 0; i < 20; i++)
        add_finding(OCSPX_CAUSE_ERROR, apr_psprintf(pool, "Bad %d", i));
    page = body_of(NULL);
    ck_assert_int_eq(times(page, "(warning)"), 20);
    ck_assert_int_eq(times(page, "(error)"), 20);
    ck_assert_int_eq(times(page, "more of this kind"), 1);
    assert_has(page, ">1,001 more of this kind: see the JSON.</li>");
}
END_TEST

/* --- responders
 * --------------------------------------------------------------- */

START_TEST(responders)
{
    static const char *const order[] = {"<table class=\"rows\">",
                                        "Failing<small>DNS, for 1 h<",
                                        ">bad.example:80</th>",
                                        "<td class=\"requests\">2</td>",
                                        ">1 of 2</td>",
                                        "<td class=\"average\">42 ms</td>",
                                        "Answers",
                                        ">good.example:80</th>",
                                        ">1 of 1</td>",
                                        "Not asked yet",
                                        ">idle.example:80</th>",
                                        ">0 of 0</td>",
                                        "<td class=\"average\"></td>"};
    const char *page;

    add_cert("idle.test", "http://idle.example/");
    add_cert("good.test", "http://good.example/");
    add_cert("bad.test", "http://bad.example/");
    open_model();
    note(1, NOW - HOURS(1), OCSPX_CAUSE_NONE, 200);
    note(2, NOW - HOURS(2), OCSPX_CAUSE_NONE, 200);
    note(2, NOW - HOURS(1), OCSPX_CAUSE_DNS, 0);
    page = body_of(NULL);
    ck_assert_ptr_nonnull(strstr(page, "good.example:80"));
    assert_order(page, order, 6);
    for (int i = 0; i < COUNT(order); i++)
        assert_has(page, order[i]);
    ck_assert(strstr(page, ">bad.example:80</th>") <
              strstr(page, ">good.example:80</th>"));
    assert_has(page, "<span>Responders that fail</span> <b>1 of 3</b> <small>3 "
                     "attempts: 2 ok, 1 egress</small>");
    assert_lacks(page, "The way out");
    assert_lacks(page, "in the JSON");
}
END_TEST

START_TEST(not_too_many_responders)
{
    const char *page;

    for (int i = 0; i < 60; i++)
        add_cert(apr_psprintf(pool, "%d.test", i),
                 apr_psprintf(pool, "http://h%d.example/", i));
    open_model();
    page = body_of(NULL);
    ck_assert_int_eq(times(page, "Not asked yet"), 50);
    assert_has(page, ">10 more are in the JSON.</p>");
    note(59, NOW, OCSPX_CAUSE_DNS, 0);
    page = body_of(NULL);
    ck_assert_int_eq(times(page, "Not asked yet"), 49);
    assert_has(page, ">h59.example:80</th>");
}
END_TEST

START_TEST(no_way_out)
{
    static const char *const order[] = {
        "<section class=\"card bad\"",
        ">EGRESS_BLOCKED</strong>",
        "a.example:80",
        "<b>What to do:</b> Open outgoing TCP",
        "<h2 id=\"certificates\">",
    };

    add_cert("a.test", "http://a.example/");
    add_cert("b.test", "http://b.example/");
    open_model();
    note(0, NOW - HOURS(1), OCSPX_CAUSE_CONNECT_TIMEOUT, 0);
    note(1, NOW - HOURS(1), OCSPX_CAUSE_CONNECT_TIMEOUT, 0);
    assert_order(body_of(NULL), order, COUNT(order));
    assert_has(body_of(NULL), "b.example:80");
}
END_TEST

static Suite *page_cert_suite(void)
{
    Suite *suite = suite_create("page_cert");
    TCase *tests = tcase_create("all");

    tcase_add_checked_fixture(tests, set_model_up, tear_model_down);
    tcase_add_test(tests, stapled);
    tcase_add_test(tests, failing);
    tcase_add_test(tests, withheld);
    tcase_add_test(tests, somebody_else_staples);
    tcase_add_test(tests, both_stapled_and_not);
    tcase_add_test(tests, every_field);
    tcase_add_test(tests, history);
    tcase_add_test(tests, no_findings_no_section);
    tcase_add_test(tests, worst_findings_first);
    tcase_add_test(tests, only_notes);
    tcase_add_test(tests, not_too_many_findings);
    tcase_add_test(tests, responders);
    tcase_add_test(tests, not_too_many_responders);
    tcase_add_test(tests, no_way_out);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(page_cert_suite());
}
