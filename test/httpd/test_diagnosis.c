/* test_diagnosis: what responders and the signers of their answers do wrong is
 * called by its name; so is a certificate without its intermediate.
 */
#include "diagnosis_scene.h"

/* --- responders and signers ------------------------------------------ */

#define MISSING "warning STAPLE_MISSING, warning "
#define SIGNED_BY URL ": signed by "

static const struct {
    responder_script_t script;
    diagnosis_t diagnosis;
} broken[] = {
    {{.answer = RESPONDER_SIGNER_EXPIRED},
     {"expired.test", "SIGNER_EXPIRED",
      SIGNED_BY "CN=Expired OCSP signer, whose certificate expired at " TIME,
      MISSING "SIGNER_EXPIRED"}},
    {{.answer = RESPONDER_WRONG_SIGNER},
     {"foreign.test", "SIGNER_UNKNOWN",
      SIGNED_BY "CN=Stranger, whose certificate is not one the issuer "
                "\\(CN=Issuer\\) has issued",
      MISSING "SIGNER_UNKNOWN"}},
    {{.answer = RESPONDER_SIGNER_NO_EKU},
     {"usage.test", "SIGNER_NO_EKU",
      SIGNED_BY "CN=No OCSP signer, whose certificate lacks the extended key "
                "usage OCSPSigning",
      MISSING "SIGNER_NO_EKU"}},
    {{.answer = RESPONDER_BAD_SIGNATURE},
     {"damaged.test", "BAD_SIGNATURE",
      URL ": the signature was not made with the key of CN=Issuer, or the "
          "response was changed since",
      MISSING "BAD_SIGNATURE"}},
    {{.answer = RESPONDER_FUTURE},
     {"future.test", "FUTURE",
      URL ": thisUpdate \\(" TIME "\\) is 3[56][0-9][0-9] s ahead of this "
          "server's clock, 300 s are tolerated",
      MISSING "FUTURE"}},
    {{.answer = RESPONDER_EXPIRED},
     {"stale.test", "STALE", URL ": expired: nextUpdate was " TIME,
      MISSING "STALE"}},
    {{.answer = RESPONDER_HTML},
     {"html.test", "INTERCEPTED",
      AT " answered POST with a page of \"text/html\", status 200",
      MISSING "INTERCEPTED"}},
    {{.answer = RESPONDER_NOT_OCSP},
     {"garbage.test", "RESP_NOT_OCSP",
      URL ": 25 bytes that are not an OCSP response and begin with \"This is "
          "no OCSP response\"",
      MISSING "RESP_NOT_OCSP"}},
    {{.answer = RESPONDER_INTERNAL},
     {"internal.test", "RESP_INTERNAL",
      URL ": the responder answers with the error 2 \\(internalerror\\)",
      MISSING "RESP_INTERNAL"}},
    {{.answer = RESPONDER_TRY_LATER},
     {"later.test", "RESP_TRYLATER",
      URL ": the responder answers with the error 3 \\(trylater\\)",
      MISSING "RESP_TRYLATER"}},
    {{.answer = RESPONDER_HTTP, .http_status = 500},
     {"500.test", "RESP_HTTP",
      AT " answered POST with status 500, after [0-9]+ ms",
      MISSING "RESP_HTTP"}},
};

START_TEST(responder_or_signer)
{
    responder_t *responders[COUNT(broken)];

    for (int i = 0; i < COUNT(broken); i++) {
        site(broken[i].diagnosis.name, NULL, &broken[i].script);
        responders[i] = w->responder;
    }
    world_up(w);
    for (int i = 0; i < COUNT(broken); i++)
        assert_diagnosis(&broken[i].diagnosis);
    for (int i = 0; i < COUNT(broken); i++)
        responder_script(responders[i], NULL, &(responder_script_t){0});
    for (int i = 0; i < COUNT(broken); i++)
        assert_mended(broken[i].diagnosis.name);
}
END_TEST

