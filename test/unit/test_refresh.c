/* test_refresh: the refresher, the loader and the registry, over a network
 * and a clock that the test steps. Keys, signatures, cache and store are real.
 */
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../mod_ocspx/engine/agenda.h"
#include "../../mod_ocspx/engine/load.h"
#include "../../mod_ocspx/engine/refresh.h"
#include "../support/check_main.h"
#include "../support/pki.h"

#define SECONDS(n) apr_time_from_sec(n)
#define START apr_time_from_sec(2000000000)

/* --- the world ------------------------------------------------------- */

static apr_pool_t *pool;
static apr_time_t now;
static apr_interval_time_t tick; /* passes at every look at the clock */
static pki_t *ca;
static pki_t *leaf;
static ocspx_cert_t *cert;
static ocspx_registry_t *registry;
static ocspx_registry_policy_t policy;
static ocspx_cache_t *cache;
static ocspx_refresh_config_t config;
static ocspx_log_t log_to;

static apr_time_t clock_now(void)
{
    return now += tick;
}

/* Log lines by level, and the last one. */
static int lines[OCSPX_LOG_DEBUG + 1];
static char last_line[1024];

static void write_line(void *baton, ocspx_log_level_e level, int entry,
                       const char *line)
{
    (void)baton;
    (void)entry;
    lines[level]++;
    apr_cpystrn(last_line, line, sizeof(last_line));
}

/* The network: questions asked and not yet answered, and what the next poll
 * answers them with. */
typedef struct {
    ocspx_fetch_t vtable;
    const char *urls[16];
    ocspx_fetch_done_fn *done[16];
    void *batons[16];
    int waiting;
    int asked;
    ocspx_fetch_answer_t answer;
} network_t;

static network_t network;

static apr_status_t network_start(ocspx_fetch_t *fetch,
                                  const ocspx_fetch_question_t *question,
                                  ocspx_fetch_done_fn *done, void *baton)
{
    (void)fetch;
    ck_assert_int_lt(network.waiting, 16);
    network.urls[network.waiting] = question->url;
    network.done[network.waiting] = done;
    network.batons[network.waiting++] = baton;
    network.asked++;
    return APR_SUCCESS;
}

static apr_status_t network_poll(ocspx_fetch_t *fetch, apr_interval_time_t wait)
{
    network_t before = network;
    int i;

    (void)fetch;
    (void)wait;
    network.waiting = 0;
    for (i = 0; i < before.waiting; i++) {
        ocspx_fetch_answer_t answer = network.answer;

        if (strstr(before.urls[i], "dead"))
            answer =
                (ocspx_fetch_answer_t){.cause = OCSPX_CAUSE_CONNECT_REFUSED,
                                       .message = "refused",
                                       .peer = "",
                                       .requests = 1,
                                       .unreachable = 1};
        before.done[i](before.batons[i], &answer);
    }
    return APR_SUCCESS;
}

static const unsigned char *response(apr_size_t *len, int status,
                                     apr_time_t this_update,
                                     apr_interval_time_t lifetime)
{
    pki_single_t single = {
        .cert = leaf->cert,
        .issuer = ca->cert,
        .status = status,
        .this_update = this_update,
        .next_update = this_update + lifetime,
    };
    pki_response_t spec = {.singles = &single,
                           .count = 1,
                           .signer = ca,
                           .produced_at = this_update};

    return pki_response(len, &spec, pool);
}

static void answer_with(int status, apr_time_t this_update,
                        apr_interval_time_t lifetime)
{
    network.answer = (ocspx_fetch_answer_t){
        .message = "", .http_status = 200, .peer = "", .requests = 1};
    network.answer.body =
        response(&network.answer.body_len, status, this_update, lifetime);
}

