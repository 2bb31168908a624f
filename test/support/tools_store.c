/* tools_store: redis and memcached, in memory alone. */
#include "tools_private.h"

#include <apr_strings.h>
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "procs.h"

#define REPLY_MAX (2 * 1024 * 1024)

tools_t *tools_redis_start(int port, const char *max_memory, apr_pool_t *p)
{
    const char *dir = procs_temp_dir(p);
    const char *argv[] = {"redis-server",
                          "--bind",
                          "127.0.0.1",
                          "--port",
                          NULL,
                          "--save",
                          "",
                          "--dir",
                          dir,
                          "--maxmemory",
                          max_memory,
                          "--maxmemory-policy",
                          "noeviction",
                          NULL};

    port = port ? port : procs_free_port();
    argv[4] = apr_itoa(p, port);
    return tools_start(argv, dir, port, p);
}

tools_t *tools_memcached_start(int port, apr_pool_t *p)
{
    const char *dir = procs_temp_dir(p);
    /* Full, it takes nothing more, like redis above. */
    const char *argv[] = {"memcached", "-l", "127.0.0.1", "-p",     NULL,
                          "-M",        "-U", "0",         "-m",     "8",
                          "-t",        "1",  "-u",        "nobody", NULL};

    port = port ? port : procs_free_port();
    argv[4] = apr_itoa(p, port);
    return tools_start(argv, dir, port, p);
}

static int connect_to(const tools_t *tool)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((in_port_t)tools_port(tool))};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
        procs_die("no connection to port %d", tools_port(tool));
    return fd;
}

static apr_size_t read_all(int fd, char *reply)
{
    apr_size_t len = 0;
    ssize_t n;

    while (len < REPLY_MAX - 1 &&
           (n = read(fd, reply + len, REPLY_MAX - 1 - len)) > 0)
        len += (apr_size_t)n;
    reply[len] = '\0';
    return len;
}

const char *tools_say(apr_size_t *reply_len, const tools_t *tool,
                      const void *text, apr_size_t len, apr_pool_t *p)
{
    int fd = connect_to(tool);
    char *reply = apr_palloc(p, REPLY_MAX);
    apr_size_t sent = 0;

    while (sent < len) {
        ssize_t n = write(fd, (const char *)text + sent, len - sent);

        if (n <= 0)
            procs_die("port %d takes no more", tools_port(tool));
        sent += (apr_size_t)n;
    }
    shutdown(fd, SHUT_WR);
    *reply_len = read_all(fd, reply);
    close(fd);
    return reply;
}
