/* test_cache_kill: every state of memory that a killed writer can leave.
 *
 * A writer is stepped through one operation, an instruction at a time, as a
 * debugger does it. Whenever it has changed the segment, readers must be
 * served rightly from it as it stands, and from a copy of it, as if the writer
 * had just been killed, the next writer must be able to go on.
 */
#include "../../mod_ocspx/engine/cache_private.h"

#include <openssl/crypto.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/check_main.h"
#include "cache_pattern.h"

#define SLOTS 3
#define EXPIRY 1

/* Long enough that the step's record displaces several. */
#define AREA_WORDS 40
#define OLD_LEN 20
#define NEW_LEN 33
#define OLD 1000 /* least version of what is there before */
#define NEW 2000 /* version of what the step puts */

static apr_pool_t *pool;
static ocspx_cache_t *cache, *copy;

static void setup(void)
{
    apr_pool_create(&pool, NULL);
    ocspx_cache_create(&cache, SLOTS, AREA_WORDS * 8, pool);
    ocspx_cache_create(&copy, SLOTS, AREA_WORDS * 8, pool);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

static apr_status_t put(ocspx_cache_t *to, unsigned slot, apr_size_t len,
                        apr_uint64_t version)
{
    unsigned char der[64];

    pattern_fill(der, len, slot, version);
    return ocspx_cache_put(to, slot, der, len, EXPIRY, NULL);
}

/* For slot 0. */
static apr_status_t hold(ocspx_cache_t *to, apr_size_t len,
                         apr_uint64_t version)
{
    unsigned char der[64];

    pattern_fill(der, len, 0, version);
    return ocspx_cache_hold(to, 0, der, len, EXPIRY);
}

static apr_uint64_t version_of(unsigned char *der, apr_size_t len,
                               unsigned slot)
{
    apr_uint64_t version;

    if (!len)
        return 0;
    version = pattern_version(der, len, slot);
    ck_assert_msg(version != 0, "a wrong byte for slot %u", slot);
    OPENSSL_free(der);
    return version;
}

static apr_uint64_t served(const ocspx_cache_t *from, unsigned slot)
{
    unsigned char *der;
    int len = ocspx_cache_peek(&der, from, slot, EXPIRY - 1);

    return version_of(der, (apr_size_t)len, slot);
}

static apr_uint64_t held(const ocspx_cache_t *from)
{
    unsigned char *der;
    apr_size_t len = ocspx_cache_held(&der, from, 0);

    return version_of(der, len, 0);
}

/* --- what is stepped through ----------------------------------------- */

static void put_new(void)
{
    put(cache, 0, NEW_LEN, NEW);
}

static void withdraw(void)
{
    ocspx_cache_withdraw(cache, 0);
}

static void hold_new(void)
{
    hold(cache, NEW_LEN, NEW);
}

static void promote(void)
{
    ocspx_cache_promote(cache, 0);
}

static void state_new(void)
{
    ocspx_cache_state_t state;

    pattern_state(&state, 0, NEW);
    ocspx_cache_state_set(cache, 0, &state);
}

/* --- stepping -------------------------------------------------------- */

static pid_t start(void (*operation)(void))
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
            _exit(1);
        raise(SIGSTOP);
        operation();
        raise(SIGSTOP);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSTOPPED(status), "ptrace is not permitted here");
    return pid;
}

/* One instruction; 0: the operation is complete. */
static int step(pid_t pid)
{
    int status;

    ck_assert_int_eq(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSTOPPED(status));
    return WSTOPSIG(status) == SIGTRAP;
}

