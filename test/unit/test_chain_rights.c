/* test_chain_rights: who may do what, with which keys and signatures. */
#include "chain_scene.h"

/* A leaf below such an intermediate. */
static void judge_below(pki_spec_t spec, const char *names)
{
    pki_t *middle;

    spec.cn = "Middle";
    middle = make(spec, root);
    judge(make((pki_spec_t){.cn = "leaf", .names = names}, middle), middle,
          NULL);
}

static void expect_no_ca(const char *words)
{
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_NOT_CA, OCSPX_CAUSE_ERROR, "CN=Middle",
                words);
}

START_TEST(not_a_ca)
{
    judge_below((pki_spec_t){.ca = 0}, NULL);
    expect_no_ca("CN=Middle, which signed CN=leaf, is not a CA certificate");
    judge_below((pki_spec_t){.ca = 1, .key_usage = "cRLSign"}, NULL);
    expect_no_ca("has a key usage without keyCertSign");
    judge_below((pki_spec_t){.ca = 1, .eku = "clientAuth"}, NULL);
    expect_no_ca("has an extended key usage that excludes TLS servers");
    judge_below((pki_spec_t){.ca = 1, .eku = "serverAuth"}, NULL);
    expect_good();
}
END_TEST

START_TEST(path_length)
{
    pki_t *top = make((pki_spec_t){.cn = "Top", .ca = 1, .pathlen = "0"}, root);
    pki_t *middle = make_ca("Middle", top);

    judge(make_leaf(top), top, NULL);
    expect_good();
    judge(make_leaf(middle), middle, top, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_NOT_CA, OCSPX_CAUSE_ERROR, "CN=Top",
                "CN=Top allows for 0 CA certificates below it");
}
END_TEST

START_TEST(path_length_and_purpose)
{
    pki_t *top = make(
        (pki_spec_t){.cn = "Top", .ca = 1, .pathlen = "0", .eku = "clientAuth"},
        root);
    pki_t *middle = make_ca("Middle", top);

    judge(make_leaf(middle), middle, top, NULL);
    expect_only(OCSPX_CAUSE_CHAIN_NOT_CA, OCSPX_CAUSE_ERROR, "CN=Top",
                "extended key usage");
}
END_TEST

START_TEST(name_constraints)
{
    const pki_spec_t only_a = {.ca = 1, .constraints = "permitted;DNS:a.test"};
    const pki_spec_t not_b = {.ca = 1, .constraints = "excluded;DNS:b.test"};

    judge_below(only_a, "DNS:www.a.test");
    expect_good();
    judge_below(only_a, "DNS:www.a.test,DNS:www.b.test");
    expect_no_ca("CN=Middle does not allow a name of CN=leaf (name "
                 "constraints: permitted subtree violation)");
    judge_below(not_b, "DNS:www.a.test");
    expect_good();
    judge_below(not_b, "DNS:www.b.test");
    expect_no_ca("excluded subtree violation");
}
END_TEST

/* Without a DNS name the common name counts as one. */
START_TEST(name_constraint_on_the_common_name)
{
    pki_t *middle = make((pki_spec_t){.cn = "Middle",
                                      .ca = 1,
                                      .constraints = "permitted;DNS:a.test"},
                         root);

    judge(make((pki_spec_t){.cn = "www.a.test"}, middle), middle, NULL);
    expect_good();
    judge(make((pki_spec_t){.cn = "www.b.test"}, middle), middle, NULL);
    expect_no_ca("does not allow a name of CN=www.b.test");
}
END_TEST

/* The CA that forbids it is named, not another one that has constraints. */
START_TEST(name_constraints_of_two)
{
    pki_t *top = make((pki_spec_t){.cn = "Top",
                                   .ca = 1,
                                   .constraints = "permitted;DNS:a.test"},
                      root);
    pki_t *middle = make((pki_spec_t){.cn = "Middle",
                                      .ca = 1,
                                      .constraints = "permitted;DNS:test"},
                         top);
    pki_t *end =
        make((pki_spec_t){.cn = "leaf", .names = "DNS:b.test"}, middle);

    judge(end, middle, top, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_NOT_CA, OCSPX_CAUSE_ERROR, "CN=Top",
                "CN=Top does not allow a name of CN=leaf");
    middle =
        make((pki_spec_t){.cn = "Middle", .ca = 1, .names = "DNS:b.test"}, top);
    end = make((pki_spec_t){.cn = "leaf", .names = "DNS:b.test"}, middle);
    judge(end, middle, top, NULL);
    expect_only(OCSPX_CAUSE_CHAIN_NOT_CA, OCSPX_CAUSE_ERROR, "CN=Top", "");
}
END_TEST

START_TEST(not_for_servers)
{
    judge(make((pki_spec_t){.cn = "leaf", .eku = "clientAuth"}, ca), ca, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_NOT_SERVER, OCSPX_CAUSE_ERROR, "CN=leaf",
                "CN=leaf has an extended key usage without serverAuth");
    judge(make((pki_spec_t){.cn = "leaf", .key_usage = "nonRepudiation"}, ca),
          ca, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_NOT_SERVER, OCSPX_CAUSE_ERROR, "CN=leaf",
                "CN=leaf has a key usage that excludes TLS");
    judge(make((pki_spec_t){.cn = "leaf", .eku = "clientAuth,serverAuth"}, ca),
          ca, NULL);
    expect_good();
}
END_TEST

