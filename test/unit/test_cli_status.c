/* test_cli_status: `ocspx status' and reports of every kind, as files. */
#include "status_scene.h"

static void assert_level(int status, const char *level, const char *words)
{
    const char *line;

    write_report();
    line = line_no(status_of(status, ""), 0);
    assert_says(line, apr_pstrcat(pool, "OCSPX ", level, " - ", NULL));
    assert_says(line, words);
}

/* --- how bad it is --------------------------------------------------- */

START_TEST(all_is_well)
{
    add_certs(2);
    make_stapled(0, HOURS(96));
    make_stapled(1, HOURS(48));
    write_report();
    ck_assert_str_eq(
        line_no(status_of(0, ""), 0),
        "OCSPX OK - 2 certificates, 2 stapled, earliest safe until "
        "2033-05-20T03:33:20Z (in 2 d) | certificates=2 stapled=2 failing=0 "
        "revoked=0 withheld=0 waiting=0 not_stapled=0 chain_errors=0 "
        "chain_warnings=0 safe_for=172800s handshakes_stapled=0c "
        "handshakes_empty=0c handshakes_expired=0c");
}
END_TEST

START_TEST(nothing_to_staple_is_well)
{
    add_other("none.test", OCSPX_REPORT_NOT_APPLICABLE, "it names nobody");
    add_other("md.test", OCSPX_REPORT_OTHER_PROVIDER, "mod_md staples it");
    assert_level(0, "OK",
                 "2 certificates, 0 stapled, 1 other-provider, 1 "
                 "not-applicable |");
}
END_TEST

START_TEST(failing_but_safe_is_a_warning)
{
    add_certs(2);
    make_stapled(0, HOURS(96));
    make_failing(1, HOURS(25), OCSPX_CAUSE_DNS, "no such host");
    assert_level(1, "WARNING",
                 "2 certificates, 1 stapled, 1 failing, earliest");
}
END_TEST

START_TEST(failing_and_ending_is_critical)
{
    add_certs(1);
    make_failing(0, HOURS(23), OCSPX_CAUSE_DNS, "no such host");
    assert_level(2, "CRITICAL", "1 failing, earliest");
}
END_TEST

START_TEST(failing_and_ended_is_critical)
{
    add_certs(1);
    make_failing(0, 0, OCSPX_CAUSE_DNS, "no such host");
    assert_level(2, "CRITICAL", "1 failing, 1 not stapled |");
}
END_TEST

START_TEST(waiting_is_critical)
{
    add_certs(1);
    assert_level(2, "CRITICAL", "0 stapled, 1 waiting, 1 not stapled |");
}
END_TEST

START_TEST(revoked_is_critical)
{
    add_certs(1);
    make_revoked(0, HOURS(96));
    assert_level(2, "CRITICAL", "1 revoked, earliest");
}
END_TEST

START_TEST(withheld_is_critical)
{
    policy.withhold_revoked = 1;
    add_certs(1);
    make_revoked(0, HOURS(96));
    assert_level(2, "CRITICAL", "1 withheld |");
}
END_TEST

/* Renewed at half of its validity, or else in its last quarter. */
static void set_validity(int hours, int left)
{
    set_state(0,
              &(ocspx_cache_state_t){.this_update = NOW - HOURS(hours - left),
                                     .expiry = NOW + HOURS(left),
                                     .due = NOW + HOURS(1)});
}

START_TEST(short_validity_is_no_alarm)
{
    add_certs(1);
    set_validity(8, 3);
    assert_level(0, "OK", "1 stapled");
}
END_TEST

START_TEST(end_of_short_validity_is_critical)
{
    add_certs(1);
    set_validity(8, 1);
    assert_level(2, "CRITICAL", "1 stapled");
}
END_TEST

START_TEST(a_day_left_is_enough)
{
    add_certs(1);
    set_validity(1000, 25);
    assert_level(0, "OK", "1 stapled");
}
END_TEST

START_TEST(must_staple_without_responder_is_critical)
{
    add_other("none.test", OCSPX_REPORT_NOT_APPLICABLE, "it names nobody");
    APR_ARRAY_IDX(others, 0, ocspx_report_other_t).cert =
        make_cert((pki_spec_t){.cn = "must", .must_staple = 1});
    assert_level(2, "CRITICAL", "1 not-applicable");
}
END_TEST

