/* test_cli: `ocspx' itself and `ocspx verify', run as a person does. */
#include "cli_scene.h"

#include <openssl/pem.h>

/* The response of the scene is about this hour. */
#define BEGIN apr_time_from_sec(1769860800) /* 2026-01-31T12:00:00Z */
#define HOUR apr_time_from_sec(3600)

#define VERIFY "verify --cert leaf.pem --issuer issuer.pem --response r.der "
#define AT "--at 2026-01-31T12:30:00Z "

static pki_t *leaf;
static pki_single_t single;
static pki_response_t response;

/** Write r.der as the two variables above describe it. */
static void write_response(void)
{
    apr_size_t len;
    const unsigned char *der = pki_response(&len, &response, pool);

    pki_write_file("r.der", der, len);
}

static void set_up(void)
{
    set_the_scene();
    leaf = pki_make(&(pki_spec_t){.cn = "a.test", .names = "DNS:a.test"},
                    issuer, pool);
    pki_write_certs("leaf.pem", leaf->cert, NULL);
    single = (pki_single_t){.cert = leaf->cert,
                            .issuer = issuer->cert,
                            .this_update = BEGIN,
                            .next_update = BEGIN + HOUR};
    response = (pki_response_t){.singles = &single,
                                .count = 1,
                                .signer = issuer,
                                .produced_at = BEGIN - apr_time_from_sec(5)};
    write_response();
}

static void write_der(const char *path, X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);

    pki_write_file(path, der, (apr_size_t)len);
    OPENSSL_free(der);
}

/* --- the program ----------------------------------------------------- */

START_TEST(help_goes_to_standard_output)
{
    assert_says(run_shell(0, "$OCSPX --help 2>/dev/null"), "Usage: ocspx ");
    assert_says(run_shell(0, "$OCSPX -h 2>/dev/null"), "Usage: ocspx ");
    assert_says(run_shell(0, "$OCSPX verify --help 2>/dev/null"),
                "Usage: ocspx verify --cert FILE --issuer FILE --response");
    assert_says(run_shell(0, "$OCSPX fetch --help 2>/dev/null"),
                "Usage: ocspx fetch --cert FILE");
    assert_says(run(0, "--version"), "ocspx ");
}
END_TEST

static const struct {
    const char *arguments, *says;
} misused[] = {
    {"", "Usage: ocspx COMMAND"},
    {"staple", "ocspx: 'staple' is not a command"},
    {"verify", "needs --cert, --issuer and --response"},
    {"verify --cert leaf.pem --response r.der", "needs --cert, --issuer"},
    {VERIFY "--frobnicate", "ocspx: unrecognized option '--frobnicate'"},
    {VERIFY "-x", "ocspx: invalid option"},
    {VERIFY "--at", "ocspx: option '--at' requires an argument"},
    {VERIFY "more", "and nothing else"},
    {"fetch", "fetch needs --cert"},
    {"fetch --cert leaf.pem more", "and nothing else"},
    {"fetch --cert leaf.pem --frobnicate", "unrecognized option"},
};

START_TEST(wrong_usage_is_told)
{
    const char *output = run(2, misused[_i].arguments);

    assert_says(output, misused[_i].says);
    ck_assert_str_eq(
        run_shell(2, apr_pstrcat(pool, "$OCSPX ", misused[_i].arguments,
                                 " 2>/dev/null", NULL)),
        "");
}
END_TEST

START_TEST(output_that_is_lost_is_no_success)
{
    assert_says(run_shell(2, "$OCSPX " VERIFY AT ">/dev/full"),
                "standard output cannot be written");
}
END_TEST

/* --- what verify says ------------------------------------------------ */

START_TEST(good_is_told_in_full)
{
    json_t *json = run_json(0, VERIFY AT);

    ck_assert_str_eq(text_of(json, "verdict"), "good");
    ck_assert_str_eq(text_of(json, "cause"), "NONE");
    assert_says(text_of(json, "message"), "good until 2026-01-31T13:00:00Z");
    ck_assert_str_eq(text_of(json, "remedy"), "");
    ck_assert_str_eq(text_of(json, "status"), "good");
    ck_assert_str_eq(text_of(json, "thisUpdate"), "2026-01-31T12:00:00Z");
    ck_assert_str_eq(text_of(json, "nextUpdate"), "2026-01-31T13:00:00Z");
    ck_assert_str_eq(text_of(json, "producedAt"), "2026-01-31T11:59:55Z");
    ck_assert_str_eq(text_of(json, "signer"), "CN=Issuer");
    ck_assert_uint_eq(json_object_size(json), 9);
    json_decref(json);
}
END_TEST

