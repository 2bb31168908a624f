/* fault_story: what happens to the sites of a table of faults, and how it is
 * told: see fault_scene.h.
 */
#ifndef OCSPX_TEST_FAULT_STORY_H
#define OCSPX_TEST_FAULT_STORY_H

#include <apr_fnmatch.h>
#include <jansson.h>
#include <regex.h>

#include "fault_scene.h"

static long log_read_to;

/* --- looking ---------------------------------------------------------- */

static inline client_result_t shake_hands(site_t *site)
{
    client_result_t result = world_handshake(w, site->host);

    if (!result.ok)
        complain(site, "handshake: %s", result.error);
    else if (site->handshakes < HANDSHAKES_MAX)
        site->ms[site->handshakes++] = result.ms;
    return result;
}

static inline int is_old(const client_result_t *result)
{
    return client_good(result) &&
           result->next_update - result->this_update == LIFETIME;
}

/** The response that the row is about, and not the one before. */
static inline int is_new(const site_t *site, const client_result_t *result)
{
    return result->ok && result->verified && !is_old(result) &&
           result->status == (is_revoked(site->fault)
                                  ? V_OCSP_CERTSTATUS_REVOKED
                                  : V_OCSP_CERTSTATUS_GOOD);
}

static inline void expect_bare(site_t *site, const char *when)
{
    client_result_t result = shake_hands(site);

    if (result.ok && result.stapled)
        complain(site, "stapled %s", when);
}

/** The old one, unless it has ended since it was first seen here. */
static inline void expect_old(site_t *site)
{
    client_result_t result = shake_hands(site);

    if (site->next_update != 0 && apr_time_now() >= site->next_update)
        return;
    if (!is_old(&result)) {
        complain(site, "the old staple is gone: stapled %d, %s", result.stapled,
                 result.error);
        return;
    }
    if (site->this_update != 0 && site->this_update != result.this_update)
        complain(site, "the staple was replaced");
    site->this_update = result.this_update;
    site->next_update = result.next_update;
}

/** What clients get while the fault lasts. */
static inline void look(site_t *site)
{
    if (is_stapled(site->fault))
        shake_hands(site);
    else if (site->is_again)
        expect_old(site);
    else
        expect_bare(site, "with an answer that is no good");
}

/** The line of the log that names the cause. */
static inline const char *wanted_line(const site_t *site)
{
    const fault_t *fault = site->fault;

    return apr_psprintf(
        w->pool, "OCSPX0010: %s: %s: .*%s.*%s; next try", site->host,
        fault->cause, fault->says != NULL ? fault->says : "",
        site->is_again ? "; stapled until [-0-9T:]+Z" : "; not stapled");
}

static inline int matches(const char *line, const char *regex)
{
    regex_t compiled;
    int found;

    ck_assert_int_eq(regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB), 0);
    found = regexec(&compiled, line, 0, NULL, 0) == 0;
    regfree(&compiled);
    return found;
}

static inline site_t *site_of(const char *host, apr_size_t len)
{
    for (EACH_SITE(site))
        if (strlen(site->host) == len && strncmp(site->host, host, len) == 0)
            return site;
    return NULL;
}

static inline int is_cause(const char *text, const char *wanted)
{
    apr_size_t len = strlen(wanted);

    return strncmp(text, wanted, len) == 0 && text[len] == ':';
}

/** Every failure must have the cause of the row, and one of them the rest. */
static inline void note_failure(const char *line)
{
    const char *tag = strstr(line, "OCSPX0010: ");
    const char *host = tag != NULL ? tag + strlen("OCSPX0010: ") : "";
    apr_size_t len = strcspn(host, ":");
    site_t *site = site_of(host, len);

    if (site == NULL)
        return;
    site->failure = apr_pstrdup(w->pool, line);
    if (is_stapled(site->fault)) {
        if (!site->fault->rough)
            complain(site, "logged: %s", line);
    } else if (!is_cause(host + len + 2, site->fault->cause)) {
        complain(site, "logged: %s", line);
    } else if (!site->is_named) {
        site->is_named = matches(line, wanted_line(site));
    }
}

/** What the log has to say of failures, from where it was read last. */
static inline void read_log(void)
{
    FILE *log = fopen(httpd_path(w->httpd, "error.log"), "re");
    char line[4096];

    ck_assert_ptr_nonnull(log);
    fseek(log, log_read_to, SEEK_SET);
    while (fgets(line, sizeof(line), log) != NULL &&
           strchr(line, '\n') != NULL) {
        note_failure(line);
        log_read_to = ftell(log);
    }
    fclose(log);
}

