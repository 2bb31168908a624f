/* cli: what the commands of `ocspx` share. */
#ifndef OCSPX_CLI_H
#define OCSPX_CLI_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <jansson.h>
#include <openssl/x509.h>

#include "../core/response.h"

/** Exit statuses, but of `ocspx check'. */
typedef enum {
    CLI_GOOD = 0,
    CLI_NOT_GOOD = 1,
    CLI_UNUSABLE = 2 /* wrong usage, or something cannot be read */
} cli_exit_e;

typedef struct {
    const char *name;
    int (*run)(int argc, char **argv, apr_pool_t *p); /* the exit status */
    int lost; /* exit status where its output cannot be written */
} cli_command_t;

extern const cli_command_t cli_chain;
extern const cli_command_t cli_check;
extern const cli_command_t cli_fetch;
extern const cli_command_t cli_status;
extern const cli_command_t cli_verify;

/** "ocspx: " and one sentence to standard error. Returns CLI_UNUSABLE. */
int cli_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * A whole file, or what comes out of a pipe.
 * @return 0, after a complaint, where it cannot be read
 */
int cli_read_file(const unsigned char **data, apr_size_t *len, const char *path,
                  apr_pool_t *p);

/**
 * The certificates of a PEM, DER or PKCS #7 file, X509 *, in order; freed
 * with @a p.
 * @return NULL, after a complaint, where there are none
 */
apr_array_header_t *cli_read_certs(const char *path, apr_pool_t *p);

/**
 * Pair the first certificate of @a path with its issuer: from
 * @a issuer_path, or where that is NULL from the rest of @a path.
 * @return NULL, after a complaint
 */
ocspx_cert_t *cli_read_pair(const char *path, const char *issuer_path,
                            apr_pool_t *p);

/** A whole number of at least 0; complains and returns 0 on anything else. */
int cli_parse_seconds(apr_interval_time_t *seconds, const char *option,
                      const char *arg);

/** A time as in RFC 3339; returns 0 on anything else. */
int cli_read_time(apr_time_t *t, const char *text);

/** The same; complains and returns 0 on anything else. */
int cli_parse_time(apr_time_t *t, const char *option, const char *arg);

/** As in ocspx_text_time; NULL for 0. */
const char *cli_time_or_null(apr_time_t t, apr_pool_t *p);

/** Print and drop it. */
void cli_print_json(json_t *json);

/** What is printed of a verdict; keys as documented, null where unknown. */
json_t *cli_json(const ocspx_response_t *response, apr_pool_t *p);

/** Print the verdict, as JSON or in words, and give its exit status. */
int cli_print(const ocspx_response_t *response, json_t *json, int as_json,
              apr_pool_t *p);

#endif
