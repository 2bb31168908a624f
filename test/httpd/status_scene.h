/* status_scene: an httpd with a status page, and who asks for it. */
#ifndef OCSPX_TEST_STATUS_SCENE_H
#define OCSPX_TEST_STATUS_SCENE_H

#include <apr_strings.h>
#include <string.h>

#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/world.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

#define PAGE                                                                   \
    "<Location \"/ocspx-status\">\n    SetHandler ocspx-status\n</Location>\n"

static world_t *w;

static inline void set_up(void)
{
    w = world_make();
    world_global(w, PAGE);
}

static inline void tear_down(void)
{
    world_destroy(w);
}

static inline void up(void)
{
    responder_start(w->responder);
    world_up(w);
}

/* --- asking ---------------------------------------------------------- */

typedef struct {
    int status;
    const char *head; /* all headers, each line ending in CRLF */
    const char *body; /* without bytes 0 */
    const char *file; /* that holds the body, to the byte */
} answer_t;

/** @param option of curl, in its long form with its value, or NULL */
static inline answer_t ask(const char *path, const char *option,
                           const char *value)
{
    const char *head = httpd_path(w->httpd, "curl.head");
    answer_t answer = {.file = httpd_path(w->httpd, "curl.body")};
    const char *argv[] = {"curl",
                          "-sS",
                          "--noproxy",
                          "*",
                          "--globoff",
                          "--max-time",
                          "20",
                          "-D",
                          head,
                          "-o",
                          answer.file,
                          "-w",
                          "%{http_code}",
                          apr_psprintf(w->pool, "http://127.0.0.1:%d%s",
                                       httpd_plain_port(w->httpd), path),
                          option,
                          option ? value : NULL,
                          NULL};
    procs_result_t result;

    pki_write_file(answer.file, "", 0);
    procs_run(&result, argv, NULL, 30000, w->pool);
    if (result.status != 0)
        httpd_log_dump(w->httpd);
    ck_assert_msg(result.status == 0, "%s: %s", path, result.output);
    answer.status = atoi(result.output);
    answer.head = procs_read_file(head, w->pool);
    answer.body = procs_read_file(answer.file, w->pool);
    return answer;
}

/** The page with this query string. */
static inline answer_t ask_page(const char *args)
{
    return ask(apr_pstrcat(w->pool, "/ocspx-status", args, NULL), NULL, NULL);
}

static inline const char *page(const char *args)
{
    answer_t answer = ask_page(args);

    ck_assert_msg(answer.status == 200, "%s: %d %s", args, answer.status,
                  answer.body);
    return answer.body;
}

static inline void assert_has(const char *text, const char *what)
{
    ck_assert_msg(strstr(text, what) != NULL, "not there: %s in %.3000s", what,
                  text);
}

static inline void assert_lacks(const char *text, const char *what)
{
    const char *at = strstr(text, what);

    ck_assert_msg(at == NULL, "there: %.200s", at);
}

static inline void assert_header(const answer_t *answer, const char *header)
{
    assert_has(answer->head,
               apr_pstrcat(w->pool, "\r\n", header, "\r\n", NULL));
}

/** The fingerprint of a certificate, in hex. */
static inline const char *id_of(const pki_t *leaf)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len;
    char *id = apr_pcalloc(w->pool, 65);

    ck_assert_int_eq(X509_digest(leaf->cert, EVP_sha256(), digest, &len), 1);
    for (unsigned i = 0; i < len; i++)
        apr_snprintf(id + 2 * i, 3, "%02x", digest[i]);
    return id;
}

static inline const char *cert_page(const pki_t *leaf, const char *more)
{
    return apr_pstrcat(w->pool, "?cert=", id_of(leaf), more, NULL);
}

/** What tidy, which does not know all of HTML, says of a page; "": nothing. */
static inline const char *complaints(const answer_t *answer)
{
    const char *argv[] = {
        "tidy", "-q",         "-e", "--warn-proprietary-attributes",
        "no",   answer->file, NULL};
    procs_result_t result;

    procs_run(&result, argv, NULL, 10000, w->pool);
    return result.output;
}

#endif
