/* net: names to addresses, and connections to these, in bounded time.
 *
 * A resolver whose server is away may take minutes and cannot be told to
 * hurry. So a thread of its own waits for it, and both share this:
 *
 *   asker --- lookup_t --- resolver thread
 *
 * Whoever is the last to leave frees it, which may be the thread, long after.
 */
#include "net.h"

#include <apr_strings.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

apr_time_t cli_net_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_make(now.tv_sec, now.tv_nsec / 1000);
}

static void fail(cli_net_error_t *error, ocspx_cause_e cause,
                 const char *message)
{
    error->cause = cause;
    error->message = message;
}

/* --- names ----------------------------------------------------------- */

typedef struct {
    pthread_mutex_t lock; /* for all that follows */
    pthread_cond_t ended;
    int users;
    int done;
    int error; /* EAI_* */
    struct addrinfo *found;
    char *host;
} lookup_t;

static void leave(lookup_t *lookup)
{
    int last;

    pthread_mutex_lock(&lookup->lock);
    last = --lookup->users == 0;
    pthread_mutex_unlock(&lookup->lock);
    if (!last)
        return;
    if (lookup->found)
        freeaddrinfo(lookup->found);
    pthread_cond_destroy(&lookup->ended);
    pthread_mutex_destroy(&lookup->lock);
    free(lookup->host);
    free(lookup);
}

static lookup_t *make_lookup(const char *host)
{
    lookup_t *lookup = calloc(1, sizeof(*lookup));
    pthread_condattr_t attr;

    if (!lookup || !(lookup->host = strdup(host)))
        abort();
    lookup->users = 2;
    pthread_mutex_init(&lookup->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&lookup->ended, &attr);
    pthread_condattr_destroy(&attr);
    return lookup;
}

static void *look_up(void *data)
{
    static const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                          .ai_socktype = SOCK_STREAM};
    lookup_t *lookup = data;
    struct addrinfo *found = NULL;
    int error = getaddrinfo(lookup->host, NULL, &hints, &found);

    pthread_mutex_lock(&lookup->lock);
    lookup->error = error;
    lookup->found = found;
    lookup->done = 1;
    pthread_cond_signal(&lookup->ended);
    pthread_mutex_unlock(&lookup->lock);
    leave(lookup);
    return NULL;
}

static int start(lookup_t *lookup)
{
    pthread_attr_t attr;
    pthread_t thread;
    int rv;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    rv = pthread_create(&thread, &attr, look_up, lookup);
    pthread_attr_destroy(&attr);
    if (rv)
        lookup->users--; /* the thread that there is not */
    return rv;
}

/* @return 0: not in time */
static int wait_for(lookup_t *lookup, apr_time_t deadline)
{
    struct timespec until = {
        .tv_sec = apr_time_sec(deadline),
        .tv_nsec = apr_time_usec(deadline) * 1000,
    };
    int rv = 0, done;

    pthread_mutex_lock(&lookup->lock);
    while (!lookup->done && !rv)
        rv = pthread_cond_timedwait(&lookup->ended, &lookup->lock, &until);
    done = lookup->done;
    pthread_mutex_unlock(&lookup->lock);
    return done;
}

static void add_address(apr_array_header_t *addresses,
                        const struct addrinfo *info, int port, apr_pool_t *p)
{
    int v6 = info->ai_family == AF_INET6;
    cli_address_t *address;
    char text[NI_MAXHOST];

    if (info->ai_addrlen > sizeof(address->sockaddr) ||
        getnameinfo(info->ai_addr, info->ai_addrlen, text, sizeof(text), NULL,
                    0, NI_NUMERICHOST))
        return;
    address = apr_array_push(addresses);
    memcpy(&address->sockaddr, info->ai_addr, info->ai_addrlen);
    address->len = info->ai_addrlen;
    if (v6)
        ((struct sockaddr_in6 *)&address->sockaddr)->sin6_port =
            htons((uint16_t)port);
    else
        ((struct sockaddr_in *)&address->sockaddr)->sin_port =
            htons((uint16_t)port);
    address->text = apr_psprintf(p, v6 ? "[%s]:%d" : "%s:%d", text, port);
}

