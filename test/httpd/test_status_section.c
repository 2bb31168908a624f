/* test_status_section: what mod_status's page says about stapling. */
#include "status_scene.h"

/* What is ours on the page. */
static const char *section(const char *args)
{
    answer_t answer =
        ask(apr_pstrcat(w->pool, "/server-status", args, NULL), NULL, NULL);
    const char *at = strstr(answer.body, "<h2>OCSP stapling");

    ck_assert_int_eq(answer.status, 200);
    ck_assert_msg(at != NULL, "%s", answer.body);
    return at;
}

static void fill(void)
{
    pki_t *failing;

    world_site(w, "a.test");
    failing = world_site(w, "b.test");
    world_vhost(w, "c.test",
                world_leaf(w, &(pki_spec_t){.cn = "c.test", .ocsp_urls = ""}),
                NULL);
    responder_script(w->responder, failing,
                     &(responder_script_t){.answer = RESPONDER_TRY_LATER});
}

static void assert_section(const char *text)
{
    assert_has(text, "(mod_ocspx ");
    assert_has(text, "<dt>3 certificates, 1 failing, 1 stapled, "
                     "1 not-applicable</dt>");
    assert_has(text, "<dt>First to end: a.test, in 23 h 59 min</dt>");
}

START_TEST(table)
{
    const char *text;

    fill();
    up();
    text = section("");
    assert_section(text);
    assert_has(text, "<tr><td>failing</td><td>b.test</td><td>not stapled</td>"
                     "<td>RESP_TRYLATER</td><td>http://127.0.0.1:");
    assert_has(text, "<tr><td>stapled</td><td>a.test</td><td>in 23 h 59 min"
                     "</td><td></td><td></td></tr>");
    ck_assert(strstr(text, ">b.test<") < strstr(text, ">a.test<"));
    assert_lacks(text, "none of them worse");
}
END_TEST

START_TEST(without_tables)
{
    const char *text;

    fill();
    up();
    text = section("?notable");
    assert_section(text);
    assert_has(text, "<p>failing: b.test: not stapled: RESP_TRYLATER: ");
    assert_has(text, "<p>stapled: a.test: in 23 h 59 min</p>");
    assert_lacks(text, "<td>failing");
}
END_TEST

START_TEST(lines_of_auto)
{
    answer_t answer;

    fill();
    up();
    answer = ask("/server-status?auto", NULL, NULL);
    assert_has(answer.body, "\nOcspxCertificates: 3\n");
    assert_lacks(answer.body, "<h2>");
}
END_TEST

START_TEST(extended_status_makes_no_difference)
{
    fill();
    world_global(w, PAGE "ExtendedStatus Off\n");
    up();
    assert_section(section(""));
    assert_has(ask("/server-status?auto", NULL, NULL).body,
               "\nOcspxCertificates: 3\n");
    assert_has(page(""), ">b.test</a>");
}
END_TEST

START_TEST(nothing_to_staple)
{
    httpd_vhost(w->httpd, &(httpd_vhost_t){.names = "a.test"});
    world_up(w);
    assert_has(section(""), "<dt>0 certificates</dt>");
    assert_lacks(section(""), "<th>State</th>");
}
END_TEST

/* Two responders' hosts, and nobody listens at either. */
START_TEST(no_way_out)
{
    for (int i = 0; i < 2; i++) {
        const char *name = apr_psprintf(w->pool, "%d.test", i);
        const char *url = apr_psprintf(w->pool, "http://127.0.0.%d:%d/", i + 1,
                                       procs_free_port());

        world_vhost(w, name,
                    world_leaf(w, &(pki_spec_t){.cn = name, .ocsp_urls = url}),
                    NULL);
    }
    world_up(w);
    assert_has(
        section(""),
        "<dt>EGRESS_BLOCKED: no responder that was asked can be reached: "
        "127.0.0.");
    assert_has(section(""), ". Open outgoing TCP");
    assert_has(page(""), "<h2 id=\"egress\">");
}
END_TEST

static Suite *status_section_suite(void)
{
    Suite *suite = suite_create("status_section");
    TCase *tests = tcase_create("httpd");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, table);
    tcase_add_test(tests, without_tables);
    tcase_add_test(tests, lines_of_auto);
    tcase_add_test(tests, extended_status_makes_no_difference);
    tcase_add_test(tests, nothing_to_staple);
    tcase_add_test(tests, no_way_out);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(status_section_suite());
}