START_TEST(what_is_not_known_is_null)
{
    json_t *json;

    single.next_update = 0;
    write_response();
    json = run_json(0, VERIFY AT);
    ck_assert(json_is_null(json_object_get(json, "nextUpdate")));
    json_decref(json);
    pki_write_file("r.der", "junk", 4);
    json = run_json(1, VERIFY AT);
    ck_assert_str_eq(text_of(json, "verdict"), "reject");
    ck_assert_str_eq(text_of(json, "cause"), "RESP_NOT_OCSP");
    ck_assert(json_is_null(json_object_get(json, "status")));
    ck_assert(json_is_null(json_object_get(json, "thisUpdate")));
    ck_assert(json_is_null(json_object_get(json, "producedAt")));
    ck_assert(json_is_null(json_object_get(json, "signer")));
    json_decref(json);
}
END_TEST

START_TEST(without_json_it_is_said_in_words)
{
    const char *output = run(0, VERIFY AT);

    assert_says(output, "verdict     good\n");
    assert_says(output, "message     good until 2026-01-31T13:00:00Z\n");
    assert_says(output, "status      good\n");
    assert_says(output, "nextUpdate  2026-01-31T13:00:00Z\n");
    assert_says(output, "signer      CN=Issuer\n");
    ck_assert_ptr_null(strstr(output, "cause"));
    single.status = V_OCSP_CERTSTATUS_REVOKED;
    write_response();
    output = run(1, VERIFY AT);
    assert_says(output, "verdict     revoked\n");
    assert_says(output, "cause       REVOKED\n");
    assert_says(output, "remedy      Have a new certificate");
}
END_TEST

START_TEST(each_verdict_has_its_status)
{
    pki_spec_t no_eku = {.cn = "Nobody", .not_before = BEGIN - HOUR};
    apr_size_t len;
    const unsigned char *der;
    json_t *json;

    single.status = V_OCSP_CERTSTATUS_REVOKED;
    write_response();
    assert_verdict(VERIFY AT, "revoked", "REVOKED");
    single.status = V_OCSP_CERTSTATUS_UNKNOWN;
    write_response();
    assert_verdict(VERIFY AT, "unknown", "UNKNOWN");
    json = run_json(1, VERIFY AT);
    ck_assert_str_eq(text_of(json, "status"), "unknown");
    json_decref(json);
    single.status = V_OCSP_CERTSTATUS_GOOD;
    response.break_signature = 1;
    write_response();
    assert_verdict(VERIFY AT, "reject", "BAD_SIGNATURE");
    response.break_signature = 0;
    response.signer = pki_make(&no_eku, issuer, pool);
    response.with_signer_cert = 1;
    write_response();
    assert_verdict(VERIFY AT, "reject", "SIGNER_NO_EKU");
    response.signer = issuer;
    response.with_signer_cert = 0;
    single.cert = issuer->cert;
    write_response();
    assert_verdict(VERIFY AT, "reject", "WRONG_CERT");
    der = pki_response_error(&len, OCSP_RESPONSE_STATUS_TRYLATER, pool);
    pki_write_file("r.der", der, len);
    assert_verdict(VERIFY AT, "reject", "RESP_TRYLATER");
}
END_TEST

/* 64000 bytes are the limit, of which padding is all but a few hundred. */
START_TEST(response_too_large_to_be_sent_is_rejected)
{
    response.padding = 63000;
    write_response();
    assert_verdict(VERIFY AT, "good", "NONE");
    response.padding = 64000;
    write_response();
    assert_verdict(VERIFY AT, "reject", "RESP_TOO_LARGE");
}
END_TEST

/* --- times ----------------------------------------------------------- */