static void answer_failing(ocspx_cause_e cause, const char *message)
{
    network.answer = (ocspx_fetch_answer_t){
        .cause = cause, .message = message, .peer = "", .requests = 1};
}

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
    now = START;
    tick = 0;
    memset(lines, 0, sizeof(lines));
    memset(&network, 0, sizeof(network));
    network.vtable = (ocspx_fetch_t){network_start, network_poll};
    ca = pki_make(&(pki_spec_t){.cn = "CA",
                                .ca = 1,
                                .not_before = START - SECONDS(86400),
                                .not_after = START + SECONDS(864000)},
                  NULL, pool);
    leaf = pki_make(&(pki_spec_t){.cn = "leaf",
                                  .ocsp_urls = "http://one/ http://two/",
                                  .not_before = START - SECONDS(86400),
                                  .not_after = START + SECONDS(864000)},
                    ca, pool);
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
    policy = (ocspx_registry_policy_t){
        .response.skew = OCSPX_RESPONSE_SKEW_DEFAULT,
        .schedule = {50, OCSPX_SCHEDULE_RETRY_MIN, OCSPX_SCHEDULE_RETRY_MAX, 0},
        .timeout = SECONDS(10),
    };
    registry = ocspx_registry_make(pool);
    log_to = (ocspx_log_t){write_line, NULL};
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

/* The certificate of the world alone in a registry, and a fresh cache with
 * this much room. */
static ocspx_refresh_t *make_refresher_with(apr_size_t area)
{
    const char *conflict;

    ck_assert_ptr_nonnull(
        ocspx_registry_add(registry, &conflict, cert, &policy, "here"));
    ck_assert_int_eq(ocspx_cache_create(&cache, 1, area, pool), APR_SUCCESS);
    ocspx_cache_name(cache, 0, cert->digest);
    ck_assert_int_eq(ocspx_cache_writer_enter(cache), APR_SUCCESS);
    config = (ocspx_refresh_config_t){
        .registry = registry,
        .cache = cache,
        .store = config.store,
        .fetch = &network.vtable,
        .log = &log_to,
        .clock = clock_now,
        .max_response = 65536,
        .max_parallel = 32,
        .max_per_host = 6,
    };
    return ocspx_refresh_make(&config, NULL, pool);
}

static ocspx_refresh_t *make_refresher(void)
{
    return make_refresher_with(ocspx_cache_area_size(1));
}

/* All that can be done at this moment. */
static void turn(ocspx_refresh_t *refresh)
{
    while (ocspx_refresh_turn(refresh, 0))
        ;
}

static ocspx_cache_state_t state_of(unsigned i)
{
    ocspx_cache_state_t state;

    ck_assert_int_eq(ocspx_cache_state_get(&state, cache, i), 1);
    return state;
}

/* Is just this what a handshake would be given? */
static int serves(const unsigned char *der, apr_size_t len)
{
    unsigned char *served;
    int n = ocspx_cache_peek(&served, cache, 0, now);
    int same = (apr_size_t)n == len && (!n || !memcmp(served, der, len));

    OPENSSL_free(served);
    return same;
}

static int serves_answer(void)
{
    return serves(network.answer.body, network.answer.body_len);
}

static int serves_nothing(void)
{
    return serves(NULL, 0);
}

/* Go on until the entry is due and its attempt is over. */
static void step_to_due(ocspx_refresh_t *refresh)
{
    apr_time_t due = state_of(0).due;
    apr_time_t tried = state_of(0).tried;

    now = due - 1;
    turn(refresh);
    ck_assert_int_eq(state_of(0).tried, tried);
    for (now = due; state_of(0).tried == tried; now += SECONDS(1) / 10) {
        ck_assert_int_le(now, due + OCSPX_AGENDA_GAP_MAX);
        turn(refresh);
    }
    now = state_of(0).tried;
}

/* --- refresh --------------------------------------------------------- */

START_TEST(first_answer_is_served)
{
    ocspx_refresh_t *refresh = make_refresher();

    ck_assert_uint_eq(ocspx_refresh_untried(refresh), 1);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    ck_assert(serves_answer());
    ck_assert_uint_eq(ocspx_refresh_untried(refresh), 0);
    ck_assert_int_eq(network.asked, 1);
    ck_assert_int_gt(state_of(0).due, now);
    ck_assert_int_le(state_of(0).due, now + SECONDS(500));
    ck_assert_int_eq(lines[OCSPX_LOG_INFO], 1);
}
END_TEST