/** Of what was logged up to now, nothing is to be noted. */
static inline void skip_log(void)
{
    log_read_to = (long)strlen(
        procs_read_file(httpd_path(w->httpd, "error.log"), w->pool));
}

/* These three say whether what they are called has come to pass. */

static inline int is_judged(site_t *site)
{
    client_result_t result;

    if (!is_stapled(site->fault))
        return site->is_named;
    result = shake_hands(site);
    return is_new(site, &result);
}

static inline int is_ready(site_t *site)
{
    client_result_t result;

    if (!site->is_again)
        return 1;
    result = shake_hands(site);
    return is_old(&result);
}

static inline int is_mended(site_t *site)
{
    client_result_t result;

    if (is_stapled(site->fault))
        return 1;
    result = shake_hands(site);
    return client_good(&result);
}

/** Until it has for all of them; each is then looked at, at once.
 * @param then NULL: not, and the log does not matter either */
static inline void await(int (*has_come)(site_t *site),
                         void (*then)(site_t *site), const char *what)
{
    char *done = apr_pcalloc(w->pool, (apr_size_t)sites_count);
    long deadline = procs_ms() + WAIT_MS;
    int left;

    do {
        if (then != NULL)
            read_log();
        left = 0;
        for (EACH_SITE(site)) {
            if (done[site - sites])
                continue;
            done[site - sites] = (char)has_come(site);
            if (!done[site - sites])
                left++;
            else if (then != NULL)
                then(site);
        }
        procs_sleep(100);
    } while (left > 0 && procs_ms() < deadline);
    for (EACH_SITE(site)) {
        if (!done[site - sites])
            complain(site, "not %s; last failure: %s", what,
                     site->failure != NULL ? site->failure : "none");
    }
}

/* --- the story -------------------------------------------------------- */

static inline void start(void)
{
    good_until = apr_time_from_sec(apr_time_sec(apr_time_now()));
    responder_start(w->responder);
    if (story->begin != NULL)
        story->begin();
    for (EACH_SITE(site))
        way_of(site)->set(site, !site->is_again);
    world_up(w);
    await(is_ready, NULL, "ready");
}

/** A graceful reload, as libcurl would go on with names and connections it
 * knows: that of the new generation knows none. */
static inline void break_again(void)
{
    for (EACH_SITE(site))
        if (site->is_again)
            way_of(site)->set(site, 1);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    skip_log();
}

static inline void each_keeps_what_it_has(void)
{
    for (EACH_SITE(site))
        look(site);
}

/** The report's row of a site, borrowed from @a report. */
static inline const json_t *row_of(const json_t *report, const site_t *site)
{
    const json_t *rows = json_object_get(report, "certificates");

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *name = json_string_value(json_object_get(row, "name"));

        if (name != NULL && strcmp(name, site->host) == 0)
            return row;
    }
    return NULL;
}

static inline json_t *read_report(void)
{
    const char *url =
        apr_psprintf(w->pool, "http://127.0.0.1:%d/ocspx-status?format=json",
                     httpd_plain_port(w->httpd));
    procs_result_t result;
    json_t *report;

    procs_run(&result, (const char *[]){"curl", "-sSf", url, NULL}, NULL, 30000,
              w->pool);
    report = json_loads(result.output, 0, NULL);
    ck_assert_msg(report != NULL, "no report: %.200s", result.output);
    return report;
}

static inline void each_is_reported(void)
{
    json_t *report = read_report();

    for (EACH_SITE(site)) {
        const json_t *row = row_of(report, site);
        const char *wanted = site->fault->cause;
        const char *cause = json_string_value(json_object_get(row, "cause"));

        if (site->fault->rough)
            continue;
        if (row == NULL || (cause == NULL) != (wanted == NULL) ||
            (cause != NULL && strcmp(cause, wanted) != 0))
            complain(site, "the report says: %s",
                     cause != NULL ? cause : "nothing");
    }
    json_decref(report);
}

