/* test_response: what may be stapled and what may not, cause by cause. */
#include "../support/check_main.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "../../mod_ocspx/core/response.h"
#include "../support/pki.h"

#define SEC(n) apr_time_from_sec(n)
#define HOUR SEC(3600)

static apr_pool_t *pool;
static apr_time_t now;
static pki_t *ca;
static pki_t *leaf;
static ocspx_cert_t *cert;
static ocspx_response_policy_t policy;
static ocspx_response_t out;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
    now = SEC(apr_time_sec(apr_time_now()));
    policy = (ocspx_response_policy_t){.skew = OCSPX_RESPONSE_SKEW_DEFAULT};
    ca = pki_make(&(pki_spec_t){.cn = "Test CA", .ca = 1}, NULL, pool);
    leaf = pki_make(&(pki_spec_t){.cn = "leaf", .names = "DNS:www.test"}, ca,
                    pool);
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

/* Good, an hour old, valid for another. */
static pki_single_t good(void)
{
    return (pki_single_t){.cert = leaf->cert,
                          .issuer = ca->cert,
                          .status = V_OCSP_CERTSTATUS_GOOD,
                          .this_update = now - HOUR,
                          .next_update = now + HOUR};
}

static pki_t *delegate(int ocsp_signing, apr_time_t from, apr_time_t until)
{
    return pki_make(&(pki_spec_t){.cn = "Responder",
                                  .ocsp_signing = ocsp_signing,
                                  .not_before = from,
                                  .not_after = until},
                    ca, pool);
}

/* What must hold of every judgement, whatever the response. */
static void check_coherence(void)
{
    ck_assert_ptr_nonnull(out.message);
    ck_assert_uint_gt(strlen(out.message), 0);
    for (const char *c = out.message; *c; c++) {
        ck_assert(*c >= 0x20 && *c < 0x7f);
    }
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert_int_eq(out.verdict == OCSPX_RESPONSE_GOOD,
                     out.cause == OCSPX_CAUSE_NONE);
    ck_assert_int_eq(out.verdict == OCSPX_RESPONSE_REJECT, out.expiry == 0);
}

static void judge_bytes(const void *der, apr_size_t len)
{
    memset(&out, 0x5a, sizeof(out));
    ocspx_response_judge(&out, der, len, cert, &policy, now, pool);
    check_coherence();
}

static void judge(pki_response_t r)
{
    apr_size_t len;
    const unsigned char *der;

    r.count = r.count ? r.count : 1;
    der = pki_response(&len, &r, pool);
    judge_bytes(der, len);
}

static void judge_single(pki_single_t single)
{
    judge((pki_response_t){.singles = &single, .signer = ca});
}

static void judge_signer(const pki_t *signer)
{
    pki_single_t single = good();

    judge((pki_response_t){
        .singles = &single, .signer = signer, .with_signer_cert = 1});
}

static void expect_good(void)
{
    ck_assert_msg(out.verdict == OCSPX_RESPONSE_GOOD, "%s", out.message);
    ck_assert_int_eq(out.status, V_OCSP_CERTSTATUS_GOOD);
    ck_assert_int_eq(out.revoked_at, 0);
    ck_assert_ptr_nonnull(strstr(out.message, "good until "));
}

static void expect_reject(ocspx_cause_e cause, const char *words)
{
    ck_assert_int_eq(out.verdict, OCSPX_RESPONSE_REJECT);
    ck_assert_msg(out.cause == cause, "%s instead of %s: %s",
                  ocspx_cause_code(out.cause), ocspx_cause_code(cause),
                  out.message);
    ck_assert_msg(strstr(out.message, words) != NULL, "no \"%s\" in: %s", words,
                  out.message);
}

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
    expect_good();
    ck_assert_int_eq(out.expiry, now + SEC(60));
    ck_assert_int_eq(out.next_update, now + HOUR);
    ck_assert_ptr_nonnull(strstr(out.message, "CN=Responder"));
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

START_TEST(signer_not_in_the_response)
{
    pki_single_t single = good();

    judge((pki_response_t){.singles = &single, .signer = delegate(1, 0, 0)});
    expect_reject(OCSPX_CAUSE_SIGNER_UNKNOWN, "CN=Responder");
    ck_assert_ptr_null(out.signer);
    judge((pki_response_t){
        .singles = &single, .signer = delegate(1, 0, 0), .by_key = 1});
    expect_reject(OCSPX_CAUSE_SIGNER_UNKNOWN, "the key with the hash ");
}
END_TEST

