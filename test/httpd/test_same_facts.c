/* test_same_facts: every output tells the same: pages, JSON, metrics, ?auto,
 * command line and log are compared field by field, over certificates in every
 * state; and some of it with what a client and the test itself know.
 *
 * The JSON is taken before and after everything else. What is equal in both
 * must be equal in between; what is not, moved by itself.
 */
#include "facts_told.h"
#include "facts_totals.h"

/* --- the fields of a certificate -------------------------------------- */

typedef enum { TEXT, TIME, TOOK, NUMBER } kind_e;

/* Written down once more, so that a wrong label is seen. */
static const struct {
    const char *key, *label;
    kind_e kind;
    const char *metric;
} fields[] = {
    {"name", "Name", TEXT, NULL},
    {"state", "State", TEXT, NULL},
    {"safeUntil", "Safe until", TIME, "ocspx_staple_expiry_timestamp_seconds"},
    {"cause", "Cause", TEXT, NULL},
    {"causeLine", "What is wrong", TEXT, NULL},
    {"message", "Message", TEXT, NULL},
    {"remedy", "Remedy", TEXT, NULL},
    {"failingSince", "Failing since", TIME,
     "ocspx_failing_since_timestamp_seconds"},
    {"tries", "Failed tries", NUMBER, "ocspx_consecutive_failures"},
    {"nextTry", "Next try", TIME, "ocspx_next_refresh_timestamp_seconds"},
    {"revoked", "Revoked", TEXT, NULL},
    {"thisUpdate", "This update", TIME,
     "ocspx_response_this_update_timestamp_seconds"},
    {"nextUpdate", "Next update", TIME, NULL},
    {"fetched", "Fetched", TIME, NULL},
    {"heldUntil", "Newer one held until", TIME,
     "ocspx_response_held_until_timestamp_seconds"},
    {"source", "Source", TEXT, NULL},
    {"bytes", "Size", NUMBER, NULL},
    {"responder", "Responder", TEXT, NULL},
    {"address", "Address", TEXT, NULL},
    {"latency", "Latency", TOOK, NULL},
    {"httpStatus", "HTTP status", NUMBER, NULL},
    {"requests", "Requests", NUMBER, NULL},
    {"handshakes", "Handshakes", NUMBER, NULL},
    {"handshakesStapled", "Stapled", NUMBER, NULL},
    {"handshakesEmpty", "Not stapled: none", NUMBER, NULL},
    {"handshakesExpired", "Not stapled: expired", NUMBER, NULL},
    {"names", "Names", TEXT, NULL},
    {"vhosts", "Virtual hosts", TEXT, NULL},
    {"subject", "Subject", TEXT, NULL},
    {"issuer", "Issuer", TEXT, NULL},
    {"keyType", "Key", TEXT, NULL},
    {"fingerprint", "Fingerprint", TEXT, NULL},
    {"serial", "Serial number", TEXT, NULL},
    {"mustStaple", "Must-staple", NUMBER, "ocspx_certificate_must_staple"},
    {"notBefore", "Valid from", TIME,
     "ocspx_certificate_start_timestamp_seconds"},
    {"notAfter", "Valid until", TIME,
     "ocspx_certificate_expiry_timestamp_seconds"},
};

/* --- one certificate -------------------------------------------------- */

/** "under 1 ms", "12 ms", "1.2 s": the same as seconds, but for rounding. */
static void same_duration(const char *what, const char *words,
                          const char *seconds)
{
    double off = 0.5, slack = 0.51;

    if (words && strcmp(seconds, "none")) {
        if (!strstr(words, "ms"))
            slack = 101;
        if (strncmp(words, "under ", 6))
            off = atof(words) * (slack > 1 ? 1000 : 1);
        off -= 1000 * atof(seconds);
        if (off <= slack && off >= -slack)
            words = seconds;
    }
    facts_same(what, words, seconds);
}

