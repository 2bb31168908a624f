/* ledger: what happened, for the report: the last attempts for each
 * certificate, and counts for each responder.
 *
 * One shared-memory segment beside the cache's. Written by the refresher (the
 * cache's writer) alone; nothing ever depends on what it says. Every value is
 * one relaxed atomic, so a reader may see the halves of two attempts, and a
 * writer may be killed at any time.
 */
#ifndef OCSPX_LEDGER_H
#define OCSPX_LEDGER_H

#include <apr_pools.h>
#include <apr_time.h>

#include "../core/cause.h"
#include "../core/cert.h"

typedef struct ocspx_ledger_t ocspx_ledger_t;

/** So many attempts are remembered for each certificate. */
#define OCSPX_LEDGER_ATTEMPTS 16

typedef struct {
    apr_time_t time; /* its end */
    apr_interval_time_t took;
    ocspx_cause_e cause; /* of the group OK: there is a new response */
    int http_status;     /* 0: no answer */
} ocspx_ledger_attempt_t;

/** Durations are counted by these upper bounds, in seconds; the last bucket
 * has none. */
#define OCSPX_LEDGER_BOUNDS                                                    \
    {                                                                          \
        0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10                       \
    }
#define OCSPX_LEDGER_BUCKETS 11

/** One responder: "host:port", or a file. */
typedef struct {
    const char *name;                               /* printable; lives as
                                                       long as the ledger */
    apr_uint64_t requests;                          /* sent */
    apr_uint64_t attempts[OCSPX_CAUSE_GROUP_COUNT]; /* by result */
    apr_uint64_t durations[OCSPX_LEDGER_BUCKETS];   /* of attempts */
    apr_interval_time_t duration_sum;
    apr_time_t failing_since; /* 0: the last attempt gave a response */
    ocspx_cause_e cause;      /* of the last attempt */
    apr_time_t asked;         /* last, over the network; see egress.h */
} ocspx_ledger_host_t;

/** What became of the look-ups in what servers share, and of what was put
 * there. */
typedef enum {
    OCSPX_LEDGER_SHARE_HIT,
    OCSPX_LEDGER_SHARE_MISS, /* nothing there, or nothing newer */
    OCSPX_LEDGER_SHARE_BAD,  /* something wrong */
    OCSPX_LEDGER_SHARE_PUT,
    OCSPX_LEDGER_SHARE_COUNTS
} ocspx_ledger_share_e;

typedef struct {
    apr_time_t down_since; /* 0: it works */
    apr_uint64_t counts[OCSPX_LEDGER_SHARE_COUNTS];
} ocspx_ledger_share_t;

/** What the refresher is doing. */
typedef struct {
    apr_int64_t pid;  /* 0: there is none yet */
    apr_time_t since; /* it became the refresher */
    apr_time_t turn;  /* it last looked for something due */
} ocspx_ledger_refresher_t;

/**
 * @param digests of n certificates, OCSPX_CERT_DIGEST_LEN bytes each
 * @param hosts names of the responders, const char *
 */
apr_status_t ocspx_ledger_create(ocspx_ledger_t **ledger,
                                 const unsigned char *digests, unsigned n,
                                 const apr_array_header_t *hosts,
                                 apr_pool_t *p);

/** Whom an attempt asked that did not get as far as a responder. */
#define OCSPX_LEDGER_NOBODY (~0U)

/**
 * Writer only: one question for a certificate and what it came to.
 * @param host number of the responder, or OCSPX_LEDGER_NOBODY
 * @param requests sent to it
 */
void ocspx_ledger_note(ocspx_ledger_t *ledger, unsigned cert, unsigned host,
                       const ocspx_ledger_attempt_t *attempt,
                       unsigned requests);

/** Writer only: this process is the refresher, and looked at @a now. */
void ocspx_ledger_turn(ocspx_ledger_t *ledger, apr_time_t now);

/** Writer only. @param since 0: it works */
void ocspx_ledger_share_down(ocspx_ledger_t *ledger, apr_time_t since);
void ocspx_ledger_share_count(ocspx_ledger_t *ledger,
                              ocspx_ledger_share_e what);

/** The last attempts for a certificate, latest first; @return how many. */
unsigned
ocspx_ledger_attempts(ocspx_ledger_attempt_t attempts[OCSPX_LEDGER_ATTEMPTS],
                      const ocspx_ledger_t *ledger, unsigned cert);

unsigned ocspx_ledger_hosts(const ocspx_ledger_t *ledger);
void ocspx_ledger_host(ocspx_ledger_host_t *out, const ocspx_ledger_t *ledger,
                       unsigned host);
void ocspx_ledger_refresher(ocspx_ledger_refresher_t *out,
                            const ocspx_ledger_t *ledger);

void ocspx_ledger_share(ocspx_ledger_share_t *out,
                        const ocspx_ledger_t *ledger);

/** Take over what the previous generation's says of the same certificates and
 * responders; as little trusted as in ocspx_cache_carry. From the parent. */
void ocspx_ledger_carry(ocspx_ledger_t *to, const ocspx_ledger_t *from,
                        apr_time_t now, apr_pool_t *ptemp);

#endif