START_TEST(due_response_is_replaced)
{
    ocspx_refresh_t *refresh = make_refresher();
    int asked;

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    asked = network.asked;
    now = state_of(0).due - 1;
    turn(refresh);
    ck_assert_int_eq(network.asked, asked);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    step_to_due(refresh);
    ck_assert_int_eq(network.asked, asked + 1);
    ck_assert(serves_answer());
}
END_TEST

START_TEST(bad_answers_leave_the_old_one)
{
    ocspx_refresh_t *refresh = make_refresher();
    const unsigned char *old;
    apr_size_t old_len;
    int i;

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    old = network.answer.body;
    old_len = network.answer.body_len;
    turn(refresh);
    for (i = 0; i < 5; i++) {
        answer_with(V_OCSP_CERTSTATUS_UNKNOWN, state_of(0).due, SECONDS(1000));
        step_to_due(refresh);
        ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_UNKNOWN);
        ck_assert_uint_eq(state_of(0).failures, (unsigned)i + 1);
        ck_assert(serves(old, old_len));
    }
    /* both responders were asked each time; one warning, then debug */
    ck_assert_int_eq(network.asked, 1 + 2 * 5);
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 1);
    ck_assert_int_eq(lines[OCSPX_LOG_DEBUG], 4);
    ck_assert_ptr_nonnull(strstr(state_of(0).message, "http://two/"));

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    step_to_due(refresh);
    ck_assert(serves_answer());
    ck_assert_uint_eq(state_of(0).failures, 0);
    ck_assert_int_eq(lines[OCSPX_LOG_NOTICE], 1);
    ck_assert_ptr_nonnull(strstr(last_line, "recovered after 5 failures"));
}
END_TEST

START_TEST(outage_to_the_end_is_told_once)
{
    ocspx_refresh_t *refresh = make_refresher();
    apr_time_t expiry = now + SECONDS(1000);

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    answer_failing(OCSPX_CAUSE_RESP_TIMEOUT, "silence");
    while (now < expiry + SECONDS(300)) {
        apr_time_t due = state_of(0).due;

        /* never asleep over the end of the validity by more than the gap */
        ck_assert_int_le(due - now, SECONDS(3600));
        if (now < expiry)
            ck_assert_int_le(due, expiry + SECONDS(5));
        step_to_due(refresh);
        ck_assert_int_eq(serves_nothing(), now >= expiry);
    }
    ck_assert_int_eq(lines[OCSPX_LOG_ERROR], 1);
}
END_TEST

START_TEST(revoked_is_served_and_stays)
{
    ocspx_refresh_t *refresh = make_refresher();
    apr_time_t old = now;
    const unsigned char *revoked;
    apr_size_t revoked_len;

    answer_with(V_OCSP_CERTSTATUS_GOOD, old, SECONDS(10000));
    turn(refresh);
    answer_with(V_OCSP_CERTSTATUS_REVOKED, state_of(0).due, SECONDS(10000));
    revoked = network.answer.body;
    revoked_len = network.answer.body_len;
    step_to_due(refresh);
    ck_assert(serves(revoked, revoked_len));
    ck_assert_int_eq(lines[OCSPX_LOG_ERROR], 1);

    /* an older good one, and one of the same second, are refused */
    answer_with(V_OCSP_CERTSTATUS_GOOD, old, SECONDS(10000));
    step_to_due(refresh);
    ck_assert(serves(revoked, revoked_len));
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_STALE);
    answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).this_update,
                SECONDS(10000));
    step_to_due(refresh);
    ck_assert(serves(revoked, revoked_len));

    answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).this_update + SECONDS(1),
                SECONDS(10000));
    step_to_due(refresh);
    ck_assert(serves_answer());
}
END_TEST

START_TEST(revoked_can_be_withheld)
{
    ocspx_refresh_t *refresh;

    policy.withhold_revoked = 1;
    refresh = make_refresher();
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    answer_with(V_OCSP_CERTSTATUS_REVOKED, state_of(0).due, SECONDS(1000));
    step_to_due(refresh);
    ck_assert(serves_nothing());
    ck_assert_uint_eq(state_of(0).revoked, 1);
}
END_TEST

