/* test_page_hostile: whatever certificates, responders, shared memory and
 * clients say, the page stays a page.
 */
#include "page_scene.h"

#include <stdint.h>

#include "../../mod_ocspx/engine/timeline.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

/* --- escaping -------------------------------------------------------- */

static const char *escaped(const char *text)
{
    model_text_t out = {0};
    const ocspx_html_t html = {take_piece, &out};

    ocspx_html_text(&html, text);
    return out.text ? out.text : "";
}

START_TEST(text_is_escaped)
{
    ck_assert_str_eq(escaped(""), "");
    ck_assert_str_eq(escaped("plain ~ text"), "plain ~ text");
    ck_assert_str_eq(escaped("<a href='x' id=\"y\">&amp;"),
                     "&lt;a href=&#39;x&#39; id=&quot;y&quot;&gt;&amp;amp;");
    ck_assert_str_eq(escaped("\n\t\x01\x7f\x80\xff\xc3\xa4<"),
                     "\\x0a\\x09\\x01\\x7f\\x80\\xff\\xc3\\xa4&lt;");
}
END_TEST

START_TEST(markup_and_text_in_turn)
{
    model_text_t out = {0};
    const ocspx_html_t html = {take_piece, &out};

    ocspx_html_put(&html, "<b>", "<i>", "</b>", "&");
    ocspx_html_put(&html, "<hr>");
    ocspx_html_put(&html, "", "", "");
    ck_assert_str_eq(out.text, "<b>&lt;i&gt;</b>&amp;<hr>");
}
END_TEST

/* --- hostile words --------------------------------------------------- */

/* Each goes wherever anybody but us can put words. */
static const char *const words[] = {
    "<script>alert(1)</script>",
    "\"><svg onload=alert(1)>",
    "' onclick='x",
    "</title></style>",
    "&lt;script&gt;",
    "a\nb\r\tc",
    "\xff\xfe\xc3(",
    "\xe2\x80\xae txt.exe",
    "]]>--><!--",
};

/* As much of @a text as fits into a certificate's common name. */
static const char *short_of(const char *text)
{
    return apr_pstrndup(pool, text, 30);
}

static void fill_with(const char *word)
{
    static const char pattern[] = "%s and %s";
    ocspx_report_finding_t *finding;

    /* pki makes no certificate of what is not UTF-8 */
    add_cert("a.test", "http://ocsp.example/");
    rename_cert(0, word);
    APR_ARRAY_PUSH(
        APR_ARRAY_IDX(registry->entries, 0, ocspx_registry_entry_t *)->places,
        const char *) = word;
    APR_ARRAY_IDX(
        APR_ARRAY_IDX(registry->entries, 0, ocspx_registry_entry_t *)->urls, 0,
        const char *) = word;
    add_cert("b.test", "http://ocsp.example/");
    open_model();
    make_failing(0, HOURS(5), OCSPX_CAUSE_RESP_HTTP,
                 apr_psprintf(pool, pattern, word, word));
    ocspx_registry_get(registry, 0);
    add_other("c.test", OCSPX_REPORT_OTHER_PROVIDER, word);
    add_finding(OCSPX_CAUSE_ERROR, word);
    finding = &APR_ARRAY_IDX(findings, 0, ocspx_report_finding_t);
    finding->place = word;
    finding->finding.remedy = word;
    add_finding(OCSPX_CAUSE_INFO, word);
}

static void assert_escaped(const char *page, const char *word)
{
    if (strpbrk(word, "<>\"'&\n\xff\xe2"))
        assert_lacks(page, word);
    assert_has(page, escaped(short_of(word)));
}

START_TEST(words_stay_words)
{
    const char *page;

    fill_with(words[_i]);
    page = body_of(NULL);
    assert_escaped(page, words[_i]);
    ck_assert_int_ge(times(page, escaped(short_of(words[_i]))), 7);
    page = page_of_cert(0);
    assert_escaped(page, words[_i]);
    ck_assert_int_ge(times(page, escaped(short_of(words[_i]))), 4);
}
END_TEST

START_TEST(names_in_certificates_stay_words)
{
    static const char name[] = "<b>\"&'\n</b>";
    const char *page;

    add_spec(&(pki_spec_t){.cn = name, .ocsp_urls = "http://x/'<i>\"&"});
    open_model();
    page = page_of_cert(0);
    assert_lacks(page, "<b>\"");
    assert_lacks(page, "<i>");
    assert_has(page, "&lt;b");
    assert_has(page, "&lt;/b");
    assert_has(page, "http://x/&#39;&lt;i&gt;&quot;&amp;");
}
END_TEST

START_TEST(long_words)
{
    char *word = apr_palloc(pool, 4097);

    memset(word, '<', 4096);
    word[4096] = '\0';
    fill_with(word);
    assert_has(body_of(NULL), "&lt;&lt;");
    page_of_cert(0);
}
END_TEST

