/* test_repair_refused: what does not complete a chain, and why. */
#include "repair_scene.h"

START_TEST(no_certificate)
{
    assert_refused(text("<html>Please log in</html>"),
                   OCSPX_CAUSE_CHAIN_NOT_CERT,
                   "the answer holds no certificate");
    assert_refused(text(""), OCSPX_CAUSE_CHAIN_NOT_CERT, "no certificate");
    assert_refused(encoded_bundle(NULL, 0, pool), OCSPX_CAUSE_CHAIN_NOT_CERT,
                   "no certificate");
    assert_refused(text("-----BEGIN CERTIFICATE-----\nAAAA\n"
                        "-----END CERTIFICATE-----\n"),
                   OCSPX_CAUSE_CHAIN_NOT_CERT,
                   "the answer has a damaged certificate (number 1)");
}
END_TEST

START_TEST(another_certificate)
{
    assert_refused(der(root), OCSPX_CAUSE_CHAIN_REFUSED,
                   "CN=Root is there instead of CN=Lower, which issued "
                   "CN=leaf");
    assert_refused(der(upper), OCSPX_CAUSE_CHAIN_REFUSED, "CN=Upper is there");
    assert_refused(der(leaf), OCSPX_CAUSE_CHAIN_REFUSED, "CN=leaf is there");
}
END_TEST

START_TEST(wrong_key)
{
    static const pki_spec_t twin = {.cn = "Lower", .ca = 1};
    BIO *empty = BIO_new(BIO_s_mem());

    assert_refused(der(make(&twin, upper)), OCSPX_CAUSE_CHAIN_WRONG_KEY,
                   "CN=Lower has the name of the issuer of CN=leaf, but not "
                   "its key");
    /* an error that somebody else left stays theirs */
    ck_assert_ptr_null(PEM_read_bio_X509(empty, NULL, NULL, NULL));
    assert_refused(der(make(&twin, NULL)), OCSPX_CAUSE_CHAIN_WRONG_KEY,
                   "not its key");
    ck_assert_int_eq(ERR_GET_REASON(ERR_peek_error()), PEM_R_NO_START_LINE);
    ERR_clear_error();
    BIO_free(empty);
}
END_TEST

/* Nothing but the signature tells that it is another one. */
START_TEST(wrong_key_without_ids)
{
    static const pki_spec_t spec = {.cn = "Lower", .ca = 1, .no_key_ids = 1};

    lower = make(&spec, root);
    leaf = make(&(pki_spec_t){.cn = "leaf",
                              .no_key_ids = 1,
                              .ca_issuers = "http://lower/ http://lower2/"},
                lower);
    repair_of(leaf);
    ck_assert_int_eq(ask(begin(), "http://lower/", der(make(&spec, root))),
                     OCSPX_REPAIR_REFUSED);
    ck_assert_int_eq(said_cause, OCSPX_CAUSE_CHAIN_WRONG_KEY);
    ck_assert_int_eq(ask(begin(), "http://lower/", der(lower)),
                     OCSPX_REPAIR_COMPLETE);
}
END_TEST

START_TEST(not_a_ca)
{
    pki_t *no_ca =
        make(&(pki_spec_t){.cn = "Lower", .use_key = lower->key}, upper);
    pki_t *no_sign = make(&(pki_spec_t){.cn = "Lower",
                                        .ca = 1,
                                        .key_usage = "digitalSignature",
                                        .use_key = lower->key},
                          upper);

    assert_refused(der(no_ca), OCSPX_CAUSE_CHAIN_NOT_CA,
                   "CN=Lower, which signed CN=leaf, is no CA certificate");
    assert_refused(der(no_sign), OCSPX_CAUSE_CHAIN_NOT_CA, "no CA");
    /* the right key says more than the right name */
    assert_refused(bundle(no_ca, make_ca("Lower", NULL, upper), NULL),
                   OCSPX_CAUSE_CHAIN_NOT_CA, "no CA");
    assert_refused(bundle(make_ca("Lower", NULL, upper), root, no_ca),
                   OCSPX_CAUSE_CHAIN_NOT_CA, "no CA");
}
END_TEST

