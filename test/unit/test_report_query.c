/* test_report_query: search, filter and pages; who answers and whether there
 * is a way out.
 */
#include "report_scene.h"

/* The number found, which is the number of the page's rows. */
static unsigned found(const char *search)
{
    ocspx_report_t *report;

    query.search = search;
    report = make_report();
    ck_assert_uint_eq(report->count, report->matching);
    return report->count;
}

START_TEST(search_looks_where_an_operator_would)
{
    add_cert(make_cert((pki_spec_t){
        .cn = "Subject Name",
        .names = "DNS:first.example,DNS:second.example,IP:192.0.2.7,"
                 "IP:2001:db8::7",
        .ocsp_urls = "http://one.test/ocsp http://two.test/ocsp"}));
    add("zzz");
    add_other("other", OCSPX_REPORT_OTHER_PROVIDER, OCSPX_CAUSE_NONE, "");
    open_cache();
    ck_assert_uint_eq(found(NULL), 3);
    ck_assert_uint_eq(found("FIRST.example"), 1);
    ck_assert_uint_eq(found("second.EXAMPLE"), 1);
    ck_assert_uint_eq(found("192.0.2.7"), 1);
    ck_assert_uint_eq(found("2001:db8::7"), 1);
    ck_assert_uint_eq(found("subject name"), 1);
    ck_assert_uint_eq(found("two.test/OCSP"), 1);
    ck_assert_uint_eq(found("at first.exam"), 1);
    ck_assert_uint_eq(found("AT CN=OTHER"), 0);
    ck_assert_uint_eq(found("AT OTHER"), 1);
    ck_assert_uint_eq(found("example"), 2);
    ck_assert_uint_eq(found("third.example"), 0);
    ck_assert_uint_eq(found("."), 2);
    ck_assert_uint_eq(found("%s%n"), 0);
    ck_assert_uint_eq(found(""), 3);
}
END_TEST

START_TEST(search_finds_the_file_in_the_place_of_urls)
{
    policy.response_file = "/etc/ssl/Staple.der";
    add("a");
    open_cache();
    ck_assert_uint_eq(found("staple.DER"), 1);
    ck_assert_uint_eq(found("ocsp.example"), 0);
}
END_TEST

/* Beyond what a row shows of them. */
START_TEST(search_knows_all_names)
{
    const char *names = "DNS:n0";
    int i;

    for (i = 1; i < 150; i++)
        names = apr_psprintf(pool, "%s,DNS:n%d", names, i);
    add_cert(make_cert((pki_spec_t){.cn = "a", .names = names}));
    open_cache();
    ck_assert_uint_eq(found("n149"), 1);
    ck_assert_uint_eq(found("n150"), 0);
}
END_TEST

START_TEST(filters_go_together)
{
    ocspx_report_t *report;

    add("12");
    add("23");
    add("34");
    open_cache();
    serve(0, NOW + 1);
    serve(1, NOW + 1);
    query.state = "stapled";
    ck_assert_str_eq(names_on(make_report()), "12 23");
    ck_assert_uint_eq(found("3"), 1);
    query.state = "waiting";
    ck_assert_uint_eq(found("3"), 1);
    ck_assert_uint_eq(found("2"), 0);
    query = (ocspx_report_query_t){.state = "Stapled"};
    report = make_report();
    ck_assert_uint_eq(report->count + report->matching, 0);
    ck_assert_int_eq(report->totals.certificates, 3);
    ck_assert_uint_eq(report->pages, 1);
}
END_TEST

START_TEST(one_certificate_by_its_fingerprint)
{
    char id[OCSPX_CERT_ID_LEN + 1], *c;

    add("a");
    add("b");
    open_cache();
    apr_cpystrn(id, ocspx_registry_get(registry, 1)->cert->id, sizeof(id));
    query.cert = id;
    ck_assert_str_eq(names_on(make_report()), "b");
    for (c = id; *c; c++)
        *c = (char)(*c >= 'a' ? *c - 32 : *c);
    ck_assert_str_eq(names_on(make_report()), "b");
    id[OCSPX_CERT_ID_LEN - 1] = 0;
    ck_assert_uint_eq(make_report()->count, 0);
    query.cert = "";
    ck_assert_uint_eq(make_report()->count, 0);
}
END_TEST

/* --- pages ----------------------------------------------------------- */

static void assert_page(unsigned page, unsigned length, const char *names,
                        unsigned pages)
{
    ocspx_report_t *report;

    query.page = page;
    query.page_length = length;
    report = make_report();
    ck_assert_str_eq(names_on(report), names);
    ck_assert_uint_eq(report->pages, pages);
    ck_assert_uint_eq(report->page, page ? page : 1);
    ck_assert_uint_eq(report->matching, 5);
}

START_TEST(pages_are_cut_from_what_matches)
{
    int i;

    for (i = 0; i < 5; i++)
        add(apr_itoa(pool, i));
    open_cache();
    assert_page(0, 0, "0 1 2 3 4", 1);
    assert_page(0, 2, "0 1 2 3 4", 1);
    assert_page(1, 0, "0 1 2 3 4", 1);
    assert_page(1, 2, "0 1", 3);
    assert_page(2, 2, "2 3", 3);
    assert_page(3, 2, "4", 3);
    assert_page(4, 2, "", 3);
    assert_page(1, 5, "0 1 2 3 4", 1);
    assert_page(2, 5, "", 1);
    assert_page(2, 4, "4", 2);
    assert_page(APR_UINT32_MAX, APR_UINT32_MAX, "", 1);
    assert_page(APR_UINT32_MAX, 1, "", 5);
    assert_page(1, APR_UINT32_MAX, "0 1 2 3 4", 1);
}
END_TEST