START_TEST(second_responder_is_asked)
{
    ocspx_refresh_t *refresh;

    APR_ARRAY_IDX(cert->urls, 0, const char *) = "http://dead/";
    refresh = make_refresher();
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    ck_assert(serves_answer());
    ck_assert_int_eq(network.asked, 2);
}
END_TEST

START_TEST(successor_takes_up_the_schedule)
{
    ocspx_refresh_t *refresh = make_refresher();
    ocspx_refresh_t *successor;

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    successor = ocspx_refresh_make(&config, NULL, pool);
    ck_assert_uint_eq(ocspx_refresh_untried(successor), 0);
    now = state_of(0).due - 1;
    turn(successor);
    ck_assert_int_eq(network.asked, 1);
    now++;
    turn(successor);
    ck_assert_int_eq(network.asked, 2);
}
END_TEST

START_TEST(due_time_of_another_clock_is_not_believed)
{
    ocspx_cache_state_t state;
    ocspx_refresh_t *refresh = make_refresher();

    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    state = state_of(0);
    state.due = now + SECONDS(1000000);
    ocspx_cache_state_set(cache, 0, &state);
    refresh = ocspx_refresh_make(&config, NULL, pool);
    now += SECONDS(1);
    turn(refresh);
    ck_assert_int_eq(network.asked, 2);
}
END_TEST

#define CROWD 5

static int tried_of_crowd(void)
{
    int tried = 0;
    unsigned i;

    for (i = 0; i < CROWD; i++)
        tried += state_of(i).tried != 0;
    return tried;
}

/* Several certificates of one responder, which is asked about one at a time. */
static void make_crowd(void)
{
    const char *conflict;
    ocspx_cert_t *another;
    pki_t *other;
    int i;

    make_refresher();
    for (i = 1; i < CROWD; i++) {
        other = pki_make(&(pki_spec_t){.cn = "other",
                                       .ocsp_urls = "http://one/",
                                       .not_before = START - SECONDS(86400),
                                       .not_after = START + SECONDS(864000)},
                         ca, pool);
        ck_assert_int_eq(ocspx_cert_make(&another, other->cert, ca->cert, pool),
                         APR_SUCCESS);
        ocspx_registry_add(registry, &conflict, another, &policy, "there");
    }
    ck_assert_int_eq(
        ocspx_cache_create(&cache, CROWD, ocspx_cache_area_size(CROWD), pool),
        APR_SUCCESS);
    ck_assert_int_eq(ocspx_cache_writer_enter(cache), APR_SUCCESS);
    config.cache = cache;
    config.max_per_host = 1;
}

static const int statuses[] = {404, 429, 503};

START_TEST(broken_responder_is_left_alone_by_the_others)
{
    make_crowd();
    answer_failing(OCSPX_CAUSE_RESP_HTTP, "no");
    network.answer.http_status = statuses[_i];
    turn(ocspx_refresh_make(&config, NULL, pool));
    /* an answer about one certificate says nothing about the others; else
     * just one more has a try */
    ck_assert_int_eq(tried_of_crowd(), statuses[_i] == 404 ? CROWD : 2);
}
END_TEST

START_TEST(turn_waits_for_what_falls_due_in_it)
{
    ocspx_cache_state_t state = {.tried = START};
    ocspx_refresh_t *refresh = make_refresher();

    state.due = now + SECONDS(1) / 20;
    ocspx_cache_state_set(cache, 0, &state);
    refresh = ocspx_refresh_make(&config, NULL, pool);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    ck_assert_uint_eq(ocspx_refresh_turn(refresh, SECONDS(1) / 100), 0);
    ck_assert_int_eq(network.asked, 0);
    tick = SECONDS(3) / 100;
    ck_assert_uint_eq(ocspx_refresh_turn(refresh, SECONDS(1) / 10), 1);
    ck_assert_int_eq(network.asked, 1);
}
END_TEST

