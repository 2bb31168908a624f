/* fetch_talk: one question and its transfer. */
#include "fetch_talk.h"

#include <apr_strings.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../core/version.h"
#include "fetch_get.h"

#define CONNECT_TIMEOUT apr_time_from_sec(3)
/* An answer that has begun comes faster than this, or is given up. */
#define SLOW_BYTES_PER_SEC 100L
#define SLOW_SEC 5L
#define REDIRECTS_MAX 3L
#define HEAD_MAX 65536
#define BODY_FIRST 4096

apr_interval_time_t ocspx_fetch_monotonic(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_from_sec(now.tv_sec) + now.tv_nsec / 1000;
}

/* --- what libcurl calls ---------------------------------------------- */

/* Descriptors are given out from the lowest. The last eighth is left to the
 * handshakes: httpd gives up a process that can accept nothing. */
static int leaves_room(int fd)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
           limit.rlim_cur == RLIM_INFINITY ||
           (rlim_t)fd < limit.rlim_cur - limit.rlim_cur / 8;
}

/* @return -1: errno says why not */
static int open_socket(const struct curl_sockaddr *to)
{
    int fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);

    if (fd < 0 || leaves_room(fd))
        return fd;
    close(fd);
    errno = EMFILE;
    return -1;
}

/* Remembers what is being connected to; libcurl tells of successes only. */
static curl_socket_t on_socket(void *baton, curlsocktype purpose,
                               struct curl_sockaddr *to)
{
    ocspx_fetch_talk_t *talk = baton;
    char host[64], port[8];
    int fd;

    (void)purpose;
    if (getnameinfo(&to->addr, to->addrlen, host, sizeof(host), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        apr_snprintf(talk->tried, sizeof(talk->tried),
                     to->family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    fd = open_socket(to);
    talk->socket_errno = fd < 0 ? errno : 0;
    return fd;
}

static size_t on_header(char *line, size_t one, size_t len, void *baton)
{
    ocspx_fetch_talk_t *talk = baton;

    (void)one;
    /* Not before: a responder may think about its answer all the time. */
    if (!talk->head_len)
        curl_easy_setopt(talk->easy, CURLOPT_LOW_SPEED_TIME, SLOW_SEC);
    talk->head_len += len;
    if (talk->head_len > HEAD_MAX) {
        talk->flooded = 1;
        return 0;
    }
    ocspx_fetch_headers_line(&talk->headers, line, len);
    return len;
}

static void grow(ocspx_fetch_talk_t *talk, apr_size_t needed)
{
    unsigned char *body;
    apr_size_t room = talk->body_room ? 2 * talk->body_room : BODY_FIRST;

    if (room < needed)
        room = needed;
    body = apr_palloc(talk->pool, room);
    if (talk->body_len)
        memcpy(body, talk->body, talk->body_len);
    talk->body = body;
    talk->body_room = room;
}

static size_t on_body(char *data, size_t one, size_t len, void *baton)
{
    ocspx_fetch_talk_t *talk = baton;

    (void)one;
    if (len > talk->question.max_size - talk->body_len) {
        talk->oversized = 1;
        return 0;
    }
    if (talk->body_len + len > talk->body_room)
        grow(talk, talk->body_len + len);
    memcpy(talk->body + talk->body_len, data, len);
    talk->body_len += len;
    return len;
}

/* --- asking ---------------------------------------------------------- */

/* Nothing but http and https, whatever a redirect says. */
static CURLcode limit_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    CURLcode rv = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");

    if (rv != CURLE_OK)
        return rv;
    return curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    const long allowed = CURLPROTO_HTTP | CURLPROTO_HTTPS;
    CURLcode rv = curl_easy_setopt(easy, CURLOPT_PROTOCOLS, allowed);

    if (rv != CURLE_OK)
        return rv;
    return curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS, allowed);
#endif
}

static void set_callbacks(ocspx_fetch_talk_t *talk)
{
    CURL *easy = talk->easy;

    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, talk->words);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, talk);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, talk);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, talk);
}

