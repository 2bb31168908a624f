/* test_refresh_rounds: the refresher of a server that runs for years: ten
 * thousand rounds leave no more behind than one thousand.
 *
 * Everything is real, libcurl and the responder too, but for the clock.
 */
#include "refresh_scene.h"

#include <unistd.h>

#include "../support/procs.h"
#include "../support/responder.h"

#define GROWTH_KB 256
#define LIFETIME SECONDS(60)

/* Saving waits for the disk. */
static const struct {
    unsigned rounds, settled;
    int saved;
} runs[] = {{10000, 1000, 0}, {1000, 500, 1}};

/* A sanitizer takes its time, and finds leaks in its own way. */
static unsigned rounds_of(int i)
{
    return MEMORY_IS_OURS ? runs[i].rounds : 200;
}

static apr_pool_t *world;
static responder_t *responder;
static ocspx_ledger_t *ledger;

/* Every fifth round is a failure, of one kind after the other. */
static const responder_script_t failures[] = {
    {.answer = RESPONDER_TRY_LATER},    {.answer = RESPONDER_BAD_SIGNATURE},
    {.answer = RESPONDER_CUT},          {.answer = RESPONDER_HTML},
    {.answer = RESPONDER_NOT_OCSP},     {.answer = RESPONDER_WRONG_SIGNER},
    {.answer = RESPONDER_OTHER_CERTID},
};
#define KINDS (sizeof(failures) / sizeof(*failures))

static int is_failure(unsigned round)
{
    return round % 5 == 4;
}

static void set_up_real(void)
{
    set_up();
    world = pool;
    responder = responder_make(NULL, 0, pool);
    leaf = pki_make(&(pki_spec_t){.cn = "leaf",
                                  .ocsp_urls = responder_url(responder),
                                  .not_before = START - SECONDS(86400),
                                  .not_after = START + SECONDS(864000)},
                    ca, pool);
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
    responder_add(responder, leaf, ca, ca);
    responder_start(responder);
    make_config(ocspx_cache_area_size(fill_registry()));
    ck_assert_int_eq(ocspx_ledger_create(&ledger, cert->digest, 1,
                                         ocspx_registry_hosts(registry, pool),
                                         pool),
                     APR_SUCCESS);
    ck_assert_int_eq(ocspx_fetch_curl_make(&config.fetch, pool), APR_SUCCESS);
    config.ledger = ledger;
}

static void tear_down_real(void)
{
    pool = world;
    tear_down();
}

/* The responder's clock goes with ours. */
static void set_answer(unsigned round)
{
    responder_script_t script = {0};

    if (is_failure(round))
        script = failures[round / 5 % KINDS];
    script.age = apr_time_now() - now;
    script.lifetime = LIFETIME;
    responder_script(responder, NULL, &script);
}

static long resident_kb(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long pages;

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE) / 1024;
}

/* What the scene notes goes with the round. */
static void go_round(ocspx_refresh_t *refresh, unsigned round)
{
    apr_time_t tried = state_of(0).tried;

    apr_pool_create(&pool, world);
    log_text = "";
    now = state_of(0).due > now ? state_of(0).due : now;
    set_answer(round);
    while (state_of(0).tried == tried) {
        ocspx_refresh_turn(refresh, apr_time_from_msec(20));
        now += SECONDS(1) / 10;
    }
    ck_assert_msg(!state_of(0).failures == !is_failure(round), "%u: %s", round,
                  log_text);
    apr_pool_destroy(pool);
}

START_TEST(memory_is_flat)
{
    unsigned rounds = rounds_of(_i), settled = runs[_i].settled, i;
    ocspx_refresh_t *refresh;
    long begun = procs_ms(), before, growth;
    const char *why;

    if (runs[_i].saved)
        ck_assert_int_eq(
            ocspx_store_open(&config.store, &why, procs_temp_dir(pool), pool),
            APR_SUCCESS);
    refresh = ocspx_refresh_make(&config, NULL, pool);
    for (i = 0; i < settled && i < rounds; i++)
        go_round(refresh, i);
    before = resident_kb();
    for (; i < rounds; i++)
        go_round(refresh, i);
    growth = resident_kb() - before;
    printf("%u rounds, %ssaved, %u requests, %ld ms: RSS %ld KB after %u, %ld "
           "KB more in the end\n",
           rounds, runs[_i].saved ? "" : "not ",
           responder_requests(responder, NULL), procs_ms() - begun, before,
           settled, growth);
    ck_assert_uint_ge(responder_requests(responder, NULL), rounds);
    if (MEMORY_IS_OURS)
        ck_assert_int_le(growth, GROWTH_KB);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("refresh_rounds");
    TCase *tc = tcase_create("refresh_rounds");

    tcase_add_checked_fixture(tc, set_up_real, tear_down_real);
    tcase_set_timeout(tc, 400);
    tcase_add_loop_test(tc, memory_is_flat, 0, 2);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
