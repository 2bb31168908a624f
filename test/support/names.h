/* names: a DNS server on 127.0.0.1 that answers as it is told; what it was
 * told nothing about does not exist. It is a forked process, as the responder
 * is; in a network of the test's own (see netns.h).
 */
#ifndef OCSPX_TEST_NAMES_H
#define OCSPX_TEST_NAMES_H

#include <apr_pools.h>

typedef struct names_t names_t;

/** Names it can know, and the longest of them. */
#define NAMES_MAX 64
#define NAMES_NAME_MAX 64

typedef enum {
    NAMES_FOUND, /* the addresses there are; with neither, no data */
    NAMES_NXDOMAIN,
    NAMES_SERVFAIL,
    NAMES_REFUSED,
    NAMES_SILENT,
    NAMES_GARBAGE
} names_answer_e;

typedef struct {
    names_answer_e answer;
    const char *v4; /* an address; NULL: none */
    const char *v6;
} names_entry_t;

/** Start it; it ends with @a p. */
names_t *names_start(apr_pool_t *p);

/** What to say about @a name, from now on. */
void names_set(names_t *names, const char *name, const names_entry_t *entry);

#endif
