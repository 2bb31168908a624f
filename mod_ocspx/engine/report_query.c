/* report_query: which certificates are asked for. */
#include "report_private.h"

#include <string.h>

static int in_list(const apr_array_header_t *texts, const char *wanted)
{
    int i;

    for (i = 0; i < texts->nelts; i++)
        if (strcasestr(APR_ARRAY_IDX(texts, i, const char *), wanted))
            return 1;
    return 0;
}

static int in_responder(const ocspx_registry_entry_t *entry, const char *wanted)
{
    const char *file = entry->policy->response_file;

    return file ? strcasestr(file, wanted) != NULL
                : in_list(entry->urls, wanted);
}

/* What costs least comes first. */
static int found(const char *wanted, const ocspx_report_item_t *item,
                 apr_pool_t *ptemp)
{
    X509 *leaf = item->cert->leaf;

    return strcasestr(item->cert->name, wanted) ||
           in_list(ocspx_report_places(item), wanted) ||
           (item->entry && in_responder(item->entry, wanted)) ||
           strcasestr(ocspx_cert_name(X509_get_subject_name(leaf), ptemp),
                      wanted) ||
           in_list(ocspx_report_names(leaf, 0, ptemp), wanted);
}

int ocspx_report_matches(const ocspx_report_query_t *query,
                         const ocspx_report_item_t *item, apr_pool_t *ptemp)
{
    int matches;

    if ((query->cert && strcasecmp(query->cert, item->cert->id) != 0) ||
        (query->state &&
         strcmp(query->state, ocspx_report_state_name(item->state)) != 0))
        return 0;
    if (!query->search)
        return 1;
    matches = found(query->search, item, ptemp);
    apr_pool_clear(ptemp);
    return matches;
}
