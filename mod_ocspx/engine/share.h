/* share: stores that several servers have in common, so that what one of
 * them fetches the others need not ask for.
 *
 * It is never waited for and never trusted. Only the refresher uses it, in its
 * thread; whoever has a store to offer makes an ocspx_share_store_t.
 */
#ifndef OCSPX_SHARE_H
#define OCSPX_SHARE_H

#include <apr_pools.h>
#include <apr_time.h>

#include "ledger.h"
#include "log.h"
#include "registry.h"

/** What a value is kept under: a version of the format, the hash of the CertID
 * asked for, the certificate's digest. */
#define OCSPX_SHARE_KEY_LEN (2 + OCSPX_CERT_DIGEST_LEN)

/** The longest value: a response and what goes before it. */
#define OCSPX_SHARE_VALUE_MAX (8 + OCSPX_RESPONSE_SIZE_MAX)

/** A question that is not answered by then never is, and the store is left
 * alone: first for so long, then for twice as long and so on. */
#define OCSPX_SHARE_TIMEOUT apr_time_from_sec(1)
#define OCSPX_SHARE_PAUSE_MIN apr_time_from_sec(5)
#define OCSPX_SHARE_PAUSE_MAX apr_time_from_sec(60)

/** So many questions and values wait at most, for each store. */
#define OCSPX_SHARE_WAITING_MAX 2000

#define OCSPX_SHARE_STORES_MAX 16

/* --- the store -------------------------------------------------------- */

typedef struct {
    unsigned char key[OCSPX_SHARE_KEY_LEN];
    const unsigned char *value; /* to be kept; NULL: one is asked for */
    apr_size_t len;
    apr_time_t expiry; /* to be kept so long */
} ocspx_share_job_t;

typedef struct {
    apr_status_t status; /* APR_NOTFOUND: the store works, and has none */
    const unsigned char *value; /* until the next job begins */
    apr_size_t len;             /* 0: it is empty, or longer than any may be */
} ocspx_share_result_t;

/** Does jobs in the order in which they begin; no function waits. */
typedef struct ocspx_share_store_t ocspx_share_store_t;
struct ocspx_share_store_t {
    const char *name; /* printable, for log and report */
    unsigned depth;   /* so many jobs may have begun and not been collected */
    /** @a job is copied. */
    apr_status_t (*begin)(ocspx_share_store_t *store,
                          const ocspx_share_job_t *job);
    /** @return 1: the first of them has ended so; 0: not yet */
    int (*collect)(ocspx_share_result_t *result, ocspx_share_store_t *store);
    /** The end of none of them is of interest any more. */
    void (*abandon)(ocspx_share_store_t *store);
};

/* --- sharing ---------------------------------------------------------- */

typedef struct ocspx_share_t ocspx_share_t;

/** Of a certificate; to be judged like anything from the network. */
typedef struct {
    const unsigned char *der;
    apr_size_t len;
    apr_time_t fresh_until; /* HTTP freshness; 0: unknown */
    const char *from;       /* the store's name, where it was found */
} ocspx_share_found_t;

/** @param found NULL: nothing, or nobody could say */
typedef void ocspx_share_found_fn(void *baton,
                                  const ocspx_share_found_t *found);

/** @param ledger NULL: there is none; the rest outlives the share */
ocspx_share_t *ocspx_share_make(ocspx_share_store_t *store,
                                ocspx_ledger_t *ledger, const ocspx_log_t *log,
                                apr_time_t (*clock)(void), apr_pool_t *p);

/** One more store, of OCSPX_SHARE_STORES_MAX, before the first question: each
 * has a part of what is shared, and its share of those that do not work. */
void ocspx_share_add(ocspx_share_t *share, ocspx_share_store_t *store);

/** Is there a response for @a entry? @a done is called once, perhaps before
 * this returns, and never later than OCSPX_SHARE_TIMEOUT and a turn. */
void ocspx_share_look_up(ocspx_share_t *share,
                         const ocspx_registry_entry_t *entry,
                         ocspx_share_found_fn *done, void *baton);

/** Keep a response for @a entry, if that can be done, until @a expiry. */
void ocspx_share_put(ocspx_share_t *share, const ocspx_registry_entry_t *entry,
                     const ocspx_share_found_t *response, apr_time_t expiry);

/** What was found at @a from has been judged; @a message says why it is not
 * used. */
void ocspx_share_judged(ocspx_share_t *share,
                        const ocspx_registry_entry_t *entry, const char *from,
                        ocspx_ledger_share_e what, ocspx_cause_e cause,
                        const char *message);

/** Go on with what is under way. */
void ocspx_share_turn(ocspx_share_t *share);

/** How many questions and values the stores have not dealt with yet. */
unsigned ocspx_share_waiting(const ocspx_share_t *share);

#endif
