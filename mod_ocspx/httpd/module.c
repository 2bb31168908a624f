/* module: the module record, its hooks, and the order of things at startup.
 */
#include "module.h"

#include <http_core.h>
#include <unistd.h>
#include <unixd.h>

#include "directives.h"
#include "seeder.h"
#include "tls.h"
#include "watchdog.h"

static ocspx_generation_t *current;
static ocspx_retained_t *retained;

ocspx_generation_t *ocspx_module_generation(void)
{
    return current;
}

ocspx_retained_t *ocspx_module_retained(void)
{
    return retained;
}

int ocspx_module_rehearsal(void)
{
    return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG;
}

static void write_log(void *baton, ocspx_log_level_e level, int entry,
                      const char *line)
{
    static const int levels[] = {
        [OCSPX_LOG_ERROR] = APLOG_ERR,     [OCSPX_LOG_WARNING] = APLOG_WARNING,
        [OCSPX_LOG_NOTICE] = APLOG_NOTICE, [OCSPX_LOG_INFO] = APLOG_INFO,
        [OCSPX_LOG_DEBUG] = APLOG_DEBUG,
    };
    const ocspx_generation_t *generation = baton;
    server_rec *s =
        entry < 0 ? generation->server
                  : APR_ARRAY_IDX(generation->vhosts, entry, server_rec *);

    ap_log_error(APLOG_MARK, levels[level], 0, s, "%s", line);
}

ocspx_refresh_config_t
ocspx_module_refresh_config(const ocspx_generation_t *generation,
                            ocspx_fetch_t *fetch, apr_pool_t *p)
{
    ocspx_refresh_config_t config = {
        .registry = generation->registry,
        .cache = generation->cache,
        .fetch = fetch,
        .log = &generation->log,
        .clock = apr_time_now,
        .max_response = generation->settings.max_response_size,
        .max_parallel = generation->settings.max_parallel,
        .max_per_host = generation->settings.max_per_host,
    };
    const char *why;

    if (generation->settings.state_dir &&
        ocspx_store_open(&config.store, &why, generation->settings.state_dir,
                         p) != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, generation->server,
                     "OCSPX0111: %s: %s; stapling works from memory only. %s",
                     ocspx_cause_code(OCSPX_CAUSE_STORE_UNWRITABLE), why,
                     ocspx_cause_remedy(OCSPX_CAUSE_STORE_UNWRITABLE));
    return config;
}

/* --- startup --------------------------------------------------------- */

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    static const char key[] = "mod_ocspx";

    (void)plog;
    (void)ptemp;
    retained = ap_retained_data_get(key);
    if (!retained)
        retained = ap_retained_data_create(key, sizeof(*retained));
    current = apr_pcalloc(pconf, sizeof(*current));
    current->pool = pconf;
    current->registry = ocspx_registry_make(pconf);
    current->vhosts = apr_array_make(pconf, 16, sizeof(server_rec *));
    current->offered = apr_hash_make(pconf);
    current->log = (ocspx_log_t){write_log, current};
    return OK;
}

static void log_disobeyed(server_rec *s)
{
    for (; s; s = s->next)
        if (ocspx_settings_disobeyed(s)) {
            ap_log_error(APLOG_MARK, APLOG_INFO, 0, s,
                         "OCSPX0112: " OCSPX_DIR_SSL_RETURN_ERRORS
                         " and " OCSPX_DIR_SSL_FAKE_TRY_LATER
                         " are accepted but not obeyed: an error is never "
                         "stapled, clients would refuse it");
            return;
        }
}

/* The segment outlives the configuration, so that the next one can carry its
 * responses over; children of the previous one keep their own mapping. */
