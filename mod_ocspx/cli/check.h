/* check: what `ocspx check' knows of a host.
 *
 *   check.c        options, several hosts at once, exit status
 *   check_host.c   handshakes with one host, questions to responders: facts
 *   check_judge.c, check_staple.c
 *                  facts -> findings; pure
 *   check_print.c  all of it in words and as JSON
 */
#ifndef OCSPX_CLI_CHECK_H
#define OCSPX_CLI_CHECK_H

#include "../core/chain.h"
#include "ask.h"
#include "handshake.h"
#include "nagios.h"

typedef struct {
    const char *label; /* "www.example.org", "[::1]:8443" */
    const char *host;  /* name or address, without brackets */
    int port;
    int is_address;      /* the host is */
    const char *connect; /* connect here; mostly the host itself */
    int connect_port;
} cli_check_target_t;

typedef struct {
    const ocspx_chain_trust_t *trust;
    apr_interval_time_t timeout; /* of each handshake and each question */
} cli_check_policy_t;

/** TLS 1.3 and 1.2, ECDSA and RSA. */
#define CLI_CHECK_HANDSHAKES 4

/** A certificate, with the chain it came with, from the handshakes that
 * brought just this. */
typedef struct {
    const apr_array_header_t *served; /* X509 *: leaf first */
    const ocspx_cert_t *cert; /* its issuer NULL: neither sent nor trusted;
                                 NULL: hopelessly malformed */
    unsigned handshakes;      /* bit i: this one */
    const char *key;          /* "ECDSA 256" */
    const char *subject;
    cli_answer_t *answer; /* its responder's; NULL: not asked */

    /* by cli_check_judge */
    ocspx_chain_t chain;
    unsigned stapled;        /* as handshakes: with a staple */
    ocspx_response_t staple; /* the worst of those, where there is one */
} cli_check_cert_t;

typedef struct {
    const cli_check_target_t *target;
    apr_time_t now;
    cli_net_error_t unresolved; /* cause NONE: it was */
    cli_handshake_t handshakes[CLI_CHECK_HANDSHAKES];
    apr_array_header_t *certs; /* cli_check_cert_t * */

    /* by cli_check_judge */
    apr_array_header_t *findings; /* ocspx_chain_finding_t, worst first */
    cli_nagios_e state;
    const char *summary; /* one line: what is wrong, or that nothing is */
} cli_check_host_t;

/** "TLS 1.3", of handshake @a i. */
const char *cli_check_version(int i);
/** "ECDSA", of handshake @a i. */
const char *cli_check_key(int i);

/** Gather the facts and judge them. For any thread. */
void cli_check_host(cli_check_host_t *host, const cli_check_target_t *target,
                    const cli_check_policy_t *policy, apr_pool_t *p);

/** Judge the facts. */
void cli_check_judge(cli_check_host_t *host, const ocspx_chain_trust_t *trust,
                     apr_pool_t *p);

/** Print hosts (cli_check_host_t *), in order. */
void cli_check_print(const apr_array_header_t *hosts, apr_pool_t *p);
void cli_check_print_json(const apr_array_header_t *hosts, apr_pool_t *p);

#endif
