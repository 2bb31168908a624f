/* signer: who signed a response, and may they? */
#ifndef OCSPX_SIGNER_H
#define OCSPX_SIGNER_H

#include <apr_pools.h>
#include <apr_time.h>
#include <openssl/ocsp.h>

#include "cause.h"
#include "cert.h"

typedef struct {
    ocspx_cause_e cause;   /* NONE: the signature is good and theirs to give */
    const char *message;   /* why not; NULL when cause is NONE */
    const char *name;      /* subject, printable; NULL if not found */
    apr_time_t until;      /* notAfter of a delegated signer; 0: the issuer */
    const char *objection; /* why OpenSSL's own verification of everything, with
                              only the issuer trusted, failed; NULL: it did
                              not */
} ocspx_signer_t;

/**
 * Check signer and signature (RFC 6960, 3.2 and 4.2.2.2): the issuer of
 * @a cert itself, or somebody it directly certified for OCSPSigning; valid at
 * @a now, and by no digest that can be forged. Leaves OpenSSL errors on the
 * queue.
 */
void ocspx_signer_judge(ocspx_signer_t *out, OCSP_BASICRESP *basic,
                        const ocspx_cert_t *cert, apr_time_t now,
                        apr_pool_t *p);

#endif