START_TEST(wrong_signer)
{
    pki_t *other =
        pki_make(&(pki_spec_t){.cn = "Other CA", .ca = 1}, NULL, pool);

    judge_signer(other);
    expect_reject(OCSPX_CAUSE_SIGNER_UNKNOWN, "CN=Other CA");
    ck_assert_str_eq(out.signer, "CN=Other CA");
    ca = other;
    judge_signer(delegate(1, 0, 0));
    expect_reject(OCSPX_CAUSE_SIGNER_UNKNOWN, "CN=Responder");
}
END_TEST

static void drop_key_identifier(X509 *of)
{
    int at = X509_get_ext_by_NID(of, NID_authority_key_identifier, -1);

    ck_assert_int_ge(at, 0);
    X509_EXTENSION_free(X509_delete_ext(of, at));
}

/* With the key identifier the twin is found out by it, without it only by
 * its signature. */
START_TEST(signer_by_the_issuers_twin)
{
    pki_t *twin = pki_make(&(pki_spec_t){.cn = "Test CA", .ca = 1}, NULL, pool);
    pki_spec_t spec = {.cn = "Responder", .ocsp_signing = 1};
    pki_t *signer = pki_make(&spec, twin, pool);

    if (_i) {
        drop_key_identifier(signer->cert);
        ck_assert_int_gt(X509_sign(signer->cert, twin->key, EVP_sha256()), 0);
    }
    judge_signer(signer);
    expect_reject(OCSPX_CAUSE_SIGNER_UNKNOWN,
                  "whose certificate is not one the issuer");
}
END_TEST

/* The same key under another name is another issuer. */
START_TEST(signer_by_the_issuers_key_under_another_name)
{
    ca = pki_make(&(pki_spec_t){.cn = "Alias CA", .ca = 1, .use_key = ca->key},
                  NULL, pool);
    judge_signer(delegate(1, 0, 0));
    expect_reject(OCSPX_CAUSE_SIGNER_UNKNOWN,
                  "whose certificate is not one the issuer");
}
END_TEST

/* Delegation is for one step: a delegate cannot appoint another. */
START_TEST(signer_by_a_delegate)
{
    pki_t *signer = pki_make(
        &(pki_spec_t){.cn = "Deputy", .ocsp_signing = 1},
        pki_make(&(pki_spec_t){.cn = "Sub CA", .ca = 1}, ca, pool), pool);

    judge_signer(signer);
    expect_reject(OCSPX_CAUSE_SIGNER_UNKNOWN, "CN=Deputy");
}
END_TEST

START_TEST(signer_without_eku)
{
    judge_signer(delegate(0, 0, 0));
    expect_reject(OCSPX_CAUSE_SIGNER_NO_EKU, "CN=Responder");
}
END_TEST

START_TEST(signer_with_another_eku)
{
    pki_t *signer = delegate(0, 0, 0);
    EXTENDED_KEY_USAGE *usage = EXTENDED_KEY_USAGE_new();

    sk_ASN1_OBJECT_push(usage, OBJ_nid2obj(NID_server_auth));
    sk_ASN1_OBJECT_push(usage, OBJ_nid2obj(NID_anyExtendedKeyUsage));
    ck_assert_int_eq(
        X509_add1_ext_i2d(signer->cert, NID_ext_key_usage, usage, 0, 0), 1);
    ck_assert_int_gt(X509_sign(signer->cert, ca->key, EVP_sha256()), 0);
    EXTENDED_KEY_USAGE_free(usage);
    judge_signer(signer);
    expect_reject(OCSPX_CAUSE_SIGNER_NO_EKU, "OCSPSigning");
}
END_TEST

START_TEST(the_leaf_cannot_answer_for_itself)
{
    judge_signer(leaf);
    expect_reject(OCSPX_CAUSE_SIGNER_NO_EKU, "CN=leaf");
}
END_TEST

START_TEST(signer_expired)
{
    judge_signer(delegate(1, now - 2 * HOUR, now));
    expect_reject(OCSPX_CAUSE_SIGNER_EXPIRED, "expired at ");
    ck_assert_ptr_nonnull(strstr(out.message, "CN=Responder"));
    judge_signer(delegate(1, now + SEC(1), now + HOUR));
    expect_reject(OCSPX_CAUSE_SIGNER_EXPIRED, "not valid before ");
}
END_TEST

