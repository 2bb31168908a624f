/* ledger: the segment of what happened.
 *
 *   +-----------+-------+--------+--------+-----+--------+--------+-----+
 *   | refresher | share | cert 0 | cert 1 | ... | host 0 | host 1 | ... |
 *   +-----------+-------+--------+--------+-----+--------+--------+-----+
 *
 *   cert: { noted | attempt 0 ... attempt 15 }; the last one noted is
 *         attempt (noted - 1) mod 16
 *   attempt: { time | took, status, cause }
 *   host: { requests | attempts by result | by duration | sum of durations |
 *           failing since | cause }
 *
 * Nothing but numbers. Which certificate and which responder they are about
 * says the handle, which every process has from the parent: a worker that has
 * been broken into can change the numbers, not the names.
 */
#include "ledger_private.h"

#include <apr_hash.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <string.h>
#include <unistd.h>

static void add(ocspx_ledger_word_t *word, apr_uint64_t more)
{
    ocspx_ledger_set(word, ocspx_ledger_get(word) + more);
}

/* --- making ---------------------------------------------------------- */

static int segment_size(apr_size_t *size, unsigned certs, unsigned hosts)
{
    apr_size_t a, b;

    return !__builtin_mul_overflow(certs, sizeof(ocspx_ledger_cert_words_t),
                                   &a) &&
           !__builtin_mul_overflow(hosts, sizeof(ocspx_ledger_host_words_t),
                                   &b) &&
           !__builtin_add_overflow(a, b, size) &&
           !__builtin_add_overflow(*size, sizeof(ocspx_ledger_head_t), size) &&
           *size <= APR_SIZE_MAX / 2; /* APR adds to it unchecked */
}

static const char **copy_names(const apr_array_header_t *hosts, apr_pool_t *p)
{
    const char **names =
        apr_palloc(p, ((apr_size_t)hosts->nelts + 1) * sizeof(*names));
    int i;

    for (i = 0; i < hosts->nelts; i++) {
        const char *name = APR_ARRAY_IDX(hosts, i, const char *);

        names[i] = ocspx_cert_printable(name, strlen(name), p);
    }
    return names;
}

apr_status_t ocspx_ledger_create(ocspx_ledger_t **ledger,
                                 const unsigned char *digests, unsigned n,
                                 const apr_array_header_t *hosts, apr_pool_t *p)
{
    ocspx_ledger_t *made = apr_pcalloc(p, sizeof(*made));
    apr_size_t size;
    apr_shm_t *shm;
    apr_status_t rv;

    if (!segment_size(&size, n, (unsigned)hosts->nelts))
        return APR_EINVAL;
    rv = apr_shm_create(&shm, size, NULL, p);
    if (rv != APR_SUCCESS)
        return rv;
    made->layout = OCSPX_LEDGER_LAYOUT;
    made->cert_count = n;
    made->host_count = (unsigned)hosts->nelts;
    made->digests =
        apr_pmemdup(p, digests, (apr_size_t)n * OCSPX_CERT_DIGEST_LEN);
    made->names = copy_names(hosts, p);
    made->head = apr_shm_baseaddr_get(shm);
    made->certs = (void *)(made->head + 1);
    made->hosts = (void *)(made->certs + n);
    *ledger = made;
    return APR_SUCCESS;
}

/* --- writing --------------------------------------------------------- */

static apr_interval_time_t right_took(apr_interval_time_t took)
{
    return took < 0                       ? 0
           : took > OCSPX_LEDGER_TOOK_MAX ? OCSPX_LEDGER_TOOK_MAX
                                          : took;
}

static void push(ocspx_ledger_cert_words_t *cert,
                 const ocspx_ledger_attempt_t *attempt)
{
    apr_uint64_t noted = ocspx_ledger_get(&cert->noted);
    ocspx_ledger_attempt_words_t *at =
        &cert->attempts[noted % OCSPX_LEDGER_ATTEMPTS];

    ocspx_ledger_set(&at->time, (apr_uint64_t)attempt->time);
    ocspx_ledger_set(&at->rest,
                     (apr_uint64_t)right_took(attempt->took) << 24 |
                         (apr_uint64_t)(attempt->http_status & 0xffff) << 8 |
                         (attempt->cause & 0xff));
    ocspx_ledger_set(&cert->noted, noted + 1);
}

static unsigned bucket_of(apr_interval_time_t took)
{
    static const double bounds[] = OCSPX_LEDGER_BOUNDS;
    double seconds = (double)took / APR_USEC_PER_SEC;
    unsigned i = 0;

    while (i < OCSPX_LEDGER_BUCKETS - 1 && seconds > bounds[i])
        i++;
    return i;
}

