/* facts_text: finds one fact in a page, in metrics, in ?auto or in what the
 * command printed, and says where two of them differ. What is not known is
 * "none" everywhere.
 */
#ifndef OCSPX_TEST_FACTS_TEXT_H
#define OCSPX_TEST_FACTS_TEXT_H

#include <apr_lib.h>
#include <jansson.h>
#include <stdio.h>

#include "facts_scene.h"

static unsigned facts_compared, facts_differing, facts_moved;

/* --- comparing ------------------------------------------------------- */

static inline const char *facts_what(const char *where, const char *of,
                                     const char *key)
{
    return apr_pstrcat(w->pool, where, ", ", of, ", ", key, NULL);
}

static inline void facts_same(const char *what, const char *found,
                              const char *wanted)
{
    facts_compared++;
    if (found && !strcmp(found, wanted))
        return;
    facts_differing++;
    fprintf(stderr, "%s: '%s', not '%s'\n", what, found ? found : "(absent)",
            wanted);
}

/** It stands somewhere in there. */
static inline void facts_found(const char *what, const char *in,
                               const char *wanted)
{
    facts_compared++;
    if (in && strstr(in, wanted))
        return;
    facts_differing++;
    fprintf(stderr, "%s: not there: '%s' in '%.300s'\n", what, wanted,
            in ? in : "(absent)");
}

/* --- values ---------------------------------------------------------- */

static inline const char *facts_number(apr_int64_t n)
{
    return apr_psprintf(w->pool, "%" APR_INT64_T_FMT, n);
}

/** Of "2026-01-31T12:00:00Z", since 1970; "none" stays. */
static inline const char *facts_seconds(const char *time)
{
    apr_time_exp_t e = {0};
    apr_time_t t;

    if (sscanf(time, "%d-%d-%dT%d:%d:%dZ", &e.tm_year, &e.tm_mon, &e.tm_mday,
               &e.tm_hour, &e.tm_min, &e.tm_sec) != 6)
        return time;
    e.tm_year -= 1900;
    e.tm_mon--;
    apr_time_exp_gmt_get(&t, &e);
    return facts_number(apr_time_sec(t));
}

static inline const char *facts_list(const json_t *list)
{
    const char *text = "";
    const json_t *value;
    size_t i;

    json_array_foreach(list, i, value) text = apr_pstrcat(
        w->pool, text, i ? ", " : "", json_string_value(value), NULL);
    return *text ? text : "none";
}

static inline const char *facts_json(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    ck_assert_msg(value != NULL, "no %s in the JSON", key);
    if (json_is_string(value))
        return apr_pstrdup(w->pool, json_string_value(value));
    if (json_is_integer(value))
        return facts_number(json_integer_value(value));
    if (json_is_real(value))
        return apr_psprintf(w->pool, "%.6f", json_real_value(value));
    if (json_is_boolean(value))
        return json_is_true(value) ? "yes" : "no";
    return json_is_array(value) ? facts_list(value) : "none";
}

/* --- text ------------------------------------------------------------ */

/** What is between the first @a from and the @a to after it; NULL: no such. */
static inline const char *facts_between(const char *text, const char *from,
                                        const char *to)
{
    const char *at = text ? strstr(text, from) : NULL, *end;

    at = at ? at + strlen(from) : NULL;
    end = at ? strstr(at, to) : NULL;
    return end ? apr_pstrmemdup(w->pool, at, (apr_size_t)(end - at)) : NULL;
}

/** From the last @a from that stands before @a to; NULL: no such. */
static inline const char *facts_last(const char *text, const char *from,
                                     const char *to)
{
    const char *end = strstr(text, to), *last = NULL;

    for (const char *at = text; end && (at = strstr(at, from)) && at < end;)
        last = at++;
    return last ? apr_pstrmemdup(w->pool, last, (apr_size_t)(end - last))
                : NULL;
}

/** The line that begins so, without its beginning. */
static inline const char *facts_line(const char *text, const char *begin)
{
    return facts_between(text, begin, "\n");
}

/* --- pages ----------------------------------------------------------- */

static inline char facts_entity(const char **at)
{
    static const char *const names[] = {"&lt;", "&gt;", "&amp;", "&quot;",
                                        "&#39;"};

    for (int i = 0; i < COUNT(names); i++) {
        if (!strncmp(*at, names[i], strlen(names[i]))) {
            *at += strlen(names[i]);
            return "<>&\"'"[i];
        }
    }
    return *(*at)++;
}

/** Without tags and entities; the items of a list by ", ". */
static inline const char *facts_plain(const char *html)
{
    char *text = apr_palloc(w->pool, 2 * strlen(html ? html : "") + 1);
    char *to = text;

    while (html && *html) {
        if (!strncmp(html, "</li><li>", 9)) {
            *to++ = ',';
            *to++ = ' ';
        }
        if (*html == '<')
            html += strcspn(html, ">") + 1;
        else
            *to++ = facts_entity(&html);
    }
    *to = '\0';
    return text;
}

/** "2026-01-31 12:00:00 UTC" beside the same for machines. */
static inline const char *facts_moment(const char *cell)
{
    const char *time = facts_between(cell, "datetime=\"", "\"");
    char *shown;

    if (!time)
        return facts_plain(cell);
    shown = apr_psprintf(w->pool, ">%.10s %.8s UTC</time>", time, time + 11);
    return strstr(cell, shown) ? time : cell;
}

/** The first time in there. */
static inline const char *facts_first_time(const char *html)
{
    const char *time = facts_between(html, "datetime=\"", "\"");

    return time ? time : "none";
}

/** Of the page of one certificate; numbers without commas. */
static inline const char *facts_cell(const char *html, const char *label,
                                     const char *key, int is_time)
{
    const char *cell =
        facts_between(html,
                      apr_pstrcat(w->pool, "<th scope=\"row\">", label,
                                  "</th><td id=\"field-", key, "\">", NULL),
                      "</td>");

    if (!cell)
        return NULL;
    return is_time ? facts_moment(cell) : facts_plain(cell);
}

/* --- the command ----------------------------------------------------- */

static inline const char *facts_cli_line(const char *text, const char *label,
                                         int is_time)
{
    const char *line =
        facts_line(text, apr_pstrcat(w->pool, "\n", label, "  ", NULL));

    if (!line)
        return NULL;
    line += strspn(line, " ");
    if (!strcmp(line, "-"))
        return "none";
    return is_time ? apr_pstrndup(w->pool, line, strcspn(line, " ")) : line;
}

/** Of the first line, behind the bar; without its unit. */
static inline const char *facts_performance(const char *text, const char *label)
{
    const char *numbers = strchr(facts_line(text, "OCSPX "), '|');
    const char *at =
        strstr(numbers, apr_pstrcat(w->pool, " ", label, "=", NULL));

    if (!at)
        return NULL;
    at = strchr(at, '=') + 1;
    return apr_pstrndup(w->pool, at, strspn(at, "0123456789"));
}

/* --- metrics and ?auto ----------------------------------------------- */

static inline const char *facts_sample(const char *text, const char *name,
                                       const char *labels)
{
    const char *value =
        facts_line(text, apr_pstrcat(w->pool, "\n", name, labels, " ", NULL));

    return value ? value : "none";
}

static inline const char *facts_automatic(const char *text, const char *key)
{
    const char *value = facts_line(
        text,
        apr_psprintf(w->pool, "\nOcspx%c%s: ", apr_toupper(*key), key + 1));

    return value ? value : "none";
}

#endif
