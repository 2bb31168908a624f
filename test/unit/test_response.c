/* test_response: what a response must say to be stapled, and when. */
#include "judging.h"

START_TEST(good_by_the_issuers_name)
{
    pki_single_t single = good();

    judge((pki_response_t){
        .singles = &single, .signer = ca, .produced_at = now - SEC(60)});
    expect_good();
    ck_assert_int_eq(out.this_update, now - HOUR);
    ck_assert_int_eq(out.next_update, now + HOUR);
    ck_assert_int_eq(out.expiry, now + HOUR);
    ck_assert_int_eq(out.produced_at, now - SEC(60));
    ck_assert_str_eq(out.signer, "CN=Test CA");
}
END_TEST

START_TEST(good_by_the_issuers_key)
{
    pki_single_t single = good();

    judge((pki_response_t){.singles = &single, .signer = ca, .by_key = 1});
    expect_good();
    ck_assert_str_eq(out.signer, "CN=Test CA");
}
END_TEST

START_TEST(good_with_the_issuers_certificate_inside)
{
    judge_signer(ca);
    expect_good();
}
END_TEST

START_TEST(good_by_a_delegate)
{
    pki_single_t single = good();

    judge((pki_response_t){.singles = &single,
                           .signer = delegate(1, 0, 0),
                           .with_signer_cert = 1,
                           .by_key = _i});
    expect_good();
    ck_assert_str_eq(out.signer, "CN=Responder");
    ck_assert_int_eq(out.expiry, now + HOUR);
}
END_TEST

START_TEST(delegate_that_expires_first_limits_it)
{
    judge_signer(delegate(1, 0, now + SEC(60)));
    ck_assert_int_eq(out.verdict, OCSPX_RESPONSE_GOOD);
    ck_assert_int_eq(out.cause, OCSPX_CAUSE_SIGNER_EXPIRES_EARLY);
    ck_assert_int_eq(out.expiry, now + SEC(60));
    ck_assert_int_eq(out.next_update, now + HOUR);
    ck_assert_str_eq(
        out.message,
        apr_pstrcat(pool, "good until ", ocspx_text_time(out.expiry, pool),
                    ", when its signer CN=Responder expires, "
                    "before nextUpdate (",
                    ocspx_text_time(out.next_update, pool), ")", NULL));
}
END_TEST

START_TEST(delegate_that_expires_with_it_is_no_news)
{
    judge_signer(delegate(1, 0, now + HOUR));
    expect_good();
    ck_assert_int_eq(out.cause, OCSPX_CAUSE_NONE);
    ck_assert_int_eq(out.expiry, now + HOUR);
}
END_TEST

START_TEST(issuer_that_expires_first_does_not)
{
    ca = pki_make(&(pki_spec_t){.cn = "Test CA",
                                .ca = 1,
                                .use_key = ca->key,
                                .not_after = now + SEC(60)},
                  NULL, pool);
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
    judge_single(good());
    expect_good();
    ck_assert_int_eq(out.expiry, now + HOUR);
}
END_TEST

START_TEST(good_below_an_intermediate)
{
    pki_t *root = ca;
    pki_single_t single;

    ca = pki_make(&(pki_spec_t){.cn = "Intermediate", .ca = 1}, root, pool);
    leaf = pki_make(&(pki_spec_t){.cn = "deep"}, ca, pool);
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
    judge_signer(delegate(1, 0, 0));
    expect_good();
    judge_signer(ca);
    expect_good();
    single = good();
    judge((pki_response_t){.singles = &single, .signer = root});
    expect_reject(OCSPX_CAUSE_SIGNER_UNKNOWN, "CN=Test CA");
}
END_TEST

START_TEST(good_with_rsa)
{
    ca = pki_make(&(pki_spec_t){.cn = "RSA CA", .ca = 1, .key = PKI_RSA}, NULL,
                  pool);
    leaf = pki_make(&(pki_spec_t){.cn = "leaf"}, ca, pool);
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
    judge_single(good());
    expect_good();
}
END_TEST

START_TEST(good_among_several)
{
    pki_t *other = pki_make(&(pki_spec_t){.cn = "other"}, ca, pool);
    pki_single_t singles[] = {good(), good(), good()};

    singles[0].cert = other->cert;
    singles[0].status = V_OCSP_CERTSTATUS_REVOKED;
    singles[2].cert = ca->cert;
    singles[2].status = V_OCSP_CERTSTATUS_UNKNOWN;
    judge((pki_response_t){.singles = singles, .count = 3, .signer = ca});
    expect_good();
}
END_TEST

START_TEST(good_under_another_hash)
{
    pki_single_t single = good();

    single.certid_md = EVP_sha256();
    judge_single(single);
    expect_good();
}
END_TEST

START_TEST(good_twice_is_good)
{
    pki_single_t singles[] = {good(), good()};

    singles[1].certid_md = EVP_sha256();
    judge((pki_response_t){.singles = singles, .count = 2, .signer = ca});
    expect_good();
}
END_TEST

