/* section_cache: (d) the cache alone. How often a second can readers get a
 * copy of a response, by threads or processes, while a writer replaces one
 * every ten milliseconds:
 *
 *   malloc + memcpy   of the same bytes: what is the least to be done
 *   mod_ocspx         ocspx_cache_staple()
 *   shmcb             mod_socache_shmcb's retrieve under a global mutex, as
 *                     mod_ssl does it in each handshake; what mod_ssl does
 *                     with the bytes then is not counted
 */
#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <apr_strings.h>
#include <openssl/crypto.h>

#include "../../mod_ocspx/core/schedule.h"
#include "../../mod_ocspx/engine/cache.h"
#include "../support/procs.h"
#include "figures.h"
#include "load_private.h"
#include "shmcb.h"
#include "table.h"

#define LENGTH 512
#define SLOTS_MAX 1000
#define READERS_MAX 8
#define FOREVER APR_INT64_MAX
#define BATCH 256
#define WRITE_MS 10

typedef enum { BARE, OCSPX, SHMCB, SUBJECTS } subject_e;

static const char *const subject_names[SUBJECTS] = {"malloc + memcpy",
                                                    "mod_ocspx", "shmcb"};

/** Shared by all readers, threads or processes. */
typedef struct {
    atomic_int ready;
    atomic_int go, stop;
    atomic_ulong reads, wrong;
    atomic_ulong ns;                        /* of processor time, for these */
    unsigned char bytes[SLOTS_MAX][LENGTH]; /* what is in the caches */
} shared_t;

typedef struct {
    const bench_t *bench;
    shared_t *shared;
    ocspx_cache_t *cache;
    shmcb_t *shmcb;
    unsigned slots;
    int ms;
    apr_pool_t *pool, *table_pool;
} caches_t;

typedef struct {
    const caches_t *caches;
    subject_e subject;
    apr_uint64_t random;
    pthread_t thread;
} reader_t;

/* --- what is compared --------------------------------------------------- */

static int read_bare(const caches_t *caches, unsigned slot)
{
    unsigned char *der = OPENSSL_malloc(LENGTH);
    int ok;

    memcpy(der, caches->shared->bytes[slot], LENGTH);
    /* Or the compiler leaves it all out. */
    __asm__ volatile("" : : "r"(der) : "memory");
    ok = der[LENGTH - 1] != 0;
    OPENSSL_free(der);
    return ok;
}

static int read_ocspx(const caches_t *caches, unsigned slot)
{
    unsigned char *der;
    int len = ocspx_cache_staple(&der, caches->cache, slot, 1);
    int ok = len == LENGTH && der[LENGTH - 1] != 0;

    OPENSSL_free(der);
    return ok;
}

static int read_one(const reader_t *reader, unsigned slot)
{
    if (reader->subject == BARE)
        return read_bare(reader->caches, slot);
    if (reader->subject == OCSPX)
        return read_ocspx(reader->caches, slot);
    return shmcb_read(reader->caches->shmcb, slot) == LENGTH;
}

static void write_one(const caches_t *caches, subject_e subject, unsigned slot)
{
    unsigned char *bytes = caches->shared->bytes[slot];

    if (subject == OCSPX)
        ocspx_cache_put(caches->cache, slot, bytes, LENGTH, FOREVER, NULL);
    else if (subject == SHMCB)
        shmcb_write(caches->shmcb, slot, bytes, LENGTH);
}

static void fill(caches_t *caches)
{
    memset(caches->shared->bytes, 0x5a, sizeof(caches->shared->bytes));
    if (ocspx_cache_create(&caches->cache, caches->slots,
                           ocspx_cache_area_size(caches->slots),
                           caches->pool) != APR_SUCCESS ||
        ocspx_cache_writer_enter(caches->cache) != APR_SUCCESS)
        procs_die("cannot make a cache");
    caches->shmcb = shmcb_make(caches->slots, LENGTH, caches->pool);
    for (unsigned i = 0; i < caches->slots; i++) {
        write_one(caches, OCSPX, i);
        write_one(caches, SHMCB, i);
    }
}

/* --- readers and the writer --------------------------------------------- */

/** Of this thread. */
static unsigned long cpu_ns(void)
{
    struct timespec used;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (unsigned long)used.tv_sec * 1000000000 +
           (unsigned long)used.tv_nsec;
}

static void *read_on(void *baton)
{
    reader_t *reader = baton;
    shared_t *shared = reader->caches->shared;
    unsigned long reads = 0, wrong = 0, begin;

    shared->ready++;
    while (!shared->go)
        sched_yield();
    begin = cpu_ns();
    while (!atomic_load_explicit(&shared->stop, memory_order_relaxed)) {
        for (int i = 0; i < BATCH; i++) {
            reader->random = ocspx_schedule_mix(reader->random);
            wrong += !read_one(reader, (unsigned)(reader->random >> 32) %
                                           reader->caches->slots);
        }
        reads += BATCH;
    }
    shared->reads += reads;
    shared->wrong += wrong;
    shared->ns += cpu_ns() - begin;
    return NULL;
}

static void start_threads(reader_t *readers, int n)
{
    for (int i = 0; i < n; i++)
        if (pthread_create(&readers[i].thread, NULL, read_on, &readers[i]))
            procs_die("cannot start a thread");
}

