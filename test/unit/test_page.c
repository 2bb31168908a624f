/* test_page: one look at the page tells what matters, in words. */
#include "page_scene.h"

#include <stdio.h>
#include <unistd.h>

#include "../../mod_ocspx/core/version.h"
#include "../../mod_ocspx/engine/page_private.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

/* --- the verdict ----------------------------------------------------- */

static const struct {
    int failing, revoked, withheld, waiting, stapled, other, not_applicable;
    int broken_chains;
    ocspx_page_tone_e tone;
    const char *verdict;
} verdicts[] = {
    {0, 0, 0, 0, 0, 0, 0, 0, OCSPX_PAGE_PLAIN, "There is no certificate here"},
    {0, 0, 0, 0, 1, 0, 0, 0, OCSPX_PAGE_GOOD, "The certificate is stapled"},
    {0, 0, 0, 0, 2, 0, 0, 0, OCSPX_PAGE_GOOD, "Both certificates are stapled"},
    {0, 0, 0, 0, 1200, 0, 0, 0, OCSPX_PAGE_GOOD,
     "All 1,200 certificates are stapled"},
    {0, 0, 0, 0, 12, 1, 2, 0, OCSPX_PAGE_GOOD,
     "12 of 15 certificates are to be stapled, and all are"},
    {0, 0, 0, 0, 1, 0, 2, 0, OCSPX_PAGE_GOOD,
     "1 of 3 certificates is to be stapled, and is"},
    {0, 0, 0, 0, 0, 1, 1, 0, OCSPX_PAGE_PLAIN,
     "No certificate here is to be stapled"},
    {0, 0, 0, 1, 4, 0, 0, 0, OCSPX_PAGE_PLAIN,
     "1 of 5 certificates waits for a first response"},
    {0, 0, 0, 2, 0, 0, 0, 0, OCSPX_PAGE_PLAIN,
     "2 of 2 certificates wait for a first response"},
    {1, 0, 0, 2, 9, 0, 0, 0, OCSPX_PAGE_BAD,
     "1 of 12 certificates needs attention"},
    {0, 1, 0, 0, 1, 0, 0, 0, OCSPX_PAGE_BAD,
     "1 of 2 certificates needs attention"},
    {0, 0, 1, 0, 0, 0, 0, 0, OCSPX_PAGE_BAD,
     "1 of 1 certificate needs attention"},
    {2, 3, 4, 1, 1, 1, 1, 0, OCSPX_PAGE_BAD,
     "9 of 13 certificates need attention"},
    {0, 0, 0, 0, 4, 0, 0, 1, OCSPX_PAGE_BAD,
     "1 certificate chain needs attention"},
    {0, 0, 0, 0, 4, 0, 0, 2, OCSPX_PAGE_BAD,
     "2 certificate chains need attention"},
    {1, 0, 0, 0, 4, 0, 0, 2, OCSPX_PAGE_BAD,
     "1 of 5 certificates and 2 certificate chains need attention"},
};

START_TEST(verdict)
{
    const ocspx_report_totals_t totals = {
        .certificates = verdicts[_i].failing + verdicts[_i].revoked +
                        verdicts[_i].withheld + verdicts[_i].waiting +
                        verdicts[_i].stapled + verdicts[_i].other +
                        verdicts[_i].not_applicable,
        .states = {[OCSPX_REPORT_FAILING] = verdicts[_i].failing,
                   [OCSPX_REPORT_REVOKED] = verdicts[_i].revoked,
                   [OCSPX_REPORT_WITHHELD] = verdicts[_i].withheld,
                   [OCSPX_REPORT_WAITING] = verdicts[_i].waiting,
                   [OCSPX_REPORT_STAPLED] = verdicts[_i].stapled,
                   [OCSPX_REPORT_OTHER_PROVIDER] = verdicts[_i].other,
                   [OCSPX_REPORT_NOT_APPLICABLE] = verdicts[_i].not_applicable},
        .findings = {[OCSPX_CAUSE_WARNING] = 5,
                     [OCSPX_CAUSE_ERROR] = verdicts[_i].broken_chains}};
    ocspx_page_tone_e tone;

    ck_assert_str_eq(ocspx_page_verdict(&tone, &totals, pool),
                     verdicts[_i].verdict);
    ck_assert_int_eq(tone, verdicts[_i].tone);
}
END_TEST

/* --- totals ---------------------------------------------------------- */

