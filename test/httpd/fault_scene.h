/* fault_scene: a table of faults, each of them twice against one httpd:
 *
 *   NAME.first.test   begins with it: nothing is stapled, until it is mended
 *   NAME.again.test   has a response of LIFETIME_SEC by then: that stays
 *                     stapled until its nextUpdate, and nothing after it
 *
 * Log and status page name the cause, and handshakes do not wait. What is
 * accepted after all is a row without a cause; REVOKED is stapled as well.
 */
#ifndef OCSPX_TEST_FAULT_SCENE_H
#define OCSPX_TEST_FAULT_SCENE_H

#include <apr_strings.h>
#include <apr_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/check_main.h"
#include "../support/netns.h"
#include "../support/procs.h"
#include "../support/world.h"

#define LIFETIME_SEC 45
#define LIFETIME apr_time_from_sec(LIFETIME_SEC)
#define WAIT_MS 30000

/* A fetch takes up to 4 s; a handshake that waits for one shows. Retries are as
 * rare as to leave others their turns. */
#define SETTINGS                                                               \
    "SSLStaplingResponderTimeout 4\n"                                          \
    "SSLStaplingStandardCacheTimeout 4\n"                                      \
    "OCSPXStartupWait 2\n"                                                     \
    "OCSPXRetry 4 10\n"                                                        \
    "OCSPXMaxParallel 300\n"                                                   \
    "<Location \"/ocspx-status\">\n    SetHandler ocspx-status\n</Location>\n"
#define MEDIAN_MS_MAX 500
#define MS_MAX 2000

#define HANDSHAKES_MAX 32

typedef struct site_t site_t;

/** How a fault comes about. */
typedef struct {
    /** The URL for its certificate; may choose a responder of its own. */
    const char *(*make)(site_t *site);
    void (*set)(const site_t *site, int is_wrong);
} way_t;

typedef struct {
    const char *name;
    const char *cause; /* NULL: accepted */
    const char *says;  /* what the log must say besides; NULL: no matter */
    responder_script_t script;
    int retry_after;    /* s; the responder is not asked before, but then */
    int rough;          /* accepted, if not at the first attempt */
    const way_t *way;   /* NULL: the script alone */
    const void *detail; /* for the way */
} fault_t;

struct site_t {
    const fault_t *fault;
    int number; /* from 1 */
    int is_again;
    const char *host;
    const char *vhost; /* more lines for the virtual host, or NULL */
    responder_t *responder;
    pki_t *leaf;
    void *own;              /* of the way */
    apr_time_t this_update; /* of the response that stays */
    apr_time_t next_update;
    double ms[HANDSHAKES_MAX + 1]; /* one more, of 0 */
    int handshakes;
    const char *failure;   /* the last that was logged, or NULL */
    int is_named;          /* one of them as it should be */
    const char *complaint; /* NULL: all as expected */
};

/** A table, and what it needs besides. */
typedef struct {
    const char *name;
    const fault_t *faults;
    int count;
    void (*prepare)(void); /* the world, before it has sites */
    void (*begin)(void);   /* what must know all certificates; or NULL */
    void (*end)(void);     /* have a last look; or NULL */
} story_t;

static const story_t *story;

static world_t *w;
static site_t *sites; /* two for each fault */
static int sites_count;
static apr_time_t good_until;

#define EACH_SITE(site)                                                        \
    site_t *site = sites;                                                      \
    site < sites + sites_count;                                                \
    site++

/** The first complaint about a site counts. */
__attribute__((format(printf, 2, 3))) static inline void
complain(site_t *site, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (site->complaint == NULL)
        site->complaint = apr_pvsprintf(w->pool, format, args);
    va_end(args);
}

static inline int is_revoked(const fault_t *fault)
{
    return fault->script.status == V_OCSP_CERTSTATUS_REVOKED;
}

static inline int is_stapled(const fault_t *fault)
{
    return fault->cause == NULL || is_revoked(fault);
}

/* --- making it -------------------------------------------------------- */

/** An address on loopback of its own, and so a responder host of its own: one
 * that is in trouble is left alone, for all certificates. */
static inline const char *address_of(const site_t *site)
{
    return apr_psprintf(w->pool, "127.1.0.%d", site->number);
}

static inline const char *make_answer(site_t *site)
{
    return apr_pstrcat(w->pool, "http://", address_of(site), "/ocsp", NULL);
}

/** Good responses all end at the same time, as the refresher prefers what ends
 * first: one of the times that are LIFETIME apart. */
static inline void end_together(pki_response_t *response, pki_single_t *single)
{
    (void)response;
    while (good_until < apr_time_now() + LIFETIME / 4)
        good_until += LIFETIME;
    single->next_update = good_until;
    single->this_update = good_until - LIFETIME;
}

static const responder_script_t good = {.craft = end_together};

/** What the responder says of the certificate. */
static inline void set_answer(const site_t *site, int is_wrong)
{
    responder_script(site->responder, site->leaf,
                     is_wrong ? &site->fault->script : &good);
}

static const way_t by_answer = {make_answer, set_answer};

static inline const way_t *way_of(const site_t *site)
{
    return site->fault->way != NULL ? site->fault->way : &by_answer;
}

static inline void make_site(site_t *site, int i)
{
    responder_t *common = w->responder;
    pki_spec_t spec = {0};

    site->fault = &story->faults[i / 2];
    site->number = i + 1;
    site->is_again = i % 2;
    site->host =
        apr_pstrcat(w->pool, site->fault->name,
                    site->is_again ? ".again.test" : ".first.test", NULL);
    site->responder = common;
    spec.cn = site->host;
    spec.ocsp_urls = way_of(site)->make(site);
    w->responder = site->responder;
    site->leaf = world_leaf(w, &spec);
    world_vhost(w, site->host, site->leaf, site->vhost);
    w->responder = common;
}

/** The world in a network of its own, and a responder on all addresses. */
static inline void set_up(void)
{
    apr_pool_t *pool;

    unsetenv("http_proxy");
    apr_pool_create(&pool, NULL);
    netns_enter(pool);
    w = world_make();
    world_global(w, SETTINGS);
    w->responder = responder_make("0.0.0.0", 80, w->pool);
    sites_count = 2 * story->count;
    sites = apr_pcalloc(w->pool, (apr_size_t)sites_count * sizeof(*sites));
    story->prepare();
}

static inline void make_sites(void)
{
    for (int i = 0; i < sites_count; i++)
        make_site(&sites[i], i);
}

static inline void tear_down(void)
{
    world_destroy(w);
}

#endif
