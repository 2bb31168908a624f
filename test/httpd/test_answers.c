/* test_answers: what responders say. Every unusable answer is named by its
 * cause, never stapled, and takes nothing away; every usable one is stapled.
 */
#include <apr_file_info.h>
#include <apr_strings.h>
#include <string.h>

#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/world.h"

#define KB 1024
#define HOUR apr_time_from_sec(3600)
#define WAIT_MS 30000

/* Responses that live for a day, asked for every few seconds: so none expires
 * while a test waits for the next request. More often than the pace allows
 * would make some wait for others. */
#define ASK_OFTEN                                                              \
    "SSLStaplingStandardCacheTimeout 3\n"                                      \
    "OCSPXRetry 3 6\n"

/* One virtual host each, with a responder of its own: one that is in trouble
 * is left alone for a while, for all certificates. */
static const struct {
    const char *name;
    const char *cause;
    responder_script_t script;
} unusable[] = {
    {"stranger", "SIGNER_UNKNOWN", {.answer = RESPONDER_WRONG_SIGNER}},
    {"no-eku", "SIGNER_NO_EKU", {.answer = RESPONDER_SIGNER_NO_EKU}},
    {"signer-expired", "SIGNER_EXPIRED", {.answer = RESPONDER_SIGNER_EXPIRED}},
    {"signature", "BAD_SIGNATURE", {.answer = RESPONDER_BAD_SIGNATURE}},
    {"certid", "WRONG_CERT", {.answer = RESPONDER_OTHER_CERTID}},
    {"unknown", "UNKNOWN", {.status = V_OCSP_CERTSTATUS_UNKNOWN}},
    {"try-later", "RESP_TRYLATER", {.answer = RESPONDER_TRY_LATER}},
    {"unauthorized", "RESP_UNAUTHORIZED", {.answer = RESPONDER_UNAUTHORIZED}},
    {"internal", "RESP_INTERNAL", {.answer = RESPONDER_INTERNAL}},
    {"expired", "STALE", {.answer = RESPONDER_EXPIRED}},
    {"future", "FUTURE", {.answer = RESPONDER_FUTURE}},
    {"noise", "RESP_NOT_OCSP", {.answer = RESPONDER_NOT_OCSP}},
    {"empty", "RESP_NOT_OCSP", {.answer = RESPONDER_REPLAY}},
    {"truncated", "RESP_NOT_OCSP", {.answer = RESPONDER_TRUNCATED}},
    {"cut", "RESP_HTTP", {.answer = RESPONDER_CUT}},
    {"type", "RESP_NOT_OCSP", {.answer = RESPONDER_WRONG_TYPE}},
    {"html", "INTERCEPTED", {.answer = RESPONDER_HTML}},
    {"status", "RESP_HTTP", {.answer = RESPONDER_HTTP, .http_status = 500}},
    {"large", "RESP_TOO_LARGE", {.padding = 70 * KB}},
    {"endless", "RESP_TOO_LARGE", {.padding = 70 * KB, .chunked = 1}},
};

#define UNUSABLE (int)(sizeof(unusable) / sizeof(*unusable))

static world_t *w;
static responder_t *responders[UNUSABLE];

static void set_up(void)
{
    w = world_make();
}

static void tear_down(void)
{
    world_destroy(w);
}

static const char *host(int i)
{
    return apr_pstrcat(w->pool, unusable[i].name, ".test", NULL);
}

static void make_hosts(void)
{
    world_global(w, ASK_OFTEN);
    for (int i = 0; i < UNUSABLE; i++) {
        responders[i] = w->responder = world_responder(w);
        world_site(w, host(i));
    }
}

static void be_unusable(void)
{
    for (int i = 0; i < UNUSABLE; i++)
        responder_script(responders[i], NULL, &unusable[i].script);
}

static void be_good(apr_interval_time_t age)
{
    for (int i = 0; i < UNUSABLE; i++) {
        responder_script(responders[i], NULL,
                         &(responder_script_t){.age = age});
    }
}

static void up(void)
{
    for (int i = 0; i < UNUSABLE; i++)
        responder_start(responders[i]);
    world_up(w);
}

static void await_log(const char *regex)
{
    if (!httpd_log_wait(w->httpd, regex, WAIT_MS)) {
        httpd_log_dump(w->httpd);
        ck_abort_msg("not logged in time: %s", regex);
    }
}

/** The warning for host @a i. */
static const char *warning(int i, const char *outlook)
{
    return apr_psprintf(w->pool,
                        "ocspx:warn.* OCSPX0010: %s: %s: .+; %s; next try",
                        host(i), unusable[i].cause, outlook);
}

static void await_another_request(void)
{
    for (int i = 0; i < UNUSABLE; i++)
        responder_reset(responders[i]);
    for (int i = 0; i < UNUSABLE; i++) {
        ck_assert_msg(responder_wait(responders[i], NULL, 1, WAIT_MS),
                      "%s: not asked again", host(i));
    }
}

