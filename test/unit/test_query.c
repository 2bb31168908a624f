/* test_query: what a query string and an Accept header ask for; anything odd
 * is refused with a sentence that repeats nothing of it.
 */
#include "../support/check_main.h"

#include <apr_strings.h>
#include <string.h>

#include "../../mod_ocspx/engine/query.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))
#define HEX16 "0123456789abcdef"
#define CERT HEX16 HEX16 HEX16 HEX16

static apr_pool_t *pool;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static ocspx_query_t read_well(const char *args)
{
    ocspx_query_t query;
    const char *wrong;

    memset(&query, 0x5a, sizeof(query));
    wrong = ocspx_query_read(&query, args, pool);
    ck_assert_msg(wrong == NULL, "%s: %s", args, wrong);
    return query;
}

static const char *refuse(const char *args)
{
    ocspx_query_t query;
    const char *wrong = ocspx_query_read(&query, args, pool);

    ck_assert_msg(wrong != NULL, "%s was taken", args);
    ck_assert_int_eq(wrong[strlen(wrong) - 1], '.');
    return wrong;
}

/* --- the query string ------------------------------------------------ */

static const char *const nothing[] = {
    NULL, "", "&", "&&", "q", "q=", "q=&cert", "page=&format=", "state"};

START_TEST(nothing_asks_for_all)
{
    ocspx_query_t query = read_well(nothing[_i]);

    ck_assert_int_eq(query.format, OCSPX_QUERY_UNSAID);
    ck_assert_ptr_null(query.report.search);
    ck_assert_ptr_null(query.report.state);
    ck_assert_ptr_null(query.report.cert);
    ck_assert_uint_eq(query.report.page, 0);
    ck_assert_uint_eq(query.report.page_length, 0);
    ck_assert_str_eq(ocspx_query_write(&query, pool), "");
}
END_TEST

START_TEST(every_parameter)
{
    ocspx_query_t query = read_well("format=json&cert=" CERT
                                    "&q=www.example&state=failing&page=12");

    ck_assert_int_eq(query.format, OCSPX_QUERY_JSON);
    ck_assert_str_eq(query.report.cert, CERT);
    ck_assert_str_eq(query.report.search, "www.example");
    ck_assert_str_eq(query.report.state, "failing");
    ck_assert_uint_eq(query.report.page, 12);
}
END_TEST

START_TEST(every_format)
{
    static const struct {
        const char *args;
        ocspx_query_format_e format;
    } formats[] = {{"format=html", OCSPX_QUERY_HTML},
                   {"format=json", OCSPX_QUERY_JSON},
                   {"format=openmetrics", OCSPX_QUERY_OPENMETRICS},
                   {"format=prometheus", OCSPX_QUERY_PROMETHEUS},
                   {"format=der&cert=" CERT, OCSPX_QUERY_DER}};

    for (int i = 0; i < COUNT(formats); i++) {
        ocspx_query_t query = read_well(formats[i].args);

        ck_assert_int_eq(query.format, formats[i].format);
        ck_assert_str_eq(ocspx_query_write(&query, pool), formats[i].args);
    }
}
END_TEST

START_TEST(every_state)
{
    for (int i = 0; i < OCSPX_REPORT_STATES; i++) {
        const char *name = ocspx_report_state_name((ocspx_report_state_e)i);
        const char *args = apr_pstrcat(pool, "state=", name, NULL);
        ocspx_query_t query = read_well(args);

        ck_assert_str_eq(query.report.state, name);
        ck_assert_ptr_nonnull(strstr(refuse("state=x"), name));
    }
}
END_TEST

START_TEST(searches_are_decoded)
{
    ck_assert_str_eq(read_well("q=a%2Eb+c%20d%2Bg").report.search, "a.b c d+g");
    ck_assert_str_eq(read_well("%71=%26%3D%3C%22%27").report.search, "&=<\"'");
    ck_assert_str_eq(read_well("q=a=b").report.search, "a=b");
    ck_assert_str_eq(read_well("q=~ !").report.search, "~ !");
}
END_TEST

/* As "openssl x509 -fingerprint -sha256" prints it. */
START_TEST(fingerprints_in_either_form)
{
    const char *printed =
        "cert=01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:"
        "AB:CD:EF:01:23:45:67:89:AB:CD:EF";

    ck_assert_str_eq(read_well(printed).report.cert, CERT);
    ck_assert_str_eq(
        read_well(
            apr_psprintf(pool, "cert=%s", "0123456789ABCDEF" HEX16 HEX16 HEX16))
            .report.cert,
        CERT);
}
END_TEST

