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

/* The first and the last of each. */
START_TEST(groups)
{
    static const struct {
        ocspx_cause_e cause;
        const char *group;
    } known[] = {
        {OCSPX_CAUSE_NONE, "ok"},
        {OCSPX_CAUSE_SERVER_CLOCK, "clock"},
        {OCSPX_CAUSE_STALE, "clock"},
        {OCSPX_CAUSE_DNS, "egress"},
        {OCSPX_CAUSE_INTERCEPTED, "egress"},
        {OCSPX_CAUSE_BAD_SIGNATURE, "signer"},
        {OCSPX_CAUSE_SIGNER_NO_EKU, "signer"},
        {OCSPX_CAUSE_SIGNER_EXPIRES_EARLY, "ok"},
        {OCSPX_CAUSE_NO_URL, "configuration"},
        {OCSPX_CAUSE_HANDSHAKE_FAILED, "configuration"},
        {OCSPX_CAUSE_CHAIN_MISSING, "chain"},
        {OCSPX_CAUSE_CHAIN_NOT_CERT, "chain"},
        {OCSPX_CAUSE_RESP_HTTP, "responder"},
        {OCSPX_CAUSE_RESP_TOO_LARGE, "responder"},
        {OCSPX_CAUSE_UNKNOWN, "status"},
        {OCSPX_CAUSE_REVOKED, "ok"},
        {OCSPX_CAUSE_COUNT, "ok"},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        ck_assert_str_eq(
            ocspx_cause_group_name(ocspx_cause_group(known[i].cause)),
            known[i].group);
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
    tcase_add_test(tc, groups);
    tcase_add_test(tc, known_codes);
    tcase_add_test(tc, out_of_range_is_none);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
