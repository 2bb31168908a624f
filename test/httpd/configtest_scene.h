/* configtest_scene: an httpd that is tested, not started, and what it says. */
#ifndef OCSPX_CONFIGTEST_SCENE_H
#define OCSPX_CONFIGTEST_SCENE_H

#include <apr_strings.h>
#include <regex.h>
#include <string.h>

#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/world.h"

static world_t *w;
static const char *output; /* of the last test */

static void set_up(void)
{
    w = world_make();
}

static void tear_down(void)
{
    world_destroy(w);
}

/* Clients trust the world's root, and LogLevel is httpd's default but for the
 * module. */
static void configure(const char *ocspx_level, const char *lines)
{
    httpd_configure(
        w->httpd,
        &(httpd_config_t){
            .log_level = apr_pstrcat(w->pool, "warn ocspx:", ocspx_level, NULL),
            .global = apr_pstrcat(w->pool, "OCSPXChainTrust ", w->root_file,
                                  "\n", lines, NULL)});
}

/* How many lines match. */
static int lines_in(const char *text, const char *regex)
{
    char *copy = apr_pstrdup(w->pool, text);
    char *state;
    regex_t compiled;
    int n = 0;

    ck_assert_int_eq(regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB), 0);
    for (char *line = apr_strtok(copy, "\n", &state); line != NULL;
         line = apr_strtok(NULL, "\n", &state))
        n += regexec(&compiled, line, 0, NULL, 0) == 0;
    regfree(&compiled);
    return n;
}

static void assert_said(int times, const char *regex)
{
    int n = lines_in(output, regex);

    ck_assert_msg(n == times, "%d times, not %d: \"%s\" in: %s", n, times,
                  regex, output);
}

/* httpd -t; its exit status is to be this. */
static void assert_test(int status, const char *define)
{
    int actual = httpd_configtest_define(w->httpd, &output, define);

    ck_assert_msg(actual == status, "exit status %d, not %d: %s", actual,
                  status, output);
    ck_assert_msg((strstr(output, "Syntax OK") != NULL) == !status, "%s",
                  output);
}

/* --- with -D OCSPX_CHECK ------------------------------------------------ */

/* The rows and sentences between head line and httpd's last words. */
static inline const char *table(void)
{
    const char *head = strstr(output, "VIRTUAL HOST");

    ck_assert_msg(head != NULL, "no table: %s", output);
    return head;
}

static inline void assert_row(const char *name, const char *chain,
                              const char *verdict)
{
    const char *regex =
        apr_psprintf(w->pool, "^%s.* +%s +[^ ]+ +%s", name, chain, verdict);

    ck_assert_msg(lines_in(table(), regex) == 1, "not one row %s in: %s", regex,
                  output);
}

static inline void assert_live(int wanting)
{
    assert_test(wanting > 0, "OCSPX_CHECK");
    assert_said(wanting > 0,
                apr_psprintf(w->pool, "OCSPX0132: %d row", wanting));
}

#endif
