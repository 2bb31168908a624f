/* ask: a question to a certificate's responder, and what came of it. */
#include "ask.h"

#include <apr_strings.h>

#include "../engine/admit.h"

/* One question under way. */
typedef struct {
    const cli_question_t *question;
    cli_answer_t *answer;
    int done;
    apr_pool_t *pool;
} asking_t;

int cli_is_useful(const ocspx_response_t *response)
{
    return response->verdict == OCSPX_RESPONSE_GOOD ||
           response->verdict == OCSPX_RESPONSE_REVOKED;
}

static void refuse(cli_answer_t *answer, ocspx_cause_e cause,
                   const char *message)
{
    answer->response = (ocspx_response_t){
        .verdict = OCSPX_RESPONSE_REJECT,
        .cause = cause,
        .message = message,
        .status = -1,
    };
}

static void judge(asking_t *asking, const ocspx_fetch_answer_t *answer)
{
    static const ocspx_response_policy_t policy = {
        .skew = OCSPX_RESPONSE_SKEW_DEFAULT};
    cli_answer_t *out = asking->answer;
    ocspx_admit_candidate_t candidate = {
        .der = apr_pmemdup(asking->pool, answer->body, answer->body_len),
        .len = answer->body_len,
        .date = answer->date,
    };

    out->answered = 1;
    out->der = candidate.der;
    out->len = candidate.len;
    ocspx_admit_judge(&out->response, &candidate, asking->question->cert,
                      &policy, out->at, asking->pool);
    if (!cli_is_useful(&out->response))
        out->response.message = apr_psprintf(asking->pool, "%s: %s", out->url,
                                             out->response.message);
}

static void on_answer(void *baton, const ocspx_fetch_answer_t *answer)
{
    asking_t *asking = baton;

    asking->done = 1;
    asking->answer->at = apr_time_now();
    asking->answer->date = answer->date;
    asking->answer->took = answer->took;
    if (answer->cause)
        refuse(asking->answer, answer->cause,
               apr_pstrdup(asking->pool, answer->message));
    else
        judge(asking, answer);
}

void cli_ask(cli_answer_t *answer, const cli_question_t *question,
             const char *url, apr_pool_t *p)
{
    asking_t asking = {.question = question, .answer = answer, .pool = p};
    ocspx_fetch_t *fetch = question->fetch;
    ocspx_fetch_question_t http = {
        .url = url,
        .proxy = question->proxy,
        .timeout = question->timeout,
        .max_size = OCSPX_RESPONSE_SIZE_MAX,
    };

    *answer = (cli_answer_t){.url = url};
    refuse(answer, OCSPX_CAUSE_BAD_URL,
           apr_pstrcat(p, "cannot ask ", url, NULL));
    if (ocspx_cert_request(&http.request, &http.request_len, question->cert,
                           OCSPX_CERT_SHA1, p) == APR_SUCCESS &&
        fetch->start(fetch, &http, on_answer, &asking) == APR_SUCCESS)
        while (!asking.done &&
               fetch->poll(fetch, question->timeout) == APR_SUCCESS)
            ;
}

void cli_ask_each(cli_answer_t *answer, const cli_question_t *question,
                  apr_pool_t *p)
{
    const ocspx_cert_t *cert = question->cert;

    *answer = (cli_answer_t){0};
    if (cert->bad_url)
        refuse(answer, OCSPX_CAUSE_BAD_URL,
               apr_pstrcat(p, cert->name, " names the responder ",
                           cert->bad_url, NULL));
    else
        refuse(answer, OCSPX_CAUSE_NO_URL,
               apr_pstrcat(p, cert->name, " names no OCSP responder", NULL));
    for (int i = 0; i < cert->urls->nelts && !cli_is_useful(&answer->response);
         i++)
        cli_ask(answer, question, APR_ARRAY_IDX(cert->urls, i, const char *),
                p);
}
