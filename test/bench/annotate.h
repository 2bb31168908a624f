/* annotate: in which functions callgrind has counted how much. */
#ifndef OCSPX_BENCH_ANNOTATE_H
#define OCSPX_BENCH_ANNOTATE_H

#include <apr_hash.h>

#include "table.h"

/** A row for each of the functions with most instructions in a file of
 * callgrind's. @param times what was counted was done so often */
void annotate_functions(table_t *table, const char *path, int times,
                        apr_pool_t *p);

/**
 * Instructions by the program or library they are in: double * by "libc".
 * Functions that never return have all of them; these are left out.
 * @param less another file, whose instructions are taken off
 * @param all how many there are
 */
apr_hash_t *annotate_objects(const char *path, const char *less, double all,
                             apr_pool_t *p);

#endif
