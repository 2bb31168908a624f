/* api_scene: an httpd with mod_ocspx_example in it, and what curl gets. */
#ifndef OCSPX_API_SCENE_H
#define OCSPX_API_SCENE_H

#include <apr_strings.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/world.h"

static world_t *w;

static inline void api_setup(void)
{
    w = world_make();
}

static inline void api_teardown(void)
{
    world_destroy(w);
}

/** For httpd_config_t's early: the example module. */
static inline const char *api_example(void)
{
    const char *module = getenv("OCSPX_EXAMPLE");

    ck_assert_msg(module != NULL, "set OCSPX_EXAMPLE to mod_ocspx_example.so");
    return apr_pstrcat(w->pool, "LoadModule ocspx_example_module ", module,
                       NULL);
}

/** For its global: the handler everywhere, events, and an access log; with
 * @a more lines. */
static inline const char *api_lines(const char *more)
{
    return apr_psprintf(
        w->pool,
        "Protocols h2 http/1.1\nSetHandler ocspx-example\n"
        "OCSPXExampleEvents %s\nOCSPXChainTrust %s\n"
        "LogFormat \"%%v %%>s %%{OCSPX_STAPLED}e %%{OCSPX_STATE}e "
        "%%{OCSPX_SAFE_UNTIL}e\" ocspx\nCustomLog %s ocspx\n%s\n",
        httpd_path(w->httpd, "events"), w->root_file,
        httpd_path(w->httpd, "access.log"), more);
}

static inline void api_configure(const char *more)
{
    httpd_configure(w->httpd, &(httpd_config_t){.modules = "http2",
                                                .early = api_example(),
                                                .global = api_lines(more)});
}

static inline void api_up(void)
{
    responder_start(w->responder);
    world_up(w);
}

/** What curl gets from https://name/path. @param option "--http2" ...; NULL */
static inline const char *api_get_path(const char *name, const char *path,
                                       const char *option, const char *value)
{
    int port = httpd_port(w->httpd);
    const char *argv[] = {
        "curl",
        "--silent",
        "--show-error",
        "--noproxy",
        "*",
        "--cacert",
        w->root_file,
        "--write-out",
        "protocol: %{http_version}\n",
        "--resolve",
        apr_psprintf(w->pool, "%s:%d:127.0.0.1", name, port),
        apr_psprintf(w->pool, "https://%s:%d%s", name, port, path),
        option,
        value,
        NULL};
    procs_result_t result;

    procs_run(&result, argv, NULL, 10000, w->pool);
    if (result.status)
        httpd_log_dump(w->httpd);
    ck_assert_msg(result.status == 0, "%s", result.output);
    return result.output;
}

static inline const char *api_get(const char *name, const char *option,
                                  const char *value)
{
    return api_get_path(name, "/", option, value);
}

/** The rest of the line that begins with @a what; "": there is none. */
static inline const char *api_line(const char *text, const char *what)
{
    const char *begin = strstr(text, what);

    if (!begin || (begin != text && begin[-1] != '\n'))
        return "";
    begin += strlen(what);
    return apr_pstrmemdup(w->pool, begin, strcspn(begin, "\n"));
}

/** "key=" in a line; "": it is not there. */
static inline const char *api_value(const char *line, const char *key)
{
    const char *begin = strstr(line, key);

    if (!begin)
        return "";
    begin += strlen(key);
    return apr_pstrmemdup(w->pool, begin, strcspn(begin, " "));
}

static inline const char *api_hex(const unsigned char *bytes, unsigned len)
{
    const char *text = "";

    for (unsigned i = 0; i < len; i++)
        text = apr_psprintf(w->pool, "%s%02x", text, bytes[i]);
    return text;
}

static inline const char *api_fingerprint(const pki_t *leaf)
{
    unsigned char digest[32];

    ck_assert_int_eq(X509_digest(leaf->cert, EVP_sha256(), digest, NULL), 1);
    return api_hex(digest, sizeof(digest));
}

/** The line of a certificate: name, state, fingerprint. */
static inline void api_assert_status(const char *line, const char *name,
                                     const char *state, const pki_t *leaf)
{
    const char *begin =
        apr_psprintf(w->pool, " %s %s %s ", name, state, api_fingerprint(leaf));

    ck_assert_msg(!strncmp(line, begin, strlen(begin)), "wanted%s, got%s",
                  begin, line);
}

/** How many lines of a file there are. */
static inline int api_count(const char *file, const char *line)
{
    const char *text = procs_read_file(httpd_path(w->httpd, file), w->pool);
    int n = 0;

    for (const char *at = text; (at = strstr(at, line)); at++)
        n += at == text || at[-1] == '\n';
    return n;
}

/** Wait for as many. */
static inline void api_await(const char *file, const char *line, int n)
{
    long deadline = procs_ms() + 10000;

    while (api_count(file, line) < n && procs_ms() < deadline)
        procs_sleep(20);
    ck_assert_msg(api_count(file, line) == n, "wanted %d times %s: %s", n, line,
                  procs_read_file(httpd_path(w->httpd, file), w->pool));
}

#endif
