/* findings: what a check found, in words or as JSON. */
#include "findings.h"

#include <apr_strings.h>
#include <stdio.h>

static const ocspx_chain_finding_t *at(const apr_array_header_t *findings,
                                       int i)
{
    return &APR_ARRAY_IDX(findings, i, ocspx_chain_finding_t);
}

json_t *cli_findings_json(const apr_array_header_t *findings)
{
    json_t *json = json_array();

    for (int i = 0; i < findings->nelts; i++) {
        const ocspx_chain_finding_t *f = at(findings, i);

        json_array_append_new(json,
                              json_pack("{s:s, s:s, s:s, s:s, s:s}", "code",
                                        ocspx_cause_code(f->cause), "severity",
                                        ocspx_cause_severity_name(f->severity),
                                        "subject", f->subject, "message",
                                        f->message, "remedy", f->remedy));
    }
    return json;
}

void cli_findings_print(const apr_array_header_t *findings, const char *indent)
{
    for (int i = 0; i < findings->nelts; i++) {
        const ocspx_chain_finding_t *f = at(findings, i);

        printf("\n%s%-12s%s\n", indent, ocspx_cause_severity_name(f->severity),
               ocspx_cause_code(f->cause));
        if (*f->subject)
            printf("%ssubject     %s\n", indent, f->subject);
        printf("%smessage     %s\n%sremedy      %s\n", indent, f->message,
               indent, f->remedy);
    }
}

const char *cli_findings_count(const apr_array_header_t *findings,
                               apr_pool_t *p)
{
    int counts[OCSPX_CAUSE_ERROR + 1] = {0};
    const char *text = "";

    for (int i = 0; i < findings->nelts; i++)
        counts[at(findings, i)->severity]++;
    for (int i = OCSPX_CAUSE_ERROR; i >= OCSPX_CAUSE_INFO; i--)
        if (counts[i])
            text = apr_psprintf(
                p, "%s%s%d %s%s", text, *text ? ", " : "", counts[i],
                ocspx_cause_severity_name((ocspx_cause_severity_e)i),
                i == OCSPX_CAUSE_INFO || counts[i] == 1 ? "" : "s");
    return text;
}
