/* test_ledger: what is noted is what is read, in every process and after a
 * reload; and whatever is in the segment, what is read can be used.
 */
#include "../../mod_ocspx/engine/ledger_private.h"

#include <apr_strings.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/check_main.h"
#include "cache_pattern.h"

#define NOW apr_time_from_sec(1700000000)
#define SECOND apr_time_from_sec(1)
#define COUNT_MAX OCSPX_LEDGER_COUNT_MAX

static apr_pool_t *pool;
static apr_array_header_t *hosts;
static ocspx_ledger_t *ledger;

/* Certificates number @a first and on, and the hosts of the moment. */
static ocspx_ledger_t *make(unsigned first, unsigned n)
{
    unsigned char *digests = apr_pcalloc(pool, n * OCSPX_CERT_DIGEST_LEN);
    ocspx_ledger_t *made;
    unsigned i;

    for (i = 0; i < n; i++)
        digests[i * OCSPX_CERT_DIGEST_LEN + 31] = (unsigned char)(first + i);
    ck_assert_int_eq(ocspx_ledger_create(&made, digests, n, hosts, pool),
                     APR_SUCCESS);
    memset(digests, 0xff, n * OCSPX_CERT_DIGEST_LEN);
    return made;
}

static void add_host(const char *name)
{
    APR_ARRAY_PUSH(hosts, const char *) = name;
}

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
    hosts = apr_array_make(pool, 2, sizeof(const char *));
    add_host("one.example:80");
    add_host("two.example:8080");
    ledger = make(1, 3);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static void note(unsigned cert, unsigned host, apr_time_t time,
                 apr_interval_time_t took, ocspx_cause_e cause, int status)
{
    const ocspx_ledger_attempt_t attempt = {time, took, cause, status};

    ocspx_ledger_note(ledger, cert, host, &attempt, 2);
}

static ocspx_ledger_host_t host(const ocspx_ledger_t *of, unsigned i)
{
    ocspx_ledger_host_t out;

    memset(&out, 0x5a, sizeof(out));
    ocspx_ledger_host(&out, of, i);
    return out;
}

static void assert_attempt(const ocspx_ledger_attempt_t *is, apr_time_t time,
                           apr_interval_time_t took, ocspx_cause_e cause,
                           int status)
{
    ck_assert_int_eq(is->time, time);
    ck_assert_int_eq(is->took, took);
    ck_assert_int_eq(is->cause, cause);
    ck_assert_int_eq(is->http_status, status);
}

/* --- attempts -------------------------------------------------------- */

START_TEST(attempts_are_read_latest_first)
{
    ocspx_ledger_attempt_t read[OCSPX_LEDGER_ATTEMPTS];

    ck_assert_uint_eq(ocspx_ledger_attempts(read, ledger, 1), 0);
    note(1, 0, NOW, 1234, OCSPX_CAUSE_NONE, 200);
    note(1, 0, NOW + SECOND, 10 * SECOND, OCSPX_CAUSE_RESP_HTTP, 503);
    note(2, 1, NOW, 0, OCSPX_CAUSE_REVOKED, 999);
    ck_assert_uint_eq(ocspx_ledger_attempts(read, ledger, 0), 0);
    ck_assert_uint_eq(ocspx_ledger_attempts(read, ledger, 1), 2);
    assert_attempt(&read[0], NOW + SECOND, 10 * SECOND, OCSPX_CAUSE_RESP_HTTP,
                   503);
    assert_attempt(&read[1], NOW, 1234, OCSPX_CAUSE_NONE, 200);
    ck_assert_uint_eq(ocspx_ledger_attempts(read, ledger, 2), 1);
    assert_attempt(&read[0], NOW, 0, OCSPX_CAUSE_REVOKED, 999);
}
END_TEST

