/* httpd_log: questions to the error log of a private httpd. */
#include "httpd_private.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "procs.h"

#define POLL_MS 20

const char *httpd_log_path(const httpd_t *h)
{
    return httpd_path(h, "error.log");
}

/** What was logged since the mark. */
static char *read_log(const httpd_t *h, apr_pool_t *p)
{
    const char *text = procs_read_file(httpd_log_path(h), p);
    apr_size_t len = strlen(text);

    return apr_pstrdup(p, text + (len < h->log_mark ? len : h->log_mark));
}

void httpd_log_mark(httpd_t *h)
{
    apr_pool_t *p;

    apr_pool_create(&p, h->pool);
    h->log_mark = strlen(procs_read_file(httpd_log_path(h), p));
    apr_pool_destroy(p);
}

/** The last matching line, from @a p; @a n is how many there are. */
static const char *match_lines(int *n, const httpd_t *h, const char *regex,
                               apr_pool_t *p)
{
    const char *last = NULL;
    regex_t compiled;
    char *state;

    if (regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB) != 0)
        procs_die("bad regular expression: %s", regex);
    *n = 0;
    for (char *line = apr_strtok(read_log(h, p), "\n", &state); line != NULL;
         line = apr_strtok(NULL, "\n", &state)) {
        if (regexec(&compiled, line, 0, NULL, 0) == 0) {
            last = line;
            ++*n;
        }
    }
    regfree(&compiled);
    return last;
}

int httpd_log_count(const httpd_t *h, const char *regex)
{
    apr_pool_t *p;
    int n;

    apr_pool_create(&p, h->pool);
    match_lines(&n, h, regex, p);
    apr_pool_destroy(p);
    return n;
}

int httpd_log_wait(const httpd_t *h, const char *regex, int timeout_ms)
{
    long deadline = procs_ms() + timeout_ms;

    while (httpd_log_count(h, regex) == 0) {
        if (procs_ms() >= deadline)
            return 0;
        procs_sleep(POLL_MS);
    }
    return 1;
}

const char *httpd_log_line(const httpd_t *h, const char *regex)
{
    int n;

    return match_lines(&n, h, regex, h->pool);
}

pid_t httpd_log_pid(const httpd_t *h, const char *regex)
{
    const char *line = httpd_log_line(h, regex);
    const char *at = line != NULL ? strstr(line, "[pid ") : NULL;

    return at != NULL ? atoi(at + 5) : 0;
}

void httpd_log_dump(const httpd_t *h)
{
    fprintf(stderr, "---- %s\n%s%s----\n", httpd_log_path(h), httpd_output(h),
            procs_read_file(httpd_log_path(h), h->pool));
}

void httpd_log_judge(const httpd_t *h, const char *output)
{
    static const char *const words[] = {"AddressSanitizer", "LeakSanitizer",
                                        "runtime error: "};

    for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (strstr(output, words[i]) != NULL) {
            fprintf(stderr, "%s\n", output);
            procs_die("httpd under %s: %s", h->root, words[i]);
        }
    }
}