/* Its encoding is in order, but what is in an extension is not. Even to
 * compare such a certificate with another leaves an OpenSSL error. */
START_TEST(damaged_extension)
{
    static const unsigned char constraints[] = {0x55, 0x1d, 0x13, 1,
                                                1,    0xff, 4,    5};
    encoded_t answer = der(lower);
    unsigned char *bytes = apr_pmemdup(pool, answer.data, answer.len);
    unsigned char *at =
        memmem(bytes, answer.len, constraints, sizeof(constraints));

    ck_assert_ptr_nonnull(at);
    at[sizeof(constraints)] ^= 1; /* no SEQUENCE any more */
    answer.data = bytes;
    assert_refused(answer, OCSPX_CAUSE_CHAIN_NOT_CA, "CN=Lower");
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

/* The key and the name are right, but not what the leaf says of the key. */
START_TEST(other_key_id)
{
    pki_t *odd = make(
        &(pki_spec_t){.cn = "Lower", .ca = 1, .use_key = lower->key}, upper);
    ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();

    ASN1_OCTET_STRING_set(id, (const unsigned char *)"odd", 3);
    ck_assert_int_eq(X509_add1_ext_i2d(odd->cert, NID_subject_key_identifier,
                                       id, 0, X509V3_ADD_REPLACE),
                     1);
    ASN1_OCTET_STRING_free(id);
    ck_assert_int_gt(X509_sign(odd->cert, upper->key, EVP_sha256()), 0);
    assert_refused(der(odd), OCSPX_CAUSE_CHAIN_REFUSED,
                   "CN=Lower does not bear the key identifier that CN=leaf "
                   "names");
}
END_TEST

START_TEST(expired)
{
    pki_t *old = make(&(pki_spec_t){.cn = "Lower",
                                    .ca = 1,
                                    .use_key = lower->key,
                                    .ca_issuers = "http://upper/",
                                    .not_after = START - DAYS(1)},
                      upper);
    pki_t *early = make(&(pki_spec_t){.cn = "Lower",
                                      .ca = 1,
                                      .use_key = lower->key,
                                      .not_before = START + DAYS(1)},
                        upper);

    assert_refused(der(old), OCSPX_CAUSE_CHAIN_EXPIRED, "CN=Lower expired at");
    assert_refused(bundle(old, upper, NULL), OCSPX_CAUSE_CHAIN_EXPIRED,
                   "CN=Lower expired at");
    assert_refused(der(early), OCSPX_CAUSE_CHAIN_EXPIRED, "not valid before");
}
END_TEST

/* What only shows in the whole chain is the judge's to say. */
START_TEST(not_for_this_name)
{
    pki_t *limited =
        make(&(pki_spec_t){.cn = "Lower",
                           .ca = 1,
                           .use_key = lower->key,
                           .constraints = "permitted;DNS:other.test"},
             root);

    assert_refused(der(limited), OCSPX_CAUSE_CHAIN_NOT_CA,
                   "CN=Lower does not allow a name of CN=leaf");
}
END_TEST

START_TEST(endless_chain)
{
    pki_t *cas[OCSPX_REPAIR_MAX + 2] = {root};
    X509 *all[OCSPX_REPAIR_MAX + 1];
    ocspx_repair_try_t *attempt;
    int i;

    for (i = 1; i <= OCSPX_REPAIR_MAX + 1; i++)
        cas[i] = make_ca(apr_psprintf(pool, "%d", i), "http://up/", cas[i - 1]);
    repair_of(make_leaf("http://up/", cas[i - 1]));
    attempt = begin();
    for (i = OCSPX_REPAIR_MAX + 1; i > 2; i--)
        ck_assert_int_eq(ask(attempt, "http://up/", der(cas[i])),
                         OCSPX_REPAIR_MORE);
    ck_assert_int_eq(ask(attempt, "http://up/", der(cas[2])),
                     OCSPX_REPAIR_REFUSED);
    ck_assert_int_eq(said_cause, OCSPX_CAUSE_CHAIN_MISSING);
    assert_says(said, "; more than 4 are not added");
    ck_assert_ptr_null(ocspx_repair_next(attempt));
    for (i = 1; i <= OCSPX_REPAIR_MAX + 1; i++)
        all[i - 1] = cas[i]->cert;
    ck_assert_int_eq(ask(begin(), "http://up/",
                         encoded_bundle(all, OCSPX_REPAIR_MAX + 1, pool)),
                     OCSPX_REPAIR_REFUSED);

    /* just as many do, whatever is configured */
    serve(cas[OCSPX_REPAIR_MAX + 1]);
    attempt = begin();
    for (i = OCSPX_REPAIR_MAX; i > 1; i--)
        ask(attempt, "http://up/", der(cas[i]));
    ck_assert_int_eq(ask(attempt, "http://up/", der(cas[1])),
                     OCSPX_REPAIR_COMPLETE);
    assert_complete(attempt, "5 4 3 2 1");
}
END_TEST

/* A bundle that leads round in a circle ends. */
START_TEST(circle)
{
    pki_t *back = make(&(pki_spec_t){.cn = "Upper",
                                     .ca = 1,
                                     .use_key = upper->key,
                                     .ca_issuers = "http://lower/"},
                       lower);

    trust_in(make_ca("Other root", NULL, NULL), NULL);
    ck_assert_int_eq(ask(begin(), "http://lower/", bundle(lower, back, lower)),
                     OCSPX_REPAIR_MORE);
}
END_TEST

/* Anybody can have a CA of his own certify the key of a public one. */
START_TEST(public_leaf_needs_a_known_root)
{
    pki_t *evil = make_ca("Evil", NULL, NULL);
    pki_t *fake = make(
        &(pki_spec_t){.cn = "Lower", .ca = 1, .use_key = lower->key}, evil);
    ASN1_OCTET_STRING *scts = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext =
        X509_EXTENSION_create_by_NID(NULL, NID_ct_precert_scts, 0, scts);

    ck_assert_int_eq(ask(begin(), "http://lower/", der(fake)),
                     OCSPX_REPAIR_COMPLETE);
    ck_assert_int_eq(X509_add_ext(leaf->cert, ext, -1), 1);
    ck_assert_int_gt(X509_sign(leaf->cert, lower->key, EVP_sha256()), 0);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(scts);
    repair_of(leaf);
    assert_refused(der(fake), OCSPX_CAUSE_CHAIN_REFUSED,
                   "the chain ends at CN=Lower, issued by CN=Evil");
    assert_refused(bundle(fake, evil, NULL), OCSPX_CAUSE_CHAIN_REFUSED,
                   "CN=Evil");
}
END_TEST

START_TEST(nothing_to_ask)
{
    ocspx_repair_try_t *attempt;

    now = START + DAYS(400);
    attempt = begin();
    ck_assert_ptr_null(ocspx_repair_next(attempt));
    ck_assert_int_eq(attempt->cause, OCSPX_CAUSE_CHAIN_EXPIRED);
    assert_says(attempt->message, "CN=leaf expired at");
    now = START;
    repair_of(make(&(pki_spec_t){.cn = "leaf", .not_after = START + DAYS(10)},
                   lower));
    attempt = begin();
    ck_assert_ptr_null(ocspx_repair_next(attempt));
    ck_assert_int_eq(attempt->cause, OCSPX_CAUSE_CHAIN_MISSING);
    assert_says(attempt->message, "CN=Lower");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("repair_refused");
    TCase *tc = tcase_create("repair_refused");

    tcase_add_checked_fixture(tc, set_the_scene, strike_the_scene);
    tcase_add_test(tc, no_certificate);
    tcase_add_test(tc, another_certificate);
    tcase_add_test(tc, wrong_key);
    tcase_add_test(tc, wrong_key_without_ids);
    tcase_add_test(tc, not_a_ca);
    tcase_add_test(tc, damaged_extension);
    tcase_add_test(tc, other_key_id);
    tcase_add_test(tc, expired);
    tcase_add_test(tc, not_for_this_name);
    tcase_add_test(tc, endless_chain);
    tcase_add_test(tc, circle);
    tcase_add_test(tc, public_leaf_needs_a_known_root);
    tcase_add_test(tc, nothing_to_ask);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