START_TEST(states_are_links)
{
    const char *page;

    fill();
    page = body_of("state=waiting");
    assert_has(page, "<a href=\"?state=failing\">");
    assert_has(page, "<b>2</b> Failing</a>");
    assert_has(page, "<a href=\"?state=waiting\" aria-current=\"true\">");
    assert_has(page, "<option value=\"waiting\" selected>");
    ck_assert_int_eq(times(page, "aria-current"), 1);
    ck_assert_int_eq(times(page, " selected"), 1);
    assert_has(page, "<caption>1 certificate of 9</caption>");
    assert_has(page, ">new.test</a>");
    assert_lacks(page, ">good.test</a>");
    ck_assert_int_eq(times(body_of(NULL), "aria-current"), 1);
    assert_lacks(body_of("q=test"), "aria-current");
    assert_has(body_of(NULL), "<caption>9 certificates, worst first</caption>");
}
END_TEST

START_TEST(the_first_to_end)
{
    fill();
    assert_has(body_of(NULL),
               "the first staple ends <time "
               "datetime=\"2033-05-18T05:33:20Z\" "
               "title=\"2033-05-18 05:33:20 UTC\">in 2 h</time>, "
               "that of revoked.test.</p>");
}
END_TEST

START_TEST(nothing_at_all)
{
    const char *page;

    page = body_of(NULL);
    assert_has(page, "<h1>There is no certificate here</h1>");
    assert_has(page, "There is none, or none like this");
    assert_lacks(page, "<table");
    assert_lacks(page, "class=\"shares\"");
    assert_lacks(page, "Nothing is stapled");
    add_cert("a.test", URL);
    open_model();
    assert_has(body_of(NULL), "<p>Nothing is stapled now.</p>");
}
END_TEST

static void staple(unsigned i, int n)
{
    unsigned char *der;

    while (n--) {
        ocspx_cache_staple(&der, cache, i, NOW);
        OPENSSL_free(der);
    }
}

START_TEST(handshakes)
{
    unsigned char *der;

    fill();
    assert_has(body_of(NULL),
               "<span>Handshakes stapled</span> <b>none yet</b>");
    staple(GOOD, 1999);
    assert_has(body_of(NULL), "<b>100 %</b> <small>of 1,999 that asked; 0 got "
                              "none</small>");
    staple(DOWN, 1);
    assert_has(body_of(NULL), "<b>99.9 %</b> <small>of 2,000 that asked; 1 got "
                              "none</small>");
    ocspx_cache_staple(&der, cache, GOOD, NOW + HOURS(1000));
    assert_has(body_of(NULL), "; 2 got none, 1 of them as it had expired<");
}
END_TEST

START_TEST(the_refresher)
{
    fill();
    assert_has(body_of(NULL), "<span>Refresher</span> <b>none yet</b>");
    ocspx_ledger_turn(ledger, NOW - SECONDS(3));
    assert_has(body_of(NULL),
               apr_psprintf(pool, "<b>3 s ago</b> <small>process %d</small>",
                            (int)getpid()));
}
END_TEST

static void assert_verdict(const char *args, const char *tone,
                           const char *state)
{
    assert_has(body_of(args),
               apr_psprintf(pool,
                            "<div class=\"verdict %s\"><svg class=\"icon %s\" "
                            "aria-hidden=\"true\"><use href=\"#i-%s\"/>",
                            tone, tone, state));
}

START_TEST(the_shared_store)
{
    fill();
    ck_assert_ptr_null(strstr(body_of(NULL), "Shared store"));
    share_something();
    assert_has(body_of(NULL),
               "<span>Shared store</span> <b>works</b> <small>"
               "redis:store.test:6379: 1 found, 2 not, 1 wrong, 3 put");
    ocspx_ledger_share_down(ledger, NOW - SECONDS(60));
    assert_has(body_of(NULL), "<b>SHARE_DOWN, ");
}
END_TEST

START_TEST(the_verdict_is_a_shape_too)
{
    assert_verdict(NULL, "plain", "not-applicable");
    add_cert("a.test", URL);
    open_model();
    assert_verdict(NULL, "plain", "waiting");
    make_stapled(0, HOURS(2));
    assert_verdict(NULL, "good", "stapled");
    make_failing(0, 0, OCSPX_CAUSE_DNS, "no such host");
    assert_verdict(NULL, "bad", "failing");
}
END_TEST