START_TEST(chain_warning_is_a_warning)
{
    add_finding(OCSPX_CAUSE_INFO, "there is a root");
    assert_level(0, "OK", "0 certificates, 0 stapled |");
    add_finding(OCSPX_CAUSE_WARNING, "the order is wrong");
    assert_level(1, "WARNING", "0 stapled, 1 chain warning |");
}
END_TEST

START_TEST(chain_error_is_critical)
{
    add_finding(OCSPX_CAUSE_ERROR, "it lacks an intermediate");
    assert_level(2, "CRITICAL", "0 stapled, 1 chain error |");
}
END_TEST

START_TEST(stalled_refresher_is_a_warning)
{
    add_certs(1);
    make_stapled(0, HOURS(96));
    ocspx_ledger_turn(ledger, NOW - SECONDS(299));
    assert_level(0, "OK", "1 stapled, earliest");
    ocspx_ledger_turn(ledger, NOW - SECONDS(301));
    assert_level(1, "WARNING", "1 stapled, refresher stalled, earliest");
}
END_TEST

START_TEST(blocked_egress_is_critical)
{
    const char *output;

    add_cert("a.test", URL);
    add_cert("b.test", "http://other.test/");
    open_model();
    ocspx_ledger_turn(ledger, NOW);
    for (unsigned i = 0; i < 2; i++) {
        make_failing(i, HOURS(96), OCSPX_CAUSE_DNS, "no such host");
        ocspx_ledger_note(
            ledger, i, ocspx_registry_get(registry, i)->host,
            &(ocspx_ledger_attempt_t){.time = NOW, .cause = OCSPX_CAUSE_DNS},
            1);
        ocspx_egress_note(ledger, ocspx_registry_get(registry, i)->host, NOW);
        judge_egress(NOW);
    }
    assert_level(2, "CRITICAL", "no way out");
    output = status_of(2, "");
    assert_says(output, "\nEGRESS_BLOCKED\n");
    assert_says(output, "other.test:80 (DNS)");
    assert_says(output, "OCSPXResponseFile");
}
END_TEST

/* --- the table ------------------------------------------------------- */

static const char *at_width(const char *columns)
{
    setenv("COLUMNS", columns, 1);
    return status_of(2, "");
}

/** All but the first line, which is for Nagios. */
static void assert_fits(const char *output, int width)
{
    for (output = strchr(output, '\n') + 1; *output;
         output += strcspn(output, "\n") + 1) {
        int len = (int)strcspn(output, "\n");

        ck_assert_msg(len <= width, "%d: %.*s", len, len, output);
        ck_assert(len == 0 || output[len - 1] != ' ');
    }
}

START_TEST(table_fits_the_width)
{
    set_the_table();
    assert_fits(at_width("40"), 40);
    assert_fits(at_width("60"), 60);
    assert_fits(at_width("80"), 80);
    assert_fits(at_width("200"), 200);
    ck_assert_str_eq(line_no(at_width("40"), 2), "STATE           CERTIFICATE");
    ck_assert_str_eq(line_no(at_width("60"), 2),
                     "STATE           CERTIFICATE                      SAFE "
                     "UNTIL");
    assert_says(line_no(at_width("80"), 2), "NEXT TRY");
    ck_assert_ptr_null(strstr(line_no(at_width("80"), 2), "VIRTUAL"));
    assert_says(line_no(at_width("250"), 2),
                "CAUSE            RESPONDER          STAPLED  EXPIRES       "
                "VIRTUAL HOST");
    unsetenv("COLUMNS");
    ck_assert_str_eq(status_of(2, ""), at_width("80"));
    ck_assert_str_eq(at_width("80"), at_width("60x"));
    ck_assert_str_eq(at_width("40"), at_width("1"));
}
END_TEST

/** As it has to be at 80 columns, from the start of a line to its end. */
static const char *row(const char *state, const char *name, const char *safe,
                       const char *next)
{
    return apr_psprintf(pool, "\n%-14s  %-39s  %-11s  %s\n", state, name, safe,
                        next);
}

