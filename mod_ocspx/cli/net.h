/* net: names to addresses, and connections to these, in bounded time. */
#ifndef OCSPX_CLI_NET_H
#define OCSPX_CLI_NET_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>
#include <sys/socket.h>

#include "../core/cause.h"

typedef struct {
    struct sockaddr_storage sockaddr;
    socklen_t len;
    const char *text; /* "192.0.2.1:443", "[2001:db8::1]:443" */
} cli_address_t;

/** Why there is none. */
typedef struct {
    ocspx_cause_e cause;
    const char *message; /* printable */
} cli_net_error_t;

/** Microseconds on a clock that nobody sets; deadlines are by this one. */
apr_time_t cli_net_clock(void);

/**
 * The addresses (cli_address_t) of a host: a name, or an address as it is.
 * A resolver that hangs is left behind.
 * @return NULL, with the error filled in
 */
apr_array_header_t *cli_net_resolve(cli_net_error_t *error, const char *host,
                                    int port, apr_interval_time_t timeout,
                                    apr_pool_t *p);

/**
 * Connect to the first of the addresses that takes the connection; each has
 * an equal share of the time that is left.
 * @param peer the address it was
 * @return a non-blocking socket; -1, with the error filled in
 */
int cli_net_connect(const cli_address_t **peer, cli_net_error_t *error,
                    const apr_array_header_t *addresses, apr_time_t deadline,
                    apr_pool_t *p);

/** Wait for one of these events, see poll(2). @return 0: not in time */
int cli_net_wait(int fd, short events, apr_time_t deadline);

#endif
