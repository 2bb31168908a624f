/* fuzz: what the fuzz targets have in common.
 *
 * A target is one file with the four things declared below. Its assertions
 * are Check's; they say what must hold whatever the input is. Run it is by one
 * of two:
 *
 *   replay.c   in every build: its seeds, mutations of them that are the same
 *              each time, and the inputs kept in corpus/<name>
 *   libFuzzer  by build/fuzz: looks for new inputs
 */
#ifndef OCSPX_FUZZ_H
#define OCSPX_FUZZ_H

#include <apr_pools.h>
#include <apr_time.h>
#include <check.h>
#include <stddef.h>
#include <stdint.h>

/** Now, in all targets. */
#define FUZZ_NOW apr_time_from_sec(2000000000)
#define FUZZ_HOUR apr_time_from_sec(3600)

/* --- a target has these ----------------------------------------------- */

extern const char fuzz_name[];

/** What replay.c gives it: mutations of each seed. */
extern const unsigned fuzz_mutations;

/** Once. @param p stays */
void fuzz_start(apr_pool_t *p);

/** Call fuzz_seed for each. Those of a target are the same in every run. */
void fuzz_seeds(apr_pool_t *p);

/** One input. @param p for this one alone */
void fuzz_one(const unsigned char *data, size_t len, apr_pool_t *p);

/* --- for targets ------------------------------------------------------ */

/** @param data is copied */
void fuzz_seed(const void *data, size_t len);
void fuzz_seed_text(const char *text);

/** Not empty, and printable ASCII. */
void fuzz_assert_printable(const char *text);

/* --- for what runs them ----------------------------------------------- */

typedef struct {
    unsigned char *data;
    size_t len;
} fuzz_input_t;

/** All seeds; @return how many. */
int fuzz_all_seeds(const fuzz_input_t **seeds);

/** libFuzzer's names. Initialize writes the seeds into the directory
 * FUZZ_SEEDS and ends the program, if that is in the environment. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