START_TEST(rows_say_what_is_wrong)
{
    const char *output;

    set_the_table();
    output = at_width("80");
    assert_says(output, row("STATE", "CERTIFICATE", "SAFE UNTIL", "NEXT TRY"));
    assert_says(output,
                apr_pstrcat(pool, row("failing", "n2.test", "-", "in 1 min"),
                            "    RESP_HTTP: " URL ": status 503\n"
                            "    failing for 2 h, 7 attempts\n"
                            "    See the message: ",
                            NULL));
    assert_says(
        output,
        apr_pstrcat(pool, row("failing", "n1.test", "in 3 h", "in 1 min"),
                    "    CONNECT_TIMEOUT:\n    http://ocsp.test/a", NULL));
    assert_says(output,
                apr_pstrcat(pool,
                            row("revoked", "n3.test", "in 20 h", "in 10 h"),
                            "    REVOKED: revoked yesterday\n"
                            "    Have a new certificate",
                            NULL));
    assert_says(output,
                row("stapled", "a-name-that-goes-on-and-on-and-on.an...",
                    "in 2 d 12 h", "in 1 d 6 h"));
    assert_says(output,
                apr_pstrcat(pool,
                            row("not-applicable", "CN=none.test", "-", "-"),
                            "\nerror: CHAIN_MISSING a.test:443 (ssl.conf:1)\n"
                            "    the chain lacks CN=Intermediate\n"
                            "    Send it.\n",
                            NULL));
    assert_says(at_width("300"), "\nstapled         a-name-that-goes-on-and-on-"
                                 "and-on.and-on.and-on.and-on.and-on.and-on."
                                 "test  in 2 d 12 h  in 1 d 6 h  -");
}
END_TEST

START_TEST(rows_can_be_chosen)
{
    const char *output;

    set_the_table();
    output = status_of(2, "--state failing");
    assert_says(output,
                "OCSPX CRITICAL - 5 certificates, 1 stapled, 2 failing");
    assert_says(output, "n1.test");
    assert_says(output, "n2.test");
    ck_assert_ptr_null(strstr(output, "n3.test"));
    output = status_of(2, "--search N3.TEST");
    assert_says(output, "n3.test");
    ck_assert_ptr_null(strstr(output, "n1.test"));
    assert_says(status_of(2, "--search ssl.conf:2"), "n2.test");
    assert_says(status_of(2, "--search and-on"), "a-name-that-goes-on");
    assert_says(status_of(2, "--search nothing"),
                "No certificate is like that");
    ck_assert_ptr_null(
        strstr(status_of(2, "--search ssl.conf:2 --state stapled"), "n2.test"));
}
END_TEST

/** As from a URL that asks for one state. */
static const char *status_without_rows(int status)
{
    write_text(report_as_json(
        make_report(&(ocspx_report_query_t){.state = "other-provider"})));
    return status_of(status, "");
}

START_TEST(rows_that_are_elsewhere_count)
{
    policy.withhold_revoked = 1;
    add_certs(1);
    assert_says(status_without_rows(2), "1 certificate not told here.");
    make_stapled(0, HOURS(60));
    status_without_rows(0);
    make_failing(0, HOURS(60), OCSPX_CAUSE_DNS, "no such host");
    status_without_rows(1);
    make_revoked(0, HOURS(60));
    assert_says(status_without_rows(2), "1 withheld");
    policy.withhold_revoked = 0;
    make_revoked(0, HOURS(60));
    assert_says(status_without_rows(2), "1 revoked");
}
END_TEST

/* --- colours --------------------------------------------------------- */

/** On a terminal. */
static const char *on_tty(const char *environment)
{
    return run_shell(
        0, apr_pstrcat(pool, "env TERM=xterm ", environment,
                       " script -qc \"$OCSPX status report\" /dev/null; true",
                       NULL));
}

START_TEST(colours_are_for_terminals)
{
    set_the_table();
    assert_says(on_tty(""), "\033[31mOCSPX CRITICAL");
    assert_says(on_tty(""), "\033[31mrevoked\033[0m");
    assert_says(on_tty(""), "\033[32mstapled\033[0m");
    assert_says(on_tty(""), "\033[1mCERTIFICATE\033[0m");
    assert_says(on_tty("NO_COLOR="), "\033[31m");
    ck_assert_ptr_null(strchr(on_tty("NO_COLOR=1"), '\033'));
    ck_assert_ptr_null(strchr(on_tty("TERM=dumb"), '\033'));
    ck_assert_ptr_null(strchr(status_of(2, ""), '\033'));
}
END_TEST

