/* source: what the report is made from: the generation as the engine knows it.
 */
#ifndef OCSPX_SOURCE_H
#define OCSPX_SOURCE_H

#include "generation.h"

/** A certificate that a virtual host serves. */
typedef struct {
    X509 *leaf;
    const ocspx_registry_entry_t *entry; /* NULL: not in the registry */
    int other; /* then: its number in the generation's others */
} ocspx_source_cert_t;

/** Note a certificate of @a s that is in the registry. */
void ocspx_source_add_entry(ocspx_generation_t *generation, server_rec *s,
                            X509 *leaf, const ocspx_registry_entry_t *entry);

/**
 * Note a certificate of @a s that is not in the registry, and why.
 * @param provided another module staples it
 */
void ocspx_source_add(ocspx_generation_t *generation, server_rec *s, X509 *leaf,
                      int provided);

/** What was noted of a certificate; it is not looked into. NULL: nothing. */
const ocspx_source_cert_t *
ocspx_source_cert(const ocspx_generation_t *generation, const X509 *leaf);

/** The certificates of @a s, from 0 on; NULL: none by that number. */
const ocspx_source_cert_t *
ocspx_source_cert_of(const ocspx_generation_t *generation, const server_rec *s,
                     unsigned i);

/** Once all is noted and every chain is checked; in the parent. */
void ocspx_source_prepare(ocspx_generation_t *generation, apr_pool_t *pconf);

/** What to make a report from; valid as long as the generation. */
ocspx_report_source_t ocspx_source_of(const ocspx_generation_t *generation);

#endif
