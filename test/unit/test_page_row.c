/* test_page_row: what the list says of one certificate, and in which order.
 */
#include "page_scene.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

START_TEST(worst_first)
{
    static const char *const order[] = {
        "<h1>4 of 9 certificates need attention</h1>",
        "<table class=\"list\"",
        ">down.test</a>",
        ">failing.test</a>",
        ">revoked.test</a>",
        ">withheld.test</a>",
        ">new.test</a>",
        ">soon.test</a>",
        ">good.test</a>",
        "md.test</a>",
        "free.test</a>",
        "</table>",
    };

    fill();
    assert_order(body_of(NULL), order, COUNT(order));
}
END_TEST

static const struct {
    const char *name;
    const char *tone;
    const char *icon;
    const char *words; /* of the state */
    const char *safe;
} rows[] = {
    {"good.test", "good", "#i-stapled", "Stapled", "in 3 d 4 h"},
    {"failing.test", "warn", "#i-failing", "Failing<small>still stapled",
     "in 1 d"},
    {"down.test", "bad", "#i-failing", "Failing<small>not stapled",
     ">not stapled</span>"},
    {"revoked.test", "bad", "#i-revoked", "Revoked<small>stapled", "in 2 h"},
    {"withheld.test", "bad", "#i-withheld", "Withheld<small>not stapled",
     ">not stapled</span>"},
    {"new.test", "plain", "#i-waiting", "Waiting<small>not stapled yet",
     ">not stapled</span>"},
    {"CN=md.test", "plain", "#i-other-provider", "Other module",
     ">not stapled</span>"},
    {"CN=free.test", "plain", "#i-not-applicable", "Not applicable",
     ">not stapled</span>"},
};

START_TEST(a_state_is_a_word_and_a_shape)
{
    const char *row;

    fill();
    row = row_on(body_of(NULL), rows[_i].name);
    assert_has(row,
               apr_pstrcat(pool, "<tbody class=\"", rows[_i].tone, "\"", NULL));
    assert_has(row,
               apr_pstrcat(pool, "<use href=\"", rows[_i].icon, "\"", NULL));
    assert_has(row, apr_pstrcat(pool, "<span>", rows[_i].words, "</", NULL));
    assert_has(row, rows[_i].safe);
}
END_TEST

START_TEST(what_is_wrong_and_what_to_do)
{
    const char *page, *row;

    fill();
    page = body_of(NULL);
    row = row_on(page, "failing.test");
    assert_has(row, ">CONNECT_REFUSED</strong> The host to be asked refuses "
                    "connections: 192.0.2.7:80 refused the connection.</p>");
    assert_has(row, "<b>What to do:</b> Allow outgoing TCP");
    assert_has(row, "2 h ago), 7 failed attempts; next try <time");
    assert_has(row, "Used by failing.test:443 (ssl.conf:2).</p>");
    assert_lacks(row_on(page, "good.test"), "class=\"note\"");
    assert_lacks(row_on(page, "new.test"), "class=\"note\"");
    /* Nothing is wrong there, but one would like to know. */
    assert_has(row_on(page, "CN=md.test"),
               "<p class=\"soft\">mod_md staples it");
    assert_lacks(row_on(page, "CN=md.test"), "What to do");
}
END_TEST

START_TEST(nothing_is_said_twice)
{
    const char *row;

    fill();
    make_failing(FAILING, HOURS(24), OCSPX_CAUSE_CONNECT_REFUSED, "");
    assert_has(row_on(body_of(NULL), "failing.test"),
               "</strong> The host to be asked refuses connections.</p>");
    make_failing(FAILING, HOURS(24), OCSPX_CAUSE_CONNECT_REFUSED, "So it is.");
    row = row_on(body_of(NULL), "failing.test");
    assert_has(row, "connections: So it is.</p>");
}
END_TEST

START_TEST(a_try_that_is_due)
{
    ocspx_cache_state_t state;
    const char *row;

    fill();
    ocspx_cache_state_get(&state, cache, FAILING);
    state.due = NOW - 1;
    ocspx_cache_state_set(cache, FAILING, &state);
    row = row_on(body_of(NULL), "failing.test");
    assert_has(row, "7 failed attempts; next try now. Used by");
}
END_TEST