START_TEST(the_last_sixteen_are_remembered)
{
    ocspx_ledger_attempt_t read[OCSPX_LEDGER_ATTEMPTS];
    int i;

    for (i = 1; i <= 16; i++)
        note(0, 0, NOW + i, i, OCSPX_CAUSE_DNS, 0);
    ck_assert_uint_eq(ocspx_ledger_attempts(read, ledger, 0), 16);
    ck_assert_int_eq(read[15].took, 1);
    for (; i <= 41; i++)
        note(0, 0, NOW + i, i, OCSPX_CAUSE_DNS, 0);
    ck_assert_uint_eq(ocspx_ledger_attempts(read, ledger, 0), 16);
    for (i = 0; i < 16; i++)
        assert_attempt(&read[i], NOW + 41 - i, 41 - i, OCSPX_CAUSE_DNS, 0);
}
END_TEST

START_TEST(odd_attempts_are_cut_to_size)
{
    ocspx_ledger_attempt_t read[OCSPX_LEDGER_ATTEMPTS];

    note(0, 0, NOW, -1, OCSPX_CAUSE_COUNT - 1, 65535);
    note(0, 0, NOW, APR_INT64_MAX, OCSPX_CAUSE_NONE, 65536 + 7);
    ocspx_ledger_attempts(read, ledger, 0);
    assert_attempt(&read[1], NOW, 0, OCSPX_CAUSE_COUNT - 1, 65535);
    ck_assert_int_eq(read[0].took, OCSPX_LEDGER_TOOK_MAX);
    ck_assert_int_eq(read[0].http_status, 7);
    ck_assert_int_eq(host(ledger, 0).duration_sum, OCSPX_LEDGER_TOOK_MAX);
}
END_TEST

/* --- hosts ----------------------------------------------------------- */

START_TEST(attempts_are_counted_by_result)
{
    ocspx_ledger_host_t read;
    int cause;
    unsigned sum = 0, i;

    for (cause = 0; cause < OCSPX_CAUSE_COUNT; cause++) {
        unsigned group = ocspx_cause_group((ocspx_cause_e)cause);
        apr_uint64_t before = host(ledger, 1).attempts[group];

        note(0, 1, NOW, 0, (ocspx_cause_e)cause, 0);
        read = host(ledger, 1);
        ck_assert_uint_eq(read.attempts[group], before + 1);
        ck_assert_int_eq(read.cause, cause);
        sum += 1;
    }
    for (i = 0; i < OCSPX_CAUSE_GROUP_COUNT; i++)
        sum -= (unsigned)read.attempts[i];
    ck_assert_uint_eq(sum, 0);
    ck_assert_uint_eq(read.requests, 2 * OCSPX_CAUSE_COUNT);
    ck_assert_str_eq(read.name, "two.example:8080");
    ck_assert_uint_eq(ocspx_ledger_hosts(ledger), 2);
    read = host(ledger, 0);
    ck_assert_str_eq(read.name, "one.example:80");
    ck_assert_uint_eq(read.requests, 0);
    ck_assert_uint_eq(read.attempts[OCSPX_CAUSE_GROUP_OK], 0);
}
END_TEST

/* A bound belongs to its bucket. */
START_TEST(durations_are_counted_by_their_bounds)
{
    static const apr_interval_time_t took[] = {
        0,      10000,   10001,   25000,   50000,       100000,   250000,
        500000, 1000000, 2500000, 5000000, 10 * SECOND, 10000001, 60 * SECOND};
    static const unsigned expected[OCSPX_LEDGER_BUCKETS] = {2, 2, 1, 1, 1, 1,
                                                            1, 1, 1, 1, 2};
    ocspx_ledger_host_t read;
    apr_interval_time_t sum = 0;
    unsigned i;

    for (i = 0; i < sizeof(took) / sizeof(took[0]); i++) {
        note(0, 0, NOW, took[i], OCSPX_CAUSE_NONE, 200);
        sum += took[i];
    }
    read = host(ledger, 0);
    for (i = 0; i < OCSPX_LEDGER_BUCKETS; i++)
        ck_assert_uint_eq(read.durations[i], expected[i]);
    ck_assert_int_eq(read.duration_sum, sum);
}
END_TEST

