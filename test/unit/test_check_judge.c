/* test_check_judge: what facts about a host mean to `ocspx check', where no
 * server is at hand that brings them about.
 */
#include "../support/check_main.h"

#include <apr_strings.h>
#include <string.h>

#include "../../mod_ocspx/cli/check.h"
#include "../../mod_ocspx/core/text.h"
#include "../support/pki.h"

#define HOUR apr_time_from_sec(3600)

static apr_pool_t *pool;
static pki_t *issuer;
static ocspx_chain_trust_t trust;
static cli_check_target_t target = {.label = "a.test", .host = "a.test"};
static cli_check_host_t host;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
    issuer = pki_make(&(pki_spec_t){.cn = "Root", .ca = 1}, NULL, pool);
    trust = (ocspx_chain_trust_t){.roots = X509_STORE_new(), .all = 1};
    X509_STORE_add_cert(trust.roots, issuer->cert);
    host = (cli_check_host_t){.target = &target};
    host.certs = apr_array_make(pool, 2, sizeof(cli_check_cert_t *));
    host.now = apr_time_now();
    for (int i = 0; i < CLI_CHECK_HANDSHAKES; i++)
        host.handshakes[i] = (cli_handshake_t){
            .result = CLI_HANDSHAKE_NOT_OFFERED,
            .error = {OCSPX_CAUSE_HANDSHAKE_FAILED, "not offered"}};
}

static void tear_down(void)
{
    X509_STORE_free(trust.roots);
    apr_pool_destroy(pool);
}

/** A certificate that these handshakes, bit by bit, have brought. */
static cli_check_cert_t *bring(unsigned handshakes, const pki_spec_t *spec)
{
    cli_check_cert_t *cert = apr_pcalloc(pool, sizeof(*cert));
    apr_array_header_t *served = apr_array_make(pool, 1, sizeof(X509 *));
    pki_t *leaf = pki_make(spec, issuer, pool);
    ocspx_cert_t *made;

    APR_ARRAY_PUSH(served, X509 *) = leaf->cert;
    ck_assert_int_eq(ocspx_cert_make(&made, leaf->cert, issuer->cert, pool),
                     APR_SUCCESS);
    *cert = (cli_check_cert_t){.served = served,
                               .cert = made,
                               .handshakes = handshakes,
                               .key = "ECDSA 256",
                               .subject = "CN=a.test"};
    APR_ARRAY_PUSH(host.certs, cli_check_cert_t *) = cert;
    for (int i = 0; i < CLI_CHECK_HANDSHAKES; i++)
        if (handshakes & 1u << i)
            host.handshakes[i] = (cli_handshake_t){.result = CLI_HANDSHAKE_DONE,
                                                   .certs = served};
    return cert;
}

static cli_check_cert_t *bring_usual(unsigned handshakes)
{
    return bring(handshakes, &(pki_spec_t){.cn = "a.test",
                                           .names = "DNS:a.test",
                                           .ocsp_urls = "http://ca.test/"});
}

/** Staple to it in this handshake what is valid between these two times. */
static void staple_of(const cli_check_cert_t *cert, int handshake,
                      apr_time_t from, apr_time_t to)
{
    pki_single_t single = {.cert = cert->cert->leaf,
                           .issuer = issuer->cert,
                           .this_update = from,
                           .next_update = to};
    cli_handshake_t *h = &host.handshakes[handshake];

    h->staple = pki_response(
        &h->staple_len,
        &(pki_response_t){.singles = &single, .count = 1, .signer = issuer},
        pool);
}

static void staple(const cli_check_cert_t *cert, int handshake,
                   apr_interval_time_t left)
{
    staple_of(cert, handshake, host.now - 12 * HOUR, host.now + left);
}

/** All findings, in short. */
static const char *judge(void)
{
    const char *text = "";

    cli_check_judge(&host, &trust, pool);
    for (int i = 0; i < host.findings->nelts; i++) {
        const ocspx_chain_finding_t *f =
            &APR_ARRAY_IDX(host.findings, i, ocspx_chain_finding_t);

        text = apr_pstrcat(pool, text, *text ? ", " : "",
                           ocspx_cause_severity_name(f->severity), " ",
                           ocspx_cause_code(f->cause), NULL);
    }
    return text;
}

static const ocspx_chain_finding_t *first(void)
{
    return &APR_ARRAY_IDX(host.findings, 0, ocspx_chain_finding_t);
}

/* --- staples --------------------------------------------------------- */

