/* diagnosis_scene: something is wrong with one site and nothing with another;
 * log, JSON, `ocspx status' and `ocspx check' have to say what, in the same
 * words, and what they say is to be done has to help.
 */
#ifndef OCSPX_TEST_DIAGNOSIS_SCENE_H
#define OCSPX_TEST_DIAGNOSIS_SCENE_H

#include <jansson.h>
#include <regex.h>
#include <stdlib.h>

#include "../../mod_ocspx/core/cause.h"
#include "status_scene.h"

#define SOON_MS 20000
#define DAY apr_time_from_sec(86400)
#define WELL "well.test"
#define QUICK PAGE "OCSPXRetry 1 3\n"
#define TIME "20[0-9T:-]+Z"
#define AT "127\\.0\\.0\\.1:[0-9]+"
#define URL "http://" AT "/ocsp"

typedef struct {
    const char *name;  /* of the site */
    const char *cause; /* its code */
    const char *facts; /* regular expression for all that is said of it */
    const char *check; /* what `ocspx check' finds */
} diagnosis_t;

/* --- the sites ------------------------------------------------------- */

/** With a responder of its own, which is running; good unless told. */
static inline pki_t *site(const char *name, const char *extra,
                          const responder_script_t *script)
{
    pki_t *leaf;

    w->responder = world_responder(w);
    leaf = world_leaf(w, &(pki_spec_t){.cn = name});
    world_vhost(w, name, leaf, extra);
    if (script != NULL)
        responder_script(w->responder, NULL, script);
    responder_start(w->responder);
    return leaf;
}

/** The neighbour: good two days ago, and in four days; by whatever clock. */
static inline void well_site(void)
{
    site(WELL, NULL,
         &(responder_script_t){.age = 2 * DAY, .lifetime = 7 * DAY});
}

static inline void set_up_sites(void)
{
    set_up();
    world_global(w, QUICK);
    well_site();
}

/* --- what is said ---------------------------------------------------- */

static inline const char *remedy_of(const char *code)
{
    int cause = 0;

    while (strcmp(ocspx_cause_code((ocspx_cause_e)cause), code) != 0)
        ck_assert_msg(++cause < OCSPX_CAUSE_COUNT, "%s", code);
    return ocspx_cause_remedy((ocspx_cause_e)cause);
}

static inline int matches(const char *text, const char *pattern)
{
    regex_t regex;
    int found;

    ck_assert_msg(!regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), "%s",
                  pattern);
    found = !regexec(&regex, text, 0, NULL, 0);
    regfree(&regex);
    return found;
}

static inline void assert_facts(const char *text, const char *facts)
{
    ck_assert_msg(matches(text, apr_pstrcat(w->pool, "^(", facts, ")$", NULL)),
                  "%s instead of %s", text, facts);
}

static inline void assert_logged(const char *pattern)
{
    if (httpd_log_wait(w->httpd, pattern, SOON_MS))
        return;
    httpd_log_dump(w->httpd);
    ck_abort_msg("not logged: %s", pattern);
}

/** `ocspx', and what it says; ends within @a most. */
static inline const char *ocspx(int most, const char *arguments)
{
    const char *program = getenv("OCSPX_CLI");
    procs_result_t result;
    char **argv;

    apr_tokenize_to_argv(apr_pstrcat(w->pool,
                                     program != NULL ? program : OCSPX_CLI_PATH,
                                     " ", arguments, NULL),
                         &argv, w->pool);
    setenv("COLUMNS", "1000", 1);
    procs_run(&result, (const char *const *)argv, NULL, 30000, w->pool);
    ck_assert_msg(result.status >= 0 && result.status <= most,
                  "ocspx %s: %d %s", arguments, result.status, result.output);
    return result.output;
}

static inline json_t *parse(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);

    ck_assert_msg(json != NULL, "%s", text);
    return json;
}

static inline const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    return text != NULL ? apr_pstrdup(w->pool, text) : "none";
}

typedef struct {
    const char *state, *cause, *message, *remedy;
} row_t;

