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

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

#define PAGE                                                                   \
    "<Location \"/ocspx-status\">\n    SetHandler ocspx-status\n</Location>\n"

static world_t *w;

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
                           .modules = "socache_redis socache_memcache",
                           .global = apr_pstrcat(w->pool, PAGE, lines, NULL)});
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