START_TEST(searches_stay_words)
{
    const char *page =
        body_of("q=%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E%27%26");

    assert_has(page, "value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"
                     "&#39;&amp;\">");
    assert_has(page, "q=%22%3e%3cscript%3ealert%281%29%3c%2fscript%3e%27%26");
}
END_TEST

/* --- hostile numbers ------------------------------------------------- */

static const apr_time_t moments[] = {
    INT64_MIN,
    INT64_MIN + 1,
    -1,
    0,
    1,
    NOW - 1,
    NOW,
    NOW + 1,
    NOW + HOURS(1),
    NOW + HOURS(2),
    INT64_MAX - 1,
    INT64_MAX,
};

static const char *bar_of(const ocspx_report_row_t *row)
{
    model_text_t out = {0};
    const ocspx_html_t html = {take_piece, &out};

    ocspx_timeline_print(&html, row, NOW, 7, pool);
    return out.text ? out.text : "";
}

START_TEST(any_times)
{
    const char *bar;

    for (int i = 0; i < COUNT(moments) * COUNT(moments) * COUNT(moments); i++) {
        const ocspx_report_row_t row = {
            .name = "a",
            .this_update = moments[i % COUNT(moments)],
            .next_update = moments[_i],
            .safe_until = moments[i / COUNT(moments) % COUNT(moments)],
            .next_try = moments[_i],
            .not_after = moments[i / COUNT(moments) / COUNT(moments)]};

        bar = bar_of(&row);
        assert_lacks(bar, "nan");
        assert_lacks(bar, "inf");
        assert_lacks(bar, "=\"-");
        assert_lacks(bar, "M-");
    }
}
END_TEST

START_TEST(any_state_of_the_cache)
{
    ocspx_cache_state_t state;
    unsigned seed = 1 + (unsigned)_i;

    add_cert("a.test", "http://ocsp.example/");
    open_model();
    for (int round = 0; round < 50; round++) {
        unsigned char *byte = (unsigned char *)&state;

        for (size_t i = 0; i < sizeof(state); i++) {
            seed = seed * 1103515245 + 12345;
            byte[i] = (unsigned char)(seed >> 16);
        }
        ocspx_cache_state_set(cache, 0, &state);
        body_of(NULL);
        page_of_cert(0);
    }
}
END_TEST

/* Sums of what any worker may have written; the others are counted. */
static int is_sum(const ocspx_report_field_t *field)
{
    return field->kind == OCSPX_REPORT_COUNT &&
           strncmp(field->key, "certificates", 12) != 0 &&
           strncmp(field->key, "findings", 8) != 0;
}

START_TEST(any_totals)
{
    model_text_t out = {0};
    const ocspx_html_t html = {take_piece, &out};
    const ocspx_query_t query = {.report.page = 1};
    ocspx_report_t *report = make_report(&query.report);
    const ocspx_page_t page = {report, &query, HOST};
    const ocspx_report_field_t *field = ocspx_report_total_fields;

    for (; field->key; field++)
        if (is_sum(field))
            *(apr_int64_t *)(void *)((char *)&report->totals + field->offset) =
                moments[_i];
    ocspx_page_print(&page, &html, pool);
    assert_balanced(out.text);
    assert_lacks(out.text, "nan");
    report->totals.stapled = APR_INT64_MAX;
    report->totals.empty = APR_INT64_MAX;
    report->totals.expired = 0;
    out.len = 0;
    ocspx_page_print(&page, &html, pool);
    assert_has(out.text, "<b>unknown</b>");
}
END_TEST

/* --- the bar --------------------------------------------------------- */

/* In the drawing's units the bar is from 6 to 234. */
START_TEST(half_over)
{
    const ocspx_report_row_t row = {.name = "a.test",
                                    .this_update = NOW - HOURS(10),
                                    .next_update = NOW + HOURS(10),
                                    .safe_until = NOW + HOURS(10),
                                    .next_try = NOW + HOURS(5),
                                    .not_after = NOW + HOURS(1000)};
    const char *bar = bar_of(&row);

    assert_has(bar, "aria-labelledby=\"t7 d7\"");
    assert_has(bar, "<title id=\"t7\">Response for a.test</title>");
    assert_has(bar, "<desc id=\"d7\">Valid from 2033-05-17 17:33:20 UTC to "
                    "2033-05-18 13:33:20 UTC; 50 % of that is over; next try "
                    "in 5 h.</desc>");
    assert_has(bar, "class=\"track\" x=\"6.0\" y=\"11\" width=\"228.0\"");
    assert_has(bar, "class=\"left\" x=\"120.0\" y=\"11\" width=\"114.0\"");
    assert_has(bar, "class=\"now\" d=\"M120.0 14");
    assert_has(bar, "class=\"next\" d=\"M177.0 14");
    assert_lacks(bar, "class=\"end\"");
    assert_has(bar, "<span>17 May 17:33</span> <span>18 May 13:33</span>"
                    "</small>");
}
END_TEST

