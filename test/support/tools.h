/* tools: real programs to test against: `openssl ocsp', `openssl s_server',
 * nginx, tinyproxy, redis and memcached. Looked up in PATH and where servers
 * are.
 */
#ifndef OCSPX_TEST_TOOLS_H
#define OCSPX_TEST_TOOLS_H

#include <apr_pools.h>

#include "pki.h"

typedef struct tools_t tools_t; /* a running program */

typedef struct {
    const pki_t *leaf;
    int revoked;
} tools_ocsp_entry_t;

/**
 * Start `openssl ocsp' for certificates of @a issuer; returns once it listens.
 * @param port 0: one that is free
 * @param minutes until nextUpdate
 */
tools_t *tools_ocsp_start(int port, const pki_t *issuer, const pki_t *signer,
                          const tools_ocsp_entry_t *entries, int count,
                          int minutes, apr_pool_t *p);

/** Start an HTTP proxy on loopback. */
tools_t *tools_proxy_start(apr_pool_t *p);
/** The same, with more lines in its configuration. */
tools_t *tools_proxy_start_with(const char *lines, apr_pool_t *p);
/** Have it read its configuration anew. */
void tools_proxy_reload(const tools_t *proxy);

#define TOOLS_CHAIN_MAX 4

/** A TLS server, and what it sends. */
typedef struct {
    const pki_t *leaf;
    const pki_t *other; /* one more, with the other kind of key; or NULL */
    const pki_t *chain[TOOLS_CHAIN_MAX]; /* sent with both, in this order; the
                                            rest is NULL */
    const unsigned char *staple;         /* DER; NULL: none */
    apr_size_t staple_len;
    const char *host;    /* "127.0.0.1" or "::1"; NULL: the former */
    int port;            /* 0: one that is free */
    const char *pass_to; /* URL where requests are passed on to; of nginx
                            alone; or NULL */
    int tls12_only;      /* else 1.3 as well */
    int demands_certs;   /* of clients; s_server alone */
} tools_site_t;

/** Start `openssl s_server', which serves one connection at a time. */
tools_t *tools_s_server_start(const tools_site_t *site, apr_pool_t *p);
tools_t *tools_nginx_start(const tools_site_t *site, apr_pool_t *p);

/**
 * Stores that servers share; full, they take nothing more.
 * @param port 0: one that is free
 * @param max_memory of redis, "0": any; memcached has 8 MB
 */
tools_t *tools_redis_start(int port, const char *max_memory, apr_pool_t *p);
tools_t *tools_memcached_start(int port, apr_pool_t *p);

/** Send this over a connection of its own, and nothing more; @return all it
 * says to that, 0 after it. */
const char *tools_say(apr_size_t *reply_len, const tools_t *tool,
                      const void *text, apr_size_t len, apr_pool_t *p);

/** SIGSTOP, SIGCONT ... */
void tools_signal(const tools_t *tool, int sig);

/** "http://127.0.0.1:4711/" */
const char *tools_url(const tools_t *tool);
int tools_port(const tools_t *tool);

/** What it has logged so far. */
const char *tools_log(const tools_t *tool, apr_pool_t *p);

/** Stop it; also done with the pool. */
void tools_stop(tools_t *tool);

/** 1: the program is there. */
int tools_have(const char *program);

#endif
