/* test_report_json: every field as text and as JSON, and the whole document.
 */
#include "report_scene.h"

#include <math.h>

/* --- the tables ------------------------------------------------------ */

static const ocspx_report_field_t *field(const ocspx_report_field_t *fields,
                                         const char *key)
{
    for (; fields->key; fields++)
        if (!strcmp(fields->key, key))
            return fields;
    ck_abort_msg("there is no field %s", key);
}

static int is_camel_case(const char *key)
{
    const char *c;

    for (c = key; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", *c))
            return 0;
    return key[0] >= 'a' && key[0] <= 'z';
}

static unsigned check_table(const ocspx_report_field_t *fields, apr_size_t size)
{
    unsigned char *used = apr_pcalloc(pool, size);
    unsigned i, j;

    for (i = 0; fields[i].key; i++) {
        ck_assert(is_camel_case(fields[i].key));
        ck_assert(fields[i].label[0] >= 'A' && fields[i].label[0] <= 'Z');
        ck_assert_uint_gt(strlen(fields[i].help), 5);
        ck_assert_int_ne(fields[i].help[strlen(fields[i].help) - 1], '.');
        ck_assert_ptr_null(strchr(fields[i].help, '\n'));
        ck_assert_uint_le(fields[i].offset + 8, size);
        ck_assert_uint_eq(used[fields[i].offset]++, 0);
        for (j = 0; j < i; j++)
            ck_assert_str_ne(fields[i].key, fields[j].key);
    }
    return i;
}

/* All members but index are in the table, each once. Their number can be told
 * where all are of one size. */
START_TEST(tables_are_complete)
{
    unsigned row =
        check_table(ocspx_report_row_fields, sizeof(ocspx_report_row_t));
    unsigned totals =
        check_table(ocspx_report_total_fields, sizeof(ocspx_report_totals_t));

    if (sizeof(void *) == 8) {
        ck_assert_uint_eq(row, sizeof(ocspx_report_row_t) / 8 - 1);
        ck_assert_uint_eq(totals, sizeof(ocspx_report_totals_t) / 8);
    }
}
END_TEST

/* --- values ---------------------------------------------------------- */

static const char *json_of(const ocspx_report_field_t *of, const void *in)
{
    json_t *value = ocspx_report_json(of, in, pool);
    char *dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT |
                                         JSON_REAL_PRECISION(15));
    char *text = apr_pstrdup(pool, dumped);

    ck_assert_ptr_nonnull(value);
    free(dumped);
    json_decref(value);
    return text;
}

static void assert_value(const char *key, const ocspx_report_row_t *row,
                         const char *text, const char *json)
{
    const ocspx_report_field_t *of = field(ocspx_report_row_fields, key);
    const char *is = ocspx_report_text(of, row, pool);

    if (text)
        ck_assert_str_eq(is, text);
    else
        ck_assert_ptr_null(is);
    ck_assert_str_eq(json_of(of, row), json);
}

START_TEST(texts)
{
    ocspx_report_row_t row = {.name = "a \"b\"", .subject = "\xc3\x28"};

    assert_value("name", &row, "a \"b\"", "\"a \\\"b\\\"\"");
    assert_value("cause", &row, NULL, "null");
    ck_assert_str_eq(json_of(field(ocspx_report_row_fields, "subject"), &row),
                     "\"\\\\xc3(\"");
}
END_TEST

START_TEST(lists)
{
    apr_array_header_t *list = apr_array_make(pool, 1, sizeof(const char *));
    ocspx_report_row_t row = {.names = list};

    assert_value("names", &row, NULL, "[]");
    assert_value("vhosts", &row, NULL, "[]");
    APR_ARRAY_PUSH(list, const char *) = "a";
    assert_value("names", &row, "a", "[\"a\"]");
    APR_ARRAY_PUSH(list, const char *) = "b c";
    APR_ARRAY_PUSH(list, const char *) = "\"d";
    assert_value("names", &row, "a, b c, \"d", "[\"a\",\"b c\",\"\\\"d\"]");
}
END_TEST

static void assert_time(apr_time_t t, const char *text)
{
    ocspx_report_row_t row = {.safe_until = t};

    assert_value("safeUntil", &row, text,
                 text ? apr_pstrcat(pool, "\"", text, "\"", NULL) : "null");
}

