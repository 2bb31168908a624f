/* test_metrics: what monitoring is told, and that Prometheus takes it. */
#include "model_scene.h"

#include <stdlib.h>
#include <unistd.h>

#include "../../mod_ocspx/engine/metrics.h"
#include "../support/procs.h"
#include "../support/tools.h"

#define PROMTOOL_MS 60000
#define URL "http://ocsp.test/"

static const char *print_as(ocspx_metrics_format_e format)
{
    model_text_t text = {0};

    ocspx_metrics_print(make_report(&(ocspx_report_query_t){0}), format,
                        take_piece, &text, pool);
    return text.text;
}

static const char *print(void)
{
    return print_as(OCSPX_METRICS_OPENMETRICS);
}

/** Does it have this line? */
static int has(const char *text, const char *line)
{
    const char *at = text;
    apr_size_t len = strlen(line);

    while ((at = strstr(at, line)) != NULL) {
        if ((at == text || at[-1] == '\n') && at[len] == '\n')
            return 1;
        at++;
    }
    return 0;
}

static void assert_has(const char *text, const char *line)
{
    ck_assert_msg(has(text, line), "no line \"%s\" in:\n%.3000s", line, text);
}

static int count(const char *text, const char *what)
{
    int n = 0;

    for (; (text = strstr(text, what)) != NULL; text++)
        n++;
    return n;
}

/** The line of a metric of a certificate. */
static const char *of_cert(const char *metric, unsigned i, const char *value)
{
    const ocspx_cert_t *cert = ocspx_registry_get(registry, i)->cert;

    return apr_psprintf(pool, "%s{certificate=\"%s\",fingerprint=\"%.16s\"} %s",
                        metric, cert->name, cert->id, value);
}

static void assert_cert(const char *text, const char *metric, unsigned i,
                        const char *value)
{
    assert_has(text, of_cert(metric, i, value));
}

static void assert_cert_lacks(const char *text, const char *metric, unsigned i)
{
    const char *line = of_cert(metric, i, "");

    ck_assert_msg(strstr(text, line) == NULL, "%s in:\n%.3000s", line, text);
}

/* A newer response, for five minutes; valid for @a left. */
static void hold(unsigned i, apr_interval_time_t left)
{
    ocspx_cache_state_t state;

    ocspx_cache_state_get(&state, cache, i);
    state.held.until = NOW + SECONDS(300);
    state.held.expiry = NOW + left;
    ocspx_cache_state_set(cache, i, &state);
}

/* --- values ---------------------------------------------------------- */

START_TEST(values_of_a_stapled_certificate)
{
    const char *text;

    add_cert("a.test", URL);
    open_model();
    make_stapled(0, HOURS(48));
    text = print();
    assert_cert_lacks(text, "ocspx_response_held_until_timestamp_seconds", 0);
    hold(0, HOURS(49));
    text = print();
    assert_cert(text, "ocspx_response_held_until_timestamp_seconds", 0,
                "2000000300");
    assert_cert(text, "ocspx_staple_expiry_timestamp_seconds", 0, "2000176400");
    make_stapled(0, HOURS(48));
    text = print();
    assert_cert(text, "ocspx_certificate_stapled", 0, "1");
    assert_cert(text, "ocspx_certificate_must_staple", 0, "0");
    assert_cert(text, "ocspx_staple_expiry_timestamp_seconds", 0, "2000172800");
    assert_cert(text, "ocspx_response_this_update_timestamp_seconds", 0,
                "1999827200");
    assert_cert(text, "ocspx_next_refresh_timestamp_seconds", 0, "2000086400");
    assert_cert(text, "ocspx_certificate_start_timestamp_seconds", 0,
                "1999640000");
    assert_cert(text, "ocspx_certificate_expiry_timestamp_seconds", 0,
                "2003600000");
    assert_cert(text, "ocspx_consecutive_failures", 0, "0");
    assert_cert_lacks(text, "ocspx_failing_since_timestamp_seconds", 0);
}
END_TEST

