/* report: all certificates at a glance: what state each is in, what they add
 * up to, and which of them are asked for. Text is made elsewhere, for those.
 */
#include "report_private.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "../core/version.h"
#include "admit.h"

#define PAGE_LENGTH 100

const char *ocspx_report_state_name(ocspx_report_state_e state)
{
    static const char *const names[OCSPX_REPORT_STATES] = {
        [OCSPX_REPORT_FAILING] = "failing",
        [OCSPX_REPORT_REVOKED] = "revoked",
        [OCSPX_REPORT_WITHHELD] = "withheld",
        [OCSPX_REPORT_WAITING] = "waiting",
        [OCSPX_REPORT_STAPLED] = "stapled",
        [OCSPX_REPORT_OTHER_PROVIDER] = "other-provider",
        [OCSPX_REPORT_NOT_APPLICABLE] = "not-applicable",
    };

    return names[state];
}

/* --- one certificate ------------------------------------------------- */

static ocspx_report_state_e judge(const ocspx_report_look_t *look,
                                  const ocspx_registry_entry_t *entry)
{
    if (!ocspx_registry_staples(entry))
        return OCSPX_REPORT_NOT_APPLICABLE;
    if (look->state.failures)
        return OCSPX_REPORT_FAILING;
    if (look->state.revoked)
        return entry->policy->withhold_revoked ? OCSPX_REPORT_WITHHELD
                                               : OCSPX_REPORT_REVOKED;
    return look->bytes ? OCSPX_REPORT_STAPLED : OCSPX_REPORT_WAITING;
}

/* No honest counter gets there, and no number in JSON should. */
#define COUNT_MAX ((apr_uint64_t)1 << 53)

static apr_int64_t count_of(apr_uint64_t count)
{
    return count > COUNT_MAX ? 0 : (apr_int64_t)count;
}

static void look_at_cache(ocspx_report_look_t *look, const ocspx_cache_t *cache,
                          unsigned slot, apr_time_t now)
{
    ocspx_cache_counts_t counts;

    ocspx_cache_state_get(&look->state, cache, slot);
    ocspx_cache_counts(&counts, cache, slot);
    look->stapled = count_of(counts.stapled);
    look->empty = count_of(counts.empty);
    look->expired = count_of(counts.expired);
    if (look->state.expiry > now)
        look->bytes = ocspx_cache_length(cache, slot);
    if (look->bytes)
        look->safe_until = ocspx_admit_validity(&look->state).expiry;
}

void ocspx_report_look(ocspx_report_look_t *look,
                       const ocspx_report_source_t *source,
                       const ocspx_registry_entry_t *entry, apr_time_t now)
{
    memset(look, 0, sizeof(*look));
    if (source->cache)
        look_at_cache(look, source->cache, entry->index, now);
    look->verdict = source->cache ? judge(look, entry) : OCSPX_REPORT_FAILING;
}

ocspx_report_state_e ocspx_report_state(apr_time_t *safe_until,
                                        const ocspx_report_source_t *source,
                                        unsigned index, apr_time_t now)
{
    ocspx_report_look_t look;

    ocspx_report_look(&look, source,
                      ocspx_registry_get(source->registry, index), now);
    if (safe_until)
        *safe_until = look.safe_until;
    return look.verdict;
}

const apr_array_header_t *ocspx_report_places(const ocspx_report_item_t *item)
{
    return item->entry ? item->entry->places : item->other->places;
}

/* --- all of them ----------------------------------------------------- */

typedef struct {
    ocspx_report_t *report;
    const ocspx_report_query_t *query;
    apr_array_header_t *matching; /* ocspx_report_item_t */
    apr_pool_t *ptemp;            /* for looking at one */
} survey_t;

static void add(const survey_t *survey, const ocspx_report_item_t *item)
{
    ocspx_report_totals_t *totals = &survey->report->totals;

    totals->certificates++;
    totals->states[item->state]++;
    if (item->safe_until && (!totals->earliest_safe_until ||
                             item->safe_until < totals->earliest_safe_until)) {
        totals->earliest_safe_until = item->safe_until;
        totals->earliest = item->cert->name;
    }
    if (ocspx_report_matches(survey->query, item, survey->ptemp))
        APR_ARRAY_PUSH(survey->matching, ocspx_report_item_t) = *item;
}

