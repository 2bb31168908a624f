/* socache_call: one question to redis or memcached, or one value for it.
 *
 * A call over a connection that has been open for a while may fail because
 * the store has closed it: it is made again over a new one. And a provider
 * remembers that a server is dead, and says of every key that it is "not
 * found" until it thinks of trying again: after a failure it is made anew.
 */
#include "socache_call.h"

#include <ap_provider.h>
#include <apr_network_io.h>
#include <apr_strings.h>
#include <string.h>

#define NAMESPACE "ocspx"

static const char form[] =
    "redis:HOST:PORT, memcache:HOST:PORT (several with commas between them) or "
    "'none'";

/* --- the argument ----------------------------------------------------- */

/* "redis" and "memcache" alone can be shared by machines. */
static const ap_socache_provider_t *provider_of(const char **servers,
                                                const char *arg, apr_pool_t *p)
{
    const char *colon = strchr(arg, ':');
    const char *name;

    if (!colon)
        return NULL;
    *servers = colon + 1;
    name = apr_pstrmemdup(p, arg, (apr_size_t)(colon - arg));
    if (strcmp(name, "redis") != 0 && strcmp(name, "memcache") != 0)
        return NULL;
    return ap_lookup_provider(AP_SOCACHE_PROVIDER_GROUP, name,
                              AP_SOCACHE_PROVIDER_VERSION);
}

static int is_server(const char **host, const char *server, apr_pool_t *p)
{
    char *name, *scope;
    apr_port_t port;

    if (apr_parse_addr_port(&name, &scope, &port, server, p) != APR_SUCCESS ||
        !name || !*name || scope)
        return 0;
    *host = name;
    return 1;
}

static const char *servers_wrong(const char *servers, apr_pool_t *p)
{
    char *rest = apr_pstrdup(p, servers);
    const char *server, *host;
    int n = 0;

    while ((server = strsep(&rest, ","))) {
        if (++n > OCSPX_SHARE_STORES_MAX || !is_server(&host, server, p))
            return form;
        if (strchr(host, ':'))
            return "of servers with a name or an IPv4 address: httpd's redis "
                   "and memcache providers do not speak IPv6";
    }
    return NULL;
}

const char *ocspx_socache_call_wrong(const char *arg, apr_pool_t *p)
{
    const char *servers;

    if (provider_of(&servers, arg, p))
        return servers_wrong(servers, p);
    if (strncmp(arg, "redis:", 6) != 0 && strncmp(arg, "memcache:", 9) != 0)
        return form;
    return apr_psprintf(p,
                        "of a provider that is there: load "
                        "mod_socache_%.*s first",
                        (int)strcspn(arg, ":"), arg);
}

void ocspx_socache_call_prepare(ocspx_socache_call_t *call, const char *arg,
                                server_rec *server, apr_pool_t *p)
{
    call->pool = p;
    call->server = server;
    call->provider = provider_of(&call->servers, apr_pstrdup(p, arg), p);
}

/* --- calling ------------------------------------------------------------ */

static apr_status_t make_instance(ocspx_socache_call_t *call)
{
    const ap_socache_provider_t *provider = call->provider;
    const struct ap_socache_hints hints = {
        .avg_id_len = OCSPX_SHARE_KEY_LEN,
        .avg_obj_size = 2048,
        .expiry_interval = apr_time_from_sec(3600),
    };

    apr_pool_create(&call->instance_pool, call->pool);
    if (provider->create(&call->instance, call->servers, call->instance_pool,
                         call->instance_pool))
        return APR_EGENERAL;
    return provider->init(call->instance, NAMESPACE, &hints, call->server,
                          call->instance_pool);
}

static void drop_instance(ocspx_socache_call_t *call)
{
    apr_pool_destroy(call->instance_pool);
    call->instance = NULL;
}

static apr_status_t once(apr_size_t *len, unsigned char *value,
                         ocspx_socache_call_t *call,
                         const ocspx_share_job_t *job, apr_pool_t *p)
{
    unsigned room = OCSPX_SHARE_VALUE_MAX;
    apr_status_t rv;

    if (job->value)
        return call->provider->store(call->instance, call->server, job->key,
                                     sizeof(job->key), job->expiry, value,
                                     (unsigned)job->len, p);
    rv = call->provider->retrieve(call->instance, call->server, job->key,
                                  sizeof(job->key), value, &room, p);
    /* How they say that the value is longer than that. */
    if (rv == APR_ENOMEM) {
        room = 0;
        rv = APR_SUCCESS;
    }
    *len = room;
    return rv;
}

static int has_failed(apr_status_t rv)
{
    return rv != APR_SUCCESS && !APR_STATUS_IS_NOTFOUND(rv);
}

/* By a new instance, that is a new connection and nothing known of servers. */
static apr_status_t anew(apr_size_t *len, unsigned char *value,
                         ocspx_socache_call_t *call,
                         const ocspx_share_job_t *job, apr_pool_t *p)
{
    apr_status_t rv = make_instance(call);

    if (rv == APR_SUCCESS)
        rv = once(len, value, call, job, p);
    if (has_failed(rv))
        drop_instance(call);
    return rv;
}

apr_status_t ocspx_socache_call(apr_size_t *len,
                                unsigned char value[OCSPX_SHARE_VALUE_MAX],
                                ocspx_socache_call_t *call,
                                const ocspx_share_job_t *job)
{
    apr_status_t rv = APR_EGENERAL;
    apr_pool_t *p;

    apr_pool_create(&p, call->pool);
    if (call->instance) {
        rv = once(len, value, call, job, p);
        if (has_failed(rv))
            drop_instance(call);
    }
    if (!call->instance)
        rv = anew(len, value, call, job, p);
    apr_pool_destroy(p);
    return rv;
}
