/* directives: the directive table. */
#include "directives.h"

#include <apr_file_info.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../engine/trust.h"
#include "settings.h"
#include "socache_call.h"

/* Where a value goes, and what it may be. */
typedef struct {
    size_t offset;
    int min, max;
    const char *unit;
    int main_server_only;
} range_t;

static int *field(const cmd_parms *cmd, size_t offset)
{
    return (int *)(void *)((char *)ocspx_settings_of(cmd->server) + offset);
}

static const char *must_be(const cmd_parms *cmd, const char *arg,
                           const char *what)
{
    return apr_psprintf(cmd->pool, "%s '%s': must be %s", cmd->cmd->name, arg,
                        what);
}

static const char *set_range(cmd_parms *cmd, const range_t *range,
                             const char *arg, int *value)
{
    const char *wrong =
        range->main_server_only ? ap_check_cmd_context(cmd, GLOBAL_ONLY) : NULL;
    char *end;
    apr_int64_t number;

    if (wrong)
        return wrong;
    number = apr_strtoi64(arg, &end, 10);
    if (!apr_isdigit(*arg) || *end || number < range->min ||
        number > range->max)
        return must_be(cmd, arg,
                       apr_psprintf(cmd->pool, "a whole number%s from %d to %d",
                                    range->unit, range->min, range->max));
    *value = (int)number;
    return NULL;
}

static const char *set_number(cmd_parms *cmd, void *dir, const char *arg)
{
    const range_t *range = cmd->info;

    (void)dir;
    return set_range(cmd, range, arg, field(cmd, range->offset));
}

/* mod_ssl reads its numbers with atoi and refuses what is below zero; what
 * it accepts is accepted here. */
static const char *set_ssl_seconds(cmd_parms *cmd, void *dir, const char *arg)
{
    const range_t *range = cmd->info;
    int seconds = atoi(arg);

    (void)dir;
    if (seconds < range->min)
        return must_be(cmd, arg, "a number of seconds, not below 0");
    *field(cmd, range->offset) = seconds;
    return NULL;
}

static const char *set_flag(cmd_parms *cmd, void *dir, int on)
{
    const range_t *range = cmd->info;

    (void)dir;
    *field(cmd, range->offset) = on;
    return NULL;
}

static const char *set_retry(cmd_parms *cmd, void *dir, const char *min,
                             const char *max)
{
    ocspx_settings_t *d = ocspx_settings_of(cmd->server);
    range_t range = {0, 1, 3600, " of seconds (min)", 1};
    const char *wrong = set_range(cmd, &range, min, &d->retry_min);

    (void)dir;
    if (wrong)
        return wrong;
    range = (range_t){0, d->retry_min, 86400, " of seconds (max)", 1};
    return set_range(cmd, &range, max, &d->retry_max);
}

static const char *set_max_parallel(cmd_parms *cmd, void *dir,
                                    const char *total, const char *per_host)
{
    ocspx_settings_t *d = ocspx_settings_of(cmd->server);
    range_t range = {0, 1, 1000, " (total)", 1};
    const char *wrong = set_range(cmd, &range, total, &d->max_parallel);

    (void)dir;
    if (wrong || !per_host)
        return wrong;
    range = (range_t){0, 1, d->max_parallel, " (per host)", 1};
    return set_range(cmd, &range, per_host, &d->max_per_host);
}

static int parse_size(int *size, const char *arg)
{
    char *end;
    apr_int64_t number = apr_strtoi64(arg, &end, 10);
    int shift = 0;

    if (!apr_isdigit(*arg) || number > APR_INT32_MAX)
        return 0;
    if (apr_toupper(*end) == 'K')
        shift = 10;
    else if (apr_toupper(*end) == 'M')
        shift = 20;
    if (shift)
        end++;
    if (*end || (number << shift) > APR_INT32_MAX)
        return 0;
    *size = (int)(number << shift);
    return 1;
}

static const char *set_cache(cmd_parms *cmd, void *dir, const char *arg)
{
    ocspx_settings_t *d = ocspx_settings_of(cmd->server);
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)dir;
    if (wrong)
        return wrong;
    if (!parse_size(&d->cache_size, arg) || d->cache_size < 65536)
        return must_be(cmd, arg,
                       "a size in bytes (K and M are understood) from 64K to "
                       "2047M");
    return NULL;
}

/* "shmcb:/path(size)" asks for at least that much; a store that servers can
 * share is shared. Whatever else it says is mod_ssl's to judge. */
static const char *set_ssl_cache(cmd_parms *cmd, void *dir, const char *arg)
{
    ocspx_settings_t *d = ocspx_settings_of(cmd->server);
    const char *size = strrchr(arg, '(');

    (void)dir;
    if (!strncmp(arg, "shmcb:", 6) && size)
        d->ssl_cache_size = (int)strtol(size + 1, NULL, 10);
    if (!ocspx_socache_call_wrong(arg, cmd->temp_pool))
        d->ssl_share = arg;
    return NULL;
}