/* In thousandths of the width, without the gap behind each. */
START_TEST(shares)
{
    static const char *const order[] = {
        "<svg class=\"shares\" viewBox=\"0 0 997 8\"",
        "<rect class=\"bad\" x=\"0.0\" width=\"2.0\"",
        "<rect class=\"plain\" x=\"5.0\" width=\"497.0\"",
        "<rect class=\"good\" x=\"505.0\" width=\"494.5\"", "</svg>"};

    for (int i = 0; i < 400; i++)
        add_cert(apr_psprintf(pool, "%d.test", i), URL);
    open_model();
    make_failing(0, 0, OCSPX_CAUSE_DNS, "no such host");
    for (unsigned i = 1; i < 200; i++)
        make_stapled(i, HOURS(2));
    assert_order(body_of(NULL), order, COUNT(order));
    ck_assert_int_eq(times(body_of(NULL), "<rect class=\"plain\""), 1);
}
END_TEST

START_TEST(footer)
{
    const char *page;

    fill();
    page = body_of("q=test&state=failing");
    assert_has(page, "<footer><p>mod_ocspx " OCSPX_VERSION ", made <time "
                     "datetime=\"2033-05-18T03:33:20Z\">2033-05-18 03:33:20 "
                     "UTC</time>");
    assert_has(page,
               "<a href=\"?format=json&amp;q=test&amp;state=failing\">JSON");
    assert_has(page, "<a href=\"?format=openmetrics\">metrics");
    assert_has(page_of(NULL),
               "<title>4 of 9 certificates need attention &ndash; "
               "OCSP stapling on " HOST "</title>");
}
END_TEST

/* --- pages ----------------------------------------------------------- */

START_TEST(pages_of_100)
{
    const char *page;

    for (int i = 0; i < 250; i++)
        add_cert(apr_psprintf(pool, "site-%03d.test", i), URL);
    open_model();
    page = body_of(NULL);
    assert_has(page, "<span>Page 1 of 3</span>");
    assert_lacks(page, "<b>0</b>");
    assert_has(page, "<a rel=\"next\" href=\"?page=2\">");
    assert_lacks(page, "rel=\"prev\"");
    ck_assert_int_eq(times(page, "<th scope=\"row\"><a"), 100);
    page = body_of("page=3&q=site");
    assert_has(page, "<a rel=\"prev\" href=\"?q=site&amp;page=2\">");
    assert_lacks(page, "rel=\"next\"");
    ck_assert_int_eq(times(page, "<th scope=\"row\"><a"), 50);
    page = body_of("q=site-11");
    assert_lacks(page, "class=\"paging\"");
    assert_has(page, "<caption>10 certificates of 250, worst first</caption>");
    assert_has(page, "name=\"q\" value=\"site-11\">");
}
END_TEST

static void drop_piece(void *baton, const char *piece, apr_size_t len)
{
    (void)baton;
    (void)piece;
    (void)len;
}

static void print_rows(unsigned n, apr_pool_t *p)
{
    const ocspx_html_t html = {drop_piece, NULL};
    const ocspx_query_t query = {.report = {.page = 1, .page_length = n}};
    const ocspx_page_t page = {make_report(&query.report), &query, HOST};

    ck_assert_uint_eq(page.report->count, n);
    ocspx_page_print(&page, &html, p);
}

/* Of this process, whoever allocates for it. */
static long memory_in_use(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long pages;

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

START_TEST(one_row_in_memory_at_a_time)
{
    apr_pool_t *p;
    long before;

    for (int i = 0; i < 1000; i++)
        add_cert(apr_psprintf(pool, "%d.test", i), URL);
    open_model();
    for (unsigned i = 0; i < 1000; i++)
        make_failing(i, HOURS(2), OCSPX_CAUSE_DNS, "no such host");
    apr_pool_create(&p, NULL);
    print_rows(10, p);
    before = memory_in_use();
    print_rows(1000, p);
    if (MEMORY_IS_OURS)
        ck_assert_int_lt(memory_in_use() - before, 500000);
    apr_pool_destroy(p);
}
END_TEST

static Suite *page_suite(void)
{
    Suite *suite = suite_create("page");
    TCase *tests = tcase_create("all");

    tcase_add_checked_fixture(tests, set_model_up, tear_model_down);
    tcase_add_loop_test(tests, verdict, 0, COUNT(verdicts));
    tcase_add_test(tests, states_are_links);
    tcase_add_test(tests, the_first_to_end);
    tcase_add_test(tests, nothing_at_all);
    tcase_add_test(tests, handshakes);
    tcase_add_test(tests, the_refresher);
    tcase_add_test(tests, the_shared_store);
    tcase_add_test(tests, the_verdict_is_a_shape_too);
    tcase_add_test(tests, shares);
    tcase_add_test(tests, footer);
    tcase_add_test(tests, pages_of_100);
    tcase_add_test(tests, one_row_in_memory_at_a_time);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(page_suite());
}
