/* watchdog: the refresher in a thread of mod_watchdog, in one child at a time.
 *
 * Every child has the thread, and whichever becomes the cache's writer
 * refreshes; the others try again at each turn. mod_watchdog's own singleton
 * is not used: its successor sleeps for ten seconds first, which is the whole
 * life of some responses.
 *
 * Nor does it wait for its thread when the child ends. We do, for a while, as
 * the refresher may have to end a command (OCSPXNotify) that nobody else would.
 */
#include "watchdog.h"

#include <ap_mpm.h>
#include <apr_atomic.h>
#include <mod_watchdog.h>

#include "observer.h"

APLOG_USE_MODULE(ocspx);

#define NAME "_ocspx_"
/* The refresher looks up this often, whatever is under way. */
#define TURN apr_time_from_msec(100)
/* The end of a child waits so long for the thread, in so many steps. */
#define PATIENCE apr_time_from_sec(1)
#define STEPS 200

typedef struct {
    ocspx_generation_t *generation;
    apr_pool_t *pool; /* of this child's refresher; NULL: not running */
    ocspx_refresh_t *refresh;
    apr_uint32_t stopping; /* the child is about to end */
    apr_uint32_t entered;  /* somebody is at the refresher */
} watchdog_t;

static APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) * get_instance;
static APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) * register_callback;

static watchdog_t *the_watchdog;

int ocspx_watchdog_available(void)
{
    get_instance = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    register_callback = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    return get_instance && register_callback;
}

static int stopping(watchdog_t *watchdog)
{
    int state;

    return apr_atomic_read32(&watchdog->stopping) ||
           (ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS &&
            state == AP_MPMQ_STOPPING);
}

static void start(watchdog_t *watchdog)
{
    ocspx_generation_t *generation = watchdog->generation;
    ocspx_refresh_config_t config;
    ocspx_fetch_t *fetch;
    apr_pool_t *pool;

    if (ocspx_cache_writer_enter(generation->cache) != APR_SUCCESS)
        return; /* another child is at it */
    pool = ocspx_generation_thread_pool("ocspx_refresh", generation->server);
    if (!pool || ocspx_fetch_curl_make(&fetch, pool) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, generation->server,
                     "OCSPX0120: the refresher cannot be set up; trying "
                     "again");
        if (pool)
            apr_pool_destroy(pool);
        ocspx_cache_writer_leave(generation->cache);
        return;
    }
    config = ocspx_generation_refresh_config(generation, fetch, pool);
    config.observer = ocspx_observer_make(generation, pool);
    watchdog->pool = pool;
    watchdog->refresh = ocspx_refresh_make(&config, NULL, pool);
    ap_log_error(APLOG_MARK, APLOG_DEBUG, 0, generation->server,
                 "OCSPX0121: this process keeps %u fresh",
                 ocspx_registry_count(generation->registry));
}

static void stop(watchdog_t *watchdog)
{
    if (!watchdog->pool)
        return;
    apr_pool_destroy(watchdog->pool);
    watchdog->pool = NULL;
    ocspx_cache_writer_leave(watchdog->generation->cache);
}

static void work(watchdog_t *watchdog)
{
    if (!watchdog->pool && !stopping(watchdog))
        start(watchdog);
    if (watchdog->pool)
        while (!stopping(watchdog) &&
               ocspx_refresh_turn(watchdog->refresh, TURN))
            ;
}

static int enter(watchdog_t *watchdog)
{
    return !apr_atomic_cas32(&watchdog->entered, 1, 0);
}

static void leave(watchdog_t *watchdog)
{
    apr_atomic_set32(&watchdog->entered, 0);
}

/* Always APR_SUCCESS: after anything else mod_watchdog never calls again. */
static apr_status_t callback(int state, void *data, apr_pool_t *pool)
{
    watchdog_t *watchdog = data;

    (void)pool;
    if (!enter(watchdog))
        return APR_SUCCESS;
    if (state == AP_WATCHDOG_STATE_STOPPING)
        stop(watchdog);
    else
        work(watchdog);
    leave(watchdog);
    return APR_SUCCESS;
}

apr_status_t ocspx_watchdog_register(ocspx_generation_t *generation,
                                     apr_pool_t *p)
{
    ap_watchdog_t *instance;
    apr_status_t rv;

    the_watchdog = apr_pcalloc(p, sizeof(*the_watchdog));
    the_watchdog->generation = generation;
    rv = get_instance(&instance, NAME, 0, 0, p);
    if (rv == APR_SUCCESS)
        rv = register_callback(instance, TURN, the_watchdog, callback);
    return rv;
}

/* By the main thread, which does not leave again. The cache's lock is the other
 * thread's, and free once that is gone. */
static apr_status_t end(void *data)
{
    watchdog_t *watchdog = data;
    int step;

    apr_atomic_set32(&watchdog->stopping, 1);
    for (step = 0; step < STEPS; step++) {
        if (enter(watchdog)) {
            if (watchdog->pool)
                apr_pool_destroy(watchdog->pool);
            break;
        }
        apr_sleep(PATIENCE / STEPS);
    }
    return APR_SUCCESS;
}

void ocspx_watchdog_child_init(ocspx_generation_t *generation,
                               apr_pool_t *pchild)
{
    apr_status_t rv = ocspx_fetch_global_init();

    if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, generation->server,
                     "OCSPX0122: libcurl cannot be initialized");
    apr_pool_pre_cleanup_register(pchild, the_watchdog, end);
}
