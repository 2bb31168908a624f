/* share_scene: servers that share a store, and what they say of it. */
#ifndef OCSPX_TEST_SHARE_SCENE_H
#define OCSPX_TEST_SHARE_SCENE_H

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/tools.h"
#include "../support/world.h"

#define DOWN "OCSPX0050: SHARE_DOWN: "
#define UP "OCSPX0051: .* works again"

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

#define PAGE                                                                   \
    "<Location \"/ocspx-status\">\n    SetHandler ocspx-status\n</Location>\n"

static world_t *w;
static const char *mpm; /* of the next configurations; NULL: event */

static inline void set_up(void)
{
    w = world_make();
}

static inline void tear_down(void)
{
    world_destroy(w);
}

/** "OCSPXShare redis:127.0.0.1:4711" */
static inline const char *share(const char *provider, const tools_t *store)
{
    return apr_psprintf(w->pool, "OCSPXShare %s:127.0.0.1:%d\n", provider,
                        tools_port(store));
}

static inline void configure(httpd_t *h, const char *lines)
{
    httpd_configure(h, &(httpd_config_t){
                           .mpm = mpm,
                           .modules = "socache_redis socache_memcache",
                           .global = apr_pstrcat(w->pool, PAGE, lines, NULL)});
}

static inline void add_site(httpd_t *h, const char *name, const pki_t *leaf)
{
    httpd_vhost_t vhost = {.names = name};

    vhost.cert = httpd_cert(h, &vhost.key, name, leaf, w->issuer, NULL);
    httpd_vhost(h, &vhost);
}

/** Another server with such a site, and nothing kept. */
static inline httpd_t *another(const pki_t *leaf, const char *lines)
{
    httpd_t *h = httpd_make(&(httpd_config_t){0}, w->pool);

    add_site(h, "a.test", leaf);
    configure(h, lines);
    return h;
}

static inline void start(httpd_t *h)
{
    ck_assert_msg(httpd_start(h) >= 0, "%s", httpd_output(h));
}

static inline int is_good(const httpd_t *h)
{
    client_spec_t spec = {
        .name = "a.test", .port = httpd_port(h), .ca_file = w->root_file};
    client_result_t result;

    client_handshake(&result, &spec, w->pool);
    return client_good(&result);
}

/** From now on, so many more requests in time: refreshes go on. */
static inline void assert_refreshed(const pki_t *leaf, unsigned more)
{
    unsigned n = responder_requests(w->responder, leaf) + more;

    ck_assert(responder_wait(w->responder, leaf, n, 20000));
    world_assert_good(w, "a.test");
}

/** A sample of the server's metrics; -1: there is none. */
static inline int metric(const httpd_t *h, const char *sample)
{
    const char *argv[] = {
        "curl",
        "-sS",
        "--noproxy",
        "*",
        "--max-time",
        "20",
        apr_psprintf(w->pool,
                     "http://127.0.0.1:%d/ocspx-status?format=openmetrics",
                     httpd_plain_port(h)),
        NULL};
    const char *line = apr_pstrcat(w->pool, "\n", sample, " ", NULL);
    procs_result_t result;
    const char *at;

    procs_run(&result, argv, NULL, 30000, w->pool);
    at = strstr(result.output, line);
    return at ? atoi(at + strlen(line)) : -1;
}

static inline int hits(const httpd_t *h)
{
    return metric(h, "ocspx_share_lookups_total{result=\"hit\"}");
}

static inline int bad(const httpd_t *h)
{
    return metric(h, "ocspx_share_lookups_total{result=\"bad\"}");
}

static inline int puts_of(const httpd_t *h)
{
    return metric(h, "ocspx_share_puts_total");
}

#define assert_logged(h, regex, ms)                                            \
    do {                                                                       \
        if (!httpd_log_wait(h, regex, ms)) {                                   \
            httpd_log_dump(h);                                                 \
            ck_abort_msg("not logged: %s", regex);                             \
        }                                                                      \
    } while (0)

#endif
