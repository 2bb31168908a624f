/* output: a verdict in words or as JSON. */
#include <openssl/ocsp.h>
#include <stdio.h>

#include "../core/text.h"
#include "cli.h"

static const char *status_name(int status)
{
    switch (status) {
    case V_OCSP_CERTSTATUS_GOOD:
        return "good";
    case V_OCSP_CERTSTATUS_REVOKED:
        return "revoked";
    case V_OCSP_CERTSTATUS_UNKNOWN:
        return "unknown";
    default:
        return NULL;
    }
}

const char *cli_time_or_null(apr_time_t t, apr_pool_t *p)
{
    return t ? ocspx_text_time(t, p) : NULL;
}

json_t *cli_json(const ocspx_response_t *r, apr_pool_t *p)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?}",
                     "verdict", ocspx_response_verdict_name(r->verdict),
                     "cause", ocspx_cause_code(r->cause), "message", r->message,
                     "remedy", r->cause ? ocspx_cause_remedy(r->cause) : "",
                     "status", status_name(r->status), "thisUpdate",
                     cli_time_or_null(r->this_update, p), "nextUpdate",
                     cli_time_or_null(r->next_update, p), "producedAt",
                     cli_time_or_null(r->produced_at, p), "signer", r->signer);
}

static void print_member(const char *label, const char *value)
{
    if (value)
        printf("%-12s%s\n", label, value);
}

void cli_print_json(json_t *json)
{
    json_dumpf(json, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(json);
}

static void print_words(const ocspx_response_t *r, const json_t *json,
                        apr_pool_t *p)
{
    print_member("verdict", ocspx_response_verdict_name(r->verdict));
    print_member("message", r->message);
    if (r->cause) {
        print_member("cause", ocspx_cause_code(r->cause));
        print_member("remedy", ocspx_cause_remedy(r->cause));
    }
    print_member("status", status_name(r->status));
    print_member("thisUpdate", cli_time_or_null(r->this_update, p));
    print_member("nextUpdate", cli_time_or_null(r->next_update, p));
    print_member("producedAt", cli_time_or_null(r->produced_at, p));
    print_member("signer", r->signer);
    print_member("saved as", json_string_value(json_object_get(json, "saved")));
}

int cli_print(const ocspx_response_t *r, json_t *json, int as_json,
              apr_pool_t *p)
{
    if (as_json) {
        cli_print_json(json);
    } else {
        print_words(r, json, p);
        json_decref(json);
    }
    return r->verdict == OCSPX_RESPONSE_GOOD ? CLI_GOOD : CLI_NOT_GOOD;
}
