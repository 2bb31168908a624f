/* test_story_clock: the servers' clock is stepped under load; the clients' and
 * the responder's stay right.
 */
#include "story_scene.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define DAY 86400
#define WEEK apr_time_from_sec(7 * DAY)

/* Asked again after two seconds, however long a response lives. */
#define EAGER OURS("SSLStaplingStandardCacheTimeout 2\nOCSPXRetry 1 2\n")

static int64_t *ahead; /* seconds; for stepped_clock */

static void step_to(int64_t seconds)
{
    __atomic_store_n(ahead, seconds, __ATOMIC_RELAXED);
}

static void make_clock(void)
{
    const char *preload = getenv("OCSPX_STEPPED_CLOCK");
    const char *path = httpd_path(w->httpd, "clock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    ck_assert_ptr_nonnull(preload);
    ck_assert_int_eq(ftruncate(fd, sizeof(*ahead)), 0);
    ahead =
        mmap(NULL, sizeof(*ahead), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(ahead, MAP_FAILED);
    close(fd);
    setenv("OCSPX_CLOCK", path, 1);
    setenv("LD_PRELOAD", preload, 1);
}

static void up(apr_interval_time_t lifetime)
{
    make_clock();
    story_configure((httpd_config_t){.global = EAGER});
    story_up(lifetime);
    unsetenv("LD_PRELOAD");
}

/** The responder goes on being asked about each. */
static void still_refreshing(const char *when)
{
    unsigned before[SITES];
    long begin = procs_ms();

    for (int i = 0; i < SITES; i++)
        before[i] = responder_requests(w->responder, story.leaves[i]);
    for (int i = 0; i < SITES; i++)
        ck_assert_msg(
            responder_wait(w->responder, story.leaves[i], before[i] + 1, 20000),
            "%s: %s is not asked about", when, story.names[i]);
    printf("  %s: all asked about again within %.1f s\n", when,
           (double)(procs_ms() - begin) / 1000);
}

/* --- a day ------------------------------------------------------------- */

static const struct {
    const char *when;
    int64_t ahead;
} steps[] = {{"a day ahead", DAY},
             {"right again", 0},
             {"a day behind", -DAY},
             {"right again", 0}};

START_TEST(a_day_forward_and_back)
{
    up(WEEK);
    story_begin();
    still_refreshing("right");
    for (int i = 0; i < 4; i++) {
        step_to(steps[i].ahead);
        still_refreshing(steps[i].when);
    }
    all_stapled(story_end("clock a day forward and back"));
}
END_TEST

/* --- past the end of all responses ------------------------------------- */

START_TEST(past_expiry_and_back)
{
    const client_load_result_t *seen;
    long back;

    up(WEEK);
    story_begin();
    step_to(8 * DAY);
    still_refreshing("eight days ahead");
    for (int i = 0; i < SITES; i++)
        world_assert_bare(w, story.names[i]);
    step_to(0);
    back = procs_ms();
    for (int i = 0; i < SITES; i++)
        world_wait_good(w, story.names[i], 20000);
    back = procs_ms() - back;
    still_refreshing("right again");
    seen = story_end("clock past all responses and back");
    printf("  all stapled again %.1f s after it was right\n",
           (double)back / 1000);
    ck_assert_uint_gt(seen->good, 0);
    ck_assert_uint_gt(seen->missing, 0);
    ck_assert(httpd_log_count(w->httpd, "SERVER_CLOCK") > 0);
}
END_TEST

/* --- responses from the future ----------------------------------------- */

/** Once the refresher has seen the step. */
static void wait_until_withdrawn(const char *name)
{
    long deadline = procs_ms() + 10000;
    client_result_t result = world_handshake(w, name);

    while (result.stapled && !result.verified) {
        ck_assert_msg(procs_ms() < deadline, "%s: %s", name, result.error);
        procs_sleep(50);
        result = world_handshake(w, name);
    }
    ck_assert(result.ok);
}

START_TEST(responses_from_the_future)
{
    responder_script_t script = {.lifetime = WEEK,
                                 .age = apr_time_from_sec(-DAY)};
    const client_load_result_t *seen;

    up(WEEK);
    responder_script(w->responder, NULL, &script);
    step_to(DAY);
    still_refreshing("server and responder a day ahead");
    still_refreshing("server and responder a day ahead");
    ck_assert(world_handshake(w, story.names[0]).stapled);
    script.age = 0;
    responder_script(w->responder, NULL, &script);
    step_to(0);
    for (int i = 0; i < SITES; i++)
        wait_until_withdrawn(story.names[i]);
    story_begin();
    still_refreshing("both right again");
    for (int i = 0; i < SITES; i++)
        world_wait_good(w, story.names[i], 20000);
    seen = story_end("responses from the future, and the clock back");
    ck_assert_uint_gt(seen->good, 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_day_forward_and_back, past_expiry_and_back,
                                  responses_from_the_future, NULL};

    return story_main("story clock", tests);
}