static apr_status_t make_cache(ocspx_generation_t *generation,
                               unsigned char *known, unsigned *carried,
                               apr_pool_t *ptemp)
{
    unsigned n = ocspx_registry_count(generation->registry);
    apr_size_t area =
        ocspx_cache_area_size(n) + 4 * generation->settings.max_response_size;
    apr_pool_t *pool;
    apr_status_t rv;
    unsigned i;

    if (area < generation->settings.cache_size)
        area = generation->settings.cache_size;
    apr_pool_create(&pool, generation->server->process->pool);
    apr_pool_tag(pool, "ocspx_cache");
    rv = ocspx_cache_create(&generation->cache, n, area, pool);
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return rv;
    }
    for (i = 0; i < n; i++)
        ocspx_cache_name(
            generation->cache, i,
            ocspx_registry_get(generation->registry, i)->cert->digest);
    *carried = 0;
    if (retained->cache) {
        *carried = ocspx_cache_carry(generation->cache, retained->cache, known,
                                     apr_time_now(), ptemp);
        apr_pool_destroy(retained->cache_pool);
    }
    retained->cache = generation->cache;
    retained->cache_pool = pool;
    return APR_SUCCESS;
}

static void prepare_store(ocspx_generation_t *generation, apr_pool_t *ptemp)
{
    ocspx_settings_server_t *settings = &generation->settings;
    int root = !geteuid();
    const char *why;

    if (!settings->state_dir ||
        ocspx_store_prepare(&why, settings->state_dir,
                            root ? ap_unixd_config.user_id : geteuid(),
                            root ? ap_unixd_config.group_id : getegid(),
                            ptemp) == APR_SUCCESS)
        return;
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, generation->server,
                 "OCSPX0113: %s: %s; stapling works from memory only. %s",
                 ocspx_cause_code(OCSPX_CAUSE_STORE_UNWRITABLE), why,
                 ocspx_cause_remedy(OCSPX_CAUSE_STORE_UNWRITABLE));
    settings->state_dir = NULL;
}

static int run(ocspx_generation_t *generation, apr_pool_t *pconf,
               apr_pool_t *ptemp)
{
    unsigned n = ocspx_registry_count(generation->registry);
    int reload = retained->cache != NULL;
    unsigned char *known = apr_pcalloc(ptemp, n);
    unsigned carried;
    apr_status_t rv = make_cache(generation, known, &carried, ptemp);

    if (rv == APR_SUCCESS)
        rv = ocspx_watchdog_register(generation, pconf);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, generation->server,
                     "OCSPX0114: stapling cannot be set up for %u "
                     "certificates",
                     n);
        return OK;
    }
    prepare_store(generation, ptemp);
    if (carried < n)
        ocspx_seeder_run(generation, reload ? known : NULL, ptemp);
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, generation->server,
                 "OCSPX0115: stapling %u certificate%s, %u carried over", n,
                 n == 1 ? "" : "s", carried);
    return OK;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                       server_rec *s)
{
    ocspx_generation_t *generation = current;

    (void)plog;
    if (ocspx_module_rehearsal())
        return OK;
    generation->server = s;
    generation->settings = ocspx_settings_server(s);
    if (!ap_find_linked_module("mod_ssl.c")) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "OCSPX0116: mod_ssl is not loaded: there is nothing to "
                     "staple");
        return OK;
    }
    if (!ocspx_watchdog_available()) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "OCSPX0117: mod_watchdog is not loaded, and without it "
                     "responses cannot be kept fresh: stapling is left to "
                     "mod_ssl");
        return OK;
    }
    ocspx_tls_log_summary(generation);
    log_disobeyed(s);
    if (!ocspx_registry_count(generation->registry))
        return OK;
    return run(generation, pconf, ptemp);
}

static void child_init(apr_pool_t *pchild, server_rec *s)
{
    (void)s;
    if (current->cache)
        ocspx_watchdog_child_init(current, pchild);
}

static void register_hooks(apr_pool_t *p)
{
    static const char *const after_ssl[] = {"mod_ssl.c", NULL};
    static const char *const before_watchdog[] = {"mod_watchdog.c", NULL};

    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, after_ssl, before_watchdog,
                        APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, before_watchdog, APR_HOOK_MIDDLE);
    ocspx_tls_register_hooks(p);
}

AP_DECLARE_MODULE(ocspx) = {
    STANDARD20_MODULE_STUFF,
    NULL,                  /* per-directory configuration: none */
    NULL,                  /* and its merge */
    ocspx_settings_create, /* per-server configuration */
    ocspx_settings_merge,  /* and its merge */
    ocspx_directives_table,
    register_hooks,
    0};