START_TEST(the_next_try_is_beyond)
{
    const ocspx_report_row_t row = {.name = "a.test",
                                    .this_update = NOW - HOURS(10),
                                    .safe_until = NOW + HOURS(10),
                                    .next_try = NOW + HOURS(10) + 1};

    assert_lacks(bar_of(&row), "class=\"next\"");
    assert_lacks(bar_of(&row), "next try");
}
END_TEST

START_TEST(the_certificate_ends_soon)
{
    ocspx_report_row_t row = {.name = "a.test",
                              .this_update = NOW - HOURS(10),
                              .next_update = NOW + HOURS(10),
                              .safe_until = NOW + HOURS(10),
                              .not_after = NOW + HOURS(20)};
    const char *bar = bar_of(&row);

    assert_has(bar, "class=\"end\" d=\"M234.0 14");
    assert_has(bar, "class=\"now\" d=\"M82.0 14");
    assert_has(bar, "; the certificate itself ends in 20 h.</desc>");
    assert_has(bar, "<span>17 May 17:33</span> <span>18 May 13:33</span> "
                    "<span>18 May 23:33</span></small>");
    assert_lacks(bar, "class=\"next\"");
    row.not_after = NOW + HOURS(20) + 1;
    assert_lacks(bar_of(&row), "class=\"end\"");
    row.not_after = NOW;
    assert_has(bar_of(&row), "class=\"end\" d=\"M120.0 14");
}
END_TEST

START_TEST(over)
{
    const ocspx_report_row_t row = {.name = "a.test",
                                    .this_update = NOW - HOURS(30),
                                    .next_update = NOW - HOURS(10)};
    const char *bar = bar_of(&row);

    assert_has(bar, "class=\"track\" x=\"6.0\" y=\"11\" width=\"152.0\"");
    assert_has(bar, "class=\"now\" d=\"M234.0 14");
    assert_has(bar, "; it ended 10 h ago.</desc>");
    assert_has(bar, "<span>17 May 17:33</span> <span>now</span></small>");
    assert_lacks(bar, "class=\"left\"");
}
END_TEST

START_TEST(not_used)
{
    ocspx_report_row_t row = {.name = "a.test",
                              .this_update = NOW - HOURS(10),
                              .next_update = NOW + HOURS(10)};

    assert_has(bar_of(&row), "class=\"unused\" x=\"120.0\"");
    assert_lacks(bar_of(&row), "class=\"left\"");
    row.this_update = 0;
    ck_assert_str_eq(bar_of(&row), "");
}
END_TEST

/* The signer's end comes before the response's. */
START_TEST(safe_until_counts)
{
    const ocspx_report_row_t row = {.name = "a.test",
                                    .this_update = NOW - HOURS(10),
                                    .next_update = NOW + HOURS(1000),
                                    .safe_until = NOW + HOURS(10)};

    assert_has(bar_of(&row), "class=\"now\" d=\"M120.0 14");
}
END_TEST

/* --- the style sheet ------------------------------------------------- */

START_TEST(style)
{
    int depth = 0;
    const char *c;

    assert_lacks(ocspx_page_style, "<");
    assert_lacks(ocspx_page_style, "://");
    for (c = ocspx_page_style; *c; c++) {
        depth += (*c == '{') - (*c == '}');
        ck_assert_int_ge(depth, 0);
    }
    ck_assert_int_eq(depth, 0);
}
END_TEST

static Suite *page_hostile_suite(void)
{
    Suite *suite = suite_create("page_hostile");
    TCase *tests = tcase_create("all");

    tcase_add_checked_fixture(tests, set_model_up, tear_model_down);
    tcase_add_test(tests, text_is_escaped);
    tcase_add_test(tests, markup_and_text_in_turn);
    tcase_add_loop_test(tests, words_stay_words, 0, COUNT(words));
    tcase_add_test(tests, names_in_certificates_stay_words);
    tcase_add_test(tests, long_words);
    tcase_add_test(tests, searches_stay_words);
    tcase_add_loop_test(tests, any_times, 0, COUNT(moments));
    tcase_add_loop_test(tests, any_state_of_the_cache, 0, 4);
    tcase_add_loop_test(tests, any_totals, 0, COUNT(moments));
    tcase_add_test(tests, half_over);
    tcase_add_test(tests, the_next_try_is_beyond);
    tcase_add_test(tests, the_certificate_ends_soon);
    tcase_add_test(tests, over);
    tcase_add_test(tests, not_used);
    tcase_add_test(tests, safe_until_counts);
    tcase_add_test(tests, style);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(page_hostile_suite());
}