static void same_cells(int i, const json_t *before, const json_t *after)
{
    for (int f = 0; f < COUNT(fields); f++) {
        const char *value = steady(before, after, fields[f].key);
        const char *what = facts_what("page", sites[i].name, fields[f].key);
        const char *cell = facts_cell(told.pages[i], fields[f].label,
                                      fields[f].key, fields[f].kind == TIME);
        const char *line = facts_cli_line(told.cli_certs[i], fields[f].label,
                                          fields[f].kind == TIME);

        if (!value)
            continue;
        if (fields[f].kind == TOOK)
            same_duration(what, cell, value);
        else
            facts_same(what, cell, value);
        what = facts_what("cli --cert", sites[i].name, fields[f].key);
        if (fields[f].kind == TOOK && strcmp(value, "none"))
            facts_same(what, line,
                       apr_psprintf(w->pool, "%.3f s", atof(value)));
        else
            facts_same(what, line, value);
    }
}

/** No metric of that: it is not one that is stapled here, or unknown. */
static void same_metrics(int i, const json_t *before, const json_t *after)
{
    const char *labels =
        apr_psprintf(w->pool, "{certificate=\"%s\",fingerprint=\"%.16s\"}",
                     sites[i].name, id_of(sites[i].leaf));
    int elsewhere = !strcmp(sites[i].state, "other-provider");
    int unasked = elsewhere || !strcmp(sites[i].state, "not-applicable") ||
                  !strcmp(sites[i].name, "incomplete.test");

    for (int f = 0; f < COUNT(fields); f++) {
        const char *value;

        if (!fields[f].metric ||
            !(value = steady(before, after, fields[f].key)))
            continue;
        if (fields[f].kind == TIME)
            value = facts_seconds(value);
        else if (!strcmp(fields[f].key, "mustStaple"))
            value = elsewhere ? "none" : strcmp(value, "yes") ? "0" : "1";
        else if (unasked)
            value = "none";
        facts_same(facts_what("metric", sites[i].name, fields[f].key),
                   facts_sample(told.metrics, fields[f].metric, labels), value);
    }
}

/** What the list says of it, between its row's tags. */
static void same_list(int i, const json_t *row)
{
    const char *link = apr_pstrcat(
        w->pool, "<a href=\"?cert=", id_of(sites[i].leaf), "\">", NULL);
    const char *word = state_word(facts_json(row, "state"));
    const char *cause = facts_json(row, "cause");
    const char *remedy = facts_json(row, "remedy");
    const char *part = facts_between(told.list, link, "</tbody>");
    const char *shown = facts_between(part, "<strong class=\"code\">", "</");
    int quiet =
        strstr("waiting not-applicable other-provider", sites[i].state) != NULL;

    facts_found(facts_what("page", sites[i].name, "outlook"), told.pages[i],
                apr_pstrcat(w->pool, "<p>", word, NULL));
    facts_found(facts_what("list", sites[i].name, "state"),
                facts_last(told.list, "<td class=\"state\">", link),
                apr_pstrcat(w->pool, "<span>", word, "<", NULL));
    facts_same(facts_what("list", sites[i].name, "name"),
               facts_plain(facts_between(part, "", "</a>")), sites[i].name);
    facts_same(
        facts_what("list", sites[i].name, "safeUntil"),
        facts_first_time(facts_between(part, "<td class=\"safe\">", "</td>")),
        facts_json(row, "safeUntil"));
    facts_same(facts_what("list", sites[i].name, "cause"),
               shown ? shown : "none", quiet ? "none" : cause);
    if (strcmp(facts_json(row, "message"), "none"))
        facts_found(facts_what("list", sites[i].name, "message"),
                    facts_plain(part), facts_json(row, "message"));
    if (!quiet && strcmp(remedy, "none"))
        facts_found(facts_what("list", sites[i].name, "remedy"),
                    facts_plain(part),
                    apr_pstrcat(w->pool, "What to do: ", remedy, NULL));
}

