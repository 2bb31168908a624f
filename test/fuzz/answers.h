/* answers: a report on certificates, in every format it is printed in, each of
 * which must be well formed. The scene is the one of the page's own tests.
 */
#ifndef OCSPX_FUZZ_ANSWERS_H
#define OCSPX_FUZZ_ANSWERS_H

#include "../unit/page_scene.h"

#include "../../mod_ocspx/engine/metrics.h"
#include "world.h"

/** What is added is issued by the world's CA, with the leaf's key. */
static inline void answers_begin(const fuzz_world_t *world, apr_pool_t *p)
{
    pool = p;
    begin_model();
    ca = world->ca;
}

/** What is printed from now on is in @a p. */
static inline void answers_pool(apr_pool_t *p)
{
    pool = p;
}

/** Begin again, in that pool. */
static inline void answers_forget(void)
{
    registry = ocspx_registry_make(pool);
    others = apr_array_make(pool, 1, sizeof(ocspx_report_other_t));
    findings = apr_array_make(pool, 1, sizeof(ocspx_report_finding_t));
}

static inline void assert_json(const ocspx_report_t *report)
{
    static const char *const keys[] = {"totals",   "page",         "pages",
                                       "matching", "certificates", "responders",
                                       "findings"};
    model_text_t out = {0};
    json_t *json;
    json_error_t why;

    ocspx_report_print_json(report, take_piece, &out, pool);
    json = json_loadb(out.text, out.len, JSON_REJECT_DUPLICATES, &why);
    ck_assert_msg(json != NULL, "%s", why.text);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        ck_assert_ptr_nonnull(json_object_get(json, keys[i]));
    ck_assert_uint_eq(json_array_size(json_object_get(json, "certificates")),
                      report->count);
    json_decref(json);
}

/* Comments, and "name{labels} value", whose labels' quotes are in pairs. */
static inline void assert_metric(const char *line)
{
    size_t name = strcspn(line, "{ ");
    int quoted = 0;

    ck_assert(name > 0);
    for (const char *c = line; *c; c++) {
        ck_assert(*c >= 0x20);
        if (*c == '\\' && quoted)
            ck_assert(*++c != '\0');
        else if (*c == '"')
            quoted = !quoted;
    }
    ck_assert_msg(!quoted || *line == '#', "%s", line);
}

static inline void assert_metrics(const ocspx_report_t *report,
                                  ocspx_metrics_format_e format)
{
    model_text_t out = {0};
    char *line, *state;

    ocspx_metrics_print(report, format, take_piece, &out, pool);
    ck_assert_int_eq(out.text[out.len - 1], '\n');
    if (format == OCSPX_METRICS_OPENMETRICS)
        ck_assert_str_eq(out.text + out.len - 6, "# EOF\n");
    line = apr_strtok(apr_pstrdup(pool, out.text), "\n", &state);
    for (; line; line = apr_strtok(NULL, "\n", &state))
        assert_metric(line);
}

/* What is asked for may be the words of code, but not its tags. */
static inline void assert_no_code(const char *text)
{
    static const char *const tags[] = {"<script", "<link", "<img", "<iframe",
                                       "<object"};

    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        ck_assert_msg(!strstr(text, tags[i]), "%s", tags[i]);
    ck_assert_int_eq(times(text, "<style"), 1);
    for (; *text; text++)
        ck_assert((*text >= 0x20 && *text < 0x7f) || *text == '\n');
}

static inline void assert_page(const ocspx_report_t *report,
                               const ocspx_query_t *query)
{
    model_text_t out = {0};
    const ocspx_html_t html = {take_piece, &out};
    const ocspx_page_t page = {report, query, HOST};

    ocspx_page_print(&page, &html, pool);
    assert_balanced(out.text);
    assert_ids(out.text);
    assert_no_code(out.text);
}

/** As the handler does it: nothing is printed of what is not there. */
static inline void answers_assert(const ocspx_query_t *asked)
{
    ocspx_query_t query = *asked;
    const ocspx_report_t *report;

    if (!query.report.page)
        query.report.page = 1;
    report = make_report(&query.report);
    if ((query.report.cert && !report->matching) ||
        report->page > report->pages)
        return;
    assert_page(report, &query);
    assert_json(report);
    assert_metrics(report, OCSPX_METRICS_OPENMETRICS);
    assert_metrics(report, OCSPX_METRICS_PROMETHEUS);
}

#endif
