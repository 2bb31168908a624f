/* fetch_scene: asking over the real network of this machine, and a server
 * that sends prepared bytes, for what a well-made responder cannot do.
 */
#ifndef OCSPX_TEST_FETCH_SCENE_H
#define OCSPX_TEST_FETCH_SCENE_H

#include "../support/check_main.h"

#include <apr_strings.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../mod_ocspx/engine/fetch.h"
#include "../support/procs.h"

#define MAX_SIZE 65536
#define PATIENCE_MS 15000

static apr_pool_t *pool;
static apr_pool_t *network_pool;
static ocspx_fetch_t *network;

static inline void scene_make(void)
{
    static const char *const names[] = {
        "http_proxy",  "https_proxy", "all_proxy", "no_proxy",
        "HTTPS_PROXY", "ALL_PROXY",   "NO_PROXY"};
    unsigned i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unsetenv(names[i]);
    apr_pool_create(&pool, NULL);
    apr_pool_create(&network_pool, pool);
    ck_assert_int_eq(ocspx_fetch_global_init(), APR_SUCCESS);
    ck_assert_int_eq(ocspx_fetch_curl_make(&network, network_pool),
                     APR_SUCCESS);
}

static inline void scene_end(void)
{
    apr_pool_destroy(pool);
}

/* --- asking ---------------------------------------------------------- */

typedef struct {
    int calls;
    ocspx_fetch_answer_t answer; /* own copy */
} got_t;

static inline void on_done(void *baton, const ocspx_fetch_answer_t *answer)
{
    got_t *got = baton;

    got->calls++;
    got->answer = *answer;
    got->answer.message = apr_pstrdup(pool, answer->message);
    got->answer.peer = apr_pstrdup(pool, answer->peer);
    if (answer->body_len)
        got->answer.body = apr_pmemdup(pool, answer->body, answer->body_len);
}

/** Poll until @a got was called @a calls times. */
static inline void wait_for(const got_t *got, int calls)
{
    long deadline = procs_ms() + PATIENCE_MS;

    while (got->calls < calls && procs_ms() < deadline)
        ck_assert_int_eq(network->poll(network, apr_time_from_msec(100)),
                         APR_SUCCESS);
    ck_assert_int_eq(got->calls, calls);
}

static inline got_t *ask(const ocspx_fetch_question_t *question)
{
    got_t *got = apr_pcalloc(pool, sizeof(*got));

    ck_assert_int_eq(network->start(network, question, on_done, got),
                     APR_SUCCESS);
    wait_for(got, 1);
    return got;
}

#define assert_says(message, part)                                             \
    ck_assert_msg(strstr(message, part) != NULL, "\"%s\" lacks \"%s\"",        \
                  message, part)

#define assert_cause(got, wanted)                                              \
    ck_assert_msg((got)->answer.cause == (wanted), "%s, not %s: %s",           \
                  ocspx_cause_code((got)->answer.cause),                       \
                  ocspx_cause_code(wanted), (got)->answer.message)

static inline int open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* --- prepared bytes -------------------------------------------------- */

#define RAW_MAX 8

/** What a connection gets after its request was read; then it is closed. */
typedef struct {
    const char *bytes; /* "": nothing */
    int delay_ms;      /* before */
    const char *drip;  /* after them, one byte at a time; NULL: none */
    int drip_ms;
} raw_reply_t;

typedef struct {
    int fd, stop[2], port, count;
    const char *url; /* "http://127.0.0.1:4711" */
    raw_reply_t replies[RAW_MAX];
    char requests[RAW_MAX][4096];
    pthread_t thread;
} raw_t;

/* @return 1: to stop */
static inline int raw_pause(raw_t *raw, int ms)
{
    struct pollfd stop = {.fd = raw->stop[0], .events = POLLIN};

    return poll(&stop, 1, ms) > 0;
}

static inline int raw_whole(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n");
    const char *length = strstr(request, "Content-Length: ");

    if (*request == 0x16) /* the first record of TLS */
        return 1;
    return end &&
           (!length || strlen(end + 4) || strtol(length + 16, NULL, 10) == 0);
}

