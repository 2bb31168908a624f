/* test_refresh_unrepaired: what is missing cannot be had, or is refused. */
#include "mending.h"

static void assert_unrepaired(const char *message)
{
    ck_assert(serves_nothing());
    ck_assert_int_eq(repair->repaired, 0);
    ck_assert_ptr_null(cert->issuer);
    ck_assert_str_eq(kept(), "");
    ck_assert_msg(!strncmp(state_of(0).message, message, strlen(message)), "%s",
                  state_of(0).message);
    ck_assert_ptr_null(strstr(network.history, "http://one/"));
    assert_not_logged("OCSPX0022");
}

/* What comes from the second address. */
static encoded_t lie(int i)
{
    switch (i) {
    case 0:
        return encoded_of("<html>", 6, pool);
    case 1:
        return encoded_der(upper->cert, pool);
    case 2:
        return encoded_der(
            make_cert((pki_spec_t){.cn = "CA", .ca = 1}, upper)->cert, pool);
    case 3:
        return encoded_der(
            make_cert((pki_spec_t){.cn = "CA", .use_key = ca->key}, upper)
                ->cert,
            pool);
    default:
        return encoded_der(make_cert((pki_spec_t){.cn = "CA",
                                                  .ca = 1,
                                                  .use_key = ca->key,
                                                  .not_after = START - 1},
                                     upper)
                               ->cert,
                           pool);
    }
}

static const struct {
    ocspx_cause_e cause;
    const char *message;
} lies[] = {
    {OCSPX_CAUSE_CHAIN_NOT_CERT,
     CA_URL2 ": the answer holds no certificate in PEM, DER or PKCS #7 form"},
    {OCSPX_CAUSE_CHAIN_REFUSED, CA_URL2 ": CN=Upper is there instead of CN=CA"},
    {OCSPX_CAUSE_CHAIN_WRONG_KEY, CA_URL2 ": CN=CA has the name of the issuer"},
    {OCSPX_CAUSE_CHAIN_NOT_CA, CA_URL2 ": CN=CA, which signed CN=leaf, is no"},
    {OCSPX_CAUSE_CHAIN_EXPIRED, CA_URL2 ": CN=CA expired at"},
};

START_TEST(lies_change_nothing)
{
    ocspx_refresh_t *refresh = make_mender();
    int i;

    fail_to(CA_URL, OCSPX_CAUSE_RESP_TIMEOUT, 0);
    answer_to(CA_URL2, lie(_i));
    turn(refresh);
    ck_assert_str_eq(ocspx_cause_code(state_of(0).cause),
                     ocspx_cause_code(lies[_i].cause));
    assert_unrepaired(lies[_i].message);
    ck_assert_uint_eq(ocspx_refresh_untried(refresh), 0);
    assert_logged(apr_psprintf(pool, "OCSPX0010: leaf.test: %s: " CA_URL2 ": ",
                               ocspx_cause_code(lies[_i].cause)));
    assert_logged("; its chain stays incomplete, not stapled; next try in ");

    /* told once, tried again, and in the end it works */
    for (i = 2; i < 5; i++) {
        step_to_due(refresh);
        ck_assert_uint_eq(state_of(0).failures, (unsigned)i);
    }
    assert_unrepaired(lies[_i].message);
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 1);
    answer_to(CA_URL2, whole_bundle());
    answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).due, SECONDS(1000));
    step_to_due(refresh);
    ck_assert(serves_answer());
    ck_assert_uint_eq(state_of(0).failures, 0);
    assert_logged("OCSPX0022");
    assert_logged("OCSPX0013: leaf.test: recovered after 4 failures since ");
}
END_TEST

static const struct {
    ocspx_cause_e cause;
    int http_status;
} failures[] = {
    {OCSPX_CAUSE_CONNECT_REFUSED, 0}, {OCSPX_CAUSE_RESP_TIMEOUT, 0},
    {OCSPX_CAUSE_INTERCEPTED, 200},   {OCSPX_CAUSE_RESP_TOO_LARGE, 200},
    {OCSPX_CAUSE_RESP_HTTP, 404},
};

START_TEST(failures_are_named)
{
    fail_to(CA_URL, failures[_i].cause, failures[_i].http_status);
    fail_to(CA_URL2, failures[_i].cause, failures[_i].http_status);
    turn(make_mender());
    ck_assert_uint_eq(state_of(0).cause, failures[_i].cause);
    ck_assert_uint_eq(state_of(0).http_status,
                      (unsigned)failures[_i].http_status);
    assert_unrepaired(CA_URL2 ": no such luck");
}
END_TEST

START_TEST(half_repaired_is_not)
{
    ocspx_refresh_t *refresh = make_mender();

    answer_to_with(CA_URL, ca);
    fail_to(UPPER_URL, OCSPX_CAUSE_RESP_HTTP, 404);
    turn(refresh);
    assert_unrepaired(UPPER_URL ": no such luck");
    ck_assert_str_eq(network.history, " " CA_URL " " UPPER_URL);
}
END_TEST

START_TEST(nobody_to_ask)
{
    now = START + SECONDS(8650000);
    turn(make_mender());
    ck_assert_int_eq(network.asked, 0);
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_CHAIN_EXPIRED);
    assert_unrepaired("CN=leaf expired at");
}
END_TEST

