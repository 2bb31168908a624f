/* registry: all certificates of this configuration. Filled by the parent at
 * startup, const once the server runs; an entry's index is its cache slot.
 */
#ifndef OCSPX_REGISTRY_H
#define OCSPX_REGISTRY_H

#include <apr_hash.h>
#include <apr_pools.h>
#include <apr_tables.h>

#include "../core/cert.h"
#include "../core/response.h"
#include "../core/schedule.h"
#include "fetch.h"
#include "repair.h"

/** How one certificate is to be treated; the configuration's part of it. */
typedef struct {
    ocspx_response_policy_t response;
    ocspx_schedule_policy_t schedule;
    ocspx_cert_hash_e certid_hash;
    ocspx_fetch_method_e method;
    apr_interval_time_t timeout; /* for one fetch */
    const char *force_url;       /* instead of the certificate's; NULL: none */
    const char *proxy;           /* as in ocspx_fetch_question_t */
    const char *response_file;   /* read instead of any fetch; NULL: none */
    int withhold_revoked;        /* staple nothing rather than "revoked" */
} ocspx_registry_policy_t;

int ocspx_registry_same_policy(const ocspx_registry_policy_t *a,
                               const ocspx_registry_policy_t *b);

typedef struct {
    unsigned index;
    const ocspx_cert_t *cert;
    const ocspx_registry_policy_t *policy; /* of the vhost that came first */
    apr_array_header_t *urls;   /* const char *: responders to ask, in order */
    apr_array_header_t *places; /* const char *: "name:port (file:line)" */
    unsigned host;              /* number of what it asks first */
    const unsigned *responders; /* numbers of the hosts of urls; of the file,
                                   where there is one */
    ocspx_repair_t *repair;     /* to be done first; NULL: the chain is
                                   complete */
} ocspx_registry_entry_t;

typedef struct {
    apr_pool_t *pool;
    apr_array_header_t *entries; /* ocspx_registry_entry_t * */
    apr_hash_t *by_digest;
    apr_hash_t *hosts;   /* "host:port" or file name -> unsigned *: number */
    apr_hash_t *issuers; /* digest -> X509 * */
} ocspx_registry_t;

ocspx_registry_t *ocspx_registry_make(apr_pool_t *p);

/**
 * The first of all X509 objects with the certificate of this issuer; lives as
 * long as the registry. mod_ssl has one for each virtual host, and OpenSSL
 * writes to one that it verifies with: in a child that is a page of its own
 * each time.
 */
X509 *ocspx_registry_issuer(ocspx_registry_t *registry, X509 *issuer);

/**
 * Add @a cert as used at @a place; an entry it already has is extended, also
 * by the issuer if that was not known, and by the first repair.
 * @param repair of this very @a cert; NULL: there is nothing to repair
 * @param conflict set to a sentence where @a policy differs from what the
 *        entry already has and is therefore not used, else NULL
 * @return the entry, or NULL where there is neither responder URL nor file nor
 *         anything to repair, or the issuer is not known and not to be had
 */
ocspx_registry_entry_t *
ocspx_registry_add(ocspx_registry_t *registry, const char **conflict,
                   const ocspx_cert_t *cert, ocspx_repair_t *repair,
                   const ocspx_registry_policy_t *policy, const char *place);

/** What its hosts are called, const char *, by their numbers. */
apr_array_header_t *ocspx_registry_hosts(const ocspx_registry_t *registry,
                                         apr_pool_t *p);

/** Is there a response to be had for it? */
static inline int ocspx_registry_staples(const ocspx_registry_entry_t *entry)
{
    return entry->urls->nelts > 0 || entry->policy->response_file;
}

/** Is its chain still to be repaired, as far as this process knows? */
static inline int
ocspx_registry_lacks_repair(const ocspx_registry_entry_t *entry)
{
    return entry->repair && !entry->repair->repaired;
}

static inline unsigned ocspx_registry_count(const ocspx_registry_t *registry)
{
    return (unsigned)registry->entries->nelts;
}

static inline const ocspx_registry_entry_t *
ocspx_registry_get(const ocspx_registry_t *registry, unsigned i)
{
    return APR_ARRAY_IDX(registry->entries, i, ocspx_registry_entry_t *);
}

#endif