static void add_entry(const survey_t *survey,
                      const ocspx_registry_entry_t *entry)
{
    ocspx_report_totals_t *totals = &survey->report->totals;
    ocspx_report_item_t item = {.cert = entry->cert, .entry = entry};
    ocspx_report_look_t look;

    ocspx_report_look(&look, survey->report->source, entry, totals->generated);
    item.state = look.verdict;
    item.safe_until = look.safe_until;
    ocspx_report_sum(&totals->stapled, look.stapled);
    ocspx_report_sum(&totals->empty, look.empty);
    ocspx_report_sum(&totals->expired, look.expired);
    add(survey, &item);
}

static void add_all(const survey_t *survey)
{
    const ocspx_report_source_t *source = survey->report->source;
    unsigned n = ocspx_registry_count(source->registry), i;
    int j;

    for (i = 0; i < n; i++)
        add_entry(survey, ocspx_registry_get(source->registry, i));
    for (j = 0; j < source->others->nelts; j++) {
        const ocspx_report_other_t *other =
            &APR_ARRAY_IDX(source->others, j, const ocspx_report_other_t);
        ocspx_report_item_t item = {
            .cert = other->cert, .other = other, .state = other->state};

        add(survey, &item);
    }
}

static void add_findings(ocspx_report_totals_t *totals,
                         const apr_array_header_t *findings)
{
    int i;

    for (i = 0; i < findings->nelts; i++)
        totals->findings[APR_ARRAY_IDX(findings, i, ocspx_report_finding_t)
                             .finding.severity]++;
}

static void add_cache(ocspx_report_totals_t *totals, const ocspx_cache_t *cache)
{
    apr_size_t used, size;

    if (!cache)
        return;
    ocspx_cache_usage(&used, &size, cache);
    totals->cache_used = (apr_int64_t)used;
    totals->cache_bytes = (apr_int64_t)size;
}

/* --- order and pages ------------------------------------------------- */

static int compare(const void *one, const void *two)
{
    const ocspx_report_item_t *a = one, *b = two;
    int names;

    if (a->state != b->state)
        return a->state < b->state ? -1 : 1;
    if (a->safe_until != b->safe_until)
        return a->safe_until < b->safe_until ? -1 : 1;
    names = strcmp(a->cert->name, b->cert->name);
    return names ? names
                 : memcmp(a->cert->digest, b->cert->digest,
                          OCSPX_CERT_DIGEST_LEN);
}

static void take_page(ocspx_report_t *report, const ocspx_report_query_t *query,
                      const apr_array_header_t *matching, apr_pool_t *p)
{
    unsigned all = (unsigned)matching->nelts;
    unsigned length = query->page_length ? query->page_length : PAGE_LENGTH;
    unsigned from = 0;

    report->matching = report->count = all;
    report->page = report->pages = 1;
    if (query->page) {
        report->page = query->page;
        report->pages = all ? (all - 1) / length + 1 : 1;
        from = query->page > report->pages ? all : (query->page - 1) * length;
        report->count = all - from < length ? all - from : length;
    }
    report->items =
        apr_pmemdup(p, (ocspx_report_item_t *)(void *)matching->elts + from,
                    report->count * sizeof(ocspx_report_item_t));
}

ocspx_report_t *ocspx_report_make(const ocspx_report_source_t *source,
                                  const ocspx_report_query_t *query,
                                  apr_time_t now, apr_pool_t *p)
{
    ocspx_report_t *report = apr_pcalloc(p, sizeof(*report));
    survey_t survey = {.report = report, .query = query};
    apr_pool_t *pool;

    report->source = source;
    report->cert = query->cert;
    report->totals.generated = now;
    report->totals.version = OCSPX_VERSION;
    apr_pool_create(&pool, p);
    apr_pool_create(&survey.ptemp, pool);
    survey.matching = apr_array_make(
        pool, source->registry->entries->nelts + source->others->nelts,
        sizeof(ocspx_report_item_t));
    add_all(&survey);
    qsort(survey.matching->elts, (size_t)survey.matching->nelts,
          sizeof(ocspx_report_item_t), compare);
    take_page(report, query, survey.matching, p);
    apr_pool_destroy(pool);
    add_findings(&report->totals, source->findings);
    add_cache(&report->totals, source->cache);
    ocspx_report_responders(report, p);
    return report;
}
