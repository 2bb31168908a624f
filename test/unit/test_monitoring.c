/* test_monitoring: the alert rules and the dashboard that come along: they
 * ask for metrics that there are, and Prometheus understands them.
 */
#include "model_scene.h"

#include <ctype.h>
#include <stdlib.h>

#include "../../mod_ocspx/engine/metrics.h"
#include "../support/procs.h"
#include "../support/tools.h"

#define PROMTOOL_MS 120000
#define RULES "conf.d/ocspx-alerts.yml"
#define DASHBOARD "conf.d/ocspx-dashboard.json"

static const char *in_source(const char *path)
{
    const char *dir = getenv("srcdir");

    return apr_pstrcat(pool, dir ? dir : ".", "/", path, NULL);
}

static void promtool(const char *what, const char *subject, const char *file)
{
    const char *argv[] = {"promtool", what, subject, file, NULL};
    procs_result_t result;

    ck_assert_msg(tools_have("promtool"),
                  "promtool is missing; build/packages installs it");
    procs_run(&result, argv, NULL, PROMTOOL_MS, pool);
    ck_assert_msg(result.status == 0, "%s", result.output);
}

START_TEST(rules_are_well_formed)
{
    promtool("check", "rules", in_source(RULES));
}
END_TEST

START_TEST(rules_fire_when_they_should)
{
    promtool("test", "rules",
             in_source("test/prometheus/ocspx-alerts.test.yml"));
}
END_TEST

/** All the samples that there can be. */
static const char *all_metrics(void)
{
    model_text_t text = {0};

    add_cert("a.test", "http://ocsp.test/");
    add_cert("b.test", "http://ocsp.test/");
    open_model();
    make_stapled(0, HOURS(48));
    make_failing(1, 0, OCSPX_CAUSE_DNS, "no such host");
    ocspx_ledger_turn(ledger, NOW);
    ocspx_metrics_print(make_report(&(ocspx_report_query_t){0}),
                        OCSPX_METRICS_PROMETHEUS, take_piece, &text, pool);
    return text.text;
}

static int is_metric(const char *metrics, const char *name)
{
    return strstr(metrics, apr_pstrcat(pool, "\n", name, "{", NULL)) ||
           strstr(metrics, apr_pstrcat(pool, "\n", name, " ", NULL));
}

/** @return how many of the names in this are names of metrics; all have to be
 */
static int check_names(const char *text, const char *metrics)
{
    int found = 0;

    while ((text = strstr(text, "ocspx_")) != NULL) {
        apr_size_t len = 0;
        const char *name;

        while (islower((unsigned char)text[len]) || text[len] == '_')
            len++;
        name = apr_pstrndup(pool, text, len);
        ck_assert_msg(is_metric(metrics, name), "%s is no metric", name);
        found++;
        text += len;
    }
    return found;
}

START_TEST(rules_ask_for_metrics_that_there_are)
{
    ck_assert_int_ge(
        check_names(procs_read_file(in_source(RULES), pool), all_metrics()),
        20);
}
END_TEST

/* --- dashboard ------------------------------------------------------- */

/** All queries below this, each as a rule of the YAML file. */
static void collect(model_text_t *rules, json_t *json)
{
    json_t *value;
    const char *key;
    size_t i;

    json_array_foreach(json, i, value) collect(rules, value);
    json_object_foreach(json, key, value)
    {
        const char *rule = apr_psprintf(pool,
                                        "      - record: query_%" APR_SIZE_T_FMT
                                        "\n        expr: %s\n",
                                        rules->len, json_string_value(value));

        if (!strcmp(key, "expr"))
            take_piece(rules, rule, strlen(rule));
        collect(rules, value);
    }
}

/** As Grafana does it. */
static const char *fill_in(const char *text, const char *variable,
                           const char *value)
{
    const char *at = strstr(text, variable);

    if (at == NULL)
        return text;
    return apr_pstrcat(pool, apr_pstrndup(pool, text, (apr_size_t)(at - text)),
                       value, fill_in(at + strlen(variable), variable, value),
                       NULL);
}

START_TEST(dashboard_asks_what_prometheus_can_answer)
{
    static const char head[] = "groups:\n  - name: all\n    rules:\n";
    const char *file = apr_pstrcat(pool, procs_temp_dir(pool), "/rules", NULL);
    model_text_t rules = {0};
    json_error_t error;
    json_t *dashboard = json_load_file(in_source(DASHBOARD), 0, &error);
    const char *text;

    ck_assert_msg(dashboard != NULL, "%d: %s", error.line, error.text);
    take_piece(&rules, head, strlen(head));
    collect(&rules, dashboard);
    json_decref(dashboard);
    ck_assert_int_ge(check_names(rules.text, all_metrics()), 12);
    text = fill_in(fill_in(rules.text, "$__rate_interval", "5m"), "$instance",
                   ".*");
    pki_write_file(file, text, strlen(text));
    promtool("check", "rules", file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("monitoring");
    TCase *tc = tcase_create("monitoring");

    tcase_add_checked_fixture(tc, set_model_up, tear_model_down);
    tcase_set_timeout(tc, 180);
    tcase_add_test(tc, rules_are_well_formed);
    tcase_add_test(tc, rules_fire_when_they_should);
    tcase_add_test(tc, rules_ask_for_metrics_that_there_are);
    tcase_add_test(tc, dashboard_asks_what_prometheus_can_answer);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
