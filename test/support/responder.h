/* responder: an OCSP responder that does what it is told, and counts.
 *
 *   r = responder_make(NULL, 0, p);
 *   ... pki_make() with .ocsp_urls = responder_url(r) ...
 *   responder_add(r, leaf, issuer, issuer);
 *   responder_start(r);
 *   responder_script(r, NULL, &(responder_script_t){.answer = RESPONDER_HANG});
 *
 * It is a forked process. Scripts and counters lie in memory shared with it:
 * a script is in force for every request read after responder_script()
 * returned, without a restart, and may be set before the start. It dies with
 * the test process or the pool. Aborts with a message where it cannot work.
 */
#ifndef OCSPX_TEST_RESPONDER_H
#define OCSPX_TEST_RESPONDER_H

#include <apr_pools.h>
#include <apr_time.h>

#include "pki.h"

/** Certificates one responder can know. */
#define RESPONDER_CERTS_MAX 16384
/** Single responses in one response. */
#define RESPONDER_SINGLES_MAX 3
/** Longest body, list of headers and URL of a script. */
#define RESPONDER_BODY_MAX 65536
#define RESPONDER_HEADERS_MAX 1024
#define RESPONDER_URL_MAX 512
/** Documents one responder can have, and longest path and type of one. */
#define RESPONDER_DOCUMENTS_MAX 16
#define RESPONDER_PATH_MAX 64
/** So many request times are remembered. */
#define RESPONDER_TIMES_MAX 8192

typedef struct responder_t responder_t;

typedef enum {
    RESPONDER_NORMAL = 0, /* a signed response; see the other settings */

    /* the whole listener; ignored in a script for one certificate */
    RESPONDER_REFUSE,     /* not listening; all connections closed */
    RESPONDER_BLACK_HOLE, /* connects are neither accepted nor refused */
    RESPONDER_SLAM,       /* resets each connection at once */

    /* the connection */
    RESPONDER_HANG,             /* reads the request, never answers it */
    RESPONDER_RESET,            /* reads the request, resets the connection */
    RESPONDER_RESET_IN_HEAD,    /* the same after part of the headers */
    RESPONDER_RESET_AFTER_HEAD, /* after all of them */
    RESPONDER_RESET_IN_BODY,    /* after half of the body */
    RESPONDER_RAW,              /* sends body, whatever it is, and closes */

    /* HTTP */
    RESPONDER_HTTP,       /* http_status with body */
    RESPONDER_HTML,       /* 200, a page of HTML */
    RESPONDER_REDIRECT,   /* http_status (0: 302) to url */
    RESPONDER_WRONG_TYPE, /* a good response as text/plain */
    RESPONDER_NO_TYPE,    /* without Content-Type */
    RESPONDER_TRUNCATED,  /* half of a good response, as if it were whole */
    RESPONDER_CUT,        /* Content-Length of the whole, half sent, closed */
    RESPONDER_TRAILED,    /* followed by three more bytes */
    RESPONDER_OVERSIZED,  /* `size' zero bytes */
    RESPONDER_ENDLESS,    /* one chunk after the other, for ever */
    RESPONDER_REPLAY,     /* 200 with body as the response, whatever it is */

    /* OCSP */
    RESPONDER_TRY_LATER,
    RESPONDER_UNAUTHORIZED,
    RESPONDER_INTERNAL,
    RESPONDER_NOT_OCSP,       /* some bytes that are no DER */
    RESPONDER_WRONG_SIGNER,   /* signed by a stranger */
    RESPONDER_SIGNER_NO_EKU,  /* by a certificate of the issuer that may not */
    RESPONDER_SIGNER_EXPIRED, /* by a delegated signer that has expired */
    RESPONDER_BAD_SIGNATURE,
    RESPONDER_OTHER_CERTID, /* about another certificate of the issuer */
    RESPONDER_SEVERAL,      /* three single responses, ours in the middle */
    RESPONDER_EXPIRED,      /* nextUpdate a minute ago */
    RESPONDER_FUTURE        /* thisUpdate in an hour */
} responder_answer_e;

/**
 * What to answer. All zero: good, from now, for a day, at once, keep-alive.
 *
 * Times in a response have whole seconds: thisUpdate (and producedAt) is the
 * time of the request minus `age', rounded down, and nextUpdate is that plus
 * `lifetime' rounded down: a response of 10 s is good for 9 to 10 s from now
 * on.
 */