START_TEST(a_page_has_a_hundred_rows)
{
    int i;

    for (i = 0; i < 101; i++)
        add(apr_itoa(pool, i));
    open_cache();
    query.page = 1;
    ck_assert_uint_eq(make_report()->count, 100);
    query.page = 2;
    ck_assert_uint_eq(make_report()->count, 1);
    query.page = 0;
    ck_assert_uint_eq(make_report()->count, 101);
}
END_TEST

/* --- responders ------------------------------------------------------ */

static unsigned add_at(const char *cn, const char *url)
{
    policy.force_url = url;
    return ocspx_registry_get(registry, add(cn))->host;
}

static void answer(unsigned host, ocspx_cause_e cause)
{
    const ocspx_ledger_attempt_t attempt = {NOW, 1000, cause, 0};
    ocspx_ledger_host_t answers;

    ocspx_ledger_note(ledger, 0, host, &attempt, 1);
    ocspx_egress_note(ledger, host, NOW);
    ocspx_egress_judge(&answers, ledger, 0, NOW);
}

START_TEST(responders_are_those_of_the_network)
{
    const ocspx_ledger_host_t *host;
    ocspx_report_t *report;

    add_cert(make_cert((pki_spec_t){.cn = "nothing to ask"}));
    add("a");
    policy.response_file = "/some/file";
    add("b");
    policy.response_file = NULL;
    add_at("c", "http://c.example:8080/");
    add_at("d", "http://c.example:8080/other");
    open_cache();
    answer(1, OCSPX_CAUSE_NONE);
    answer(2, OCSPX_CAUSE_FILE_UNREADABLE);
    report = make_report();
    ck_assert_int_eq(report->responders->nelts, 2);
    host = (const void *)report->responders->elts;
    ck_assert_str_eq(host[0].name, "ocsp.example:80");
    ck_assert_uint_eq(host[0].requests, 1);
    ck_assert_str_eq(host[1].name, "c.example:8080");
    ck_assert_int_eq(report->totals.requests, 2);
    ck_assert_int_eq(report->totals.results[OCSPX_CAUSE_GROUP_CONFIGURATION],
                     1);
}
END_TEST

START_TEST(every_responder_of_a_certificate_is_one)
{
    const ocspx_ledger_host_t *host;
    ocspx_report_t *report;

    add_cert(make_cert((pki_spec_t){
        .cn = "a", .ocsp_urls = "http://one.test/ http://two.test/"}));
    open_cache();
    report = make_report();
    ck_assert_int_eq(report->responders->nelts, 2);
    host = (const void *)report->responders->elts;
    ck_assert_str_eq(host[0].name, "one.test:80");
    ck_assert_str_eq(host[1].name, "two.test:80");
}
END_TEST

/* As the refresher has decided. */
START_TEST(no_way_out)
{
    const ocspx_report_totals_t *totals;
    ocspx_report_row_t row;

    add_at("a", "http://a.example/");
    add_at("b", "https://b.example/");
    open_cache();
    set_failing(0, OCSPX_CAUSE_DNS, "not resolved");
    answer(0, OCSPX_CAUSE_DNS);
    ck_assert_ptr_null(make_report()->totals.egress);
    row = row_of(make_report(), 0);
    ck_assert_str_eq(row.cause, "DNS");
    answer(1, OCSPX_CAUSE_CONNECT_TIMEOUT);
    totals = &make_report()->totals;
    ck_assert_str_eq(totals->egress, "EGRESS_BLOCKED");
    ck_assert_str_eq(
        totals->egress_message,
        "no responder that was asked can be reached: a.example:80 (DNS), "
        "b.example:443 (CONNECT_TIMEOUT)");
    ck_assert_str_eq(totals->egress_remedy,
                     ocspx_cause_remedy(OCSPX_CAUSE_EGRESS_BLOCKED));
    row = row_of(make_report(), 0);
    ck_assert_str_eq(row.cause, "EGRESS_BLOCKED");
    ck_assert_str_eq(row.message, "not resolved");
    ck_assert_str_eq(row.remedy, totals->egress_remedy);
    answer(1, OCSPX_CAUSE_RESP_HTTP);
    ck_assert_ptr_null(make_report()->totals.egress);
    ck_assert_ptr_null(make_report()->totals.egress_message);
    row = row_of(make_report(), 0);
    ck_assert_str_eq(row.cause, "DNS");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report_query");
    TCase *tc = tcase_create("report_query");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, search_looks_where_an_operator_would);
    tcase_add_test(tc, search_finds_the_file_in_the_place_of_urls);
    tcase_add_test(tc, search_knows_all_names);
    tcase_add_test(tc, filters_go_together);
    tcase_add_test(tc, one_certificate_by_its_fingerprint);
    tcase_add_test(tc, pages_are_cut_from_what_matches);
    tcase_add_test(tc, a_page_has_a_hundred_rows);
    tcase_add_test(tc, responders_are_those_of_the_network);
    tcase_add_test(tc, every_responder_of_a_certificate_is_one);
    tcase_add_test(tc, no_way_out);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