static CURLcode set_up(ocspx_fetch_talk_t *talk)
{
    const ocspx_fetch_question_t *question = &talk->question;
    CURL *easy = talk->easy;

    set_callbacks(talk);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "mod_ocspx/" OCSPX_VERSION);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
    curl_easy_setopt(easy, CURLOPT_POSTREDIR, (long)CURL_REDIR_POST_ALL);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES_PER_SEC);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
                     (curl_off_t)question->max_size);
    if (question->proxy)
        curl_easy_setopt(easy, CURLOPT_PROXY, question->proxy);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Before, giving up a name waits for a resolver that hangs. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    return limit_protocols(easy);
}

static apr_interval_time_t time_left(const ocspx_fetch_talk_t *talk)
{
    return talk->began + talk->question.timeout - ocspx_fetch_monotonic();
}

static void set_timeouts(ocspx_fetch_talk_t *talk)
{
    apr_interval_time_t left = time_left(talk);
    long ms = left > 1000 ? (long)apr_time_as_msec(left) : 1; /* 0: for ever */
    long connect_ms = (long)apr_time_as_msec(CONNECT_TIMEOUT);

    curl_easy_setopt(talk->easy, CURLOPT_TIMEOUT_MS, ms);
    curl_easy_setopt(talk->easy, CURLOPT_CONNECTTIMEOUT_MS,
                     ms < connect_ms ? ms : connect_ms);
    curl_easy_setopt(talk->easy, CURLOPT_LOW_SPEED_TIME, 0L);
}

static void set_method(ocspx_fetch_talk_t *talk)
{
    const ocspx_fetch_question_t *question = &talk->question;
    CURL *easy = talk->easy;

    if (talk->get_url) {
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, talk->get_headers);
        curl_easy_setopt(easy, CURLOPT_URL, talk->get_url);
        return;
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, talk->post_headers);
    curl_easy_setopt(easy, CURLOPT_URL, question->url);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, (const char *)question->request);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)question->request_len);
}

void ocspx_fetch_talk_prepare(ocspx_fetch_talk_t *talk)
{
    ocspx_fetch_headers_init(&talk->headers);
    talk->head_len = talk->body_len = 0;
    talk->flooded = talk->oversized = 0;
    talk->socket_errno = 0;
    talk->tried[0] = talk->words[0] = '\0';
    set_timeouts(talk);
    set_method(talk);
}

static const char *get_url(const ocspx_fetch_question_t *question,
                           apr_pool_t *p)
{
    const char *url;

    if (!question->request)
        return question->url;
    if (question->method == OCSPX_FETCH_POST)
        return NULL;
    url = ocspx_fetch_get_url(question->url, question->request,
                              question->request_len, p);
    if (question->method == OCSPX_FETCH_AUTO &&
        !ocspx_fetch_get_fits(question->url, url))
        return NULL;
    return url;
}

static apr_status_t free_easy(void *easy)
{
    curl_easy_cleanup(easy);
    return APR_SUCCESS;
}

apr_status_t ocspx_fetch_talk_make(ocspx_fetch_talk_t *talk)
{
    talk->easy = curl_easy_init();
    if (!talk->easy)
        return APR_ENOMEM;
    apr_pool_cleanup_register(talk->pool, talk->easy, free_easy,
                              apr_pool_cleanup_null);
    talk->began = ocspx_fetch_monotonic();
    talk->get_url = get_url(&talk->question, talk->pool);
    return set_up(talk) == CURLE_OK ? APR_SUCCESS : APR_ENOTIMPL;
}

/* --- the end of a transfer ------------------------------------------- */

static long info_long(const ocspx_fetch_talk_t *talk, CURLINFO which)
{
    long value = 0;

    curl_easy_getinfo(talk->easy, which, &value);
    return value;
}

static int info_passed(const ocspx_fetch_talk_t *talk, CURLINFO which)
{
    curl_off_t value = 0;

    curl_easy_getinfo(talk->easy, which, &value);
    return value > 0;
}

static const char *info_text(const ocspx_fetch_talk_t *talk, CURLINFO which)
{
    char *value = NULL;

    curl_easy_getinfo(talk->easy, which, &value);
    return value;
}

