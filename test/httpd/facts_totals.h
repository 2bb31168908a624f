/* facts_totals: the totals, as every output tells them. */
#ifndef OCSPX_TEST_FACTS_TOTALS_H
#define OCSPX_TEST_FACTS_TOTALS_H

#include "facts_told.h"

/* The first three need attention. */
static const struct {
    const char *key, *state, *word;
} states[] = {
    {"certificatesFailing", "failing", "Failing"},
    {"certificatesRevoked", "revoked", "Revoked"},
    {"certificatesWithheld", "withheld", "Withheld"},
    {"certificatesWaiting", "waiting", "Waiting"},
    {"certificatesStapled", "stapled", "Stapled"},
    {"certificatesOtherProvider", "other-provider", "Other module"},
    {"certificatesNotApplicable", "not-applicable", "Not applicable"},
};

/** What the page calls a state. */
static inline const char *state_word(const char *state)
{
    for (int i = 0; i < COUNT(states); i++)
        if (!strcmp(states[i].state, state))
            return states[i].word;
    return "no such state";
}

static const struct {
    const char *key, *metric, *labels,
        *number; /* of the command's first line */
} totals[] = {
    {"certificates", NULL, NULL, "certificates"},
    {"certificatesFailing", "ocspx_certificates", "{state=\"failing\"}",
     "failing"},
    {"certificatesRevoked", "ocspx_certificates", "{state=\"revoked\"}",
     "revoked"},
    {"certificatesWithheld", "ocspx_certificates", "{state=\"withheld\"}",
     "withheld"},
    {"certificatesWaiting", "ocspx_certificates", "{state=\"waiting\"}",
     "waiting"},
    {"certificatesStapled", "ocspx_certificates", "{state=\"stapled\"}",
     "stapled"},
    {"certificatesOtherProvider", "ocspx_certificates",
     "{state=\"other-provider\"}", NULL},
    {"certificatesNotApplicable", "ocspx_certificates",
     "{state=\"not-applicable\"}", NULL},
    {"handshakesStapled", "ocspx_handshakes_total", "{result=\"stapled\"}",
     "handshakes_stapled"},
    {"handshakesEmpty", "ocspx_handshakes_total", "{result=\"empty\"}",
     "handshakes_empty"},
    {"handshakesExpired", "ocspx_handshakes_total", "{result=\"expired\"}",
     "handshakes_expired"},
    {"findingsError", "ocspx_chain_findings", "{severity=\"error\"}",
     "chain_errors"},
    {"findingsWarning", "ocspx_chain_findings", "{severity=\"warning\"}",
     "chain_warnings"},
    {"findingsInfo", "ocspx_chain_findings", "{severity=\"info\"}", NULL},
    {"cacheBytes", "ocspx_cache_bytes", "", NULL},
    {"cacheUsed", "ocspx_cache_used_bytes", "", NULL},
};

static inline void same_totals(const json_t *before, const json_t *after)
{
    const char *value = steady(before, after, "earliestSafeUntil");

    for (int i = 0; i < COUNT(totals); i++) {
        const char *n = steady(before, after, totals[i].key);

        if (n && totals[i].metric)
            facts_same(
                facts_what("metric", "totals", totals[i].key),
                facts_sample(told.metrics, totals[i].metric, totals[i].labels),
                n);
        if (n && totals[i].number)
            facts_same(facts_what("cli", "totals", totals[i].key),
                       facts_performance(told.cli, totals[i].number), n);
    }
    if (!value)
        return;
    facts_same("earliest metric",
               facts_sample(told.metrics,
                            "ocspx_earliest_staple_expiry_timestamp_seconds",
                            ""),
               facts_seconds(value));
    facts_same("earliest cli",
               facts_between(told.cli, "earliest safe until ", " ("), value);
    facts_same(
        "earliest page",
        facts_between(facts_between(told.list, "first staple ends", "</p>"),
                      "datetime=\"", "\""),
        value);
    facts_found("earliest name", told.list,
                apr_pstrcat(w->pool, ", that of ",
                            facts_json(before, "earliestName"), ".</p>", NULL));
}

/* --- what moves, and ?auto --------------------------------------------- */

/** A time that moves by itself, told between the two others. */
static inline void same_moving(const char *what, const char *found,
                               const char *before, const char *after)
{
    facts_compared++;
    if (found && strcmp(before, found) <= 0 && strcmp(found, after) <= 0)
        return;
    facts_differing++;
    fprintf(stderr, "%s: '%s', not in '%s' to '%s'\n", what,
            found ? found : "(absent)", before, after);
}

static inline void same_clocks(const json_t *before, const json_t *after)
{
    static const char *const keys[] = {"generated", "refresherTurn"};
    const char *from = facts_json(before, keys[1]);
    const char *to = facts_json(after, keys[1]);

    for (int i = 0; i < COUNT(keys); i++)
        same_moving(facts_what("?auto", "clock", keys[i]),
                    facts_automatic(told.automatic, keys[i]),
                    facts_json(before, keys[i]), facts_json(after, keys[i]));
    same_moving("page, clock", facts_first_time(strstr(told.list, "<footer>")),
                facts_json(before, keys[0]), facts_json(after, keys[0]));
    same_moving("metric, clock",
                facts_sample(told.metrics,
                             "ocspx_refresher_last_turn_timestamp_seconds", ""),
                facts_seconds(from), facts_seconds(to));
}

