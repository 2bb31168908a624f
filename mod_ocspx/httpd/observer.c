/* observer: tells those who want to know what happened: OCSPXNotify's command
 * and other modules.
 *
 * What happens to certificates is told by the refresher as it happens. The
 * chains are checked in the parent; what is new of them waits for the first
 * refresher of the generation.
 */
#include "observer.h"

#include <apr_atomic.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <stdlib.h>

#include "../engine/notify.h"
#include "api.h"
#include "source.h"

APLOG_USE_MODULE(ocspx);

/* So many errors are remembered, and told at once, at most. */
#define NEWS_MAX 1000

typedef struct {
    const ocspx_generation_t *generation;
    ocspx_notify_t *notify; /* NULL: no command */
    apr_pool_t *pool;
    ocspx_event_observer_t vtable;
} observer_t;

/* --- what is new of the chains ---------------------------------------- */

/* Not the message: it counts days. */
static const char *key_of(const ocspx_chain_finding_t *finding, apr_pool_t *p)
{
    return apr_pstrcat(p, ocspx_cause_code(finding->cause), "\n",
                       finding->subject, NULL);
}

static void find_news(ocspx_generation_t *generation, apr_hash_t *broken,
                      const apr_hash_t *before)
{
    const apr_array_header_t *findings = generation->findings;
    apr_pool_t *p = apr_hash_pool_get(broken);
    int i;

    for (i = 0; i < findings->nelts; i++) {
        const ocspx_report_finding_t *finding =
            &APR_ARRAY_IDX(findings, i, const ocspx_report_finding_t);
        const char *key = key_of(&finding->finding, p);

        if (finding->finding.severity != OCSPX_CAUSE_ERROR ||
            apr_hash_get(broken, key, APR_HASH_KEY_STRING) ||
            apr_hash_count(broken) >= NEWS_MAX)
            continue;
        apr_hash_set(broken, key, APR_HASH_KEY_STRING, "");
        if (!before || !apr_hash_get((apr_hash_t *)(uintptr_t)before, key,
                                     APR_HASH_KEY_STRING))
            APR_ARRAY_PUSH(generation->news, const ocspx_report_finding_t *) =
                finding;
    }
}

static apr_uint32_t *make_flag(apr_pool_t *p)
{
    apr_shm_t *shm;
    apr_uint32_t *flag;

    if (apr_shm_create(&shm, sizeof(*flag), NULL, p) != APR_SUCCESS)
        return NULL;
    flag = apr_shm_baseaddr_get(shm);
    *flag = 0;
    return flag;
}

void ocspx_observer_prepare(ocspx_generation_t *generation, apr_pool_t *pconf)
{
    ocspx_retained_t *retained = ocspx_generation_retained();
    apr_pool_t *pool;
    apr_hash_t *broken;

    apr_pool_create(&pool, generation->server->process->pool);
    apr_pool_tag(pool, "ocspx_broken");
    broken = apr_hash_make(pool);
    find_news(generation, broken, retained->broken);
    if (retained->broken)
        apr_pool_destroy(retained->broken_pool);
    retained->broken = broken;
    retained->broken_pool = pool;
    generation->news_told = make_flag(pconf);
}

int ocspx_observer_has_news(const ocspx_generation_t *generation)
{
    return (generation->settings.notify || ocspx_api_listened()) &&
           !apr_is_empty_array(generation->news);
}

/* --- telling ---------------------------------------------------------- */

static void tell(observer_t *observer, ocspx_event_e event, const char *name,
                 json_t *about, int entry)
{
    char *text = json_dumps(about, JSON_COMPACT);

    json_decref(about);
    if (text && observer->notify)
        ocspx_notify_add(observer->notify, event, name, text, entry);
    free(text);
}

static void happened(void *baton, ocspx_event_e event, unsigned entry,
                     apr_time_t now)
{
    observer_t *observer = baton;
    ocspx_report_source_t source = ocspx_source_of(observer->generation);
    ocspx_report_row_t row;
    apr_pool_t *ptemp;

    if (!observer->notify && !ocspx_api_listened())
        return;
    apr_pool_create(&ptemp, observer->pool);
    ocspx_api_event(observer->generation, event, entry, now, ptemp);
    ocspx_report_entry(&row, &source, entry, now, ptemp);
    tell(observer, event, row.name,
         ocspx_report_object(ocspx_report_row_fields, &row, ptemp), (int)entry);
    apr_pool_destroy(ptemp);
}

static void tell_news(observer_t *observer)
{
    const ocspx_generation_t *generation = observer->generation;
    apr_pool_t *ptemp;
    int i;

    if (!ocspx_observer_has_news(generation) || !generation->news_told ||
        apr_atomic_xchg32(generation->news_told, 1))
        return;
    apr_pool_create(&ptemp, observer->pool);
    for (i = 0; i < generation->news->nelts; i++) {
        const ocspx_report_finding_t *finding =
            APR_ARRAY_IDX(generation->news, i, const ocspx_report_finding_t *);

        ocspx_api_finding(finding, ptemp);
        tell(observer, OCSPX_EVENT_CHAIN_BROKEN, finding->finding.subject,
             ocspx_report_finding(finding, ptemp), -1);
    }
    apr_pool_destroy(ptemp);
}

static void turn(void *baton, apr_time_t now)
{
    observer_t *observer = baton;

    if (observer->notify)
        ocspx_notify_turn(observer->notify, now);
}

const ocspx_event_observer_t *
ocspx_observer_make(const ocspx_generation_t *generation, apr_pool_t *p)
{
    const char *const *command = generation->settings.notify;
    observer_t *observer = apr_pcalloc(p, sizeof(*observer));

    observer->generation = generation;
    observer->pool = p;
    observer->vtable = (ocspx_event_observer_t){happened, turn, observer};
    if (command)
        observer->notify = ocspx_notify_make(command, &generation->log, p);
    tell_news(observer);
    return &observer->vtable;
}