/** What the report says of a site. */
static inline row_t row_of(const char *name)
{
    json_t *report = parse(page("?format=json"));
    const json_t *rows = json_object_get(report, "certificates");
    row_t row = {"not there", "", "", ""};

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *at = json_array_get(rows, i);

        if (!strcmp(text_of(at, "name"), name))
            row = (row_t){text_of(at, "state"), text_of(at, "cause"),
                          text_of(at, "message"), text_of(at, "remedy")};
    }
    json_decref(report);
    return row;
}

static inline const char *status_of_all(void)
{
    return ocspx(2, apr_psprintf(w->pool,
                                 "status http://127.0.0.1:%d/ocspx-status "
                                 "--proxy none",
                                 httpd_plain_port(w->httpd)));
}

/** "warning STAPLE_MISSING, info X": what `ocspx check' finds; what it says of
 * @a cause is in @a message and @a remedy. */
static inline const char *check(const char *name, const char *cause,
                                const char **message, const char **remedy)
{
    json_t *hosts = parse(
        ocspx(2, apr_psprintf(w->pool,
                              "check %s:%d --connect 127.0.0.1 --trust %s "
                              "--json",
                              name, httpd_port(w->httpd), w->root_file)));
    const json_t *findings =
        json_object_get(json_array_get(hosts, 0), "findings");
    const char *text = "";

    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);
        const char *code = text_of(finding, "code");

        text = apr_pstrcat(w->pool, text, i > 0 ? ", " : "",
                           text_of(finding, "severity"), " ", code, NULL);
        if (!strcmp(code, cause)) {
            *message = text_of(finding, "message");
            *remedy = text_of(finding, "remedy");
        }
    }
    json_decref(hosts);
    return text;
}

/* --- all of it ------------------------------------------------------- */

static inline void assert_checked(const diagnosis_t *d)
{
    static const char prefix[] = "the responder, asked from here: ";
    const char *message = NULL, *remedy = NULL;

    ck_assert_str_eq(check(d->name, d->cause, &message, &remedy), d->check);
    if (message == NULL)
        return;
    ck_assert_int_eq(strncmp(message, prefix, strlen(prefix)), 0);
    assert_facts(message + strlen(prefix), d->facts);
    ck_assert_str_eq(remedy, remedy_of(d->cause));
}

static inline void assert_row(const diagnosis_t *d)
{
    const char *remedy = remedy_of(d->cause);
    row_t row = row_of(d->name);
    const char *status = status_of_all();

    ck_assert_str_eq(row.state, "failing");
    ck_assert_str_eq(row.cause, d->cause);
    assert_facts(row.message, d->facts);
    ck_assert_str_eq(row.remedy, remedy);
    ck_assert_msg(matches(status, apr_psprintf(w->pool, "    %s: (%s)\n",
                                               d->cause, d->facts)),
                  "%s", status);
    assert_has(status, apr_pstrcat(w->pool, "    ", remedy, "\n", NULL));
}

static inline void assert_well(void)
{
    row_t row = row_of(WELL);

    world_assert_good(w, WELL);
    ck_assert_str_eq(row.state, "stapled");
    ck_assert_str_eq(row.cause, "none");
}

static inline const char *quoted(const char *text)
{
    char *out = apr_palloc(w->pool, 2 * strlen(text) + 1);
    char *to = out;

    for (; *text != '\0'; text++) {
        if (strchr(".()*+?[]{}|^$\\", *text) != NULL)
            *to++ = '\\';
        *to++ = *text;
    }
    *to = '\0';
    return out;
}

/** The site fails, is not stapled, and everybody says why; the neighbour does
 * not notice. */
static inline void assert_diagnosis(const diagnosis_t *d)
{
    assert_logged(apr_psprintf(
        w->pool,
        "\\[ocspx:warn\\].*OCSPX0010: %s: %s: (%s); not stapled; next try in "
        "[0-9.]+ s\\. %s$",
        quoted(d->name), d->cause, d->facts, quoted(remedy_of(d->cause))));
    assert_row(d);
    assert_checked(d);
    world_assert_bare(w, d->name);
    assert_well();
}

/** What it said was to be done has been done. */
static inline void assert_mended(const char *name)
{
    row_t row;

    world_wait_good(w, name, SOON_MS);
    row = row_of(name);
    ck_assert_str_eq(row.state, "stapled");
    ck_assert_str_eq(row.cause, "none");
    assert_well();
}

#endif