/* A sentence for each, by a word that is in no other's. */
static const struct {
    const char *args;
    const char *word;
} odd[] = {
    {"format=xml", "format must"},
    {"format=HTML", "format must"},
    {"format=json%20", "format must"},
    {"format=der", "needs a certificate"},
    {"format=der&cert=", "needs a certificate"},
    {"cert=" HEX16 HEX16 HEX16 "0123456789abcde", "cert must"},
    {"cert=" CERT "0", "cert must"},
    {"cert=" CERT ":", "cert must"},
    {"cert=:" CERT, "cert must"},
    {"cert=0:123456789abcdef" HEX16 HEX16 HEX16, "cert must"},
    {"cert=g123456789abcdef" HEX16 HEX16 HEX16, "cert must"},
    {"cert=<script>", "cert must"},
    {"q=%0A", "printable"},
    {"q=%7f", "printable"},
    {"q=%c3%a4", "printable"},
    {"q=\xff", "printable"},
    {"state=Failing", "state must"},
    {"state=all", "state must"},
    {"page=0", "page must"},
    {"page=-1", "page must"},
    {"page=+1", "page must"},
    {"page=1x", "page must"},
    {"page=0x10", "page must"},
    {"page=12345678", "page must"},
    {"page=99999999999999999999", "page must"},
    {"page=1.5", "page must"},
    {"q=a&q=b", "twice"},
    {"q=&q=", "twice"},
    {"page=1&%70age=1", "twice"},
    {"format=json&format=json", "twice"},
    {"unknown=1", "not known"},
    {"=1", "not known"},
    {"Q=a", "not known"},
    {"q%20=a", "not known"},
    {"<script>alert(1)</script>", "not known"},
    {"q=%", "encoded"},
    {"q=%2", "encoded"},
    {"q=%zz", "encoded"},
    {"q=a%00b", "encoded"},
    {"%00=a", "encoded"},
};

START_TEST(odd_queries_are_refused)
{
    const char *wrong = refuse(odd[_i].args);

    ck_assert_msg(strstr(wrong, odd[_i].word) != NULL, "%s: %s", odd[_i].args,
                  wrong);
    ck_assert_ptr_null(strpbrk(wrong, "<>&\"%"));
}
END_TEST

START_TEST(what_is_wrong_anywhere_counts)
{
    refuse("q=a&page=0&state=failing");
    refuse("x=1&q=a");
    refuse("q=a&x=1");
}
END_TEST

START_TEST(too_long)
{
    char *args = apr_palloc(pool, OCSPX_QUERY_MAX + 2);

    memset(args, 'a', OCSPX_QUERY_MAX + 1);
    memcpy(args, "q=", 2);
    args[OCSPX_QUERY_MAX + 1] = '\0';
    ck_assert_ptr_nonnull(strstr(refuse(args), "too long"));
    args[OCSPX_QUERY_MAX] = '\0';
    ck_assert_uint_eq(strlen(read_well(args).report.search),
                      OCSPX_QUERY_MAX - 2);
}
END_TEST

/* --- and back -------------------------------------------------------- */

START_TEST(written_as_it_is_read)
{
    static const char *const queries[] = {
        "format=openmetrics&cert=" CERT "&q=%3cb%3e%26+%22%27&state=stapled"
        "&page=7",
        "q=a.b-c_d%2b%2f%3a",
        "state=other-provider&page=2",
    };

    for (int i = 0; i < COUNT(queries); i++) {
        ocspx_query_t query = read_well(queries[i]);

        ck_assert_str_eq(ocspx_query_write(&query, pool), queries[i]);
    }
}
END_TEST

START_TEST(the_first_page_needs_no_word)
{
    ocspx_query_t query = read_well("page=1");

    ck_assert_uint_eq(query.report.page, 1);
    ck_assert_str_eq(ocspx_query_write(&query, pool), "");
}
END_TEST