static apr_array_header_t *take(cli_net_error_t *error, const lookup_t *lookup,
                                int port, apr_pool_t *p)
{
    apr_array_header_t *addresses = apr_array_make(p, 2, sizeof(cli_address_t));

    for (const struct addrinfo *i = lookup->found; i; i = i->ai_next)
        if (i->ai_family == AF_INET || i->ai_family == AF_INET6)
            add_address(addresses, i, port, p);
    if (!apr_is_empty_array(addresses))
        return addresses;
    fail(error, OCSPX_CAUSE_DNS,
         apr_psprintf(p, "the name %s does not resolve: %s", lookup->host,
                      lookup->error ? gai_strerror(lookup->error)
                                    : "it has no address"));
    return NULL;
}

apr_array_header_t *cli_net_resolve(cli_net_error_t *error, const char *host,
                                    int port, apr_interval_time_t timeout,
                                    apr_pool_t *p)
{
    apr_array_header_t *addresses = NULL;
    lookup_t *lookup = make_lookup(host);
    int rv = start(lookup);

    if (rv) {
        fail(error, OCSPX_CAUSE_DNS,
             apr_psprintf(p, "the name %s cannot be resolved: %pm", host, &rv));
    } else if (wait_for(lookup, cli_net_clock() + timeout)) {
        addresses = take(error, lookup, port, p);
    } else {
        fail(error, OCSPX_CAUSE_DNS,
             apr_psprintf(
                 p, "the name %s was not resolved within %" APR_TIME_T_FMT " s",
                 host, apr_time_sec(timeout)));
    }
    leave(lookup);
    return addresses;
}

/* --- connections ----------------------------------------------------- */

int cli_net_wait(int fd, short events, apr_time_t deadline)
{
    struct pollfd ready = {.fd = fd, .events = events};
    apr_time_t left;
    int rv;

    do {
        left = deadline - cli_net_clock();
        if (left <= 0)
            return 0;
        rv = poll(&ready, 1, (int)apr_time_as_msec(left + 999));
    } while (rv < 0 && errno == EINTR);
    return rv > 0;
}

/* @return 0, or what is wrong with it */
static int connect_fd(int fd, const cli_address_t *address, apr_time_t deadline)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (connect(fd, (const struct sockaddr *)&address->sockaddr,
                address->len) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    if (!cli_net_wait(fd, POLLOUT, deadline))
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) ? errno : error;
}

static int connect_one(int *fd, const cli_address_t *address,
                       apr_time_t deadline)
{
    int error;

    *fd = socket(address->sockaddr.ss_family,
                 SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return errno;
    error = connect_fd(*fd, address, deadline);
    if (error) {
        close(*fd);
        *fd = -1;
    }
    return error;
}

static ocspx_cause_e cause_of(int error)
{
    return error == ECONNREFUSED ? OCSPX_CAUSE_CONNECT_REFUSED
                                 : OCSPX_CAUSE_CONNECT_TIMEOUT;
}

int cli_net_connect(const cli_address_t **peer, cli_net_error_t *error,
                    const apr_array_header_t *addresses, apr_time_t deadline,
                    apr_pool_t *p)
{
    const char *reasons = "";

    for (int i = 0; i < addresses->nelts; i++) {
        const cli_address_t *address =
            &APR_ARRAY_IDX(addresses, i, cli_address_t);
        apr_time_t now = cli_net_clock();
        int fd, rv;

        rv = connect_one(&fd, address,
                         now + (deadline - now) / (addresses->nelts - i));
        if (!rv) {
            *peer = address;
            return fd;
        }
        reasons = apr_psprintf(p, "%s%s%s: %pm", reasons, *reasons ? "; " : "",
                               address->text, &rv);
        fail(error, cause_of(rv),
             apr_pstrcat(p, "no connection to ", reasons, NULL));
    }
    return -1;
}
