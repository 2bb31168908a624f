/* test_cache_hammer: readers without end against writers that are killed.
 *
 * Every response and state says by itself what it is, and versions only ever
 * grow; so each reader can judge by itself what it gets.
 */
#include "../../mod_ocspx/engine/cache_private.h"

#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../support/check_main.h"
#include "cache_pattern.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#endif

#define SLOTS 8
#define LONGEST 3000
#define AREA ((SLOTS + 2) * (LONGEST + 16)) /* the least for all slots */
#define EXPIRY 1
#define READERS 4
#define BLOCKED 1.0 /* seconds */

#define PUTS 50000
#define KILLS 1000

/* Shared by all processes of a test, and new for each. */
typedef struct {
    ocspx_cache_t *cache;
    atomic_int stop;
    /* what readers saw */
    atomic_ulong reads, wrong, empty, backwards, slow, wrong_state;
    /* what writers did; only under the writer's lock */
    apr_uint64_t puts, failed, refused;
    ocspx_cache_word_t begun[SLOTS], done[SLOTS];
} hammer_t;

static apr_pool_t *pool;
static hammer_t *hammer;

static void setup(void)
{
    unsigned i;

    apr_pool_create(&pool, NULL);
    hammer = mmap(NULL, sizeof(*hammer), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(hammer, MAP_FAILED);
    ck_assert_int_eq(ocspx_cache_create(&hammer->cache, SLOTS, AREA, pool),
                     APR_SUCCESS);
    for (i = 0; i < SLOTS; i++) {
        unsigned char der[PATTERN_MIN];

        pattern_fill(der, sizeof(der), i, 1);
        ocspx_cache_put(hammer->cache, i, der, sizeof(der), EXPIRY, NULL);
        hammer->begun[i] = hammer->done[i] = 1;
    }
}

static void teardown(void)
{
    munmap(hammer, sizeof(*hammer));
    apr_pool_destroy(pool);
}

/* --- reading --------------------------------------------------------- */

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void read_response(unsigned slot, apr_uint64_t *last)
{
    double begun = seconds();
    unsigned char *der;
    int len = ocspx_cache_staple(&der, hammer->cache, slot, EXPIRY - 1);
    apr_uint64_t version;

    hammer->reads++;
    hammer->slow += seconds() - begun > BLOCKED;
    if (!len) {
        hammer->empty++;
        return;
    }
    version = pattern_version(der, (apr_size_t)len, slot);
    hammer->wrong += version == 0;
    hammer->backwards += version < *last;
    *last = version;
    OPENSSL_free(der);
}

static void read_state(unsigned slot)
{
    ocspx_cache_state_t state;

    if (!ocspx_cache_state_get(&state, hammer->cache, slot) ||
        !pattern_state_ok(&state, slot))
        hammer->wrong_state++;
}

static void *reader(void *seed_)
{
    apr_uint64_t seed = *(apr_uint64_t *)seed_, last[SLOTS] = {0};

    while (!hammer->stop) {
        unsigned slot = pattern_random(&seed, SLOTS);

        read_response(slot, &last[slot]);
        read_state(slot);
    }
    return NULL;
}

static void readers_start(pthread_t *threads, apr_uint64_t *seeds, unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++) {
        seeds[i] = i + (apr_uint64_t)getpid();
        if (pthread_create(&threads[i], NULL, reader, &seeds[i]))
            abort();
    }
}

