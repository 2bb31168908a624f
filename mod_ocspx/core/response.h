/* response: may these bytes be stapled for this certificate, and until when?
 *
 * The only caller of OCSP_* on responses. Everything that reaches a client
 * has been judged good or revoked here, wherever it came from.
 */
#ifndef OCSPX_RESPONSE_H
#define OCSPX_RESPONSE_H

#include <apr_pools.h>
#include <apr_time.h>

#include "cause.h"
#include "cert.h"

typedef enum {
    OCSPX_RESPONSE_REJECT = 0, /* not to be used for anything */
    OCSPX_RESPONSE_GOOD,       /* to be stapled */
    OCSPX_RESPONSE_REVOKED,    /* authentic; to be stapled unless withheld */
    OCSPX_RESPONSE_UNKNOWN     /* authentic; never stapled */
} ocspx_response_verdict_e;

typedef struct {
    apr_interval_time_t skew;    /* how far thisUpdate may lie ahead of us */
    apr_interval_time_t max_age; /* refuse an older thisUpdate; 0: any age */
} ocspx_response_policy_t;

/** A response without nextUpdate is kept this long after thisUpdate. */
#define OCSPX_RESPONSE_KEEP_OPEN apr_time_from_sec(12 * 3600)

/** The largest there can be, in bytes. In TLS 1.3 it shares less than 64 KB
 * with all other extensions of the certificate (RFC 8446, 4.4.2); OpenSSL
 * lets a handshake fail that has no room for it. */
#define OCSPX_RESPONSE_SIZE_MAX 64000

#define OCSPX_RESPONSE_SKEW_DEFAULT apr_time_from_sec(300)

typedef struct {
    ocspx_response_verdict_e verdict;
    ocspx_cause_e cause;    /* NONE or SIGNER_EXPIRES_EARLY when good; REVOKED,
                               UNKNOWN; else why */
    const char *message;    /* one sentence with the exact facts; printable;
                               never NULL */
    int status;             /* V_OCSP_CERTSTATUS_*, -1 if there is none */
    apr_time_t this_update; /* 0 where the response has none */
    apr_time_t next_update; /* 0 where the response has none */
    apr_time_t produced_at;
    apr_time_t revoked_at; /* 0 unless revoked */
    apr_time_t expiry;     /* not to be sent from this moment on: the least
                              of nextUpdate (or KEEP_OPEN) and the notAfter
                              of a delegated signer; 0 when rejected */
    const char *signer;    /* its subject, printable; NULL if not found */
} ocspx_response_t;

/**
 * Judge a response at the time @a now. Checks in protocol order: size,
 * encoding, responseStatus, type, critical extensions, signer (RFC
 * 6960, 4.2.2.2), signature, CertID, status, times. Fills @a out in every case.
 */
void ocspx_response_judge(ocspx_response_t *out, const unsigned char *der,
                          apr_size_t len, const ocspx_cert_t *cert,
                          const ocspx_response_policy_t *policy, apr_time_t now,
                          apr_pool_t *p);

/** "good", "revoked", "unknown" or "reject". */
const char *ocspx_response_verdict_name(ocspx_response_verdict_e verdict);

#endif
