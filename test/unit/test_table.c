/* test_table: columns and sentences for a terminal. */
#include <apr_strings.h>
#include <string.h>

#include "../../mod_ocspx/core/table.h"
#include "../support/check_main.h"

static const unsigned widths[] = {10, 6, 0};
static apr_pool_t *p;

static void set_up(void)
{
    apr_pool_create(&p, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(p);
}

static void assert_row(const char *first, const char *second,
                       const char *wanted)
{
    const char *cells[] = {first, second};

    ck_assert_str_eq(ocspx_table_row(cells, widths, p), wanted);
}

START_TEST(cells_stand_in_their_columns)
{
    assert_row("one", "two", "one         two\n");
    assert_row("one", "", "one\n");
    assert_row("", "two", "            two\n");
    assert_row("0123456789", "012345", "0123456789  012345\n");
}
END_TEST

START_TEST(long_cells_take_more_lines)
{
    assert_row("one two three", "four",
               "one two     four\n"
               "three\n");
    assert_row("one", "four five six",
               "one         four\n"
               "            five\n"
               "            six\n");
    /* A space that just does not fit in is no line of its own. */
    assert_row("0123456789 a", "b", "0123456789  b\na\n");
    assert_row("01234 6789 a", "b", "01234 6789  b\na\n");
}
END_TEST

START_TEST(urls_are_parted_where_it_can_be_seen)
{
    assert_row("a.test/bcdefg", "b", "a.test/     b\nbcdefg\n");
    assert_row("a.test:80808080", "b", "a.test:     b\n80808080\n");
    assert_row("0123456789012345678901", "b",
               "0123456789  b\n"
               "0123456789\n"
               "01\n");
}
END_TEST

START_TEST(sentences_are_indented_and_short_enough)
{
    char text[600] = "";
    const char *line;
    char *state;
    int lines = 0;
    unsigned total = 0;

    while (strlen(text) < sizeof(text) - sizeof("word "))
        strcat(text, *text ? " word" : "word");
    ck_assert_str_eq(ocspx_table_note("two words", 4, p), "    two words\n");
    for (line = apr_strtok(apr_pstrdup(p, ocspx_table_note(text, 4, p)), "\n",
                           &state);
         line; line = apr_strtok(NULL, "\n", &state)) {
        ck_assert_uint_le(strlen(line), OCSPX_TABLE_WIDTH);
        ck_assert_int_eq(strncmp(line, "    word", 8), 0);
        ck_assert(line[strlen(line) - 1] == 'd');
        total += (unsigned)strlen(line) - 4 + 1;
        lines++;
    }
    ck_assert_int_eq(lines, 8);
    ck_assert_uint_eq(total, strlen(text) + 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("table");
    TCase *tc = tcase_create("table");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, cells_stand_in_their_columns);
    tcase_add_test(tc, long_cells_take_more_lines);
    tcase_add_test(tc, urls_are_parted_where_it_can_be_seen);
    tcase_add_test(tc, sentences_are_indented_and_short_enough);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
