/* test_cli_fetch: `ocspx fetch' against a scripted responder. */
#include "cli_scene.h"

#include <openssl/evp.h>
#include <pwd.h>
#include <sys/stat.h>

#include "../support/responder.h"
#include "../support/tools.h"

#define HOUR apr_time_from_sec(3600)
#define VERIFY "verify --cert chain.pem --issuer issuer.pem --response "

static responder_t *responder;
static pki_t *leaf;
static const char *state_dir; /* "state", and its owner is not root */

static pki_t *make_leaf(const char *urls)
{
    pki_spec_t spec = {
        .cn = "a.test", .names = "DNS:a.test", .ocsp_urls = urls};
    pki_t *made = pki_make(&spec, issuer, pool);

    responder_add(responder, made, issuer, issuer);
    pki_write_certs("leaf.pem", made->cert, NULL);
    pki_write_certs("chain.pem", made->cert, issuer->cert, NULL);
    return made;
}

/** One that is used in place of the usual one. */
static void use_leaf(const char *urls)
{
    responder_stop(responder);
    leaf = make_leaf(urls);
    responder_start(responder);
}

static void set_up(void)
{
    set_the_scene();
    responder = responder_make(NULL, 0, pool);
    leaf = make_leaf(responder_url(responder));
    responder_start(responder);
}

static void script(const responder_script_t *what)
{
    responder_script(responder, NULL, what);
}

static const struct passwd *state_owner(void)
{
    return geteuid() == 0 ? getpwnam("nobody") : getpwuid(geteuid());
}

static void make_state_dir(void)
{
    const struct passwd *owner = state_owner();

    state_dir = "state";
    ck_assert_int_eq(mkdir(state_dir, 0700), 0);
    ck_assert_int_eq(chown(state_dir, owner->pw_uid, owner->pw_gid), 0);
}

/** Where the module will look for the response. */
static const char *state_file(void)
{
    unsigned char digest[32];
    const char *path = apr_pstrcat(pool, state_dir, "/", NULL);

    ck_assert_int_eq(X509_digest(leaf->cert, EVP_sha256(), digest, NULL), 1);
    for (int i = 0; i < 32; i++)
        path = apr_psprintf(pool, "%s%02x", path, digest[i]);
    return apr_pstrcat(pool, path, ".der", NULL);
}

static const char *listing(const char *dir)
{
    return run_shell(0, apr_pstrcat(pool, "ls -A ", dir, NULL));
}

static const char *dead_url(const char *path)
{
    return apr_psprintf(pool, "http://127.0.0.1:%d/%s", procs_free_port(),
                        path);
}

/* --- asking ---------------------------------------------------------- */

START_TEST(chain_file_is_enough)
{
    json_t *json = run_json(0, "fetch --cert chain.pem");

    ck_assert_str_eq(text_of(json, "verdict"), "good");
    ck_assert_str_eq(text_of(json, "cause"), "NONE");
    ck_assert_str_eq(text_of(json, "signer"), "CN=Issuer");
    ck_assert(json_is_null(json_object_get(json, "saved")));
    ck_assert_uint_eq(json_object_size(json), 10);
    ck_assert_uint_eq(responder_requests(responder, leaf), 1);
    json_decref(json);
}
END_TEST

START_TEST(issuer_may_be_given)
{
    assert_says(run(2, "fetch --cert leaf.pem"),
                "leaf.pem does not hold the issuer");
    assert_verdict("fetch --cert leaf.pem --issuer issuer.pem", "good", "NONE");
}
END_TEST

START_TEST(order_of_the_chain_does_not_matter)
{
    pki_t *other = pki_make(&(pki_spec_t){.cn = "Other", .ca = 1}, NULL, pool);

    pki_write_certs("chain.pem", leaf->cert, other->cert, issuer->cert, NULL);
    assert_verdict("fetch --cert chain.pem", "good", "NONE");
}
END_TEST

START_TEST(another_responder_may_be_given)
{
    use_leaf(dead_url("dead"));
    assert_verdict("fetch --cert chain.pem", "reject", "CONNECT_REFUSED");
    assert_verdict(apr_pstrcat(pool, "fetch --cert chain.pem --url ",
                               responder_url(responder), NULL),
                   "good", "NONE");
}
END_TEST

START_TEST(next_responder_is_asked)
{
    use_leaf(apr_pstrcat(pool, dead_url("dead"), " ", responder_url(responder),
                         NULL));
    assert_verdict("fetch --cert chain.pem", "good", "NONE");
}
END_TEST

START_TEST(useful_answer_is_enough)
{
    use_leaf(apr_pstrcat(pool, responder_url(responder), " ", dead_url("dead"),
                         NULL));
    assert_verdict("fetch --cert chain.pem", "good", "NONE");
}
END_TEST

