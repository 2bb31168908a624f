/* story_scene: something happens to a server under load. Each story is told
 * twice at the same time, to an httpd with the module and to one without, so
 * that what handshakes lose can be compared; and clients do handshakes with
 * both, one after the other, without a pause, so that no core is idle.
 *
 * What a story needs of time is its own; one that does the same thing over and
 * over does it for a few seconds, or for $OCSPX_STORY_SECONDS.
 */
#ifndef OCSPX_TEST_STORY_SCENE_H
#define OCSPX_TEST_STORY_SCENE_H

#include <apr_strings.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/world.h"

#define SITES 4
#define SITES_MAX 1000
#define CUTS_MAX 1000
/** Clients of each server at once. */
#define CLIENTS 4

/* In httpd_config_t.global: what only the server with the module knows. */
#define OURS(lines) "<IfModule ocspx_module>\n" lines "</IfModule>\n"

enum { WITH, WITHOUT, SERVERS };

/** Jiffies of all cores. */
typedef struct {
    unsigned long long idle;
    unsigned long long all;
} cores_t;

typedef struct {
    world_t *worlds[SERVERS];
    const char *names[SITES_MAX];
    pki_t *leaves[SITES_MAX]; /* of the server with the module */
    int sites;
    client_load_t *loads[SERVERS];
    client_load_result_t seen[SERVERS];
    client_span_t cuts[CUTS_MAX]; /* when children were killed by us */
    int cuts_count;
    cores_t cores;
    long begin;
} story_t;

static story_t story;
static world_t *w; /* the one with the module */

static inline void story_configure(httpd_config_t config)
{
    for (int i = 0; i < SERVERS; i++) {
        config.without_ocspx = i == WITHOUT;
        httpd_configure(story.worlds[i]->httpd, &config);
    }
}

static inline void set_up(void)
{
    story = (story_t){0};
    for (int i = 0; i < SERVERS; i++)
        story.worlds[i] = world_make();
    w = story.worlds[WITH];
    story_configure((httpd_config_t){0});
}

static inline void tear_down(void)
{
    for (int i = 0; i < SERVERS; i++)
        world_destroy(story.worlds[i]);
}

/** @param key NULL: one of its own */
static inline void story_site(const char *name, EVP_PKEY *key)
{
    const pki_spec_t spec = {.cn = name, .use_key = key};

    for (int i = 0; i < SERVERS; i++) {
        pki_t *leaf = world_leaf(story.worlds[i], &spec);

        world_vhost(story.worlds[i], name, leaf, NULL);
        if (i == WITH)
            story.leaves[story.sites] = leaf;
    }
    story.names[story.sites++] = name;
}

/** Sites whose responses live for @a lifetime, and both servers. */
static inline void story_up(apr_interval_time_t lifetime)
{
    for (int i = 0; i < SITES; i++)
        story_site(apr_psprintf(w->pool, "site%d.test", i), NULL);
    responder_script(w->responder, NULL,
                     &(responder_script_t){.lifetime = lifetime});
    responder_start(w->responder);
    for (int i = 0; i < SERVERS; i++)
        world_up(story.worlds[i]);
    for (int i = 0; i < SITES; i++)
        world_wait_good(w, story.names[i], 10000);
}

static inline cores_t cores_now(void)
{
    unsigned long long user, nice, system, idle, wait, irq, soft, stolen;
    FILE *file = fopen("/proc/stat", "re");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu",
                            &user, &nice, &system, &idle, &wait, &irq, &soft,
                            &stolen),
                     8);
    fclose(file);
    return (cores_t){idle + wait,
                     user + nice + system + idle + wait + irq + soft + stolen};
}

/** From here on there is load. */
static inline void story_begin(void)
{
    for (int i = 0; i < SERVERS; i++) {
        client_load_spec_t spec = {
            .client = world_client(story.worlds[i], NULL),
            .names = story.names,
            .names_count = story.sites,
            .threads = CLIENTS,
        };

        spec.client.timeout_ms = 20000;
        story.loads[i] = client_load_start(&spec, w->pool);
    }
    story.begin = procs_ms();
    story.cores = cores_now();
}