static void start_processes(pid_t *pids, reader_t *readers, int n)
{
    for (int i = 0; i < n; i++) {
        pids[i] = procs_fork();
        if (pids[i] == 0) {
            shmcb_child(readers[i].caches->shmcb);
            read_on(&readers[i]);
            _exit(0);
        }
    }
}

static void write_for(const caches_t *caches, subject_e subject)
{
    double end = load_now() + caches->ms / 1000.0;
    apr_uint64_t random = 1;

    while (load_now() < end) {
        random = ocspx_schedule_mix(random);
        write_one(caches, subject, (unsigned)(random >> 32) % caches->slots);
        procs_sleep(WRITE_MS);
    }
}

/** @return million reads a second. @param ns processor time of one */
static double measure(double *ns, const caches_t *caches, subject_e subject,
                      int processes, int n)
{
    shared_t *shared = caches->shared;
    reader_t readers[READERS_MAX];
    pid_t pids[READERS_MAX];
    double begin;

    shared->ready = shared->go = shared->stop = 0;
    shared->reads = shared->wrong = shared->ns = 0;
    for (int i = 0; i < n; i++)
        readers[i] = (reader_t){
            .caches = caches, .subject = subject, .random = (unsigned)i};
    if (processes)
        start_processes(pids, readers, n);
    else
        start_threads(readers, n);
    while (shared->ready < n)
        procs_sleep(1);
    begin = load_now();
    shared->go = 1;
    write_for(caches, subject);
    shared->stop = 1;
    begin = load_now() - begin;
    for (int i = 0; i < n; i++)
        if (processes)
            waitpid(pids[i], NULL, 0);
        else
            pthread_join(readers[i].thread, NULL);
    if (shared->wrong)
        procs_die("%s: %lu wrong reads", subject_names[subject], shared->wrong);
    *ns = (double)shared->ns / (double)shared->reads;
    return (double)shared->reads / begin / 1e6;
}

/* --- results ------------------------------------------------------------ */

/** Of all rounds. */
typedef struct {
    apr_array_header_t *rate, *rate_ratio, *ns, *ns_ratio;
} series_t;

static void run_round(series_t *series, const caches_t *caches, int processes,
                      int n)
{
    double rates[SUBJECTS], ns[SUBJECTS];

    for (int i = 0; i < SUBJECTS; i++) {
        rates[i] = measure(&ns[i], caches, (subject_e)i, processes, n);
        figures_add(series[i].rate, rates[i]);
        figures_add(series[i].rate_ratio, rates[i] / rates[BARE]);
        figures_add(series[i].ns, ns[i]);
        figures_add(series[i].ns_ratio, ns[BARE] / ns[i]);
    }
}

static void add_rows(table_t *table, const caches_t *caches, int processes,
                     int n, int rounds)
{
    apr_pool_t *p = caches->table_pool;
    series_t series[SUBJECTS];

    for (int i = 0; i < SUBJECTS; i++)
        series[i] = (series_t){figures_make(p), figures_make(p),
                               figures_make(p), figures_make(p)};
    for (int i = 0; i < rounds; i++)
        run_round(series, caches, processes, n);
    for (int i = 0; i < SUBJECTS; i++)
        table_row(
            table, subject_names[i], table_cell(table, "%u", caches->slots),
            processes ? "processes" : "threads", table_cell(table, "%d", n),
            figures_spread(series[i].rate, 3, p),
            figures_spread(series[i].rate_ratio, 3, p),
            figures_spread(series[i].ns, 0, p),
            figures_spread(series[i].ns_ratio, 3, p));
}

static void run(table_t *table, const bench_t *bench, unsigned slots,
                int rounds, apr_pool_t *parent)
{
    static const int readers[] = {1, 2, 4, 8};
    caches_t caches = {.bench = bench, .slots = slots, .table_pool = parent};

    caches.ms = bench_pick(bench, 50, 100, 200);
    apr_pool_create(&caches.pool, parent);
    caches.shared = procs_shared(sizeof(*caches.shared), caches.pool);
    fill(&caches);
    for (int processes = 0; processes < 2; processes++)
        for (int i = 0; i < COUNT(readers); i++)
            add_rows(table, &caches, processes, readers[i], rounds);
    ocspx_cache_writer_leave(caches.cache);
    apr_pool_destroy(caches.pool);
}

void section_cache(const bench_t *bench, apr_pool_t *p)
{
    static const char *const columns[] = {
        "cache",       "certificates",    "readers",
        "number",      "million reads/s", "reads to bare",
        "CPU ns each", "by CPU to bare",  NULL};
    int rounds = bench_pick(bench, 1, 3, 5);
    table_t *table = table_make(
        bench, "cache",
        apr_psprintf(p,
                     "(d) The cache alone: reads of %d bytes with a writer "
                     "running, %d rounds, on %ld processors;\n"
                     "    medians and quartiles, ratios to bare malloc + "
                     "memcpy; by CPU: of "
                     "processor time, which other load does not change",
                     LENGTH, rounds, sysconf(_SC_NPROCESSORS_ONLN)),
        columns, p);

    run(table, bench, 1, rounds, p);
    run(table, bench, SLOTS_MAX, rounds, p);
    table_end(table);
}
