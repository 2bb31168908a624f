/* test_chain_hostile: chains that nobody in their right mind sends. */
#include "chain_scene.h"

#include <openssl/x509v3.h>

#define MANY 100
#define QUICK_MS 5000 /* thousandfold, for slow machines and sanitizers */

/* --- chains by chance ---------------------------------------------------- */

#define RUNS 3000
#define SENT_MAX 6
#define AUTHORITIES 14
#define LEAVES 6

static unsigned dice;
static pki_t *authorities[AUTHORITIES];
static pki_t *leaves[LEAVES];

/* The same chains in every run. */
static unsigned roll(unsigned sides)
{
    dice = dice * 1103515245U + 12345U;
    return (dice >> 16) % sides;
}

static pki_t *odd_ca(const char *cn, const pki_t *key, const pki_t *by,
                     pki_spec_t spec)
{
    spec.cn = cn;
    spec.use_key = key ? key->key : NULL;
    return make(spec, by);
}

/* Few names and keys, so that everything gets mixed up with everything. */
static void make_authorities(void)
{
    const pki_spec_t plain = {.ca = 1};
    const pki_spec_t bare = {.ca = 1, .no_key_ids = 1};
    const pki_spec_t url = {.ca = 1, .ca_issuers = "http://ca.test/"};
    const pki_spec_t old = {
        .ca = 1, .not_before = now - 9 * DAY, .not_after = now - DAY};
    const pki_spec_t none = {.ca = 0};
    pki_t **a = authorities;

    a[0] = odd_ca("A", NULL, NULL, plain);
    a[1] = odd_ca("B", NULL, NULL, plain);
    a[2] = odd_ca("A", NULL, NULL, bare);
    a[3] = odd_ca("C", NULL, a[0], plain);
    a[4] = odd_ca("C", a[3], a[1], url);
    a[5] = odd_ca("C", NULL, a[0], bare);
    a[6] = odd_ca("C", a[3], a[0], old);
    a[7] = odd_ca("A", a[0], a[1], plain);
    a[8] = odd_ca("B", a[1], a[0], url);
    a[9] = odd_ca("D", NULL, a[3], bare);
    a[10] = odd_ca("D", NULL, a[5], bare);
    a[11] = odd_ca("D", a[9], a[3], none);
    a[12] = odd_ca("A", a[0], NULL, old);
    a[13] = odd_ca("D", a[9], a[2],
                   (pki_spec_t){.ca = 1, .pathlen = "0", .md = EVP_sha1()});
}

static void make_leaves(void)
{
    const pki_t *const issuers[LEAVES] = {authorities[3],  authorities[9],
                                          authorities[10], authorities[0],
                                          authorities[5],  NULL};

    for (int i = 0; i < LEAVES; i++) {
        leaves[i] = make((pki_spec_t){.cn = i % 2 ? "leaf" : "C",
                                      .no_key_ids = i == 2 || i == 4,
                                      .ca_issuers = i < 2 ? "http://a/" : NULL},
                         issuers[i]);
    }
}

static void roll_question(void)
{
    apr_array_header_t *served = apr_array_make(pool, 6, sizeof(X509 *));

    make_store();
    for (unsigned n = 1 + roll(3); n > 0; n--)
        add_root(authorities[roll(AUTHORITIES)]);
    APR_ARRAY_PUSH(served, X509 *) = leaves[roll(LEAVES)]->cert;
    for (unsigned n = roll(SENT_MAX); n > 0; n--) {
        APR_ARRAY_PUSH(served, X509 *) =
            roll(12) ? authorities[roll(AUTHORITIES)]->cert
                     : leaves[roll(LEAVES)]->cert;
    }
    trust.all = (int)roll(2);
    question.served = served;
}

/* OpenSSL's own verdict, without a callback. */
static int is_accepted(X509_STORE *store, unsigned long flags)
{
    STACK_OF(X509) *sent = sk_X509_new_null();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_VERIFY_PARAM *param;
    int ok;

    for (int i = 0; i < question.served->nelts; i++)
        sk_X509_push(sent, APR_ARRAY_IDX(question.served, i, X509 *));
    X509_STORE_CTX_init(ctx, store, sk_X509_value(sent, 0), sent);
    X509_STORE_CTX_set_default(ctx, "ssl_server");
    param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_auth_level(param, 2);
    X509_VERIFY_PARAM_set_time(param, (time_t)apr_time_sec(now));
    X509_VERIFY_PARAM_set_flags(param, flags);
    ok = X509_verify_cert(ctx) == 1;
    X509_STORE_CTX_free(ctx);
    sk_X509_free(sent);
    ERR_clear_error();
    return ok;
}

