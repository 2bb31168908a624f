/* test_egress: when there is no way out, and that it is told once. */
#include "refresh_scene.h"

#include "../../mod_ocspx/engine/egress.h"

#define HOUR SECONDS(3600)

static ocspx_ledger_t *ledger;
static ocspx_ledger_host_t answers;

/* --- the rule -------------------------------------------------------- */

static void open_ledger(const char *names)
{
    static const unsigned char digest[OCSPX_CERT_DIGEST_LEN];
    apr_array_header_t *hosts = apr_array_make(pool, 4, sizeof(char *));
    char *rest = apr_pstrdup(pool, names);
    char *name;

    while ((name = apr_strtok(rest, " ", &rest)))
        APR_ARRAY_PUSH(hosts, const char *) = name;
    ck_assert_int_eq(ocspx_ledger_create(&ledger, digest, 1, hosts, pool),
                     APR_SUCCESS);
}

static int asking; /* somebody else */

static ocspx_egress_change_e ask(unsigned host, ocspx_cause_e cause)
{
    const ocspx_ledger_attempt_t attempt = {now, 1000, cause, 0};

    ocspx_ledger_note(ledger, 0, host, &attempt, 1);
    ocspx_egress_note(ledger, host, now);
    return ocspx_egress_judge(&answers, ledger, asking, now);
}

static void assert_message(const char *expected)
{
    const char *message = ocspx_egress_message(ledger, pool);

    ck_assert_str_eq(message ? message : "-", expected);
}

/* Not before it is known whether a third one answers. */
START_TEST(two_hosts_that_nobody_reaches)
{
    open_ledger("a.test:80 b.test:443 c.test:80");
    ck_assert_int_eq(ask(0, OCSPX_CAUSE_DNS), OCSPX_EGRESS_UNCHANGED);
    asking = 1;
    ck_assert_int_eq(ask(1, OCSPX_CAUSE_CONNECT_TIMEOUT),
                     OCSPX_EGRESS_UNCHANGED);
    asking = 0;
    ck_assert_int_eq(ocspx_egress_closed(ledger), 0);
    assert_message("-");
    ck_assert_int_eq(ask(1, OCSPX_CAUSE_CONNECT_TIMEOUT), OCSPX_EGRESS_CLOSED);
    ck_assert_int_eq(ocspx_egress_closed(ledger), now);
    assert_message("no responder that was asked can be reached: a.test:80 "
                   "(DNS), b.test:443 "
                   "(CONNECT_TIMEOUT)");
    now += HOUR;
    ck_assert_int_eq(ask(2, OCSPX_CAUSE_CONNECT_REFUSED),
                     OCSPX_EGRESS_UNCHANGED);
    ck_assert_int_eq(ocspx_egress_closed(ledger), now - HOUR);
    assert_message("no responder that was asked can be reached: a.test:80 "
                   "(DNS), b.test:443 "
                   "(CONNECT_TIMEOUT), c.test:80 (CONNECT_REFUSED)");
}
END_TEST

/* Whatever it answers, the way to it is open; and so it stays. */
START_TEST(one_answer_opens)
{
    static const ocspx_cause_e results[] = {
        OCSPX_CAUSE_NONE,         OCSPX_CAUSE_REVOKED,
        OCSPX_CAUSE_RESP_HTTP,    OCSPX_CAUSE_INTERCEPTED,
        OCSPX_CAUSE_PROXY_DENIED, OCSPX_CAUSE_RESP_TIMEOUT};

    unsigned i = (unsigned)_i;

    open_ledger("a.test:80 b.test:80 c.test:80");
    ask(0, OCSPX_CAUSE_DNS);
    ck_assert_int_eq(ask(1, OCSPX_CAUSE_DNS), OCSPX_EGRESS_CLOSED);
    ck_assert_int_eq(ask(i % 3, results[i]), OCSPX_EGRESS_OPENED);
    ck_assert_int_eq(*answers.name, (int)("abc"[i % 3]));
    ck_assert_int_eq(ocspx_egress_closed(ledger), 0);
    assert_message("-");
    ck_assert_int_eq(ask((i + 1) % 3, OCSPX_CAUSE_DNS), OCSPX_EGRESS_UNCHANGED);
    ck_assert_int_eq(ask(i % 3, results[i]), OCSPX_EGRESS_UNCHANGED);
}
END_TEST

