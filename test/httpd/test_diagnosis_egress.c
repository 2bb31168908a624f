/* test_diagnosis_egress: no way out for several responders at once is told
 * from one responder that is down, and from a proxy that refuses.
 */
#include "../support/tools.h"
#include "diagnosis_scene.h"

/* --- several responders at once ------------------------------------- */

/* A dead responder by the name of "localhost" or "127.0.0.1", and @a n sites
 * "HOST0.test" and on that use it. */
static responder_t *dead_sites(const char *host, int n)
{
    responder_t *dead = w->responder = world_responder(w);
    const char *url =
        apr_psprintf(w->pool, "http://%s:%d/ocsp", host, responder_port(dead));

    for (int i = 0; i < n; i++) {
        const char *name = apr_psprintf(w->pool, "%c%d.test", *host, i);

        world_vhost(w, name,
                    world_leaf(w, &(pki_spec_t){.cn = name, .ocsp_urls = url}),
                    NULL);
    }
    return dead;
}

/* The neighbour, for whom no way out is needed. */
static void well_file(void)
{
    const char *file = httpd_path(w->httpd, "well.der");
    pki_t *leaf = world_leaf(w, &(pki_spec_t){.cn = WELL});
    pki_single_t single = {.cert = leaf->cert,
                           .issuer = w->issuer->cert,
                           .this_update = apr_time_now() - DAY,
                           .next_update = apr_time_now() + DAY};
    pki_response_t response = {
        .singles = &single, .count = 1, .signer = w->issuer};
    apr_size_t len;
    const void *der = pki_response(&len, &response, w->pool);

    pki_write_file(file, der, len);
    world_vhost(w, WELL, leaf,
                apr_pstrcat(w->pool, "OCSPXResponseFile ", file, "\n", NULL));
}

static void assert_all_told(const responder_t *a, const responder_t *b)
{
    json_t *report = parse(page("?format=json"));
    const json_t *totals = json_object_get(report, "totals");
    const char *message = text_of(totals, "egressMessage");
    const char *remedy = remedy_of("EGRESS_BLOCKED");
    const char *status = status_of_all();

    ck_assert_str_eq(text_of(totals, "egress"), "EGRESS_BLOCKED");
    assert_has(message, "no responder that was asked can be reached: ");
    assert_has(message, apr_psprintf(w->pool, "127.0.0.1:%d (CONNECT_REFUSED)",
                                     responder_port(a)));
    assert_has(message, apr_psprintf(w->pool, "localhost:%d (CONNECT_REFUSED)",
                                     responder_port(b)));
    ck_assert_str_eq(text_of(totals, "egressRemedy"), remedy);
    assert_has(status, message);
    assert_has(status, remedy);
    assert_has(status, "OCSPX CRITICAL");
    assert_has(page(""), "EGRESS_BLOCKED");
    assert_has(page("?format=openmetrics"), "ocspx_egress_blocked 1\n");
    ck_assert_int_eq(
        httpd_log_count(
            w->httpd,
            apr_psprintf(w->pool,
                         "\\[ocspx:error\\].*OCSPX0040: "
                         "EGRESS_BLOCKED: no responder that was "
                         "asked can be reached: .*; 1 of [0-9]+ certificates "
                         "are stapled, the first to end until " TIME "\\. %s$",
                         quoted(remedy))),
        1);
    json_decref(report);
}

#define SITES 10