START_TEST(staple_in_one_version_only)
{
    cli_check_cert_t *cert = bring_usual(1u << 0 | 1u << 2);

    staple(cert, 0, HOUR);
    ck_assert_str_eq(judge(), "warning STAPLE_MISSING");
    ck_assert_str_eq(first()->message,
                     "a.test can have a staple, but none is sent in TLS 1.2 "
                     "with ECDSA");
    ck_assert_int_eq(host.state, CLI_NAGIOS_WARNING);
    ck_assert_int_eq(cert->staple.verdict, OCSPX_RESPONSE_GOOD);
}
END_TEST

static const struct {
    int hours[2];
    int worst; /* of these */
    const char *found;
} pairs[] = {
    {{5, 9}, 0, ""},
    {{9, 5}, 1, ""},
    {{5, -1}, 1, "error STALE"},
    {{-1, 5}, 0, "error STALE"},
    {{-1, -1}, 0, "error STALE"},
    {{-2, -1}, 0, "error STALE, error STALE"},
};

START_TEST(worst_staple_is_shown)
{
    cli_check_cert_t *cert = bring_usual(1u << 0 | 1u << 2);
    const int *hours = pairs[_i].hours;

    staple(cert, 0, hours[0] * HOUR);
    staple(cert, 2, hours[1] * HOUR);
    ck_assert_str_eq(judge(), pairs[_i].found);
    ck_assert_int_eq(apr_time_sec(cert->staple.next_update),
                     apr_time_sec(host.now + hours[pairs[_i].worst] * HOUR));
    ck_assert_uint_eq(cert->stapled, 1u << 0 | 1u << 2);
}
END_TEST

/* Good, and as long as its signer lasts; the responder may say so as well. */
START_TEST(staple_of_a_signer_that_expires_early)
{
    cli_check_cert_t *cert = bring_usual(1u << 0 | 1u << 2);
    pki_t *signer = pki_make(&(pki_spec_t){.cn = "Signer",
                                           .ocsp_signing = 1,
                                           .not_after = host.now + HOUR},
                             issuer, pool);
    pki_single_t single = {.cert = cert->cert->leaf,
                           .issuer = issuer->cert,
                           .this_update = host.now - HOUR,
                           .next_update = host.now + 2 * HOUR};
    pki_response_t spec = {.singles = &single,
                           .count = 1,
                           .signer = signer,
                           .with_signer_cert = 1};
    ocspx_response_policy_t policy = {.skew = OCSPX_RESPONSE_SKEW_DEFAULT};
    cli_handshake_t *h = &host.handshakes[0];
    cli_answer_t answer = {0};

    h->staple = pki_response(&h->staple_len, &spec, pool);
    ocspx_response_judge(&answer.response, h->staple, h->staple_len, cert->cert,
                         &policy, host.now, pool);
    answer.response.message = "good, and until when";
    cert->answer = &answer;
    staple(cert, 2, 3 * HOUR);
    ck_assert_str_eq(judge(), "info SIGNER_EXPIRES_EARLY");
    ck_assert_str_eq(first()->message, cert->staple.message);
    ck_assert_int_eq(apr_time_sec(cert->staple.expiry),
                     apr_time_sec(host.now + HOUR));
    ck_assert_int_eq(host.state, CLI_NAGIOS_OK);
}
END_TEST

/* Clocks differ a little, and clients know that. */
START_TEST(staple_from_a_clock_that_is_ahead)
{
    apr_interval_time_t ahead = apr_time_from_sec(_i ? 400 : 200);

    staple_of(bring_usual(1u << 0), 0, host.now + ahead, host.now + HOUR);
    ck_assert_str_eq(judge(), _i ? "error FUTURE" : "");
}
END_TEST

START_TEST(first_to_expire_is_summed_up)
{
    int left = _i ? 7 : 2;

    staple(bring_usual(1u << 0), 0, left * HOUR);
    staple(bring_usual(1u << 1), 1, 5 * HOUR);
    ck_assert_str_eq(judge(), "");
    ck_assert_str_eq(
        host.summary,
        apr_pstrcat(
            pool, "chain complete, stapled until ",
            ocspx_text_time(host.now + (left < 5 ? left : 5) * HOUR, pool),
            NULL));
    ck_assert_int_eq(host.state, CLI_NAGIOS_OK);
}
END_TEST

/* --- connections ----------------------------------------------------- */

