/* facts_told: what every output says of the scene, asked for as close together
 * as it goes.
 */
#ifndef OCSPX_TEST_FACTS_TOLD_H
#define OCSPX_TEST_FACTS_TOLD_H

#include "facts_text.h"

typedef struct {
    json_t *before, *after;
    json_t *cli_json;
    const char *list, *metrics, *prometheus, *automatic, *cli, *log;
    const char *pages[SITES], *cli_certs[SITES];
} told_t;

static told_t told;

static inline json_t *read_json(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    ck_assert_msg(json != NULL, "%s: %.500s", error.text, text);
    return json;
}

static inline const char *cli(const char *option, const char *value)
{
    const char *argv[] = {OCSPX_CLI_PATH,
                          "status",
                          apr_psprintf(w->pool,
                                       "http://127.0.0.1:%d/ocspx-status",
                                       httpd_plain_port(w->httpd)),
                          "--proxy",
                          "none",
                          option,
                          value,
                          NULL};
    procs_result_t result;

    procs_run(&result, argv, NULL, 20000, w->pool);
    ck_assert_msg(result.status >= 0 && result.status < 3, "%s: %d %s",
                  option ? option : "", result.status, result.output);
    return result.output;
}

static inline void ask_all(void)
{
    setenv("COLUMNS", "1000", 1);
    told.before = read_json(page("?format=json"));
    told.list = page("");
    told.metrics = page("?format=openmetrics");
    told.prometheus = page("?format=prometheus");
    told.automatic = ask("/server-status?auto", NULL, NULL).body;
    told.cli = cli(NULL, NULL);
    told.cli_json = read_json(cli("--json", NULL));
    for (int i = 0; i < SITES; i++) {
        told.pages[i] = page(cert_page(sites[i].leaf, ""));
        told.cli_certs[i] = cli("--cert", id_of(sites[i].leaf));
    }
    told.after = read_json(page("?format=json"));
    told.log = procs_read_file(httpd_path(w->httpd, "error.log"), w->pool);
}

static inline const json_t *row_in(const json_t *report, const site_t *site)
{
    const json_t *rows = json_object_get(report, "certificates"), *row;
    size_t i;

    json_array_foreach(rows, i, row) if (!strcmp(facts_json(row, "name"),
                                                 site->name)) return row;
    ck_abort_msg("no row of %s", site->name);
}

/** @return NULL: it moved */
static inline const char *steady(const json_t *before, const json_t *after,
                                 const char *key)
{
    const char *value = facts_json(before, key);

    if (!strcmp(value, facts_json(after, key)))
        return value;
    facts_moved++;
    return NULL;
}

#endif
