/* test_diagnosis_config: what is configured wrong is named, and what is said
 * is to be done about it helps.
 */
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diagnosis_scene.h"

/* From now on the site has these lines, and the neighbour stays. */
static void reload_site(const pki_t *leaf, const char *extra)
{
    httpd_vhosts_clear(w->httpd);
    well_site();
    world_vhost(w, "sick.test", leaf, extra);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
}

/* --- the responder of another CA ------------------------------------- */

START_TEST(forced_url_of_another_ca)
{
    responder_t *theirs = world_responder(w);
    diagnosis_t sick = {
        "sick.test", "RESP_UNAUTHORIZED",
        URL ": the responder answers with the error 6 \\(unauthorized\\)",
        "warning STAPLE_MISSING"};
    pki_t *leaf;

    responder_start(theirs);
    leaf = site("sick.test",
                apr_pstrcat(w->pool, "SSLStaplingForceURL ",
                            responder_url(theirs), "\n", NULL),
                NULL);
    world_up(w);
    assert_diagnosis(&sick);
    assert_has(remedy_of(sick.cause), "SSLStaplingForceURL");
    reload_site(leaf, NULL);
    assert_mended("sick.test");
}
END_TEST

/* --- the response file ------------------------------------------------ */

static const char *response_of(apr_size_t *len, const pki_t *leaf)
{
    pki_single_t single = {.cert = leaf->cert,
                           .issuer = w->issuer->cert,
                           .this_update = apr_time_now() - DAY,
                           .next_update = apr_time_now() + DAY};
    pki_response_t response = {
        .singles = &single, .count = 1, .signer = w->issuer};

    return (const char *)pki_response(len, &response, w->pool);
}

/* Whatever of another certificate, in PEM, or nothing at all. */
static const struct {
    const char *holds, *cause, *facts;
} files[] = {
    {"other", "WRONG_CERT",
     "/.*/sick\\.der: none of 1 statements is about sick\\.test with the "
     "serial "
     "number [0-9A-Fx]+"},
    {"pem", "RESP_NOT_OCSP",
     "/.*/sick\\.der: 30 bytes that are not an OCSP response and begin with "
     "\"-----BEGIN OCSP RESPONSE\""},
    {NULL, "FILE_UNREADABLE", ".*/sick\\.der.*No such file or directory"},
};

START_TEST(wrong_response_file)
{
    const char *holds = files[_i].holds;
    const char *file = httpd_path(w->httpd, "sick.der");
    diagnosis_t sick = {"sick.test", files[_i].cause, files[_i].facts,
                        "warning STAPLE_MISSING"};
    pki_t *other =
        pki_make(&(pki_spec_t){.cn = "other.test"}, w->issuer, w->pool);
    pki_t *leaf = site(
        "sick.test",
        apr_pstrcat(w->pool, "OCSPXResponseFile ", file, "\n", NULL), NULL);
    const char *der;
    apr_size_t len;

    der = response_of(&len, other);
    if (holds != NULL && *holds == 'o')
        pki_write_file(file, der, len);
    else if (holds != NULL)
        pki_write_file(file, "-----BEGIN OCSP RESPONSE-----\n", 30);
    world_up(w);
    assert_diagnosis(&sick);
    assert_has(remedy_of(sick.cause), "OCSPXResponseFile");
    der = response_of(&len, leaf);
    pki_write_file(file, der, len);
    assert_mended("sick.test");
}
END_TEST

/* --- what is switched off, or taken by others -------------------------- */

