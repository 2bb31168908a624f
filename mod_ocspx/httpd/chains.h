/* chains: the check of what each virtual host sends, and what it found. */
#ifndef OCSPX_CHAINS_H
#define OCSPX_CHAINS_H

#include <httpd.h>

#include "../core/chain.h"

/** One finding, at the first virtual host that has it. */
typedef struct {
    server_rec *server;
    ocspx_chain_finding_t finding;
    unsigned more;   /* other virtual hosts with the very same */
    unsigned demand; /* some of them have OCSPXChainCheck require */
} ocspx_chains_finding_t;

/** All that one configuration's check found; in the order of the check. */
typedef struct {
    apr_pool_t *pool;
    apr_hash_t *trusts;           /* by path: of OCSPXChainTrust */
    apr_hash_t *seen;             /* findings, by their words */
    apr_array_header_t *findings; /* ocspx_chains_finding_t * */
    unsigned checked, complete;   /* certificates, counted per virtual host */
} ocspx_chains_t;

ocspx_chains_t *ocspx_chains_make(apr_pool_t *p);

/** "name:port (file:line)", as in every message. */
const char *ocspx_chains_place(const server_rec *s, apr_pool_t *p);

/** Whom clients of @a s trust; NULL, logged, where it cannot be read. */
const ocspx_chain_trust_t *ocspx_chains_trust(ocspx_chains_t *chains,
                                              server_rec *s);

/**
 * Check one certificate of @a s, unless OCSPXChainCheck is off there.
 * @param served X509 *: as sent, leaf first
 * @param file that the certificate is in; NULL: not known
 * @param unstapled as in ocspx_chain_question_t
 * @param out filled in whatever OCSPXChainCheck says
 */
void ocspx_chains_check(ocspx_chain_t *out, ocspx_chains_t *chains,
                        server_rec *s, const apr_array_header_t *served,
                        const char *file, const char *unstapled);

/**
 * Log a line per finding and one to sum up.
 * @param reload a server is running, which goes on whatever was found
 * @return 1: there is an error where OCSPXChainCheck is require
 */
int ocspx_chains_log(const ocspx_chains_t *chains, server_rec *main_server,
                     int reload);

#endif
