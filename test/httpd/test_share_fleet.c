/* test_share_fleet: three servers with the same two hundred certificates ask
 * the responder as if they were one; whoever is killed, server or store.
 */
#include "share_scene.h"

#define SERVERS 3
#define SITES 200

/* Of a response, in seconds. The window that the servers' times are spread over
 * is a twentieth of it, 1.5 s; with responses of a week it is eight hours. */
#define LIFETIME 30

/* Those that shared nothing would be further than that from each other three
 * times in ten. */
#define APART_MS 1000

/* At the cold start a request takes long enough for all servers to be at it. */
#define COLD_DELAY_MS 300

static httpd_t *servers[SERVERS];
static pki_t *leaves[SITES];
static const char *names[SITES];
static tools_t *store;
static client_load_t *loads[SERVERS];

static void script(int delay_ms)
{
    responder_script(
        w->responder, NULL,
        &(responder_script_t){.lifetime = apr_time_from_sec(LIFETIME),
                              .delay_ms = delay_ms});
}

static void add_sites(httpd_t *h)
{
    for (int i = 0; i < SITES; i++)
        add_site(h, names[i], leaves[i]);
}

/* Nothing is fetched before a server is up, so that they do it together. */
static void make_fleet(void)
{
    store = tools_redis_start(0, "0", w->pool);
    for (int i = 0; i < SITES; i++) {
        names[i] = apr_psprintf(w->pool, "s%d.test", i);
        leaves[i] = world_leaf(w, &(pki_spec_t){.cn = names[i]});
    }
    for (int i = 0; i < SERVERS; i++) {
        servers[i] = i ? httpd_make(&(httpd_config_t){0}, w->pool) : w->httpd;
        add_sites(servers[i]);
        configure(servers[i], apr_pstrcat(w->pool, share("redis", store),
                                          "OCSPXStartupWait 0\n", NULL));
    }
}

static int is_served(const httpd_t *h)
{
    return metric(h, "ocspx_certificates{state=\"stapled\"}") == SITES;
}

static int times_late(void)
{
    int times = 0;

    for (int i = 0; i < SERVERS; i++)
        times += httpd_log_count(servers[i], "OCSPX0050: ");
    return times;
}

static void start_together(void)
{
    long began = procs_ms();
    unsigned requests;
    int late;

    script(COLD_DELAY_MS);
    responder_start(w->responder);
    for (int i = 0; i < SERVERS; i++)
        ck_assert_msg(httpd_start(servers[i]) >= 0, "%s",
                      httpd_output(servers[i]));
    for (int i = 0; i < SERVERS; i++)
        while (!is_served(servers[i])) {
            ck_assert_int_lt(procs_ms() - began, 60000);
            procs_sleep(100);
        }
    requests = responder_requests(w->responder, NULL);
    late = times_late();
    printf("cold start of %d servers at once: %u requests for %d certificates: "
           "%.3f each, %ld ms; hits",
           SERVERS, requests, SITES, (double)requests / SITES,
           procs_ms() - began);
    for (int i = 0; i < SERVERS; i++)
        printf(" %d", hits(servers[i]));
    printf("; the store was late %d times\n", late);
    ck_assert(late || requests * 2 <= SITES * 3);
    script(0);
}

/* --- how often is asked --------------------------------------------------- */

typedef struct {
    int requests, refreshes;
    int apart; /* requests that came long after one for the same refresh */
} seen_t;

/** Requests with less than a quarter of a lifetime between them are about one
 * refresh. */
static int refreshes_of(seen_t *seen, const pki_t *leaf,
                        const apr_time_t *times, const pki_t *const *about)
{
    apr_time_t first = 0;
    int refreshes = 0;

    for (int i = 0; i < seen->requests; i++) {
        if (about[i] != leaf)
            continue;
        if (times[i] - first > apr_time_from_sec(LIFETIME) / 4) {
            first = times[i];
            refreshes++;
        }
        seen->apart += times[i] - first > apr_time_from_msec(APART_MS);
    }
    return refreshes;
}