START_TEST(issuer_expired)
{
    ca = pki_make(&(pki_spec_t){.cn = "Test CA",
                                .ca = 1,
                                .use_key = ca->key,
                                .not_after = now - HOUR},
                  NULL, pool);
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
    judge_single(good());
    expect_reject(OCSPX_CAUSE_SIGNER_EXPIRED, "CN=Test CA");
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

START_TEST(bad_signature)
{
    pki_single_t single = good();

    judge((pki_response_t){
        .singles = &single, .signer = ca, .break_signature = 1});
    expect_reject(OCSPX_CAUSE_BAD_SIGNATURE, "CN=Test CA");
    judge((pki_response_t){.singles = &single,
                           .signer = delegate(1, 0, 0),
                           .with_signer_cert = 1,
                           .break_signature = 1});
    expect_reject(OCSPX_CAUSE_BAD_SIGNATURE, "CN=Responder");
    ck_assert_int_eq(out.status, -1);
}
END_TEST

/* Somebody else with the issuer's name: found by name, belied by the key. */
START_TEST(signature_of_the_issuers_twin)
{
    pki_single_t single = good();
    pki_t *twin = pki_make(&(pki_spec_t){.cn = "Test CA", .ca = 1}, NULL, pool);

    judge((pki_response_t){.singles = &single, .signer = twin});
    expect_reject(OCSPX_CAUSE_BAD_SIGNATURE, "CN=Test CA");
}
END_TEST

/* Only OpenSSL's own verification looks at this one. */
START_TEST(openssl_has_the_last_word)
{
    pki_t *signer = delegate(1, 0, 0);
    ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.55555.2", 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value);

    ck_assert_int_eq(X509_add_ext(signer->cert, ext, -1), 1);
    ck_assert_int_gt(X509_sign(signer->cert, ca->key, EVP_sha256()), 0);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
    judge_signer(signer);
    expect_reject(OCSPX_CAUSE_SIGNER_UNKNOWN, "OpenSSL does not accept it");
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

START_TEST(not_ocsp_at_all)
{
    static const char html[] = "<!DOCTYPE html>\r\n<html>Please log in";

    judge_bytes(html, sizeof(html) - 1);
    expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "<!DOCTYPE html>\\x0d\\x0a");
    judge_bytes("", 0);
    expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "0 bytes");
    ck_assert_ptr_null(out.signer);
}
END_TEST

/* id-pkix-ocsp-basic becomes id-pkix-ocsp-nonce by its last number. */
START_TEST(not_of_the_basic_type)
{
    static const unsigned char basic[] = {0x2b, 6, 1, 5, 5, 7, 48, 1, 1};
    pki_single_t single = good();
    apr_size_t len;
    const unsigned char *der = pki_response(
        &len, &(pki_response_t){.singles = &single, .count = 1, .signer = ca},
        pool);
    unsigned char *bytes = apr_pmemdup(pool, der, len);
    apr_size_t at = 0;

    while (memcmp(bytes + at, basic, sizeof(basic)) != 0) {
        ck_assert_uint_lt(++at + sizeof(basic), len);
    }
    bytes[at + sizeof(basic) - 1] = 2;
    judge_bytes(bytes, len);
    expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "no readable basic response");
}
END_TEST

static unsigned char *delegated_good(apr_size_t *len, apr_size_t room)
{
    pki_single_t single = good();
    pki_response_t r = {.singles = &single,
                        .count = 1,
                        .signer = delegate(1, 0, 0),
                        .with_signer_cert = 1};
    const unsigned char *der = pki_response(len, &r, pool);
    unsigned char *bytes = apr_pcalloc(pool, *len + room);

    memcpy(bytes, der, *len);
    return bytes;
}

START_TEST(truncated_anywhere)
{
    apr_size_t len;
    const unsigned char *der = delegated_good(&len, 0);

    for (apr_size_t n = 0; n < len; n++) {
        unsigned char *exact = malloc(n + !n); /* so that ASan sees overreads */

        memcpy(exact, der, n);
        judge_bytes(exact, n);
        expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "not an OCSP response");
        free(exact);
    }
    judge_bytes(der, len);
    expect_good();
}
END_TEST