START_TEST(failing_since_the_first_failure)
{
    note(0, 0, NOW, 0, OCSPX_CAUSE_DNS, 0);
    note(1, 0, NOW + 1, 0, OCSPX_CAUSE_RESP_HTTP, 500);
    ck_assert_int_eq(host(ledger, 0).failing_since, NOW);
    ck_assert_int_eq(host(ledger, 0).cause, OCSPX_CAUSE_RESP_HTTP);
    ck_assert_int_eq(host(ledger, 1).failing_since, 0);
    note(2, 0, NOW + 2, 0, OCSPX_CAUSE_REVOKED, 200);
    ck_assert_int_eq(host(ledger, 0).failing_since, 0);
    note(0, 0, NOW + 3, 0, OCSPX_CAUSE_UNKNOWN, 200);
    ck_assert_int_eq(host(ledger, 0).failing_since, NOW + 3);
    note(0, 0, NOW + 4, 0, OCSPX_CAUSE_NONE, 200);
    ck_assert_int_eq(host(ledger, 0).failing_since, 0);
    ck_assert_int_eq(host(ledger, 0).cause, OCSPX_CAUSE_NONE);
}
END_TEST

START_TEST(where_nobody_was_asked_no_host_is_blamed)
{
    ocspx_ledger_attempt_t read[OCSPX_LEDGER_ATTEMPTS];
    unsigned i;

    note(0, OCSPX_LEDGER_NOBODY, NOW, 5, OCSPX_CAUSE_CHAIN_NOT_CERT, 404);
    ck_assert_uint_eq(ocspx_ledger_attempts(read, ledger, 0), 1);
    assert_attempt(&read[0], NOW, 5, OCSPX_CAUSE_CHAIN_NOT_CERT, 404);
    for (i = 0; i < 2; i++) {
        ck_assert_uint_eq(host(ledger, i).requests, 0);
        ck_assert_int_eq(host(ledger, i).failing_since, 0);
    }
}
END_TEST

START_TEST(names_are_printable_and_cut)
{
    char *monster = apr_pcalloc(pool, 5000);

    memset(monster, 'x', 4999);
    apr_array_clear(hosts);
    add_host("<script>\n\xff");
    add_host(monster);
    ledger = make(1, 1);
    monster[0] = 'y';
    ck_assert_str_eq(host(ledger, 0).name, "<script>\\x0a\\xff");
    ck_assert_uint_eq(strlen(host(ledger, 1).name), OCSPX_CERT_TEXT_MAX);
    ck_assert_int_eq(host(ledger, 1).name[0], 'x');
}
END_TEST

/* --- processes ------------------------------------------------------- */

