/* test_cli_status_input: what `ocspx status' reads, and what it refuses. */
#include "status_scene.h"

#include <apr_lib.h>

#include "../support/responder.h"

#define JSON_TYPE "application/json"

static void expect_unknown(const char *output, const char *why)
{
    ck_assert_msg(strncmp(output, "OCSPX UNKNOWN - ", 16) == 0, "%s", output);
    assert_says(output, why);
    ck_assert_msg(strchr(output, '\n') == output + strlen(output) - 1,
                  "more than one line: %s", output);
}

/* --- files ----------------------------------------------------------- */

START_TEST(pipe_is_read)
{
    set_the_table();
    ck_assert_str_eq(run_shell(2, "cat report | $OCSPX status -"),
                     status_of(2, ""));
}
END_TEST

START_TEST(unreadable_files)
{
    expect_unknown(run(3, "status nowhere"), "nowhere cannot be read: No such");
    expect_unknown(run(3, "status ."), ". cannot be read: Is a directory");
    expect_unknown(run_shell(3, "yes ' ' | head -c 68000000 | $OCSPX status -"),
                   "standard input has more than 64 MB");
}
END_TEST

START_TEST(no_json)
{
    static const char *const texts[] = {
        "",
        "x",
        "{",
        "{}}",
        "[1",
        "<html></html>",
        "{\"a\":\xff}",
        "{\"totals\":{},\"totals\":{}}",
        "{\"a\":1e999}",
        "{\"a\":123456789012345678901234567890}",
        "{\"a\":\"\\u0000\"}",
        NULL};

    for (int i = 0; texts[i] != NULL; i++) {
        write_text(texts[i]);
        expect_unknown(status_of(3, ""), "report is no JSON: line ");
    }
}
END_TEST

START_TEST(nesting_without_end)
{
    char *deep = apr_palloc(pool, 1000001);

    memset(deep, '[', 1000000);
    deep[1000000] = '\0';
    write_text(deep);
    expect_unknown(status_of(3, ""), "report is no JSON");
}
END_TEST

START_TEST(full_disk)
{
    set_the_table();
    assert_says(run_shell(3, "$OCSPX status report 2>&1 >/dev/full"),
                "standard output cannot be written");
}
END_TEST

/* --- what is no report ------------------------------------------------- */

/** A report in which this is what the path leads to. @param value NULL: it is
 * not there */
static json_t *report_with(const char *where, const char *key, json_t *value)
{
    json_t *json = json_loads(
        report_as_json(make_report(&(ocspx_report_query_t){0})), 0, NULL);
    json_t *object = *where == '\0' ? json : json_object_get(json, where);

    if (json_is_array(object))
        object = json_array_get(object, 0);
    if (value != NULL)
        json_object_set_new(object, key, value);
    else
        json_object_del(object, key);
    return json;
}

static void write_json(json_t *json)
{
    ck_assert_int_eq(json_dump_file(json, "report", 0), 0);
    json_decref(json);
}

static const char *refusal(const char *where, const char *key, json_t *value)
{
    write_json(report_with(where, key, value));
    return status_of(3, "");
}

static void expect_refusal(const char *where, const char *key, json_t *value,
                           const char *why)
{
    expect_unknown(refusal(where, key, value),
                   apr_pstrcat(pool, "report is not the report of mod_ocspx: ",
                               why, "\n", NULL));
}

START_TEST(every_key_has_to_be_there)
{
    const ocspx_report_field_t *field;

    set_the_table();
    for (field = ocspx_report_total_fields; field->key; field++)
        expect_refusal(
            "totals", field->key, NULL,
            apr_pstrcat(pool, "totals.", field->key, " is missing", NULL));
    for (field = ocspx_report_row_fields; field->key; field++)
        expect_refusal("certificates", field->key, NULL,
                       apr_pstrcat(pool, "certificates[0].", field->key,
                                   " is missing", NULL));
    expect_refusal("findings", "code", NULL, "findings[0].code is missing");
    expect_refusal("", "totals", NULL, "totals is no object");
    expect_refusal("", "certificates", NULL, "certificates is no list");
    expect_refusal("", "findings", NULL, "findings is no list");
}
END_TEST

