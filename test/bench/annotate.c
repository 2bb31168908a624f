/* annotate: in which functions callgrind has counted how much. */
#include "annotate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include "../support/procs.h"

#define LIMIT_MS 120000
#define ROWS 16

typedef struct {
    const char *name;
    double instructions;
} function_t;

/** "function [object]", without the directory of the object. */
static const char *without_path(const char *function, apr_pool_t *p)
{
    const char *object = strchr(function, '[');
    const char *name = object ? strrchr(function, '/') : NULL;

    return name ? apr_pstrcat(p,
                              apr_pstrmemdup(p, function,
                                             (apr_size_t)(object - function)),
                              "[", name + 1, NULL)
                : function;
}

/** "1,234 (12.3%)  file:function [/path/object]" @return 0: it is no such */
static int parse(function_t *function, char *line, apr_pool_t *p)
{
    char *name = strchr(line, ')');
    char digits[32];
    size_t n = 0;

    line += strspn(line, " ");
    for (; *line && strchr("0123456789,", *line) && n < sizeof(digits) - 1;
         line++)
        if (*line != ',')
            digits[n++] = *line;
    digits[n] = '\0';
    name = name ? strchr(name, ':') : NULL;
    if (n == 0 || !name)
        return 0;
    function->name = without_path(name + 1, p);
    function->instructions = strtod(digits, NULL);
    return 1;
}

/** @param sign 1: add those of this file; -1: take them off */
static void add(apr_hash_t *functions, const char *path, double sign,
                apr_pool_t *p)
{
    const char *argv[] = {"callgrind_annotate", "--auto=no", "--threshold=100",
                          path, NULL};
    procs_result_t result;
    function_t one;
    char *state;

    procs_run(&result, argv, NULL, LIMIT_MS, p);
    if (result.status != 0)
        procs_die("callgrind_annotate: %s", result.output);
    for (char *line = apr_strtok(apr_pstrdup(p, result.output), "\n", &state);
         line; line = apr_strtok(NULL, "\n", &state)) {
        function_t *sum;

        if (!parse(&one, line, p))
            continue;
        sum = apr_hash_get(functions, one.name, APR_HASH_KEY_STRING);
        if (!sum) {
            sum = apr_pcalloc(p, sizeof(*sum));
            sum->name = one.name;
            apr_hash_set(functions, sum->name, APR_HASH_KEY_STRING, sum);
        }
        sum->instructions += sign * one.instructions;
    }
}

static int compare(const void *a, const void *b)
{
    double x = fabs(((const function_t *)a)->instructions);
    double y = fabs(((const function_t *)b)->instructions);

    return (x < y) - (x > y);
}

static apr_array_header_t *sort(apr_hash_t *functions, apr_pool_t *p)
{
    apr_array_header_t *sorted = apr_array_make(p, 256, sizeof(function_t));

    for (apr_hash_index_t *at = apr_hash_first(p, functions); at;
         at = apr_hash_next(at))
        APR_ARRAY_PUSH(sorted, function_t) =
            *(const function_t *)apr_hash_this_val(at);
    qsort(sorted->elts, (size_t)sorted->nelts, sizeof(function_t), compare);
    return sorted;
}

void annotate_functions(table_t *table, const char *path, int times,
                        apr_pool_t *p)
{
    apr_hash_t *functions = apr_hash_make(p);
    apr_array_header_t *sorted;

    add(functions, path, 1, p);
    sorted = sort(functions, p);
    for (int i = 0; i < sorted->nelts && i < ROWS; i++) {
        const function_t *one = &APR_ARRAY_IDX(sorted, i, function_t);

        table_row(table, one->name,
                  table_cell(table, "%.0f", one->instructions / times));
    }
}

static void add_to(apr_hash_t *objects, const char *name, double instructions,
                   apr_pool_t *p)
{
    double *sum = apr_hash_get(objects, name, APR_HASH_KEY_STRING);

    if (!sum) {
        sum = apr_pcalloc(p, sizeof(*sum));
        apr_hash_set(objects, apr_pstrdup(p, name), APR_HASH_KEY_STRING, sum);
    }
    *sum += instructions;
}

/** "function [libc.so.6]": "libc". What is inlined has none. */
static const char *object_of(const char *function, apr_pool_t *p)
{
    const char *object = strrchr(function, '[');

    if (object)
        return apr_pstrmemdup(p, object + 1, strcspn(object + 1, ".]"));
    return strncmp(function, "ocspx_", 6) ? "other" : "mod_ocspx";
}

apr_hash_t *annotate_objects(const char *path, const char *less, double all,
                             apr_pool_t *p)
{
    apr_hash_t *functions = apr_hash_make(p);
    apr_hash_t *objects = apr_hash_make(p);

    add(functions, path, 1, p);
    add(functions, less, -1, p);
    for (apr_hash_index_t *at = apr_hash_first(p, functions); at;
         at = apr_hash_next(at)) {
        const function_t *one = apr_hash_this_val(at);

        if (fabs(one->instructions / all - 1) > 0.03)
            add_to(objects, object_of(one->name, p), one->instructions, p);
    }
    return objects;
}
