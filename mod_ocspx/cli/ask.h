/* ask: a question to a certificate's responder, and what came of it. */
#ifndef OCSPX_CLI_ASK_H
#define OCSPX_CLI_ASK_H

#include "../core/response.h"
#include "../engine/fetch.h"

typedef struct {
    ocspx_fetch_t *fetch;
    const ocspx_cert_t *cert;    /* with its issuer */
    const char *proxy;           /* as in ocspx_fetch_question_t */
    apr_interval_time_t timeout; /* for one responder */
} cli_question_t;

typedef struct {
    const char *url;           /* that was asked last; NULL: none */
    int answered;              /* it sent something to be judged */
    ocspx_response_t response; /* that, judged; else rejected, and why */
    const unsigned char *der;  /* as it was sent; NULL: nothing was */
    apr_size_t len;
    apr_time_t date;          /* the responder's clock; 0: unknown */
    apr_time_t at;            /* ours, at the same time */
    apr_interval_time_t took; /* 0: unknown */
} cli_answer_t;

/** Ask this responder. */
void cli_ask(cli_answer_t *answer, const cli_question_t *question,
             const char *url, apr_pool_t *p);

/**
 * Ask the certificate's responders, one after the other, until one has been
 * useful. Where it names none, that is what the response says.
 */
void cli_ask_each(cli_answer_t *answer, const cli_question_t *question,
                  apr_pool_t *p);

/** Is it a response that may be stapled? */
int cli_is_useful(const ocspx_response_t *response);

#endif
