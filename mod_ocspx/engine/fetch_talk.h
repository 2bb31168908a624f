/* fetch_talk: one question and its transfer: how libcurl is told to ask, and
 * what is known when it has ended. Only for fetch.c.
 */
#ifndef OCSPX_FETCH_TALK_H
#define OCSPX_FETCH_TALK_H

#include "fetch.h"
#include "fetch_headers.h"
#include "fetch_verdict.h"

typedef struct {
    apr_pool_t *pool; /* its own */
    CURL *easy;
    const struct curl_slist *get_headers, *post_headers;
    ocspx_fetch_question_t question;
    apr_interval_time_t began; /* monotonic */
    const char *get_url;       /* asks by GET; NULL: by POST */
    int fell_back;             /* to POST, after GET */
    int requests;              /* sent before this one */

    ocspx_fetch_headers_t headers;
    apr_size_t head_len;
    unsigned char *body;
    apr_size_t body_len, body_room;
    int flooded, oversized;
    char tried[80];   /* address of the last connect */
    int socket_errno; /* why there was no socket for it; 0: there was */
    char words[CURL_ERROR_SIZE];
} ocspx_fetch_talk_t;

/** Microseconds on a clock that nobody sets. */
apr_interval_time_t ocspx_fetch_monotonic(void);

/** Make talk->easy, which the pool frees, for pool, question and lists set. */
apr_status_t ocspx_fetch_talk_make(ocspx_fetch_talk_t *talk);

/** Set the easy handle up for asking, in the time that is left. */
void ocspx_fetch_talk_prepare(ocspx_fetch_talk_t *talk);

/** The transfer has ended. @return 1: it is to be prepared again, by POST */
int ocspx_fetch_talk_conclude(ocspx_fetch_answer_t *answer,
                              ocspx_fetch_talk_t *talk, CURLcode code);

#endif