static const struct {
    const char *options, *cause; /* NONE: good */
} times[] = {
    {"--at 2026-01-31T12:30:00Z", "NONE"},
    {"--at 2026-01-31t12:30:00z", "NONE"},
    {"--at '2026-01-31 12:30:00Z'", "NONE"},
    {"--at 2026-01-31T12:30:00.25Z", "NONE"},
    {"--at 2026-01-31T13:30:00+01:00", "NONE"},
    {"--at 2026-01-31T07:30:00-05:00", "NONE"},
    {"--at 2026-02-01T01:15:00.999+12:45", "NONE"},
    {"--at 2026-01-31T12:59:59Z", "NONE"},
    {"--at 2026-01-31T12:59:60Z", "STALE"},
    {"--at 2026-01-31T13:00:00Z", "STALE"},
    {"--at 2026-01-31T12:30:00-01:00", "STALE"},
    {"--at 2028-02-29T12:00:00Z", "STALE"},
    {"", "STALE"}, /* now */
    {"--at 2026-01-31T11:55:00Z", "NONE"},
    {"--at 2026-01-31T11:54:59Z", "FUTURE"},
    {"--at 2026-01-31T12:30:00+01:00", "FUTURE"},
    {"--at 2026-01-31T11:55:00Z --skew 299", "FUTURE"},
    {"--at 2026-01-31T11:54:59Z --skew 301", "NONE"},
    {"--at 2026-01-31T11:59:59Z --skew 0", "FUTURE"},
    {"--at 2026-01-31T12:30:00Z --max-age 1800", "NONE"},
    {"--at 2026-01-31T12:30:01Z --max-age 1800", "STALE"},
    {"--at 2026-01-31T12:59:00Z --max-age 0", "NONE"},
};

START_TEST(judged_as_of_the_given_time)
{
    int good = strcmp(times[_i].cause, "NONE") == 0;

    assert_verdict(apr_pstrcat(pool, VERIFY, times[_i].options, NULL),
                   good ? "good" : "reject", times[_i].cause);
}
END_TEST

static const char *const not_times[] = {
    "now",
    "2026-01-31",
    "2026-01-31T12:30:00",
    "2026-01-31T12:30Z",
    "2026-02-29T12:30:00Z",
    "2026-04-31T12:30:00Z",
    "2026-00-10T12:30:00Z",
    "2026-13-10T12:30:00Z",
    "2026-01-00T12:30:00Z",
    "2026-01-31T24:00:00Z",
    "2026-01-31T12:60:00Z",
    "2026-01-31T12:30:61Z",
    "2026-01-31T12:30:00.Z",
    "2026-01-31T12:30:00Zulu",
    "2026-01-31T12:30:00+0100",
    "2026-01-31T12:30:00+1:00",
    "2026-01-31T12:30:00+24:00",
    "2026-01-31T12:30:00+01:60",
    "2026-01-31T12:30:00+01:000",
    "26-1-31T12:30:00Z",
    " 2026-01-31T12:30:00Z",
    "2026- 1-31T12:30:00Z",
    "1769862600",
};

START_TEST(what_is_no_time_is_refused)
{
    const char *output =
        run(2, apr_pstrcat(pool, VERIFY "--at '", not_times[_i], "'", NULL));

    assert_says(output, apr_pstrcat(pool, "ocspx: --at '", not_times[_i],
                                    "': must be a time as in RFC 3339", NULL));
}
END_TEST

START_TEST(what_is_no_number_of_seconds_is_refused)
{
    static const char *const junk[] = {"-1",  "1.5", "10s",       "+1",
                                       "0x1", "ten", "2147483648"};

    for (int i = 0; i < 7; i++) {
        assert_says(
            run(2, apr_pstrcat(pool, VERIFY "--skew ", junk[i], NULL)),
            apr_pstrcat(pool, "ocspx: --skew '", junk[i], "': must be", NULL));
        assert_says(
            run(2, apr_pstrcat(pool, VERIFY "--max-age ", junk[i], NULL)),
            apr_pstrcat(pool, "--max-age '", junk[i], "': must be", NULL));
    }
}
END_TEST

/* --- files ----------------------------------------------------------- */

