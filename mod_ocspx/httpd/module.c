/* module: the module record, its hooks, and the order of things at startup.
 */
#include <http_core.h>
#include <unistd.h>
#include <unixd.h>

#include "api.h"
#include "configtest.h"
#include "connection.h"
#include "directives.h"
#include "mend.h"
#include "observer.h"
#include "seeder.h"
#include "source.h"
#include "status.h"
#include "tls.h"
#include "variables.h"
#include "watchdog.h"

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    (void)plog;
    ocspx_generation_begin(pconf, ptemp);
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

/* @return 0: the server must not start. One that is running goes on. */
static int log_chains(const ocspx_generation_t *generation, server_rec *s)
{
    int reload = ap_state_query(AP_SQ_CONFIG_GEN) > 1;

    ocspx_chains_log(generation->chains, s);
    if (!ocspx_chains_refuse(generation->chains))
        return 1;
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s,
                 "OCSPX0109: a certificate chain has an error "
                 "where " OCSPX_DIR_CHAIN_CHECK " is require: %s",
                 reload ? "the server goes on, but would not start again"
                        : "the server is not started");
    return reload;
}

static int run(ocspx_generation_t *generation, apr_pool_t *pconf,
               apr_pool_t *ptemp)
{
    unsigned n = ocspx_registry_count(generation->registry);
    int reload = ap_state_query(AP_SQ_CONFIG_GEN) > 1;
    unsigned char *known = apr_pcalloc(ptemp, n);
    unsigned carried;
    apr_status_t rv =
        ocspx_generation_make_cache(&carried, generation, known, ptemp);

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
    ocspx_generation_t *generation = ocspx_generation_current();

    (void)plog;
    if (ocspx_generation_rehearsal())
        return !ocspx_chains_refuse(generation->chains) ||
                       log_chains(generation, s)
                   ? OK
                   : HTTP_INTERNAL_SERVER_ERROR;
    generation->server = s;
    generation->settings = ocspx_settings_server(s);
    ocspx_source_prepare(generation, pconf);
    if (!ap_find_linked_module("mod_ssl.c")) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "OCSPX0116: mod_ssl is not loaded: there is nothing to "
                     "staple");
        return OK;
    }
    if (!log_chains(generation, s))
        return HTTP_INTERNAL_SERVER_ERROR;
    ocspx_observer_prepare(generation, pconf);
    if (!ocspx_watchdog_available()) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "OCSPX0117: mod_watchdog is not loaded, and without it "
                     "responses cannot be kept fresh: stapling is left to "
                     "mod_ssl");
        return OK;
    }
    ocspx_tls_log_summary(generation);
    log_disobeyed(s);
    if (!ocspx_registry_count(generation->registry) &&
        !ocspx_observer_has_news(generation))
        return OK;
    return run(generation, pconf, ptemp);
}

static void child_init(apr_pool_t *pchild, server_rec *s)
{
    ocspx_generation_t *generation = ocspx_generation_current();

    (void)s;
    if (!generation->cache)
        return;
    ocspx_mend_child_init(generation, pchild);
    ocspx_watchdog_child_init(generation, pchild);
}

static void register_hooks(apr_pool_t *p)
{
    static const char *const after_ssl[] = {"mod_ssl.c", NULL};
    static const char *const before_watchdog[] = {"mod_watchdog.c", NULL};

    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, after_ssl, before_watchdog,
                        APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, before_watchdog, APR_HOOK_MIDDLE);
    ocspx_configtest_register_hooks(p);
    ocspx_tls_register_hooks(p);
    ocspx_status_register_hooks(p);
    ocspx_connection_register_hooks(p);
    ocspx_variables_register_hooks(p);
    ocspx_api_register(p);
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
