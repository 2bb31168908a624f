/* responder_server: the responder's process; one loop over all sockets.
 *
 *   READ -> (DELAY) -> WRITE -> READ ...      MUTE: read, never answered
 *
 * The test wakes the loop with SIGUSR1 when a script has changed.
 */
#include "responder_private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_strings.h>

#include "procs.h"

#define CONNECTIONS_MAX 1000
#define REQUEST_MAX 16384

typedef enum { READ, DELAY, WRITE, MUTE } state_e;

typedef struct {
    int fd;
    state_e state;
    long due; /* DELAY, and WRITE byte by byte: not before */
    char in[REQUEST_MAX];
    apr_size_t in_len;
    responder_reply_t reply;
    apr_size_t sent;
    apr_pool_t *pool; /* cleared after each answer */
} connection_t;

typedef struct {
    responder_t *r;
    responder_listener_t listener;
    connection_t *open[CONNECTIONS_MAX];
    int count;
} server_t;

static void close_connection(server_t *server, int i)
{
    connection_t *c = server->open[i];

    close(c->fd);
    apr_pool_destroy(c->pool);
    free(c);
    server->open[i] = server->open[--server->count];
}

static void follow_script(server_t *server)
{
    responder_shared_t *shared = server->r->shared;
    responder_answer_e wanted;
    unsigned version;

    responder_lock(shared);
    version = shared->version;
    wanted = shared->common.script.answer;
    responder_unlock(shared);
    responder_listener_set(&server->listener, wanted);
    if (server->listener.mode == RESPONDER_REFUSE)
        while (server->count > 0)
            close_connection(server, 0);
    responder_lock(shared);
    shared->in_force = version;
    responder_unlock(shared);
}

