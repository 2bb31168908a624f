/* connection: which certificate a connection was opened with, and whether
 * a response was stapled.
 *
 * mod_ssl shows us the SSL before the handshake, and frees it whenever it likes
 * (as when somebody speaks HTTP to it). All that is of interest is taken from
 * it right after the handshake, in the connection's own thread, while mod_ssl
 * says that it is there: streams of HTTP/2 ask from other threads, and the
 * access log is written after the connection was closed.
 */
#include "connection.h"

#include <apr_optional_hooks.h>
#include <http_connection.h>
#include <http_ssl.h>
#include <mod_ssl_openssl.h>

static ocspx_connection_t *get(const conn_rec *c)
{
    return ap_get_module_config(c->conn_config, &ocspx_module);
}

static int pre_handshake(conn_rec *c, SSL *ssl, int is_proxy)
{
    ocspx_connection_t *connection;

    if (is_proxy)
        return DECLINED;
    connection = apr_pcalloc(c->pool, sizeof(*connection));
    connection->ssl = ssl;
    ap_set_module_config(c->conn_config, &ocspx_module, connection);
    return OK;
}

static void take_note(ocspx_connection_t *connection)
{
    const unsigned char *der;
    SSL *ssl = connection->ssl;

    connection->leaf = SSL_get_certificate(ssl);
    connection->stapled = SSL_get_tlsext_status_ocsp_resp(ssl, &der) > 0;
    connection->resumed = SSL_session_reused(ssl) == 1;
}

/* Called again for each request that comes later. */
static int process_connection(conn_rec *c)
{
    ocspx_connection_t *connection = c->master ? NULL : get(c);

    if (!connection || !connection->ssl)
        return DECLINED;
    if (!ap_ssl_conn_is_ssl(c))
        connection->ssl = NULL;
    else if (SSL_is_init_finished(connection->ssl)) {
        take_note(connection);
        connection->ssl = NULL;
    }
    return DECLINED;
}

const ocspx_connection_t *ocspx_connection_of(const conn_rec *c)
{
    const ocspx_connection_t *connection = get(c->master ? c->master : c);

    return connection && connection->leaf ? connection : NULL;
}

void ocspx_connection_register_hooks(apr_pool_t *p)
{
    static const char *const handshake[] = {"mod_ssl.c", NULL};
    static const char *const requests[] = {"mod_http2.c", NULL};

    APR_OPTIONAL_HOOK(ssl, pre_handshake, pre_handshake, NULL, NULL,
                      APR_HOOK_MIDDLE);
    ap_hook_process_connection(process_connection, handshake, requests,
                               APR_HOOK_MIDDLE);
    (void)p;
}