/* Text only: a body need not be whole, nor free of zeros. */
static inline void raw_read(int fd, char *request, size_t size)
{
    size_t len = 0;
    ssize_t n = 1;

    while (!raw_whole(request) && n > 0 && len < size - 1) {
        n = recv(fd, request + len, size - 1 - len, 0);
        len += n > 0 ? (size_t)n : 0;
    }
}

static inline void raw_send(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        bytes += n;
        len -= (size_t)n;
    }
}

static inline void raw_answer(raw_t *raw, int fd, int i)
{
    const raw_reply_t *reply = &raw->replies[i];
    const char *drip = reply->drip ? reply->drip : "";

    raw_read(fd, raw->requests[i], sizeof(raw->requests[i]));
    if (reply->delay_ms && raw_pause(raw, reply->delay_ms))
        return;
    raw_send(fd, reply->bytes, strlen(reply->bytes));
    for (; *drip && !raw_pause(raw, reply->drip_ms); drip++)
        raw_send(fd, drip, 1);
}

static inline void *raw_run(void *baton)
{
    raw_t *raw = baton;
    int i;

    for (i = 0; i < raw->count; i++) {
        struct pollfd ready[2] = {{.fd = raw->stop[0], .events = POLLIN},
                                  {.fd = raw->fd, .events = POLLIN}};
        int fd;

        if (poll(ready, 2, -1) <= 0 || ready[0].revents)
            break;
        fd = accept(raw->fd, NULL, NULL);
        raw_answer(raw, fd, i);
        shutdown(fd, SHUT_WR);
        close(fd);
    }
    return NULL;
}

static inline apr_status_t raw_stop(void *baton)
{
    raw_t *raw = baton;

    ck_assert_int_eq(write(raw->stop[1], "x", 1), 1);
    pthread_join(raw->thread, NULL);
    close(raw->stop[0]);
    close(raw->stop[1]);
    close(raw->fd);
    return APR_SUCCESS;
}

static inline void raw_listen(raw_t *raw)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    socklen_t len = sizeof(any);

    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    raw->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(raw->fd, (struct sockaddr *)&any, len), 0);
    ck_assert_int_eq(listen(raw->fd, 16), 0);
    ck_assert_int_eq(getsockname(raw->fd, (struct sockaddr *)&any, &len), 0);
    raw->port = ntohs(any.sin_port);
    raw->url = apr_psprintf(pool, "http://127.0.0.1:%d", raw->port);
}

/** One connection for each of @a count replies; ends with the pool. */
static inline raw_t *raw_start(const raw_reply_t *replies, int count)
{
    raw_t *raw = apr_pcalloc(pool, sizeof(*raw));

    raw_listen(raw);
    memcpy(raw->replies, replies, (size_t)count * sizeof(*replies));
    raw->count = count;
    ck_assert_int_eq(pipe(raw->stop), 0);
    ck_assert_int_eq(pthread_create(&raw->thread, NULL, raw_run, raw), 0);
    apr_pool_cleanup_register(pool, raw, raw_stop, apr_pool_cleanup_null);
    return raw;
}

#define RAW(...)                                                               \
    raw_start((raw_reply_t[]){__VA_ARGS__},                                    \
              sizeof((raw_reply_t[]){__VA_ARGS__}) / sizeof(raw_reply_t))

/** A question of four bytes to @a url. */
static inline ocspx_fetch_question_t question(const char *url)
{
    return (ocspx_fetch_question_t){
        .url = url,
        .request = (const unsigned char *)"\xfb\xff\xfe\x30",
        .request_len = 4,
        .method = OCSPX_FETCH_AUTO,
        .proxy = "",
        .timeout = apr_time_from_sec(10),
        .max_size = MAX_SIZE,
    };
}

#define REPLY(status, headers, body)                                           \
    {                                                                          \
        .bytes =                                                               \
            "HTTP/1.1 " status "\r\nConnection: close\r\n" headers "\r\n" body \
    }
#define OCSP_TYPE "Content-Type: application/ocsp-response\r\n"
#define GOOD REPLY("200 OK", OCSP_TYPE "Content-Length: 4\r\n", "DER!")

#endif
