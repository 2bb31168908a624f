/* responder_private: what the files of the responder share.
 *
 *   responder.c           the test's side: process, scripts, counters
 *   responder_document.c  documents beside OCSP
 *   responder_server.c    the process: sockets, one poll loop
 *   responder_listener.c  the listening socket
 *   responder_http.c      HTTP to OCSP request, and bytes to HTTP answer
 *   responder_script.c    which answer
 */
#ifndef OCSPX_TEST_RESPONDER_PRIVATE_H
#define OCSPX_TEST_RESPONDER_PRIVATE_H

#include <apr_hash.h>
#include <apr_tables.h>
#include <pthread.h>

#include "responder.h"

#define RESPONDER_HEAD_MAX 4096

/** A script with what its pointers point to; these themselves are unused. */
typedef struct {
    int set;
    responder_script_t script;
    char url[RESPONDER_URL_MAX];
    char headers[RESPONDER_HEADERS_MAX];
    char type[RESPONDER_PATH_MAX];
    unsigned char body[RESPONDER_BODY_MAX];
} responder_slot_t;

typedef struct {
    char path[RESPONDER_PATH_MAX]; /* "": not used yet */
    unsigned requests;
    responder_slot_t slot;
} responder_document_t;

/** Memory of both processes. */
typedef struct {
    pthread_mutex_t lock; /* robust: the server may be killed holding it */
    unsigned version;     /* of the script for all */
    unsigned in_force;    /* the version the listener is in the state of */
    responder_counts_t counts;
    unsigned requests[RESPONDER_CERTS_MAX];
    apr_time_t times[RESPONDER_TIMES_MAX]; /* a ring, as is the next */
    int whose[RESPONDER_TIMES_MAX];        /* index; -1: never added */
    char last_head[RESPONDER_HEAD_MAX];
    responder_slot_t common;
    responder_slot_t own[RESPONDER_CERTS_MAX];
    responder_document_t documents[RESPONDER_DOCUMENTS_MAX];
} responder_shared_t;

typedef struct {
    const pki_t *leaf;
    const pki_t *issuer;
    const pki_t *signer;
    int same_serial; /* index of one added before; -1: none */
} responder_cert_t;

struct responder_t {
    apr_pool_t *pool;
    const char *host;
    int port;
    const char *url;
    pid_t pid; /* 0: stopped */
    responder_shared_t *shared;
    int count;
    responder_cert_t certs[RESPONDER_CERTS_MAX];
    apr_hash_t *by_serial;     /* int *: index of the last one added */
    apr_array_header_t *casts; /* of responder_script.c */
};

/** One HTTP request. */
typedef struct {
    const char *head; /* up to the empty line */
    int post;
    int close;          /* the client wants the connection closed after it */
    OCSP_REQUEST *ocsp; /* NULL: there is none in it */
} responder_request_t;

typedef enum {
    RESPONDER_SEND,
    RESPONDER_SAY_NOTHING,
    RESPONDER_DISCONNECT
} responder_act_e;

/** What to do with a request. */
typedef struct {
    responder_act_e act;
    const char *bytes;
    apr_size_t len;
    int delay_ms;
    int byte_ms;
    int close;
    int reset; /* not orderly */
    /** Of the part at the end to send again and again; 0: none. */
    apr_size_t repeated;
} responder_reply_t;

/** Length of the HTTP request that @a in begins with; 0: not all there. */
apr_size_t responder_http_length(const char *in, apr_size_t have,
                                 apr_pool_t *p);
void responder_http_parse(responder_request_t *request, const char *in,
                          apr_size_t len, apr_pool_t *p);

/** An HTTP answer with this body; the rest is as in @a slot.
 * @param type NULL: none is named */
void responder_http_build(responder_reply_t *reply, int status,
                          const char *type, const void *body, apr_size_t len,
                          const responder_slot_t *slot, apr_pool_t *p);

/** An answer whose body never ends. */
void responder_http_endless(responder_reply_t *reply, const char *type,
                            const responder_slot_t *slot, apr_pool_t *p);

/** Make @a cert, an index, one that can be asked about. */
void responder_script_enter(responder_t *r, int cert);

/** Index of the certificate asked about; -1: never added. */
int responder_script_find(const responder_t *r, OCSP_REQUEST *request);
/** Was SHA-256 used for the CertID asked about? */
int responder_script_is_sha256(OCSP_REQUEST *request);
/** @param cert its index, not -1 */
void responder_script_reply(responder_reply_t *reply, responder_t *r, int cert,
                            OCSP_REQUEST *request, const responder_slot_t *slot,
                            apr_pool_t *p);
/** The answer to a request for a document. */
void responder_script_document(responder_reply_t *reply,
                               const responder_slot_t *slot, apr_pool_t *p);
void responder_script_error(responder_reply_t *reply, int ocsp_status,
                            const responder_slot_t *slot, apr_pool_t *p);

#define RESPONDER_FILLERS 8

typedef struct {
    const responder_t *r;
    int fd;                         /* -1: closed */
    responder_answer_e mode;        /* NORMAL, REFUSE, BLACK_HOLE or SLAM */
    int fillers[RESPONDER_FILLERS]; /* in the backlog of a black hole */
} responder_listener_t;

void responder_listener_init(responder_listener_t *l, const responder_t *r);
/** Bring it into the state the script for all wants. */
void responder_listener_set(responder_listener_t *l, responder_answer_e wanted);

/** The server's part; never returns. */
void responder_server_run(responder_t *r) __attribute__((noreturn));

/** The document that a request is about; NULL: none. */
responder_document_t *
responder_document_find(responder_shared_t *shared,
                        const responder_request_t *request);

/** Copy a script with all that it points to. */
void responder_slot_fill(responder_slot_t *slot,
                         const responder_script_t *script);

void responder_lock(responder_shared_t *shared);
void responder_unlock(responder_shared_t *shared);

#endif