START_TEST(every_value_has_its_type)
{
    set_the_table();
    expect_refusal("", "totals", json_array(), "totals is no object");
    expect_refusal("", "certificates", json_object(),
                   "certificates is no list");
    expect_refusal("", "certificates", json_pack("[i]", 1),
                   "certificates[0] is no object");
    expect_refusal("", "history", json_true(), "history is no list");
    expect_refusal("", "history", json_pack("[{}]"),
                   "history[0].time is missing");
    expect_refusal("totals", "generated", json_null(),
                   "totals.generated is no time");
    expect_refusal("totals", "generated", json_string("yesterday"),
                   "totals.generated is no time");
    expect_refusal("totals", "certificates", json_string("5"),
                   "totals.certificates is no number");
    expect_refusal("totals", "certificates", json_integer(-1),
                   "totals.certificates is no number");
    expect_refusal("totals", "certificates", json_real(1.5),
                   "totals.certificates is no number");
    expect_refusal("certificates", "safeUntil", json_integer(2000000000),
                   "certificates[0].safeUntil is no time");
    expect_refusal("certificates", "safeUntil",
                   json_string("2033-02-30T00:00:00Z"),
                   "certificates[0].safeUntil is no time");
    expect_refusal("certificates", "latency", json_real(1e300),
                   "certificates[0].latency is no duration");
    expect_refusal("certificates", "latency", json_string("1"),
                   "certificates[0].latency is no duration");
    expect_refusal("certificates", "latency", json_integer(-1),
                   "certificates[0].latency is no duration");
    expect_refusal("certificates", "mustStaple", json_integer(1),
                   "certificates[0].mustStaple is neither true nor false");
    expect_refusal("certificates", "names", json_string("a.test"),
                   "certificates[0].names is no list");
    expect_refusal("certificates", "names", json_pack("[i]", 1),
                   "certificates[0].names is no text");
    expect_refusal("certificates", "cause", json_false(),
                   "certificates[0].cause is no text");
}
END_TEST

START_TEST(some_values_must_be_known)
{
    static const char of_row[] =
        "certificates[0] has no name, no state or no fingerprint";
    static const char of_finding[] =
        "findings[0] has no code, no severity or no vhost";

    set_the_table();
    expect_refusal("certificates", "name", json_null(), of_row);
    expect_refusal("certificates", "state", json_null(), of_row);
    expect_refusal("certificates", "state", json_string("excellent"), of_row);
    expect_refusal("certificates", "fingerprint", json_null(), of_row);
    expect_refusal("findings", "severity", json_null(), of_finding);
    expect_refusal("findings", "code", json_null(), of_finding);
    expect_refusal("findings", "vhost", json_null(), of_finding);
}
END_TEST

/** Everything there is that may be unknown, is. */
START_TEST(what_may_be_unknown)
{
    static const char *const keep[] = {"name", "state", "fingerprint", NULL};
    const ocspx_report_field_t *field;
    json_t *json, *row;

    set_the_table();
    json = report_with("findings", "remedy", json_null());
    row = json_array_get(json_object_get(json, "certificates"), 0);
    for (field = ocspx_report_row_fields; field->key; field++) {
        int i = 0;

        while (keep[i] != NULL && strcmp(keep[i], field->key) != 0)
            i++;
        if (keep[i] == NULL && (field->kind == OCSPX_REPORT_TEXT ||
                                field->kind == OCSPX_REPORT_TIME ||
                                field->kind == OCSPX_REPORT_DURATION))
            json_object_set_new(row, field->key, json_null());
    }
    write_json(json);
    setenv("COLUMNS", "250", 1);
    assert_says(status_of(2, "--search nothing"), "No certificate is like");
    assert_says(status_of(2, ""), "\nfailing         n2.test ");
    assert_says(
        status_of(2,
                  apr_pstrcat(pool, "--cert ",
                              ocspx_registry_get(registry, 2)->cert->id, NULL)),
        "\nRemedy                -\n");
}
END_TEST

/* --- strangers' text --------------------------------------------------- */

#define HOSTILE "\033[31m|a\r\n\xc2\x9b\xc3\xa4\x7f\b"
#define HARMLESS "\\x1b[31m\\x7ca\\x0d\\x0a\\xc2\\x9b\\xc3\\xa4\\x7f\\x08"

/** All text of all objects below. */
static void make_hostile(json_t *json)
{
    json_t *value;
    const char *key;
    size_t i;
    void *next;

    json_array_foreach(json, i, value) make_hostile(value);
    json_object_foreach_safe(json, next, key, value)
    {
        if (json_is_string(value) && strcmp(key, "state") != 0 &&
            strcmp(key, "fingerprint") != 0 &&
            !strstr(json_string_value(value), "2033-"))
            json_object_set_new(json, key, json_string(HOSTILE));
        else
            make_hostile(value);
    }
}

