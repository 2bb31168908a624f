/* test_repair: what is taken to complete a chain. */
#include "repair_scene.h"

/* --- what can be repaired -------------------------------------------- */

static int possible(void)
{
    const ocspx_chain_question_t question = {
        .served = repair.served, .trust = &trust, .now = now};
    ocspx_chain_t chain;

    ocspx_chain_judge(&chain, &question, pool);
    return ocspx_repair_possible(&chain);
}

START_TEST(what_is_possible)
{
    ck_assert_int_eq(possible(), 1);
    serve(make_ca("Lower", NULL, root));
    ck_assert_int_eq(possible(), 1); /* wrong key */
    serve(lower);
    ck_assert_int_eq(possible(), 1);
    serve(upper);
    ck_assert_int_eq(possible(), 0);
    repair_of(make_leaf(NULL, lower));
    ck_assert_int_eq(possible(), 0);
    repair_of(make_leaf("ldap://lower/", lower));
    ck_assert_int_eq(possible(), 0);
}
END_TEST

/* --- what is taken --------------------------------------------------- */

START_TEST(one_level)
{
    ocspx_repair_try_t *attempt;
    BIO *pem = BIO_new(BIO_s_mem());

    repair_of(make_leaf("http://upper/", upper));
    attempt = begin();
    ck_assert_int_eq(ask(attempt, "http://upper/", der(upper)),
                     OCSPX_REPAIR_COMPLETE);
    assert_complete(attempt, "Upper");
    ck_assert_str_eq(apr_array_pstrcat(pool, attempt->sources, ' '),
                     "http://upper/");
    attempt = begin();
    ck_assert_int_eq(PEM_write_bio_X509(pem, upper->cert), 1);
    ck_assert_int_eq(ask(attempt, "http://upper/", encoded_bio(pem, pool)),
                     OCSPX_REPAIR_COMPLETE);
    assert_complete(attempt, "Upper");
    attempt = begin();
    ck_assert_int_eq(ask(attempt, "http://upper/", bundle(root, upper, leaf)),
                     OCSPX_REPAIR_COMPLETE);
    assert_complete(attempt, "Upper");
}
END_TEST

START_TEST(two_levels)
{
    ocspx_repair_try_t *attempt = begin();

    ck_assert_int_eq(ask(attempt, "http://lower/", der(lower)),
                     OCSPX_REPAIR_MORE);
    ck_assert_int_eq(ask(attempt, "http://upper/", text("junk")),
                     OCSPX_REPAIR_REFUSED);
    ck_assert_int_eq(ask(attempt, "http://upper2/", der(upper)),
                     OCSPX_REPAIR_COMPLETE);
    assert_complete(attempt, "Lower Upper");
    ck_assert_str_eq(apr_array_pstrcat(pool, attempt->sources, ' '),
                     "http://lower/ http://upper2/");
}
END_TEST

START_TEST(urls_run_out)
{
    ocspx_repair_try_t *attempt = begin();

    ask(attempt, "http://lower/", text("junk"));
    ask(attempt, "http://lower2/", text("junk"));
    ask(attempt, "http://lower3/", text("junk"));
    ck_assert_ptr_null(ocspx_repair_next(attempt));
    ck_assert_ptr_null(ocspx_repair_next(attempt));
}
END_TEST

/* In any order, with others among them, and without the root. */
START_TEST(whole_bundle)
{
    ocspx_repair_try_t *attempt = begin();

    ck_assert_int_eq(ask(attempt, "http://lower/", bundle(upper, root, lower)),
                     OCSPX_REPAIR_COMPLETE);
    assert_complete(attempt, "Lower Upper");
}
END_TEST

/* Of several with the same key, the one that leads somewhere. */
START_TEST(cross_signed)
{
    pki_t *stranger = make_ca("Stranger", NULL, NULL);
    pki_t *other = make(&(pki_spec_t){.cn = "Lower",
                                      .ca = 1,
                                      .use_key = lower->key,
                                      .ca_issuers = "http://stranger/"},
                        stranger);
    pki_t *direct = make(
        &(pki_spec_t){.cn = "Lower", .ca = 1, .use_key = lower->key}, root);
    pki_t *expired = make(&(pki_spec_t){.cn = "Lower",
                                        .ca = 1,
                                        .use_key = lower->key,
                                        .not_after = START - DAYS(1)},
                          root);
    encoded_t answers[] = {bundle(other, direct, expired),
                           bundle(direct, expired, other),
                           bundle(expired, other, direct)};

    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        ocspx_repair_try_t *attempt = begin();

        ck_assert_int_eq(ask(attempt, "http://lower/", answers[i]),
                         OCSPX_REPAIR_COMPLETE);
        ck_assert_int_eq(
            X509_cmp(APR_ARRAY_IDX(attempt->path, 1, X509 *), direct->cert), 0);
    }
}
END_TEST