/* "address:port" connected to, or "". */
static const char *peer(const ocspx_fetch_talk_t *talk)
{
    const char *ip = info_text(talk, CURLINFO_PRIMARY_IP);

    if (!ip || !*ip)
        return "";
    return apr_psprintf(talk->pool, strchr(ip, ':') ? "[%s]:%ld" : "%s:%ld", ip,
                        info_long(talk, CURLINFO_PRIMARY_PORT));
}

static void gather(ocspx_fetch_facts_t *facts, const ocspx_fetch_talk_t *talk,
                   CURLcode code)
{
    const char *connected_to = peer(talk);
    int failed = code == CURLE_COULDNT_CONNECT || !*connected_to;

    *facts = (ocspx_fetch_facts_t){
        .code = code,
        .words = talk->words,
        .method = talk->get_url ? "GET" : "POST",
        .url = talk->question.url,
        .answered = info_text(talk, CURLINFO_EFFECTIVE_URL),
        .proxy = talk->question.proxy,
        .peer = failed ? talk->tried : connected_to,
        .type = talk->headers.type,
        .status = info_long(talk, CURLINFO_RESPONSE_CODE),
        .connect_status = info_long(talk, CURLINFO_HTTP_CONNECTCODE),
        .redirects = info_long(talk, CURLINFO_REDIRECT_COUNT),
        .os_errno = talk->socket_errno ? talk->socket_errno
                                       : info_long(talk, CURLINFO_OS_ERRNO),
        .resolved = info_passed(talk, CURLINFO_NAMELOOKUP_TIME_T),
        /* CONNECT_TIME may be that of TLS. */
        .connected = *connected_to != '\0',
        .sent = info_long(talk, CURLINFO_REQUEST_SIZE) > 0,
        .heard = talk->head_len > 0,
        .encoded = talk->headers.encoded,
        .flooded = talk->flooded,
        .oversized = talk->oversized || code == CURLE_FILESIZE_EXCEEDED,
        .certificate = !talk->question.request,
        .body_len = talk->body_len,
        .max_size = talk->question.max_size,
        .took = ocspx_fetch_monotonic() - talk->began,
    };
    if (!facts->answered)
        facts->answered = facts->url;
}

static void fill(ocspx_fetch_answer_t *answer, const ocspx_fetch_talk_t *talk,
                 const ocspx_fetch_facts_t *facts,
                 const ocspx_fetch_verdict_t *verdict)
{
    apr_time_t now = apr_time_now();

    *answer = (ocspx_fetch_answer_t){
        .cause = verdict->cause,
        .message = verdict->message,
        .body = talk->body,
        .body_len = talk->body_len,
        .http_status = (int)facts->status,
        .peer = peer(talk),
        .date = ocspx_fetch_headers_date(&talk->headers),
        .fresh_until = ocspx_fetch_headers_fresh_until(&talk->headers, now),
        .retry_after = ocspx_fetch_headers_retry_after(&talk->headers, now),
        .took = facts->took,
        .requests = talk->requests,
        .unreachable = verdict->unreachable && !talk->fell_back,
    };
}

/* Who says when to come back is not asked again before. */
static int should_post(const ocspx_fetch_talk_t *talk,
                       const ocspx_fetch_verdict_t *verdict,
                       const ocspx_fetch_answer_t *answer)
{
    return talk->get_url && talk->question.request &&
           talk->question.method == OCSPX_FETCH_AUTO && verdict->may_differ &&
           !answer->retry_after && time_left(talk) > 0;
}

int ocspx_fetch_talk_conclude(ocspx_fetch_answer_t *answer,
                              ocspx_fetch_talk_t *talk, CURLcode code)
{
    ocspx_fetch_verdict_t verdict;
    ocspx_fetch_facts_t facts;

    gather(&facts, talk, code);
    if (facts.sent)
        talk->requests += 1 + (int)facts.redirects;
    ocspx_fetch_verdict(&verdict, &facts, talk->pool);
    fill(answer, talk, &facts, &verdict);
    if (!should_post(talk, &verdict, answer))
        return 0;
    talk->get_url = NULL;
    talk->fell_back = 1;
    return 1;
}