START_TEST(no_way_out)
{
    responder_t *one = dead_sites("127.0.0.1", SITES);
    responder_t *other = dead_sites("localhost", SITES);
    diagnosis_t sick = {
        "10.test", "EGRESS_BLOCKED",
        "127\\.0\\.0\\.1:[0-9]+ refused the connection, after [0-9]+ ms", ""};
    const char *message = NULL, *remedy;

    well_file();
    world_up(w);
    assert_logged("OCSPX0040");
    assert_all_told(one, other);
    assert_logged("OCSPX0010: 10\\.test: ");
    assert_row(&sick);
    sick.name = "l9.test";
    sick.facts = "localhost:[0-9]+ \\[.*\\] refused the connection, after "
                 "[0-9]+ ms";
    assert_logged("OCSPX0010: l9\\.test: EGRESS_BLOCKED: ");
    assert_row(&sick);
    world_assert_bare(w, "l9.test");
    assert_well();
    /* which asks one responder alone, and can say no more than that */
    ck_assert_str_eq(check("10.test", "CONNECT_REFUSED", &message, &remedy),
                     "warning STAPLE_MISSING, warning CONNECT_REFUSED");
    /* those that had failed before it could be known */
    ck_assert_int_le(httpd_log_count(w->httpd, "\\[ocspx:warn\\]"), 7);

    responder_start(one);
    responder_start(other);
    assert_logged(
        "\\[ocspx:notice\\].*OCSPX0041: there is a way out to the "
        "responders again, after [0-9]+ s: (127\\.0\\.0\\.1|localhost)"
        ":[0-9]+ answers");
    for (int i = 0; i < SITES; i++) {
        assert_mended(apr_psprintf(w->pool, "1%d.test", i));
        assert_mended(apr_psprintf(w->pool, "l%d.test", i));
    }
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX004[01]"), 2);
    ck_assert_int_le(httpd_log_count(w->httpd, "\\[ocspx:warn\\]"), 7);
    assert_has(page("?format=openmetrics"), "ocspx_egress_blocked 0\n");
}
END_TEST

/* The other one's host answers: it is its own trouble. */
START_TEST(one_responder_down)
{
    diagnosis_t sick = {"10.test", "CONNECT_REFUSED",
                        AT " refused the connection, after [0-9]+ ms",
                        "warning STAPLE_MISSING, warning CONNECT_REFUSED"};

    well_site();
    dead_sites("127.0.0.1", 1);
    world_up(w);
    assert_diagnosis(&sick);
    ck_assert_int_eq(httpd_log_count(w->httpd, "EGRESS_BLOCKED"), 0);
    responder_start(w->responder);
    assert_mended("10.test");
}
END_TEST

/* --- a proxy that refuses --------------------------------------------- */

static const char *through(const char *proxy)
{
    return apr_pstrcat(w->pool, "OCSPXProxy ", proxy, "\n", NULL);
}

static void assert_denied(int status)
{
    diagnosis_t sick = {"sick.test", "PROXY_DENIED",
                        apr_psprintf(w->pool,
                                     AT " through proxy " AT
                                        " answered %d to (GET|POST)",
                                     status),
                        "warning STAPLE_MISSING"};

    assert_diagnosis(&sick);
}

/* What to do: allow the host in the proxy's rules. */
START_TEST(proxy_forbids)
{
    const char *rules = httpd_path(w->httpd, "rules");
    tools_t *proxy;

    pki_write_file(rules, "other\n", 6);
    proxy = tools_proxy_start_with(
        apr_psprintf(w->pool, "Filter \"%s\"\nFilterDefaultDeny Yes\n", rules),
        w->pool);
    well_site();
    site("sick.test", through(tools_url(proxy)), NULL);
    world_up(w);
    assert_denied(403);

    pki_write_file(rules, "127.0.0.1\n", 10);
    tools_proxy_reload(proxy);
    assert_mended("sick.test");
}
END_TEST

/* What to do: give the credentials it wants. */
START_TEST(proxy_wants_credentials)
{
    tools_t *proxy = tools_proxy_start_with("BasicAuth user secret\n", w->pool);
    pki_t *leaf;

    well_site();
    leaf = site("sick.test", through(tools_url(proxy)), NULL);
    world_up(w);
    assert_denied(407);

    httpd_vhosts_clear(w->httpd);
    well_site();
    world_vhost(w, "sick.test", leaf,
                through(apr_psprintf(w->pool, "http://user:secret@127.0.0.1:%d",
                                     tools_port(proxy))));
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    assert_mended("sick.test");
    ck_assert_int_eq(httpd_log_count(w->httpd, "secret"), 0);
}
END_TEST

static void set_up_quick(void)
{
    set_up();
    world_global(w, QUICK);
}

int main(void)
{
    Suite *suite = suite_create("diagnosis_egress");
    TCase *tests = tcase_create("httpd");

    tcase_set_timeout(tests, 180);
    tcase_add_checked_fixture(tests, set_up_quick, tear_down);
    tcase_add_test(tests, no_way_out);
    tcase_add_test(tests, one_responder_down);
    tcase_add_test(tests, proxy_forbids);
    tcase_add_test(tests, proxy_wants_credentials);
    suite_add_tcase(suite, tests);
    return ocspx_check_main(suite);
}
