/* handshake: one TLS handshake, and all that the server sent in it. */
#include "handshake.h"

#include <apr_strings.h>
#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "../core/cert.h"

/* An alert that came is an error with this and its number (RFC 8446, 6). */
#define ALERT(number) (SSL_AD_REASON_OFFSET + (number))

/* So much of an answer that is no TLS is shown. */
#define GLIMPSE 60

typedef struct {
    cli_handshake_t *out;
    const cli_handshake_question_t *question;
    apr_time_t deadline;
    int fd;
    SSL *ssl;
    int heard;       /* something came from the server */
    int cert_wanted; /* it asked for a certificate of ours */
    apr_pool_t *pool;
} talk_t;

/* Every way to fail ends here. @return 0 */
static int fail(talk_t *talk, cli_handshake_result_e result,
                const char *message)
{
    talk->out->result = result;
    talk->out->error.cause = OCSPX_CAUSE_HANDSHAKE_FAILED;
    talk->out->error.message =
        apr_pstrcat(talk->pool, talk->out->peer->text, " ", message, NULL);
    return 0;
}

/* --- what is offered ------------------------------------------------- */

/* In TLS 1.3 the algorithms of PKCS #1 are for signatures in certificates
 * only (RFC 8446, 4.2.3): they let an ECDSA certificate of an RSA CA be sent,
 * and no RSA certificate. */
static const char *algorithms(const cli_handshake_question_t *question)
{
    return question->key == CLI_HANDSHAKE_ECDSA
               ? "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:"
                 "RSA+SHA256:RSA+SHA384:RSA+SHA512"
               : "RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:"
                 "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:"
                 "RSA+SHA256:RSA+SHA384:RSA+SHA512";
}

/* Weak ones as well: it is the certificates that are looked at. */
static const char *ciphers(const cli_handshake_question_t *question)
{
    return question->key == CLI_HANDSHAKE_ECDSA ? "aECDSA:!eNULL:@SECLEVEL=0"
                                                : "aRSA:!eNULL:@SECLEVEL=0";
}

/* The server may go on without, and then what it sent is all there. */
static int no_certificate(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
    talk_t *talk = SSL_get_app_data(ssl);

    *cert = NULL;
    *key = NULL;
    talk->cert_wanted = 1;
    return 0;
}

static int prepare(SSL_CTX *ctx, const talk_t *talk)
{
    const cli_handshake_question_t *question = talk->question;
    /* OpenSSL's macros want their text writable. */
    char *list = apr_pstrdup(talk->pool, algorithms(question));

    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_client_cert_cb(ctx, no_certificate);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_min_proto_version(ctx, question->version) &&
           SSL_CTX_set_max_proto_version(ctx, question->version) &&
           SSL_CTX_set_cipher_list(ctx, ciphers(question)) &&
           (question->version == TLS1_2_VERSION ||
            SSL_CTX_set1_sigalgs_list(ctx, list));
}

static SSL *make_ssl(SSL_CTX *ctx, talk_t *talk)
{
    char *name = apr_pstrdup(talk->pool, talk->question->name);
    SSL *ssl;

    if (!ctx || !prepare(ctx, talk) || !(ssl = SSL_new(ctx)))
        return NULL;
    SSL_set_app_data(ssl, talk);
    SSL_set0_rbio(ssl, BIO_new(BIO_s_mem())); /* nothing yet: see is_tls */
    if (SSL_set_wfd(ssl, talk->fd) &&
        SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp) &&
        (!name || SSL_set_tlsext_host_name(ssl, name)))
        return ssl;
    SSL_free(ssl);
    return NULL;
}

/* --- why it failed --------------------------------------------------- */

static int fail_in_time(talk_t *talk)
{
    return fail(talk, CLI_HANDSHAKE_HOPELESS,
                apr_psprintf(talk->pool,
                             "took the connection but did not %s the TLS "
                             "handshake within %" APR_TIME_T_FMT " s",
                             talk->heard ? "finish" : "answer",
                             apr_time_sec(talk->question->timeout)));
}

static int fail_closed(talk_t *talk, const char *how)
{
    return fail(talk, talk->heard ? CLI_HANDSHAKE_FAILED : CLI_HANDSHAKE_CLOSED,
                apr_psprintf(talk->pool,
                             "%s the connection %s the TLS "
                             "handshake",
                             how,
                             talk->heard ? "during" : "instead of answering"));
}

static int fail_foreign(talk_t *talk, const char *bytes, size_t len)
{
    int http = !strncmp(bytes, "HTTP/", len < 5 ? len : 5);
    size_t line = strcspn(bytes, "\r\n");

    return fail(
        talk, CLI_HANDSHAKE_HOPELESS,
        apr_psprintf(
            talk->pool, "%s, not TLS: it says \"%s\"",
            http ? "speaks plain HTTP" : "speaks something else",
            ocspx_cert_printable(bytes, line < len ? line : len, talk->pool)));
}

/* What the server says, or the client finds, where the server has nothing of
 * the version or the kind of key. */