/* Does one of those sent, trusted, make it acceptable? */
static int is_accepted_privately(void)
{
    for (int i = 1; i < question.served->nelts; i++) {
        make_store();
        X509_STORE_add_cert(trust.roots,
                            APR_ARRAY_IDX(question.served, i, X509 *));
        if (is_accepted(trust.roots, X509_V_FLAG_PARTIAL_CHAIN))
            return 1;
    }
    return 0;
}

static int is_sent(const X509 *cert)
{
    for (int i = 0; i < question.served->nelts; i++)
        if (APR_ARRAY_IDX(question.served, i, X509 *) == cert)
            return 1;
    return 0;
}

static void check_verdict(int run)
{
    int strict = is_accepted(trust.roots, 0);

    ck_assert_msg(!out.complete || ocspx_chain_worst(&out) < OCSPX_CAUSE_ERROR,
                  "run %d: %s", run, listing());
    ck_assert_msg(!out.gap || is_sent(out.gap), "run %d: %s", run, listing());
    if (has(OCSPX_CAUSE_CHAIN_PRIVATE, OCSPX_CAUSE_INFO)) {
        ck_assert_msg(!strict, "run %d: %s", run, listing());
        ck_assert_msg(!out.complete || is_accepted_privately(), "run %d: %s",
                      run, listing());
    } else {
        ck_assert_msg(out.complete == strict, "run %d: openssl says %d, %s",
                      run, strict, listing());
    }
}

START_TEST(by_chance)
{
    int complete = 0;

    second_opinion = 0;
    make_authorities();
    make_leaves();
    for (int run = 0; run < RUNS; run++) {
        roll_question();
        judge_again();
        complete += out.complete;
        check_verdict(run);
    }
    ck_assert_int_gt(complete, RUNS / 30);
    ck_assert_int_lt(complete, RUNS / 2);
}
END_TEST

/* --- too many ------------------------------------------------------------ */

static apr_array_header_t *crowd;

/* A leaf first, then what is pushed. */
static void start_crowd(const pki_t *end)
{
    crowd = apr_array_make(pool, MANY, sizeof(X509 *));
    APR_ARRAY_PUSH(crowd, X509 *) = end->cert;
    question.served = crowd;
}

static void push(const pki_t *of)
{
    APR_ARRAY_PUSH(crowd, X509 *) = of->cert;
}

static void judge_quickly(void)
{
    long begin = procs_ms();

    judge_again();
    ck_assert_int_lt(procs_ms() - begin, QUICK_MS);
}

START_TEST(same_name_other_keys)
{
    start_crowd(make((pki_spec_t){.cn = "leaf", .no_key_ids = 1}, ca));
    for (int i = 1; i < MANY; i++)
        push(make((pki_spec_t){.cn = "CA", .ca = 1, .no_key_ids = 1}, NULL));
    judge_quickly();
    expect_complete(0);
    expect_count(MANY - 1);
    expect_at(0, OCSPX_CAUSE_CHAIN_WRONG_KEY, OCSPX_CAUSE_ERROR, "CN=CA", "");
    expect_at(1, OCSPX_CAUSE_CHAIN_EXTRA, OCSPX_CAUSE_WARNING, "CN=CA", "");
}
END_TEST

START_TEST(same_name_same_key)
{
    start_crowd(leaf);
    for (int i = 1; i < MANY; i++)
        push(make((pki_spec_t){.cn = "CA", .ca = 1, .use_key = ca->key}, ca));
    judge_quickly();
    expect_complete(0);
    start_crowd(leaf);
    for (int i = 1; i < MANY; i++)
        push(make((pki_spec_t){.cn = "CA", .ca = 1, .use_key = ca->key}, root));
    judge_quickly();
    expect_good();
}
END_TEST

/* Without names and identifiers, only signatures tell who is whose issuer. */
START_TEST(nameless_chain)
{
    const pki_spec_t nameless = {.cn = "", .ca = 1, .no_key_ids = 1};
    pki_t *chain[MANY];

    chain[0] = make(nameless, NULL);
    for (int i = 1; i < MANY; i++)
        chain[i] = make(nameless, chain[i - 1]);
    start_crowd(chain[MANY - 1]);
    for (int i = MANY - 2; i >= 0; i--)
        push(chain[i]);
    judge_quickly();
    expect_complete(0);
    start_crowd(
        make((pki_spec_t){.cn = "leaf", .no_key_ids = 1}, chain[MANY - 2]));
    for (int i = MANY - 2; i >= 0; i--)
        push(chain[i]);
    judge_quickly();
    expect_complete(0);
}
END_TEST