START_TEST(values_of_a_failing_certificate)
{
    const char *text;

    add_spec(&(pki_spec_t){.cn = "a.test",
                           .names = "DNS:a.test",
                           .ocsp_urls = URL,
                           .must_staple = 1});
    add_cert("b.test", URL);
    open_model();
    make_failing(0, 0, OCSPX_CAUSE_DNS, "no such host");
    make_failing(1, HOURS(5), OCSPX_CAUSE_DNS, "no such host");
    text = print();
    assert_cert(text, "ocspx_certificate_stapled", 0, "0");
    assert_cert(text, "ocspx_certificate_must_staple", 0, "1");
    assert_cert(text, "ocspx_failing_since_timestamp_seconds", 0, "1999992800");
    assert_cert(text, "ocspx_consecutive_failures", 0, "7");
    assert_cert_lacks(text, "ocspx_staple_expiry_timestamp_seconds", 0);
    assert_cert_lacks(text, "ocspx_response_this_update_timestamp_seconds", 0);
    assert_cert(text, "ocspx_certificate_stapled", 1, "1");
    assert_cert(text, "ocspx_staple_expiry_timestamp_seconds", 1, "2000018000");
}
END_TEST

START_TEST(what_need_not_be_stapled_is_not_said_to_lack_it)
{
    const char *text;

    add_other("other.test", OCSPX_REPORT_OTHER_PROVIDER, "mod_md staples it");
    add_other("none.test", OCSPX_REPORT_NOT_APPLICABLE, "it names nobody");
    policy.withhold_revoked = 1;
    add_cert("withheld.test", URL);
    open_model();
    make_revoked(0, HOURS(48));
    text = print();
    ck_assert_int_eq(count(text, "\nocspx_certificate_stapled"), 0);
    ck_assert_int_eq(count(text, "\nocspx_certificate_must_staple{"), 2);
    ck_assert_int_eq(count(text, "\nocspx_consecutive_failures{"), 1);
    ck_assert_int_eq(count(text, "\nocspx_certificate_expiry_"), 3);
    ck_assert_ptr_null(strstr(
        text, "ocspx_certificate_must_staple{certificate=\"other.test\""));
    assert_has(text, "ocspx_certificates{state=\"withheld\"} 1");
    assert_has(text, "ocspx_certificates{state=\"other-provider\"} 1");
    assert_has(text, "ocspx_certificates{state=\"not-applicable\"} 1");
}
END_TEST

START_TEST(totals)
{
    const ocspx_report_t *made;
    unsigned char *der;
    const char *text;

    add_cert("a.test", URL);
    add_cert("b.test", "http://other.test/");
    open_model();
    make_stapled(0, HOURS(48));
    make_stapled(1, HOURS(24));
    OPENSSL_free((ocspx_cache_staple(&der, cache, 0, NOW), der));
    ocspx_cache_staple(&der, cache, 0, NOW + HOURS(50));
    add_finding(OCSPX_CAUSE_ERROR, "one");
    add_finding(OCSPX_CAUSE_WARNING, "two");
    add_finding(OCSPX_CAUSE_WARNING, "three");
    ocspx_ledger_turn(ledger, NOW - SECONDS(3));
    text = print();
    assert_has(text, "ocspx_build_info{version=\"0.1.0\"} 1");
    assert_has(text, "ocspx_certificates{state=\"stapled\"} 2");
    assert_has(text, "ocspx_certificates{state=\"failing\"} 0");
    assert_has(text,
               "ocspx_earliest_staple_expiry_timestamp_seconds 2000086400");
    assert_has(text, "ocspx_handshakes_total{result=\"stapled\"} 1");
    assert_has(text, "ocspx_handshakes_total{result=\"empty\"} 0");
    assert_has(text, "ocspx_handshakes_total{result=\"expired\"} 1");
    assert_has(text, "ocspx_chain_findings{severity=\"error\"} 1");
    assert_has(text, "ocspx_chain_findings{severity=\"warning\"} 2");
    assert_has(text, "ocspx_chain_findings{severity=\"info\"} 0");
    assert_has(text, "ocspx_egress_blocked 0");
    assert_has(text, "ocspx_refresher_last_turn_timestamp_seconds 1999999997");
    made = make_report(&(ocspx_report_query_t){0});
    ck_assert_int_lt(made->totals.cache_used, made->totals.cache_bytes);
    ck_assert_int_gt(made->totals.cache_used, 0);
    assert_has(text, apr_psprintf(pool, "ocspx_cache_bytes %" APR_INT64_T_FMT,
                                  made->totals.cache_bytes));
    assert_has(text,
               apr_psprintf(pool, "ocspx_cache_used_bytes %" APR_INT64_T_FMT,
                            made->totals.cache_used));
}
END_TEST