/* It is stapled, nothing fails, and it is told once. */
START_TEST(signer_expires_early)
{
    static const char facts[] = "good until " TIME ", when its signer "
                                "CN=Signer expires, before nextUpdate "
                                "\\(" TIME "\\)";
    const char *message, *remedy, *own, *line;
    pki_spec_t spec = {.cn = "Signer",
                       .ocsp_signing = 1,
                       .not_after = apr_time_now() + apr_time_from_sec(3600)};
    row_t row;

    w->signer = pki_make(&spec, w->issuer, w->pool);
    site("early.test", NULL, NULL);
    httpd_configure(w->httpd, &(httpd_config_t){.global = QUICK,
                                                .log_level = "ocspx:info"});
    world_up(w);
    own = remedy_of("SIGNER_EXPIRES_EARLY");
    line = apr_psprintf(w->pool,
                        "\\[ocspx:info\\].*OCSPX0042: early\\.test: "
                        "SIGNER_EXPIRES_EARLY: %s\\. %s$",
                        facts, quoted(own));
    assert_logged(line);
    world_assert_good(w, "early.test");
    row = row_of("early.test");
    ck_assert_str_eq(row.state, "stapled");
    ck_assert_str_eq(row.cause, "SIGNER_EXPIRES_EARLY");
    assert_facts(row.message, facts);
    ck_assert_str_eq(row.remedy, own);
    assert_has(status_of_all(), "OCSPX OK - 2 certificates, 2 stapled");
    ck_assert_str_eq(
        check("early.test", "SIGNER_EXPIRES_EARLY", &message, &remedy),
        "info SIGNER_EXPIRES_EARLY");
    assert_facts(message, facts);
    ck_assert_str_eq(remedy, own);
    assert_lacks(page("?format=openmetrics"), "result=\"signer\"} 1");
    assert_has(page(""), "SIGNER_EXPIRES_EARLY");
    assert_well();
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    world_assert_good(w, "early.test");
    ck_assert_int_eq(httpd_log_count(w->httpd, line), 1);
    ck_assert_int_eq(httpd_log_count(w->httpd, "\\[ocspx:(warn|error)\\]"), 0);
}
END_TEST

/* --- the intermediate ------------------------------------------------- */

START_TEST(intermediate_missing)
{
    static const char facts[] = "CN=Issuer with the key [0-9a-f]+, which "
                                "issued CN=sick\\.test, is neither sent nor "
                                "trusted; no http address is known to fetch "
                                "it from";
    const char *message = "", *remedy = "", *key;
    pki_t *leaf;

    w->responder = world_responder(w);
    leaf = world_leaf(w, &(pki_spec_t){.cn = "sick.test"});
    responder_start(w->responder);
    world_chain_vhost(w, "sick.test", leaf, NULL, NULL);
    world_up(w);
    assert_logged(apr_psprintf(
        w->pool,
        "\\[ocspx:error\\].*OCSPX0107: sick\\.test:.*CHAIN_MISSING: "
        "%s\\. Append ",
        facts));
    assert_has(page("?format=json"), "\"code\":\"CHAIN_MISSING\"");
    assert_has(status_of_all(), "CHAIN_MISSING");
    ck_assert_str_eq(check("sick.test", "CHAIN_MISSING", &message, &remedy),
                     "error CHAIN_MISSING, warning STAPLE_MISSING");
    assert_facts(message, facts);
    ck_assert_str_eq(remedy, remedy_of("CHAIN_MISSING"));
    assert_well();

    httpd_cert(w->httpd, &key, "sick.test", leaf, w->issuer, NULL);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    assert_mended("sick.test");
    assert_lacks(page("?format=json"), "\"code\":\"CHAIN_MISSING\"");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("diagnosis");
    TCase *tests = tcase_create("httpd");

    tcase_set_timeout(tests, 180);
    tcase_add_checked_fixture(tests, set_up_sites, tear_down);
    tcase_add_test(tests, responder_or_signer);
    tcase_add_test(tests, signer_expires_early);
    tcase_add_test(tests, intermediate_missing);
    suite_add_tcase(suite, tests);
    return ocspx_check_main(suite);
}