static const char *set_share(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)dir;
    if (wrong)
        return wrong;
    if (!strcasecmp(arg, "none"))
        arg = "none";
    else if ((wrong = ocspx_socache_call_wrong(arg, cmd->temp_pool)))
        return must_be(cmd, arg, wrong);
    ocspx_settings_of(cmd->server)->share = arg;
    return NULL;
}

static const char *set_state_dir(cmd_parms *cmd, void *dir, const char *arg)
{
    ocspx_settings_t *d = ocspx_settings_of(cmd->server);
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)dir;
    if (wrong)
        return wrong;
    d->state_dir = strcasecmp(arg, "none")
                       ? ap_server_root_relative(cmd->pool, arg)
                       : "none";
    return d->state_dir ? NULL : must_be(cmd, arg, "a path or 'none'");
}

static const char *set_response_file(cmd_parms *cmd, void *dir, const char *arg)
{
    ocspx_settings_t *d = ocspx_settings_of(cmd->server);

    (void)dir;
    d->response_file = ap_server_root_relative(cmd->pool, arg);
    return d->response_file ? NULL : must_be(cmd, arg, "the path of a file");
}

static const char *set_chain_trust(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *path = ap_server_root_relative(cmd->pool, arg);
    const char *why = "it is not a path";

    (void)dir;
    if (path && ocspx_trust_load(&ocspx_settings_of(cmd->server)->chain_trust,
                                 &why, path, cmd->pool) == APR_SUCCESS)
        return NULL;
    return must_be(cmd, arg,
                   apr_pstrcat(cmd->pool,
                               "a PEM file with certificates, or a directory "
                               "as openssl rehash makes it: ",
                               why, NULL));
}

static int is_program(const char *path, apr_pool_t *p)
{
    apr_finfo_t info;

    return apr_stat(&info, path, APR_FINFO_TYPE | APR_FINFO_PROT, p) ==
               APR_SUCCESS &&
           info.filetype == APR_REG &&
           info.protection &
               (APR_FPROT_UEXECUTE | APR_FPROT_GEXECUTE | APR_FPROT_WEXECUTE);
}

static const char *set_notify(cmd_parms *cmd, void *dir, int argc,
                              char *const argv[])
{
    const char **command =
        apr_pcalloc(cmd->pool, ((apr_size_t)argc + 1) * sizeof(const char *));
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)dir;
    if (wrong)
        return wrong;
    if (!argc)
        return OCSPX_DIR_NOTIFY ": a command is missing";
    memcpy(command, argv, (apr_size_t)argc * sizeof(*command));
    command[0] = ap_server_root_relative(cmd->pool, argv[0]);
    if (!command[0] || !is_program(command[0], cmd->temp_pool))
        return must_be(cmd, argv[0], "the path of an executable file");
    ocspx_settings_of(cmd->server)->notify = command;
    return NULL;
}

static const char *set_url(cmd_parms *cmd, const char **url, const char *arg)
{
    if (!ocspx_cert_url_ok(arg, cmd->temp_pool))
        return must_be(cmd, arg, "an http or https URL with a host");
    *url = arg;
    return NULL;
}

static const char *set_force_url(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return set_url(cmd, &ocspx_settings_of(cmd->server)->force_url, arg);
}

static const char *set_ssl_proxy(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return set_url(cmd, &ocspx_settings_of(cmd->server)->ssl_proxy, arg);
}

static const char *set_proxy(cmd_parms *cmd, void *dir, const char *arg)
{
    ocspx_settings_t *d = ocspx_settings_of(cmd->server);

    (void)dir;
    if (strcasecmp(arg, "none") != 0)
        return set_url(cmd, &d->proxy, arg);
    d->proxy = "none";
    return NULL;
}

/* A directive whose argument is one of a few words: the word's index is its
 * value. */
typedef struct {
    size_t offset;
    const char *words[4];
    const char *allowed;
} choice_t;

static const char *set_choice(cmd_parms *cmd, void *dir, const char *arg)
{
    const choice_t *choice = cmd->info;
    int i;

    (void)dir;
    for (i = 0; choice->words[i]; i++)
        if (!strcasecmp(arg, choice->words[i])) {
            *field(cmd, choice->offset) = i;
            return NULL;
        }
    return must_be(cmd, arg, choice->allowed);
}

/* --- the table ------------------------------------------------------- */

#define FIELD(name, field)                                                     \
    static const range_t name = {offsetof(ocspx_settings_t, field), 0, 0, "", 0}