static void readers_join(const pthread_t *threads, unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

static void assert_readers_content(void)
{
    ocspx_cache_counts_t counts;
    apr_uint64_t stapled = 0;
    unsigned i;

    for (i = 0; i < SLOTS; i++) {
        ocspx_cache_counts(&counts, hammer->cache, i);
        stapled += counts.stapled;
    }
    ck_assert_uint_gt(hammer->reads, 1000);
    ck_assert_uint_eq(hammer->wrong, 0);
    ck_assert_uint_eq(hammer->empty, 0);
    ck_assert_uint_eq(hammer->backwards, 0);
    ck_assert_uint_eq(hammer->slow, 0);
    ck_assert_uint_eq(hammer->wrong_state, 0);
    ck_assert_uint_eq(stapled, hammer->reads);
}

/* --- writing --------------------------------------------------------- */

/* Only as the writer. What it has begun and what it has done is noted around
 * it, so that after a kill both bounds are known. */
static void write_one(apr_uint64_t *seed)
{
    unsigned char der[LONGEST];
    unsigned slot = pattern_random(seed, SLOTS);
    apr_size_t len = PATTERN_MIN + pattern_random(seed, 700);
    apr_uint64_t version = ++hammer->begun[slot];
    ocspx_cache_state_t state;

    if (pattern_random(seed, 40) == 0)
        len = sizeof(der);
    pattern_fill(der, len, slot, version);
    hammer->failed += ocspx_cache_put(hammer->cache, slot, der, len, EXPIRY,
                                      NULL) != APR_SUCCESS;
    hammer->done[slot] = version;
    hammer->puts++;
    pattern_state(&state, slot, version);
    ocspx_cache_state_set(hammer->cache, slot, &state);
}

/* Two of these take turns, as children do when one takes over. */
static void *sharing_writer(void *seed_)
{
    apr_uint64_t seed = *(apr_uint64_t *)seed_, puts;
    unsigned i;

    do {
        while (ocspx_cache_writer_enter(hammer->cache) != APR_SUCCESS)
            sched_yield();
        for (i = 0; i < 100; i++)
            write_one(&seed);
        puts = hammer->puts;
        ocspx_cache_writer_leave(hammer->cache);
    } while (puts < PUTS);
    return NULL;
}

START_TEST(writers_taking_turns)
{
    pthread_t readers[READERS], other;
    apr_uint64_t seeds[READERS], one = 1, two = 2;

    readers_start(readers, seeds, READERS);
    ck_assert_int_eq(pthread_create(&other, NULL, sharing_writer, &one), 0);
    sharing_writer(&two);
    pthread_join(other, NULL);
    hammer->stop = 1;
    readers_join(readers, READERS);
    ck_assert_uint_eq(hammer->failed, 0);
    ck_assert(ocspx_cache_check(hammer->cache));
    assert_readers_content();
}
END_TEST

/* --- killing --------------------------------------------------------- */

#ifndef UNDER_TSAN

static pid_t fork_readers(unsigned n)
{
    pid_t pid = fork();
    pthread_t threads[READERS];
    apr_uint64_t seeds[READERS];

    if (pid == 0) {
        readers_start(threads, seeds, n);
        readers_join(threads, n);
        _exit(0);
    }
    return pid;
}

static pid_t fork_writer(apr_uint64_t seed)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (ocspx_cache_writer_enter(hammer->cache) != APR_SUCCESS) {
            hammer->refused++;
            _exit(1);
        }
        for (;;)
            write_one(&seed);
    }
    return pid;
}

/* The structure holds, nothing that was done is lost, and nothing but the one
 * put that was under way is there in its stead. */
static void assert_nothing_lost(void)
{
    unsigned i;

    ck_assert(ocspx_cache_check(hammer->cache));
    for (i = 0; i < SLOTS; i++) {
        unsigned char *der;
        int len = ocspx_cache_peek(&der, hammer->cache, i, EXPIRY - 1);
        apr_uint64_t version = pattern_version(der, (apr_size_t)len, i);

        ck_assert_uint_ge(version, hammer->done[i]);
        ck_assert_uint_le(version, hammer->begun[i]);
        OPENSSL_free(der);
    }
}

static void kill_one(apr_uint64_t *seed)
{
    struct timespec life = {0, (long)pattern_random(seed, 2000000)};
    pid_t pid = fork_writer(*seed);
    int status;

    ck_assert_int_gt(pid, 0);
    nanosleep(&life, NULL);
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
    assert_nothing_lost();
}

START_TEST(killed_writers)
{
    pid_t readers[2] = {fork_readers(1), fork_readers(2)};
    apr_uint64_t seed = (apr_uint64_t)getpid();
    unsigned i;
    int status;

    for (i = 0; i < KILLS; i++)
        kill_one(&seed);
    hammer->stop = 1;
    for (i = 0; i < 2; i++) {
        ck_assert_int_eq(waitpid(readers[i], &status, 0), readers[i]);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_uint_eq(hammer->refused, 0);
    ck_assert_uint_eq(hammer->failed, 0);
    ck_assert_uint_gt(hammer->puts, KILLS);
    ck_assert_int_eq(ocspx_cache_writer_enter(hammer->cache), APR_SUCCESS);
    ck_assert(ocspx_cache_check(hammer->cache));
    assert_readers_content();
}
END_TEST

#endif

int main(void)
{
    Suite *suite = suite_create("cache_hammer");
    TCase *tc = tcase_create("cache_hammer");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 240);
    tcase_add_test(tc, writers_taking_turns);
#ifndef UNDER_TSAN
    tcase_add_test(tc, killed_writers);
#endif
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
