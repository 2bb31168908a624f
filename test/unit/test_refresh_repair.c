/* test_refresh_repair: the refresher completes a chain before it asks for a
 * response.
 */
#include "mending.h"

/* --- it works -------------------------------------------------------- */

START_TEST(repaired_and_stapled_at_once)
{
    ocspx_refresh_t *refresh = make_mender();

    ck_assert_uint_eq(ocspx_refresh_untried(refresh), 1);
    answer_to(CA_URL, whole_bundle());
    turn(refresh);
    ck_assert(serves_answer());
    ck_assert_str_eq(network.history, " " CA_URL " http://one/");
    ck_assert_str_eq(kept(), " CA Upper");
    ck_assert_int_eq(repair->repaired, 1);
    ck_assert_uint_eq(state_of(0).failures, 0);
    ck_assert_uint_eq(state_of(0).requests, 2);
    ck_assert_uint_eq(ocspx_refresh_untried(refresh), 0);
    ck_assert_int_gt(state_of(0).due, now);
    ck_assert_int_eq(lines[OCSPX_LOG_NOTICE], 1);
    ck_assert_int_eq(lines[OCSPX_LOG_INFO], 1);
    assert_logged(apr_psprintf(
        pool,
        "OCSPX0022: leaf.test: CHAIN_MISSING: repaired: CN=CA and CN=Upper "
        "were fetched from " CA_URL " and are kept in %s; append that file to "
        "/etc/leaf.pem to make it last; sent to clients from the next start "
        "or reload on\n",
        kept_file()));
    assert_logged("OCSPX0014: leaf.test: stapled until");

    /* and that was all */
    answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).due, SECONDS(1000));
    step_to_due(refresh);
    ck_assert(serves_answer());
    ck_assert_str_eq(network.history, " " CA_URL " http://one/ http://one/");
}
END_TEST

START_TEST(two_levels)
{
    repair->file = NULL;
    answer_to_with(CA_URL, ca);
    answer_to_with(UPPER_URL, upper);
    turn(make_mender());
    ck_assert(serves_answer());
    ck_assert_str_eq(network.history, " " CA_URL " " UPPER_URL " http://one/");
    ck_assert_str_eq(kept(), " CA Upper");
    assert_logged("CN=CA and CN=Upper were fetched from " CA_URL
                  " and " UPPER_URL " and are kept in ");
    assert_logged("append that file to the certificate's file to make it");
}
END_TEST

START_TEST(configured_in_part)
{
    APR_ARRAY_PUSH(repair->served, X509 *) = ca->cert;
    answer_to_with(UPPER_URL, upper);
    turn(make_mender());
    ck_assert_str_eq(network.history, " " UPPER_URL " http://one/");
    ck_assert_str_eq(kept(), " CA Upper");
    assert_logged("repaired: CN=Upper was fetched from " UPPER_URL
                  " and is kept in ");
    assert_logged("put that file in place of what follows the certificate in "
                  "/etc/leaf.pem to make it last");
}
END_TEST

START_TEST(second_url)
{
    fail_to(CA_URL, OCSPX_CAUSE_CONNECT_REFUSED, 0);
    answer_to(CA_URL2, whole_bundle());
    turn(make_mender());
    ck_assert(serves_answer());
    ck_assert_str_eq(network.history, " " CA_URL " " CA_URL2 " http://one/");
    ck_assert_uint_eq(state_of(0).failures, 0);
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 0);
}
END_TEST

START_TEST(how_it_is_asked)
{
    policy.proxy = "http://proxy:3128";
    policy.timeout = SECONDS(7);
    policy.method = OCSPX_FETCH_POST;
    fail_to(CA_URL, OCSPX_CAUSE_DNS, 0);
    fail_to(CA_URL2, OCSPX_CAUSE_DNS, 0);
    turn(make_mender());
    ck_assert_str_eq(network.last.url, CA_URL2);
    ck_assert_ptr_null(network.last.request);
    ck_assert_str_eq(network.last.proxy, "http://proxy:3128");
    ck_assert_int_eq(network.last.timeout, SECONDS(7));
    ck_assert_uint_eq(network.last.max_size, OCSPX_RESPONSE_SIZE_MAX);
}
END_TEST

START_TEST(response_file_after_the_repair)
{
    const char *path = apr_pstrcat(pool, dir, "/file", NULL);

    policy.response_file = path;
    pki_write_file(path, network.answer.body, network.answer.body_len);
    answer_to(CA_URL, whole_bundle());
    turn(make_mender());
    ck_assert(serves_answer());
    ck_assert_str_eq(network.history, " " CA_URL);
    ck_assert_uint_eq(state_of(0).source, OCSPX_CACHE_FILE);
}
END_TEST

