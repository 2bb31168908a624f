/* test_cause: the table is complete, unambiguous, and fits on one line. */
#include "../support/check_main.h"

#include <string.h>

#include "../../mod_ocspx/core/cause.h"

static ocspx_cause_e at(int i)
{
    return (ocspx_cause_e)i;
}

static int is_code(const char *s)
{
    return *s && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == strlen(s);
}

static int is_line(const char *s)
{
    return strlen(s) > 10 && strlen(s) < 100 && !strchr(s, '\n') &&
           s[strlen(s) - 1] != '.';
}

static int is_sentence(const char *s)
{
    return strlen(s) > 10 && strlen(s) < 300 && !strchr(s, '\n') &&
           s[strlen(s) - 1] == '.';
}

START_TEST(every_value_has_its_words)
{
    ck_assert_msg(is_code(ocspx_cause_code(at(_i))), "code of %d", _i);
    ck_assert_msg(is_line(ocspx_cause_line(at(_i))), "line of %s",
                  ocspx_cause_code(at(_i)));
    ck_assert_msg(is_sentence(ocspx_cause_remedy(at(_i))), "remedy of %s",
                  ocspx_cause_code(at(_i)));
    ck_assert_int_ge(ocspx_cause_severity(at(_i)), OCSPX_CAUSE_INFO);
    ck_assert_int_le(ocspx_cause_severity(at(_i)), OCSPX_CAUSE_ERROR);
}
END_TEST

START_TEST(codes_and_lines_are_unique)
{
    for (int i = 0; i < _i; i++) {
        ck_assert_str_ne(ocspx_cause_code(at(i)), ocspx_cause_code(at(_i)));
        ck_assert_str_ne(ocspx_cause_line(at(i)), ocspx_cause_line(at(_i)));
    }
}
END_TEST

/* Codes are a promise to those who parse them; so is their order of harm. */
START_TEST(known_codes)
{
    ck_assert_str_eq(ocspx_cause_code(OCSPX_CAUSE_NONE), "NONE");
    ck_assert_str_eq(ocspx_cause_code(OCSPX_CAUSE_CONNECT_REFUSED),
                     "CONNECT_REFUSED");
    ck_assert_str_eq(ocspx_cause_code(OCSPX_CAUSE_REVOKED), "REVOKED");
    ck_assert_int_eq(ocspx_cause_severity(OCSPX_CAUSE_NONE), OCSPX_CAUSE_INFO);
    ck_assert_int_eq(ocspx_cause_severity(OCSPX_CAUSE_NO_URL),
                     OCSPX_CAUSE_INFO);
    ck_assert_int_eq(ocspx_cause_severity(OCSPX_CAUSE_RESP_TRYLATER),
                     OCSPX_CAUSE_WARNING);
    ck_assert_int_eq(ocspx_cause_severity(OCSPX_CAUSE_REVOKED),
                     OCSPX_CAUSE_ERROR);
}
END_TEST

START_TEST(out_of_range_is_none)
{
    ck_assert_str_eq(ocspx_cause_code(OCSPX_CAUSE_COUNT), "NONE");
    ck_assert_str_eq(ocspx_cause_code(at(-1)), "NONE");
    ck_assert_str_eq(ocspx_cause_line(at(1000000)),
                     ocspx_cause_line(OCSPX_CAUSE_NONE));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cause");
    TCase *tc = tcase_create("table");

    tcase_add_loop_test(tc, every_value_has_its_words, 0, OCSPX_CAUSE_COUNT);
    tcase_add_loop_test(tc, codes_and_lines_are_unique, 0, OCSPX_CAUSE_COUNT);
    tcase_add_test(tc, known_codes);
    tcase_add_test(tc, out_of_range_is_none);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
