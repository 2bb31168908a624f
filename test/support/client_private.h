/* client_private: what the files of the TLS client share.
 *
 *   client.c        one handshake
 *   client_judge.c  is the staple good?
 *   client_load.c   many handshakes
 *   client_other.c  other people's clients
 */
#ifndef OCSPX_TEST_CLIENT_PRIVATE_H
#define OCSPX_TEST_CLIENT_PRIVATE_H

#include <openssl/ssl.h>

#include "client.h"

/** The signature algorithms by which a client asks for one type of key. */
#define CLIENT_RSA_ALGORITHMS "RSA-PSS+SHA256:RSA+SHA256"
#define CLIENT_EC_ALGORITHMS "ECDSA+SHA256:ECDSA+SHA384"

/** For handshakes after this spec; its name may differ in each. */
SSL_CTX *client_context(const client_spec_t *spec);

int client_handshake_in(client_result_t *result, const client_spec_t *spec,
                        SSL_CTX *context, apr_pool_t *p);

/**
 * Fill in what is to be said about the staple of a finished handshake.
 * @param asked when the handshake began
 */
void client_judge(client_result_t *result, SSL *ssl, apr_time_t asked,
                  apr_pool_t *p);

#endif
