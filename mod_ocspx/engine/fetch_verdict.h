/* fetch_verdict: what libcurl saw -> cause and sentence. Pure. */
#ifndef OCSPX_FETCH_VERDICT_H
#define OCSPX_FETCH_VERDICT_H

#include <apr_pools.h>
#include <apr_time.h>
#include <curl/curl.h>

#include "../core/cause.h"

/** How one transfer went. Texts may come from outside, unescaped. */
typedef struct {
    CURLcode code;
    const char *words;    /* libcurl's own, or "" */
    const char *method;   /* "GET" or "POST" */
    const char *url;      /* asked */
    const char *answered; /* URL that answered or failed, after redirects */
    const char *proxy;    /* URL; NULL or "": none known of */
    const char *peer;     /* "address:port" connected to or tried last, or "" */
    const char *type;     /* Content-Type; "": none */
    long status;          /* of the last answer; 0: none */
    long connect_status;  /* of a proxy, to CONNECT; 0: none */
    long redirects;
    long os_errno;       /* of the last connect that failed */
    int resolved;        /* the name has been */
    int connected;       /* at least once */
    int sent;            /* a request */
    int heard;           /* at least one line came */
    int encoded;         /* the answer has a Content-Encoding */
    int flooded;         /* given up for the size of the header */
    int oversized;       /* given up for the size of the body */
    int certificate;     /* was asked for, and so may be of any type but HTML */
    apr_size_t body_len; /* that came */
    apr_size_t max_size; /* allowed */
    apr_interval_time_t took;
} ocspx_fetch_facts_t;

typedef struct {
    ocspx_cause_e cause;
    const char *message; /* "" when cause is NONE */
    int unreachable;     /* as in ocspx_fetch_answer_t */
    int may_differ;      /* by another method, the same responder might give
                            another answer */
} ocspx_fetch_verdict_t;

void ocspx_fetch_verdict(ocspx_fetch_verdict_t *out,
                         const ocspx_fetch_facts_t *facts, apr_pool_t *p);

#endif