/** The table of the command line: a line, and what is wrong below it. */
static void same_table(int i, const json_t *row)
{
    const char *line =
        facts_line(told.cli, apr_psprintf(w->pool, "\n%-14s  %s ",
                                          sites[i].state, sites[i].name));
    const char *responder = facts_json(row, "responder");

    facts_found(facts_what("cli", sites[i].name, "responder"), line,
                strcmp(responder, "none") ? responder : " -  ");
    facts_found(
        facts_what("cli", sites[i].name, "vhosts"), line,
        json_string_value(json_array_get(json_object_get(row, "vhosts"), 0)));
    if (strcmp(sites[i].state, "failing") && strcmp(sites[i].state, "revoked"))
        return;
    facts_found(facts_what("cli", sites[i].name, "cause"), line,
                facts_json(row, "cause"));
    facts_found(facts_what("cli", sites[i].name, "message"), told.cli,
                apr_pstrcat(w->pool, "\n    ", facts_json(row, "cause"), ": ",
                            facts_json(row, "message"), "\n", NULL));
}

/** What failed, was revoked or stapled stands in the log the same way. */
static void same_log(int i, const json_t *row)
{
    const char *name = sites[i].name, *state = sites[i].state;
    const char *what = facts_what("log", name, state);
    const char *said =
        apr_pstrcat(w->pool, name, ": ", facts_json(row, "cause"), ": ",
                    facts_json(row, "message"), NULL);

    if (!strcmp(name, "incomplete.test"))
        return;
    if (!strcmp(state, "failing"))
        facts_found(
            what, told.log,
            apr_pstrcat(w->pool, "OCSPX0010: ", said, "; ",
                        sites[i].stapled ? "stapled until " : "not stapled",
                        sites[i].stapled ? facts_json(row, "safeUntil") : "",
                        "; next try in ", NULL));
    if (!strcmp(state, "revoked") || !strcmp(state, "withheld"))
        facts_found(what, told.log,
                    apr_pstrcat(w->pool, "OCSPX0012: ", said, ". ",
                                facts_json(row, "remedy"), NULL));
    if (!strcmp(state, "stapled"))
        facts_found(what, told.log,
                    apr_pstrcat(w->pool, "OCSPX0014: ", name,
                                ": stapled until ",
                                facts_json(row, "safeUntil"), NULL));
}

static const char *end_of(const pki_t *leaf)
{
    apr_time_exp_t e = {0};
    struct tm tm;
    apr_time_t t;

    ck_assert_int_eq(ASN1_TIME_to_tm(X509_get0_notAfter(leaf->cert), &tm), 1);
    e.tm_year = tm.tm_year;
    e.tm_mon = tm.tm_mon;
    e.tm_mday = tm.tm_mday;
    e.tm_hour = tm.tm_hour;
    e.tm_min = tm.tm_min;
    e.tm_sec = tm.tm_sec;
    apr_time_exp_gmt_get(&t, &e);
    return facts_number(apr_time_sec(t));
}

/** What does not come from the module at all. */
static void same_truth(int i, const json_t *row)
{
    client_result_t client = world_handshake(w, sites[i].name);
    const char *name = sites[i].name;

    facts_same(facts_what("test", name, "state"), facts_json(row, "state"),
               sites[i].state);
    facts_same(facts_what("test", name, "fingerprint"),
               facts_json(row, "fingerprint"), id_of(sites[i].leaf));
    facts_same(facts_what("test", name, "notAfter"),
               facts_seconds(facts_json(row, "notAfter")),
               end_of(sites[i].leaf));
    if (!strcmp(sites[i].state, "other-provider"))
        return;
    facts_same(facts_what("client", name, "stapled"),
               client.stapled ? "1" : "none", sites[i].stapled ? "1" : "none");
    facts_same(facts_what("client", name, "safeUntil"),
               sites[i].stapled ? facts_seconds(facts_json(row, "safeUntil"))
                                : facts_json(row, "safeUntil"),
               client.stapled ? facts_number(apr_time_sec(client.next_update))
                              : "none");
    if (!client.stapled)
        return;
    facts_same(facts_what("client", name, "thisUpdate"),
               facts_seconds(facts_json(row, "thisUpdate")),
               facts_number(apr_time_sec(client.this_update)));
    facts_same(facts_what("client", name, "nextUpdate"),
               facts_seconds(facts_json(row, "nextUpdate")),
               facts_number(apr_time_sec(client.next_update)));
    facts_same(facts_what("client", name, "bytes"), facts_json(row, "bytes"),
               facts_number((apr_int64_t)client.len));
}

