/* test_signer: whose signature counts, and whose does not. */
#include "judging.h"

#include <openssl/x509v3.h>

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

/* MD5, which EC keys do not do. */
static void use_rsa(void)
{
    ca = pki_make(&(pki_spec_t){.cn = "RSA CA", .ca = 1, .key = PKI_RSA}, NULL,
                  pool);
    leaf = pki_make(&(pki_spec_t){.cn = "leaf"}, ca, pool);
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
}

/* MD5 is refused, in the response and in the right to sign it. */
START_TEST(signature_that_can_be_forged)
{
    const EVP_MD *md5 = EVP_md5(), *sha1 = EVP_sha1();
    const struct {
        const EVP_MD *response, *right;
        int accepted;
    } digests[] = {
        {sha1, sha1, 1}, {NULL, NULL, 1}, {md5, NULL, 0}, {NULL, md5, 0}};
    pki_single_t single;

    use_rsa();
    single = good();
    for (int i = 0; i < 4; i++) {
        pki_spec_t spec = {.cn = "Responder",
                           .ocsp_signing = 1,
                           .key = PKI_RSA,
                           .md = digests[i].right};

        judge((pki_response_t){.singles = &single,
                               .signer = pki_make(&spec, ca, pool),
                               .with_signer_cert = 1,
                               .md = digests[i].response});
        if (digests[i].accepted)
            expect_good();
        else
            expect_reject(OCSPX_CAUSE_BAD_SIGNATURE,
                          "CN=Responder with md5, which anybody can forge");
    }
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
    tcase_add_test(tc, signature_that_can_be_forged);
    tcase_add_test(tc, signature_of_the_issuers_twin);
    tcase_add_test(tc, openssl_has_the_last_word);
    tcase_add_test(tc, hostile_names_are_escaped);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("signer");

    suite_add_tcase(suite, signing());
    return ocspx_check_main(suite);
}