/* --- the store ------------------------------------------------------- */

START_TEST(without_a_store)
{
    config.store = NULL;
    answer_to(CA_URL, whole_bundle());
    turn(make_mender());
    ck_assert(serves_answer());
    assert_not_logged("OCSPX0022");
    assert_logged(
        "OCSPX0025: leaf.test: CHAIN_MISSING: CN=CA and CN=Upper were "
        "fetched from " CA_URL ", but not kept: ");
}
END_TEST

START_TEST(store_is_lost)
{
    ck_assert_int_eq(rmdir(dir), 0);
    answer_to(CA_URL, whole_bundle());
    turn(make_mender());
    ck_assert(serves_answer());
    assert_not_logged("OCSPX0022");
    assert_logged("OCSPX0025");
    assert_logged("OCSPX0015: STORE_UNWRITABLE: cannot create ");
    ck_assert_uint_eq(state_of(0).failures, 0);
}
END_TEST

/* That the response can be kept does not hide it. */
START_TEST(repair_cannot_be_kept)
{
    ck_assert_int_eq(mkdir(kept_file(), 0700), 0);
    answer_to(CA_URL, whole_bundle());
    turn(make_mender());
    ck_assert(serves_answer());
    assert_logged("OCSPX0025");
    assert_logged("OCSPX0015: STORE_UNWRITABLE: cannot write ");
    assert_not_logged("OCSPX0016");
}
END_TEST

/* --- nothing but a repair -------------------------------------------- */

static void assert_idle(ocspx_refresh_t *refresh)
{
    int asked = network.asked;
    int i;

    ck_assert_uint_eq(ocspx_refresh_untried(refresh), 0);
    for (i = 0; i < 10; i++) {
        now += SECONDS(86400);
        ck_assert_uint_eq(ocspx_refresh_turn(refresh, SECONDS(3600)), 0);
    }
    ck_assert_int_eq(network.asked, asked);
}

START_TEST(repair_only)
{
    ocspx_refresh_t *refresh;

    make_leaf(NULL);
    refresh = make_mender();
    ck_assert_uint_eq(ocspx_refresh_untried(refresh), 1);
    answer_to(CA_URL, whole_bundle());
    turn(refresh);
    ck_assert_str_eq(network.history, " " CA_URL);
    ck_assert_str_eq(kept(), " CA Upper");
    ck_assert_uint_eq(state_of(0).failures, 0);
    ck_assert_int_eq(state_of(0).due, 0);
    assert_logged("OCSPX0022");
    ck_assert_int_eq(times_logged("OCSPX"), 1);
    assert_idle(refresh);

    /* nor has another process anything to do */
    assert_idle(ocspx_refresh_make(&config, NULL, pool));
    now = START;
    start_afresh();
    assert_idle(make_mender());
    assert_not_logged("stapled");
}
END_TEST

START_TEST(repair_only_fails)
{
    ocspx_refresh_t *refresh;

    make_leaf(NULL);
    fail_to(CA_URL, OCSPX_CAUSE_RESP_HTTP, 404);
    fail_to(CA_URL2, OCSPX_CAUSE_RESP_HTTP, 404);
    refresh = make_mender();
    turn(refresh);
    ck_assert_uint_eq(ocspx_refresh_untried(refresh), 0);
    assert_logged("OCSPX0010: leaf.test: RESP_HTTP: " CA_URL2
                  ": no such luck; its chain stays incomplete; next try in ");
    step_to_due(refresh);
    ck_assert_uint_eq(state_of(0).failures, 2);
    answer_to(CA_URL, whole_bundle());
    step_to_due(refresh);
    assert_logged("OCSPX0013: leaf.test: recovered after 2 failures since ");
    assert_logged("; its chain is repaired\n");
    assert_not_logged("stapled");
    assert_idle(refresh);
}
END_TEST

START_TEST(repair_only_is_to_be_kept)
{
    ocspx_refresh_t *refresh;

    make_leaf(NULL);
    ck_assert_int_eq(chmod(dir, 0700), 0);
    ck_assert_int_eq(mkdir(kept_file(), 0700), 0);
    answer_to(CA_URL, whole_bundle());
    refresh = make_mender();
    turn(refresh);
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_STORE_UNWRITABLE);
    ck_assert_int_eq(repair->repaired, 0);
    assert_not_logged("OCSPX0022");
    ck_assert_int_eq(rmdir(kept_file()), 0);
    step_to_due(refresh);
    ck_assert_str_eq(kept(), " CA Upper");
    assert_logged("OCSPX0016");
    assert_idle(refresh);
}
END_TEST