/** From now on, closing it resets it. */
static void make_harsh(int fd)
{
    struct linger at_once = {1, 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

static void accept_all(server_t *server)
{
    responder_counts_t *counts = &server->r->shared->counts;

    while (server->count < CONNECTIONS_MAX) {
        int fd = accept4(server->listener.fd, NULL, NULL, SOCK_NONBLOCK);
        connection_t *c;

        if (fd < 0)
            return;
        if (server->listener.mode == RESPONDER_SLAM) {
            make_harsh(fd);
            close(fd);
            continue;
        }
        c = calloc(1, sizeof(*c));
        c->fd = fd;
        apr_pool_create(&c->pool, server->r->pool);
        server->open[server->count++] = c;
        responder_lock(server->r->shared);
        counts->connections++;
        if (counts->concurrent_max < (unsigned)server->count)
            counts->concurrent_max = (unsigned)server->count;
        responder_unlock(server->r->shared);
    }
}

/* ---- one request ------------------------------------------------------- */

static void count(responder_shared_t *shared,
                  const responder_request_t *request, int cert)
{
    responder_counts_t *counts = &shared->counts;
    unsigned at = counts->requests % RESPONDER_TIMES_MAX;

    shared->times[at] = apr_time_now();
    shared->whose[at] = cert;
    counts->requests++;
    counts->post += request->post != 0;
    counts->get += request->post == 0;
    counts->sha256 += responder_script_is_sha256(request->ocsp) != 0;
    counts->unknown += cert < 0;
    if (cert >= 0)
        shared->requests[cert]++;
}

static void choose_reply(responder_reply_t *reply, responder_t *r,
                         const responder_request_t *request, apr_pool_t *p)
{
    responder_shared_t *shared = r->shared;
    const responder_slot_t *slot = &shared->common;
    responder_document_t *document = responder_document_find(shared, request);
    int cert;

    apr_cpystrn(shared->last_head, request->head, sizeof(shared->last_head));
    if (document != NULL) {
        document->requests++;
        responder_script_document(reply, &document->slot, p);
        return;
    }
    if (request->ocsp == NULL) {
        shared->counts.malformed++;
        responder_http_build(reply, 400, "text/plain", "", 0, slot, p);
        return;
    }
    cert = responder_script_find(r, request->ocsp);
    count(shared, request, cert);
    if (cert < 0) {
        responder_script_error(reply, OCSP_RESPONSE_STATUS_UNAUTHORIZED, slot,
                               p);
        return;
    }
    if (shared->own[cert].set)
        slot = &shared->own[cert];
    if (slot->script.post_only && !request->post) {
        responder_http_build(reply, 405, "text/plain", "", 0, slot, p);
        return;
    }
    responder_script_reply(reply, r, cert, request->ocsp, slot, p);
}

/** Begin an answer if a whole request is there. */
static void take_request(server_t *server, connection_t *c)
{
    apr_size_t len = responder_http_length(c->in, c->in_len, c->pool);
    responder_request_t request;

    if (len == 0)
        return;
    responder_http_parse(&request, c->in, len, c->pool);
    memset(&c->reply, 0, sizeof(c->reply));
    responder_lock(server->r->shared);
    choose_reply(&c->reply, server->r, &request, c->pool);
    responder_unlock(server->r->shared);
    c->reply.close |= request.close;
    memmove(c->in, c->in + len, c->in_len - len);
    c->in_len -= len;
    c->sent = 0;
    c->due = procs_ms() + c->reply.delay_ms;
    c->state = c->reply.act == RESPONDER_SAY_NOTHING ? MUTE : DELAY;
}

/* These four return 0 where the connection is over. */

static int read_some(server_t *server, connection_t *c)
{
    ssize_t got = recv(c->fd, c->in + c->in_len, REQUEST_MAX - c->in_len, 0);

    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    c->in_len += (apr_size_t)got;
    take_request(server, c);
    return c->in_len < REQUEST_MAX;
}

static int end_delay(connection_t *c)
{
    if (procs_ms() < c->due)
        return 1;
    if (c->reply.act == RESPONDER_DISCONNECT) {
        make_harsh(c->fd);
        return 0;
    }
    c->state = WRITE;
    return 1;
}

static int write_some(server_t *server, connection_t *c)
{
    apr_size_t left = c->reply.len - c->sent;
    int go_on = !c->reply.close;
    ssize_t put;

    if (procs_ms() < c->due)
        return 1;
    if (c->reply.byte_ms > 0) {
        left = 1;
        c->due = procs_ms() + c->reply.byte_ms;
    }
    put = send(c->fd, c->reply.bytes + c->sent, left, MSG_NOSIGNAL);
    if (put < 0)
        return errno == EAGAIN || errno == EINTR;
    c->sent += (apr_size_t)put;
    if (c->sent < c->reply.len)
        return 1;
    c->sent -= c->reply.repeated;
    if (c->reply.repeated > 0)
        return 1;
    if (c->reply.reset)
        make_harsh(c->fd);
    apr_pool_clear(c->pool);
    c->state = READ;
    take_request(server, c); /* one may have come along with the last */
    return go_on;
}

static int serve(server_t *server, connection_t *c, short events)
{
    if (events & (POLLERR | POLLHUP | POLLRDHUP))
        return 0;
    if (c->state == READ && (events & POLLIN) && !read_some(server, c))
        return 0;
    if (c->state == DELAY && !end_delay(c))
        return 0;
    return c->state != WRITE || write_some(server, c);
}

/* ---- the loop ---------------------------------------------------------- */

static short events_of(const connection_t *c)
{
    if (c->state == READ)
        return POLLIN | POLLRDHUP;
    if (c->state == WRITE && procs_ms() >= c->due)
        return POLLOUT | POLLRDHUP;
    return POLLRDHUP;
}

/** Milliseconds until the first connection has something to do by time. */
static int next_due(const server_t *server)
{
    long next = 1000;

    for (int i = 0; i < server->count; i++) {
        const connection_t *c = server->open[i];

        if (c->state == DELAY || c->state == WRITE) {
            long left = c->due - procs_ms();

            next = left < next && (left > 0 || c->state == DELAY) ? left : next;
        }
    }
    return next > 0 ? (int)next : 0;
}

static void turn(server_t *server, const sigset_t *awake)
{
    struct pollfd fds[CONNECTIONS_MAX + 1];
    int listening = (server->listener.mode == RESPONDER_NORMAL ||
                     server->listener.mode == RESPONDER_SLAM) &&
                    server->count < CONNECTIONS_MAX;
    int count = server->count;
    int ms = next_due(server);
    struct timespec wait = {ms / 1000, ms % 1000 * 1000000L};

    for (int i = 0; i < count; i++) {
        fds[i] =
            (struct pollfd){server->open[i]->fd, events_of(server->open[i]), 0};
    }
    fds[count] =
        (struct pollfd){listening ? server->listener.fd : -1, POLLIN, 0};
    if (ppoll(fds, (nfds_t)count + 1, &wait, awake) < 0) {
        follow_script(server);
        return;
    }
    /* From the end: closing one moves the last into its place. */
    for (int i = count - 1; i >= 0; i--)
        if (!serve(server, server->open[i], fds[i].revents))
            close_connection(server, i);
    if (fds[count].revents != 0)
        accept_all(server);
}

static void woken(int sig)
{
    (void)sig;
}

void responder_server_run(responder_t *r)
{
    static server_t server;
    struct rlimit files;
    sigset_t set;
    sigset_t awake;

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGUSR1, woken);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &awake);
    sigdelset(&awake, SIGUSR1);
    responder_listener_init(&server.listener, r);
    server.r = r;
    follow_script(&server);
    for (;;)
        turn(&server, &awake);
}