START_TEST(the_shared_store)
{
    const char *text;

    add_cert("a", URL);
    open_model();
    ck_assert_ptr_null(strstr(print(), "\nocspx_share_"));
    share_something();
    text = print();
    assert_has(text, "ocspx_share_up 1");
    assert_has(text, "ocspx_share_lookups_total{result=\"hit\"} 1");
    assert_has(text, "ocspx_share_lookups_total{result=\"miss\"} 2");
    assert_has(text, "ocspx_share_lookups_total{result=\"bad\"} 1");
    assert_has(text, "ocspx_share_puts_total 3");
    ocspx_ledger_share_down(ledger, NOW - SECONDS(60));
    assert_has(print(), "ocspx_share_up 0");
}
END_TEST

START_TEST(nothing_to_staple)
{
    const char *text = print();

    assert_has(text, "ocspx_certificates{state=\"stapled\"} 0");
    assert_has(text, "ocspx_cache_bytes 0");
    ck_assert_int_eq(count(text, "\nocspx_earliest_staple_expiry_"), 0);
    ck_assert_int_eq(count(text, "\nocspx_refresher_last_turn_"), 0);
    ck_assert_int_eq(count(text, "\nocspx_responder_"), 0);
}
END_TEST

/* --- responders ------------------------------------------------------ */

static void attempt(unsigned cert, ocspx_cause_e cause,
                    apr_interval_time_t took)
{
    ocspx_ledger_note(ledger, cert, ocspx_registry_get(registry, cert)->host,
                      &(ocspx_ledger_attempt_t){NOW, took, cause, 200}, 1);
    ocspx_egress_note(ledger, ocspx_registry_get(registry, cert)->host, NOW);
    judge_egress(NOW);
}

START_TEST(attempts_by_responder)
{
    const char *text;

    add_cert("a.test", URL);
    add_cert("b.test", "http://[2001:db8::1]:8080/");
    open_model();
    attempt(0, OCSPX_CAUSE_NONE, 30000);
    attempt(0, OCSPX_CAUSE_REVOKED, 25000);
    attempt(0, OCSPX_CAUSE_RESP_HTTP, 20000000);
    attempt(1, OCSPX_CAUSE_CONNECT_TIMEOUT, 1000000);
    text = print();
#define REQUESTS "ocspx_responder_requests_total{responder="
    assert_has(text, REQUESTS "\"ocsp.test:80\",result=\"ok\"} 2");
    assert_has(text, REQUESTS "\"ocsp.test:80\",result=\"responder\"} 1");
    assert_has(text, REQUESTS "\"ocsp.test:80\",result=\"egress\"} 0");
    ck_assert_int_eq(count(text, "result=\"egress\"} 1\n"), 1);
#define BUCKET "ocspx_responder_duration_seconds_bucket{responder="
    assert_has(text, BUCKET "\"ocsp.test:80\",le=\"0.01\"} 0");
    assert_has(text, BUCKET "\"ocsp.test:80\",le=\"0.025\"} 1");
    assert_has(text, BUCKET "\"ocsp.test:80\",le=\"0.05\"} 2");
    assert_has(text, BUCKET "\"ocsp.test:80\",le=\"1.0\"} 2");
    assert_has(text, BUCKET "\"ocsp.test:80\",le=\"10.0\"} 2");
    assert_has(text, BUCKET "\"ocsp.test:80\",le=\"+Inf\"} 3");
    assert_has(text, "ocspx_responder_duration_seconds_count"
                     "{responder=\"ocsp.test:80\"} 3");
    assert_has(text, "ocspx_responder_duration_seconds_sum"
                     "{responder=\"ocsp.test:80\"} 20.055000");
}
END_TEST

START_TEST(blocked_egress)
{
    add_cert("a.test", URL);
    add_cert("b.test", "http://other.test/");
    open_model();
    attempt(0, OCSPX_CAUSE_CONNECT_TIMEOUT, 0);
    attempt(1, OCSPX_CAUSE_CONNECT_REFUSED, 0);
    assert_has(print(), "ocspx_egress_blocked 1");
}
END_TEST

/* --- bounds ---------------------------------------------------------- */

START_TEST(certificates_are_bounded_and_the_worst_come_first)
{
    const char *text;
    unsigned i;

    for (i = 0; i < OCSPX_METRICS_CERTIFICATES + 3; i++)
        add_cert(apr_psprintf(pool, "n%04u.test", i), URL);
    open_model();
    for (i = 0; i < OCSPX_METRICS_CERTIFICATES + 3; i++)
        make_stapled(i, HOURS(48));
    make_failing(i - 1, HOURS(24), OCSPX_CAUSE_DNS, "no such host");
    text = print();
    ck_assert_int_eq(count(text, "\nocspx_certificate_stapled{"),
                     OCSPX_METRICS_CERTIFICATES);
    assert_cert(text, "ocspx_consecutive_failures", i - 1, "7");
    assert_cert_lacks(text, "ocspx_certificate_stapled", i - 2);
    assert_has(text, "ocspx_certificates{state=\"stapled\"} 1002");
}
END_TEST

