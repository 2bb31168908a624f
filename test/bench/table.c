/* table: results for people, on stdout, and for programs, in a file. */
#include "table.h"

#include <stdio.h>
#include <string.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "../support/pki.h"
#include "../support/procs.h"

#define COLUMNS_MAX 16

struct table_t {
    const bench_t *bench;
    const char *name;
    const char *title;
    int columns;
    apr_array_header_t *rows; /* row_t; the first has the headers */
    apr_pool_t *pool;
};

typedef struct {
    const char *cells[COLUMNS_MAX];
} row_t;

table_t *table_make(const bench_t *bench, const char *name, const char *title,
                    const char *const *columns, apr_pool_t *p)
{
    table_t *table = apr_pcalloc(p, sizeof(*table));
    row_t *headers;

    table->bench = bench;
    table->name = name;
    table->title = title;
    table->pool = p;
    table->rows = apr_array_make(p, 16, sizeof(row_t));
    headers = apr_array_push(table->rows);
    for (; columns[table->columns]; table->columns++)
        headers->cells[table->columns] = columns[table->columns];
    return table;
}

void table_row(table_t *table, ...)
{
    row_t *row = apr_array_push(table->rows);
    va_list cells;

    va_start(cells, table);
    for (int i = 0; i < table->columns; i++)
        row->cells[i] = va_arg(cells, const char *);
    va_end(cells);
}

const char *table_cell(const table_t *table, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = apr_pvsprintf(table->pool, format, args);
    va_end(args);
    return text;
}

static const row_t *row_at(const table_t *table, int i)
{
    return &((const row_t *)table->rows->elts)[i];
}

/** A cell as it is printed: "0.99 (0.97-1.01)". */
static const char *shown(const table_t *table, int row, int column)
{
    const char *cell = row_at(table, row)->cells[column];
    char *text = apr_pstrdup(table->pool, cell);
    char *state;
    const char *median = apr_strtok(text, "\t", &state);
    const char *lower = apr_strtok(NULL, "\t", &state);

    return lower ? apr_psprintf(table->pool, "%s (%s-%s)", median, lower, state)
                 : cell;
}

static int width_of(const table_t *table, int column)
{
    size_t width = 0;

    for (int i = 0; i < table->rows->nelts; i++) {
        size_t len = strlen(shown(table, i, column));

        width = len > width ? len : width;
    }
    return (int)width;
}

/** The first column to the left, figures to the right. */
static void print(FILE *to, const table_t *table)
{
    fprintf(to, "\n%s\n\n", table->title);
    for (int i = 0; i < table->rows->nelts; i++) {
        for (int c = 0; c < table->columns; c++) {
            int width = width_of(table, c);

            fprintf(to, "%s%*s", c > 0 ? "  " : "", c > 0 ? width : -width,
                    shown(table, i, c));
        }
        fprintf(to, "\n");
    }
    fflush(to);
}

/** For who does not sit in front of it. */
static void print_to_file(const table_t *table)
{
    const char *path =
        apr_pstrcat(table->pool, table->bench->out, "/tables.txt", NULL);
    FILE *file = fopen(path, "ae");

    if (!file)
        procs_die("cannot write %s", path);
    print(file, table);
    fclose(file);
}

void table_write(const bench_t *bench, const char *name, const char *text,
                 apr_pool_t *p)
{
    pki_write_file(apr_psprintf(p, "%s/%s.tsv", bench->out, name), text,
                   strlen(text));
}

static int has_spread(const table_t *table, int column)
{
    for (int i = 0; i < table->rows->nelts; i++)
        if (strchr(row_at(table, i)->cells[column], '\t'))
            return 1;
    return 0;
}

/** A cell as it is in the file. */
static const char *stored(const table_t *table, int row, int column)
{
    const char *cell = row_at(table, row)->cells[column];

    if (!has_spread(table, column) || strchr(cell, '\t'))
        return cell;
    if (row > 0)
        return apr_psprintf(table->pool, "%s\t%s\t%s", cell, cell, cell);
    return apr_psprintf(table->pool, "%s\t%s, lower\t%s, upper", cell, cell,
                        cell);
}

void table_end(table_t *table)
{
    const char *text = "";

    print(stdout, table);
    print_to_file(table);
    for (int i = 0; i < table->rows->nelts; i++)
        for (int c = 0; c < table->columns; c++)
            text = apr_pstrcat(table->pool, text, stored(table, i, c),
                               c < table->columns - 1 ? "\t" : "\n", NULL);
    table_write(table->bench, table->name, text, table->pool);
}
