/* settings: what the directives of a server or virtual host amount to. */
#ifndef OCSPX_SETTINGS_H
#define OCSPX_SETTINGS_H

#include <httpd.h>
#include <http_config.h>

#include "../engine/registry.h"
#include "ssl_files.h"

/* The one symbol that the module exports. */
extern module AP_MODULE_DECLARE_DATA ocspx_module
    __attribute__((visibility("default")));

#define OCSPX_UNSET (-1)

/** One server's directives; OCSPX_UNSET or NULL: not given. */
typedef struct {
    int ssl_use_stapling;
    int timeout;
    int skew;
    int max_age;
    int standard_timeout;
    int error_timeout;
    int return_errors;
    int fake_try_later;
    const char *force_url;
    const char *ssl_proxy;
    ocspx_ssl_files_t ssl_files;

    int use_stapling;
    const char *proxy; /* "none" or URL */
    int method;
    int certid_hash;
    const char *response_file;
    int withhold_revoked;
    int maturity;
    int chain_check;
    const ocspx_chain_trust_t *chain_trust;
    int chain_repair;
    int env_vars;

    int cache_size;
    int ssl_cache_size;
    const char *state_dir; /* "none" or path */
    int startup_wait;
    int refresh_at;
    int retry_min, retry_max;
    int max_parallel, max_per_host;
    int max_response_size;
    const char *const *notify; /* ends with NULL */
    const char *share;         /* "none" or "provider:servers" */
    const char *ssl_share;     /* the latter */
} ocspx_settings_t;

/** The directives given for @a s, as they stand. */
ocspx_settings_t *ocspx_settings_of(const server_rec *s);

/** Settings of the whole server; defaults are filled in. */
typedef struct {
    apr_size_t cache_size; /* bytes; 0: by the number of certificates */
    const char *state_dir; /* NULL: none */
    apr_interval_time_t startup_wait;
    unsigned max_parallel;
    unsigned max_per_host;
    apr_size_t max_response_size; /* bytes */
    const char *const *notify;    /* command line; NULL: none */
    const char *share;            /* "redis:host:port"; NULL: none */
} ocspx_settings_server_t;

void *ocspx_settings_create(apr_pool_t *p, server_rec *s);
void *ocspx_settings_merge(apr_pool_t *p, void *base, void *add);

/** Settings of the whole server, from the main server's configuration. */
ocspx_settings_server_t ocspx_settings_server(server_rec *main_server);

/**
 * Whether certificates of virtual host @a s are to be stapled.
 * @param explicit_ssl set where SSLUseStapling on says so, too: then mod_ssl
 *        would do it itself for any certificate left to it
 */
int ocspx_settings_stapling(int *explicit_ssl, server_rec *s);

typedef enum {
    OCSPX_CHAIN_CHECK_OFF,
    OCSPX_CHAIN_CHECK_WARN,
    OCSPX_CHAIN_CHECK_REQUIRE
} ocspx_chain_check_e;

ocspx_chain_check_e ocspx_settings_chain_check(const server_rec *s);
int ocspx_settings_chain_repair(const server_rec *s);

/** Are the variables wanted in the environment of requests? */
int ocspx_settings_env_vars(const server_rec *s);

/** How certificates of virtual host @a s are to be treated. */
ocspx_registry_policy_t ocspx_settings_policy(const server_rec *s);

/** Is a directive set that is accepted but never obeyed (rule 2)? */
int ocspx_settings_disobeyed(server_rec *s);

#endif
