/* settings: what the directives of a server or virtual host amount to. */
#include "settings.h"

#include <apr_strings.h>
#include <string.h>

#define DEFAULT_STATE_DIR "/var/lib/ocspx"
/* A response file is looked at this often. */
#define FILE_POLL apr_time_from_sec(60)

void *ocspx_settings_create(apr_pool_t *p, server_rec *s)
{
    ocspx_settings_t *d = apr_palloc(p, sizeof(*d));

    (void)s;
    *d = (ocspx_settings_t){
        .ssl_use_stapling = OCSPX_UNSET,
        .timeout = OCSPX_UNSET,
        .skew = OCSPX_UNSET,
        .max_age = OCSPX_UNSET,
        .standard_timeout = OCSPX_UNSET,
        .error_timeout = OCSPX_UNSET,
        .return_errors = OCSPX_UNSET,
        .fake_try_later = OCSPX_UNSET,
        .ssl_files = ocspx_ssl_files_make(p),
        .use_stapling = OCSPX_UNSET,
        .method = OCSPX_UNSET,
        .certid_hash = OCSPX_UNSET,
        .withhold_revoked = OCSPX_UNSET,
        .maturity = OCSPX_UNSET,
        .chain_check = OCSPX_UNSET,
        .chain_repair = OCSPX_UNSET,
        .env_vars = OCSPX_UNSET,
        .cache_size = OCSPX_UNSET,
        .ssl_cache_size = OCSPX_UNSET,
        .startup_wait = OCSPX_UNSET,
        .refresh_at = OCSPX_UNSET,
        .retry_min = OCSPX_UNSET,
        .retry_max = OCSPX_UNSET,
        .max_parallel = OCSPX_UNSET,
        .max_per_host = OCSPX_UNSET,
        .max_response_size = OCSPX_UNSET,
    };
    return d;
}

void *ocspx_settings_merge(apr_pool_t *p, void *base_, void *add_)
{
    const ocspx_settings_t *base = base_;
    const ocspx_settings_t *add = add_;
    ocspx_settings_t *d = apr_pmemdup(p, base, sizeof(*d));

#define MERGE_INT(field)                                                       \
    if (add->field != OCSPX_UNSET)                                             \
    d->field = add->field
#define MERGE_POINTER(field)                                                   \
    if (add->field)                                                            \
    d->field = add->field

    MERGE_INT(ssl_use_stapling);
    MERGE_INT(use_stapling);
    MERGE_INT(timeout);
    MERGE_INT(skew);
    MERGE_INT(max_age);
    MERGE_INT(standard_timeout);
    MERGE_INT(error_timeout);
    MERGE_INT(return_errors);
    MERGE_INT(fake_try_later);
    MERGE_POINTER(force_url);
    MERGE_POINTER(ssl_proxy);
    d->ssl_files = ocspx_ssl_files_merge(&base->ssl_files, &add->ssl_files, p);
    MERGE_POINTER(proxy);
    MERGE_INT(method);
    MERGE_INT(certid_hash);
    MERGE_POINTER(response_file);
    MERGE_INT(withhold_revoked);
    MERGE_INT(maturity);
    MERGE_INT(chain_check);
    MERGE_POINTER(chain_trust);
    MERGE_INT(chain_repair);
    MERGE_INT(env_vars);
    /* The rest is only ever given in the main server: base has it. */
    return d;
}

ocspx_settings_t *ocspx_settings_of(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &ocspx_module);
}

static int either(int value, int otherwise)
{
    return value == OCSPX_UNSET ? otherwise : value;
}

ocspx_settings_server_t ocspx_settings_server(server_rec *main_server)
{
    const ocspx_settings_t *d = ocspx_settings_of(main_server);
    const char *dir = d->state_dir ? d->state_dir : DEFAULT_STATE_DIR;
    int cache = either(d->cache_size, 0);
    int max_parallel = either(d->max_parallel, 32);
    int max_per_host = either(d->max_per_host, 6);
    const char *share = d->share ? d->share : d->ssl_share;

    if (cache < d->ssl_cache_size)
        cache = d->ssl_cache_size;
    return (ocspx_settings_server_t){
        .cache_size = (apr_size_t)cache,
        .state_dir = strcmp(dir, "none") ? dir : NULL,
        .startup_wait = apr_time_from_sec(either(d->startup_wait, 5)),
        .max_parallel = (unsigned)max_parallel,
        .max_per_host = (unsigned)(max_per_host < max_parallel ? max_per_host
                                                               : max_parallel),
        .max_response_size = (apr_size_t)either(d->max_response_size, 65536),
        .notify = d->notify,
        .share = share && strcmp(share, "none") != 0 ? share : NULL,
    };
}

