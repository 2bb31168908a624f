/* test_story_responders: responders die under load, and return. */
#include "story_scene.h"

/* --- it dies and returns ----------------------------------------------- */

START_TEST(responder_dies_and_returns)
{
    const client_load_result_t *seen;
    long back;

    story_up(apr_time_from_sec(8));
    story_begin();
    procs_sleep(3000);
    responder_stop(w->responder);
    procs_sleep(10000); /* past the end of all responses */
    for (int i = 0; i < SITES; i++)
        world_assert_bare(w, story.names[i]);
    responder_start(w->responder);
    back = procs_ms();
    for (int i = 0; i < SITES; i++)
        world_wait_good(w, story.names[i], 30000);
    back = procs_ms() - back;
    procs_sleep(2000);
    seen = story_end("responder dies and returns");
    printf("  all stapled again %.1f s after its return\n",
           (double)back / 1000);
    ck_assert_uint_gt(seen->good, 0);
    ck_assert_uint_gt(seen->missing, 0);
}
END_TEST

/* --- half of a thousand certificates at a dead one --------------------- */

#define HALF (SITES_MAX / 2)
#define LIFETIME_S 16

/** The names of the two halves take turns. */
static void add_thousand(responder_t *dead, responder_t *alive)
{
    EVP_PKEY *key = pki_make(&(pki_spec_t){.cn = "key"}, NULL, w->pool)->key;

    for (int i = 0; i < 2 * HALF; i++) {
        w->responder = i % 2 ? dead : alive;
        story_site(apr_psprintf(w->pool, "site%03d.test", i), key);
    }
}

static void all_of_the_living_served(void)
{
    for (int i = 0; i < 2 * HALF; i += 2)
        world_wait_good(w, story.names[i], 60000);
}

START_TEST(five_hundred_fresh_beside_five_hundred_dead)
{
    int seconds = story_seconds(18);
    const client_load_result_t *seen;
    responder_t *alive = w->responder;
    responder_t *dead = world_responder(w);

    /* Without a disk: how fast it syncs would be another story. */
    story_configure((httpd_config_t){.global = OURS("OCSPXStartupWait 2\n"),
                                     .state_dir = "none",
                                     .log_level = "warn"});
    add_thousand(dead, alive);
    responder_script(
        alive, NULL,
        &(responder_script_t){.lifetime = apr_time_from_sec(LIFETIME_S)});
    responder_script(dead, NULL,
                     &(responder_script_t){.answer = RESPONDER_HANG});
    responder_start(alive);
    responder_start(dead);
    for (int i = 0; i < SERVERS; i++)
        world_up(story.worlds[i]);
    all_of_the_living_served();
    responder_reset(alive);
    story_begin();
    procs_sleep(seconds * 1000);
    seen = story_end("500 certificates at a dead responder, 500 at another");
    printf("  %u answers of the one, %u requests to the dead one\n",
           responder_requests(alive, NULL), responder_requests(dead, NULL));
    /* Every other handshake is with one of the dead half, but for the last. */
    ck_assert_uint_le(seen->missing, seen->good + CLIENTS);
    ck_assert_uint_ge(responder_requests(alive, NULL),
                      (unsigned)(HALF * (seconds / LIFETIME_S)));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {responder_dies_and_returns,
                                  five_hundred_fresh_beside_five_hundred_dead,
                                  NULL};

    return story_main("story responders", tests);
}
