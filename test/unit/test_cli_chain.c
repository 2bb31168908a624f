/* test_cli_chain: `ocspx chain', run as a person does. */
#include "cli_scene.h"

#include <apr_time.h>

#define DAY apr_time_from_sec(86400)
#define CHAIN "chain --served chain.pem --trust root.pem "

static pki_t *root, *middle, *leaf;

static void set_up(void)
{
    apr_time_t now = apr_time_now();
    pki_spec_t spec = {.cn = "a.test",
                       .ca_issuers = "http://ca.test/middle.der",
                       .names = "DNS:a.test,DNS:*.b.test,IP:192.0.2.1"};

    set_the_scene();
    root = pki_make(&(pki_spec_t){.cn = "Root",
                                  .ca = 1,
                                  .not_before = now - 1000 * DAY,
                                  .not_after = now + 1000 * DAY},
                    NULL, pool);
    middle = pki_make(&(pki_spec_t){.cn = "Middle",
                                    .ca = 1,
                                    .not_before = now - 500 * DAY,
                                    .not_after = now + 500 * DAY},
                      root, pool);
    leaf = pki_make(&spec, middle, pool);
    pki_write_certs("root.pem", root->cert, NULL);
    pki_write_certs("chain.pem", leaf->cert, middle->cert, NULL);
    pki_write_certs("leaf.pem", leaf->cert, NULL);
}

/** What it found, which has to be JSON of just these keys and types. */
static json_t *parse(const char *output)
{
    static const char *const keys[] = {"code", "severity", "subject", "message",
                                       "remedy"};
    json_t *json = json_loads(output, 0, NULL);
    json_t *finding;
    size_t i;

    ck_assert_msg(json_object_size(json) == 2 &&
                      json_is_boolean(json_object_get(json, "complete")) &&
                      json_is_array(json_object_get(json, "findings")),
                  "%s", output);
    json_array_foreach(json_object_get(json, "findings"), i, finding)
    {
        ck_assert_uint_eq(json_object_size(finding), 5);
        for (int k = 0; k < 5; k++)
            ck_assert_msg(json_is_string(json_object_get(finding, keys[k])),
                          "%s in %s", keys[k], output);
    }
    return json;
}

static json_t *find(int status, const char *arguments)
{
    return parse(run(status, apr_pstrcat(pool, arguments, " --json", NULL)));
}

/** All findings: "error CHAIN_MISSING, ...", before it whether complete. */
static const char *found(int status, const char *arguments)
{
    json_t *json = find(status, arguments), *finding;
    const char *text = json_is_true(json_object_get(json, "complete"))
                           ? "complete"
                           : "not complete";
    size_t i;

    json_array_foreach(json_object_get(json, "findings"), i, finding)
    {
        text = apr_pstrcat(pool, text, ", ", text_of(finding, "severity"), " ",
                           text_of(finding, "code"), NULL);
    }
    json_decref(json);
    return text;
}

static void assert_found(int status, const char *arguments, const char *wanted)
{
    const char *text = found(status, arguments);

    ck_assert_msg(strcmp(text, wanted) == 0, "%s: %s instead of %s", arguments,
                  text, wanted);
}

/* --- verdicts -------------------------------------------------------- */

START_TEST(complete_chain)
{
    assert_found(0, CHAIN, "complete");
    ck_assert_str_eq(run(0, CHAIN), "complete\n");
}
END_TEST

START_TEST(missing_intermediate)
{
    json_t *json = find(1, "chain --served leaf.pem --trust root.pem");
    json_t *finding = json_array_get(json_object_get(json, "findings"), 0);

    ck_assert(json_is_false(json_object_get(json, "complete")));
    ck_assert_str_eq(text_of(finding, "code"), "CHAIN_MISSING");
    ck_assert_str_eq(text_of(finding, "severity"), "error");
    ck_assert_str_eq(text_of(finding, "subject"), "CN=a.test");
    assert_says(text_of(finding, "message"), "CN=Middle");
    assert_says(text_of(finding, "remedy"), "leaf.pem");
    json_decref(json);
}
END_TEST

START_TEST(info_alone_is_fine)
{
    pki_write_certs("chain.pem", leaf->cert, middle->cert, root->cert, NULL);
    assert_found(0, CHAIN, "complete, info CHAIN_ROOT");
    assert_says(run(0, CHAIN), "complete: 1 info\n\ninfo        CHAIN_ROOT\n");
}
END_TEST

START_TEST(warning_is_none)
{
    pki_write_certs("chain.pem", leaf->cert, middle->cert, issuer->cert, NULL);
    assert_found(1, CHAIN, "complete, warning CHAIN_EXTRA");
}
END_TEST