int ocspx_settings_stapling(int *explicit_ssl, server_rec *s)
{
    const ocspx_settings_t *d = ocspx_settings_of(s);

    *explicit_ssl = d->ssl_use_stapling == 1;
    return either(d->use_stapling, either(d->ssl_use_stapling, 1));
}

ocspx_chain_check_e ocspx_settings_chain_check(const server_rec *s)
{
    return (ocspx_chain_check_e)either(ocspx_settings_of(s)->chain_check,
                                       OCSPX_CHAIN_CHECK_WARN);
}

int ocspx_settings_chain_repair(const server_rec *s)
{
    return either(ocspx_settings_of(s)->chain_repair, 0);
}

int ocspx_settings_env_vars(const server_rec *s)
{
    return either(ocspx_settings_of(s)->env_vars, 0);
}

int ocspx_settings_disobeyed(server_rec *s)
{
    return ocspx_settings_of(s)->return_errors == 1 ||
           ocspx_settings_of(s)->fake_try_later == 1;
}

static ocspx_schedule_policy_t schedule_policy(const ocspx_settings_t *d)
{
    ocspx_schedule_policy_t policy = {
        .refresh_percent =
            either(d->refresh_at, OCSPX_SCHEDULE_REFRESH_PERCENT),
        .retry_min = OCSPX_SCHEDULE_RETRY_MIN,
        .retry_max = OCSPX_SCHEDULE_RETRY_MAX,
        .maturity = OCSPX_SCHEDULE_MATURITY,
    };

    if (d->retry_min != OCSPX_UNSET) {
        policy.retry_min = apr_time_from_sec(d->retry_min);
        policy.retry_max = apr_time_from_sec(d->retry_max);
    }
    if (d->error_timeout > 0)
        policy.retry_max = apr_time_from_sec(d->error_timeout);
    if (d->maturity != OCSPX_UNSET)
        policy.maturity = apr_time_from_sec(d->maturity);
    if (d->standard_timeout > 0)
        policy.refresh_max = apr_time_from_sec(d->standard_timeout);
    if (d->response_file) {
        policy.refresh_max =
            policy.refresh_max && policy.refresh_max < FILE_POLL
                ? policy.refresh_max
                : FILE_POLL;
        if (policy.retry_max > FILE_POLL)
            policy.retry_max = FILE_POLL;
    }
    if (policy.retry_min > policy.retry_max)
        policy.retry_min = policy.retry_max;
    return policy;
}

static const char *proxy(const ocspx_settings_t *d)
{
    if (!d->proxy)
        return d->ssl_proxy;
    return strcmp(d->proxy, "none") ? d->proxy : "";
}

ocspx_registry_policy_t ocspx_settings_policy(const server_rec *s)
{
    const ocspx_settings_t *d = ocspx_settings_of(s);

    return (ocspx_registry_policy_t){
        .response.skew = d->skew == OCSPX_UNSET ? OCSPX_RESPONSE_SKEW_DEFAULT
                                                : apr_time_from_sec(d->skew),
        .response.max_age = apr_time_from_sec(either(d->max_age, 0)),
        .schedule = schedule_policy(d),
        .certid_hash = (ocspx_cert_hash_e)either(d->certid_hash, 0),
        .method = (ocspx_fetch_method_e)either(d->method, 0),
        .timeout = apr_time_from_sec(d->timeout > 0 ? d->timeout : 10),
        .force_url = d->force_url,
        .proxy = proxy(d),
        .response_file = d->response_file,
        .withhold_revoked = either(d->withhold_revoked, 0),
    };
}