static const struct {
    cli_handshake_result_e result;
    const char *found;
} others[] = {
    {CLI_HANDSHAKE_UNTRIED, ""},
    {CLI_HANDSHAKE_NOT_OFFERED, ""},
    {CLI_HANDSHAKE_CLOSED, ""},
    {CLI_HANDSHAKE_FAILED, "error HANDSHAKE_FAILED"},
    {CLI_HANDSHAKE_HOPELESS, "error HANDSHAKE_FAILED"},
};

START_TEST(beside_a_handshake_that_is_done)
{
    staple(bring_usual(1u << 0), 0, HOUR);
    host.handshakes[3].result = others[_i].result;
    ck_assert_str_eq(judge(), others[_i].found);
}
END_TEST

START_TEST(same_reason_is_given_once)
{
    for (int i = 0; i < CLI_CHECK_HANDSHAKES; i++)
        host.handshakes[i].result = CLI_HANDSHAKE_FAILED;
    host.handshakes[3].error.message = "another";
    ck_assert_str_eq(judge(), "error HANDSHAKE_FAILED, error HANDSHAKE_FAILED");
    ck_assert_str_eq(host.summary,
                     "HANDSHAKE_FAILED: not offered (and 1 more)");
    ck_assert_str_eq(first()->subject, "a.test");
}
END_TEST

START_TEST(unresolved_is_unknown)
{
    for (int i = 0; i < CLI_CHECK_HANDSHAKES; i++)
        host.handshakes[i].result = CLI_HANDSHAKE_UNTRIED;
    host.unresolved = (cli_net_error_t){OCSPX_CAUSE_DNS, "who is that?"};
    ck_assert_str_eq(judge(), "error DNS");
    ck_assert_int_eq(host.state, CLI_NAGIOS_UNKNOWN);
    ck_assert_str_eq(host.summary, "DNS: who is that?");
}
END_TEST

/* --- the sum --------------------------------------------------------- */

START_TEST(infos_are_not_counted)
{
    cli_check_cert_t *cert = bring(
        1u << 0, &(pki_spec_t){.cn = "b.test", .ocsp_urls = "http://ca.test/"});
    apr_array_header_t *served = apr_array_copy(pool, cert->served);

    APR_ARRAY_PUSH(served, X509 *) = issuer->cert;
    cert->served = served;
    ck_assert_str_eq(
        judge(), "error CHAIN_NAME, warning STAPLE_MISSING, info CHAIN_ROOT");
    ck_assert_ptr_nonnull(strstr(host.summary, "CHAIN_NAME: "));
    ck_assert_ptr_nonnull(strstr(host.summary, " (and 1 more)"));
    ck_assert_int_eq(host.state, CLI_NAGIOS_CRITICAL);
}
END_TEST

/* With a date that nobody can read, for one. */
START_TEST(hopeless_certificate)
{
    cli_check_cert_t *cert = bring_usual(1u << 0);

    cert->cert = NULL;
    host.handshakes[0].staple = (const unsigned char *)"";
    ck_assert_str_eq(judge(), "");
    ck_assert_uint_eq(cert->stapled, 0);
}
END_TEST

START_TEST(worse_of_two)
{
    static const cli_nagios_e ranked[] = {CLI_NAGIOS_OK, CLI_NAGIOS_WARNING,
                                          CLI_NAGIOS_UNKNOWN,
                                          CLI_NAGIOS_CRITICAL};

    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++)
            ck_assert_int_eq(cli_nagios_worse(ranked[i], ranked[k]),
                             ranked[i > k ? i : k]);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

static Suite *judge_suite(void)
{
    Suite *suite = suite_create("check judge");
    TCase *tests = tcase_create("facts");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, staple_in_one_version_only);
    tcase_add_loop_test(tests, worst_staple_is_shown, 0, COUNT(pairs));
    tcase_add_test(tests, staple_of_a_signer_that_expires_early);
    tcase_add_loop_test(tests, staple_from_a_clock_that_is_ahead, 0, 2);
    tcase_add_loop_test(tests, first_to_expire_is_summed_up, 0, 2);
    tcase_add_loop_test(tests, beside_a_handshake_that_is_done, 0,
                        COUNT(others));
    tcase_add_test(tests, same_reason_is_given_once);
    tcase_add_test(tests, unresolved_is_unknown);
    tcase_add_test(tests, infos_are_not_counted);
    tcase_add_test(tests, hopeless_certificate);
    tcase_add_test(tests, worse_of_two);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(judge_suite());
}
