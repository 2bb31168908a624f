/* test_refresh_threads: a refresher at work beside those who staple and report,
 * as in a child of httpd; for ThreadSanitizer above all.
 */
#include <openssl/ocsp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "../../mod_ocspx/engine/notify.h"
#include "../../mod_ocspx/engine/report.h"
#include "refresh_scene.h"

#define LIVES 5    /* refreshers, one after the other */
#define ROUNDS 200 /* of each */
#define LIFETIME SECONDS(100)

static ocspx_ledger_t *ledger;
static ocspx_report_source_t source;
static atomic_uint rounds;  /* of the present life */
static atomic_int stopping; /* it is to end */
static atomic_int over;     /* the readers are */
static atomic_ulong staples, reports, wrong;

static void count_line(void *baton, ocspx_log_level_e level, int entry,
                       const char *line)
{
    (void)baton;
    (void)entry;
    lines[level] += line[0] != '\0';
}

static const ocspx_log_t count_lines = {count_line, NULL};

static apr_pool_t *make_own_pool(void)
{
    apr_allocator_t *allocator;
    apr_pool_t *p;

    ck_assert_int_eq(apr_allocator_create(&allocator), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create_unmanaged_ex(&p, NULL, allocator),
                     APR_SUCCESS);
    apr_allocator_owner_set(allocator, p);
    return p;
}

/* One certificate that gets responses, and one that never does. */
static void set_up_all(void)
{
    unsigned char digests[2 * OCSPX_CERT_DIGEST_LEN];
    pki_t *dead;
    const char *conflict;

    set_up();
    signal(SIGPIPE, SIG_IGN);
    fill_registry();
    dead = pki_make(&(pki_spec_t){.cn = "dead",
                                  .ocsp_urls = "http://dead/",
                                  .not_before = START - SECONDS(86400),
                                  .not_after = START + SECONDS(864000)},
                    ca, pool);
    ck_assert_int_eq(ocspx_cert_make(&cert, dead->cert, ca->cert, pool),
                     APR_SUCCESS);
    ocspx_registry_add(registry, &conflict, cert, NULL, &policy, "there");
    make_config(ocspx_cache_area_size(2));
    ocspx_cache_writer_leave(cache);
    for (unsigned i = 0; i < 2; i++)
        memcpy(digests + i * OCSPX_CERT_DIGEST_LEN,
               ocspx_registry_get(registry, i)->cert->digest,
               OCSPX_CERT_DIGEST_LEN);
    ck_assert_int_eq(ocspx_ledger_create(&ledger, digests, 2,
                                         ocspx_registry_hosts(registry, pool),
                                         pool),
                     APR_SUCCESS);
    config.ledger = ledger;
    config.log = &count_lines;
    source = (ocspx_report_source_t){
        .registry = registry,
        .cache = cache,
        .ledger = ledger,
        .others = apr_array_make(pool, 1, sizeof(ocspx_report_other_t)),
        .findings = apr_array_make(pool, 1, sizeof(ocspx_report_finding_t)),
    };
}

/* --- the refresher: what the thread of mod_watchdog does --------------- */

typedef struct {
    apr_pool_t *pool;
    ocspx_refresh_t *refresh;
    ocspx_notify_t *notify;
    ocspx_event_observer_t observer;
} life_t;

static void happened(void *life_, ocspx_event_e event, unsigned entry,
                     apr_time_t at)
{
    life_t *life = life_;

    (void)at;
    ocspx_notify_add(life->notify, event, "a certificate", "{}", (int)entry);
}

static void take_turn(void *life_, apr_time_t at)
{
    life_t *life = life_;

    ocspx_notify_turn(life->notify, at);
}

static void begin(life_t *life)
{
    static const char *const argv[] = {"/bin/true", NULL};

    ck_assert_int_eq(ocspx_cache_writer_enter(cache), APR_SUCCESS);
    life->pool = make_own_pool();
    life->notify = ocspx_notify_make(argv, &count_lines, life->pool);
    life->observer = (ocspx_event_observer_t){happened, take_turn, life};
    config.observer = &life->observer;
    life->refresh = ocspx_refresh_make(&config, NULL, life->pool);
}