START_TEST(responders_are_bounded_and_none_is_lost)
{
    const char *text;
    unsigned i;

    for (i = 0; i < OCSPX_METRICS_RESPONDERS + 5; i++)
        add_cert("a.test", apr_psprintf(pool, "http://r%u.test/", i));
    open_model();
    for (i = 0; i < OCSPX_METRICS_RESPONDERS + 5; i++)
        attempt(i, OCSPX_CAUSE_NONE, 100000);
    text = print();
    ck_assert_int_eq(count(text, "result=\"ok\"}"),
                     OCSPX_METRICS_RESPONDERS + 1);
    assert_has(text, REQUESTS "\"r99.test:80\",result=\"ok\"} 1");
    assert_has(text, REQUESTS "\"other\",result=\"ok\"} 5");
    assert_has(text, BUCKET "\"other\",le=\"0.1\"} 5");
    assert_has(text, "ocspx_responder_duration_seconds_sum"
                     "{responder=\"other\"} 0.500000");
}
END_TEST

START_TEST(no_series_comes_twice)
{
    const char *text;

    add_cert("a.test", URL);
    open_model();
    make_failing(0, HOURS(24), OCSPX_CAUSE_DNS, "no such host");
    add_other("b.test", OCSPX_REPORT_NOT_APPLICABLE, "switched off there");
    APR_ARRAY_IDX(others, 0, ocspx_report_other_t).cert =
        ocspx_registry_get(registry, 0)->cert;
    text = print();
    ck_assert_int_eq(count(text, "\nocspx_certificate_expiry_"), 1);
    assert_cert(text, "ocspx_certificate_stapled", 0, "1");
}
END_TEST

/* --- form ------------------------------------------------------------ */

/** Enough of everything to see the form of every line. */
static void set_the_stage(void)
{
    add_cert("a.test", URL);
    add_cert("b.test", "http://x\"y\\z/");
    add_cert("c.test", "http://c.test/");
    rename_cert(1, "b\\\"c\"\n<d>\xff\xc3\xa4\x7f\r.test");
    open_model();
    make_stapled(0, HOURS(48));
    make_failing(1, HOURS(24), OCSPX_CAUSE_DNS, "no such host");
    make_failing(2, 0, OCSPX_CAUSE_DNS, "no such host");
    attempt(0, OCSPX_CAUSE_NONE, 30000);
    attempt(2, OCSPX_CAUSE_DNS, 30000);
    ocspx_ledger_turn(ledger, NOW);
}

START_TEST(labels_are_escaped)
{
    const char *text;

    set_the_stage();
    text = print();
    ck_assert_int_eq(
        count(text, "\nocspx_certificate_stapled{certificate=\"b\\\\\\\"c\\\""
                    "\\n<d>\\\\xff\\\\xc3\\\\xa4\\\\x7f\\\\x0d.test\","
                    "fingerprint=\""),
        1);
    for (; *text; text++)
        ck_assert(*text == '\n' || (*text >= ' ' && *text <= '~'));
}
END_TEST

static int starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

START_TEST(families_are_described_and_whole)
{
    const char *metric = "", *type = "";
    char *text, *line, *last;
    int families = 0;

    set_the_stage();
    text = apr_pstrdup(pool, print());
    ck_assert_ptr_nonnull(strstr(text, "\n# EOF\n"));
    ck_assert_str_eq(strstr(text, "\n# EOF\n"), "\n# EOF\n");
    for (line = apr_strtok(text, "\n", &last); line != NULL;
         line = apr_strtok(NULL, "\n", &last)) {
        if (starts(line, "# HELP ")) {
            metric = apr_pstrndup(pool, line + 7, strcspn(line + 7, " "));
            ck_assert_int_eq(line[strlen(line) - 1], '.');
            type = "";
            families++;
        } else if (starts(line, "# TYPE ")) {
            ck_assert(starts(line + 7, metric));
            type = line + 7 + strlen(metric) + 1;
        } else if (starts(line, "# UNIT ")) {
            ck_assert(starts(line + 7, metric));
            ck_assert_str_eq(metric + strlen(metric) -
                                 strlen(line + 7 + strlen(metric) + 1),
                             line + 7 + strlen(metric) + 1);
        } else if (strcmp(line, "# EOF")) {
            ck_assert_msg(starts(line, metric), "%s within %s", line, metric);
            ck_assert_int_eq(*type == '\0', strstr(metric, "_total") != NULL);
        }
    }
    ck_assert_int_eq(families, 24);
    ck_assert_int_eq(count(print(), "# UNIT "), 12);
}
END_TEST