/* --- the issuer is known, the rest of the chain is missing ----------- */

START_TEST(stapling_does_not_wait)
{
    ocspx_refresh_t *refresh;

    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
    repair->cert = cert;
    fail_to(CA_URL, OCSPX_CAUSE_RESP_HTTP, 404);
    fail_to(CA_URL2, OCSPX_CAUSE_RESP_HTTP, 404);
    refresh = make_mender();
    turn(refresh);
    ck_assert(serves_answer());
    ck_assert_uint_eq(state_of(0).failures, 1);
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_RESP_HTTP);
    assert_logged("RESP_HTTP: " CA_URL2 ": no such luck; its chain stays "
                  "incomplete, stapled until ");
    ck_assert_int_lt(state_of(0).due, now + SECONDS(60));

    /* worse than that is no staple */
    network.answer = (ocspx_fetch_answer_t){
        .cause = OCSPX_CAUSE_RESP_TIMEOUT, .message = "silence", .peer = ""};
    step_to_due(refresh);
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_RESP_TIMEOUT);
    ck_assert_uint_eq(state_of(0).failures, 2);

    answer_to(CA_URL, whole_bundle());
    answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).due, SECONDS(1000));
    step_to_due(refresh);
    ck_assert(serves_answer());
    ck_assert_uint_eq(state_of(0).failures, 0);
    ck_assert_str_eq(kept(), " CA Upper");
    assert_logged("OCSPX0013");
}
END_TEST

START_TEST(revocation_is_told_first)
{
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
    repair->cert = cert;
    fail_to(CA_URL, OCSPX_CAUSE_RESP_HTTP, 404);
    fail_to(CA_URL2, OCSPX_CAUSE_RESP_HTTP, 404);
    answer_with(V_OCSP_CERTSTATUS_REVOKED, now, SECONDS(1000));
    turn(make_mender());
    ck_assert(serves_answer());
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_REVOKED);
    assert_logged("OCSPX0012: leaf.test: REVOKED: ");
}
END_TEST

START_TEST(a_note_is_told_last)
{
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
    repair->cert = cert;
    fail_to(CA_URL, OCSPX_CAUSE_RESP_HTTP, 404);
    fail_to(CA_URL2, OCSPX_CAUSE_RESP_HTTP, 404);
    signer = make_cert((pki_spec_t){.cn = "Signer",
                                    .ocsp_signing = 1,
                                    .not_after = now + SECONDS(500)},
                       ca);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(make_mender());
    ck_assert(serves_answer());
    ck_assert_int_eq(state_of(0).expiry, now + SECONDS(500));
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_RESP_HTTP);
}
END_TEST

/* Nothing to staple, and the issuer makes no difference. */
START_TEST(repair_only_with_issuer)
{
    make_leaf(NULL);
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
    repair->cert = cert;
    fail_to(CA_URL, OCSPX_CAUSE_RESP_HTTP, 404);
    fail_to(CA_URL2, OCSPX_CAUSE_RESP_HTTP, 404);
    turn(make_mender());
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_RESP_HTTP);
    ck_assert_uint_eq(state_of(0).failures, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("refresh_repair");
    TCase *tc = tcase_create("refresh_repair");

    tcase_add_checked_fixture(tc, set_up_mending, tear_down);
    tcase_add_test(tc, repaired_and_stapled_at_once);
    tcase_add_test(tc, two_levels);
    tcase_add_test(tc, configured_in_part);
    tcase_add_test(tc, second_url);
    tcase_add_test(tc, how_it_is_asked);
    tcase_add_test(tc, response_file_after_the_repair);
    tcase_add_test(tc, without_a_store);
    tcase_add_test(tc, store_is_lost);
    tcase_add_test(tc, repair_cannot_be_kept);
    tcase_add_test(tc, repair_only);
    tcase_add_test(tc, repair_only_fails);
    tcase_add_test(tc, repair_only_is_to_be_kept);
    tcase_add_test(tc, stapling_does_not_wait);
    tcase_add_test(tc, revocation_is_told_first);
    tcase_add_test(tc, a_note_is_told_last);
    tcase_add_test(tc, repair_only_with_issuer);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