START_TEST(wrong_clock_is_named)
{
    ocspx_refresh_t *refresh = make_refresher();

    answer_with(V_OCSP_CERTSTATUS_GOOD, now + SECONDS(4000), SECONDS(1000));
    network.answer.date = now + SECONDS(4000);
    turn(refresh);
    ck_assert(serves_nothing());
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_SERVER_CLOCK);
    ck_assert_ptr_nonnull(strstr(state_of(0).message, "4000 s behind"));

    /* without a Date there is nothing to compare with */
    answer_with(V_OCSP_CERTSTATUS_GOOD, now + SECONDS(4000), SECONDS(1000));
    step_to_due(refresh);
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_FUTURE);
}
END_TEST

START_TEST(only_those_named_are_asked)
{
    unsigned char only[1] = {0};

    make_refresher();
    turn(ocspx_refresh_make(&config, only, pool));
    ck_assert_int_eq(network.asked, 0);
    only[0] = 1;
    turn(ocspx_refresh_make(&config, only, pool));
    ck_assert_int_ge(network.asked, 1);
}
END_TEST

/* --- store and files ------------------------------------------------- */

static const char *make_dir(void)
{
    char *dir = apr_pstrdup(pool, "/tmp/ocspx-refresh-XXXXXX");

    ck_assert_ptr_nonnull(mkdtemp(dir));
    return dir;
}

static void open_store(const char *dir)
{
    const char *why;

    ck_assert_int_eq(ocspx_store_open(&config.store, &why, dir, pool),
                     APR_SUCCESS);
}

static const char *store_file(const char *dir)
{
    return apr_psprintf(pool, "%s/%s.der", dir, cert->id);
}

START_TEST(response_survives_a_restart)
{
    const char *dir = make_dir();
    ocspx_refresh_t *refresh;

    open_store(dir);
    refresh = make_refresher();
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);

    registry = ocspx_registry_make(pool);
    make_refresher();
    ck_assert(serves_nothing());
    now += SECONDS(100);
    ocspx_load_entry(&config, 0, pool);
    ck_assert(serves_answer());
    ck_assert_uint_eq(state_of(0).source, OCSPX_CACHE_DISK);
    ck_assert_int_gt(state_of(0).due, now);
    ck_assert_int_eq(network.asked, 1);
    unlink(store_file(dir));
    rmdir(dir);
}
END_TEST

START_TEST(damaged_file_is_told_and_not_served)
{
    const char *dir = make_dir();

    open_store(dir);
    make_refresher();
    ocspx_load_entry(&config, 0, pool);
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 0); /* none is no fault */
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    pki_write_file(store_file(dir), network.answer.body,
                   network.answer.body_len / 2);
    chmod(store_file(dir), 0600);
    ocspx_load_entry(&config, 0, pool);
    ck_assert(serves_nothing());
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 1);
    ck_assert_ptr_nonnull(strstr(last_line, "RESP_NOT_OCSP"));
    unlink(store_file(dir));
    rmdir(dir);
}
END_TEST

START_TEST(lost_store_is_told_once)
{
    const char *dir = make_dir();
    ocspx_refresh_t *refresh;
    int i;

    open_store(dir);
    rmdir(dir);
    refresh = make_refresher();
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    for (i = 0; i < 3; i++) {
        answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).due, SECONDS(1000));
        step_to_due(refresh);
        ck_assert(serves_answer());
    }
    ck_assert_int_eq(lines[OCSPX_LOG_ERROR], 1);
}
END_TEST

START_TEST(response_file_is_followed)
{
    const char *dir = make_dir();
    const char *path = apr_pstrcat(pool, dir, "/file", NULL);
    ocspx_refresh_t *refresh;

    policy.response_file = path;
    policy.schedule.refresh_max = SECONDS(60);
    refresh = make_refresher();
    turn(refresh);
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_FILE_UNREADABLE);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(100000));
    pki_write_file(path, network.answer.body, network.answer.body_len);
    step_to_due(refresh);
    ck_assert(serves_answer());
    ck_assert_int_le(state_of(0).due, now + SECONDS(60));
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(100000));
    pki_write_file(path, network.answer.body, network.answer.body_len);
    step_to_due(refresh);
    ck_assert(serves_answer());
    ck_assert_int_eq(network.asked, 0);
    unlink(path);
    rmdir(dir);
}
END_TEST