START_TEST(times)
{
    assert_time(NOW, NOW_TEXT);
    assert_time(NOW + 999999, NOW_TEXT);
    assert_time(0, NULL);
    assert_time(1, "1970-01-01T00:00:00Z");
    assert_time(-SECONDS(1), "1969-12-31T23:59:59Z");
    assert_time(SECONDS(253402300799), "9999-12-31T23:59:59Z");
    assert_time(SECONDS(253402300800), NULL);
    assert_time(-SECONDS(62167219200), "0000-01-01T00:00:00Z");
    assert_time(-SECONDS(62167219201), NULL);
    assert_time(APR_INT64_MAX, NULL);
    assert_time(APR_INT64_MIN, NULL);
}
END_TEST

START_TEST(durations)
{
    ocspx_report_row_t row = {.latency = 0};

    assert_value("latency", &row, "0.000", "0.0");
    row.latency = 1234567;
    assert_value("latency", &row, "1.235", "1.234567");
    row.latency = -1;
    assert_value("latency", &row, NULL, "null");
}
END_TEST

START_TEST(counts_and_flags)
{
    ocspx_report_row_t row = {.bytes = 9007199254740992, .must_staple = 1};

    assert_value("bytes", &row, "9007199254740992", "9007199254740992");
    assert_value("tries", &row, "0", "0");
    assert_value("mustStaple", &row, "yes", "true");
    assert_value("revoked", &row, "no", "false");
}
END_TEST

START_TEST(totals_by_their_keys)
{
    ocspx_report_totals_t totals = {.certificates = 7};
    json_t *object;

    totals.states[OCSPX_REPORT_WITHHELD] = 3;
    totals.results[OCSPX_CAUSE_GROUP_SIGNER] = 4;
    totals.findings[OCSPX_CAUSE_WARNING] = 5;
    object = ocspx_report_object(ocspx_report_total_fields, &totals, pool);
    ck_assert_int_eq(
        json_integer_value(json_object_get(object, "certificates")), 7);
    ck_assert_int_eq(
        json_integer_value(json_object_get(object, "certificatesWithheld")), 3);
    ck_assert_int_eq(
        json_integer_value(json_object_get(object, "attemptsSigner")), 4);
    ck_assert_int_eq(
        json_integer_value(json_object_get(object, "findingsWarning")), 5);
    ck_assert(json_is_null(json_object_get(object, "egress")));
    json_decref(object);
}
END_TEST

/* --- the document ---------------------------------------------------- */

static char *document;
static apr_size_t longest; /* piece */

static void collect(void *baton, const char *piece, apr_size_t len)
{
    ck_assert_str_eq(baton, "baton");
    ck_assert_uint_eq(strlen(piece), len);
    document = apr_pstrcat(pool, document, piece, NULL);
    if (longest < len)
        longest = len;
}

