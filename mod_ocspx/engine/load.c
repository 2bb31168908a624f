/* load: what the store kept from before, judged again and used. */
#include "load.h"

#include <apr_strings.h>

#include "admit.h"
#include "transition.h"

static void serve(const ocspx_refresh_config_t *config,
                  const ocspx_registry_entry_t *entry,
                  const ocspx_admit_candidate_t *candidate, apr_pool_t *p)
{
    apr_time_t now = config->clock();
    ocspx_schedule_validity_t served;
    ocspx_cache_state_t before, state;
    ocspx_admit_t result;

    ocspx_cache_state_get(&before, config->cache, entry->index);
    state = before;
    ocspx_admit(&result, &state, entry, candidate, config->cache, NULL, now, p);
    if (!result.admitted) {
        ocspx_log(config->log,
                  result.cause == OCSPX_CAUSE_STALE ? OCSPX_LOG_INFO
                                                    : OCSPX_LOG_WARNING,
                  20, (int)entry->index,
                  "%s: the response kept in the state directory is not used: "
                  "%s: %s",
                  entry->cert->name, ocspx_cause_code(result.cause),
                  result.message);
        return;
    }
    state.cause = result.cause;
    apr_cpystrn(state.message, result.cause ? result.message : "",
                sizeof(state.message));
    ocspx_transition_log_signer(config->log, entry, &before, &state,
                                result.message);
    served = ocspx_admit_validity(&state);
    state.due =
        ocspx_schedule_refresh(now, &served, &entry->policy->schedule,
                               ocspx_refresh_seed(config, entry, &state), 0);
    ocspx_cache_state_set(config->cache, entry->index, &state);
}

void ocspx_load_repair(const ocspx_refresh_config_t *config, unsigned i,
                       apr_pool_t *p)
{
    const ocspx_registry_entry_t *entry =
        ocspx_registry_get(config->registry, i);
    apr_array_header_t *chain;
    const char *why;
    apr_status_t rv;

    if (!config->store || !ocspx_registry_lacks_repair(entry))
        return;
    rv = ocspx_repair_load(&chain, &why, entry->repair, config->store,
                           config->clock(), p);
    if (rv == APR_SUCCESS) {
        ocspx_repair_apply(entry->repair, chain);
        ocspx_log(config->log, OCSPX_LOG_INFO, 23, (int)i,
                  "%s: its chain is completed by %s, from an earlier repair",
                  entry->cert->name,
                  ocspx_store_file(config->store, OCSPX_STORE_CHAIN,
                                   entry->cert->id, p));
    } else if (!APR_STATUS_IS_ENOENT(rv)) {
        ocspx_log(config->log, OCSPX_LOG_WARNING, 24, (int)i,
                  "%s: what was kept to complete its chain is not used: %s",
                  entry->cert->name, why);
    }
}

static void load_response(const ocspx_refresh_config_t *config,
                          const ocspx_registry_entry_t *entry, apr_pool_t *p)
{
    ocspx_admit_candidate_t candidate = {.source = OCSPX_CACHE_DISK};
    const char *why;
    apr_status_t rv;

    rv = ocspx_store_load(&candidate.der, &candidate.len, &why, config->store,
                          OCSPX_STORE_RESPONSE, entry->cert->id,
                          config->max_response, p);
    if (rv == APR_SUCCESS)
        serve(config, entry, &candidate, p);
    else if (!APR_STATUS_IS_ENOENT(rv))
        ocspx_log(config->log, OCSPX_LOG_WARNING, 21, (int)entry->index,
                  "%s: %s", entry->cert->name, why);
}

void ocspx_load_entry(const ocspx_refresh_config_t *config, unsigned i,
                      apr_pool_t *p)
{
    const ocspx_registry_entry_t *entry =
        ocspx_registry_get(config->registry, i);

    ocspx_load_repair(config, i, p);
    if (entry->cert->issuer && ocspx_registry_staples(entry))
        load_response(config, entry, p);
}