START_TEST(a_working_one_beside_dead_ones)
{
    open_ledger("a.test:80 b.test:80 c.test:80");
    ask(2, OCSPX_CAUSE_NONE);
    now += HOUR;
    ask(0, OCSPX_CAUSE_DNS);
    ck_assert_int_eq(ask(1, OCSPX_CAUSE_DNS), OCSPX_EGRESS_UNCHANGED);
    now += 1; /* it says nothing of now any more */
    ck_assert_int_eq(ask(1, OCSPX_CAUSE_DNS), OCSPX_EGRESS_CLOSED);
}
END_TEST

/* A second responder of some certificate, asked once, long ago. */
START_TEST(a_failure_of_long_ago_says_nothing)
{
    open_ledger("a.test:80 b.test:80 c.test:80");
    ask(0, OCSPX_CAUSE_DNS);
    now += HOUR + 1;
    ck_assert_int_eq(ask(1, OCSPX_CAUSE_DNS), OCSPX_EGRESS_UNCHANGED);
    ck_assert_int_eq(ask(2, OCSPX_CAUSE_DNS), OCSPX_EGRESS_CLOSED);
    assert_message("no responder that was asked can be reached: b.test:80 "
                   "(DNS), c.test:80 "
                   "(DNS)");
}
END_TEST

START_TEST(two_ports_are_one_host)
{
    open_ledger("a.test:80 a.test:8080 [::1]:80 [::1]:81 a.tes:80");
    ask(0, OCSPX_CAUSE_CONNECT_REFUSED);
    ck_assert_int_eq(ask(1, OCSPX_CAUSE_CONNECT_REFUSED),
                     OCSPX_EGRESS_UNCHANGED);
    now += HOUR + 1;
    ask(2, OCSPX_CAUSE_CONNECT_REFUSED);
    ck_assert_int_eq(ask(3, OCSPX_CAUSE_CONNECT_REFUSED),
                     OCSPX_EGRESS_UNCHANGED);
    now += HOUR + 1;
    ask(0, OCSPX_CAUSE_CONNECT_REFUSED);
    ck_assert_int_eq(ask(4, OCSPX_CAUSE_CONNECT_REFUSED), OCSPX_EGRESS_CLOSED);
}
END_TEST

/* What is not asked over the network (a response file) says nothing. */
START_TEST(who_was_never_asked_says_nothing)
{
    const ocspx_ledger_attempt_t read = {now, 0, OCSPX_CAUSE_NONE, 0};

    open_ledger("/some/file a.test:80 b.test:80");
    ocspx_ledger_note(ledger, 0, 0, &read, 0);
    ask(1, OCSPX_CAUSE_DNS);
    ck_assert_int_eq(ask(2, OCSPX_CAUSE_DNS), OCSPX_EGRESS_CLOSED);
}
END_TEST

START_TEST(ten_hosts_are_named)
{
    const char *names = "";
    const char *message;

    for (int i = 0; i < 13; i++)
        names = apr_psprintf(pool, "%s h%d:80", names, i);
    open_ledger(names);
    for (unsigned i = 0; i < 13; i++)
        ask(i, OCSPX_CAUSE_DNS);
    message = ocspx_egress_message(ledger, pool);
    ck_assert_ptr_nonnull(strstr(message, "h9:80 (DNS) and 3 more"));
    ck_assert_ptr_null(strstr(message, "h10:80"));
}
END_TEST