static apr_status_t no_start(ocspx_fetch_t *fetch,
                             const ocspx_fetch_question_t *question,
                             ocspx_fetch_done_fn *done, void *baton)
{
    (void)fetch;
    (void)question;
    (void)done;
    (void)baton;
    return APR_ENOTIMPL;
}

START_TEST(cannot_be_asked)
{
    network.vtable.start = no_start;
    turn(make_mender());
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_BAD_URL);
    assert_unrepaired(CA_URL2 ": cannot be asked");
}
END_TEST

/* One at a time at each host. */
static ocspx_refresh_t *make_slow_refresher(void)
{
    make_refresher();
    config.max_per_host = 1;
    return ocspx_refresh_make(&config, NULL, pool);
}

/* A dead CA says nothing about the responders. */
START_TEST(others_do_not_suffer)
{
    pki_t *other =
        make_cert((pki_spec_t){.cn = "other", .ocsp_urls = "http://one/"}, ca);
    ocspx_cert_t *good;

    fail_to(CA_URL, OCSPX_CAUSE_CONNECT_REFUSED, 0);
    fail_to(CA_URL2, OCSPX_CAUSE_CONNECT_REFUSED, 0);
    ck_assert_int_eq(ocspx_cert_make(&good, other->cert, ca->cert, pool),
                     APR_SUCCESS);
    add(cert, repair);
    add(good, NULL);
    turn(make_slow_refresher());
    ck_assert_uint_eq(state_of(0).failures, 1);
    ck_assert_int_ne(state_of(1).tried, 0);
}
END_TEST

#define CROWD 5

/* Certificates of one CA. */
static int tried_of_crowd(const char *ocsp_urls, int with_issuer)
{
    int tried = 0;
    unsigned i;

    for (i = 0; i < CROWD; i++) {
        pki_t *one = make_cert((pki_spec_t){.cn = "one",
                                            .ocsp_urls = ocsp_urls,
                                            .ca_issuers = CA_URL " " CA_URL2},
                               ca);
        ocspx_cert_t *of = make_unissued(one);
        ocspx_repair_t *by = make_repair(of);

        if (with_issuer)
            ck_assert_int_eq(ocspx_cert_make(&of, one->cert, ca->cert, pool),
                             APR_SUCCESS);
        add(of, by);
    }
    turn(make_slow_refresher());
    for (i = 0; i < CROWD; i++)
        tried += state_of(i).tried != 0;
    return tried;
}

static const struct {
    ocspx_cause_e cause;
    int http_status;
    const char *ocsp_urls;
    int with_issuer;
    int tried;
} cas[] = {
    /* one probes, and one more by lot */
    {OCSPX_CAUSE_CONNECT_REFUSED, 0, "http://one/", 0, 2},
    {OCSPX_CAUSE_RESP_HTTP, 503, NULL, 0, 2},
    {OCSPX_CAUSE_RESP_HTTP, 404, "http://one/", 0, CROWD},
    {OCSPX_CAUSE_CONNECT_REFUSED, 0, NULL, 1, 2},
    {OCSPX_CAUSE_RESP_HTTP, 404, NULL, 1, CROWD},
    {OCSPX_CAUSE_CONNECT_REFUSED, 0, "http://one/", 1, CROWD},
};

START_TEST(broken_ca_is_left_alone)
{
    fail_to(CA_URL, cas[_i].cause, cas[_i].http_status);
    fail_to(CA_URL2, cas[_i].cause, cas[_i].http_status);
    ck_assert_int_eq(tried_of_crowd(cas[_i].ocsp_urls, cas[_i].with_issuer),
                     cas[_i].tried);
}
END_TEST

/* What counts is who was asked last, and they must have been asked. */
START_TEST(dead_responder_behind_a_good_ca)
{
    answer_to(CA_URL, whole_bundle());
    fail_to("http://one/", OCSPX_CAUSE_CONNECT_REFUSED, 0);
    ck_assert_int_eq(tried_of_crowd("http://one/", 0), 2);
}
END_TEST

START_TEST(dead_responder_and_a_bad_ca)
{
    fail_to(CA_URL, OCSPX_CAUSE_RESP_HTTP, 404);
    fail_to(CA_URL2, OCSPX_CAUSE_RESP_HTTP, 404);
    fail_to("http://one/", OCSPX_CAUSE_CONNECT_REFUSED, 0);
    ck_assert_int_eq(tried_of_crowd("http://one/", 1), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("refresh_unrepaired");
    TCase *tc = tcase_create("refresh_unrepaired");

    tcase_add_checked_fixture(tc, set_up_mending, tear_down);
    tcase_add_loop_test(tc, lies_change_nothing, 0,
                        (int)(sizeof(lies) / sizeof(lies[0])));
    tcase_add_loop_test(tc, failures_are_named, 0,
                        (int)(sizeof(failures) / sizeof(failures[0])));
    tcase_add_test(tc, half_repaired_is_not);
    tcase_add_test(tc, nobody_to_ask);
    tcase_add_test(tc, cannot_be_asked);
    tcase_add_test(tc, others_do_not_suffer);
    tcase_add_loop_test(tc, broken_ca_is_left_alone, 0,
                        (int)(sizeof(cas) / sizeof(cas[0])));
    tcase_add_test(tc, dead_responder_behind_a_good_ca);
    tcase_add_test(tc, dead_responder_and_a_bad_ca);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