static void assert_harmless(const char *output)
{
    const char *bar = strchr(output, '|');

    assert_says(output, HARMLESS);
    ck_assert_ptr_nonnull(bar);
    ck_assert_ptr_null(strchr(bar + 1, '|'));
    for (; *output; output++)
        ck_assert_msg(*output == '\n' || (*output >= ' ' && *output <= '~'),
                      "%s", output);
}

START_TEST(text_cannot_move_the_cursor)
{
    const char *fingerprint;
    json_t *json;

    set_the_table();
    fingerprint = ocspx_registry_get(registry, 2)->cert->id;
    json = report_with("", "history",
                       json_pack("[{s:s, s:f, s:s, s:s, s:i}]", "time",
                                 "2033-05-18T03:33:20Z", "took", 1.0, "cause",
                                 "X", "causeLine", "X", "httpStatus", 200));
    make_hostile(json);
    write_json(json);
    setenv("COLUMNS", "250", 1);
    assert_harmless(status_of(2, ""));
    assert_harmless(
        status_of(2, apr_pstrcat(pool, "--cert ", fingerprint, NULL)));
    ck_assert_ptr_null(strchr(status_of(2, "--json"), '\033'));
    ck_assert_ptr_null(strchr(status_of(2, "--json"), '\xc2'));
}
END_TEST

START_TEST(errors_cannot_either)
{
    write_text("[\"a\" \"\xc2\x9b\"]");
    expect_unknown(status_of(3, ""), "\\xc2\\x9b");
    expect_unknown(run_shell(3, "$OCSPX status $'a\\033[31m'"),
                   "a\\x1b[31m cannot be read");
}
END_TEST

/* --- JSON out ---------------------------------------------------------- */