static seen_t watch_once(int ms, int at_least)
{
    static apr_time_t times[RESPONDER_TIMES_MAX];
    static const pki_t *about[RESPONDER_TIMES_MAX];
    seen_t seen = {0};

    responder_reset(w->responder);
    procs_sleep(ms);
    seen.requests =
        responder_times(times, about, RESPONDER_TIMES_MAX, w->responder);
    for (int i = 0; i < SITES; i++) {
        int of_one = refreshes_of(&seen, leaves[i], times, about);

        ck_assert_int_ge(of_one, at_least);
        seen.refreshes += of_one;
    }
    return seen;
}

static void mark_logs(void)
{
    for (int i = 0; i < SERVERS; i++)
        httpd_log_mark(servers[i]);
}

/* The whole fleet's: a tenth more than one server alone. */
static int is_like_one(const seen_t *seen)
{
    return seen->requests * 10 <= seen->refreshes * 11;
}

/* With the store in use all the time. On a busy machine it may be late, and
 * then everybody asks for himself for a while; or a request takes its time, and
 * more servers come due in it. */
static seen_t watch_sharing(int ms, int at_least)
{
    seen_t seen = {0};
    int missed = 1;

    for (int tries = 0; missed && tries < 3; tries++) {
        for (int i = 0; i < SERVERS; i++)
            while (httpd_running(servers[i]) &&
                   metric(servers[i], "ocspx_share_up") != 1)
                procs_sleep(200);
        mark_logs();
        seen = watch_once(ms, at_least);
        missed = times_late() || !is_like_one(&seen);
    }
    return seen;
}

/* Watch for so long how often is asked. */
static void watch(const char *what, int ms, int at_least)
{
    seen_t seen = watch_sharing(ms, at_least);

    printf("%s: %d requests in %.0f s for %d refreshes of %d certificates: "
           "%.3f each\n",
           what, seen.requests, ms / 1000.0, seen.refreshes, SITES,
           (double)seen.requests / seen.refreshes);
    ck_assert_int_gt(seen.refreshes, 0);
    ck_assert_int_le(seen.apart * 20, seen.refreshes);
    ck_assert(is_like_one(&seen));
}

/* --- and all the while ---------------------------------------------------- */

static void start_loads(void)
{
    for (int i = 0; i < SERVERS; i++) {
        client_load_spec_t spec = {.names = names,
                                   .names_count = SITES,
                                   .threads = 1,
                                   .pause_ms = 30,
                                   .client = {.port = httpd_port(servers[i]),
                                              .ca_file = w->root_file,
                                              .timeout_ms = 20000}};

        loads[i] = client_load_start(&spec, w->pool);
    }
}

static void finish_load(int i)
{
    client_load_result_t seen;

    client_load_finish(&seen, loads[i]);
    printf("server %d: %u handshakes, %u good; %d hits, %d puts\n", i,
           seen.handshakes, seen.good, hits(servers[i]), puts_of(servers[i]));
    ck_assert_uint_gt(seen.handshakes, 100);
    ck_assert_msg(seen.good == seen.handshakes, "%s", seen.error);
}

static int busiest(void)
{
    int most = 0;

    for (int i = 1; i < SERVERS; i++)
        if (puts_of(servers[i]) > puts_of(servers[most]))
            most = i;
    return most;
}

static void log_wait_but(int without, const char *regex, int ms)
{
    for (int i = 0; i < SERVERS; i++)
        if (i != without)
            assert_logged(servers[i], regex, ms);
}

START_TEST(three_servers_ask_like_one)
{
    int period = LIFETIME * 1000 / 2, killed, port;

    make_fleet();
    start_together();
    /* The first refreshes are spread over half a lifetime. */
    procs_sleep(period);
    start_loads();
    watch("three servers", 2 * period, 1);
    killed = busiest();
    finish_load(killed);
    httpd_kill9(servers[killed]);
    watch("the busiest killed", period, 0);
    port = tools_port(store);
    mark_logs();
    tools_stop(store);
    log_wait_but(killed, "OCSPX0050: SHARE_DOWN: redis:", 20000);
    store = tools_redis_start(port, "0", w->pool);
    log_wait_but(killed, "OCSPX0051: ", 60000);
    for (int i = 0; i < SERVERS; i++)
        if (i != killed)
            finish_load(i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("share_fleet");
    TCase *tests = tcase_create("httpd");

    tcase_set_timeout(tests, 600);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, three_servers_ask_like_one);
    suite_add_tcase(suite, tests);
    return ocspx_check_main(suite);
}
