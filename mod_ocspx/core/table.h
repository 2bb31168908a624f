/* table: a few columns, and sentences below them, for a terminal. */
#ifndef OCSPX_TABLE_H
#define OCSPX_TABLE_H

#include <apr_pools.h>

/** No line is longer, in characters, if columns and indents allow it. */
#define OCSPX_TABLE_WIDTH 79

/**
 * One row, each cell in lines of its column's width, two spaces between them.
 * @param widths of the columns, one for each cell; the last one is 0
 * @return lines, each with its line end
 */
const char *ocspx_table_row(const char *const *cells, const unsigned *widths,
                            apr_pool_t *p);

/** A sentence, in lines indented by @a indent. */
const char *ocspx_table_note(const char *text, unsigned indent, apr_pool_t *p);

#endif
