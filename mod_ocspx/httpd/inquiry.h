/* inquiry: asks each responder once, and makes a table of what came of it. */
#ifndef OCSPX_INQUIRY_H
#define OCSPX_INQUIRY_H

#include "generation.h"

typedef struct ocspx_inquiry_t ocspx_inquiry_t;

/**
 * @param generation the current one, which serves nobody; its certificates
 *        become those that are asked about
 */
ocspx_inquiry_t *ocspx_inquiry_make(ocspx_generation_t *generation,
                                    apr_pool_t *p);

/** Add a row: what @a s sends with one certificate, and the verdict on it. */
void ocspx_inquiry_add(ocspx_inquiry_t *inquiry, server_rec *s,
                       const apr_array_header_t *served,
                       const ocspx_chain_t *chain);

/** Add a row: a certificate that cannot be read. */
void ocspx_inquiry_add_trouble(ocspx_inquiry_t *inquiry, server_rec *s,
                               const char *trouble);

/**
 * Ask, in a process of the worker user, for half a minute at most; and print
 * the table to stdout.
 * @return how many rows need somebody to act
 */
unsigned ocspx_inquiry_run(ocspx_inquiry_t *inquiry);

#endif
