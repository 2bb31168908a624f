/* chains: the check of what each virtual host sends, and what it found. */
#ifndef OCSPX_CHAINS_H
#define OCSPX_CHAINS_H

#include <apr_hash.h>
#include <httpd.h>

#include "../core/chain.h"

/** One finding, at the first virtual host that has it. */
typedef struct {
    server_rec *server;
    ocspx_chain_finding_t finding;
    unsigned others; /* virtual hosts with the very same */
    int required;    /* an error, and one of them has OCSPXChainCheck require */
} ocspx_chains_finding_t;

/** All that one configuration's check found, in the order of the check. */
typedef struct {
    apr_pool_t *pool;
    const ocspx_chain_trust_t *system; /* NULL: not needed yet */
    apr_hash_t *unknown;               /* to it; see ocspx_chain_question_t */
    apr_hash_t *seen;                  /* the findings, by their words */
    apr_array_header_t *findings;      /* ocspx_chains_finding_t * */
    unsigned checked, complete; /* certificates, anew for each virtual host */
} ocspx_chains_t;

ocspx_chains_t *ocspx_chains_make(apr_pool_t *p);

/** "name:port (file:line)", as in every message. */
const char *ocspx_chains_place(const server_rec *s, apr_pool_t *p);

/** Whom clients of @a s trust. */
const ocspx_chain_trust_t *ocspx_chains_trust(ocspx_chains_t *chains,
                                              const server_rec *s);

/**
 * Check one certificate of @a s, where OCSPXChainCheck is not off.
 * @param served X509 *: as sent, leaf first
 * @param out as if nothing was wrong, where neither OCSPXChainCheck nor
 *        OCSPXChainRepair is on; what it points to is from @a p
 */
void ocspx_chains_check(ocspx_chain_t *out, ocspx_chains_t *chains,
                        server_rec *s, const apr_array_header_t *served,
                        apr_pool_t *p);

/** Log a line per finding, and one to sum up where anything was checked. */
void ocspx_chains_log(const ocspx_chains_t *chains, server_rec *main_server);

/** Is there an error where OCSPXChainCheck is require? */
int ocspx_chains_refuse(const ocspx_chains_t *chains);

#endif
