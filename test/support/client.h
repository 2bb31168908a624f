/* client: a strict TLS client. It judges the staple by OpenSSL alone, with
 * nothing of mod_ocspx in it.
 */
#ifndef OCSPX_TEST_CLIENT_H
#define OCSPX_TEST_CLIENT_H

#include <apr_pools.h>
#include <apr_time.h>

typedef enum { CLIENT_TLS_ANY, CLIENT_TLS12, CLIENT_TLS13 } client_tls_e;
typedef enum { CLIENT_KEY_ANY, CLIENT_KEY_RSA, CLIENT_KEY_EC } client_key_e;

typedef struct {
    const char *host; /* NULL: 127.0.0.1 */
    int port;
    const char *name;    /* SNI, checked against the certificate */
    const char *ca_file; /* PEM with the trusted root */
    client_tls_e tls;
    client_key_e key;
    int no_status_request;
    int timeout_ms; /* for everything; 0: 5000 */
} client_spec_t;

typedef struct {
    int ok;       /* handshake done, chain and name verified */
    int stapled;  /* a response came along */
    int verified; /* successful, signed by who may, about this certificate,
                     in its time window; says nothing about the status */
    int status;   /* V_OCSP_CERTSTATUS_*; -1: none */
    apr_time_t this_update;
    apr_time_t next_update;   /* 0: none */
    const unsigned char *der; /* the response; NULL: none */
    apr_size_t len;
    double ms;          /* from connect to the end of the handshake */
    const char *serial; /* of the leaf, upper-case hex; NULL: none */
    int sent;           /* certificates the server sent, even if not ok */
    const char *chain;  /* their subjects' common names: "a.test, Issuer" */
    const char *error;  /* why not ok or not verified; "" if both */
} client_result_t;

/** One full handshake; @return result->ok. Thread-safe. */
int client_handshake(client_result_t *result, const client_spec_t *spec,
                     apr_pool_t *p);

/** 1: handshake ok and a verified staple that says good. */
int client_good(const client_result_t *result);

/** Handshake until client_good(); @return 1: seen in time. */
int client_wait_good(const client_spec_t *spec, int timeout_ms, apr_pool_t *p);

/* Load: threads that do one handshake after the other. */

typedef struct {
    client_spec_t client;     /* its name is not used */
    const char *const *names; /* in turn */
    int names_count;
    int threads;
    int seconds;  /* for so long; 0: until client_load_finish() */
    int pause_ms; /* between two handshakes of a thread */
} client_load_spec_t;

/** From when to when something took, by procs_ms(). */
typedef struct {
    long begin;
    long end;
} client_span_t;

typedef struct {
    unsigned handshakes; /* tried */
    unsigned failures;   /* not ok */
    unsigned good;       /* with a verified staple, status good */
    unsigned missing;    /* ok without a staple */
    unsigned invalid;    /* ok with a staple that is not good */
    double max_ms;
    double p99_ms;
    const char *error; /* the first failure or invalid staple; "" if none */
    const client_span_t *failed; /* each failure */
} client_load_result_t;

typedef struct client_load_t client_load_t;

client_load_t *client_load_start(const client_load_spec_t *spec, apr_pool_t *p);

/** Wait for the end (seconds 0: stop it now). */
void client_load_finish(client_load_result_t *result, client_load_t *load);

/* Other people's clients: one handshake with the spec's host, port, name and
 * root (TLS version and key type are left to them), strict about the staple.
 * @return 1: it says the staple is there and good; @a output what it wrote */
int client_openssl(const char **output, const client_spec_t *spec,
                   apr_pool_t *p);
int client_curl(const char **output, const client_spec_t *spec, apr_pool_t *p);
int client_gnutls(const char **output, const client_spec_t *spec,
                  apr_pool_t *p);

/**
 * Is the chain complete? `openssl s_client', strict, with the root alone;
 * whatever the certificate's name, and whatever the staple. With the spec's
 * key type.
 */
int client_openssl_chain(const char **output, const client_spec_t *spec,
                         apr_pool_t *p);

/** `openssl ocsp' on a response; @return 1: "Response verify OK". */
int client_openssl_verify(const char **output, const unsigned char *der,
                          apr_size_t len, const char *ca_file,
                          const char *issuer_file, const char *cert_file,
                          apr_pool_t *p);

#endif