START_TEST(json_is_passed_through)
{
    json_t *before, *after;

    set_the_table();
    after = json_loads(status_of(2, "--json"), 0, NULL);
    before = json_load_file("report", 0, NULL);
    ck_assert_ptr_nonnull(after);
    ck_assert(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    write_json(report_with("totals", "certificates", NULL));
    ck_assert_str_eq(status_of(3, "--json"),
                     "ocspx: report is not the report of mod_ocspx: "
                     "totals.certificates is missing\n");
    ck_assert_str_eq(run_shell(3, "$OCSPX status report --json 2>/dev/null"),
                     "");
}
END_TEST

/* --- options ----------------------------------------------------------- */

START_TEST(wrong_usage)
{
    static const char *const wrong[] = {"status",
                                        "status report b",
                                        "status report --state fine",
                                        "status report --cert 12",
                                        "status report --proxy ftp://a/",
                                        "status report --json --state failing",
                                        "status report --json --search a",
                                        "status report --nothing",
                                        NULL};

    set_the_table();
    for (int i = 0; wrong[i] != NULL; i++)
        ck_assert_int_eq(strncmp(run(3, wrong[i]), "ocspx: ", 7), 0);
    assert_says(run(0, "status --help"), "Usage: ocspx status URL");
    assert_says(run(0, "--help"), "  status   ");
}
END_TEST
START_TEST(fingerprints)
{
    char colons[100] = "", *to = colons;
    const char *fingerprint;

    set_the_table();
    fingerprint = ocspx_registry_get(registry, 0)->cert->id;
    for (int i = 0; i < 64; i++)
        to += snprintf(to, 4, "%s%c", i && i % 2 == 0 ? ":" : "",
                       apr_toupper(fingerprint[i]));
    assert_says(status_of(0, apr_pstrcat(pool, "--cert ", colons, NULL)),
                "OCSPX OK - a-name-that-goes-on");
    colons[0] = colons[0] == '0' ? '1' : '0';
    ck_assert_str_eq(status_of(3, apr_pstrcat(pool, "--cert ", colons, NULL)),
                     "OCSPX UNKNOWN - there is no such certificate\n");
    assert_says(status_of(3, "--cert 0123"), "64 hex digits");
    assert_says(status_of(3, apr_pstrcat(pool, "--cert g", fingerprint, NULL)),
                "64 hex digits");
    colons[0] = 'g';
    assert_says(status_of(3, apr_pstrcat(pool, "--cert ", colons, NULL)),
                "64 hex digits");
    assert_says(
        status_of(3, apr_pstrcat(pool, "--cert ", fingerprint, "0", NULL)),
        "64 hex digits");
}
END_TEST

/* --- URLs -------------------------------------------------------------- */

static responder_t *responder;

static void serve(const char *path, responder_answer_e answer, const char *body,
                  const char *type)
{
    responder_document(responder, path,
                       &(responder_script_t){.answer = answer,
                                             .http_status = 404,
                                             .body = body,
                                             .body_len = strlen(body),
                                             .type = type});
}

static const char *ask(int status, const char *path, const char *options)
{
    return run(status, apr_pstrcat(pool, "status --proxy none ",
                                   responder_url_of(responder, path), " ",
                                   options, NULL));
}

static void start_server(void)
{
    unsetenv("http_proxy");
    responder = responder_make(NULL, 0, pool);
    responder_start(responder);
}

START_TEST(url_is_asked_for_json)
{
    const char *report, *output;

    set_the_table();
    report = procs_read_file("report", pool);
    output = status_of(2, "");
    start_server();
    serve("/s?format=json", RESPONDER_NORMAL, report, JSON_TYPE);
    serve("/s?q=n&format=json", RESPONDER_NORMAL, report, JSON_TYPE);
    serve("/s?format=json&q=n", RESPONDER_NORMAL, report, JSON_TYPE);
    serve("/s?noformat=1&format=json", RESPONDER_NORMAL, report, JSON_TYPE);
    serve("/s?formats=1&format=json", RESPONDER_NORMAL, report, JSON_TYPE);
    ck_assert_str_eq(ask(2, "/s", ""), output);
    ck_assert_str_eq(ask(2, "/s#fragment", ""), output);
    ck_assert_str_eq(ask(2, "/s?q=n", ""), output);
    ck_assert_str_eq(ask(2, "/s?format=json&q=n", ""), output);
    ck_assert_str_eq(ask(2, "/s?noformat=1", ""), output);
    ck_assert_str_eq(ask(2, "/s?formats=1", ""), output);
    ck_assert_int_eq(responder_document_requests(responder, "/s?format=json"),
                     2);
}
END_TEST

/* That there is no such document is not the point: the sentence says what was
 * asked for. */
START_TEST(url_is_asked_for_the_certificate)
{
    static const char id[] = "0123456789abcdef0123456789abcdef"
                             "0123456789abcdef0123456789abcdef";

    start_server();
    expect_unknown(ask(3, "/s", apr_pstrcat(pool, "--cert ", id, NULL)),
                   apr_pstrcat(pool, "/s?format=json&cert=", id, NULL));
    expect_unknown(ask(3, "/s?cert=0", apr_pstrcat(pool, "--cert ", id, NULL)),
                   "/s?cert=0&format=json:");
}
END_TEST

START_TEST(url_that_has_no_report)
{
    start_server();
    serve("/html?format=json", RESPONDER_NORMAL, "<html>", "text/html");
    serve("/none?format=json", RESPONDER_HTTP, "no", "text/plain");
    serve("/text?format=json", RESPONDER_NORMAL, "hello", JSON_TYPE);
    serve("/other?format=json", RESPONDER_NORMAL, "{}", JSON_TYPE);
    expect_unknown(ask(3, "/html", ""), "/html?format=json: 127.0.0.1:");
    expect_unknown(ask(3, "/none", ""), "404");
    expect_unknown(ask(3, "/text", ""), "is no JSON: line 1");
    expect_unknown(ask(3, "/other", ""),
                   "is not the report of mod_ocspx: totals is no object");
    responder_stop(responder);
    expect_unknown(ask(3, "/s", ""), "refused");
    expect_unknown(run(3, "status http://"), "http://");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_status_input");
    TCase *files = make_case("files"), *urls = make_case("urls");

    tcase_add_test(files, pipe_is_read);
    tcase_add_test(files, unreadable_files);
    tcase_add_test(files, no_json);
    tcase_add_test(files, nesting_without_end);
    tcase_add_test(files, full_disk);
    tcase_add_test(files, every_key_has_to_be_there);
    tcase_add_test(files, every_value_has_its_type);
    tcase_add_test(files, some_values_must_be_known);
    tcase_add_test(files, what_may_be_unknown);
    tcase_add_test(files, text_cannot_move_the_cursor);
    tcase_add_test(files, errors_cannot_either);
    tcase_add_test(files, json_is_passed_through);
    tcase_add_test(files, wrong_usage);
    tcase_add_test(files, fingerprints);
    suite_add_tcase(suite, files);
    tcase_add_test(urls, url_is_asked_for_json);
    tcase_add_test(urls, url_is_asked_for_the_certificate);
    tcase_add_test(urls, url_that_has_no_report);
    suite_add_tcase(suite, urls);
    return ocspx_check_main(suite);
}