/* Two new responses, and then a failure; what the scene notes goes with the
 * round. */
static void go_round(const life_t *life)
{
    pool = make_own_pool();
    network.history = "";
    if (rounds % 3 < 2)
        answer_with(V_OCSP_CERTSTATUS_GOOD, now, LIFETIME);
    else
        answer_failing(OCSPX_CAUSE_RESP_TIMEOUT, "too slow");
    turn(life->refresh);
    now += LIFETIME * 6 / 10;
    apr_pool_destroy(pool);
    rounds++;
}

static void *live(void *life_)
{
    life_t *life = life_;

    begin(life);
    while (!stopping)
        go_round(life);
    return NULL;
}

/* --- the others ------------------------------------------------------ */

static void staple(void)
{
    unsigned char *der;
    int len = ocspx_cache_staple(&der, cache, 0, START);
    const unsigned char *at = der;
    OCSP_RESPONSE *response;

    if (!len)
        return;
    response = d2i_OCSP_RESPONSE(NULL, &at, len);
    wrong += !response || at != der + len;
    OCSP_RESPONSE_free(response);
    OPENSSL_free(der);
    staples++;
}

static void count_bytes(void *baton, const char *piece, apr_size_t len)
{
    (void)piece;
    *(apr_size_t *)baton += len;
}

static void report(apr_pool_t *p)
{
    ocspx_report_query_t query = {0};
    ocspx_report_t *model = ocspx_report_make(&source, &query, START, p);
    ocspx_ledger_attempt_t past[OCSPX_LEDGER_ATTEMPTS];
    ocspx_ledger_refresher_t refresher;
    apr_size_t bytes = 0;

    ocspx_report_print_json(model, count_bytes, &bytes, p);
    wrong += !bytes || model->count != 2;
    wrong += ocspx_ledger_attempts(past, ledger, 0) > OCSPX_LEDGER_ATTEMPTS;
    ocspx_ledger_refresher(&refresher, ledger);
    reports++;
}

static void *read_all(void *unused)
{
    apr_pool_t *p = make_own_pool();

    while (!over) {
        staple();
        report(p);
        apr_pool_clear(p);
    }
    apr_pool_destroy(p);
    return unused;
}

/* As a child of httpd ends: the thread is gone, and another cleans up; its
 * lock is left to who comes next. */
static void live_once(void)
{
    life_t life;
    pthread_t thread;

    rounds = 0;
    stopping = 0;
    ck_assert_int_eq(pthread_create(&thread, NULL, live, &life), 0);
    while (rounds < ROUNDS)
        apr_sleep(1000);
    stopping = 1;
    pthread_join(thread, NULL);
    apr_pool_destroy(life.pool);
}

START_TEST(all_at_once)
{
    ocspx_ledger_attempt_t past[OCSPX_LEDGER_ATTEMPTS];
    apr_pool_t *world = pool;
    pthread_t readers[3];

    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&readers[i], NULL, read_all, NULL), 0);
    for (unsigned i = 0; i < LIVES; i++)
        live_once();
    over = 1;
    for (unsigned i = 0; i < 3; i++)
        pthread_join(readers[i], NULL);
    pool = world;
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_gt(staples, 0);
    ck_assert_uint_gt(reports, 0);
    ck_assert_uint_eq(ocspx_ledger_attempts(past, ledger, 0),
                      OCSPX_LEDGER_ATTEMPTS);
    ck_assert(ocspx_cache_check(cache));
    ck_assert_int_ge(lines[OCSPX_LOG_WARNING], LIVES);
    printf("%d refreshers, each at least %d rounds: %lu staples, %lu reports\n",
           LIVES, ROUNDS, staples, reports);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("refresh_threads");
    TCase *tc = tcase_create("refresh_threads");

    tcase_add_checked_fixture(tc, set_up_all, tear_down);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, all_at_once);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