START_TEST(full_cache_says_the_size_needed)
{
    ocspx_refresh_t *refresh = make_refresher_with(16384);
    pki_single_t single = {
        .cert = leaf->cert,
        .issuer = ca->cert,
        .status = V_OCSP_CERTSTATUS_GOOD,
        .this_update = now,
        .next_update = now + SECONDS(1000),
    };
    pki_response_t spec = {
        .singles = &single, .count = 1, .signer = ca, .padding = 20000};

    spec.produced_at = now;
    network.answer = (ocspx_fetch_answer_t){
        .message = "", .http_status = 200, .peer = "", .requests = 1};
    network.answer.body = pki_response(&network.answer.body_len, &spec, pool);
    turn(refresh);
    ck_assert(serves_nothing());
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_CACHE_FULL);
    ck_assert_ptr_nonnull(strstr(state_of(0).message, "bytes would do"));
}
END_TEST

/* --- registry -------------------------------------------------------- */

START_TEST(one_entry_for_one_certificate)
{
    ocspx_registry_policy_t other = policy;
    const char *conflict;
    ocspx_registry_entry_t *entry =
        ocspx_registry_add(registry, &conflict, cert, &policy, "first");

    ck_assert_ptr_null(conflict);
    ck_assert_ptr_eq(
        ocspx_registry_add(registry, &conflict, cert, &other, "second"), entry);
    ck_assert_ptr_null(conflict);
    other.force_url = "http://other/";
    ck_assert_ptr_eq(
        ocspx_registry_add(registry, &conflict, cert, &other, "third"), entry);
    ck_assert_ptr_nonnull(strstr(conflict, "first"));
    ck_assert_ptr_nonnull(strstr(conflict, "third"));
    ck_assert_uint_eq(ocspx_registry_count(registry), 1);
    ck_assert_int_eq(entry->places->nelts, 3);
    ck_assert_int_eq(entry->urls->nelts, 2);
}
END_TEST

START_TEST(forced_url_replaces_the_certificates)
{
    const char *conflict;
    ocspx_registry_entry_t *entry;

    policy.force_url = "http://other/";
    entry = ocspx_registry_add(registry, &conflict, cert, &policy, "here");
    ck_assert_int_eq(entry->urls->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(entry->urls, 0, const char *),
                     "http://other/");
}
END_TEST

START_TEST(nothing_to_ask_is_no_entry)
{
    const char *conflict;

    apr_array_clear(cert->urls);
    ck_assert_ptr_null(
        ocspx_registry_add(registry, &conflict, cert, &policy, "here"));
    ck_assert_uint_eq(ocspx_registry_count(registry), 0);
    policy.response_file = "/some/file";
    ck_assert_ptr_nonnull(
        ocspx_registry_add(registry, &conflict, cert, &policy, "here"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("refresh");
    TCase *tc = tcase_create("refresh");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, first_answer_is_served);
    tcase_add_test(tc, due_response_is_replaced);
    tcase_add_test(tc, bad_answers_leave_the_old_one);
    tcase_add_test(tc, outage_to_the_end_is_told_once);
    tcase_add_test(tc, revoked_is_served_and_stays);
    tcase_add_test(tc, revoked_can_be_withheld);
    tcase_add_test(tc, second_responder_is_asked);
    tcase_add_test(tc, successor_takes_up_the_schedule);
    tcase_add_test(tc, due_time_of_another_clock_is_not_believed);
    tcase_add_loop_test(tc, broken_responder_is_left_alone_by_the_others, 0, 3);
    tcase_add_test(tc, turn_waits_for_what_falls_due_in_it);
    tcase_add_test(tc, wrong_clock_is_named);
    tcase_add_test(tc, only_those_named_are_asked);
    tcase_add_test(tc, response_survives_a_restart);
    tcase_add_test(tc, damaged_file_is_told_and_not_served);
    tcase_add_test(tc, lost_store_is_told_once);
    tcase_add_test(tc, response_file_is_followed);
    tcase_add_test(tc, full_cache_says_the_size_needed);
    tcase_add_test(tc, one_entry_for_one_certificate);
    tcase_add_test(tc, forced_url_replaces_the_certificates);
    tcase_add_test(tc, nothing_to_ask_is_no_entry);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