typedef struct {
    responder_answer_e answer;
    int delay_ms;     /* before the answer begins */
    int byte_ms;      /* send one byte, wait so long, and so on; 0: at once */
    int chunked;      /* Transfer-Encoding: chunked, in small chunks */
    int close;        /* no keep-alive */
    int post_only;    /* a GET is answered with status 405 */
    int http_status;  /* for HTTP and REDIRECT */
    apr_size_t size;  /* for OVERSIZED */
    const char *url;  /* for REDIRECT: the Location */
    const void *body; /* for HTTP and REPLAY, and of a document; copied */
    apr_size_t body_len;
    const char *type;    /* of a document; NULL: application/pkix-cert */
    const char *headers; /* more response headers, each ending in CRLF */

    int ocsp_status; /* OCSP_RESPONSE_STATUS_* of an error; 0: none */
    /** The last say, in the responder's process, about what is signed: one
     * single response, ours, and room for RESPONDER_SINGLES_MAX. */
    void (*craft)(pki_response_t *response, pki_single_t *singles);

    int status;                   /* V_OCSP_CERTSTATUS_*; 0: good */
    apr_interval_time_t age;      /* negative: the responder's clock is ahead */
    apr_interval_time_t lifetime; /* 0: a day */
    int no_next_update;
    apr_size_t padding; /* see pki_response_t */
} responder_script_t;

/**
 * @param host "127.0.0.1" or "::1"; NULL: the former. "0.0.0.0" or "::": all
 *        addresses, of which its URL names none
 * @param port 0: one that is free; it stays the same over stop and start
 */
responder_t *responder_make(const char *host, int port, apr_pool_t *p);

/** "http://127.0.0.1:4711/ocsp"; known before the start. */
const char *responder_url(const responder_t *r);
int responder_port(const responder_t *r);

/**
 * Answer for @a leaf of @a issuer, signing with @a signer (the issuer itself
 * or a delegated signer, whose certificate is then sent along). Other
 * certificates get "unauthorized". Only while it is stopped.
 */
void responder_add(responder_t *r, const pki_t *leaf, const pki_t *issuer,
                   const pki_t *signer);

/** Start, or start again on the same port. Returns once it listens. */
void responder_start(responder_t *r);

/** Kill it and reap it; clients see resets, then refusals. */
void responder_stop(responder_t *r);

/** Script for one certificate, or (@a leaf NULL) for all that have no own. */
void responder_script(responder_t *r, const pki_t *leaf,
                      const responder_script_t *script);

/** Back to the script for all. */
void responder_script_drop(responder_t *r, const pki_t *leaf);

typedef struct {
    unsigned requests;       /* OCSP requests read, whatever the answer */
    unsigned get;            /* of these by GET */
    unsigned post;           /* by POST */
    unsigned sha256;         /* with a CertID made by SHA-256 */
    unsigned unknown;        /* for a certificate that was never added */
    unsigned malformed;      /* HTTP requests without an OCSP request */
    unsigned connections;    /* accepted */
    unsigned concurrent_max; /* most open at once */
} responder_counts_t;

void responder_counts(responder_counts_t *counts, const responder_t *r);
void responder_reset(responder_t *r); /* all counters to 0 */

/** Requests for one certificate, or (@a leaf NULL) for any. */
unsigned responder_requests(const responder_t *r, const pki_t *leaf);

/** Wait for at least @a n of these; @return 1: seen in time. */
int responder_wait(const responder_t *r, const pki_t *leaf, unsigned n,
                   int timeout_ms);

/**
 * When the last requests came, oldest first, with the certificate each was
 * for (NULL: never added).
 * @return how many of the @a max were filled
 */
int responder_times(apr_time_t *times, const pki_t **leaves, int max,
                    const responder_t *r);

/** Request line and headers of the last request; from @a p. */
const char *responder_last_head(const responder_t *r, apr_pool_t *p);

/* Documents beside OCSP, on the same port: what caIssuers URLs name. */

/** "http://127.0.0.1:4711" and @a path, which begins with a slash. */
const char *responder_url_of(const responder_t *r, const char *path);

/**
 * Answer requests for @a path so, from now on; NORMAL: 200 with body and type.
 * The answers that only OCSP knows mean NORMAL here. The script for all plays
 * no role, unless it is one for the whole listener.
 */
void responder_document(responder_t *r, const char *path,
                        const responder_script_t *script);

/** Requests for it, which count nowhere else (but for the connections). */
unsigned responder_document_requests(const responder_t *r, const char *path);

#endif