/** For so long; @a usual where the environment does not say. */
static inline int story_seconds(int usual)
{
    const char *given = getenv("OCSPX_STORY_SECONDS");

    return given != NULL ? atoi(given) : usual;
}

/* --- children that die ----------------------------------------------- */

/** Kill a child of each server at the same moment; a handshake that is under
 * way then counts as cut off, not as lost. */
static inline void story_kill(const pid_t *children)
{
    client_span_t *cut = &story.cuts[story.cuts_count++];

    ck_assert_int_le(story.cuts_count, CUTS_MAX);
    cut->begin = procs_ms();
    for (int i = 0; i < SERVERS; i++)
        ck_assert_int_eq(kill(children[i], SIGKILL), 0);
    cut->end = procs_ms();
}

static inline int was_cut(const client_span_t *failed)
{
    for (int i = 0; i < story.cuts_count; i++)
        if (failed->begin <= story.cuts[i].end &&
            failed->end >= story.cuts[i].begin)
            return 1;
    return 0;
}

static inline unsigned count_cut(const client_load_result_t *seen)
{
    unsigned n = 0;

    for (unsigned i = 0; i < seen->failures; i++)
        n += (unsigned)was_cut(&seen->failed[i]);
    return n;
}

/* --- the end --------------------------------------------------------- */

static inline int busy_percent(void)
{
    cores_t now = cores_now();
    unsigned long long all = now.all - story.cores.all;

    return all ? (int)(100 - 100 * (now.idle - story.cores.idle) / all) : 0;
}

/** End the load, print the counts, and judge what is judged in every story.
 * @return what clients of the server with the module have seen */
static inline const client_load_result_t *story_end(const char *title)
{
    const client_load_result_t *seen = &story.seen[WITH];
    const client_load_result_t *plain = &story.seen[WITHOUT];
    int busy = busy_percent();
    unsigned lost[SERVERS];

    for (int i = 0; i < SERVERS; i++) {
        client_load_finish(&story.seen[i], story.loads[i]);
        lost[i] = story.seen[i].failures - count_cut(&story.seen[i]);
    }
    printf("story: %s: %.0f s, cores %d %% busy; %u handshakes, %u completed, "
           "%u stapled good, %u without staple, %u unacceptable; lost with the "
           "module: %u, without it: %u of %u",
           title, (double)(procs_ms() - story.begin) / 1000, busy,
           seen->handshakes, seen->handshakes - seen->failures, seen->good,
           seen->missing, seen->invalid, lost[WITH], lost[WITHOUT],
           plain->handshakes);
    if (story.cuts_count > 0)
        printf("; cut off by %d kills: %u and %u", story.cuts_count,
               count_cut(seen), count_cut(plain));
    printf("; longest %.0f and %.0f ms\n", seen->max_ms, plain->max_ms);
    fflush(stdout); /* a test that fails does not */
    ck_assert_uint_gt(seen->handshakes, 10);
    ck_assert_uint_gt(plain->handshakes, 10);
    ck_assert_msg(seen->invalid == 0, "%s", seen->error);
    ck_assert_msg(lost[WITH] <= lost[WITHOUT], "%s", seen->error);
    return seen;
}

/** In this story every handshake that was completed had a good staple. */
static inline void all_stapled(const client_load_result_t *seen)
{
    ck_assert_msg(seen->good == seen->handshakes - seen->failures, "%s",
                  seen->error);
}

/** @param tests up to a NULL */
static inline int story_main(const char *name, const TTest *const *tests)
{
    Suite *suite = suite_create(name);
    TCase *tc = tcase_create(name);

    tcase_set_timeout(tc, 600);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    while (*tests != NULL)
        tcase_add_test(tc, *tests++);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}

#endif