/** A good staple; @return when it was made. */
static apr_time_t staple_made(const char *name)
{
    world_assert_good(w, name);
    return world_handshake(w, name).this_update;
}

static int files_in_state_dir(void)
{
    apr_finfo_t info;
    apr_dir_t *dir;
    int n = 0;

    ck_assert_int_eq(apr_dir_open(&dir, httpd_path(w->httpd, "state"), w->pool),
                     APR_SUCCESS);
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS)
        n += info.name[0] != '.';
    apr_dir_close(dir);
    return n;
}

START_TEST(unusable_answer_takes_nothing_away)
{
    apr_time_t recently = apr_time_now() - HOUR / 2;

    make_hosts();
    be_good(HOUR);
    up();
    for (int i = 0; i < UNUSABLE; i++)
        ck_assert(staple_made(host(i)) < recently);

    be_unusable();
    for (int i = 0; i < UNUSABLE; i++)
        await_log(warning(i, "stapled until [-0-9T:]+Z"));
    await_another_request();
    for (int i = 0; i < UNUSABLE; i++)
        ck_assert_msg(staple_made(host(i)) < recently, "%s", host(i));

    be_good(0);
    for (int i = 0; i < UNUSABLE; i++) {
        await_log(apr_pstrcat(w->pool, "OCSPX0013: ", host(i),
                              ": recovered after", NULL));
        ck_assert_msg(staple_made(host(i)) > recently, "%s", host(i));
    }
}
END_TEST

START_TEST(unusable_first_answer_is_not_stapled)
{
    make_hosts();
    be_unusable();
    up();
    for (int i = 0; i < UNUSABLE; i++) {
        await_log(warning(i, "not stapled"));
        world_assert_bare(w, host(i));
    }
    await_another_request();
    for (int i = 0; i < UNUSABLE; i++)
        world_assert_bare(w, host(i));
    ck_assert_int_eq(files_in_state_dir(), 0);

    be_good(0);
    for (int i = 0; i < UNUSABLE; i++)
        world_wait_good(w, host(i), WAIT_MS);
    ck_assert_int_eq(files_in_state_dir(), UNUSABLE);
}
END_TEST

/* The answer is from the future by our clock only. */
START_TEST(wrong_clock_is_told_from_wrong_answer)
{
    char *date = apr_palloc(w->pool, APR_RFC822_DATE_LEN);
    responder_script_t script = {.answer = RESPONDER_FUTURE};
    const pki_t *leaf = world_site(w, "a.test");

    apr_rfc822_date(date, apr_time_now() + HOUR);
    script.headers = apr_pstrcat(w->pool, "Date: ", date, "\r\n", NULL);
    responder_script(w->responder, leaf, &script);
    responder_start(w->responder);
    world_up(w);
    await_log("OCSPX0010: a\\.test: SERVER_CLOCK: .*clock is 3[56][0-9][0-9] s "
              "behind");
    world_assert_bare(w, "a.test");
}
END_TEST

START_TEST(every_usable_form_is_stapled)
{
    pki_spec_t signer = {.cn = "Delegated signer", .ocsp_signing = 1};
    client_result_t result;
    const pki_t *leaf;

    w->signer = pki_make(&signer, w->issuer, w->pool);
    world_site(w, "delegated.test");
    w->signer = w->issuer;
    leaf = world_site(w, "several.test");
    responder_script(w->responder, leaf,
                     &(responder_script_t){.answer = RESPONDER_SEVERAL});
    leaf = world_site(w, "open.test");
    responder_script(w->responder, leaf,
                     &(responder_script_t){.no_next_update = 1});
    leaf = world_site(w, "large.test");
    responder_script(w->responder, leaf,
                     &(responder_script_t){.padding = 16 * KB});
    responder_start(w->responder);
    world_up(w);
    world_assert_good(w, "delegated.test");
    world_assert_good(w, "several.test");
    world_assert_good(w, "open.test");
    result = world_handshake(w, "open.test");
    ck_assert(result.next_update == 0);
    world_assert_good(w, "large.test");
    ck_assert_uint_gt(world_handshake(w, "large.test").len, 16 * KB);
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX0010"), 0);
}
END_TEST

static Suite *answers_suite(void)
{
    Suite *suite = suite_create("answers");
    TCase *tests = tcase_create("answers");

    tcase_set_timeout(tests, 180);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, unusable_answer_takes_nothing_away);
    tcase_add_test(tests, unusable_first_answer_is_not_stapled);
    tcase_add_test(tests, wrong_clock_is_told_from_wrong_answer);
    tcase_add_test(tests, every_usable_form_is_stapled);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(answers_suite());
}
