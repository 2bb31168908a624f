/* table: results for people, on stdout, and for programs, in a file. */
#ifndef OCSPX_BENCH_TABLE_H
#define OCSPX_BENCH_TABLE_H

#include "bench.h"

typedef struct table_t table_t;

/**
 * @param name of the file: name.tsv
 * @param title what is printed above it; one or more lines
 * @param columns their headers; ends with NULL
 */
table_t *table_make(const bench_t *bench, const char *name, const char *title,
                    const char *const *columns, apr_pool_t *p);

/** As many cells as columns. A cell may be three values with tabs between: a
 * median and the quartiles, which get columns of their own in the file. */
void table_row(table_t *table, ...);

/** Print it, also at the end of tables.txt, and write the file. */
void table_end(table_t *table);

/** A cell. "-" is what is not known. */
const char *table_cell(const table_t *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** A file of values for plots, without a table. */
void table_write(const bench_t *bench, const char *name, const char *text,
                 apr_pool_t *p);

#endif
