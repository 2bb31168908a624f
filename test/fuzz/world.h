/* world: the certificates of the fuzz targets, always the same:
 *
 *   root -> upper -> ca -> leaf
 *                      \-> signer  (of responses)
 */
#ifndef OCSPX_FUZZ_WORLD_H
#define OCSPX_FUZZ_WORLD_H

#include "../../mod_ocspx/core/cert.h"
#include "../../mod_ocspx/core/chain.h"
#include "../support/pki.h"

typedef struct {
    pki_t *root, *upper, *ca, *leaf, *signer;
    ocspx_cert_t *cert;        /* of the leaf */
    ocspx_chain_trust_t trust; /* the root, and no other */
} fuzz_world_t;

fuzz_world_t *fuzz_world_make(apr_pool_t *p);

/** A certificate by @a issuer (NULL: itself), the same each time. @param spec
 * serial is not 0; use_key is the leaf's if it is NULL */
pki_t *fuzz_world_cert(const fuzz_world_t *world, pki_spec_t spec,
                       const pki_t *issuer, apr_pool_t *p);

/** Good, an hour old, valid for another. */
pki_single_t fuzz_world_good(const fuzz_world_t *world);

/** All that a responder may send about the leaf, and some that it must not:
 * a fuzz_seed each, behind @a prefix. */
void fuzz_world_seed_responses(const fuzz_world_t *world, const char *prefix,
                               apr_pool_t *p);

/** Likewise for certificates: chains, halves of chains, in PEM, DER and
 * PKCS #7. */
void fuzz_world_seed_certs(const fuzz_world_t *world, const char *prefix,
                           apr_pool_t *p);

/**
 * OpenSSL's own word on a response, without any of our code: is it authentic,
 * and is all it says of the leaf one status, and current at FUZZ_NOW?
 * @param expiry must not be later than it or its signer is valid
 * @return V_OCSP_CERTSTATUS_*; -1: it is not
 */
int fuzz_world_status(const fuzz_world_t *world, const unsigned char *der,
                      size_t len, apr_time_t expiry);

/** OpenSSL's own word on a chain: leaf first, all X509 *. */
int fuzz_world_trusts(const fuzz_world_t *world,
                      const apr_array_header_t *chain);

#endif
