/* fetch: ask one URL, over HTTP, for an OCSP response or for a certificate.
 * Knows nothing of OCSP but its media types and its GET form (RFC 6960,
 * appendix A; RFC 5019, 5).
 *
 * The refresher knows this as ocspx_fetch_t, a pair of functions, so that its
 * tests can step a network of their own. ocspx_fetch_curl_make gives the real
 * one: a libcurl multi handle, the only use of libcurl in the project.
 */
#ifndef OCSPX_FETCH_H
#define OCSPX_FETCH_H

#include <apr_pools.h>
#include <apr_time.h>

#include "../core/cause.h"

typedef enum {
    OCSPX_FETCH_AUTO, /* GET up to 255 bytes of URL, else POST; POST when a
                         GET was answered with anything but a usable answer */
    OCSPX_FETCH_GET,
    OCSPX_FETCH_POST
} ocspx_fetch_method_e;

/** One question. Everything it points to outlives the call of done. */
typedef struct {
    const char *url;
    const unsigned char *request; /* DER; NULL: a certificate is asked for, by
                                     a GET of url (RFC 5280, 4.2.2.1) */
    apr_size_t request_len;
    ocspx_fetch_method_e method;
    const char *proxy; /* URL; "" none; NULL as the environment says */
    apr_interval_time_t timeout; /* for all of it */
    apr_size_t max_size;         /* of the answer's body */
} ocspx_fetch_question_t;

/** What became of it; valid during the call of done only. */
typedef struct {
    ocspx_cause_e cause; /* NONE: body holds an application/ocsp-response
                            that came with status 200; for a certificate
                            anything that is not HTML */
    const char *message; /* the exact facts in one printable sentence;
                            "" when cause is NONE */
    const unsigned char *body;
    apr_size_t body_len;
    int http_status;        /* 0: no answer */
    const char *peer;       /* "address:port" connected to, or "" */
    apr_time_t date;        /* by Date and Age: the answering server's clock
                               at this moment; 0: unknown */
    apr_time_t fresh_until; /* by Cache-Control max-age less Age, else
                               Expires (RFC 9111, 4.2); 0: unknown */
    apr_time_t retry_after; /* by Retry-After (RFC 9110, 10.2.3); 0: none */
    apr_interval_time_t took;
    int requests;    /* sent for this question */
    int unreachable; /* no connection, no name, or no byte in time:
                        others at this host need not be asked now */
} ocspx_fetch_answer_t;

typedef void ocspx_fetch_done_fn(void *baton,
                                 const ocspx_fetch_answer_t *answer);

typedef struct ocspx_fetch_t ocspx_fetch_t;
struct ocspx_fetch_t {
    /** Begin; done is called exactly once, from poll, unless cancelled. */
    apr_status_t (*start)(ocspx_fetch_t *fetch,
                          const ocspx_fetch_question_t *question,
                          ocspx_fetch_done_fn *done, void *baton);
    /** Work for at most @a wait; returns early when something is done, or
     * when it is woken. */
    apr_status_t (*poll)(ocspx_fetch_t *fetch, apr_interval_time_t wait);
    /** End the poll that goes on, or that comes next; from any thread. */
    void (*wake)(ocspx_fetch_t *fetch);
};

/**
 * The real network. For one thread. Destroying @a p cancels what is under
 * way without calling done, and does not wait for a hanging resolver.
 * curl_global_init is the caller's business, in the worker process.
 */
apr_status_t ocspx_fetch_curl_make(ocspx_fetch_t **fetch, apr_pool_t *p);

/** Process-wide set-up; in the worker process, before its threads. */
apr_status_t ocspx_fetch_global_init(void);

#endif
