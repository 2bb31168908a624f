/* connection: which certificate a connection was opened with, and whether
 * a response was stapled.
 *
 * Noted for every connection, as it costs about as much as asking whether
 * somebody wants to know.
 */
#ifndef OCSPX_CONNECTION_H
#define OCSPX_CONNECTION_H

#include "generation.h"

typedef struct {
    SSL *ssl;         /* until the handshake is over, and never after it */
    const X509 *leaf; /* NULL: no handshake yet. Not to be looked into: it may
                         have been made for this connection alone, and be gone
                         with its SSL */
    unsigned stapled : 1;
    unsigned resumed : 1; /* no certificate was sent */
} ocspx_connection_t;

void ocspx_connection_register_hooks(apr_pool_t *p);

/** Also for a stream of HTTP/2. NULL: no TLS, or no handshake. */
const ocspx_connection_t *ocspx_connection_of(const conn_rec *c);

#endif