START_TEST(certificates_are_taken_in_every_form)
{
    write_der("leaf.cer", leaf->cert);
    write_der("issuer.cer", issuer->cert);
    pki_write_certs("chain.pem", leaf->cert, issuer->cert, NULL);
    pki_write_key("key.pem", leaf);
    run_shell(0, "cat key.pem leaf.pem > both.pem");
    run(0, "verify --cert leaf.cer --issuer issuer.cer --response r.der " AT);
    run(0, "verify --cert both.pem --issuer chain.pem --response r.der " AT);
    run_shell(0, "$OCSPX verify --cert <(cat leaf.cer) --issuer <(cat "
                 "issuer.pem) --response <(cat r.der) " AT);
}
END_TEST

START_TEST(wrong_issuer_is_told)
{
    pki_t *other = pki_make(&(pki_spec_t){.cn = "Issuer", .ca = 1}, NULL, pool);

    pki_write_certs("other.pem", other->cert, NULL);
    assert_says(
        run(2, "verify --cert leaf.pem --issuer other.pem --response r.der"),
        "other.pem does not hold the issuer of the first certificate in "
        "leaf.pem");
    assert_says(
        run(2, "verify --cert issuer.pem --issuer leaf.pem --response r.der"),
        "leaf.pem does not hold the issuer");
}
END_TEST

static const struct {
    const char *name, *says;
} bad_certs[] = {
    {"missing", "missing cannot be read: No such file"},
    {"directory", "directory cannot be read: Is a directory"},
    {"empty", "empty holds no certificate"},
    {"junk", "junk holds no certificate"},
    {"damaged.pem", "damaged.pem has a damaged certificate (number 2)"},
    {"large", "large has more than 1048576 bytes"},
};

START_TEST(unreadable_file_is_told)
{
    const char *name = bad_certs[_i].name;

    run_shell(0, "mkdir directory; : > empty; echo junk > junk;"
                 "{ cat issuer.pem; sed 5d leaf.pem; } > damaged.pem;"
                 "head -c 1048577 /dev/zero > large");
    assert_says(run(2, apr_psprintf(pool,
                                    "verify --cert %s --issuer issuer.pem "
                                    "--response r.der",
                                    name)),
                bad_certs[_i].says);
    assert_says(run(2, apr_psprintf(pool,
                                    "verify --cert leaf.pem --issuer %s "
                                    "--response r.der",
                                    name)),
                bad_certs[_i].says);
}
END_TEST

START_TEST(unreadable_response_is_told)
{
    run_shell(0, "mkdir directory; : > empty; head -c 1048577 /dev/zero > "
                 "large; head -c 1048576 /dev/zero > full");
    assert_says(run(2, VERIFY "--response missing"),
                "missing cannot be read: No such file");
    assert_says(run(2, VERIFY "--response directory"),
                "directory cannot be read: Is a directory");
    assert_says(run(2, VERIFY "--response large"), "large has more than");
    assert_verdict(VERIFY "--response empty", "reject", "RESP_NOT_OCSP");
    assert_verdict(VERIFY "--response full", "reject", "RESP_TOO_LARGE");
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

static Suite *cli_suite(void)
{
    Suite *suite = suite_create("cli");
    TCase *tests = tcase_create("verify");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, strike_the_scene);
    tcase_add_test(tests, help_goes_to_standard_output);
    tcase_add_loop_test(tests, wrong_usage_is_told, 0, COUNT(misused));
    tcase_add_test(tests, output_that_is_lost_is_no_success);
    tcase_add_test(tests, good_is_told_in_full);
    tcase_add_test(tests, what_is_not_known_is_null);
    tcase_add_test(tests, without_json_it_is_said_in_words);
    tcase_add_test(tests, each_verdict_has_its_status);
    tcase_add_test(tests, response_too_large_to_be_sent_is_rejected);
    tcase_add_loop_test(tests, judged_as_of_the_given_time, 0, COUNT(times));
    tcase_add_loop_test(tests, what_is_no_time_is_refused, 0, COUNT(not_times));
    tcase_add_test(tests, what_is_no_number_of_seconds_is_refused);
    tcase_add_test(tests, certificates_are_taken_in_every_form);
    tcase_add_test(tests, wrong_issuer_is_told);
    tcase_add_loop_test(tests, unreadable_file_is_told, 0, COUNT(bad_certs));
    tcase_add_test(tests, unreadable_response_is_told);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(cli_suite());
}