START_TEST(proxy_is_used)
{
    tools_t *proxy = tools_proxy_start(pool);
    const char *dead = dead_url("");

    assert_verdict(apr_pstrcat(pool, "fetch --cert chain.pem --proxy ",
                               tools_url(proxy), NULL),
                   "good", "NONE");
    assert_says(tools_log(proxy, pool),
                apr_psprintf(pool, ":%d/ocsp", responder_port(responder)));
    unsetenv("no_proxy");
    setenv("http_proxy", dead, 1);
    assert_verdict("fetch --cert chain.pem", "reject", "CONNECT_REFUSED");
    assert_verdict("fetch --cert chain.pem --proxy none", "good", "NONE");
    unsetenv("http_proxy");
    assert_verdict(
        apr_pstrcat(pool, "fetch --cert chain.pem --proxy ", dead, NULL),
        "reject", "CONNECT_REFUSED");
}
END_TEST

START_TEST(what_is_no_url_is_refused)
{
    static const char *const junk[] = {"localhost:80", "ldap://localhost/",
                                       "http://", "/ocsp"};

    for (int i = 0; i < 4; i++) {
        assert_says(
            run(2, apr_pstrcat(pool, "fetch --cert chain.pem --url ", junk[i],
                               NULL)),
            apr_pstrcat(pool, "--url '", junk[i], "': must be an http", NULL));
        assert_says(
            run(2, apr_pstrcat(pool, "fetch --cert chain.pem --proxy ", junk[i],
                               NULL)),
            apr_pstrcat(pool, "--proxy '", junk[i], "': must be", NULL));
    }
    ck_assert_uint_eq(responder_requests(responder, NULL), 0);
}
END_TEST

/* --- what is wrong --------------------------------------------------- */

START_TEST(certificate_without_responder_is_told)
{
    use_leaf(NULL);
    assert_verdict("fetch --cert chain.pem", "reject", "NO_URL");
    assert_verdict(apr_pstrcat(pool, "fetch --cert chain.pem --url ",
                               responder_url(responder), NULL),
                   "good", "NONE");
    use_leaf("ldap://localhost/ocsp");
    assert_verdict("fetch --cert chain.pem", "reject", "BAD_URL");
}
END_TEST

START_TEST(dead_responder_is_told)
{
    json_t *json;

    responder_stop(responder);
    json = run_json(1, "fetch --cert chain.pem --out r.der");
    ck_assert_str_eq(text_of(json, "verdict"), "reject");
    ck_assert_str_eq(text_of(json, "cause"), "CONNECT_REFUSED");
    assert_says(text_of(json, "message"),
                apr_psprintf(pool, "127.0.0.1:%d", responder_port(responder)));
    ck_assert(json_is_null(json_object_get(json, "status")));
    ck_assert(json_is_null(json_object_get(json, "saved")));
    json_decref(json);
    ck_assert_int_ne(access("r.der", F_OK), 0);
    assert_says(run(1, "fetch --cert chain.pem"),
                "cause       CONNECT_REFUSED\n");
}
END_TEST

static const struct {
    responder_script_t script;
    const char *verdict, *cause;
} unusable[] = {
    {{.answer = RESPONDER_TRY_LATER}, "reject", "RESP_TRYLATER"},
    {{.answer = RESPONDER_HTML}, "reject", "INTERCEPTED"},
    {{.answer = RESPONDER_BAD_SIGNATURE}, "reject", "BAD_SIGNATURE"},
    {{.answer = RESPONDER_FUTURE}, "reject", "FUTURE"},
    {{.padding = 70 * 1024}, "reject", "RESP_TOO_LARGE"},
    {{.status = V_OCSP_CERTSTATUS_UNKNOWN}, "unknown", "UNKNOWN"},
};

START_TEST(unusable_answer_is_told_and_not_saved)
{
    script(&unusable[_i].script);
    pki_write_file("r.der", "old", 3);
    assert_verdict("fetch --cert chain.pem --out r.der", unusable[_i].verdict,
                   unusable[_i].cause);
    ck_assert_str_eq(procs_read_file("r.der", pool), "old");
}
END_TEST

START_TEST(wrong_clock_is_told)
{
    responder_script_t future = {.answer = RESPONDER_FUTURE};
    char *date = apr_palloc(pool, APR_RFC822_DATE_LEN);

    apr_rfc822_date(date, apr_time_now() + HOUR);
    future.headers = apr_pstrcat(pool, "Date: ", date, "\r\n", NULL);
    script(&future);
    assert_verdict("fetch --cert chain.pem", "reject", "SERVER_CLOCK");
}
END_TEST

/* --- saving ---------------------------------------------------------- */

#define INTO_STATE "fetch --cert chain.pem --state-dir state"

START_TEST(state_directory_gets_what_the_module_will_load)
{
    struct stat st;
    json_t *json;

    make_state_dir();
    json = run_json(0, INTO_STATE);
    ck_assert_str_eq(text_of(json, "saved"), state_file());
    json_decref(json);
    ck_assert_int_eq(stat(state_file(), &st), 0);
    ck_assert_uint_eq(st.st_uid, state_owner()->pw_uid);
    ck_assert_uint_eq(st.st_gid, state_owner()->pw_gid);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert_uint_eq(strlen(listing(state_dir)), 64 + strlen(".der\n"));
    assert_verdict(apr_pstrcat(pool, VERIFY, state_file(), NULL), "good",
                   "NONE");
    assert_says(run(0, INTO_STATE), "saved as    state/");
}
END_TEST

