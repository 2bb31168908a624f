/* test_load_repair: repairs that were kept from before. */
#include "mending.h"

/* What the processes before this one leave: a repair and a response. */
static void leave_both(void)
{
    answer_to(CA_URL, whole_bundle());
    turn(make_mender());
    ck_assert(serves_answer());
    ck_assert_str_eq(kept(), " CA Upper");
    log_text = network.history = "";
    start_afresh();
}

/* A process that is about to load what there is. */
static void make_loader(void)
{
    add(cert, repair);
    make_config(ocspx_cache_area_size(1));
}

START_TEST(used_at_start_without_a_request)
{
    leave_both();
    make_loader();
    ck_assert(serves_nothing());
    now += SECONDS(100);
    ocspx_load_entry(&config, 0, pool);
    ck_assert(serves_answer());
    ck_assert_int_eq(repair->repaired, 1);
    ck_assert_int_eq(X509_cmp(cert->issuer, ca->cert), 0);
    ck_assert_str_eq(network.history, "");
    assert_logged(apr_psprintf(pool,
                               "OCSPX0023: leaf.test: its chain is completed "
                               "by %s, from an earlier repair",
                               kept_file()));
    ck_assert_int_eq(times_logged("OCSPX"), 1);
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 0);

    /* the refresher of the same process has nothing more to load */
    ocspx_refresh_make(&config, NULL, pool);
    ck_assert_int_eq(times_logged("OCSPX0023"), 1);
}
END_TEST

START_TEST(refresher_takes_it_up)
{
    leave_both();
    turn(make_mender());
    ck_assert_str_eq(network.history, " http://one/");
    ck_assert(serves_answer());
    assert_logged("OCSPX0023");
    assert_not_logged("OCSPX0022");
}
END_TEST

/* Those it leaves alone are another's. */
START_TEST(refresher_leaves_others_alone)
{
    static const unsigned char none[1] = {0};

    leave_both();
    make_loader();
    ocspx_refresh_make(&config, none, pool);
    ck_assert_int_eq(repair->repaired, 0);
    ck_assert_str_eq(log_text, "");
}
END_TEST

START_TEST(tampered_with)
{
    pki_t *twin = make_cert((pki_spec_t){.cn = "CA", .ca = 1}, upper);
    ocspx_refresh_t *refresh;

    leave_both();
    keep(twin, upper);
    refresh = make_mender();
    assert_logged(apr_psprintf(
        pool,
        "OCSPX0024: leaf.test: what was kept to complete its chain is not "
        "used: %s: CHAIN_WRONG_KEY: CN=CA has the name of the issuer of "
        "CN=leaf, but not its key",
        kept_file()));
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 1);
    ck_assert_int_eq(repair->repaired, 0);
    turn(refresh);
    ck_assert_str_eq(network.history, " " CA_URL " http://one/");
    ck_assert_str_eq(kept(), " CA Upper");
    ck_assert_int_eq(X509_cmp(cert->issuer, ca->cert), 0);
    ck_assert(serves_answer());
    assert_logged("OCSPX0022");
}
END_TEST

/* Nothing can be judged without the issuer, and nothing is. */
START_TEST(response_without_its_issuer)
{
    leave_both();
    keep(root, root);
    make_loader();
    ocspx_load_entry(&config, 0, pool);
    ck_assert(serves_nothing());
    ck_assert_int_eq(times_logged("OCSPX"), 1);
    assert_logged("OCSPX0024");
    ck_assert_int_eq(unlink(kept_file()), 0);
    log_text = "";
    ocspx_load_entry(&config, 0, pool);
    ck_assert(serves_nothing());
    ck_assert_str_eq(log_text, "");
}
END_TEST

START_TEST(not_ours)
{
    leave_both();
    ck_assert_int_eq(chmod(kept_file(), 0666), 0);
    make_mender();
    assert_logged("is writable by group or others");
    ck_assert_int_eq(repair->repaired, 0);
}
END_TEST

/* A process that takes over finds the schedule, but not the repair. */
START_TEST(lost_meanwhile)
{
    ocspx_cache_state_t state = {.tried = START,
                                 .this_update = START,
                                 .expiry = START + SECONDS(1000),
                                 .due = START + SECONDS(500)};

    make_loader();
    ocspx_cache_state_set(cache, 0, &state);
    answer_to(CA_URL, whole_bundle());
    turn(ocspx_refresh_make(&config, NULL, pool));
    ck_assert_str_eq(network.history, " " CA_URL " http://one/");
}
END_TEST

/* Unless it has just been tried in vain. */
START_TEST(not_to_be_had)
{
    ocspx_cache_state_t state = {
        .tried = START, .failures = 1, .due = START + SECONDS(5)};

    make_loader();
    ocspx_cache_state_set(cache, 0, &state);
    turn(ocspx_refresh_make(&config, NULL, pool));
    ck_assert_int_eq(network.asked, 0);
}
END_TEST

/* There is no responder, so whatever response lies there is not for us. */
START_TEST(repair_only)
{
    const char *response;

    make_leaf(NULL);
    keep(ca, upper);
    response =
        ocspx_store_file(config.store, OCSPX_STORE_RESPONSE, cert->id, pool);
    pki_write_file(response, "junk", 4);
    ck_assert_int_eq(chmod(response, 0600), 0);
    make_loader();
    ocspx_load_entry(&config, 0, pool);
    ck_assert_int_eq(repair->repaired, 1);
    ck_assert_int_eq(times_logged("OCSPX"), 1);
    assert_logged("OCSPX0023");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("load_repair");
    TCase *tc = tcase_create("load_repair");

    tcase_add_checked_fixture(tc, set_up_mending, tear_down);
    tcase_add_test(tc, used_at_start_without_a_request);
    tcase_add_test(tc, refresher_takes_it_up);
    tcase_add_test(tc, refresher_leaves_others_alone);
    tcase_add_test(tc, tampered_with);
    tcase_add_test(tc, response_without_its_issuer);
    tcase_add_test(tc, not_ours);
    tcase_add_test(tc, lost_meanwhile);
    tcase_add_test(tc, not_to_be_had);
    tcase_add_test(tc, repair_only);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
