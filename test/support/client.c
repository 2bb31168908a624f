/* client: one TLS handshake, bounded in time. */
#include "client_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "procs.h"

#define TIMEOUT_MS 5000
#define RETRY_MS 50

static const char *openssl_error(apr_pool_t *p)
{
    char text[256] = "connection closed";
    unsigned long code = ERR_get_error();

    if (code != 0)
        ERR_error_string_n(code, text, sizeof(text));
    ERR_clear_error();
    return apr_pstrdup(p, text);
}

/** Whose handshake is under way, and where to note what the server sent. */
typedef struct {
    client_result_t *result;
    apr_pool_t *pool;
} watcher_t;

static const char *name_of(X509 *cert, apr_pool_t *p)
{
    char name[256] = "";

    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name,
                              sizeof(name));
    return apr_pstrdup(p, name);
}

/** Note the chain as sent, then verify as usual; OpenSSL forgets one that it
 * does not accept. */
static int note_and_verify(X509_STORE_CTX *verify, void *unused)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(verify,
                                          SSL_get_ex_data_X509_STORE_CTX_idx());
    STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(verify);
    watcher_t *watcher = SSL_get_app_data(ssl);

    (void)unused;
    watcher->result->sent = sk_X509_num(sent);
    for (int i = 0; i < watcher->result->sent; i++)
        watcher->result->chain = apr_pstrcat(
            watcher->pool, watcher->result->chain, i > 0 ? ", " : "",
            name_of(sk_X509_value(sent, i), watcher->pool), NULL);
    return X509_verify_cert(verify);
}

SSL_CTX *client_context(const client_spec_t *spec)
{
    /* OpenSSL's macros want their text writable. */
    char rsa[] = CLIENT_RSA_ALGORITHMS;
    char ec[] = CLIENT_EC_ALGORITHMS;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    signal(SIGPIPE, SIG_IGN); /* a server that closes early is no reason */
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context, note_and_verify, NULL);
    if (SSL_CTX_load_verify_locations(context, spec->ca_file, NULL) != 1)
        procs_die("client: cannot read %s", spec->ca_file);
    if (spec->tls != CLIENT_TLS_ANY) {
        int version =
            spec->tls == CLIENT_TLS12 ? TLS1_2_VERSION : TLS1_3_VERSION;

        SSL_CTX_set_min_proto_version(context, version);
        SSL_CTX_set_max_proto_version(context, version);
    }
    if (spec->key == CLIENT_KEY_RSA)
        SSL_CTX_set1_sigalgs_list(context, rsa);
    else if (spec->key == CLIENT_KEY_EC)
        SSL_CTX_set1_sigalgs_list(context, ec);
    if (!spec->no_status_request)
        SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp);
    return context;
}

static int wait_for(int fd, short events, long deadline)
{
    struct pollfd ready = {fd, events, 0};
    long left = deadline - procs_ms();

    return left > 0 && poll(&ready, 1, (int)left) == 1;
}

static int connect_to(const char *host, int port, long deadline)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                              .sin6_port = htons((uint16_t)port)};
    int is_v6 = inet_pton(AF_INET6, host, &v6.sin6_addr) == 1;
    struct sockaddr *addr = is_v6 ? (void *)&v6 : (void *)&v4;
    socklen_t addr_len = is_v6 ? sizeof(v6) : sizeof(v4);
    int fd =
        socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = 0;
    socklen_t len = sizeof(error);

    if (!is_v6 && inet_pton(AF_INET, host, &v4.sin_addr) != 1)
        procs_die("client: not an address: %s", host);
    if (connect(fd, addr, addr_len) != 0 &&
        (errno != EINPROGRESS || !wait_for(fd, POLLOUT, deadline) ||
         getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 ||
         error != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

/** @return NULL, or why it failed */
static const char *shake_hands(SSL *ssl, int fd, long deadline, apr_pool_t *p)
{
    ERR_clear_error();
    for (;;) {
        int done = SSL_connect(ssl);
        int wanted = SSL_get_error(ssl, done);

        if (done == 1)
            return NULL;
        if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE)
            return openssl_error(p);
        if (!wait_for(fd, wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT,
                      deadline))
            return "handshake timed out";
    }
}

static const char *serial_of(SSL *ssl, apr_pool_t *p)
{
    X509 *leaf = sk_X509_value(SSL_get0_verified_chain(ssl), 0);
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf), NULL);
    char *hex = BN_bn2hex(number);
    const char *serial = apr_pstrdup(p, hex);

    OPENSSL_free(hex);
    BN_free(number);
    return serial;
}

int client_handshake_in(client_result_t *result, const client_spec_t *spec,
                        SSL_CTX *context, apr_pool_t *p)
{
    int timeout = spec->timeout_ms != 0 ? spec->timeout_ms : TIMEOUT_MS;
    const char *host = spec->host != NULL ? spec->host : "127.0.0.1";
    apr_time_t begin = apr_time_now();
    long deadline = procs_ms() + timeout;
    int fd = connect_to(host, spec->port, deadline);
    watcher_t watcher = {result, p};
    SSL *ssl;

    *result =
        (client_result_t){.status = -1, .chain = "", .error = "cannot connect"};
    if (fd < 0)
        return 0;
    ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    SSL_set_app_data(ssl, &watcher);
    SSL_set_tlsext_host_name(ssl, apr_pstrdup(p, spec->name));
    SSL_set1_host(ssl, spec->name);
    result->error = shake_hands(ssl, fd, deadline, p);
    result->ms = (double)(apr_time_now() - begin) / 1000.0;
    if (result->error == NULL) {
        result->ok = 1;
        result->serial = serial_of(ssl, p);
        client_judge(result, ssl, begin, p);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    close(fd);
    return result->ok;
}

int client_handshake(client_result_t *result, const client_spec_t *spec,
                     apr_pool_t *p)
{
    SSL_CTX *context = client_context(spec);

    client_handshake_in(result, spec, context, p);
    SSL_CTX_free(context);
    return result->ok;
}

int client_good(const client_result_t *result)
{
    return result->ok && result->verified &&
           result->status == V_OCSP_CERTSTATUS_GOOD;
}

int client_wait_good(const client_spec_t *spec, int timeout_ms, apr_pool_t *p)
{
    long deadline = procs_ms() + timeout_ms;
    client_result_t result;

    while (client_handshake(&result, spec, p), !client_good(&result)) {
        if (procs_ms() >= deadline)
            return 0;
        procs_sleep(RETRY_MS);
    }
    return 1;
}