START_TEST(it_explains_what_it_is_the_reason_of)
{
    open_ledger("a.test:80 b.test:80");
    ck_assert_int_eq(ocspx_egress_cause(NULL, OCSPX_CAUSE_DNS),
                     OCSPX_CAUSE_DNS);
    ask(0, OCSPX_CAUSE_DNS);
    ck_assert_int_eq(ocspx_egress_cause(ledger, OCSPX_CAUSE_DNS),
                     OCSPX_CAUSE_DNS);
    ask(1, OCSPX_CAUSE_DNS);
    ck_assert_int_eq(ocspx_egress_cause(ledger, OCSPX_CAUSE_CONNECT_REFUSED),
                     OCSPX_CAUSE_EGRESS_BLOCKED);
    ck_assert_int_eq(ocspx_egress_cause(ledger, OCSPX_CAUSE_STALE),
                     OCSPX_CAUSE_STALE);
    ck_assert_int_eq(ocspx_egress_cause(ledger, OCSPX_CAUSE_NONE),
                     OCSPX_CAUSE_NONE);
}
END_TEST

START_TEST(a_reload_does_not_forget)
{
    ocspx_ledger_t *old;

    open_ledger("a.test:80 b.test:80");
    ask(0, OCSPX_CAUSE_DNS);
    ask(1, OCSPX_CAUSE_DNS);
    old = ledger;
    open_ledger("new.test:80 b.test:80");
    ocspx_ledger_carry(ledger, old, now, pool);
    ck_assert_int_eq(ocspx_egress_closed(ledger), now);
    assert_message(
        "no responder that was asked can be reached: b.test:80 (DNS)");
    ck_assert_int_eq(ask(0, OCSPX_CAUSE_NONE), OCSPX_EGRESS_OPENED);
}
END_TEST

/* --- the refresher --------------------------------------------------- */

#define CERTS 4

/* The certificate of the scene, whose responder lives, and others of two. */
static ocspx_refresh_t *make_telling(const char *first)
{
    static const char *const urls[CERTS] = {
        NULL, "http://dead.one/", "http://dead.two/", "http://dead.two/"};
    unsigned char *digests = apr_pcalloc(pool, CERTS * OCSPX_CERT_DIGEST_LEN);
    const char *conflict;

    for (int i = 0; i < CERTS; i++) {
        pki_t *made =
            pki_make(&(pki_spec_t){.cn = apr_psprintf(pool, "cert %d", i),
                                   .ocsp_urls = i ? urls[i] : first,
                                   .not_before = START - SECONDS(86400),
                                   .not_after = START + SECONDS(864000)},
                     ca, pool);

        if (!i)
            leaf = made;
        ck_assert_int_eq(ocspx_cert_make(&cert, made->cert, ca->cert, pool),
                         APR_SUCCESS);
        ck_assert_ptr_nonnull(ocspx_registry_add(registry, &conflict, cert,
                                                 NULL, &policy, "here"));
    }
    make_config(ocspx_cache_area_size(CERTS));
    ck_assert_int_eq(ocspx_ledger_create(&ledger, digests, CERTS,
                                         ocspx_registry_hosts(registry, pool),
                                         pool),
                     APR_SUCCESS);
    config.ledger = ledger;
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(86400));
    return ocspx_refresh_make(&config, NULL, pool);
}

/* Retries for some minutes. */
static void go_on(ocspx_refresh_t *refresh)
{
    for (apr_time_t until = now + SECONDS(600); now < until; now += SECONDS(1))
        turn(refresh);
}

static int told(const char *what)
{
    const char *at = log_text;
    int n = 0;

    while ((at = strstr(at, what))) {
        at += strlen(what);
        n++;
    }
    return n;
}

/* A certificate with two responders, of which the second answers. */
START_TEST(a_second_responder_is_a_way_out)
{
    ocspx_refresh_t *refresh = make_telling("http://dead.zero/ http://living/");

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, 2 * HOUR); /* asked hourly */
    go_on(refresh);
    log_text = "";
    for (int i = 0; i < 6; i++)
        go_on(refresh);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, 2 * HOUR);
    for (int i = 0; i < 6; i++)
        go_on(refresh);
    ck_assert(serves_answer());
    ck_assert_int_eq(told("EGRESS_BLOCKED"), 0);
}
END_TEST

START_TEST(dead_beside_a_living_one_are_told_each)
{
    ocspx_refresh_t *refresh = make_telling("http://living/");

    go_on(refresh);
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], CERTS - 1);
    ck_assert_int_eq(lines[OCSPX_LOG_ERROR], 0);
    ck_assert_int_eq(told("EGRESS_BLOCKED"), 0);
}
END_TEST

