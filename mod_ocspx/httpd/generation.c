/* generation: one configuration of the server. */
#include "generation.h"

#include <apr_allocator.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <string.h>

#include "../core/version.h"
#include "socache.h"

APLOG_USE_MODULE(ocspx);

static ocspx_generation_t *current;
static ocspx_retained_t *retained;

ocspx_generation_t *ocspx_generation_current(void)
{
    return current;
}

ocspx_retained_t *ocspx_generation_retained(void)
{
    return retained;
}

int ocspx_generation_rehearsal(void)
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

void ocspx_generation_begin(apr_pool_t *pconf, apr_pool_t *ptemp)
{
    static const char key[] = "mod_ocspx " OCSPX_VERSION;

    retained = ap_retained_data_get(key);
    if (!retained) {
        retained = ap_retained_data_create(key, sizeof(*retained));
        apr_generate_random_bytes((unsigned char *)&retained->instance,
                                  sizeof(retained->instance));
    }
    current = apr_pcalloc(pconf, sizeof(*current));
    current->registry = ocspx_registry_make(pconf);
    current->vhosts = apr_array_make(pconf, 16, sizeof(server_rec *));
    current->offered = apr_hash_make(ptemp);
    current->mends = apr_array_make(pconf, 1, sizeof(ocspx_mend_t));
    current->chains = ocspx_chains_make(pconf);
    current->others = apr_array_make(pconf, 1, sizeof(ocspx_report_other_t));
    current->others_seen = apr_hash_make(pconf);
    current->certs = apr_hash_make(pconf);
    current->served = apr_hash_make(pconf);
    current->findings =
        apr_array_make(pconf, 1, sizeof(ocspx_report_finding_t));
    current->news =
        apr_array_make(pconf, 1, sizeof(const ocspx_report_finding_t *));
    current->log = (ocspx_log_t){write_log, current};
}

/* Neighbours mostly have the same: it is kept once for all of them. */
static const ocspx_registry_policy_t *policy_of(const server_rec *s)
{
    const ocspx_registry_policy_t policy = ocspx_settings_policy(s);

    if (!current->policy ||
        !ocspx_registry_same_policy(current->policy, &policy))
        current->policy =
            apr_pmemdup(current->registry->pool, &policy, sizeof(policy));
    return current->policy;
}

ocspx_registry_entry_t *ocspx_generation_enter(server_rec *s,
                                               const ocspx_cert_t *cert,
                                               ocspx_repair_t *repair,
                                               apr_pool_t *p)
{
    unsigned before = ocspx_registry_count(current->registry);
    ocspx_registry_entry_t *entry;
    const char *conflict;

    if (cert->bad_url)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "OCSPX0101: %s: %s: %s. %s", cert->name,
                     ocspx_cause_code(OCSPX_CAUSE_BAD_URL), cert->bad_url,
                     ocspx_cause_remedy(OCSPX_CAUSE_BAD_URL));
    entry = ocspx_registry_add(current->registry, &conflict, cert, repair,
                               policy_of(s), ocspx_chains_place(s, p));
    if (ocspx_registry_count(current->registry) > before)
        APR_ARRAY_PUSH(current->vhosts, server_rec *) = s;
    if (conflict)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "OCSPX0102: %s",
                     conflict);
    return entry;
}

/* Its parent would belong to the main thread, which must not find its allocator
 * in use. */
apr_pool_t *ocspx_generation_thread_pool(const char *tag, const server_rec *s)
{
    apr_allocator_t *allocator;
    apr_pool_t *pool;

    if (apr_allocator_create(&allocator) != APR_SUCCESS)
        return NULL;
    if (apr_pool_create_unmanaged_ex(&pool,
                                     apr_pool_abort_get(s->process->pool),
                                     allocator) != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return NULL;
    }
    apr_allocator_owner_set(allocator, pool);
    apr_pool_tag(pool, tag);
    return pool;
}

/* --- what is shared with the children -------------------------------- */

static apr_status_t create_cache(ocspx_generation_t *generation, apr_pool_t *p)
{
    unsigned n = ocspx_registry_count(generation->registry), i;
    apr_size_t area =
        ocspx_cache_area_size(n) + 4 * generation->settings.max_response_size;
    apr_status_t rv;

    if (area < generation->settings.cache_size)
        area = generation->settings.cache_size;
    rv = ocspx_cache_create(&generation->cache, n, area, p);
    if (rv != APR_SUCCESS)
        return rv;
    for (i = 0; i < n; i++)
        ocspx_cache_name(
            generation->cache, i,
            ocspx_registry_get(generation->registry, i)->cert->digest);
    return APR_SUCCESS;
}

static apr_status_t create_ledger(ocspx_generation_t *generation, apr_pool_t *p,
                                  apr_pool_t *ptemp)
{
    const ocspx_registry_t *registry = generation->registry;
    unsigned n = ocspx_registry_count(registry), i;
    unsigned char *digests =
        apr_palloc(ptemp, (apr_size_t)n * OCSPX_CERT_DIGEST_LEN);

    for (i = 0; i < n; i++)
        memcpy(digests + (apr_size_t)i * OCSPX_CERT_DIGEST_LEN,
               ocspx_registry_get(registry, i)->cert->digest,
               OCSPX_CERT_DIGEST_LEN);
    return ocspx_ledger_create(&generation->ledger, digests, n,
                               ocspx_registry_hosts(registry, ptemp), p);
}

static unsigned carry_over(ocspx_generation_t *generation, unsigned char *known,
                           apr_pool_t *ptemp)
{
    apr_time_t now = apr_time_now();

    if (!retained->cache)
        return 0;
    ocspx_ledger_carry(generation->ledger, retained->ledger, now, ptemp);
    return ocspx_cache_carry(generation->cache, retained->cache, known, now,
                             ptemp);
}

/* The segments outlive the configuration, so that the next one can carry what
 * they hold over; children of the previous one keep their own mapping. */
apr_status_t ocspx_generation_make_cache(unsigned *carried,
                                         ocspx_generation_t *generation,
                                         unsigned char *known,
                                         apr_pool_t *ptemp)
{
    apr_pool_t *pool;
    apr_status_t rv;

    apr_pool_create(&pool, generation->server->process->pool);
    apr_pool_tag(pool, "ocspx_cache");
    rv = create_cache(generation, pool);
    if (rv == APR_SUCCESS)
        rv = create_ledger(generation, pool, ptemp);
    if (rv != APR_SUCCESS) {
        generation->cache = NULL;
        generation->ledger = NULL;
        apr_pool_destroy(pool);
        return rv;
    }
    *carried = carry_over(generation, known, ptemp);
    if (retained->cache)
        apr_pool_destroy(retained->cache_pool);
    retained->cache = generation->cache;
    retained->ledger = generation->ledger;
    retained->cache_pool = pool;
    return APR_SUCCESS;
}

ocspx_refresh_config_t
ocspx_generation_refresh_config(const ocspx_generation_t *generation,
                                ocspx_fetch_t *fetch, apr_pool_t *p)
{
    ocspx_refresh_config_t config = {
        .registry = generation->registry,
        .cache = generation->cache,
        .ledger = generation->ledger,
        .fetch = fetch,
        .share = fetch ? ocspx_socache_share(generation, fetch, p) : NULL,
        .instance = retained->instance,
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
