/* cli_scene: runs the real `ocspx' in a directory with certificates. */
#ifndef OCSPX_TEST_CLI_SCENE_H
#define OCSPX_TEST_CLI_SCENE_H

#include <apr_strings.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/check_main.h"
#include "../support/pki.h"
#include "../support/procs.h"

#define RUN_MS 30000

static apr_pool_t *pool;
static pki_t *issuer;
static const char *program;

static inline const char *find_program(void)
{
    const char *own = getenv("OCSPX_CLI");

    return own != NULL ? own : OCSPX_CLI_PATH;
}

/** In a new directory with issuer.pem, whose validity is long. */
static inline void set_the_scene(void)
{
    apr_time_t now = apr_time_now();
    pki_spec_t spec = {.cn = "Issuer",
                       .ca = 1,
                       .not_before = now - apr_time_from_sec(10 * 365 * 86400),
                       .not_after = now + apr_time_from_sec(10 * 365 * 86400)};

    apr_pool_create(&pool, NULL);
    program = find_program();
    ck_assert_int_eq(chdir(procs_temp_dir(pool)), 0);
    issuer = pki_make(&spec, NULL, pool);
    pki_write_certs("issuer.pem", issuer->cert, NULL);
}

static inline void strike_the_scene(void)
{
    ck_assert_int_eq(chdir("/"), 0);
    apr_pool_destroy(pool);
}

/**
 * Run with these arguments, written as in a shell.
 * @return all that it said, after it ended with this status
 */
static inline const char *run(int status, const char *arguments)
{
    procs_result_t result;
    char **argv;

    ck_assert_int_eq(
        apr_tokenize_to_argv(apr_pstrcat(pool, program, " ", arguments, NULL),
                             &argv, pool),
        APR_SUCCESS);
    procs_run(&result, (const char *const *)argv, NULL, RUN_MS, pool);
    ck_assert_msg(result.status == status, "ocspx %s: %d instead of %d:\n%s",
                  arguments, result.status, status, result.output);
    return result.output;
}

/** The same by way of a shell, where $OCSPX is the program. */
static inline const char *run_shell(int status, const char *command)
{
    const char *argv[] = {"bash", "-c", command, NULL};
    procs_result_t result;

    setenv("OCSPX", program, 1);
    procs_run(&result, argv, NULL, RUN_MS, pool);
    ck_assert_msg(result.status == status, "%s: %d instead of %d:\n%s", command,
                  result.status, status, result.output);
    return result.output;
}

static inline void assert_says(const char *output, const char *text)
{
    ck_assert_msg(strstr(output, text) != NULL, "no \"%s\" in: %s", text,
                  output);
}

static inline const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    return text != NULL ? text : "null";
}

/** Every key is there, with a value of its type. */
static inline void assert_keys(const json_t *json)
{
    static const char *const always[] = {"verdict", "cause", "message",
                                         "remedy"};
    static const char *const known[] = {"status", "thisUpdate", "nextUpdate",
                                        "producedAt", "signer"};

    for (int i = 0; i < 4; i++) {
        ck_assert_msg(json_is_string(json_object_get(json, always[i])), "%s",
                      always[i]);
    }
    for (int i = 0; i < 5; i++) {
        const json_t *value = json_object_get(json, known[i]);

        ck_assert_msg(json_is_string(value) || json_is_null(value), "%s",
                      known[i]);
    }
}

/** From what it said, which has to be this JSON and nothing else. */
static inline json_t *parse_json(const char *output)
{
    json_error_t error;
    json_t *json = json_loads(output, 0, &error);

    ck_assert_msg(json != NULL, "%s in: %s", error.text, output);
    assert_keys(json);
    return json;
}

static inline json_t *run_json(int status, const char *arguments)
{
    return parse_json(
        run(status, apr_pstrcat(pool, arguments, " --json", NULL)));
}

/** Run, and look at verdict and cause alone. */
static inline void assert_verdict(const char *arguments, const char *verdict,
                                  const char *cause)
{
    json_t *json = run_json(strcmp(verdict, "good") != 0, arguments);

    ck_assert_msg(strcmp(text_of(json, "verdict"), verdict) == 0 &&
                      strcmp(text_of(json, "cause"), cause) == 0,
                  "ocspx %s: %s, %s instead of %s, %s: %s", arguments,
                  text_of(json, "verdict"), text_of(json, "cause"), verdict,
                  cause, text_of(json, "message"));
    ck_assert_int_eq(text_of(json, "remedy")[0] == '\0',
                     strcmp(cause, "NONE") == 0);
    json_decref(json);
}

#endif
