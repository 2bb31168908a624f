/* handshake: one TLS handshake, as a client that demands a staple makes it, and
 * all that the server sent in it. Nothing is judged here.
 */
#ifndef OCSPX_CLI_HANDSHAKE_H
#define OCSPX_CLI_HANDSHAKE_H

#include <openssl/ssl.h>

#include "net.h"

typedef enum { CLI_HANDSHAKE_ECDSA, CLI_HANDSHAKE_RSA } cli_handshake_key_e;

typedef struct {
    const char *name; /* for SNI (RFC 6066, 3); NULL: none is sent */
    int version;      /* TLS1_2_VERSION or TLS1_3_VERSION, and no other */
    cli_handshake_key_e key;     /* what the server may sign with */
    apr_interval_time_t timeout; /* for connection and handshake */
} cli_handshake_question_t;

typedef enum {
    CLI_HANDSHAKE_UNTRIED = 0,
    CLI_HANDSHAKE_DONE,
    CLI_HANDSHAKE_NOT_OFFERED, /* says so: not this version or key */
    CLI_HANDSHAKE_CLOSED,      /* the connection ended without a word, as some
                                  servers do in place of saying so */
    CLI_HANDSHAKE_FAILED,
    CLI_HANDSHAKE_HOPELESS /* no connection, no answer in time, or no TLS:
                              another try would fare no better */
} cli_handshake_result_e;

typedef struct {
    cli_handshake_result_e result;
    cli_net_error_t error;       /* where it is not done */
    const cli_address_t *peer;   /* connected to; NULL: none */
    apr_array_header_t *certs;   /* X509 *, as sent; where it is done */
    const unsigned char *staple; /* DER; NULL: none was sent */
    apr_size_t staple_len;
} cli_handshake_t;

/** Fills @a out in every case. Leaves no OpenSSL error behind. Ignores
 * SIGPIPE: that is the caller's business. */
void cli_handshake(cli_handshake_t *out,
                   const cli_handshake_question_t *question,
                   const apr_array_header_t *addresses, apr_pool_t *p);

#endif
