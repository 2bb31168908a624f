/* text: how times are written, everywhere the same. */
#include "text.h"

#include <apr_strings.h>

const char *ocspx_text_time(apr_time_t t, apr_pool_t *p)
{
    apr_time_exp_t e;

    if (apr_time_exp_gmt(&e, t) != APR_SUCCESS)
        return "an unknown time";
    return apr_psprintf(p, "%04d-%02d-%02dT%02d:%02d:%02dZ", e.tm_year + 1900,
                        e.tm_mon + 1, e.tm_mday, e.tm_hour, e.tm_min, e.tm_sec);
}
