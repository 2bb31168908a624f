/* fetch: the real network; a libcurl multi handle with one easy handle per
 * question.
 *
 *   start -> (poll: transfer) -> conclude -> done
 *                  ^                |
 *                  +-- GET to POST -+
 *
 * Each question has a pool of its own, whose cleanup takes its handle out of
 * the multi handle: so destroying the pool of them all cancels everything.
 * Connections belong to the multi handle and outlive the questions.
 */
#include "fetch_talk.h"

#include <apr_atomic.h>

#define IDLE_CONNECTIONS_MAX 32L

typedef struct {
    ocspx_fetch_t face; /* first: what the caller has */
    apr_pool_t *pool;
    CURLM *multi;
    struct curl_slist *get_headers, *post_headers, *cert_headers;
    apr_uint32_t woken;
} network_t;

typedef struct {
    network_t *network;
    ocspx_fetch_talk_t talk;
    ocspx_fetch_done_fn *done;
    void *baton;
} transfer_t;

/* --- starting -------------------------------------------------------- */

static apr_status_t leave(void *data)
{
    transfer_t *transfer = data;

    curl_multi_remove_handle(transfer->network->multi, transfer->talk.easy);
    return APR_SUCCESS;
}

static apr_status_t ask(transfer_t *transfer)
{
    ocspx_fetch_talk_t *talk = &transfer->talk;

    ocspx_fetch_talk_prepare(talk);
    return curl_multi_add_handle(transfer->network->multi, talk->easy) ==
                   CURLM_OK
               ? APR_SUCCESS
               : APR_EGENERAL;
}

static apr_status_t begin(transfer_t *transfer)
{
    ocspx_fetch_talk_t *talk = &transfer->talk;
    apr_status_t rv = ocspx_fetch_talk_make(talk);

    if (rv)
        return rv;
    curl_easy_setopt(talk->easy, CURLOPT_PRIVATE, transfer);
    apr_pool_cleanup_register(talk->pool, transfer, leave,
                              apr_pool_cleanup_null);
    return ask(transfer);
}

static apr_status_t start(ocspx_fetch_t *fetch,
                          const ocspx_fetch_question_t *question,
                          ocspx_fetch_done_fn *done, void *baton)
{
    network_t *network = (network_t *)fetch;
    transfer_t *transfer;
    apr_pool_t *pool;
    apr_status_t rv;

    apr_pool_create(&pool, network->pool);
    transfer = apr_pcalloc(pool, sizeof(*transfer));
    transfer->network = network;
    transfer->done = done;
    transfer->baton = baton;
    transfer->talk.pool = pool;
    transfer->talk.question = *question;
    transfer->talk.get_headers =
        question->request ? network->get_headers : network->cert_headers;
    transfer->talk.post_headers = network->post_headers;
    rv = begin(transfer);
    if (rv)
        apr_pool_destroy(pool);
    return rv;
}

/* --- working --------------------------------------------------------- */

/* @return 1: done has been called */
static int conclude(transfer_t *transfer, CURLcode code)
{
    ocspx_fetch_talk_t *talk = &transfer->talk;
    ocspx_fetch_answer_t answer;
    int by_post = ocspx_fetch_talk_conclude(&answer, talk, code);

    /* First, so that its connection can be used for what comes next. */
    curl_multi_remove_handle(transfer->network->multi, talk->easy);
    if (by_post && ask(transfer) == APR_SUCCESS)
        return 0;
    transfer->done(transfer->baton, &answer);
    apr_pool_destroy(talk->pool);
    return 1;
}

static int deliver(network_t *network)
{
    int delivered = 0, left;
    CURLMsg *msg;

    while ((msg = curl_multi_info_read(network->multi, &left))) {
        CURLcode code = msg->data.result;
        char *transfer;

        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &transfer);
        delivered += conclude((transfer_t *)(void *)transfer, code);
    }
    return delivered;
}

static apr_status_t work(ocspx_fetch_t *fetch, apr_interval_time_t wait)
{
    network_t *network = (network_t *)fetch;
    apr_interval_time_t until = ocspx_fetch_monotonic() + wait;
    int running;

    for (;;) {
        if (curl_multi_perform(network->multi, &running) != CURLM_OK)
            return APR_EGENERAL;
        wait = until - ocspx_fetch_monotonic();
        if (deliver(network) || apr_atomic_xchg32(&network->woken, 0) ||
            wait <= 0)
            return APR_SUCCESS;
        if (curl_multi_poll(network->multi, NULL, 0,
                            (int)apr_time_as_msec(wait + 999),
                            NULL) != CURLM_OK)
            return APR_EGENERAL;
    }
}

static void wake(ocspx_fetch_t *fetch)
{
    network_t *network = (network_t *)fetch;

    apr_atomic_set32(&network->woken, 1);
    curl_multi_wakeup(network->multi);
}

/* --- making it ------------------------------------------------------- */

static apr_status_t end_network(void *data)
{
    network_t *network = data;

    curl_multi_cleanup(network->multi);
    curl_slist_free_all(network->get_headers);
    curl_slist_free_all(network->post_headers);
    curl_slist_free_all(network->cert_headers);
    return APR_SUCCESS;
}

static apr_status_t append(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (!longer)
        return APR_ENOMEM;
    *list = longer;
    return APR_SUCCESS;
}

apr_status_t ocspx_fetch_curl_make(ocspx_fetch_t **fetch, apr_pool_t *p)
{
    static const char accept[] = "Accept: application/ocsp-response";
    network_t *network = apr_pcalloc(p, sizeof(*network));

    network->face.start = start;
    network->face.poll = work;
    network->face.wake = wake;
    network->pool = p;
    network->multi = curl_multi_init();
    if (!network->multi)
        return APR_ENOMEM;
    apr_pool_cleanup_register(p, network, end_network, apr_pool_cleanup_null);
    if (append(&network->get_headers, accept) ||
        append(&network->post_headers, accept) ||
        append(&network->post_headers,
               "Content-Type: application/ocsp-request") ||
        append(&network->post_headers, "Expect:") ||
        append(&network->cert_headers,
               "Accept: application/pkix-cert, application/pkcs7-mime, "
               "*/*;q=0.1"))
        return APR_ENOMEM;
    curl_multi_setopt(network->multi, CURLMOPT_MAXCONNECTS,
                      IDLE_CONNECTIONS_MAX);
    *fetch = &network->face;
    return APR_SUCCESS;
}

apr_status_t ocspx_fetch_global_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? APR_SUCCESS
                                                             : APR_EGENERAL;
}