START_TEST(root_of_a_private_ca)
{
    assert_found(0, "chain --served chain.pem", "complete, info CHAIN_PRIVATE");
    pki_write_certs("other.pem", issuer->cert, NULL);
    ck_assert_str_ne(found(1, "chain --served chain.pem --trust other.pem"),
                     "complete");
    run_shell(0, "mkdir dir; cp root.pem dir; openssl rehash dir");
    assert_found(0, "chain --served chain.pem --trust dir", "complete");
}
END_TEST

START_TEST(judged_as_of_the_given_time)
{
    const char *when = run_shell(0, "date -u -d '200 days' +%FT%TZ | tr -d "
                                    "'\\n'");

    assert_found(1, apr_pstrcat(pool, CHAIN "--at ", when, NULL),
                 "not complete, error CHAIN_EXPIRED");
}
END_TEST

static const struct {
    const char *arguments;
    int covered;
} names[] = {
    {"--host a.test", 1},
    {"--host a.test --host www.b.test", 1},
    {"--host 192.0.2.1", 1},
    {"--host c.test", 0},
    {"--host a.test --host c.test", 0},
    {"--host c.test --host a.test", 0},
    {"--host 192.0.2.2", 0},
};

START_TEST(names_are_checked)
{
    assert_found(
        !names[_i].covered, apr_pstrcat(pool, CHAIN, names[_i].arguments, NULL),
        names[_i].covered ? "complete" : "complete, warning CHAIN_NAME");
}
END_TEST

START_TEST(worst_comes_first_in_words)
{
    const char *text;

    pki_write_certs("chain.pem", leaf->cert, issuer->cert, NULL);
    text = run(1, CHAIN "--host c.test");
    ck_assert_ptr_eq(
        strstr(text, "not complete: 1 error, 2 warnings\n\nerror "), text);
    assert_says(text, "\n\nerror       CHAIN_MISSING\nsubject     CN=a.test\n"
                      "message     ");
    assert_says(text, "\n\nwarning     CHAIN_NAME\nsubject     CN=a.test\n");
    assert_says(text, "c.test");
    assert_says(text, "\nremedy      ");
    ck_assert(strstr(text, "\nwarning ") > strstr(text, "\nerror "));
}
END_TEST

START_TEST(any_file_name_will_do)
{
    json_t *json = parse(run_shell(
        1, "cp leaf.pem $'\\xff\\n.pem' && "
           "$OCSPX chain --served $'\\xff\\n.pem' --trust root.pem --json"));
    json_t *finding = json_array_get(json_object_get(json, "findings"), 0);

    assert_says(text_of(finding, "remedy"), "curl ");
    json_decref(json);
}
END_TEST

/* --- what cannot be judged ------------------------------------------- */

static const struct {
    const char *arguments, *says;
} unusable[] = {
    {"chain", "chain needs --served and nothing else"},
    {"chain chain.pem", "chain needs --served"},
    {CHAIN "more", "and nothing else"},
    {CHAIN "--frobnicate", "unrecognized option"},
    {CHAIN "--host ''", "--host '': must be a name or an address"},
    {CHAIN "--at tomorrow", "--at 'tomorrow': must be a time"},
    {"chain --served missing", "missing cannot be read"},
    {"chain --served empty", "empty holds no certificate"},
    {"chain --served chain.pem --trust missing", "missing cannot be read"},
    {"chain --served chain.pem --trust empty", "empty holds no certificate"},
};

START_TEST(what_cannot_be_judged_is_told)
{
    pki_write_file("empty", "", 0);
    assert_says(run(2, unusable[_i].arguments), unusable[_i].says);
    ck_assert_str_eq(
        run_shell(2, apr_pstrcat(pool, "$OCSPX ", unusable[_i].arguments,
                                 " 2>/dev/null", NULL)),
        "");
}
END_TEST

START_TEST(help_is_given)
{
    assert_says(run_shell(0, "$OCSPX chain --help 2>/dev/null"),
                "Usage: ocspx chain --served FILE");
    assert_says(run_shell(2, "$OCSPX " CHAIN ">/dev/full"),
                "standard output cannot be written");
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

static Suite *chain_suite(void)
{
    Suite *suite = suite_create("cli chain");
    TCase *tests = tcase_create("chain");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, strike_the_scene);
    tcase_add_test(tests, complete_chain);
    tcase_add_test(tests, missing_intermediate);
    tcase_add_test(tests, info_alone_is_fine);
    tcase_add_test(tests, warning_is_none);
    tcase_add_test(tests, root_of_a_private_ca);
    tcase_add_test(tests, judged_as_of_the_given_time);
    tcase_add_loop_test(tests, names_are_checked, 0, COUNT(names));
    tcase_add_test(tests, worst_comes_first_in_words);
    tcase_add_test(tests, any_file_name_will_do);
    tcase_add_loop_test(tests, what_cannot_be_judged_is_told, 0,
                        COUNT(unusable));
    tcase_add_test(tests, help_is_given);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(chain_suite());
}
