/* test_story_processes: processes come and go under load. */
#include "story_scene.h"

#define REFRESHER "OCSPX0121"
#define LIFETIME apr_time_from_sec(15)

/* --- the refresher is killed, every second ----------------------------- */

/** Any child but one that is about to end by itself: the newest. */
static pid_t child_of(const world_t *of)
{
    pid_t pids[64];
    int n = httpd_children(pids, 64, of->httpd);

    ck_assert_int_gt(n, 0);
    return pids[n - 1];
}

START_TEST(refresher_killed_every_second)
{
    int rounds = story_seconds(8);
    unsigned before;

    story_up(LIFETIME);
    story_begin();
    before = responder_requests(w->responder, NULL);
    for (int i = 0; i < rounds; i++) {
        long next = procs_ms() + 1000;
        pid_t pids[SERVERS] = {httpd_log_pid(w->httpd, REFRESHER),
                               child_of(story.worlds[WITHOUT])};

        httpd_log_mark(w->httpd);
        story_kill(pids);
        ck_assert(httpd_log_wait(w->httpd, REFRESHER, 10000));
        if (next > procs_ms())
            procs_sleep((int)(next - procs_ms()));
    }
    all_stapled(story_end("refresher killed every second"));
    ck_assert_uint_gt(responder_requests(w->responder, NULL), before);
}
END_TEST

/* --- graceful, every second -------------------------------------------- */

/* On a busy machine later than that: not before the last one is over. */
START_TEST(graceful_every_second)
{
    int rounds = story_seconds(8);
    int generations;

    story_up(LIFETIME);
    story_begin();
    for (int i = 0; i < rounds; i++) {
        long next = procs_ms() + 1000;

        for (int s = 0; s < SERVERS; s++)
            ck_assert_int_ge(httpd_graceful(story.worlds[s]->httpd), 0);
        if (next > procs_ms())
            procs_sleep((int)(next - procs_ms()));
    }
    all_stapled(story_end("graceful every second"));
    generations = httpd_log_count(w->httpd, REFRESHER);
    printf("  %d gracefuls, %d refreshers\n", rounds, generations);
    ck_assert_int_gt(generations, rounds / 2);
}
END_TEST

/* --- children that serve ten connections ------------------------------- */

START_TEST(ten_connections_per_child)
{
    /* So many, as httpd starts new ones in place of those that ended once a
     * second. */
    story_configure((httpd_config_t){.mpm = "prefork",
                                     .servers = 32,
                                     .global = "MaxConnectionsPerChild 10\n"});
    story_up(LIFETIME);
    story_begin();
    procs_sleep(story_seconds(8) * 1000);
    all_stapled(story_end("MaxConnectionsPerChild 10"));
    printf("  %d refreshers\n", httpd_log_count(w->httpd, REFRESHER));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {refresher_killed_every_second,
                                  graceful_every_second,
                                  ten_connections_per_child, NULL};

    return story_main("story processes", tests);
}
