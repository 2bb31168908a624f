/* tools: real programs to test against: `openssl ocsp' and tinyproxy. */
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