/* As it would be read, by somebody strict. */
static json_t *print(void)
{
    static char baton[] = "baton";
    json_error_t error;
    json_t *root;
    const char *c;

    document = apr_pstrdup(pool, "");
    longest = 0;
    ocspx_report_print_json(make_report(), collect, baton, pool);
    for (c = document; *c; c++)
        ck_assert((*c >= 0x20 && *c < 0x7f) || *c == '\n');
    root = json_loads(document, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(root != NULL, "%s at %d", error.text, error.position);
    return root;
}

static const json_t *at(const json_t *root, const char *list, size_t i)
{
    return json_array_get(json_object_get(root, list), i);
}

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static apr_int64_t count_at(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

START_TEST(an_empty_document)
{
    json_t *root;

    open_cache();
    root = print();
    ck_assert_int_eq(count_at(root, "page"), 1);
    ck_assert_int_eq(count_at(root, "pages"), 1);
    ck_assert_int_eq(count_at(root, "matching"), 0);
    ck_assert_uint_eq(
        json_object_size(json_object_get(root, "totals")),
        check_table(ocspx_report_total_fields, sizeof(ocspx_report_totals_t)));
    ck_assert(json_is_array(json_object_get(root, "certificates")));
    ck_assert(json_is_array(json_object_get(root, "responders")));
    ck_assert(json_is_array(json_object_get(root, "findings")));
    ck_assert_uint_eq(json_object_size(root), 7);
    json_decref(root);
}
END_TEST

START_TEST(a_page_of_rows)
{
    const json_t *row;
    json_t *root;
    unsigned i;

    for (i = 0; i < 5; i++)
        add(apr_itoa(pool, (int)i));
    open_cache();
    query.page = 2;
    query.page_length = 2;
    root = print();
    ck_assert_int_eq(count_at(root, "page"), 2);
    ck_assert_int_eq(count_at(root, "pages"), 3);
    ck_assert_int_eq(count_at(root, "matching"), 5);
    ck_assert_uint_eq(json_array_size(json_object_get(root, "certificates")),
                      2);
    row = at(root, "certificates", 1);
    ck_assert_str_eq(text_at(row, "name"), "CN=3");
    ck_assert_str_eq(text_at(row, "state"), "waiting");
    ck_assert_uint_eq(
        json_object_size(row),
        check_table(ocspx_report_row_fields, sizeof(ocspx_report_row_t)));
    ck_assert_ptr_null(json_object_get(root, "history"));
    json_decref(root);
}
END_TEST

START_TEST(history_of_one_certificate)
{
    const json_t *attempt;
    json_t *root;

    add("a");
    add("b");
    open_cache();
    ocspx_ledger_note(
        ledger, 1, 0,
        &(ocspx_ledger_attempt_t){NOW - 1, 1500000, OCSPX_CAUSE_RESP_HTTP, 503},
        1);
    ocspx_ledger_note(ledger, 1, 0,
                      &(ocspx_ledger_attempt_t){NOW, 5, OCSPX_CAUSE_NONE, 200},
                      1);
    query.cert = ocspx_registry_get(registry, 1)->cert->id;
    root = print();
    ck_assert_uint_eq(json_array_size(json_object_get(root, "history")), 2);
    attempt = at(root, "history", 0);
    ck_assert_str_eq(text_at(attempt, "time"), NOW_TEXT);
    ck_assert(json_is_null(json_object_get(attempt, "cause")));
    ck_assert(json_is_null(json_object_get(attempt, "causeLine")));
    ck_assert_int_eq(count_at(attempt, "httpStatus"), 200);
    attempt = at(root, "history", 1);
    ck_assert_str_eq(text_at(attempt, "cause"), "RESP_HTTP");
    ck_assert_str_eq(text_at(attempt, "causeLine"),
                     ocspx_cause_line(OCSPX_CAUSE_RESP_HTTP));
    ck_assert_double_eq(json_real_value(json_object_get(attempt, "took")), 1.5);
    ck_assert_int_eq(count_at(attempt, "httpStatus"), 503);
    json_decref(root);
}
END_TEST

START_TEST(history_of_none)
{
    ocspx_ledger_attempt_t attempts[OCSPX_LEDGER_ATTEMPTS];
    json_t *root;

    add("a");
    add_other("b", OCSPX_REPORT_OTHER_PROVIDER, OCSPX_CAUSE_NONE, "");
    open_cache();
    ocspx_ledger_note(ledger, 0, 0,
                      &(ocspx_ledger_attempt_t){NOW, 5, OCSPX_CAUSE_NONE, 200},
                      1);
    ck_assert_uint_eq(ocspx_report_history(attempts, make_report()), 0);
    query.cert = APR_ARRAY_IDX(others, 0, ocspx_report_other_t).cert->id;
    root = print();
    ck_assert_uint_eq(json_array_size(json_object_get(root, "certificates")),
                      1);
    ck_assert(json_is_array(json_object_get(root, "history")));
    ck_assert_uint_eq(json_array_size(json_object_get(root, "history")), 0);
    json_decref(root);
    query.cert = "no such";
    root = print();
    ck_assert_uint_eq(json_array_size(json_object_get(root, "history")), 0);
    json_decref(root);
    query.cert = ocspx_registry_get(registry, 0)->cert->id;
    ck_assert_uint_eq(ocspx_report_history(attempts, make_report()), 1);
    source.ledger = NULL;
    ck_assert_uint_eq(ocspx_report_history(attempts, make_report()), 0);
}
END_TEST

START_TEST(responders_with_their_durations)
{
    const json_t *host, *bucket;
    json_t *root;

    add("a");
    open_cache();
    root = print();
    host = at(root, "responders", 0);
    ck_assert(json_is_null(json_object_get(host, "averageDuration")));
    ck_assert(json_is_null(json_object_get(host, "failingSince")));
    ck_assert(json_is_null(json_object_get(host, "cause")));
    json_decref(root);
    ocspx_ledger_note(
        ledger, 0, 0,
        &(ocspx_ledger_attempt_t){NOW - 9, SECONDS(1), OCSPX_CAUSE_NONE, 200},
        3);
    ocspx_ledger_note(
        ledger, 0, 0,
        &(ocspx_ledger_attempt_t){NOW, SECONDS(20), OCSPX_CAUSE_DNS, 0}, 1);
    root = print();
    host = at(root, "responders", 0);
    ck_assert_str_eq(text_at(host, "name"), "ocsp.example:80");
    ck_assert_int_eq(count_at(host, "requests"), 4);
    ck_assert_int_eq(count_at(json_object_get(host, "attempts"), "ok"), 1);
    ck_assert_int_eq(count_at(json_object_get(host, "attempts"), "egress"), 1);
    ck_assert_uint_eq(json_object_size(json_object_get(host, "attempts")),
                      OCSPX_CAUSE_GROUP_COUNT);
    ck_assert_str_eq(text_at(host, "failingSince"), NOW_TEXT);
    ck_assert_str_eq(text_at(host, "cause"), "DNS");
    ck_assert_double_eq(
        json_real_value(json_object_get(host, "averageDuration")), 10.5);
    ck_assert_uint_eq(json_array_size(json_object_get(host, "durations")),
                      OCSPX_LEDGER_BUCKETS);
    bucket = at(host, "durations", 6);
    ck_assert_double_eq(json_real_value(json_object_get(bucket, "upTo")), 1);
    ck_assert_int_eq(count_at(bucket, "count"), 1);
    bucket = at(host, "durations", 9);
    ck_assert_double_eq(json_real_value(json_object_get(bucket, "upTo")), 10);
    bucket = at(host, "durations", 10);
    ck_assert(json_is_null(json_object_get(bucket, "upTo")));
    ck_assert_int_eq(count_at(bucket, "count"), 1);
    json_decref(root);
}
END_TEST

START_TEST(findings_in_full)
{
    const json_t *finding;
    json_t *root;

    APR_ARRAY_PUSH(findings, ocspx_report_finding_t) = (ocspx_report_finding_t){
        .place = "www.example:443 (file:7)",
        .others = 3,
        .finding = {OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_WARNING, "CN=a",
                    "lacks b", "Append it."}};
    open_cache();
    root = print();
    finding = at(root, "findings", 0);
    ck_assert_str_eq(text_at(finding, "code"), "CHAIN_MISSING");
    ck_assert_str_eq(text_at(finding, "severity"), "warning");
    ck_assert_str_eq(text_at(finding, "subject"), "CN=a");
    ck_assert_str_eq(text_at(finding, "message"), "lacks b");
    ck_assert_str_eq(text_at(finding, "remedy"), "Append it.");
    ck_assert_str_eq(text_at(finding, "vhost"), "www.example:443 (file:7)");
    ck_assert_int_eq(count_at(finding, "others"), 3);
    json_decref(root);
}
END_TEST

START_TEST(hostile_words_make_a_sound_document)
{
    static const char hostile[] = "</script>\"\\ \r\n\x01\xff\xed\xa0\x80";
    json_t *root;

    policy.force_url = hostile;
    add_cert(
        make_cert((pki_spec_t){.cn = "\"},{\"state\":\"stapled\"\xe2\x80\xa8",
                               .names = "DNS:\"]</script>\xff"}));
    add_other("a", OCSPX_REPORT_NOT_APPLICABLE, OCSPX_CAUSE_NONE, hostile);
    APR_ARRAY_PUSH(APR_ARRAY_IDX(others, 0, ocspx_report_other_t).places,
                   const char *) = hostile;
    APR_ARRAY_PUSH(findings, ocspx_report_finding_t) = (ocspx_report_finding_t){
        .place = hostile, .finding = {0, 0, "\xc3\xa4", hostile, hostile}};
    open_cache();
    set_failing(0, OCSPX_CAUSE_DNS, hostile);
    root = print();
    ck_assert_uint_eq(json_array_size(json_object_get(root, "certificates")),
                      2);
    ck_assert_str_eq(text_at(at(root, "certificates", 0), "name"),
                     "\"]</script>\\xff");
    ck_assert_str_eq(text_at(at(root, "findings", 0), "subject"), "\xc3\xa4");
    ck_assert_str_eq(text_at(at(root, "findings", 0), "vhost"),
                     "</script>\"\\ \\x0d\\x0a\\x01\\xff\\xed\\xa0\\x80");
    json_decref(root);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report_json");
    TCase *tc = tcase_create("report_json");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, tables_are_complete);
    tcase_add_test(tc, texts);
    tcase_add_test(tc, lists);
    tcase_add_test(tc, times);
    tcase_add_test(tc, durations);
    tcase_add_test(tc, counts_and_flags);
    tcase_add_test(tc, totals_by_their_keys);
    tcase_add_test(tc, an_empty_document);
    tcase_add_test(tc, a_page_of_rows);
    tcase_add_test(tc, history_of_one_certificate);
    tcase_add_test(tc, history_of_none);
    tcase_add_test(tc, responders_with_their_durations);
    tcase_add_test(tc, findings_in_full);
    tcase_add_test(tc, hostile_words_make_a_sound_document);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
