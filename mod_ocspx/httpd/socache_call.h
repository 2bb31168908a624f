/* socache_call: one question to redis or memcached, or one value for it, by a
 * provider of httpd's; may take for ever.
 */
#ifndef OCSPX_SOCACHE_CALL_H
#define OCSPX_SOCACHE_CALL_H

#include <ap_socache.h>
#include <httpd.h>

#include "../engine/share.h"

/** What a thread calls with. */
typedef struct {
    const ap_socache_provider_t *provider;
    const char *servers;
    server_rec *server; /* for its log */
    apr_pool_t *pool;
    ap_socache_instance_t *instance; /* NULL: to be made */
    apr_pool_t *instance_pool;
} ocspx_socache_call_t;

/** What is wrong with "provider:server,..."; @return NULL: nothing; else what
 * it must be. */
const char *ocspx_socache_call_wrong(const char *arg, apr_pool_t *p);

/** @param arg "provider:server"; nothing is wrong with it */
void ocspx_socache_call_prepare(ocspx_socache_call_t *call, const char *arg,
                                server_rec *server, apr_pool_t *p);

/**
 * @param value what is to be kept, or where what is found goes
 * @param len of the latter; 0: it is empty, or too long
 */
apr_status_t ocspx_socache_call(apr_size_t *len,
                                unsigned char value[OCSPX_SHARE_VALUE_MAX],
                                ocspx_socache_call_t *call,
                                const ocspx_share_job_t *job);

#endif
