/* source: what the report is made from: the generation as the engine knows it.
 */
#ifndef OCSPX_SOURCE_H
#define OCSPX_SOURCE_H

#include "generation.h"

/**
 * Note a certificate of @a s that is not in the registry, and why.
 * @param provided another module staples it
 * @param known_issuer mod_ssl has found its issuer
 */
void ocspx_source_add(ocspx_generation_t *generation, server_rec *s, X509 *leaf,
                      int provided, int known_issuer);

/** Once all is noted and every chain is checked; in the parent. */
void ocspx_source_prepare(ocspx_generation_t *generation, apr_pool_t *pconf);

/** What to make a report from; valid as long as the generation. */
ocspx_report_source_t ocspx_source_of(const ocspx_generation_t *generation);

#endif
