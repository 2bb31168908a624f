/* test_metrics_auto: the lines that mod_status's ?auto gets. */
#include "model_scene.h"

#include <apr_lib.h>

#include "../../mod_ocspx/engine/metrics.h"

static const char *print(void)
{
    model_text_t text = {0};

    ocspx_auto_print(make_report(&(ocspx_report_query_t){0}), take_piece, &text,
                     pool);
    return text.text;
}

static void assert_line(const char *text, const char *line)
{
    ck_assert_msg(strstr(text, apr_pstrcat(pool, "\n", line, "\n", NULL)) !=
                      NULL,
                  "no line \"%s\" in:\n%s", line, text);
}

START_TEST(totals_are_lines)
{
    const char *text;

    add_cert("a.test", "http://ocsp.test/");
    add_cert("b.test", "http://ocsp.test/");
    open_model();
    make_stapled(0, HOURS(48));
    make_failing(1, HOURS(24), OCSPX_CAUSE_DNS, "no such host");
    ocspx_ledger_note(ledger, 0, 0,
                      &(ocspx_ledger_attempt_t){NOW, 30000, 0, 200}, 1);
    add_finding(OCSPX_CAUSE_ERROR, "one");
    text = print();
    ck_assert_int_eq(
        strncmp(text, "OcspxGenerated: 2033-05-18T03:33:20Z\n", 37), 0);
    assert_line(text, "OcspxCertificates: 2");
    assert_line(text, "OcspxCertificatesFailing: 1");
    assert_line(text, "OcspxCertificatesStapled: 1");
    assert_line(text, "OcspxCertificatesNotApplicable: 0");
    assert_line(text, "OcspxEarliestSafeUntil: 2033-05-19T03:33:20Z");
    assert_line(text, "OcspxEarliestName: b.test");
    assert_line(text, "OcspxAttemptsOk: 1");
    assert_line(text, "OcspxFindingsError: 1");
}
END_TEST

START_TEST(every_line_is_one_total)
{
    const ocspx_report_field_t *field = ocspx_report_total_fields;
    char *line, *last;
    int unknown = 0;

    line = apr_strtok(apr_pstrdup(pool, print()), "\n", &last);
    for (; field->key; field++) {
        const char *name = apr_psprintf(
            pool, "Ocspx%c%s: ", apr_toupper(*field->key), field->key + 1);

        if (line == NULL || strncmp(line, name, strlen(name)) != 0) {
            unknown++;
            continue;
        }
        ck_assert_int_ne(line[strlen(name)], '\0');
        line = apr_strtok(NULL, "\n", &last);
    }
    ck_assert_ptr_null(line);
    ck_assert_int_eq(unknown,
                     8); /* nothing is stapled or shared, nobody was asked */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("metrics_auto");
    TCase *tc = tcase_create("metrics_auto");

    tcase_add_checked_fixture(tc, set_model_up, tear_model_down);
    tcase_add_test(tc, totals_are_lines);
    tcase_add_test(tc, every_line_is_one_total);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