/* --- findings --------------------------------------------------------- */

static void same_finding(const json_t *finding)
{
    const char *code = facts_json(finding, "code");
    const char *message = facts_json(finding, "message");
    const char *vhost = facts_json(finding, "vhost");
    const char *severity = facts_json(finding, "severity");
    const char *remedy = facts_json(finding, "remedy");

    facts_found("finding in the log", told.log,
                apr_pstrcat(w->pool, "OCSPX0107: ", vhost, ": ", code, ": ",
                            message, ". ", remedy, NULL));
    facts_found("finding of the cli", told.cli,
                apr_pstrcat(w->pool, "\n", severity, ": ", code, " ", vhost,
                            "\n    ", message, "\n    ", remedy, "\n", NULL));
    facts_found("finding on the page", facts_plain(told.list),
                apr_pstrcat(w->pool, code, " (", severity, ") ", message,
                            ".What to do: ", remedy, vhost, NULL));
}

static void same_findings(const json_t *before)
{
    const json_t *findings = json_object_get(before, "findings"), *finding;
    int counts[2] = {0, 0};
    size_t i;

    json_array_foreach(findings, i, finding)
    {
        same_finding(finding);
        counts[0] += !strcmp(facts_json(finding, "severity"), "error");
        counts[1] += !strcmp(facts_json(finding, "severity"), "warning");
    }
    facts_same("errors listed", facts_number(counts[0]),
               facts_json(json_object_get(before, "totals"), "findingsError"));
    facts_same(
        "warnings listed", facts_number(counts[1]),
        facts_json(json_object_get(before, "totals"), "findingsWarning"));
    ck_assert_int_ge(counts[0], 1);
    ck_assert_int_ge(counts[1], 2);
}

/* --- the test ---------------------------------------------------------- */

static void same_samples(void)
{
    char *state;

    for (char *line =
             apr_strtok(apr_pstrdup(w->pool, told.metrics), "\n", &state);
         line; line = apr_strtok(NULL, "\n", &state))
        if (*line != '#' && !strstr(line, "_last_turn_"))
            facts_found("prometheus", told.prometheus,
                        apr_pstrcat(w->pool, "\n", line, "\n", NULL));
}

static void same_certificate(int i)
{
    const json_t *before = row_in(told.before, &sites[i]);
    const json_t *after = row_in(told.after, &sites[i]);
    const json_t *cli_row = row_in(told.cli_json, &sites[i]);

    for (int f = 0; f < COUNT(fields); f++)
        if (steady(before, after, fields[f].key))
            facts_same(facts_what("cli --json", sites[i].name, fields[f].key),
                       facts_json(cli_row, fields[f].key),
                       facts_json(before, fields[f].key));
    ck_assert_uint_eq(json_object_size(before), COUNT(fields));
    same_cells(i, before, after);
    same_metrics(i, before, after);
    same_list(i, before);
    same_table(i, before);
    same_log(i, before);
    same_truth(i, before);
}

START_TEST(everywhere)
{
    const json_t *before, *after;

    scene_up();
    ck_assert_int_eq(sites_count, SITES);
    ask_all();
    before = json_object_get(told.before, "totals");
    after = json_object_get(told.after, "totals");
    same_totals(before, after);
    same_automatic(before, after);
    same_headline(before);
    same_clocks(before, after);
    same_egress(before);
    same_responders(told.before, told.after);
    same_findings(told.before);
    same_samples();
    for (int i = 0; i < SITES; i++)
        same_certificate(i);
    json_decref(told.before);
    json_decref(told.after);
    json_decref(told.cli_json);
    printf("%u facts compared, %u moved, %u differ\n", facts_compared,
           facts_moved, facts_differing);
    ck_assert_uint_eq(facts_differing, 0);
    ck_assert_uint_ge(facts_compared, 4000);
    ck_assert_uint_le(facts_moved, facts_compared / 50);
    world_destroy(w);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("same_facts");
    TCase *tests = tcase_create("httpd");

    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, everywhere);
    suite_add_tcase(suite, tests);
    return ocspx_check_main(suite);
}