/* None is better than the other: the first. */
START_TEST(equals)
{
    pki_t *one = make(
        &(pki_spec_t){.cn = "Lower", .ca = 1, .use_key = lower->key}, root);
    pki_t *two = make(
        &(pki_spec_t){.cn = "Lower", .ca = 1, .use_key = lower->key}, root);
    ocspx_repair_try_t *attempt = begin();

    ask(attempt, "http://lower/", bundle(two, one, NULL));
    ck_assert_int_eq(
        X509_cmp(APR_ARRAY_IDX(attempt->path, 1, X509 *), two->cert), 0);
}
END_TEST

/* The first of two is good, and where to get a better second is known. */
START_TEST(half_of_a_bundle)
{
    pki_t *old = make(&(pki_spec_t){.cn = "Upper",
                                    .ca = 1,
                                    .use_key = upper->key,
                                    .not_after = START - DAYS(1)},
                      root);
    ocspx_repair_try_t *attempt = begin();

    ck_assert_int_eq(ask(attempt, "http://lower/", bundle(lower, old, NULL)),
                     OCSPX_REPAIR_MORE);
    ck_assert_int_eq(ask(attempt, "http://upper/", der(upper)),
                     OCSPX_REPAIR_COMPLETE);
    assert_complete(attempt, "Lower Upper");
}
END_TEST

/* Neither a warning nor a namesake of what is missing is an obstacle. */
START_TEST(other_findings)
{
    ocspx_repair_try_t *attempt;

    leaf = make(&(pki_spec_t){.cn = "leaf",
                              .not_after = START + DAYS(10),
                              .ca_issuers = "http://lower/"},
                lower);
    repair_of(leaf);
    trust_in(root, make_ca("Lower", NULL, NULL));
    attempt = begin();
    ck_assert_int_eq(ask(attempt, "http://lower/", bundle(upper, lower, NULL)),
                     OCSPX_REPAIR_COMPLETE);
    assert_complete(attempt, "Lower Upper");
}
END_TEST

/* --- roots that are not known here ----------------------------------- */

START_TEST(private_root)
{
    ocspx_repair_try_t *attempt;

    trust_in(NULL, NULL);
    attempt = begin();
    ask(attempt, "http://lower/", der(lower));
    ask(attempt, "http://upper/", der(upper));
    /* to be had as well, and without it nobody could tell that it is one */
    ck_assert_int_eq(ask(attempt, "http://root/", der(root)),
                     OCSPX_REPAIR_COMPLETE);
    assert_complete(attempt, "Lower Upper Root");
    upper = make_ca("Upper", NULL, root);
    lower = make_ca("Lower", "http://upper/", upper);
    repair_of(make_leaf("http://lower/", lower));
    attempt = begin();
    ck_assert_int_eq(ask(attempt, "http://lower/", bundle(root, upper, lower)),
                     OCSPX_REPAIR_COMPLETE);
    assert_complete(attempt, "Lower Upper");
    /* where all roots are known, there is no such thing */
    trust.all = 1;
    attempt = begin();
    ask(attempt, "http://lower/", der(lower));
    ck_assert_int_eq(ask(attempt, "http://upper/", der(upper)),
                     OCSPX_REPAIR_REFUSED);
    ck_assert_int_eq(said_cause, OCSPX_CAUSE_CHAIN_MISSING);
}
END_TEST

/* --- what is configured ---------------------------------------------- */

START_TEST(configured_in_part)
{
    ocspx_repair_try_t *attempt;

    serve(make_ca("Lower", NULL, root)); /* wrong key */
    serve(root);
    serve(lower);
    attempt = begin();
    ck_assert_str_eq(names_of(attempt->path), "leaf Lower");
    ck_assert_int_eq(attempt->configured, 2);
    ck_assert_int_eq(ask(attempt, "http://upper/", der(upper)),
                     OCSPX_REPAIR_COMPLETE);
    assert_complete(attempt, "Lower Upper");
    ck_assert_int_eq(
        X509_cmp(APR_ARRAY_IDX(attempt->path, 1, X509 *), lower->cert), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("repair");
    TCase *tc = tcase_create("repair");

    tcase_add_checked_fixture(tc, set_the_scene, strike_the_scene);
    tcase_add_test(tc, what_is_possible);
    tcase_add_test(tc, one_level);
    tcase_add_test(tc, two_levels);
    tcase_add_test(tc, urls_run_out);
    tcase_add_test(tc, whole_bundle);
    tcase_add_test(tc, cross_signed);
    tcase_add_test(tc, equals);
    tcase_add_test(tc, half_of_a_bundle);
    tcase_add_test(tc, other_findings);
    tcase_add_test(tc, private_root);
    tcase_add_test(tc, configured_in_part);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