static void finish(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* --- after each change ----------------------------------------------- */

/* Make @a to what @a from is, but for the lock; 0: it was already. */
static int follow(ocspx_cache_t *to, const ocspx_cache_t *from)
{
    apr_size_t len = (apr_size_t)((apr_uintptr_t)(from->area + from->words) -
                                  (apr_uintptr_t)from->slots);
    apr_size_t ends = offsetof(ocspx_cache_header_t, writer);

    if (!memcmp(to->slots, from->slots, len) &&
        !memcmp(to->header, from->header, ends))
        return 0;
    memcpy(to->slots, from->slots, len);
    memcpy(to->header, from->header, ends);
    return 1;
}

/* Slots the operation does not touch serve what they did, slot 0 one of two;
 * @a before: what they served. What is held for it is newer. */
static void assert_in_force(const ocspx_cache_t *of, const apr_uint64_t *before,
                            apr_uint64_t after)
{
    apr_uint64_t version = served(of, 0);
    unsigned i;

    ck_assert(version == before[0] || version == after);
    ck_assert(!held(of) || held(of) > version);
    for (i = 1; i < SLOTS; i++)
        ck_assert_uint_eq(served(of, i), before[i]);
}

static void assert_state(const ocspx_cache_t *of, unsigned slot)
{
    ocspx_cache_state_t state;

    ck_assert_int_eq(ocspx_cache_state_get(&state, of, slot), 1);
    ck_assert(state.due == OLD || state.due == NEW);
    ck_assert(pattern_state_ok(&state, slot));
}

/* The next writer, until it has been round the area. */
static void assert_next_writer(ocspx_cache_t *to)
{
    apr_uint64_t last[SLOTS], kept = held(to), version;
    ocspx_cache_state_t state;
    unsigned i, slot;

    for (i = 0; i < SLOTS; i++)
        last[i] = served(to, i);
    ck_assert_int_eq(ocspx_cache_writer_enter(to), APR_SUCCESS);
    ck_assert(ocspx_cache_check(to));
    /* First the others, so that what is held has to be moved. */
    for (version = NEW + 1; version < NEW + 24; version++) {
        slot = version < NEW + 12 ? 1 + (unsigned)(version % (SLOTS - 1))
                                  : (unsigned)(version % SLOTS);
        ck_assert_int_eq(put(to, slot, OLD_LEN, version), APR_SUCCESS);
        last[slot] = version;
        kept = slot ? kept : 0;
        for (i = 0; i < SLOTS; i++)
            ck_assert_uint_eq(served(to, i), last[i]);
        ck_assert_uint_eq(held(to), kept);
        ck_assert(ocspx_cache_check(to));
    }
    pattern_state(&state, 0, NEW);
    ocspx_cache_state_set(to, 0, &state);
    assert_state(to, 0);
    ocspx_cache_writer_leave(to);
}

/* @return how often the operation has changed the segment */
static unsigned step_through(void (*operation)(void), apr_uint64_t after)
{
    ocspx_cache_t *killed;
    apr_uint64_t before[SLOTS];
    unsigned changes = 0, i;
    pid_t pid;

    ocspx_cache_create(&killed, SLOTS, AREA_WORDS * 8, pool);
    for (i = 0; i < SLOTS; i++)
        before[i] = served(cache, i);
    follow(copy, cache);
    pid = start(operation);
    while (step(pid)) {
        if (!follow(copy, cache))
            continue;
        changes++;
        ck_assert(ocspx_cache_check(cache));
        assert_in_force(cache, before, after);
        assert_state(cache, 0);
        follow(killed, cache);
        assert_next_writer(killed);
    }
    finish(pid);
    return changes;
}

/* Turn the area so far that the next put begins at each of its words, with
 * the records of all slots somewhere in it. */
static void prepare(unsigned turn)
{
    apr_uint64_t version = OLD;
    ocspx_cache_state_t state;
    unsigned i;

    pattern_state(&state, 0, OLD);
    ocspx_cache_state_set(cache, 0, &state);
    ck_assert_int_eq(put(cache, 0, NEW_LEN, version++), APR_SUCCESS);
    for (i = 1; i < SLOTS; i++)
        ck_assert_int_eq(put(cache, i, OLD_LEN, version++), APR_SUCCESS);
    for (i = 0; i < turn; i++)
        ck_assert_int_eq(put(cache, i % 2, OLD_LEN + i, version++),
                         APR_SUCCESS);
}

/* At least one of the turns must need a live record moved. */
START_TEST(killed_in_a_put)
{
    unsigned turn, changes, most = 0, words = 2 + (NEW_LEN + 7) / 8;

    for (turn = 0; turn < 12; turn++) {
        teardown();
        setup();
        prepare(turn);
        changes = step_through(put_new, NEW);
        ck_assert_uint_eq(served(cache, 0), NEW);
        ck_assert_uint_ge(changes, words);
        most = changes > most ? changes : most;
    }
    ck_assert_uint_ge(most, words + 2 + 2 + (OLD_LEN + 7) / 8);
}
END_TEST

START_TEST(killed_in_a_withdrawal)
{
    prepare(3);
    ck_assert_uint_ge(step_through(withdraw, 0), 1);
    ck_assert_uint_eq(served(cache, 0), 0);
}
END_TEST

/* What is put is newer than what is held, which must not come after it. */
START_TEST(killed_in_a_put_beside_a_held_one)
{
    unsigned turn;

    for (turn = 0; turn < 6; turn++) {
        teardown();
        setup();
        prepare(turn);
        ck_assert_int_eq(hold(cache, OLD_LEN, NEW - 1), APR_SUCCESS);
        step_through(put_new, NEW);
        ck_assert_uint_eq(served(cache, 0), NEW);
        ck_assert_uint_eq(held(cache), 0);
    }
}
END_TEST

START_TEST(killed_in_a_hold)
{
    unsigned turn, changes, most = 0, words = 2 + (NEW_LEN + 7) / 8;

    for (turn = 0; turn < 12; turn++) {
        teardown();
        setup();
        prepare(turn);
        changes = step_through(hold_new, 0);
        ck_assert_uint_eq(held(cache), NEW);
        ck_assert_uint_ge(changes, words);
        most = changes > most ? changes : most;
    }
    ck_assert_uint_ge(most, words + 2 + 2 + (OLD_LEN + 7) / 8);
}
END_TEST

START_TEST(killed_in_a_promotion)
{
    unsigned turn;

    for (turn = 0; turn < 6; turn++) {
        teardown();
        setup();
        prepare(turn);
        ck_assert_int_eq(hold(cache, NEW_LEN, NEW), APR_SUCCESS);
        ck_assert_uint_ge(step_through(promote, NEW), 2);
        ck_assert_uint_eq(served(cache, 0), NEW);
        ck_assert_uint_eq(held(cache), 0);
    }
}
END_TEST

START_TEST(killed_in_setting_a_state)
{
    prepare(0);
    ck_assert_uint_gt(step_through(state_new, 0), OCSPX_CACHE_STATE_WORDS / 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cache_kill");
    TCase *tc = tcase_create("cache_kill");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, killed_in_a_put);
    tcase_add_test(tc, killed_in_a_put_beside_a_held_one);
    tcase_add_test(tc, killed_in_a_hold);
    tcase_add_test(tc, killed_in_a_promotion);
    tcase_add_test(tc, killed_in_a_withdrawal);
    tcase_add_test(tc, killed_in_setting_a_state);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
