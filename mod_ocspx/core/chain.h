/* chain: is what a client is sent all it needs to accept the certificate? */
#ifndef OCSPX_CHAIN_H
#define OCSPX_CHAIN_H

#include <apr_hash.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>
#include <openssl/x509.h>

#include "cause.h"

/** Whom clients trust. */
typedef struct {
    X509_STORE *roots;
    int all; /* these are all there are; 0: a private CA may have its own */
} ocspx_chain_trust_t;

typedef struct {
    const apr_array_header_t *served; /* X509 *: as sent, leaf first */
    const ocspx_chain_trust_t *trust;
    apr_hash_t *unknown; /* names it was found not to know, to be kept from one
                            chain to the next; NULL: it is asked each time */
    const apr_array_header_t *hosts; /* const char *: what the leaf has to
                                        cover: host names, "*.suffix", IP
                                        addresses; NULL: nothing */
    const char *unstapled; /* why the leaf is not stapled, as in "clients demand
                              a staple, but <unstapled>"; "": it is; NULL: it
                              is if it names a responder */
    const char *file;      /* to mend, where it is a file; NULL: unknown */
    apr_time_t now;
} ocspx_chain_question_t;

typedef struct {
    ocspx_cause_e cause;
    ocspx_cause_severity_e severity; /* mostly the cause's own */
    const char *subject;             /* of the certificate concerned */
    const char *message;             /* the exact facts, one sentence without
                                        a final stop; printable */
    const char *remedy;              /* mostly the cause's own */
} ocspx_chain_finding_t;

typedef struct {
    int complete; /* a client that knows the root accepts it (RFC 5280, 6);
                     whatever its name, and whatever is sent besides */
    apr_array_header_t *findings; /* ocspx_chain_finding_t, worst first */
    X509 *gap; /* of those served: the one whose issuer is missing; NULL:
                  nothing is missing */
    apr_array_header_t *urls; /* const char *: where the gap's issuer can be
                                 fetched (caIssuers; RFC 5280, 4.2.2.1) */
} ocspx_chain_t;

/** Not more than this is left of a certificate that "expires soon". */
#define OCSPX_CHAIN_SOON apr_time_from_sec(30 * 86400)

/**
 * Judge a chain. Leaves no OpenSSL error behind. Looks certificates up in the
 * trust store, which may read a directory; otherwise without I/O.
 */
void ocspx_chain_judge(ocspx_chain_t *out,
                       const ocspx_chain_question_t *question, apr_pool_t *p);

/** The worst severity of any finding; INFO where there is none. */
ocspx_cause_severity_e ocspx_chain_worst(const ocspx_chain_t *chain);

/**
 * Has @a issuer, a CA, really signed @a cert? Name, key identifiers, CA rights
 * and signature; not the time.
 */
int ocspx_chain_issued(X509 *issuer, X509 *cert);

#endif
