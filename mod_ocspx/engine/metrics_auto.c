/* metrics_auto: the totals as mod_status's ?auto has its values. */
#include "metrics.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

void ocspx_auto_print(const ocspx_report_t *report,
                      ocspx_metrics_write_fn *write, void *baton, apr_pool_t *p)
{
    const ocspx_report_field_t *field;

    for (field = ocspx_report_total_fields; field->key; field++) {
        const char *value = ocspx_report_text(field, &report->totals, p);
        const char *line;

        if (!value)
            continue;
        line = apr_psprintf(p, "Ocspx%c%s: %s\n", apr_toupper(*field->key),
                            field->key + 1, value);
        write(baton, line, strlen(line));
    }
}
