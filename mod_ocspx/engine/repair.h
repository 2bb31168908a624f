/* repair: completes a chain that lacks an intermediate (OCSPXChainRepair).
 *
 * What is missing is fetched from where the certificate below says (caIssuers;
 * RFC 5280, 4.2.2.1), one certificate after the other until the chain is
 * complete. Nothing is believed but signatures: a repair is used only where
 * ocspx_chain_judge calls the whole chain complete. What is to be sent behind
 * the leaf is then kept in the state directory as PEM: all of it, and nothing
 * that was configured and does not belong to it.
 */
#ifndef OCSPX_REPAIR_H
#define OCSPX_REPAIR_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "../core/cert.h"
#include "../core/chain.h"
#include "store.h"

/** At most so many certificates are added to one chain. */
#define OCSPX_REPAIR_MAX 4

/** What is to be repaired; made by the parent, for every process. */
typedef struct {
    ocspx_cert_t *cert; /* without issuer, unless that is known already */
    apr_array_header_t *served; /* X509 *: as configured, leaf first */
    const ocspx_chain_trust_t *trust;
    const char *file; /* that the certificate is in; NULL: not known */
    int repaired;     /* in this process; see ocspx_repair_apply */
} ocspx_repair_t;

/** Can this chain be repaired: does it lack an intermediate that some
 * certificate says where to fetch? */
int ocspx_repair_possible(const ocspx_chain_t *chain);

/** One attempt; lives in its pool. */
typedef struct {
    const ocspx_repair_t *repair;
    apr_array_header_t *path;    /* X509 *: the leaf, what of those configured
                                    belongs above it, and what was added */
    int configured;              /* so many of these were not added */
    apr_array_header_t *urls;    /* const char *: for the next one */
    int url;                     /* the next of these */
    apr_array_header_t *sources; /* const char *: URLs of those added */
    ocspx_cause_e cause; /* where there is nobody to ask from the start: why */
    const char *message;
    apr_pool_t *pool;
} ocspx_repair_try_t;

typedef enum {
    OCSPX_REPAIR_REFUSED, /* ask the next URL */
    OCSPX_REPAIR_MORE,    /* taken, and one more is missing: ask the next URL */
    OCSPX_REPAIR_COMPLETE
} ocspx_repair_result_e;

ocspx_repair_try_t *ocspx_repair_begin(const ocspx_repair_t *repair,
                                       apr_time_t now, apr_pool_t *p);

/** The next URL to fetch a certificate from; NULL: there is no other. */
const char *ocspx_repair_next(ocspx_repair_try_t *attempt);

/**
 * Judge what came from the URL asked last: DER, PEM or PKCS #7.
 * @param cause,message set where it is refused; the message lacks the URL
 */
ocspx_repair_result_e ocspx_repair_take(ocspx_cause_e *cause,
                                        const char **message,
                                        ocspx_repair_try_t *attempt,
                                        const unsigned char *data,
                                        apr_size_t len, apr_time_t now);

/** X509 *: all that is to be sent behind the leaf, upwards; freed with the
 * attempt. */
apr_array_header_t *ocspx_repair_chain(const ocspx_repair_try_t *attempt);

/** Keep a complete repair. */
apr_status_t ocspx_repair_save(const char **why,
                               const ocspx_repair_try_t *attempt,
                               ocspx_store_t *store, apr_pool_t *p);

/**
 * What was kept, judged again as if it came from the network.
 * @param chain X509 *: all that is to be sent behind the leaf, upwards, in
 *        place of what is configured; freed with @a p
 * @return APR_ENOENT where nothing is kept; else @a why says what is wrong
 */
apr_status_t ocspx_repair_load(apr_array_header_t **chain, const char **why,
                               const ocspx_repair_t *repair,
                               ocspx_store_t *store, apr_time_t now,
                               apr_pool_t *p);

/**
 * Note that it is repaired, and tell the certificate its issuer, the first of
 * @a chain. By the parent before the fork, or by the one thread of a process
 * that asks responders.
 */
void ocspx_repair_apply(ocspx_repair_t *repair,
                        const apr_array_header_t *chain);

#endif