FIELD(range_timeout, timeout);
FIELD(range_skew, skew);
FIELD(range_max_age, max_age);
FIELD(range_standard_timeout, standard_timeout);
FIELD(range_error_timeout, error_timeout);
FIELD(flag_ssl_use_stapling, ssl_use_stapling);
FIELD(flag_return_errors, return_errors);
FIELD(flag_fake_try_later, fake_try_later);
FIELD(flag_use_stapling, use_stapling);
FIELD(flag_chain_repair, chain_repair);
FIELD(flag_env_vars, env_vars);

static const range_t range_startup_wait = {
    offsetof(ocspx_settings_t, startup_wait), 0, 600, " of seconds", 1};
static const range_t range_refresh_at = {offsetof(ocspx_settings_t, refresh_at),
                                         5, 75, " of percent", 1};
static const range_t range_maturity = {offsetof(ocspx_settings_t, maturity), 0,
                                       3600, " of seconds", 0};
static const range_t range_max_response_size = {
    offsetof(ocspx_settings_t, max_response_size), 1024, 65536, " of bytes", 1};

static const choice_t choice_method = {offsetof(ocspx_settings_t, method),
                                       {"auto", "get", "post", NULL},
                                       "'auto', 'get' or 'post'"};
static const choice_t choice_certid_hash = {
    offsetof(ocspx_settings_t, certid_hash),
    {"sha1", "sha256", NULL},
    "'sha1' or 'sha256'"};
static const choice_t choice_revoked = {
    offsetof(ocspx_settings_t, withhold_revoked),
    {"staple", "withhold", NULL},
    "'staple' or 'withhold'"};

static const choice_t choice_chain_check = {
    offsetof(ocspx_settings_t, chain_check),
    {"off", "warn", "require", NULL},
    "'off', 'warn' or 'require'"};

/* httpd takes the info argument as void *, and only reads it. */
#define INFO(x) ((void *)(uintptr_t) & (x))