/* Bytes by chance, from an alphabet that gets far. */
START_TEST(noise_is_harmless)
{
    static const char alphabet[] = "q=&%cert0aAfpage1state:format+\xff\n<\"'";
    unsigned seed = 1;
    char noise[64];

    for (int round = 0; round < 100000; round++) {
        ocspx_query_t query;
        const char *wrong;
        apr_size_t len = (apr_size_t)(seed >> 8) % sizeof(noise);

        for (apr_size_t i = 0; i < len; i++) {
            seed = seed * 1103515245 + 12345;
            noise[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
        }
        seed = seed * 1103515245 + 12345;
        noise[len < sizeof(noise) ? len : sizeof(noise) - 1] = '\0';
        wrong = ocspx_query_read(&query, noise, pool);
        if (!wrong) {
            ocspx_query_t again = read_well(ocspx_query_write(&query, pool));

            ck_assert_int_eq(again.format, query.format);
            ck_assert_ptr_null(
                strpbrk(ocspx_query_write(&query, pool), "<>\"'"));
        }
        apr_pool_clear(pool);
    }
}
END_TEST

/* --- Accept ---------------------------------------------------------- */

static const struct {
    const char *accept;
    ocspx_query_format_e format;
} wishes[] = {
    {NULL, OCSPX_QUERY_HTML},
    {"", OCSPX_QUERY_HTML},
    {"*/*", OCSPX_QUERY_HTML},
    {"text/html", OCSPX_QUERY_HTML},
    {"text/*", OCSPX_QUERY_HTML},
    {"image/png", OCSPX_QUERY_HTML},
    {"application/json", OCSPX_QUERY_JSON},
    {"APPLICATION/JSON", OCSPX_QUERY_JSON},
    {"application/json; charset=utf-8", OCSPX_QUERY_JSON},
    {"application/*", OCSPX_QUERY_JSON},
    {"application/openmetrics-text", OCSPX_QUERY_OPENMETRICS},
    {"text/plain", OCSPX_QUERY_PROMETHEUS},
    {"text/plain;version=0.0.4", OCSPX_QUERY_PROMETHEUS},
    /* browsers */
    {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,"
     "image/webp,*/*;q=0.8",
     OCSPX_QUERY_HTML},
    {"text/html, application/xhtml+xml, image/jxr, */*", OCSPX_QUERY_HTML},
    /* who wants JSON, and says that anything will do */
    {"application/json, text/plain, */*", OCSPX_QUERY_JSON},
    {"*/*, application/json", OCSPX_QUERY_JSON},
    /* Prometheus 2 and 3 */
    {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
     "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
     OCSPX_QUERY_OPENMETRICS},
    {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
     "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0."
     "0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
     OCSPX_QUERY_OPENMETRICS},
    {"text/plain;version=0.0.4;q=1,*/*;q=0.1", OCSPX_QUERY_PROMETHEUS},
    /* weights */
    {"text/html;q=0.5,application/json;q=0.6", OCSPX_QUERY_JSON},
    {"text/html;q=0.501, application/json;q=0.5", OCSPX_QUERY_HTML},
    {"text/html;q=0, */*;q=0.1", OCSPX_QUERY_JSON},
    {"text/html;q=0,application/json;q=0,*/*", OCSPX_QUERY_OPENMETRICS},
    {"text/html;q=0", OCSPX_QUERY_HTML},
    {"text/* ; Q=0.3 , application/json ; q = 0.4", OCSPX_QUERY_JSON},
    {"text/html;q=0.1,application/json;level=1;q=0.2", OCSPX_QUERY_JSON},
    {"application/json;q=0.2, application/json;q=0.9, text/html;q=0.5",
     OCSPX_QUERY_JSON},
    {"application/json;q=1.0,text/html;q=1.000", OCSPX_QUERY_HTML},
    /* what is no weight counts as none */
    {"application/json;q=2,text/html;q=0.1", OCSPX_QUERY_HTML},
    {"application/json;q=x,text/html;q=0.1", OCSPX_QUERY_HTML},
    {"application/json;q=1.001,text/html;q=0.1", OCSPX_QUERY_HTML},
    {"application/json;q=0.1234,text/html;q=0.1", OCSPX_QUERY_HTML},
    {"application/json;q=-1,text/html;q=0.1", OCSPX_QUERY_HTML},
    {"application/json;q=x9,text/html;q=0.1", OCSPX_QUERY_HTML},
    {"application/json;q=,text/html;q=0.1", OCSPX_QUERY_HTML},
    {"application/json;q=0", OCSPX_QUERY_HTML},
    /* nonsense */
    {",,;,;;q=1,=", OCSPX_QUERY_HTML},
    {"/*", OCSPX_QUERY_HTML},
    {"*", OCSPX_QUERY_HTML},
    {"application/jso", OCSPX_QUERY_HTML},
    {"application/json5", OCSPX_QUERY_HTML},
    {"app/*", OCSPX_QUERY_HTML},
};

START_TEST(what_is_liked_best)
{
    ck_assert_msg(ocspx_query_accept(wishes[_i].accept, pool) ==
                      wishes[_i].format,
                  "%s", wishes[_i].accept);
}
END_TEST

static Suite *query_suite(void)
{
    Suite *suite = suite_create("query");
    TCase *tests = tcase_create("all");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, nothing_asks_for_all, 0, COUNT(nothing));
    tcase_add_test(tests, every_parameter);
    tcase_add_test(tests, every_format);
    tcase_add_test(tests, every_state);
    tcase_add_test(tests, searches_are_decoded);
    tcase_add_test(tests, fingerprints_in_either_form);
    tcase_add_loop_test(tests, odd_queries_are_refused, 0, COUNT(odd));
    tcase_add_test(tests, what_is_wrong_anywhere_counts);
    tcase_add_test(tests, too_long);
    tcase_add_test(tests, written_as_it_is_read);
    tcase_add_test(tests, the_first_page_needs_no_word);
    tcase_add_test(tests, noise_is_harmless);
    tcase_add_loop_test(tests, what_is_liked_best, 0, COUNT(wishes));
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(query_suite());
}
