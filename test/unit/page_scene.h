/* page_scene: the page of a report made by hand. Whatever is on it, it is well
 * formed and has nothing that its policy forbids.
 */
#ifndef OCSPX_TEST_PAGE_SCENE_H
#define OCSPX_TEST_PAGE_SCENE_H

#include "model_scene.h"

#include "../../mod_ocspx/engine/page.h"

#define HOST "web1.example"

/* --- well formed? ---------------------------------------------------- */

static inline int is_void(const char *name)
{
    return !strcmp(name, "meta") || !strcmp(name, "input");
}

/* The name of the tag at @a at, which is just behind its "<" or "</". */
static inline const char *tag_name(const char *at)
{
    size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789");

    ck_assert_msg(len > 0, "no tag: %.60s", at);
    return apr_pstrmemdup(pool, at, len);
}

/* The end of the tag at @a at; an attribute may hold anything but quotes. */
static inline const char *tag_end(const char *at)
{
    int quoted = 0;

    for (; *at && (quoted || *at != '>'); at++) {
        if (*at == '<')
            ck_abort_msg("a tag in a tag: %.60s", at);
        quoted ^= *at == '"';
    }
    ck_assert_msg(*at == '>', "no end of a tag");
    return at;
}

/* Attributes like "onclick" are code, which the policy forbids. */
static inline void assert_no_handler(const char *at, const char *end)
{
    int quoted = 0;

    for (; at < end; at++) {
        quoted ^= *at == '"';
        if (!quoted && !strncmp(at, " on", 3))
            ck_abort_msg("a handler: %.40s", at);
    }
}

static inline void open_tag(apr_array_header_t *open, const char *at,
                            const char *end)
{
    const char *name = tag_name(at);

    assert_no_handler(at, end);
    if (end[-1] != '/' && !is_void(name))
        APR_ARRAY_PUSH(open, const char *) = name;
}

static inline void close_tag(apr_array_header_t *open, const char *at)
{
    const char *name = tag_name(at);
    const char **last = apr_array_pop(open);

    ck_assert_msg(last != NULL, "</%s> closes nothing", name);
    ck_assert_msg(!strcmp(*last, name), "</%s> closes <%s>: %.90s", name, *last,
                  at - 60);
}

static inline void assert_balanced(const char *text)
{
    apr_array_header_t *open = apr_array_make(pool, 8, sizeof(const char *));
    const char *at = strchr(text + 1, '<');

    ck_assert_int_eq(strncmp(text, "<!DOCTYPE html>", 15), 0);
    while (at) {
        const char *end = tag_end(at + 1);

        if (at[1] == '/')
            close_tag(open, at + 2);
        else
            open_tag(open, at + 1, end);
        at = strchr(end, '<');
    }
    ck_assert_int_eq(open->nelts, 0);
}

static inline int times(const char *text, const char *what)
{
    int n = 0;

    while ((text = strstr(text, what))) {
        n++;
        text += strlen(what);
    }
    return n;
}

/* Each id once; and what is referred to is there. */
static inline void assert_ids(const char *text)
{
    const char *at = text;

    while ((at = strstr(at, " id=\""))) {
        const char *id = apr_pstrndup(pool, at, strcspn(at + 5, "\"") + 6);

        ck_assert_msg(times(text, id) == 1, "%s twice", id);
        at += 5;
    }
    at = text;
    while ((at = strstr(at, "href=\"#"))) {
        const char *id = apr_psprintf(pool, " id=\"%.*s\"",
                                      (int)strcspn(at + 7, "\""), at + 7);

        ck_assert_msg(strstr(text, id) != NULL, "no%s", id);
        at += 7;
    }
}

static inline void assert_allowed(const char *text)
{
    static const char *const forbidden[] = {
        "<script", "<link", "<img",       "<iframe", "<object",
        " style=", " src=", "javascript", "@import", "url("};
    const char *c;

    for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++)
        ck_assert_msg(!strstr(text, forbidden[i]), "%s", forbidden[i]);
    for (c = text; *c; c++)
        if ((*c < 0x20 || *c > 0x7e) && *c != '\n')
            ck_abort_msg("byte %02x", (unsigned char)*c);
}

/* --- the page -------------------------------------------------------- */

static inline const char *page_of(const char *args)
{
    model_text_t text = {0};
    const ocspx_html_t html = {take_piece, &text};
    ocspx_query_t query;
    ocspx_page_t page = {.query = &query, .host = HOST};

    ck_assert_ptr_null(ocspx_query_read(&query, args, pool));
    if (!query.report.page)
        query.report.page = 1;
    page.report = make_report(&query.report);
    ocspx_page_print(&page, &html, pool);
    assert_balanced(text.text);
    assert_ids(text.text);
    assert_allowed(text.text);
    return text.text;
}

/* What is on the page, without its style sheet. */
static inline const char *body_of(const char *args)
{
    return strstr(page_of(args), "<body>");
}

static inline const char *page_of_cert(unsigned i)
{
    return strstr(
        page_of(apr_pstrcat(
            pool, "cert=", ocspx_registry_get(registry, i)->cert->id, NULL)),
        "<body>");
}

static inline void assert_has(const char *text, const char *what)
{
    ck_assert_msg(strstr(text, what) != NULL, "not there: %s", what);
}

static inline void assert_lacks(const char *text, const char *what)
{
    const char *at = strstr(text, what);

    ck_assert_msg(at == NULL, "there: %.80s", at);
}

/* These, in this order. */
static inline void assert_order(const char *text, const char *const *what,
                                int n)
{
    for (int i = 0; i < n; i++) {
        const char *at = strstr(text, what[i]);

        ck_assert_msg(at != NULL, "not there, or too early: %s", what[i]);
        text = at + strlen(what[i]);
    }
}

/* --- certificates ---------------------------------------------------- */

#define URL "http://ocsp.example:8080/path"

enum { GOOD, SOON, FAILING, DOWN, NEW, REVOKED, WITHHELD };

/** One of each state. */
static inline void fill(void)
{
    static const ocspx_registry_policy_t withholding = {.withhold_revoked = 1};

    add_cert("good.test", URL);
    add_cert("soon.test", URL);
    add_cert("failing.test", URL);
    add_cert("down.test", "http://[2001:db8::1]/");
    add_cert("new.test", URL);
    add_cert("revoked.test", URL);
    add_cert("withheld.test", URL);
    APR_ARRAY_IDX(registry->entries, WITHHELD, ocspx_registry_entry_t *)
        ->policy = &withholding;
    open_model();
    make_stapled(GOOD, HOURS(76));
    make_stapled(SOON, HOURS(30));
    make_failing(FAILING, HOURS(24), OCSPX_CAUSE_CONNECT_REFUSED,
                 "192.0.2.7:80 refused the connection");
    make_failing(DOWN, 0, OCSPX_CAUSE_DNS, "no such host");
    make_revoked(REVOKED, HOURS(2));
    make_revoked(WITHHELD, HOURS(2));
    add_other("md.test", OCSPX_REPORT_OTHER_PROVIDER, "mod_md staples it");
    add_other("free.test", OCSPX_REPORT_NOT_APPLICABLE,
              "it names no responder");
}

/* The part of the page on one certificate. */
static inline const char *row_on(const char *page, const char *name)
{
    const char *at = strstr(page, apr_pstrcat(pool, ">", name, "</a>", NULL));
    const char *begin = at, *end;

    ck_assert_ptr_nonnull(at);
    while (strncmp(begin, "<tbody", 6))
        begin--;
    end = strstr(at, "</tbody>");
    return apr_pstrmemdup(pool, begin, (apr_size_t)(end - begin));
}

#endif
