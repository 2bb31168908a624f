/* test_chain_leaf: the leaf's names, and the staple it demands. */
#include "chain_scene.h"

#include <openssl/x509v3.h>

static apr_array_header_t *hosts;

static void set_up_hosts(void)
{
    set_up();
    second_opinion = 0;
    hosts = apr_array_make(pool, 4, sizeof(const char *));
    question.hosts = hosts;
}

static void add_host(const char *host)
{
    APR_ARRAY_PUSH(hosts, const char *) = host;
}

/* Does a leaf with these names cover the host? */
static int covers(const char *names, const char *host)
{
    hosts->nelts = 0;
    add_host(host);
    judge(make((pki_spec_t){.cn = "cn.test", .names = names}, ca), ca, NULL);
    expect_complete(1);
    if (out.findings->nelts == 0)
        return 1;
    expect_only(OCSPX_CAUSE_CHAIN_NAME, OCSPX_CAUSE_WARNING, "CN=cn.test",
                host);
    return 0;
}

START_TEST(host_names)
{
    ck_assert(covers("DNS:a.test,DNS:b.test", "b.test"));
    ck_assert(covers("DNS:a.test", "A.Test"));
    ck_assert(!covers("DNS:a.test", "b.a.test"));
    ck_assert(!covers("DNS:a.test", "test"));
    ck_assert(covers("DNS:*.a.test", "www.a.test"));
    ck_assert(!covers("DNS:*.a.test", "a.test"));
    ck_assert(!covers("DNS:*.a.test", "x.www.a.test"));
}
END_TEST

/* The common name counts only where there is no other. */
START_TEST(common_name)
{
    ck_assert(covers(NULL, "cn.test"));
    ck_assert(!covers("DNS:a.test", "cn.test"));
    ck_assert(!covers(NULL, "other.test"));
}
END_TEST

START_TEST(addresses)
{
    ck_assert(covers("IP:192.0.2.1", "192.0.2.1"));
    ck_assert(!covers("IP:192.0.2.1", "192.0.2.2"));
    ck_assert(!covers("DNS:192.0.2.1", "192.0.2.1"));
    ck_assert(covers("IP:2001:db8::1", "2001:db8::1"));
    ck_assert(covers("IP:2001:db8::1", "[2001:DB8:0:0:0:0:0:1]"));
    ck_assert(!covers("IP:2001:db8::1", "[2001:db8::2]"));
    ck_assert(!covers("IP:2001:db8::1", "[]"));
}
END_TEST

START_TEST(patterns)
{
    ck_assert(covers("DNS:*.a.test", "*.a.test"));
    ck_assert(!covers("DNS:www.a.test", "*.a.test"));
    ck_assert(!covers("DNS:a.test", "*.a.test"));
    ck_assert(!covers("DNS:*.a.test", "*.b.a.test"));
    ck_assert(covers("DNS:a.test", "*"));
    ck_assert(covers("DNS:a.test", "*."));
    ck_assert(covers("DNS:a.test", "w*.b.test"));
    ck_assert(covers("DNS:a.test", "*.*.test"));
    ck_assert(covers("DNS:a.test", "www?.test"));
}
END_TEST

START_TEST(one_finding_for_each)
{
    add_host("www.test");
    add_host("a.test");
    add_host("b.test");
    add_host("A.test");
    judge(leaf, ca, NULL);
    expect_count(2);
    expect_at(0, OCSPX_CAUSE_CHAIN_NAME, OCSPX_CAUSE_WARNING, "CN=leaf",
              "CN=leaf does not cover a.test (only www.test)");
    expect_at(1, OCSPX_CAUSE_CHAIN_NAME, OCSPX_CAUSE_WARNING, "CN=leaf",
              "CN=leaf does not cover b.test (only www.test)");
}
END_TEST

START_TEST(names_are_shown)
{
    add_host("x\ny");
    judge(make((pki_spec_t){.cn = "leaf",
                            .names = "IP:192.0.2.1,DNS:a,DNS:b,DNS:c,DNS:d,"
                                     "DNS:e"},
               ca),
          ca, NULL);
    expect_only(OCSPX_CAUSE_CHAIN_NAME, OCSPX_CAUSE_WARNING, "CN=leaf",
                "CN=leaf does not cover x\\x0ay (only a, b, c and 2 more)");
}
END_TEST

/* --- staples ------------------------------------------------------------- */

static void judge_staple(const char *urls, const char *unstapled)
{
    question.unstapled = unstapled;
    judge(make((pki_spec_t){.cn = "leaf", .ocsp_urls = urls, .must_staple = 1},
               ca),
          ca, NULL);
    expect_complete(1);
}

START_TEST(staple_is_off)
{
    judge_staple("http://ocsp.test/", "OCSPXUseStapling is off");
    expect_only(OCSPX_CAUSE_MUST_STAPLE_OFF, OCSPX_CAUSE_ERROR, "CN=leaf",
                "CN=leaf: clients demand a staple for it, but OCSPXUseStapling "
                "is off");
    judge_staple("http://ocsp.test/", NULL);
    expect_good();
    question.unstapled = "OCSPXUseStapling is off";
    judge(leaf, ca, NULL);
    expect_good();
}
END_TEST

START_TEST(no_responder)
{
    judge_staple(NULL, NULL);
    expect_only(OCSPX_CAUSE_MUST_STAPLE_OFF, OCSPX_CAUSE_ERROR, "CN=leaf",
                "a staple for it, but it names no responder to ask");
    expect_remedy(0, "SSLStaplingForceURL");
    judge_staple(NULL, "nobody cares");
    expect_only(OCSPX_CAUSE_MUST_STAPLE_OFF, OCSPX_CAUSE_ERROR, "CN=leaf",
                "but nobody cares");
    judge_staple("ldap://ocsp.test/", NULL);
    expect_good();
}
END_TEST

/* Another TLS feature than status_request. */
START_TEST(other_feature)
{
    TLS_FEATURE *features = TLS_FEATURE_new();
    ASN1_INTEGER *number = ASN1_INTEGER_new();

    ASN1_INTEGER_set(number, 17);
    sk_ASN1_INTEGER_push(features, number);
    X509_add1_ext_i2d(leaf->cert, NID_tlsfeature, features, 0, 0);
    ck_assert_int_gt(X509_sign(leaf->cert, ca->key, EVP_sha256()), 0);
    TLS_FEATURE_free(features);
    question.unstapled = "it is off";
    judge(leaf, ca, NULL);
    expect_good();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("chain leaf");
    TCase *tc = tcase_create("names");

    tcase_add_checked_fixture(tc, set_up_hosts, tear_down);
    tcase_add_test(tc, host_names);
    tcase_add_test(tc, common_name);
    tcase_add_test(tc, addresses);
    tcase_add_test(tc, patterns);
    tcase_add_test(tc, one_finding_for_each);
    tcase_add_test(tc, names_are_shown);
    suite_add_tcase(suite, tc);
    tc = tcase_create("staples");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, staple_is_off);
    tcase_add_test(tc, no_responder);
    tcase_add_test(tc, other_feature);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