static void count(ocspx_ledger_host_words_t *at,
                  const ocspx_ledger_attempt_t *attempt, unsigned requests)
{
    ocspx_cause_group_e group = ocspx_cause_group(attempt->cause);
    apr_interval_time_t took = right_took(attempt->took);

    add(&at->requests, requests);
    add(&at->attempts[group], 1);
    add(&at->durations[bucket_of(took)], 1);
    add(&at->duration_sum, (apr_uint64_t)took);
    if (group == OCSPX_CAUSE_GROUP_OK)
        ocspx_ledger_set(&at->failing_since, 0);
    else if (!ocspx_ledger_get(&at->failing_since))
        ocspx_ledger_set(&at->failing_since, (apr_uint64_t)attempt->time);
    ocspx_ledger_set(&at->cause, attempt->cause);
}

void ocspx_ledger_note(ocspx_ledger_t *ledger, unsigned cert, unsigned host,
                       const ocspx_ledger_attempt_t *attempt, unsigned requests)
{
    push(&ledger->certs[cert], attempt);
    if (host < ledger->host_count)
        count(&ledger->hosts[host], attempt, requests);
}

void ocspx_ledger_turn(ocspx_ledger_t *ledger, apr_time_t now)
{
    ocspx_ledger_refresher_words_t *refresher = &ledger->head->refresher;
    apr_uint64_t pid = (apr_uint64_t)getpid();

    if (ocspx_ledger_get(&refresher->pid) != pid) {
        ocspx_ledger_set(&refresher->pid, pid);
        ocspx_ledger_set(&refresher->since, (apr_uint64_t)now);
    }
    ocspx_ledger_set(&refresher->turn, (apr_uint64_t)now);
}

void ocspx_ledger_share_down(ocspx_ledger_t *ledger, apr_time_t since)
{
    ocspx_ledger_set(&ledger->head->share.down_since, (apr_uint64_t)since);
}

void ocspx_ledger_share_count(ocspx_ledger_t *ledger, ocspx_ledger_share_e what)
{
    add(&ledger->head->share.counts[what], 1);
}

/* --- reading --------------------------------------------------------- */

/* Whatever the segment holds, what comes out of it can be printed, added up
 * and used as an index. */

static apr_uint64_t get_count(const ocspx_ledger_word_t *word)
{
    apr_uint64_t count = ocspx_ledger_get(word);

    return count > OCSPX_LEDGER_COUNT_MAX ? 0 : count;
}

static ocspx_cause_e right_cause(apr_uint64_t cause)
{
    return cause < OCSPX_CAUSE_COUNT ? (ocspx_cause_e)cause : OCSPX_CAUSE_NONE;
}

static ocspx_ledger_attempt_t
get_attempt(const ocspx_ledger_attempt_words_t *at)
{
    apr_uint64_t rest = ocspx_ledger_get(&at->rest);

    return (ocspx_ledger_attempt_t){
        .time = ocspx_ledger_get_time(&at->time),
        .took = (apr_interval_time_t)(rest >> 24),
        .cause = right_cause(rest & 0xff),
        .http_status = (int)(rest >> 8 & 0xffff),
    };
}

unsigned
ocspx_ledger_attempts(ocspx_ledger_attempt_t attempts[OCSPX_LEDGER_ATTEMPTS],
                      const ocspx_ledger_t *ledger, unsigned cert)
{
    const ocspx_ledger_cert_words_t *at = &ledger->certs[cert];
    apr_uint64_t noted = ocspx_ledger_get(&at->noted);
    unsigned i, n = 0;

    for (i = 1; i <= OCSPX_LEDGER_ATTEMPTS; i++) {
        attempts[n] =
            get_attempt(&at->attempts[(noted - i) % OCSPX_LEDGER_ATTEMPTS]);
        n += attempts[n].time != 0;
    }
    return n;
}

unsigned ocspx_ledger_hosts(const ocspx_ledger_t *ledger)
{
    return ledger->host_count;
}

void ocspx_ledger_host(ocspx_ledger_host_t *out, const ocspx_ledger_t *ledger,
                       unsigned host)
{
    const ocspx_ledger_host_words_t *at = &ledger->hosts[host];
    unsigned i;

    out->name = ledger->names[host];
    out->requests = get_count(&at->requests);
    for (i = 0; i < OCSPX_CAUSE_GROUP_COUNT; i++)
        out->attempts[i] = get_count(&at->attempts[i]);
    for (i = 0; i < OCSPX_LEDGER_BUCKETS; i++)
        out->durations[i] = get_count(&at->durations[i]);
    out->duration_sum = (apr_interval_time_t)get_count(&at->duration_sum);
    out->failing_since = ocspx_ledger_get_time(&at->failing_since);
    out->cause = right_cause(ocspx_ledger_get(&at->cause));
    out->asked = ocspx_ledger_get_time(&at->asked);
}

void ocspx_ledger_refresher(ocspx_ledger_refresher_t *out,
                            const ocspx_ledger_t *ledger)
{
    const ocspx_ledger_refresher_words_t *refresher = &ledger->head->refresher;

    out->pid = (apr_int64_t)get_count(&refresher->pid);
    out->since = ocspx_ledger_get_time(&refresher->since);
    out->turn = ocspx_ledger_get_time(&refresher->turn);
}