START_TEST(used_nowhere)
{
    fill();
    apr_array_clear(
        APR_ARRAY_IDX(registry->entries, FAILING, ocspx_registry_entry_t *)
            ->places);
    assert_lacks(row_on(body_of(NULL), "failing.test"), "Used by");
}
END_TEST

START_TEST(used_often)
{
    apr_array_header_t *places;

    fill();
    places = APR_ARRAY_IDX(registry->entries, FAILING, ocspx_registry_entry_t *)
                 ->places;
    for (int i = 0; i < 3; i++)
        APR_ARRAY_PUSH(places, const char *) = "elsewhere";
    assert_has(row_on(body_of(NULL), "failing.test"),
               "Used by failing.test:443 (ssl.conf:2) and 3 others.</p>");
    assert_has(row_on(body_of(NULL), "failing.test"), ">4 virtual hosts<");
}
END_TEST

/* What there was has ended, and the responder says no. */
START_TEST(ended)
{
    const char *row;

    fill();
    set_state(DOWN, &(ocspx_cache_state_t){.this_update = NOW - HOURS(30),
                                           .next_update = NOW - HOURS(3),
                                           .tried = NOW,
                                           .took = 7000,
                                           .http_status = 503,
                                           .failures = 1,
                                           .failing_since = NOW,
                                           .cause = OCSPX_CAUSE_RESP_HTTP});
    row = row_on(body_of(NULL), "down.test");
    assert_has(row, ">not stapled</span><small>ended 3 h ago</small>");
    assert_has(row, "[2001:db8::1]<small>7 ms, HTTP 503</small>");
    assert_has(row, "1 failed attempt; next try now.");
    assert_lacks(row_on(body_of(NULL), "withheld.test"), "ended");
}
END_TEST

START_TEST(what_is_special)
{
    const char *page;

    add_spec(&(pki_spec_t){.cn = "a.test",
                           .names = "DNS:a.test,DNS:b.test,DNS:c.test",
                           .ocsp_urls = URL,
                           .must_staple = 1});
    add_cert("d.test", URL);
    open_model();
    page = body_of(NULL);
    assert_has(row_on(page, "a.test"), "<span>3 names</span> ");
    assert_has(row_on(page, "a.test"), "<span>must-staple</span>");
    assert_lacks(row_on(page, "d.test"), "1 name");
    assert_lacks(row_on(page, "d.test"), "1 virtual host");
    assert_lacks(row_on(page, "d.test"), "must-staple");
    ck_assert_int_eq(times(page, "<svg class=\"sign\""), 5);
}
END_TEST

START_TEST(a_row)
{
    const char *row;

    fill();
    row = row_on(body_of(NULL), "good.test");
    assert_has(row, apr_pstrcat(pool, "<th scope=\"row\"><a href=\"?cert=",
                                ocspx_registry_get(registry, GOOD)->cert->id,
                                "\">", NULL));
    assert_has(row, ">EC 256</span>");
    assert_has(row, "datetime=\"2033-05-21T07:33:20Z\">21 May 07:33</time>");
    assert_has(row,
               "<td class=\"asked\">ocsp.example:8080<small>42 ms</small>");
    assert_has(row, "<svg class=\"bar\"");
    assert_has(row_on(body_of(NULL), "new.test"), ">no response</span>");
    assert_has(row_on(body_of(NULL), "CN=free.test"), ">none</span></td>");
}
END_TEST

static Suite *page_row_suite(void)
{
    Suite *suite = suite_create("page_row");
    TCase *tests = tcase_create("all");

    tcase_add_checked_fixture(tests, set_model_up, tear_model_down);
    tcase_add_test(tests, worst_first);
    tcase_add_loop_test(tests, a_state_is_a_word_and_a_shape, 0, COUNT(rows));
    tcase_add_test(tests, what_is_wrong_and_what_to_do);
    tcase_add_test(tests, nothing_is_said_twice);
    tcase_add_test(tests, a_try_that_is_due);
    tcase_add_test(tests, used_nowhere);
    tcase_add_test(tests, used_often);
    tcase_add_test(tests, ended);
    tcase_add_test(tests, what_is_special);
    tcase_add_test(tests, a_row);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(page_row_suite());
}
