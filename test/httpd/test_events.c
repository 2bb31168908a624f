/* test_events: other modules hear what happens to certificates, once. */
#include "api_scene.h"

static const char *event(const char *name, const char *of, const char *rest)
{
    return apr_psprintf(w->pool, "%s %s %s", name, of, rest);
}

START_TEST(each_event_is_told_once)
{
    const char *id;
    pki_t *failing;

    api_configure("OCSPXStartupWait 1\nOCSPXRetry 1 1");
    id = api_fingerprint(world_site(w, "a.test"));
    failing = world_site(w, "failing.test");
    responder_script(w->responder, failing,
                     &(responder_script_t){.answer = RESPONDER_TRY_LATER});
    api_up();
    api_await("events",
              event("stapled", "a.test",
                    apr_psprintf(w->pool,
                                 "state=stapled fingerprint=%s cause=- "
                                 "stapled=1 size=ours\n",
                                 id)),
              1);
    api_await("events",
              event("failing", "failing.test",
                    apr_psprintf(w->pool,
                                 "state=failing fingerprint=%s "
                                 "cause=RESP_TRYLATER stapled=0 size=ours\n",
                                 api_fingerprint(failing))),
              1);
    responder_script_drop(w->responder, failing);
    api_await("events", event("recovered", "failing.test", "state=stapled"), 1);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    world_wait_good(w, "a.test", 5000);
    procs_sleep(300); /* several of the refresher's turns */
    api_await("events", event("stapled", "a.test", ""), 1);
    api_await("events", event("failing", "failing.test", ""), 1);
    api_await("events", event("recovered", "failing.test", ""), 1);
}
END_TEST

START_TEST(broken_chain_is_told)
{
    api_configure("");
    world_chain_vhost(w, "a.test", world_leaf(w, &(pki_spec_t){.cn = "a.test"}),
                      NULL, NULL);
    api_up();
    api_await("events",
              "chain-broken CN=a.test state=- fingerprint=- "
              "cause=CHAIN_MISSING stapled=0 size=ours\n",
              1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("events");
    TCase *tests = tcase_create("events");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, api_setup, api_teardown);
    tcase_add_test(tests, each_event_is_told_once);
    tcase_add_test(tests, broken_chain_is_told);
    suite_add_tcase(suite, tests);
    return ocspx_check_main(suite);
}
