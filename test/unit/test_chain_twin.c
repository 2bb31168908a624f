/* test_chain_twin: certificates with the right name, but another key. */
#include "chain_scene.h"

#include <openssl/x509v3.h>

static pki_t *twin;      /* of ca: the same name and issuer, its own key */
static pki_t *bare;      /* a CA without key identifiers, */
static pki_t *bare_twin; /* its twin, */
static pki_t *bare_leaf; /* and what the former has signed */

static pki_t *make_bare(const char *cn, int is_ca, const pki_t *issuer)
{
    return make((pki_spec_t){.cn = cn,
                             .ca = is_ca,
                             .no_key_ids = 1,
                             .ca_issuers = "http://ca.test/"},
                issuer);
}

static void set_up_twins(void)
{
    set_up();
    twin = make((pki_spec_t){.cn = "CA", .ca = 1, .serial = 0x7e57}, root);
    leaf =
        make((pki_spec_t){.cn = "leaf", .ca_issuers = "http://ca.test/"}, ca);
    bare = make_bare("Bare", 1, root);
    bare_twin = make_bare("Bare", 1, root);
    bare_leaf = make_bare("bare leaf", 0, bare);
}

START_TEST(other_key_by_identifier)
{
    judge(leaf, twin, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_WRONG_KEY, OCSPX_CAUSE_ERROR, "CN=CA",
                "CN=CA (serial 7e57, issued by CN=Root), which is sent, has "
                "the name of the issuer of CN=leaf, but not its key ");
    ck_assert_ptr_eq(out.gap, leaf->cert);
    ck_assert_str_eq(APR_ARRAY_IDX(out.urls, 0, const char *),
                     "http://ca.test/");
    expect_remedy(0, "Take it out of the file and append the issuer's "
                     "certificate");
    expect_remedy(0, "curl -gfsSo issuer.der 'http://ca.test/'");
}
END_TEST

START_TEST(other_key_by_signature)
{
    judge(bare_leaf, bare_twin, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_WRONG_KEY, OCSPX_CAUSE_ERROR, "CN=Bare",
                "has the name of the issuer of CN=bare leaf, but not its key");
    ck_assert_ptr_eq(out.gap, bare_leaf->cert);
    ck_assert_int_eq(out.urls->nelts, 1);
    judge(bare_leaf, bare, NULL);
    expect_good();
}
END_TEST

/* With the same key identifier, as CAs make them that count their keys. */
START_TEST(other_key_under_the_same_identifier)
{
    ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();

    ASN1_STRING_set(id, "a key of 22 characters", 22);
    for (int i = 0; i < 2; i++) {
        pki_t *of = i == 0 ? bare : bare_twin;

        X509_add1_ext_i2d(of->cert, NID_subject_key_identifier, id, 0, 0);
        ck_assert_int_gt(X509_sign(of->cert, root->key, EVP_sha256()), 0);
    }
    ASN1_OCTET_STRING_free(id);
    bare_leaf = make((pki_spec_t){.cn = "bare leaf"}, bare);
    judge(bare_leaf, bare_twin, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_WRONG_KEY, OCSPX_CAUSE_ERROR, "CN=Bare",
                "but not its key 61206b6579206f6620323220636861726163"
                "7465...");
    judge(bare_leaf, bare, NULL);
    expect_good();
}
END_TEST

/* Its own faults, and what is above it, need no words. */
START_TEST(only_the_twin_is_reported)
{
    pki_t *upper = make_ca("Upper", root);
    pki_t *old = make((pki_spec_t){.cn = "CA",
                                   .ca = 1,
                                   .not_before = now - 9 * DAY,
                                   .not_after = now - DAY},
                      upper);
    pki_t *bare_old = make((pki_spec_t){.cn = "Bare",
                                        .no_key_ids = 1,
                                        .not_before = now - 9 * DAY,
                                        .not_after = now - DAY},
                           upper);

    judge(leaf, old, upper, NULL);
    expect_only(OCSPX_CAUSE_CHAIN_WRONG_KEY, OCSPX_CAUSE_ERROR, "CN=CA", "");
    judge(bare_leaf, bare_old, upper, NULL);
    expect_only(OCSPX_CAUSE_CHAIN_WRONG_KEY, OCSPX_CAUSE_ERROR, "CN=Bare", "");
    judge(leaf, twin, root, NULL);
    expect_only(OCSPX_CAUSE_CHAIN_WRONG_KEY, OCSPX_CAUSE_ERROR, "CN=CA", "");
}
END_TEST

START_TEST(trusted_twin)
{
    pki_t *other = make_ca("CA", NULL);
    pki_t *bare_other =
        make((pki_spec_t){.cn = "Bare", .ca = 1, .no_key_ids = 1}, NULL);

    trust_only(other, bare_other, NULL);
    judge(leaf, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_WRONG_KEY, OCSPX_CAUSE_ERROR, "CN=CA",
                "issued by CN=CA), which is trusted, has the name");
    ck_assert_ptr_eq(out.gap, leaf->cert);
    expect_remedy(0, "Append the issuer's certificate");
    judge(bare_leaf, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_WRONG_KEY, OCSPX_CAUSE_ERROR, "CN=Bare",
                "issued by CN=Bare), which is trusted, has the name");
    ck_assert_ptr_eq(out.gap, bare_leaf->cert);
}
END_TEST

