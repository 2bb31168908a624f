/* responder_listener: the listening socket: open, closed, or a black hole.
 *
 * A black hole is a socket nobody accepts from, with its backlog full: the
 * kernel drops every further SYN, and connects neither succeed nor fail.
 */
#include "responder_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "procs.h"

#define BACKLOG 1024

static int open_socket(const responder_t *r, int connecting)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)r->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                              .sin6_port = htons((uint16_t)r->port)};
    int is_v6 = inet_pton(AF_INET6, r->host, &v6.sin6_addr) == 1;
    struct sockaddr *addr = (void *)&v4;
    socklen_t len = sizeof(v4);
    int one = 1;
    int fd;

    if (is_v6) {
        addr = (void *)&v6;
        len = sizeof(v6);
    } else if (inet_pton(AF_INET, r->host, &v4.sin_addr) != 1) {
        procs_die("responder: not an address: %s", r->host);
    }
    fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connecting) {
        connect(fd, addr, len);
        return fd;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, addr, len) != 0)
        procs_die("responder: port %d: %s", r->port, strerror(errno));
    return fd;
}

/** Connect until the kernel answers no more. */
static void fill_backlog(responder_listener_t *l)
{
    for (int i = 0; i < RESPONDER_FILLERS; i++) {
        struct pollfd ready = {open_socket(l->r, 1), POLLOUT, 0};

        l->fillers[i] = ready.fd;
        if (poll(&ready, 1, 50) == 0)
            return;
    }
    procs_die("responder: cannot make a black hole here");
}

static void close_listener(responder_listener_t *l)
{
    for (int i = 0; i < RESPONDER_FILLERS; i++) {
        if (l->fillers[i] >= 0) {
            close(l->fillers[i]);
            l->fillers[i] = -1;
        }
    }
    if (l->fd >= 0) {
        close(l->fd);
        l->fd = -1;
    }
}

void responder_listener_init(responder_listener_t *l, const responder_t *r)
{
    l->r = r;
    l->fd = -1;
    l->mode = RESPONDER_REFUSE;
    memset(l->fillers, -1, sizeof(l->fillers));
}

void responder_listener_set(responder_listener_t *l, responder_answer_e wanted)
{
    int is_black_hole = wanted == RESPONDER_BLACK_HOLE;

    if (wanted != RESPONDER_REFUSE && wanted != RESPONDER_SLAM &&
        !is_black_hole)
        wanted = RESPONDER_NORMAL;
    if (wanted == l->mode)
        return;
    l->mode = wanted;
    close_listener(l);
    if (wanted == RESPONDER_REFUSE)
        return;
    l->fd = open_socket(l->r, 0);
    if (listen(l->fd, is_black_hole ? 0 : BACKLOG) != 0)
        procs_die("responder: listen: %s", strerror(errno));
    if (is_black_hole)
        fill_backlog(l);
}