/** By the times of requests for certificates that are to be let alone. */
static inline void pauses_are_kept(void)
{
    static apr_time_t times[RESPONDER_TIMES_MAX];
    static const pki_t *whose[RESPONDER_TIMES_MAX];
    int n = responder_times(times, whose, RESPONDER_TIMES_MAX, w->responder);

    for (EACH_SITE(site)) {
        apr_time_t last = 0;
        int asked = 0;

        for (int i = 0; i < n && !site->is_again; i++) {
            if (whose[i] != site->leaf)
                continue;
            if (last != 0 &&
                times[i] - last < apr_time_from_sec(site->fault->retry_after))
                complain(site, "asked again after %.1f s",
                         (double)(times[i] - last) / APR_USEC_PER_SEC);
            last = times[i];
            asked++;
        }
        if (site->fault->retry_after != 0 && !site->is_again && asked < 2)
            complain(site, "asked only %d times", asked);
    }
}

/** What was stapled ends with its nextUpdate, for all of them at last. */
static inline void each_ends(void)
{
    apr_time_t end = 0;

    for (EACH_SITE(site))
        if (site->next_update > end)
            end = site->next_update;
    while (apr_time_now() < end + apr_time_from_msec(200))
        procs_sleep(50);
    for (EACH_SITE(site))
        if (!is_stapled(site->fault))
            expect_bare(site, "after nextUpdate");
}

/** Files kept beside those of responses that were accepted. */
static inline int count_strays(void)
{
    apr_array_header_t *files;
    int wanted = 0;

    for (EACH_SITE(site))
        wanted += site->is_again || is_stapled(site->fault);
    ck_assert_int_eq(
        apr_match_glob(httpd_path(w->httpd, "state/*.der"), &files, w->pool),
        APR_SUCCESS);
    return files->nelts - wanted;
}

static inline void mend(void)
{
    for (EACH_SITE(site))
        way_of(site)->set(site, 0);
    ck_assert_int_ge(httpd_graceful(w->httpd), 0);
    await(is_mended, NULL, "mended");
}

/* --- the table -------------------------------------------------------- */

static inline int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/** Of the handshakes with both sites: the median of the slower one. */
static inline void measure(double *median, double *most, site_t *pair)
{
    *median = *most = 0;
    for (site_t *site = pair; site < pair + 2; site++) {
        int n = site->handshakes;

        qsort(site->ms, (size_t)n, sizeof(*site->ms), compare);
        if (n == 0 || site->ms[n / 2] > MEDIAN_MS_MAX ||
            site->ms[n - 1] > MS_MAX)
            complain(site, "%d handshakes, of %.0f ms, at most %.0f ms", n,
                     site->ms[n / 2], site->ms[n > 0 ? n - 1 : 0]);
        if (n > 0 && site->ms[n / 2] > *median)
            *median = site->ms[n / 2];
        if (n > 0 && site->ms[n - 1] > *most)
            *most = site->ms[n - 1];
    }
}

/** @return 1: all as expected */
static inline int print_row(site_t *pair)
{
    const fault_t *fault = pair[0].fault;
    const char *staple = !is_stapled(fault)  ? "none, old"
                         : is_revoked(fault) ? "revoked"
                                             : "good";
    double median, most;
    int ok;

    measure(&median, &most, pair);
    ok = pair[0].complaint == NULL && pair[1].complaint == NULL;
    printf("%-26s %-18s %-10s %7.1f %7.1f  %s\n", fault->name,
           fault->cause != NULL ? fault->cause : "-", staple, median, most,
           ok ? "ok" : "WRONG");
    for (int i = 0; i < 2; i++)
        if (pair[i].complaint != NULL)
            printf("    %s: %s\n", pair[i].host, pair[i].complaint);
    return ok;
}

static inline void print_table(void)
{
    int ok = 0;

    printf("%-26s %-18s %-10s %7s %7s\n", "fault", "cause", "staple", "median",
           "max ms");
    for (int i = 0; i < story->count; i++)
        ok += print_row(&sites[2 * i]);
    printf("%d faults, %d as expected\n", story->count, ok);
    fflush(stdout);
    ck_assert_int_eq(ok, story->count);
}

START_TEST(every_fault)
{
    int strays;

    make_sites();
    start();
    break_again();
    await(is_judged, look, "as it should be");
    each_is_reported();
    each_keeps_what_it_has();
    each_ends();
    read_log();
    pauses_are_kept();
    strays = count_strays();
    mend();
    print_table();
    ck_assert_int_eq(strays, 0);
    if (story->end != NULL)
        story->end();
}
END_TEST

static inline int run_faults(const story_t *told)
{
    Suite *suite = suite_create(told->name);
    TCase *tests = tcase_create(told->name);

    story = told;
    tcase_set_timeout(tests, 300);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, every_fault);
    suite_add_tcase(suite, tests);
    return ocspx_check_main(suite);
}

#endif