/* Key identifiers lead clients past the twin: it is only superfluous. */
START_TEST(twin_beside_the_issuer)
{
    judge(leaf, twin, ca, NULL);
    expect_complete(1);
    expect_only(OCSPX_CAUSE_CHAIN_EXTRA, OCSPX_CAUSE_WARNING, "CN=CA",
                "CN=CA (serial 7e57, issued by CN=Root) has signed none");
    judge(bare_leaf, bare, bare_twin, NULL);
    expect_complete(1);
    expect_only(OCSPX_CAUSE_CHAIN_EXTRA, OCSPX_CAUSE_WARNING, "CN=Bare", "");
}
END_TEST

/* Without them the first is taken, and nothing is missing. */
START_TEST(twin_before_the_issuer)
{
    judge(bare_leaf, bare_twin, bare, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_WRONG_KEY, OCSPX_CAUSE_ERROR, "CN=Bare",
                "which is sent first, has the name of the issuer");
    expect_remedy(0, "the one that really signed is sent, too");
    ck_assert_ptr_null(out.gap);
}
END_TEST

/* A CA has certified its new key with the old one: both are needed. */
START_TEST(old_key_before_the_new_one)
{
    pki_t *renewed = make_ca("CA", ca);
    pki_t *end = make_bare("leaf", 0, renewed);

    judge(end, ca, renewed, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_WRONG_KEY, OCSPX_CAUSE_ERROR, "CN=CA",
                "issued by CN=Root), which is sent first");
    expect_remedy(0, "Put it behind the one that really signed");
    judge(end, renewed, ca, NULL);
    expect_good();
}
END_TEST

START_TEST(trusted_twin_before_the_issuer)
{
    pki_t *other =
        make((pki_spec_t){.cn = "Bare", .ca = 1, .no_key_ids = 1}, NULL);

    trust_only(other, root, NULL);
    judge(bare_leaf, bare, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_WRONG_KEY, OCSPX_CAUSE_ERROR, "CN=Bare",
                "issued by CN=Bare), which is trusted, has the name");
    expect_remedy(0, "Take it out of the trusted");
    ck_assert_ptr_null(out.gap);
    judge(bare_leaf, bare, other, NULL);
    expect_only(OCSPX_CAUSE_CHAIN_WRONG_KEY, OCSPX_CAUSE_ERROR, "CN=Bare",
                "which is trusted");
}
END_TEST

/* The one with the right key is trusted, but another one is sent. */
START_TEST(trusted_issuer_and_twin)
{
    trust_only(root, ca, bare, NULL);
    judge(leaf, twin, NULL);
    expect_complete(1);
    expect_only(OCSPX_CAUSE_CHAIN_EXTRA, OCSPX_CAUSE_WARNING, "CN=CA", "");
    judge(bare_leaf, bare_twin, NULL);
    expect_complete(1);
    expect_only(OCSPX_CAUSE_CHAIN_EXTRA, OCSPX_CAUSE_WARNING, "CN=Bare", "");
}
END_TEST

/* A private root was renewed with a new key; its intermediate was not. */
START_TEST(twin_of_a_private_root)
{
    pki_t *renewed = make_ca("Root", NULL);

    trust_only(make_ca("Public", NULL), NULL);
    trust.all = 0;
    judge(leaf, ca, renewed, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_WRONG_KEY, OCSPX_CAUSE_ERROR, "CN=Root",
                "which is sent, has the name of the issuer of CN=CA");
    ck_assert_ptr_eq(out.gap, ca->cert);
}
END_TEST

/* The name of the issuer, but nothing that can be understood. */
START_TEST(damaged_issuer)
{
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext;

    ASN1_STRING_set(value, "no such thing", 13);
    ext = X509_EXTENSION_create_by_NID(NULL, NID_name_constraints, 0, value);
    X509_add_ext(ca->cert, ext, -1);
    ck_assert_int_gt(X509_sign(ca->cert, root->key, EVP_sha256()), 0);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(value);
    judge(leaf, ca, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_REFUSED, OCSPX_CAUSE_ERROR, "CN=CA",
                "no issuer of CN=leaf: the extensions or the key of CN=CA "
                "cannot be read");
    ck_assert_ptr_eq(out.gap, leaf->cert);
    judge(ca, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_REFUSED, OCSPX_CAUSE_ERROR, "CN=CA",
                "no issuer of CN=CA: its extensions cannot be read");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("chain twin");
    TCase *tc = tcase_create("twins");

    tcase_add_checked_fixture(tc, set_up_twins, tear_down);
    tcase_add_test(tc, other_key_by_identifier);
    tcase_add_test(tc, other_key_by_signature);
    tcase_add_test(tc, other_key_under_the_same_identifier);
    tcase_add_test(tc, only_the_twin_is_reported);
    tcase_add_test(tc, trusted_twin);
    tcase_add_test(tc, twin_beside_the_issuer);
    tcase_add_test(tc, twin_before_the_issuer);
    tcase_add_test(tc, old_key_before_the_new_one);
    tcase_add_test(tc, trusted_twin_before_the_issuer);
    tcase_add_test(tc, trusted_issuer_and_twin);
    tcase_add_test(tc, twin_of_a_private_root);
    tcase_add_test(tc, damaged_issuer);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