void ocspx_ledger_share(ocspx_ledger_share_t *out, const ocspx_ledger_t *ledger)
{
    const ocspx_ledger_share_words_t *share = &ledger->head->share;
    unsigned i;

    out->down_since = ocspx_ledger_get_time(&share->down_since);
    for (i = 0; i < OCSPX_LEDGER_SHARE_COUNTS; i++)
        out->counts[i] = get_count(&share->counts[i]);
}

/* --- carrying over --------------------------------------------------- */

static apr_uint64_t past(apr_time_t t, apr_time_t now)
{
    return (apr_uint64_t)(t > now ? now : t);
}

static void carry_cert(ocspx_ledger_t *to, unsigned cert,
                       const ocspx_ledger_t *from, unsigned from_cert,
                       apr_time_t now)
{
    ocspx_ledger_attempt_t attempts[OCSPX_LEDGER_ATTEMPTS];
    unsigned n = ocspx_ledger_attempts(attempts, from, from_cert);

    while (n--) {
        attempts[n].time = (apr_time_t)past(attempts[n].time, now);
        if (attempts[n].http_status > 999)
            attempts[n].http_status = 0;
        push(&to->certs[cert], &attempts[n]);
    }
}

static void carry_host(ocspx_ledger_host_words_t *to,
                       const ocspx_ledger_t *from, unsigned from_host,
                       apr_time_t now)
{
    ocspx_ledger_host_t host;
    unsigned i;

    ocspx_ledger_host(&host, from, from_host);
    ocspx_ledger_set(&to->requests, host.requests);
    for (i = 0; i < OCSPX_CAUSE_GROUP_COUNT; i++)
        ocspx_ledger_set(&to->attempts[i], host.attempts[i]);
    for (i = 0; i < OCSPX_LEDGER_BUCKETS; i++)
        ocspx_ledger_set(&to->durations[i], host.durations[i]);
    ocspx_ledger_set(&to->duration_sum, (apr_uint64_t)host.duration_sum);
    ocspx_ledger_set(&to->failing_since, past(host.failing_since, now));
    ocspx_ledger_set(&to->cause, host.cause);
    ocspx_ledger_set(&to->asked, past(host.asked, now));
}

static void carry_certs(ocspx_ledger_t *to, const ocspx_ledger_t *from,
                        apr_time_t now, apr_pool_t *ptemp)
{
    apr_hash_t *known = apr_hash_make(ptemp);
    const unsigned char *digest = to->digests;
    unsigned i;

    for (i = 0; i < to->cert_count; i++, digest += OCSPX_CERT_DIGEST_LEN)
        apr_hash_set(known, digest, OCSPX_CERT_DIGEST_LEN, digest);
    digest = from->digests;
    for (i = 0; i < from->cert_count; i++, digest += OCSPX_CERT_DIGEST_LEN) {
        const unsigned char *ours =
            apr_hash_get(known, digest, OCSPX_CERT_DIGEST_LEN);

        if (ours)
            carry_cert(to,
                       (unsigned)((ours - to->digests) / OCSPX_CERT_DIGEST_LEN),
                       from, i, now);
    }
}

static void carry_hosts(ocspx_ledger_t *to, const ocspx_ledger_t *from,
                        apr_time_t now, apr_pool_t *ptemp)
{
    apr_hash_t *known = apr_hash_make(ptemp);
    ocspx_ledger_host_words_t *host;
    unsigned i;

    for (i = 0; i < to->host_count; i++)
        apr_hash_set(known, to->names[i], APR_HASH_KEY_STRING, &to->hosts[i]);
    for (i = 0; i < from->host_count; i++)
        if ((host = apr_hash_get(known, from->names[i], APR_HASH_KEY_STRING)))
            carry_host(host, from, i, now);
}

/* Whether it works the next refresher finds out by itself. */
static void carry_share(ocspx_ledger_t *to, const ocspx_ledger_t *from)
{
    ocspx_ledger_share_t share;
    unsigned i;

    ocspx_ledger_share(&share, from);
    for (i = 0; i < OCSPX_LEDGER_SHARE_COUNTS; i++)
        ocspx_ledger_set(&to->head->share.counts[i], share.counts[i]);
}

void ocspx_ledger_carry(ocspx_ledger_t *to, const ocspx_ledger_t *from,
                        apr_time_t now, apr_pool_t *ptemp)
{
    if (from->layout != OCSPX_LEDGER_LAYOUT)
        return;
    carry_certs(to, from, now, ptemp);
    carry_hosts(to, from, now, ptemp);
    ocspx_ledger_set(
        &to->head->refresher.egress_closed,
        past(ocspx_ledger_get_time(&from->head->refresher.egress_closed), now));
    carry_share(to, from);
}