START_TEST(plain_text_has_its_own_form)
{
    const char *text;

    set_the_stage();
    text = print_as(OCSPX_METRICS_PROMETHEUS);
    assert_has(text, "# TYPE ocspx_handshakes_total counter");
    ck_assert_ptr_nonnull(strstr(text, "# HELP ocspx_handshakes_total Hand"));
    ck_assert_ptr_null(strstr(text, "# UNIT"));
    ck_assert_ptr_null(strstr(text, "# EOF"));
    ck_assert_ptr_nonnull(
        strstr(ocspx_metrics_type(OCSPX_METRICS_PROMETHEUS), "version=0.0.4"));
    ck_assert_ptr_nonnull(
        strstr(ocspx_metrics_type(OCSPX_METRICS_OPENMETRICS),
               "application/openmetrics-text; version=1.0.0"));
}
END_TEST

START_TEST(prometheus_finds_nothing)
{
    const char *argv[] = {"promtool", "check", "metrics", NULL};
    procs_result_t result;

    ck_assert_msg(tools_have("promtool"),
                  "promtool is missing; build/packages installs it");
    set_the_stage();
    procs_run(&result, argv, print_as((ocspx_metrics_format_e)_i), PROMTOOL_MS,
              pool);
    ck_assert_msg(result.status == 0 && !*result.output, "%d: %s",
                  result.status, result.output);
}
END_TEST

/* Its checker knows the plain text; its importer reads OpenMetrics, but wants
 * to be told the time of each sample. */
START_TEST(prometheus_reads_openmetrics)
{
    const char *argv[] = {"promtool",    "tsdb", "create-blocks-from",
                          "openmetrics", "-q",   "in",
                          "out",         NULL};
    model_text_t timed = {0};
    procs_result_t result;
    char *line, *last;

    ck_assert_msg(tools_have("promtool"),
                  "promtool is missing; build/packages installs it");
    ck_assert_int_eq(chdir(procs_temp_dir(pool)), 0);
    set_the_stage();
    line = apr_strtok(apr_pstrdup(pool, print()), "\n", &last);
    for (; line != NULL; line = apr_strtok(NULL, "\n", &last)) {
        const char *end = *line == '#' ? "\n" : " 2000000000\n";

        take_piece(&timed, line, strlen(line));
        take_piece(&timed, end, strlen(end));
    }
    pki_write_file("in", timed.text, timed.len);
    procs_run(&result, argv, NULL, PROMTOOL_MS, pool);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_msg(result.status == 0, "%s\n%s", result.output, timed.text);
}
END_TEST

static TCase *make_case(const char *name)
{
    TCase *tc = tcase_create(name);

    tcase_add_checked_fixture(tc, set_model_up, tear_model_down);
    tcase_set_timeout(tc, 120);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("metrics");
    TCase *values = make_case("values"), *form = make_case("form");

    tcase_add_test(values, values_of_a_stapled_certificate);
    tcase_add_test(values, values_of_a_failing_certificate);
    tcase_add_test(values, what_need_not_be_stapled_is_not_said_to_lack_it);
    tcase_add_test(values, totals);
    tcase_add_test(values, the_shared_store);
    tcase_add_test(values, nothing_to_staple);
    tcase_add_test(values, attempts_by_responder);
    tcase_add_test(values, blocked_egress);
    tcase_add_test(values, certificates_are_bounded_and_the_worst_come_first);
    tcase_add_test(values, responders_are_bounded_and_none_is_lost);
    tcase_add_test(values, no_series_comes_twice);
    suite_add_tcase(suite, values);
    tcase_add_test(form, labels_are_escaped);
    tcase_add_test(form, families_are_described_and_whole);
    tcase_add_test(form, plain_text_has_its_own_form);
    tcase_add_loop_test(form, prometheus_finds_nothing,
                        OCSPX_METRICS_OPENMETRICS,
                        OCSPX_METRICS_PROMETHEUS + 1);
    tcase_add_test(form, prometheus_reads_openmetrics);
    suite_add_tcase(suite, form);
    return ocspx_check_main(suite);
}