static void in_child(void (*work)(void))
{
    pid_t child = fork();
    int status;

    if (!child) {
        work();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static void be_refresher(void)
{
    ocspx_ledger_turn(ledger, NOW);
    ocspx_ledger_turn(ledger, NOW + SECOND);
    note(2, 1, NOW, 77, OCSPX_CAUSE_STALE, 200);
}

START_TEST(written_in_a_child_read_in_the_parent)
{
    ocspx_ledger_attempt_t read[OCSPX_LEDGER_ATTEMPTS];
    ocspx_ledger_refresher_t refresher;

    ocspx_ledger_refresher(&refresher, ledger);
    ck_assert_int_eq(refresher.pid, 0);
    in_child(be_refresher);
    ck_assert_uint_eq(ocspx_ledger_attempts(read, ledger, 2), 1);
    assert_attempt(&read[0], NOW, 77, OCSPX_CAUSE_STALE, 200);
    ck_assert_uint_eq(host(ledger, 1).requests, 2);
    ocspx_ledger_refresher(&refresher, ledger);
    ck_assert_int_gt(refresher.pid, 1);
    ck_assert_int_ne(refresher.pid, getpid());
    ck_assert_int_eq(refresher.since, NOW);
    ck_assert_int_eq(refresher.turn, NOW + SECOND);
    ocspx_ledger_turn(ledger, NOW + 2 * SECOND);
    ocspx_ledger_refresher(&refresher, ledger);
    ck_assert_int_eq(refresher.pid, getpid());
    ck_assert_int_eq(refresher.since, NOW + 2 * SECOND);
    ck_assert_int_eq(refresher.turn, NOW + 2 * SECOND);
}
END_TEST

START_TEST(nothing_to_note_is_fine)
{
    apr_array_clear(hosts);
    ledger = make(1, 0);
    ck_assert_uint_eq(ocspx_ledger_hosts(ledger), 0);
    ocspx_ledger_turn(ledger, NOW);
}
END_TEST

/* --- carrying over --------------------------------------------------- */

static ocspx_ledger_t *carried(unsigned first, unsigned n)
{
    ocspx_ledger_t *to = make(first, n);

    ocspx_ledger_carry(to, ledger, NOW, pool);
    return to;
}

START_TEST(a_reload_forgets_nothing)
{
    ocspx_ledger_attempt_t read[OCSPX_LEDGER_ATTEMPTS];
    ocspx_ledger_refresher_t refresher;
    ocspx_ledger_share_t share;
    ocspx_ledger_host_t before, after;
    ocspx_ledger_t *to;
    int i;

    for (i = 1; i <= 20; i++)
        note(1, 0, NOW - 100 + i, i * 20000, OCSPX_CAUSE_NONE, 200);
    note(2, 0, NOW - 9, 5, OCSPX_CAUSE_DNS, 0);
    ocspx_ledger_turn(ledger, NOW);
    ocspx_ledger_share_count(ledger, OCSPX_LEDGER_SHARE_PUT);
    ocspx_ledger_share_down(ledger, NOW);
    before = host(ledger, 0);
    add_host("three.example:80");
    APR_ARRAY_IDX(hosts, 0, const char *) = "new.example:80";
    APR_ARRAY_IDX(hosts, 1, const char *) = "one.example:80";
    to = carried(2, 3);
    ck_assert_uint_eq(ocspx_ledger_attempts(read, to, 0), 16);
    for (i = 0; i < 16; i++)
        assert_attempt(&read[i], NOW - 80 - i, (20 - i) * 20000,
                       OCSPX_CAUSE_NONE, 200);
    ck_assert_uint_eq(ocspx_ledger_attempts(read, to, 1), 1);
    assert_attempt(&read[0], NOW - 9, 5, OCSPX_CAUSE_DNS, 0);
    ck_assert_uint_eq(ocspx_ledger_attempts(read, to, 2), 0);
    after = host(to, 1);
    after.name = before.name;
    ck_assert_mem_eq(&after, &before, sizeof(after));
    ck_assert_uint_eq(host(to, 0).requests + host(to, 2).requests, 0);
    ocspx_ledger_refresher(&refresher, to);
    ck_assert_int_eq(refresher.pid, 0);
    ocspx_ledger_share(&share, to);
    ck_assert_uint_eq(share.counts[OCSPX_LEDGER_SHARE_PUT], 1);
    ck_assert_int_eq(share.down_since, 0);
}
END_TEST

START_TEST(what_goes_on_goes_on_after_a_reload)
{
    ocspx_ledger_attempt_t read[OCSPX_LEDGER_ATTEMPTS];

    note(1, 0, NOW - 2, 1, OCSPX_CAUSE_DNS, 0);
    ledger = carried(1, 3);
    note(1, 0, NOW - 1, 2, OCSPX_CAUSE_DNS, 0);
    ck_assert_uint_eq(ocspx_ledger_attempts(read, ledger, 1), 2);
    ck_assert_int_eq(read[0].took, 2);
    ck_assert_int_eq(read[1].took, 1);
    ck_assert_int_eq(host(ledger, 0).failing_since, NOW - 2);
    ck_assert_uint_eq(host(ledger, 0).attempts[OCSPX_CAUSE_GROUP_EGRESS], 2);
}
END_TEST

START_TEST(times_to_come_are_not_believed)
{
    ocspx_ledger_attempt_t read[OCSPX_LEDGER_ATTEMPTS];
    ocspx_ledger_t *to;

    note(0, 0, NOW + 1, 0, OCSPX_CAUSE_DNS, 1000);
    note(0, 0, NOW, 0, OCSPX_CAUSE_DNS, 999);
    to = carried(1, 3);
    ck_assert_uint_eq(ocspx_ledger_attempts(read, to, 0), 2);
    assert_attempt(&read[0], NOW, 0, OCSPX_CAUSE_DNS, 999);
    assert_attempt(&read[1], NOW, 0, OCSPX_CAUSE_DNS, 0);
    ck_assert_int_eq(host(to, 0).failing_since, NOW);
}
END_TEST

/* The handle's head is the layout, whatever the rest of it is. */
START_TEST(another_layout_is_not_touched)
{
    static const apr_uint64_t foreign = 1;
    ocspx_ledger_t *to = make(1, 3);

    ocspx_ledger_carry(to, (const void *)&foreign, NOW, pool);
    ck_assert_uint_eq(host(to, 0).requests, 0);
}
END_TEST

static int sound(const ocspx_ledger_t *of, apr_time_t latest)
{
    ocspx_ledger_attempt_t read[OCSPX_LEDGER_ATTEMPTS];
    ocspx_ledger_host_t at = host(of, 0);
    unsigned i, n = ocspx_ledger_attempts(read, of, 0);
    int ok = n <= OCSPX_LEDGER_ATTEMPTS && at.requests <= COUNT_MAX &&
             at.cause < OCSPX_CAUSE_COUNT && at.duration_sum >= 0 &&
             at.duration_sum <= (apr_interval_time_t)COUNT_MAX &&
             at.failing_since >= 0 && at.failing_since <= latest;

    for (i = 0; i < n; i++)
        ok &= read[i].time > 0 && read[i].time <= latest && read[i].took >= 0 &&
              read[i].cause < OCSPX_CAUSE_COUNT && read[i].http_status >= 0;
    for (i = 0; i < OCSPX_CAUSE_GROUP_COUNT; i++)
        ok &= at.attempts[i] <= COUNT_MAX;
    for (i = 0; i < OCSPX_LEDGER_BUCKETS; i++)
        ok &= at.durations[i] <= COUNT_MAX;
    return ok;
}

START_TEST(garbage_can_be_read_and_carried)
{
    apr_uint64_t seed = 7, round;
    unsigned i, words = (sizeof(ocspx_ledger_head_t) +
                         sizeof(ocspx_ledger_cert_words_t) +
                         sizeof(ocspx_ledger_host_words_t)) /
                        8;

    apr_array_clear(hosts);
    add_host("one.example:80");
    ledger = make(1, 1);
    for (round = 0; round < 2000; round++) {
        ocspx_ledger_word_t *word = (void *)ledger->head;
        ocspx_ledger_refresher_t refresher;
        ocspx_ledger_share_t share;
        ocspx_ledger_t *to;

        for (i = 0; i < words; i++)
            word[i] = pattern_mix(++seed) >> pattern_random(&seed, 64);
        ck_assert(sound(ledger, APR_INT64_MAX));
        ocspx_ledger_refresher(&refresher, ledger);
        ck_assert(refresher.pid >= 0 && refresher.since >= 0 &&
                  refresher.turn >= 0);
        ocspx_ledger_share(&share, ledger);
        ck_assert(share.down_since >= 0 &&
                  share.counts[0] <= OCSPX_LEDGER_COUNT_MAX);
        if (round % 20)
            continue;
        to = carried(1, 1);
        ck_assert(sound(to, NOW));
        note(0, 0, NOW, 1, OCSPX_CAUSE_NONE, 200);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ledger");
    TCase *tc = tcase_create("ledger");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, attempts_are_read_latest_first);
    tcase_add_test(tc, the_last_sixteen_are_remembered);
    tcase_add_test(tc, odd_attempts_are_cut_to_size);
    tcase_add_test(tc, attempts_are_counted_by_result);
    tcase_add_test(tc, durations_are_counted_by_their_bounds);
    tcase_add_test(tc, failing_since_the_first_failure);
    tcase_add_test(tc, where_nobody_was_asked_no_host_is_blamed);
    tcase_add_test(tc, names_are_printable_and_cut);
    tcase_add_test(tc, written_in_a_child_read_in_the_parent);
    tcase_add_test(tc, nothing_to_note_is_fine);
    tcase_add_test(tc, a_reload_forgets_nothing);
    tcase_add_test(tc, what_goes_on_goes_on_after_a_reload);
    tcase_add_test(tc, times_to_come_are_not_believed);
    tcase_add_test(tc, another_layout_is_not_touched);
    tcase_add_test(tc, garbage_can_be_read_and_carried);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