START_TEST(good_when_large)
{
    pki_single_t single = good();

    judge((pki_response_t){.singles = &single, .signer = ca, .padding = 16384});
    expect_good();
}
END_TEST

START_TEST(without_next_update)
{
    pki_single_t single = good();

    single.next_update = 0;
    judge_single(single);
    expect_good();
    ck_assert_int_eq(out.next_update, 0);
    ck_assert_int_eq(out.expiry, now - HOUR + OCSPX_RESPONSE_KEEP_OPEN);
    single.this_update = now - OCSPX_RESPONSE_KEEP_OPEN + SEC(1);
    judge_single(single);
    expect_good();
    single.this_update = now - OCSPX_RESPONSE_KEEP_OPEN;
    judge_single(single);
    expect_reject(OCSPX_CAUSE_STALE, "without nextUpdate");
}
END_TEST

START_TEST(revoked)
{
    pki_single_t single = good();

    single.status = V_OCSP_CERTSTATUS_REVOKED;
    single.revoked_at = now - 3 * HOUR;
    judge_single(single);
    ck_assert_int_eq(out.verdict, OCSPX_RESPONSE_REVOKED);
    ck_assert_int_eq(out.cause, OCSPX_CAUSE_REVOKED);
    ck_assert_int_eq(out.status, V_OCSP_CERTSTATUS_REVOKED);
    ck_assert_int_eq(out.revoked_at, now - 3 * HOUR);
    ck_assert_int_eq(out.expiry, now + HOUR);
}
END_TEST

START_TEST(unknown)
{
    pki_single_t single = good();

    single.status = V_OCSP_CERTSTATUS_UNKNOWN;
    judge_single(single);
    ck_assert_int_eq(out.verdict, OCSPX_RESPONSE_UNKNOWN);
    ck_assert_int_eq(out.cause, OCSPX_CAUSE_UNKNOWN);
    ck_assert_int_eq(out.status, V_OCSP_CERTSTATUS_UNKNOWN);
}
END_TEST

START_TEST(expired_whatever_it_says)
{
    pki_single_t single = good();

    single.status = _i;
    single.next_update = now;
    judge_single(single);
    expect_reject(OCSPX_CAUSE_STALE, "nextUpdate was ");
    ck_assert_int_eq(out.status, _i);
    ck_assert_int_eq(out.next_update, now);
    ck_assert_str_eq(out.signer, "CN=Test CA");
    single.next_update = now + SEC(1);
    judge_single(single);
    ck_assert_int_ne(out.verdict, OCSPX_RESPONSE_REJECT);
}
END_TEST

START_TEST(from_the_future)
{
    pki_single_t single = good();

    single.this_update = now + policy.skew + SEC(1);
    judge_single(single);
    expect_reject(OCSPX_CAUSE_FUTURE, " 301 s ahead");
    single.this_update = now + policy.skew;
    judge_single(single);
    expect_good();
    policy.skew = 0;
    judge_single(single);
    expect_reject(OCSPX_CAUSE_FUTURE, " 300 s ahead");
}
END_TEST

START_TEST(older_than_max_age)
{
    policy.max_age = HOUR;
    judge_single(good());
    expect_good();
    policy.max_age = HOUR - SEC(1);
    judge_single(good());
    expect_reject(OCSPX_CAUSE_STALE, "3599 s allowed");
}
END_TEST

START_TEST(times_the_wrong_way_round)
{
    pki_single_t single = good();

    single.this_update = now + SEC(120);
    single.next_update = now + SEC(60);
    judge_single(single);
    expect_reject(OCSPX_CAUSE_STALE, "is before thisUpdate");
    single.this_update = now;
    single.next_update = 1; /* the first second of 1970 */
    judge_single(single);
    expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "not readable");
}
END_TEST

START_TEST(judged_at_the_time_given)
{
    apr_time_t real = now;

    judge_signer(delegate(1, real + 10 * HOUR, real + 20 * HOUR));
    expect_reject(OCSPX_CAUSE_SIGNER_EXPIRED, "not valid before ");
    now = real + 15 * HOUR;
    judge_signer(delegate(1, real + 10 * HOUR, real + 20 * HOUR));
    expect_good();
}
END_TEST

START_TEST(other_certificate)
{
    pki_single_t single = good();

    single.cert = pki_make(&(pki_spec_t){.cn = "other"}, ca, pool)->cert;
    judge_single(single);
    expect_reject(OCSPX_CAUSE_WRONG_CERT, "www.test");
    ck_assert_int_eq(out.status, -1);
}
END_TEST

START_TEST(same_serial_of_another_issuer)
{
    pki_single_t single = good();
    pki_t *twin = pki_make(&(pki_spec_t){.cn = "Test CA", .ca = 1}, NULL, pool);

    single.issuer = twin->cert;
    judge_single(single);
    expect_reject(OCSPX_CAUSE_WRONG_CERT, "www.test");
}
END_TEST