const command_rec ocspx_directives_table[] = {
    AP_INIT_FLAG(OCSPX_DIR_SSL_USE_STAPLING, set_flag,
                 INFO(flag_ssl_use_stapling), RSRC_CONF,
                 "staple OCSP responses, on or off"),
    AP_INIT_TAKE1(OCSPX_DIR_SSL_CACHE, set_ssl_cache, NULL, RSRC_CONF,
                  "the size given to shmcb is the least the cache gets"),
    AP_INIT_TAKE1(OCSPX_DIR_SSL_TIMEOUT, set_ssl_seconds, INFO(range_timeout),
                  RSRC_CONF, "seconds for one fetch in all"),
    AP_INIT_TAKE1(OCSPX_DIR_SSL_FORCE_URL, set_force_url, NULL, RSRC_CONF,
                  "responder to ask instead of the certificate's"),
    AP_INIT_TAKE1(OCSPX_DIR_SSL_SKEW, set_ssl_seconds, INFO(range_skew),
                  RSRC_CONF, "tolerated clock difference in seconds"),
    AP_INIT_TAKE1(OCSPX_DIR_SSL_MAX_AGE, set_ssl_seconds, INFO(range_max_age),
                  RSRC_CONF, "refuse responses made more seconds ago"),
    AP_INIT_TAKE1(OCSPX_DIR_SSL_STANDARD_TIMEOUT, set_ssl_seconds,
                  INFO(range_standard_timeout), RSRC_CONF,
                  "refresh at least every so many seconds"),
    AP_INIT_TAKE1(OCSPX_DIR_SSL_ERROR_TIMEOUT, set_ssl_seconds,
                  INFO(range_error_timeout), RSRC_CONF,
                  "longest pause in seconds between retries"),
    AP_INIT_FLAG(OCSPX_DIR_SSL_RETURN_ERRORS, set_flag,
                 INFO(flag_return_errors), RSRC_CONF,
                 "accepted; errors are never stapled"),
    AP_INIT_FLAG(OCSPX_DIR_SSL_FAKE_TRY_LATER, set_flag,
                 INFO(flag_fake_try_later), RSRC_CONF,
                 "accepted; errors are never stapled"),
    AP_INIT_TAKE1(OCSPX_DIR_SSL_PROXY, set_ssl_proxy, NULL, RSRC_CONF,
                  "proxy for fetches"),
    AP_INIT_TAKE1(OCSPX_DIR_SSL_ENGINE, ocspx_ssl_files_engine, NULL, RSRC_CONF,
                  "TLS for this server, on or off"),
    AP_INIT_TAKE1(OCSPX_DIR_SSL_CERT, ocspx_ssl_files_cert, NULL, RSRC_CONF,
                  "PEM file of a certificate, and mostly its chain"),
    AP_INIT_TAKE1(OCSPX_DIR_SSL_CHAIN, ocspx_ssl_files_chain, NULL, RSRC_CONF,
                  "PEM file of the chain"),
    /* Where mod_ssl allows it, so that it is mod_ssl that refuses it. */
    AP_INIT_TAKE1(OCSPX_DIR_SSL_CA_FILE, ocspx_ssl_files_ca_file, NULL,
                  RSRC_CONF | OR_AUTHCFG,
                  "PEM file to complete the chain from"),
    AP_INIT_TAKE1(OCSPX_DIR_SSL_CA_PATH, ocspx_ssl_files_ca_path, NULL,
                  RSRC_CONF | OR_AUTHCFG,
                  "directory to complete the chain from"),

    AP_INIT_FLAG(OCSPX_DIR_USE_STAPLING, set_flag, INFO(flag_use_stapling),
                 RSRC_CONF, "staple OCSP responses, on (default) or off"),
    AP_INIT_TAKE1(OCSPX_DIR_CACHE, set_cache, NULL, RSRC_CONF,
                  "least size of the cache in bytes"),
    AP_INIT_TAKE1(OCSPX_DIR_STATE_DIR, set_state_dir, NULL, RSRC_CONF,
                  "directory that keeps responses over a restart, or none"),
    AP_INIT_TAKE1(OCSPX_DIR_STARTUP_WAIT, set_number, INFO(range_startup_wait),
                  RSRC_CONF,
                  "longest wait in seconds for first responses at startup"),
    AP_INIT_TAKE1(OCSPX_DIR_REFRESH_AT, set_number, INFO(range_refresh_at),
                  RSRC_CONF,
                  "percent of its validity to refresh a response at"),
    AP_INIT_TAKE2(OCSPX_DIR_RETRY, set_retry, NULL, RSRC_CONF,
                  "first and longest pause in seconds between retries"),
    AP_INIT_TAKE1(OCSPX_DIR_MATURITY, set_number, INFO(range_maturity),
                  RSRC_CONF,
                  "seconds after thisUpdate before a newer response is served, "
                  "0: none"),
    AP_INIT_TAKE12(OCSPX_DIR_MAX_PARALLEL, set_max_parallel, NULL, RSRC_CONF,
                   "fetches at once, in all and per responder host"),
    AP_INIT_TAKE1(OCSPX_DIR_PROXY, set_proxy, NULL, RSRC_CONF,
                  "proxy for fetches, or none"),
    AP_INIT_TAKE1(OCSPX_DIR_METHOD, set_choice, INFO(choice_method), RSRC_CONF,
                  "HTTP method of requests: auto, get or post"),
    AP_INIT_TAKE1(OCSPX_DIR_CERTID_HASH, set_choice, INFO(choice_certid_hash),
                  RSRC_CONF, "hash of the CertID: sha1 or sha256"),
    AP_INIT_TAKE1(OCSPX_DIR_MAX_RESPONSE_SIZE, set_number,
                  INFO(range_max_response_size), RSRC_CONF,
                  "largest response accepted in bytes"),
    AP_INIT_TAKE1(OCSPX_DIR_RESPONSE_FILE, set_response_file, NULL, RSRC_CONF,
                  "DER file to staple from instead of asking a responder"),
    AP_INIT_TAKE1(OCSPX_DIR_REVOKED, set_choice, INFO(choice_revoked),
                  RSRC_CONF, "what to do with 'revoked': staple or withhold"),
    AP_INIT_TAKE1(OCSPX_DIR_CHAIN_CHECK, set_choice, INFO(choice_chain_check),
                  RSRC_CONF,
                  "check what is sent with the certificate: off, warn "
                  "(default) or require"),
    AP_INIT_TAKE1(OCSPX_DIR_CHAIN_TRUST, set_chain_trust, NULL, RSRC_CONF,
                  "file or directory of the roots that clients know"),
    AP_INIT_FLAG(OCSPX_DIR_CHAIN_REPAIR, set_flag, INFO(flag_chain_repair),
                 RSRC_CONF,
                 "fetch an intermediate certificate that is missing, on or "
                 "off (default)"),
    AP_INIT_TAKE_ARGV(OCSPX_DIR_NOTIFY, set_notify, NULL, RSRC_CONF,
                      "command to run when something happened, and its first "
                      "arguments"),
    AP_INIT_FLAG(OCSPX_DIR_ENV_VARS, set_flag, INFO(flag_env_vars), RSRC_CONF,
                 "OCSPX_STAPLED and so on in the environment of requests, on "
                 "or off (default)"),
    AP_INIT_TAKE1(OCSPX_DIR_SHARE, set_share, NULL, RSRC_CONF,
                  "redis:host:port or memcache:host:port,... where several "
                  "servers share their responses, or none"),
    {.name = NULL}};
