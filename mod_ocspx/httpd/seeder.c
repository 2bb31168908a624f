/* seeder: fills the cache before the server opens its doors.
 *
 * At the first start it asks for every certificate that the store has nothing
 * for. At a reload httpd accepts no connection until it is done, so it asks
 * for new must-staple certificates only, and for a second at most; the rest is
 * the refresher's first turn. It may be killed at any moment: what it has
 * published stays.
 */
#include "seeder.h"

#include <apr_signal.h>
#include <errno.h>
#include <http_main.h>
#include <mpm_common.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../engine/load.h"
#include "socache.h"

APLOG_USE_MODULE(ocspx);

#define RELOAD_WAIT apr_time_from_sec(1)
/* Where nothing can be started for so long, there is no point in waiting. */
#define TURN apr_time_from_msec(100)
/* What is started in the last part of the time would have to be asked again. */
#define LAST_PART 10
/* Longest time for the store at a start; it may be on a slow disk. */
#define LOAD_WAIT apr_time_from_sec(5)

typedef struct {
    ocspx_generation_t *generation;
    const unsigned char *known;
    unsigned char *ask; /* one byte per certificate: worth waiting for */
    apr_interval_time_t wait;
    int once;
} seeder_t;

static int servable(const seeder_t *seeder, unsigned i)
{
    ocspx_cache_state_t state;

    ocspx_cache_state_get(&state, seeder->generation->cache, i);
    return state.expiry > apr_time_now();
}

static int worth_waiting(const seeder_t *seeder, unsigned i)
{
    const ocspx_registry_entry_t *entry =
        ocspx_registry_get(seeder->generation->registry, i);

    return !seeder->known || entry->cert->must_staple ||
           entry->policy->response_file;
}

/* Serve what the store has; say what to ask the network for. */
static unsigned load(const seeder_t *seeder,
                     const ocspx_refresh_config_t *config, apr_pool_t *p)
{
    unsigned n = ocspx_registry_count(config->registry);
    unsigned wanted = 0;
    apr_pool_t *ptemp;
    unsigned i;

    apr_pool_create(&ptemp, p);
    for (i = 0; i < n; i++) {
        if (seeder->known && seeder->known[i])
            continue;
        if (config->store) {
            ocspx_load_entry(config, i, ptemp);
            apr_pool_clear(ptemp);
        }
        seeder->ask[i] = worth_waiting(seeder, i) && !servable(seeder, i);
        wanted += seeder->ask[i];
    }
    return wanted;
}

/* What has been fetched is to be shared before this process ends. */
static int is_busy(const ocspx_refresh_t *refresh, const ocspx_share_t *share)
{
    return ocspx_refresh_untried(refresh) ||
           (share && ocspx_share_waiting(share));
}

static void ask(const seeder_t *seeder, ocspx_refresh_config_t *config,
                apr_time_t deadline, apr_pool_t *p)
{
    ocspx_refresh_t *refresh;
    apr_interval_time_t left;

    if (ocspx_fetch_global_init() != APR_SUCCESS ||
        ocspx_fetch_curl_make(&config->fetch, p) != APR_SUCCESS)
        return;
    config->share = ocspx_socache_share(seeder->generation, config->fetch, p);
    refresh = ocspx_refresh_make(config, seeder->ask, p);
    while (is_busy(refresh, config->share) &&
           (left = deadline - apr_time_now()) > 0 &&
           ocspx_refresh_turn(refresh, left < TURN ? left : TURN))
        ;
}

/* The child's life, as the worker user. */
static void seed(seeder_t *seeder, apr_pool_t *p)
{
    apr_time_t deadline = apr_time_now() + seeder->wait;
    ocspx_generation_t *generation = seeder->generation;
    ocspx_refresh_config_t config;

    if (ap_run_drop_privileges(p, generation->server) ||
        ocspx_cache_writer_enter(generation->cache) != APR_SUCCESS)
        return;
    config = ocspx_generation_refresh_config(generation, NULL, p);
    config.once = seeder->once;
    config.last_start = deadline - seeder->wait / LAST_PART;
    if (load(seeder, &config, p) && seeder->wait)
        ask(seeder, &config, deadline, p);
    ocspx_cache_writer_leave(generation->cache);
}

/* When to give the child up: it keeps to its time with the network by itself,
 * but cannot with a disk that hangs. */
static apr_interval_time_t patience(const seeder_t *seeder)
{
    if (seeder->known)
        return RELOAD_WAIT + TURN;
    return seeder->wait > LOAD_WAIT ? seeder->wait : LOAD_WAIT;
}

/* Wait for the end of the child, which shows as the end of its pipe. */
static void await(pid_t child, int fd, apr_interval_time_t wait)
{
    apr_time_t deadline = apr_time_now() + wait;
    struct pollfd end = {.fd = fd, .events = POLLIN};
    apr_interval_time_t left;
    int rv = 0;

    while (!rv && (left = deadline - apr_time_now()) > 0) {
        rv = poll(&end, 1, (int)apr_time_as_msec(left) + 1);
        if (rv < 0 && errno == EINTR)
            rv = 0;
    }
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void run(seeder_t *seeder, apr_pool_t *ptemp)
{
    int fds[2];
    pid_t child;

    seeder->ask =
        apr_pcalloc(ptemp, ocspx_registry_count(seeder->generation->registry));
    if (pipe(fds))
        return;
    child = fork();
    if (!child) {
        apr_signal(SIGTERM, SIG_DFL);
        apr_signal(SIGHUP, SIG_DFL);
        apr_signal(AP_SIG_GRACEFUL, SIG_IGN);
        close(fds[0]);
        seed(seeder, ptemp);
        _exit(0);
    }
    close(fds[1]);
    if (child > 0)
        await(child, fds[0], patience(seeder));
    close(fds[0]);
}

void ocspx_seeder_run(ocspx_generation_t *generation,
                      const unsigned char *known, apr_pool_t *ptemp)
{
    seeder_t seeder = {
        .generation = generation,
        .known = known,
        .wait = generation->settings.startup_wait,
    };

    if (known && seeder.wait > RELOAD_WAIT)
        seeder.wait = RELOAD_WAIT;
    run(&seeder, ptemp);
}

void ocspx_seeder_ask_once(ocspx_generation_t *generation,
                           apr_interval_time_t wait, apr_pool_t *ptemp)
{
    seeder_t seeder = {.generation = generation, .wait = wait, .once = 1};

    run(&seeder, ptemp);
}