/* Any single bit may turn it into nothing worse than a rejection. */
START_TEST(flipped_anywhere)
{
    apr_size_t len;
    unsigned char *der = delegated_good(&len, 0);

    for (apr_size_t i = 0; i < len; i++) {
        der[i] ^= (unsigned char)(1u << (i % 8));
        judge_bytes(der, len);
        ck_assert_msg(out.verdict == OCSPX_RESPONSE_REJECT, "byte %lu",
                      (unsigned long)i);
        der[i] ^= (unsigned char)(1u << (i % 8));
    }
}
END_TEST

START_TEST(trailing_byte)
{
    apr_size_t len;
    const unsigned char *der = delegated_good(&len, 1);

    judge_bytes(der, len + 1);
    expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "followed by 1 more");
}
END_TEST

static void lengthen(unsigned char *length)
{
    ck_assert_int_eq(length[0], 0x82);
    if (!++length[2]) {
        ++length[1];
    }
}

/* A byte after the basic response, inside the octet string that wraps it:
 * four nested lengths, of two bytes each, have to count it. */
START_TEST(trailing_byte_inside)
{
    apr_size_t len;
    unsigned char *der = delegated_good(&len, 1);

    lengthen(der + 1);  /* OCSPResponse, then responseStatus */
    lengthen(der + 8);  /* [0] */
    lengthen(der + 12); /* ResponseBytes, then responseType */
    lengthen(der + 27); /* response */
    judge_bytes(der, len + 1);
    expect_reject(OCSPX_CAUSE_RESP_NOT_OCSP, "not encoded in DER");
}
END_TEST

START_TEST(hostile_names_are_escaped)
{
    static const char evil[] = "evil\r\n\x1b[2JGET / \xc3\xbc";
    pki_t *other = pki_make(&(pki_spec_t){.cn = evil, .ca = 1}, NULL, pool);
    pki_single_t single = good();

    judge_signer(other);
    expect_reject(OCSPX_CAUSE_SIGNER_UNKNOWN, "CN=evil\\x0d\\x0a\\x1b[2JGET");
    judge((pki_response_t){.singles = &single, .signer = other});
    expect_reject(OCSPX_CAUSE_SIGNER_UNKNOWN, "CN=evil\\x0d\\x0a\\x1b[2JGET");
}
END_TEST

START_TEST(leaves_the_error_queue_as_it_was)
{
    BIO *bio = BIO_new_mem_buf("not PEM", -1);
    unsigned long callers;

    ck_assert_ptr_null(PEM_read_bio_X509(bio, NULL, NULL, NULL));
    BIO_free(bio);
    callers = ERR_peek_last_error();
    ck_assert_uint_ne(callers, 0);
    ocspx_response_judge(&out, (const unsigned char *)"x", 1, cert, &policy,
                         now, pool);
    ck_assert_uint_eq(ERR_peek_last_error(), callers);
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

static TCase *signing(void)
{
    TCase *tc = tcase_create("signer");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, signer_not_in_the_response);
    tcase_add_test(tc, wrong_signer);
    tcase_add_loop_test(tc, signer_by_the_issuers_twin, 0, 2);
    tcase_add_test(tc, signer_by_the_issuers_key_under_another_name);
    tcase_add_test(tc, signer_by_a_delegate);
    tcase_add_test(tc, signer_without_eku);
    tcase_add_test(tc, signer_with_another_eku);
    tcase_add_test(tc, the_leaf_cannot_answer_for_itself);
    tcase_add_test(tc, signer_expired);
    tcase_add_test(tc, issuer_expired);
    tcase_add_test(tc, bad_signature);
    tcase_add_test(tc, signature_of_the_issuers_twin);
    tcase_add_test(tc, openssl_has_the_last_word);
    tcase_add_test(tc, hostile_names_are_escaped);
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

static TCase *encoding(void)
{
    TCase *tc = tcase_create("encoding");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, not_ocsp_at_all);
    tcase_add_test(tc, not_of_the_basic_type);
    tcase_add_test(tc, truncated_anywhere);
    tcase_add_test(tc, flipped_anywhere);
    tcase_add_test(tc, trailing_byte);
    tcase_add_test(tc, trailing_byte_inside);
    tcase_add_test(tc, leaves_the_error_queue_as_it_was);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("response");

    suite_add_tcase(suite, accepted());
    suite_add_tcase(suite, timing());
    suite_add_tcase(suite, signing());
    suite_add_tcase(suite, content());
    suite_add_tcase(suite, encoding());
    return ocspx_check_main(suite);
}