/* Depth 100 is OpenSSL's limit. */
START_TEST(long_chain)
{
    pki_t *issuer = root;

    crowd = apr_array_make(pool, MANY, sizeof(X509 *));
    for (int i = 0; i <= MANY + 1; i++) {
        issuer = make_ca(apr_psprintf(pool, "CA %d", i), issuer);
        if (i == MANY - 1 || i == MANY + 1) {
            apr_array_header_t *below = crowd;

            start_crowd(make_leaf(issuer));
            push(issuer);
            for (int k = below->nelts - 1; k >= 0; k--)
                APR_ARRAY_PUSH(crowd, X509 *) = APR_ARRAY_IDX(below, k, X509 *);
            judge_quickly();
            expect_complete(i == MANY - 1);
            crowd = below;
        }
        push(issuer);
    }
    expect_only(OCSPX_CAUSE_CHAIN_REFUSED, OCSPX_CAUSE_ERROR, "CN=CA 1",
                "certificate chain too long");
}
END_TEST

START_TEST(circles)
{
    pki_t *a[10];

    for (int i = 0; i < 10; i++)
        a[i] = make_ca(apr_psprintf(pool, "CA %d", i), NULL);
    start_crowd(make_leaf(a[0]));
    for (int i = 0; i < 10; i++)
        for (int k = 0; k < 10; k++)
            if (i != k)
                push(make((pki_spec_t){.cn = apr_psprintf(pool, "CA %d", i),
                                       .ca = 1,
                                       .use_key = a[i]->key},
                          a[k]));
    judge_quickly();
    expect_complete(0);
    ck_assert(has(OCSPX_CAUSE_CHAIN_MISSING, OCSPX_CAUSE_ERROR));
    trust.all = 0;
    judge_again();
    expect_complete(1);
    trust_only(a[7], NULL);
    judge_quickly();
    expect_complete(1);
}
END_TEST

/* --- nonsense ------------------------------------------------------------ */

START_TEST(hostile_names)
{
    static const char evil[] = "a\nb\r\x1b[31m' >> /etc/passwd\xc3\xbc%s%n";
    pki_t *middle = make(
        (pki_spec_t){.cn = evil, .ca = 1, .ca_issuers = "http://a/%s%n"}, root);
    pki_t *twin = make_ca(evil, root);

    second_opinion = 0;
    trust_only(make_ca("Public", NULL), NULL);
    judge(make((pki_spec_t){.cn = evil, .names = "DNS:a"}, middle), twin,
          middle, middle, make((pki_spec_t){.cn = "", .ca = 1}, root), NULL);
    ck_assert_int_gt(out.findings->nelts, 2);
}
END_TEST

START_TEST(absurd_dates)
{
    const apr_time_t last = apr_time_from_sec(APR_INT64_C(253402300799));

    judge(make((pki_spec_t){.cn = "leaf",
                            .not_before = apr_time_from_sec(-62135596800),
                            .not_after = last},
               ca),
          ca, NULL);
    expect_good();
    judge(make((pki_spec_t){.cn = "leaf",
                            .not_before = last,
                            .not_after = apr_time_from_sec(-1)},
               ca),
          ca, NULL);
    expect_only(OCSPX_CAUSE_CHAIN_EXPIRED, OCSPX_CAUSE_ERROR, "CN=leaf",
                "expired at 1969-12-31T23:59:59Z");
    question.now = last;
    judge_again();
    expect_complete(0);
    question.now = -1;
    judge_again();
    expect_complete(0);
    ASN1_STRING_set(X509_getm_notBefore(leaf->cert), "", 0);
    ck_assert_int_gt(X509_sign(leaf->cert, ca->key, EVP_sha256()), 0);
    second_opinion = 0;
    judge(leaf, NULL);
    expect_complete(0);
}
END_TEST

static TCase *nonsense(void)
{
    TCase *tc = tcase_create("nonsense");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, by_chance);
    tcase_add_test(tc, hostile_names);
    tcase_add_test(tc, absurd_dates);
    return tc;
}

static TCase *too_many(void)
{
    TCase *tc = tcase_create("too many");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, same_name_other_keys);
    tcase_add_test(tc, same_name_same_key);
    tcase_add_test(tc, nameless_chain);
    tcase_add_test(tc, long_chain);
    tcase_add_test(tc, circles);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("chain hostile");

    suite_add_tcase(suite, nonsense());
    suite_add_tcase(suite, too_many());
    return ocspx_check_main(suite);
}