START_TEST(unfit_state_directory_is_told_before_anybody_is_asked)
{
    assert_says(run(2, INTO_STATE), "state");
    make_state_dir();
    ck_assert_int_eq(chmod(state_dir, 0777), 0);
    assert_says(run(2, INTO_STATE), "state");
    ck_assert_int_eq(symlink("state", "link"), 0);
    assert_says(run(2, "fetch --cert chain.pem --state-dir link"),
                "symbolic link");
    ck_assert_str_eq(listing(state_dir), "");
    ck_assert_uint_eq(responder_requests(responder, NULL), 0);
}
END_TEST

START_TEST(older_response_does_not_replace_a_newer_one)
{
    const char *kept;

    make_state_dir();
    script(&(responder_script_t){.status = V_OCSP_CERTSTATUS_REVOKED});
    assert_verdict(INTO_STATE, "revoked", "REVOKED");
    assert_verdict(apr_pstrcat(pool, VERIFY, state_file(), NULL), "revoked",
                   "REVOKED");
    kept = run_shell(0, "md5sum state/*");
    script(&(responder_script_t){.age = HOUR});
    assert_verdict(INTO_STATE, "reject", "STALE");
    ck_assert_str_eq(run_shell(0, "md5sum state/*"), kept);
    run_shell(0, "echo junk > state/*.der");
    assert_verdict(INTO_STATE, "good", "NONE");
    assert_verdict(apr_pstrcat(pool, VERIFY, state_file(), NULL), "good",
                   "NONE");
}
END_TEST

START_TEST(file_is_replaced_in_one_step)
{
    struct stat before, after;
    json_t *json;

    run_shell(0, "mkdir out; umask 077; echo old > out/r.der; ln out/r.der "
                 "same");
    ck_assert_int_eq(stat("out/r.der", &before), 0);
    json = run_json(0, "fetch --cert chain.pem --out out/r.der");
    ck_assert_str_eq(text_of(json, "saved"), "out/r.der");
    json_decref(json);
    ck_assert_int_eq(stat("out/r.der", &after), 0);
    ck_assert_int_eq(after.st_mode & 07777, 0644);
    ck_assert(after.st_ino != before.st_ino);
    ck_assert_str_eq(procs_read_file("same", pool), "old\n");
    ck_assert_str_eq(listing("out"), "r.der\n");
    assert_verdict(VERIFY "out/r.der", "good", "NONE");
}
END_TEST

START_TEST(revoked_is_saved)
{
    script(&(responder_script_t){.status = V_OCSP_CERTSTATUS_REVOKED});
    assert_verdict("fetch --cert chain.pem --out r.der", "revoked", "REVOKED");
    assert_verdict(VERIFY "r.der", "revoked", "REVOKED");
}
END_TEST

START_TEST(what_cannot_be_saved_is_no_success)
{
    json_t *json = parse_json(
        run_shell(1, "$OCSPX fetch --cert chain.pem --out no/r.der --json "
                     "2>error"));

    ck_assert_str_eq(text_of(json, "verdict"), "good");
    ck_assert(json_is_null(json_object_get(json, "saved")));
    json_decref(json);
    assert_says(procs_read_file("error", pool),
                "ocspx: no/r.der cannot be written: No such file");
}
END_TEST

START_TEST(only_one_place_may_be_given)
{
    make_state_dir();
    assert_says(run(2, INTO_STATE " --out r.der"),
                "at most one of --state-dir and --out");
    ck_assert_uint_eq(responder_requests(responder, NULL), 0);
}
END_TEST

static Suite *fetch_suite(void)
{
    Suite *suite = suite_create("cli fetch");
    TCase *tests = tcase_create("fetch");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, strike_the_scene);
    tcase_add_test(tests, chain_file_is_enough);
    tcase_add_test(tests, issuer_may_be_given);
    tcase_add_test(tests, order_of_the_chain_does_not_matter);
    tcase_add_test(tests, another_responder_may_be_given);
    tcase_add_test(tests, next_responder_is_asked);
    tcase_add_test(tests, useful_answer_is_enough);
    tcase_add_test(tests, proxy_is_used);
    tcase_add_test(tests, what_is_no_url_is_refused);
    tcase_add_test(tests, certificate_without_responder_is_told);
    tcase_add_test(tests, dead_responder_is_told);
    tcase_add_loop_test(tests, unusable_answer_is_told_and_not_saved, 0,
                        sizeof(unusable) / sizeof(*unusable));
    tcase_add_test(tests, wrong_clock_is_told);
    tcase_add_test(tests, state_directory_gets_what_the_module_will_load);
    tcase_add_test(tests,
                   unfit_state_directory_is_told_before_anybody_is_asked);
    tcase_add_test(tests, older_response_does_not_replace_a_newer_one);
    tcase_add_test(tests, file_is_replaced_in_one_step);
    tcase_add_test(tests, revoked_is_saved);
    tcase_add_test(tests, what_cannot_be_saved_is_no_success);
    tcase_add_test(tests, only_one_place_may_be_given);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(fetch_suite());
}