/* --- strength ------------------------------------------------------------ */

START_TEST(weak_signature)
{
    pki_t *rsa = make((pki_spec_t){.cn = "RSA", .ca = 1, .key = PKI_RSA}, root);
    pki_t *sha1 = make((pki_spec_t){.cn = "leaf", .md = EVP_sha1()}, ca);

    judge(sha1, ca, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_WEAK, OCSPX_CAUSE_ERROR, "CN=leaf",
                "CN=leaf is signed with ecdsa-with-SHA1");
    judge(make((pki_spec_t){.cn = "leaf", .md = EVP_md5()}, rsa), rsa, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_WEAK, OCSPX_CAUSE_ERROR, "CN=leaf",
                "is signed with md5WithRSAEncryption");
    judge(make((pki_spec_t){.cn = "leaf", .md = EVP_sha512()}, rsa), rsa, NULL);
    expect_good();
}
END_TEST

/* Nobody relies on the signature of a root. */
START_TEST(weak_signature_of_the_root)
{
    pki_t *old =
        make((pki_spec_t){.cn = "Old", .ca = 1, .md = EVP_sha1()}, NULL);

    trust_only(old, NULL);
    judge(make_leaf(old), NULL);
    expect_good();
}
END_TEST

START_TEST(weak_key)
{
    pki_t *small =
        make((pki_spec_t){.cn = "Small", .ca = 1, .key = PKI_RSA, .bits = 1024},
             root);

    judge(make((pki_spec_t){.cn = "leaf", .key = PKI_RSA, .bits = 1024}, ca),
          ca, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_WEAK, OCSPX_CAUSE_ERROR, "CN=leaf",
                "CN=leaf has a key of only 1024 bits (rsaEncryption)");
    judge(make_leaf(small), small, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_WEAK, OCSPX_CAUSE_ERROR, "CN=Small",
                "CN=Small has a key of only 1024 bits (rsaEncryption)");
}
END_TEST

START_TEST(weak_in_both_ways)
{
    judge(make(
              (pki_spec_t){
                  .cn = "leaf", .key = PKI_RSA, .bits = 1024, .md = EVP_sha1()},
              ca),
          ca, NULL);
    expect_complete(0);
    expect_only(OCSPX_CAUSE_CHAIN_WEAK, OCSPX_CAUSE_ERROR, "CN=leaf",
                "has a key of only 1024 bits (rsaEncryption) and is signed "
                "with ecdsa-with-SHA1");
}
END_TEST

/* OpenSSL does not look at the signature of the last where the root is
 * missing; here clients refuse what it lets pass. */
START_TEST(weak_below_a_gap)
{
    pki_t *weak =
        make((pki_spec_t){.cn = "Weak", .ca = 1, .md = EVP_sha1()}, root);

    judge(make((pki_spec_t){.cn = "leaf", .md = EVP_sha1()}, ca), NULL);
    expect_count(2);
    ck_assert(has(OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR));
    ck_assert(has(OCSPX_CAUSE_CHAIN_WEAK, OCSPX_CAUSE_ERROR));
    judge(make((pki_spec_t){.cn = "leaf", .key = PKI_RSA, .bits = 1024}, ca),
          NULL);
    expect_count(2);
    ck_assert(has(OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR));
    ck_assert(has(OCSPX_CAUSE_CHAIN_WEAK, OCSPX_CAUSE_ERROR));
    trust_only(make_ca("Public", NULL), NULL);
    trust.all = 0;
    second_opinion = 0;
    judge(make_leaf(weak), weak, NULL);
    expect_complete(0);
    expect_count(2);
    expect_at(0, OCSPX_CAUSE_CHAIN_WEAK, OCSPX_CAUSE_ERROR, "CN=Weak",
              "is signed with ecdsa-with-SHA1");
}
END_TEST

static TCase *rights(void)
{
    TCase *tc = tcase_create("rights");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, not_a_ca);
    tcase_add_test(tc, path_length);
    tcase_add_test(tc, path_length_and_purpose);
    tcase_add_test(tc, name_constraints);
    tcase_add_test(tc, name_constraint_on_the_common_name);
    tcase_add_test(tc, name_constraints_of_two);
    tcase_add_test(tc, not_for_servers);
    return tc;
}

static TCase *strength(void)
{
    TCase *tc = tcase_create("strength");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, weak_signature);
    tcase_add_test(tc, weak_signature_of_the_root);
    tcase_add_test(tc, weak_key);
    tcase_add_test(tc, weak_in_both_ways);
    tcase_add_test(tc, weak_below_a_gap);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("chain rights");

    suite_add_tcase(suite, rights());
    suite_add_tcase(suite, strength());
    return ocspx_check_main(suite);
}