START_TEST(all_dead_is_told_once)
{
    ocspx_refresh_t *refresh = make_telling("http://dead.zero/");

    go_on(refresh);
    ck_assert_int_eq(lines[OCSPX_LOG_ERROR], 1);
    ck_assert_int_eq(
        told("OCSPX0040: EGRESS_BLOCKED: no responder that "
             "was asked can be reached: dead.zero:80 (CONNECT_REFUSED), "
             "dead.one:80 (CONNECT_REFUSED), dead.two:80 (CONNECT_REFUSED); "
             "0 of 4 certificates are stapled. "),
        1);
    /* those that failed before that could be known */
    ck_assert_int_ge(lines[OCSPX_LOG_WARNING], 2);
    ck_assert_int_lt(lines[OCSPX_LOG_WARNING], CERTS);
    ck_assert_int_eq(told("OCSPX0041"), 0);
    for (unsigned i = 0; i < CERTS; i++) {
        ck_assert_uint_eq(state_of(i).cause, OCSPX_CAUSE_CONNECT_REFUSED);
        ck_assert_uint_eq(state_of(i).egress, 1);
    }
}
END_TEST

/* Its staple is not lost, and it is the first that gets through. */
START_TEST(what_is_stapled_and_the_end_of_it)
{
    ocspx_refresh_t *refresh = make_telling("http://one/");
    const ocspx_fetch_answer_t refused = {.cause = OCSPX_CAUSE_CONNECT_REFUSED,
                                          .message = "refused",
                                          .peer = "",
                                          .unreachable = 1};

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, 3 * HOUR);
    turn(refresh);
    apr_hash_set(network.answers, "http://one/", APR_HASH_KEY_STRING, &refused);
    for (int i = 0; i < 12; i++)
        go_on(refresh);
    ck_assert_int_eq(told("1 of 4 certificates are stapled, the first to end "
                          "until 2033-05-18T06:33:20Z. "),
                     1);
    log_text = "";
    memset(lines, 0, sizeof(lines));
    apr_hash_set(network.answers, "http://one/", APR_HASH_KEY_STRING, NULL);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, 3 * HOUR);
    for (int i = 0; i < 6; i++)
        go_on(refresh);
    ck_assert(serves_answer());
    ck_assert_int_eq(told("OCSPX0041: there is a way out to the responders "
                          "again, after "),
                     1);
    ck_assert_int_eq(told(" s: one:80 answers"), 1);
    ck_assert_int_eq(lines[OCSPX_LOG_NOTICE], 1);
    /* now that it is their own trouble, each is told */
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], CERTS - 1);
    log_text = strstr(log_text, "OCSPX0041");
    ck_assert_int_gt(told(": CONNECT_REFUSED: refused; not stapled"), 0);
    ck_assert_int_eq(told("EGRESS_BLOCKED"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("egress");
    TCase *rule = tcase_create("rule");
    TCase *refresher = tcase_create("refresher");

    tcase_add_checked_fixture(rule, set_up, tear_down);
    tcase_add_test(rule, two_hosts_that_nobody_reaches);
    tcase_add_loop_test(rule, one_answer_opens, 0, 6);
    tcase_add_test(rule, a_working_one_beside_dead_ones);
    tcase_add_test(rule, a_failure_of_long_ago_says_nothing);
    tcase_add_test(rule, two_ports_are_one_host);
    tcase_add_test(rule, who_was_never_asked_says_nothing);
    tcase_add_test(rule, ten_hosts_are_named);
    tcase_add_test(rule, it_explains_what_it_is_the_reason_of);
    tcase_add_test(rule, a_reload_does_not_forget);
    suite_add_tcase(suite, rule);
    tcase_add_checked_fixture(refresher, set_up, tear_down);
    tcase_add_test(refresher, a_second_responder_is_a_way_out);
    tcase_add_test(refresher, dead_beside_a_living_one_are_told_each);
    tcase_add_test(refresher, all_dead_is_told_once);
    tcase_add_test(refresher, what_is_stapled_and_the_end_of_it);
    suite_add_tcase(suite, refresher);
    return ocspx_check_main(suite);
}
