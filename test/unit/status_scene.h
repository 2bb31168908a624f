/* status_scene: `ocspx status' and a report made by hand, as a file. */
#ifndef OCSPX_TEST_STATUS_SCENE_H
#define OCSPX_TEST_STATUS_SCENE_H

#include "cli_scene.h"
#include "model_scene.h"

#define URL "http://ocsp.test/"

static inline void set_status_up(void)
{
    unsetenv("COLUMNS");
    unsetenv("NO_COLOR");
    set_the_scene();
    begin_model();
}

/** "n0.test" and so on in the registry, of which nothing is known yet. */
static inline void add_certs(int n)
{
    for (int i = 0; i < n; i++)
        add_cert(apr_psprintf(pool, "n%d.test", i), URL);
    open_model();
    ocspx_ledger_turn(ledger, NOW - SECONDS(1));
}

static inline void write_text(const char *text)
{
    pki_write_file("report", text, strlen(text));
}

/** In the file "report". */
static inline void write_report(void)
{
    write_text(report_as_json(make_report(&(ocspx_report_query_t){0})));
}

static inline const char *status_of(int status, const char *options)
{
    return run(status, apr_pstrcat(pool, "status report ", options, NULL));
}

static inline const char *line_no(const char *text, int n)
{
    while (n-- > 0)
        text = strchr(text, '\n') + 1;
    return apr_pstrndup(pool, text, strcspn(text, "\n"));
}

/** One in each state, with long names and long sentences. */
static inline void set_the_table(void)
{
    add_certs(4);
    rename_cert(0, apr_pstrcat(pool, "a-name-that-goes-on-and-on-and-on.and-on",
                               ".and-on.and-on.and-on.and-on.test", NULL));
    make_stapled(0, HOURS(60));
    make_failing(1, HOURS(3), OCSPX_CAUSE_CONNECT_TIMEOUT,
                 "http://ocsp.test/a/path/that/is/longer/than/any/line/that/"
                 "there/is/at/sixty/columns: no connection to 192.0.2.1:80");
    make_failing(2, 0, OCSPX_CAUSE_RESP_HTTP, URL ": status 503");
    make_revoked(3, HOURS(20));
    add_other("none.test", OCSPX_REPORT_NOT_APPLICABLE, "it names nobody");
    add_finding(OCSPX_CAUSE_ERROR, "the chain lacks CN=Intermediate");
    write_report();
}

static inline TCase *make_case(const char *name)
{
    TCase *tc = tcase_create(name);

    tcase_add_checked_fixture(tc, set_status_up, strike_the_scene);
    tcase_set_timeout(tc, 60);
    return tc;
}

#endif
