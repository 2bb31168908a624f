/* load_shake: one full handshake, blocking. */
#include "load_private.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <apr_strings.h>
#include <openssl/err.h>

#include "../support/procs.h"

/** No error answer is that long, and no response that short. */
#define STAPLE_MIN 64

#define TIMEOUT_MS 20000
#define CLOSE_MS 1000

double load_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- handshakes that are counted ----------------------------------------
 *
 * Hashing is done by blocks, and one more or less takes 2,000 instructions:
 * whether what a staple adds to a handshake is the drop that fills another
 * would be luck. So the ClientHello is longer each time, by an extension that
 * servers pass over, and goes evenly through all positions in a block.
 *
 * To look for something that is not there yet takes instructions, too. So it
 * never is: the client pauses before it sends anything.
 */
#define BLOCK 128        /* of SHA-384; it is two of SHA-256 */
#define EXTENSION 0xff77 /* one of those for private use */
#define PAUSE_MS 2

static int add_extension(SSL *ssl, unsigned type, unsigned where,
                         const unsigned char **out, size_t *len, X509 *cert,
                         size_t chain, int *alert, void *baton)
{
    static const unsigned char zeros[BLOCK];

    (void)type, (void)where, (void)cert, (void)chain, (void)alert, (void)baton;
    *out = zeros;
    *len = (size_t)SSL_get_app_data(ssl);
    return 1;
}

static long pause_before_write(BIO *bio, int what, const char *data,
                               size_t length, int cmd, long number, int result,
                               size_t *done)
{
    (void)bio, (void)data, (void)length, (void)cmd, (void)number, (void)done;
    if (what == BIO_CB_WRITE)
        procs_sleep(PAUSE_MS);
    return result;
}

static void leave_nothing_to_luck(SSL *ssl, const load_spec_t *spec,
                                  unsigned turn)
{
    size_t longer = (size_t)turn * BLOCK / (size_t)spec->limit;

    SSL_set_app_data(ssl, (char *)longer);
    BIO_set_callback_ex(SSL_get_wbio(ssl), pause_before_write);
}

/* ------------------------------------------------------------------------ */

SSL_CTX *load_context(const load_spec_t *spec)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    int version = spec->tls == CLIENT_TLS12 ? TLS1_2_VERSION : TLS1_3_VERSION;

    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    if (!spec->no_status_request)
        SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp);
    if (spec->counted)
        SSL_CTX_add_custom_ext(context, EXTENSION, SSL_EXT_CLIENT_HELLO,
                               add_extension, NULL, NULL, NULL, NULL);
    return context;
}

static void set_timeout(int fd, int ms)
{
    struct timeval limit = {ms / 1000, ms % 1000 * 1000};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static int connect_to(const load_spec_t *spec)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)spec->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    set_timeout(fd, spec->timeout_ms ? spec->timeout_ms : TIMEOUT_MS);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    close(fd);
    return -1;
}

static int has_staple(SSL *ssl)
{
    const unsigned char *der;

    return SSL_get_tlsext_status_ocsp_resp(ssl, &der) > STAPLE_MIN;
}

/** Until the server has closed, so that all of its work is counted here. */
static void part(SSL *ssl, int fd, const load_spec_t *spec)
{
    char rest[4096];

    SSL_shutdown(ssl);
    if (spec->counted)
        procs_sleep(PAUSE_MS);
    shutdown(fd, SHUT_WR);
    set_timeout(fd, CLOSE_MS);
    while (recv(fd, rest, sizeof(rest), 0) > 0)
        ;
}

static void set_name(SSL *ssl, const char *name)
{
    char host[64];

    apr_cpystrn(host, name, sizeof(host)); /* OpenSSL's macro wants it so */
    SSL_set_tlsext_host_name(ssl, host);
}

/** @param until the moment the handshake was done */
static int shake(int *stapled, double *until, SSL_CTX *context, int fd,
                 const load_spec_t *spec, unsigned turn)
{
    SSL *ssl = SSL_new(context);
    int done;

    SSL_set_fd(ssl, fd);
    set_name(ssl, spec->scene->names[turn % (unsigned)spec->scene->count]);
    if (spec->counted)
        leave_nothing_to_luck(ssl, spec, turn);
    done = SSL_connect(ssl) == 1;
    *until = load_now();
    *stapled = done && has_staple(ssl);
    if (done)
        part(ssl, fd, spec);
    SSL_free(ssl);
    ERR_clear_error();
    return done;
}

int load_shake_in(int *stapled, double *until, SSL_CTX *context,
                  const load_spec_t *spec, unsigned turn)
{
    int fd = connect_to(spec);
    int done;

    *stapled = 0;
    *until = load_now();
    if (fd < 0)
        return 0;
    done = shake(stapled, until, context, fd, spec, turn);
    close(fd);
    return done;
}

int load_request(const load_spec_t *spec, int site)
{
    static const char request[] =
        "GET /none HTTP/1.0\r\nHost: site-0.test\r\n\r\n";
    SSL_CTX *context = load_context(spec);
    SSL *ssl = SSL_new(context);
    int fd = connect_to(spec);
    char answer[512];
    int got = -1;

    SSL_set_fd(ssl, fd);
    set_name(ssl, spec->scene->names[site]);
    if (SSL_connect(ssl) == 1 &&
        SSL_write(ssl, request, sizeof(request) - 1) > 0)
        got = SSL_read(ssl, answer, sizeof(answer));
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    return got > 0;
}

int load_shake(int *stapled, double *ms, const load_spec_t *spec, int site)
{
    SSL_CTX *context = load_context(spec);
    double begin = load_now();
    double until;
    int done = load_shake_in(stapled, &until, context, spec, (unsigned)site);

    *ms = (until - begin) * 1000;
    SSL_CTX_free(context);
    return done;
}