START_TEST(width_of_a_terminal)
{
    set_the_table();
    run_shell(0, "script -qc 'stty cols 200; $OCSPX status report >/dev/tty' "
                 "/dev/null >wide; grep -q 'VIRTUAL HOST' wide");
    run_shell(1, "script -qc 'stty cols 60; $OCSPX status report >/dev/tty' "
                 "/dev/null >narrow; grep -q 'NEXT TRY' narrow");
}
END_TEST

/* --- one certificate ------------------------------------------------- */

START_TEST(one_certificate_in_full)
{
    const char *fingerprint, *output;

    set_the_table();
    ocspx_ledger_note(ledger, 1, 0,
                      &(ocspx_ledger_attempt_t){NOW - SECONDS(60), 3000000,
                                                OCSPX_CAUSE_CONNECT_TIMEOUT, 0},
                      1);
    ocspx_ledger_note(ledger, 1, 0,
                      &(ocspx_ledger_attempt_t){NOW - SECONDS(600), 34000,
                                                OCSPX_CAUSE_NONE, 200},
                      1);
    fingerprint = ocspx_registry_get(registry, 1)->cert->id;
    write_text(report_as_json(
        make_report(&(ocspx_report_query_t){.cert = fingerprint})));
    output = status_of(2, apr_pstrcat(pool, "--cert ", fingerprint, NULL));
    ck_assert_str_eq(
        line_no(output, 0),
        "OCSPX CRITICAL - n1.test failing, safe until 2033-05-18T06:33:20Z (in "
        "3 h), CONNECT_TIMEOUT | safe_for=10800s failed_tries=7 "
        "handshakes_stapled=0c handshakes_empty=0c handshakes_expired=0c");
    for (int i = 0; ocspx_report_row_fields[i].key; i++)
        assert_says(output,
                    apr_pstrcat(pool, "\n", ocspx_report_row_fields[i].label,
                                " ", NULL));
    assert_says(output,
                "\nSafe until            2033-05-18T06:33:20Z (in 3 h)");
    assert_says(output, "\nFailed tries          7\n");
    assert_says(output, "\nMust-staple           no\n");
    assert_says(output, "\nAddress               -\n");
    assert_says(output, "\nNames                 n1.test\n");
    assert_says(output, "\nLast attempts\n"
                        "    10 min ago     34 ms    HTTP 200  ok\n"
                        "    1 min ago      3.0 s    no answer "
                        "CONNECT_TIMEOUT: No connection");
    assert_fits(output, 80);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_status");
    TCase *levels = make_case("levels"), *print = make_case("print");

    tcase_add_test(levels, all_is_well);
    tcase_add_test(levels, nothing_to_staple_is_well);
    tcase_add_test(levels, failing_but_safe_is_a_warning);
    tcase_add_test(levels, failing_and_ending_is_critical);
    tcase_add_test(levels, failing_and_ended_is_critical);
    tcase_add_test(levels, waiting_is_critical);
    tcase_add_test(levels, revoked_is_critical);
    tcase_add_test(levels, withheld_is_critical);
    tcase_add_test(levels, short_validity_is_no_alarm);
    tcase_add_test(levels, end_of_short_validity_is_critical);
    tcase_add_test(levels, a_day_left_is_enough);
    tcase_add_test(levels, must_staple_without_responder_is_critical);
    tcase_add_test(levels, chain_warning_is_a_warning);
    tcase_add_test(levels, chain_error_is_critical);
    tcase_add_test(levels, stalled_refresher_is_a_warning);
    tcase_add_test(levels, blocked_egress_is_critical);
    suite_add_tcase(suite, levels);
    tcase_add_test(print, table_fits_the_width);
    tcase_add_test(print, rows_say_what_is_wrong);
    tcase_add_test(print, rows_can_be_chosen);
    tcase_add_test(print, rows_that_are_elsewhere_count);
    tcase_add_test(print, colours_are_for_terminals);
    tcase_add_test(print, width_of_a_terminal);
    tcase_add_test(print, one_certificate_in_full);
    suite_add_tcase(suite, print);
    return ocspx_check_main(suite);
}
