/* shmcb: mod_socache_shmcb and a global mutex, without httpd. The module is
 * loaded as httpd does it, and finds here the few functions of httpd's that it
 * wants; but for the registration none is called while all goes well.
 */
#include "shmcb.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include <apr_global_mutex.h>
#include <apr_strings.h>

#include <ap_provider.h>
#include <ap_socache.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>

#include "../support/procs.h"

/* mod_ssl's MAX_STAPLING_DER, and the length of its keys. */
#define BUFFER 10240
#define KEY_LEN 20
/* When it is full it drops the oldest, be they replaced or not. */
#define WRITES 4000

struct shmcb_t {
    const ap_socache_provider_t *provider;
    ap_socache_instance_t *instance;
    apr_global_mutex_t *mutex;
    server_rec *server; /* logs nothing */
    apr_pool_t *pool;
};

/* --- httpd's part ------------------------------------------------------- */

static const ap_socache_provider_t *registered;

AP_DECLARE(apr_status_t)
ap_register_provider(apr_pool_t *pool, const char *group, const char *name,
                     const char *version, const void *provider)
{
    (void)pool;
    (void)name;
    (void)version;
    if (!strcmp(group, AP_SOCACHE_PROVIDER_GROUP))
        registered = provider;
    return APR_SUCCESS;
}

AP_DECLARE(char *) ap_runtime_dir_relative(apr_pool_t *p, const char *fname)
{
    return apr_pstrdup(p, fname);
}

AP_DECLARE(char *) ap_server_root_relative(apr_pool_t *p, const char *fname)
{
    return apr_pstrdup(p, fname);
}

AP_DECLARE(void)
ap_log_error_(const char *file, int line, int module_index, int level,
              apr_status_t status, const server_rec *s, const char *format, ...)
{
    (void)file;
    (void)line;
    (void)module_index;
    (void)level;
    (void)status;
    (void)s;
    procs_die("mod_socache_shmcb: %s", format);
}

AP_DECLARE(void)
ap_log_rerror_(const char *file, int line, int module_index, int level,
               apr_status_t status, const request_rec *r, const char *format,
               ...)
{
    (void)r;
    ap_log_error_(file, line, module_index, level, status, NULL, "%s", format);
}

AP_DECLARE_NONSTD(int) ap_rprintf(request_rec *r, const char *format, ...)
{
    (void)r;
    (void)format;
    return 0;
}

AP_DECLARE(int) ap_rwrite(const void *data, int length, request_rec *r)
{
    (void)data;
    (void)r;
    return length;
}

/* --- loading ------------------------------------------------------------ */

static void load(apr_pool_t *p)
{
    const char *dir = getenv("HTTPD_MODULES");
    void *object = dlopen(apr_pstrcat(p, dir ? dir : HTTPD_MODULES_DIR,
                                      "/mod_socache_shmcb.so", NULL),
                          RTLD_NOW);
    module *shmcb = object ? dlsym(object, "socache_shmcb_module") : NULL;

    if (!shmcb)
        procs_die("%s", dlerror());
    shmcb->register_hooks(p);
}

shmcb_t *shmcb_make(unsigned n, unsigned length, apr_pool_t *p)
{
    /* mod_ssl's hints. */
    struct ap_socache_hints hints = {KEY_LEN, length, apr_time_from_sec(3600)};
    shmcb_t *shmcb = apr_pcalloc(p, sizeof(*shmcb));
    const char *dir = procs_temp_dir(p);
    const char *error;

    if (!registered)
        load(p);
    shmcb->pool = p;
    shmcb->provider = registered;
    shmcb->server = apr_pcalloc(p, sizeof(*shmcb->server));
    error = shmcb->provider->create(
        &shmcb->instance,
        apr_psprintf(p, "%s/shmcb(%u)", dir,
                     524288 + 2 * (n + WRITES) * (length + 64)),
        p, p);
    if (error)
        procs_die("%s", error);
    if (shmcb->provider->init(shmcb->instance, "bench", &hints, shmcb->server,
                              p) != APR_SUCCESS ||
        apr_global_mutex_create(&shmcb->mutex,
                                apr_pstrcat(p, dir, "/mutex", NULL),
                                APR_LOCK_DEFAULT, p) != APR_SUCCESS)
        procs_die("cannot make a cache of mod_socache_shmcb's");
    return shmcb;
}

void shmcb_child(shmcb_t *shmcb)
{
    if (apr_global_mutex_child_init(&shmcb->mutex,
                                    apr_global_mutex_lockfile(shmcb->mutex),
                                    shmcb->pool) != APR_SUCCESS)
        procs_die("cannot use the mutex");
}

/* --- use ---------------------------------------------------------------- */

/** Spread over the subcaches as mod_ssl's are, which are hashes. */
static void make_key(unsigned char *key, unsigned i)
{
    for (int at = 0; at < KEY_LEN; at++)
        key[at] = (unsigned char)(i >> at % 2 * 8);
}

void shmcb_write(shmcb_t *shmcb, unsigned i, unsigned char *data,
                 unsigned length)
{
    unsigned char key[KEY_LEN];
    apr_status_t rv;

    make_key(key, i);
    apr_global_mutex_lock(shmcb->mutex);
    rv = shmcb->provider->store(shmcb->instance, shmcb->server, key, KEY_LEN,
                                apr_time_now() + apr_time_from_sec(3600), data,
                                length, shmcb->pool);
    apr_global_mutex_unlock(shmcb->mutex);
    if (rv != APR_SUCCESS)
        procs_die("mod_socache_shmcb stores nothing");
}

unsigned shmcb_read(shmcb_t *shmcb, unsigned i)
{
    unsigned char key[KEY_LEN], data[BUFFER];
    unsigned length = sizeof(data);
    apr_status_t rv;

    make_key(key, i);
    apr_global_mutex_lock(shmcb->mutex);
    rv = shmcb->provider->retrieve(shmcb->instance, shmcb->server, key, KEY_LEN,
                                   data, &length, shmcb->pool);
    apr_global_mutex_unlock(shmcb->mutex);
    return rv == APR_SUCCESS ? length : 0;
}