static inline void same_automatic(const json_t *before, const json_t *after)
{
    const char *key;
    const json_t *value;

    json_object_foreach((json_t *)(uintptr_t)before, key, value)
    {
        const char *text = steady(before, after, key);

        if (text)
            facts_same(facts_what("?auto", "totals", key),
                       facts_automatic(told.automatic, key), text);
    }
}

/* The page's tiles, and what its headline adds up. */
static inline void same_headline(const json_t *before)
{
    apr_int64_t stapled = apr_atoi64(facts_json(before, "handshakesStapled"));
    apr_int64_t bare = apr_atoi64(facts_json(before, "handshakesEmpty")) +
                       apr_atoi64(facts_json(before, "handshakesExpired"));
    int attention = 0;

    for (int i = 0; i < COUNT(states); i++) {
        const char *n = facts_json(before, states[i].key);
        const char *tile = facts_between(
            told.list,
            apr_pstrcat(w->pool, "<a href=\"?state=", states[i].state, "\"",
                        NULL),
            "</a>");

        facts_same(facts_what("tile", "totals", states[i].key),
                   facts_between(tile, "<b>", "</b>"), n);
        facts_found("tile's word", tile,
                    apr_pstrcat(w->pool, "</b> ", states[i].word, NULL));
        facts_found(
            facts_what("cli line", "totals", states[i].key),
            facts_line(told.cli, "OCSPX "),
            apr_pstrcat(w->pool, ", ", n, " ", states[i].state, ",", NULL));
        attention += i < 3 ? atoi(n) : 0;
    }
    facts_same(
        "in all",
        facts_between(facts_between(told.list,
                                    "<a href=\"?\" aria-current=\"true\">",
                                    "</a>"),
                      "<b>", "</b> in all"),
        facts_json(before, "certificates"));
    facts_same("headline", facts_between(told.list, "<h1>", "</h1>"),
               apr_psprintf(w->pool,
                            "%d of %s certificates and %s certificate chain%s "
                            "need attention",
                            attention, facts_json(before, "certificates"),
                            facts_json(before, "findingsError"),
                            strcmp(facts_json(before, "findingsError"), "1")
                                ? "s"
                                : ""));
    facts_found("handshakes", told.list,
                apr_psprintf(w->pool,
                             "of %" APR_INT64_T_FMT
                             " that asked; %" APR_INT64_T_FMT " got none, %s "
                             "of them as it had expired",
                             stapled + bare, bare,
                             facts_json(before, "handshakesExpired")));
}

/* --- responders -------------------------------------------------------- */

static inline void same_responder(const json_t *responder)
{
    const char *name = facts_json(responder, "name"), *result;
    const json_t *attempts = json_object_get(responder, "attempts"), *count;
    apr_int64_t sum = 0;

    json_object_foreach((json_t *)(uintptr_t)attempts, result, count)
    {
        sum += json_integer_value(count);
        facts_same(
            facts_what("metric", name, result),
            facts_sample(told.metrics, "ocspx_responder_requests_total",
                         apr_pstrcat(w->pool, "{responder=\"", name,
                                     "\",result=\"", result, "\"}", NULL)),
            facts_number(json_integer_value(count)));
    }
    facts_same(
        facts_what("metric", name, "durations"),
        facts_sample(told.metrics, "ocspx_responder_duration_seconds_count",
                     apr_pstrcat(w->pool, "{responder=\"", name, "\"}", NULL)),
        facts_number(sum));
}

static inline void same_responders(const json_t *before, const json_t *after)
{
    const json_t *responders = json_object_get(before, "responders"), *one;
    const json_t *later = json_object_get(after, "responders");
    size_t i;

    ck_assert_uint_ge(json_array_size(responders), 3);
    json_array_foreach(responders, i, one)
    {
        if (json_equal((json_t *)(uintptr_t)one, json_array_get(later, i)))
            same_responder(one);
        else
            facts_moved++;
    }
}

/** Whether there is a way out, and to whom there is none. */
static inline void same_egress(const json_t *before)
{
    const char *message = facts_json(before, "egressMessage");
    int blocked = strcmp(facts_json(before, "egress"), "none") != 0;

    facts_same("egress metric",
               facts_sample(told.metrics, "ocspx_egress_blocked", ""),
               blocked ? "1" : "0");
    facts_same("egress page",
               strstr(told.list, "id=\"egress\"") ? "there" : "none",
               blocked ? "there" : "none");
    facts_same("egress cli",
               strstr(told.cli, ", no way out") ? "there" : "none",
               blocked ? "there" : "none");
    if (!blocked)
        return;
    facts_found("egress page", facts_plain(told.list), message);
    facts_found("egress cli", told.cli,
                apr_pstrcat(w->pool, "\n    ", message, "\n", NULL));
}

#endif