START_TEST(no_statement_at_all)
{
    apr_size_t len;
    const unsigned char *der =
        pki_response(&len, &(pki_response_t){.signer = ca}, pool);

    judge_bytes(der, len);
    expect_reject(OCSPX_CAUSE_WRONG_CERT, "none of 0 ");
}
END_TEST

START_TEST(contradiction)
{
    pki_single_t singles[] = {good(), good()};

    singles[_i].status = V_OCSP_CERTSTATUS_REVOKED;
    singles[1].certid_md = EVP_sha256();
    judge((pki_response_t){.singles = singles, .count = 2, .signer = ca});
    expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "contradicts itself");
}
END_TEST

START_TEST(critical_extension)
{
    pki_single_t singles[] = {good(), good()};

    judge((pki_response_t){
        .singles = singles, .signer = ca, .unknown_critical = 1});
    expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "critical extension (1.3.6.1");
    singles[_i].unknown_critical = 1;
    judge((pki_response_t){.singles = singles, .count = 2, .signer = ca});
    expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "critical extension (1.3.6.1");
}
END_TEST

static void judge_error(int status)
{
    apr_size_t len;
    const unsigned char *der = pki_response_error(&len, status, pool);

    judge_bytes(der, len);
}

START_TEST(error_answers)
{
    judge_error(OCSP_RESPONSE_STATUS_TRYLATER);
    expect_reject(OCSPX_CAUSE_RESP_TRYLATER, "trylater");
    judge_error(OCSP_RESPONSE_STATUS_INTERNALERROR);
    expect_reject(OCSPX_CAUSE_RESP_INTERNAL, "internalerror");
    judge_error(OCSP_RESPONSE_STATUS_UNAUTHORIZED);
    expect_reject(OCSPX_CAUSE_RESP_UNAUTHORIZED, "unauthorized");
    judge_error(OCSP_RESPONSE_STATUS_SIGREQUIRED);
    expect_reject(OCSPX_CAUSE_RESP_UNAUTHORIZED, "sigrequired");
    judge_error(OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
    expect_reject(OCSPX_CAUSE_RESP_INTERNAL, "malformedrequest");
    judge_error(OCSP_RESPONSE_STATUS_SUCCESSFUL);
    expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "no readable basic response");
    judge_error(99);
    expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "99");
    ck_assert_int_eq(out.status, -1);
}
END_TEST

START_TEST(verdict_names)
{
    ck_assert_str_eq(ocspx_response_verdict_name(OCSPX_RESPONSE_GOOD), "good");
    ck_assert_str_eq(ocspx_response_verdict_name(OCSPX_RESPONSE_REVOKED),
                     "revoked");
    ck_assert_str_eq(ocspx_response_verdict_name(OCSPX_RESPONSE_UNKNOWN),
                     "unknown");
    ck_assert_str_eq(ocspx_response_verdict_name(OCSPX_RESPONSE_REJECT),
                     "reject");
}
END_TEST

static TCase *accepted(void)
{
    TCase *tc = tcase_create("accepted");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, good_by_the_issuers_name);
    tcase_add_test(tc, good_by_the_issuers_key);
    tcase_add_test(tc, good_with_the_issuers_certificate_inside);
    tcase_add_loop_test(tc, good_by_a_delegate, 0, 2);
    tcase_add_test(tc, delegate_that_expires_first_limits_it);
    tcase_add_test(tc, delegate_that_expires_with_it_is_no_news);
    tcase_add_test(tc, issuer_that_expires_first_does_not);
    tcase_add_test(tc, good_below_an_intermediate);
    tcase_add_test(tc, good_with_rsa);
    tcase_add_test(tc, good_among_several);
    tcase_add_test(tc, good_under_another_hash);
    tcase_add_test(tc, good_twice_is_good);
    tcase_add_test(tc, good_when_large);
    tcase_add_test(tc, revoked);
    tcase_add_test(tc, unknown);
    tcase_add_test(tc, verdict_names);
    return tc;
}

static TCase *timing(void)
{
    TCase *tc = tcase_create("times");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, without_next_update);
    tcase_add_loop_test(tc, expired_whatever_it_says, V_OCSP_CERTSTATUS_GOOD,
                        V_OCSP_CERTSTATUS_UNKNOWN + 1);
    tcase_add_test(tc, from_the_future);
    tcase_add_test(tc, older_than_max_age);
    tcase_add_test(tc, times_the_wrong_way_round);
    tcase_add_test(tc, judged_at_the_time_given);
    return tc;
}

static TCase *content(void)
{
    TCase *tc = tcase_create("content");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, other_certificate);
    tcase_add_test(tc, same_serial_of_another_issuer);
    tcase_add_test(tc, no_statement_at_all);
    tcase_add_loop_test(tc, contradiction, 0, 2);
    tcase_add_loop_test(tc, critical_extension, 0, 2);
    tcase_add_test(tc, error_answers);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("response");

    suite_add_tcase(suite, accepted());
    suite_add_tcase(suite, timing());
    suite_add_tcase(suite, content());
    return ocspx_check_main(suite);
}