START_TEST(must_staple_and_off)
{
    const char *message = "", *remedy = "";
    pki_t *leaf;
    row_t row;

    w->responder = world_responder(w);
    leaf = world_leaf(w, &(pki_spec_t){.cn = "sick.test", .must_staple = 1});
    responder_start(w->responder);
    world_vhost(w, "sick.test", leaf, "SSLUseStapling off\n");
    world_up(w);
    assert_logged(
        apr_pstrcat(w->pool,
                    "\\[ocspx:error\\].*OCSPX0107: sick\\.test:.*: "
                    "MUST_STAPLE_OFF: CN=sick\\.test: clients demand a staple "
                    "for it, but stapling is switched off\\. ",
                    quoted(remedy_of("MUST_STAPLE_OFF")), "$", NULL));
    row = row_of("sick.test");
    ck_assert_str_eq(row.state, "not-applicable");
    ck_assert_str_eq(row.cause, "MUST_STAPLE_OFF");
    ck_assert_str_eq(row.message, "stapling is switched off");
    ck_assert_str_eq(row.remedy, remedy_of("MUST_STAPLE_OFF"));
    assert_has(status_of_all(), row.remedy);
    ck_assert_str_eq(check("sick.test", "STAPLE_MISSING", &message, &remedy),
                     "error STAPLE_MISSING");
    assert_has(message, "sick.test demands a staple, but none is sent");
    world_assert_bare(w, "sick.test");
    assert_well();
    reload_site(leaf, "SSLUseStapling off\nOCSPXUseStapling on\n");
    assert_mended("sick.test");
}
END_TEST

START_TEST(other_provider)
{
    pki_t *leaf;
    row_t row;

    httpd_configure(w->httpd, &(httpd_config_t){
                                  .modules = "md",
                                  .global = apr_pstrcat(
                                      w->pool, QUICK "MDStoreDir ",
                                      httpd_path(w->httpd, "md"), "\n", NULL)});
    leaf = site("sick.test", "MDStapling on\n", NULL);
    world_up(w);
    assert_logged("\\[ocspx:info\\].*OCSPX0106: OTHER_PROVIDER: 1 certificate "
                  "stapled by another module, such as mod_md with MDStapling "
                  "\\(the first: CN=sick\\.test, used by sick\\.test:");
    row = row_of("sick.test");
    ck_assert_str_eq(row.state, "other-provider");
    ck_assert_str_eq(row.cause, "OTHER_PROVIDER");
    ck_assert_str_eq(row.remedy, remedy_of("OTHER_PROVIDER"));
    assert_has(status_of_all(), "1 other-provider");
    assert_well();
    reload_site(leaf, "MDStapling off\n");
    assert_mended("sick.test");
}
END_TEST

/* --- the state directory ---------------------------------------------- */

/* Stapling goes on without; and it is kept again once that is mended. */
START_TEST(unwritable_state_directory)
{
    const char *dir = httpd_path(w->httpd, "kept");
    const struct passwd *worker =
        httpd_user() != NULL ? getpwnam(httpd_user()) : getpwuid(getuid());

    ck_assert_int_eq(mkdir(dir, 0777), 0);
    ck_assert_int_eq(chmod(dir, 0777), 0);
    ck_assert_int_eq(chown(dir, worker->pw_uid, worker->pw_gid), 0);
    httpd_configure(w->httpd,
                    &(httpd_config_t){.global = QUICK, .state_dir = dir});
    site("sick.test", NULL, NULL);
    world_up(w);
    assert_logged(
        apr_pstrcat(w->pool,
                    "OCSPX011[13]: STORE_UNWRITABLE: .*/kept.*writable.*; "
                    "stapling works from memory only\\. ",
                    quoted(remedy_of("STORE_UNWRITABLE")), "$", NULL));
    world_assert_good(w, "sick.test");
    assert_well();
    ck_assert_int_eq(chmod(dir, 0700), 0);
    ck_assert(httpd_stop(w->httpd));
    httpd_log_mark(w->httpd);
    world_up(w);
    assert_mended("sick.test");
    ck_assert_int_eq(httpd_log_count(w->httpd, "STORE_UNWRITABLE"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("diagnosis_config");
    TCase *tests = tcase_create("httpd");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up_sites, tear_down);
    tcase_add_test(tests, forced_url_of_another_ca);
    tcase_add_loop_test(tests, wrong_response_file, 0, COUNT(files));
    tcase_add_test(tests, must_staple_and_off);
    tcase_add_test(tests, other_provider);
    tcase_add_test(tests, unwritable_state_directory);
    suite_add_tcase(suite, tests);
    return ocspx_check_main(suite);
}