static int means_not_offered(int reason)
{
    static const int reasons[] = {
        ALERT(SSL_AD_HANDSHAKE_FAILURE),
        ALERT(SSL_AD_PROTOCOL_VERSION),
        ALERT(SSL_AD_INSUFFICIENT_SECURITY),
        SSL_R_UNSUPPORTED_PROTOCOL,
        SSL_R_WRONG_SSL_VERSION,
        SSL_R_WRONG_VERSION_NUMBER,
        SSL_R_WRONG_SIGNATURE_TYPE,
        SSL_R_WRONG_CERTIFICATE_TYPE,
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i] == reason)
            return 1;
    return 0;
}

static int fail_by_openssl(talk_t *talk)
{
    unsigned long error = ERR_peek_last_error();
    const char *words = ERR_reason_error_string(error);

    return fail(talk,
                means_not_offered(ERR_GET_REASON(error))
                    ? CLI_HANDSHAKE_NOT_OFFERED
                    : CLI_HANDSHAKE_FAILED,
                apr_pstrcat(talk->pool, "does not complete the TLS handshake: ",
                            words ? words : "for no reason given", NULL));
}

static int fail_by(talk_t *talk, int wanted, int os_error)
{
    if (wanted == SSL_ERROR_SSL
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING
        && ERR_GET_REASON(ERR_peek_last_error()) !=
               SSL_R_UNEXPECTED_EOF_WHILE_READING
#endif
    )
        return fail_by_openssl(talk);
    return fail_closed(
        talk, os_error == ECONNRESET || os_error == EPIPE ? "reset" : "closed");
}

/* --- the handshake --------------------------------------------------- */

/* The first bytes tell a server that speaks TLS from all others: handshake
 * or alert, of some version 3 (RFC 8446, 5.1). OpenSSL, which would say of
 * others whatever its version says of them, gets to read from then on only.
 * @return 0: it is another */
static int is_tls(talk_t *talk)
{
    char bytes[GLIMPSE + 1] = "";
    ssize_t len = recv(talk->fd, bytes, GLIMPSE, MSG_PEEK);

    if (len <= 0)
        return fail_closed(talk, len < 0 ? "reset" : "closed");
    talk->heard = 1;
    if ((bytes[0] == 22 || bytes[0] == 21) && (len < 2 || bytes[1] == 3))
        return SSL_set_rfd(talk->ssl, talk->fd) || fail_by_openssl(talk);
    return fail_foreign(talk, bytes, (size_t)len);
}

static int wait_for_it(talk_t *talk, int wanted)
{
    if (!cli_net_wait(talk->fd,
                      wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT,
                      talk->deadline))
        return fail_in_time(talk);
    return talk->heard || wanted != SSL_ERROR_WANT_READ || is_tls(talk);
}

static int shake_hands(talk_t *talk)
{
    for (;;) {
        int rv, wanted;

        ERR_clear_error();
        errno = 0;
        rv = SSL_connect(talk->ssl);
        if (rv == 1)
            return 1;
        wanted = SSL_get_error(talk->ssl, rv);
        if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE)
            return fail_by(talk, wanted, errno);
        if (!wait_for_it(talk, wanted))
            return 0;
    }
}

static apr_status_t free_cert(void *cert)
{
    X509_free(cert);
    return APR_SUCCESS;
}

static void take_certs(talk_t *talk)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(talk->ssl);
    apr_array_header_t *certs = apr_array_make(talk->pool, 4, sizeof(X509 *));

    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *cert = sk_X509_value(chain, i);

        X509_up_ref(cert);
        apr_pool_cleanup_register(talk->pool, cert, free_cert,
                                  apr_pool_cleanup_null);
        APR_ARRAY_PUSH(certs, X509 *) = cert;
    }
    talk->out->certs = certs;
}

static void take_staple(talk_t *talk)
{
    const unsigned char *der = NULL;
    long len = SSL_get_tlsext_status_ocsp_resp(talk->ssl, &der);

    if (!der || len < 0)
        return;
    talk->out->staple = apr_pmemdup(talk->pool, der, (apr_size_t)len);
    talk->out->staple_len = (apr_size_t)len;
}

static void take_all(talk_t *talk, int complete)
{
    take_certs(talk);
    if (apr_is_empty_array(talk->out->certs)) {
        if (complete)
            fail(talk, CLI_HANDSHAKE_FAILED, "sends no certificate");
        return;
    }
    talk->out->result = CLI_HANDSHAKE_DONE;
    take_staple(talk);
    if (complete)
        SSL_shutdown(talk->ssl);
}

static void talk_tls(talk_t *talk)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    int complete;

    talk->ssl = make_ssl(ctx, talk);
    if (talk->ssl) {
        complete = shake_hands(talk);
        if (complete || talk->cert_wanted)
            take_all(talk, complete);
    } else {
        fail_by_openssl(talk);
    }
    SSL_free(talk->ssl);
    SSL_CTX_free(ctx);
}

void cli_handshake(cli_handshake_t *out,
                   const cli_handshake_question_t *question,
                   const apr_array_header_t *addresses, apr_pool_t *p)
{
    talk_t talk = {.out = out,
                   .question = question,
                   .deadline = cli_net_clock() + question->timeout,
                   .pool = p};

    *out = (cli_handshake_t){.result = CLI_HANDSHAKE_HOPELESS};
    talk.fd =
        cli_net_connect(&out->peer, &out->error, addresses, talk.deadline, p);
    if (talk.fd < 0)
        return;
    talk_tls(&talk);
    ERR_clear_error();
    close(talk.fd);
}
