/* fuzz: what the fuzz targets have in common. */
#include "fuzz.h"

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/pki.h"

#define SEEDS_MAX 200

static apr_pool_t *pool;
static fuzz_input_t all_seeds[SEEDS_MAX];
static int seeds_made;

/* Check's own are not linked: there is no test that could fail, but a program
 * that ends. */
void _mark_point(const char *file, int line)
{
    (void)file;
    (void)line;
}

void _ck_assert_failed(const char *file, int line, const char *expr,
                       const char *msg, ...)
{
    va_list args;

    fprintf(stderr, "%s:%d: %s\n", file, line, expr);
    if (msg) {
        va_start(args, msg);
        vfprintf(stderr, msg, args);
        va_end(args);
        fputc('\n', stderr);
    }
    abort();
}

void fuzz_assert_printable(const char *text)
{
    ck_assert_ptr_nonnull(text);
    ck_assert(*text);
    for (; *text; text++)
        ck_assert_msg(*text >= 0x20 && *text < 0x7f, "byte %02x",
                      (unsigned char)*text);
}

/* --- seeds ----------------------------------------------------------- */

void fuzz_seed(const void *data, size_t len)
{
    ck_assert_int_lt(seeds_made, SEEDS_MAX);
    all_seeds[seeds_made++] = (fuzz_input_t){apr_pmemdup(pool, data, len), len};
}

void fuzz_seed_text(const char *text)
{
    fuzz_seed(text, strlen(text));
}

int fuzz_all_seeds(const fuzz_input_t **seeds)
{
    if (!seeds_made)
        fuzz_seeds(pool);
    *seeds = all_seeds;
    return seeds_made;
}

static void write_seeds(const char *dir)
{
    const fuzz_input_t *seeds;
    int i, n = fuzz_all_seeds(&seeds);

    for (i = 0; i < n; i++)
        pki_write_file(apr_psprintf(pool, "%s/seed-%03d", dir, i),
                       seeds[i].data, seeds[i].len);
}

/* --- running --------------------------------------------------------- */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *dir = getenv("FUZZ_SEEDS");

    (void)argc;
    (void)argv;
    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    fuzz_start(pool);
    if (dir) {
        write_seeds(dir);
        exit(0);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    apr_pool_t *p;

    apr_pool_create(&p, pool);
    fuzz_one(data, len, p);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    apr_pool_destroy(p);
    return 0;
}
