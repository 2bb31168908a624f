/* responder: the test's side of the scripted OCSP responder. */
#include "responder_private.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "procs.h"

#define START_MS 5000

void responder_lock(responder_shared_t *shared)
{
    if (pthread_mutex_lock(&shared->lock) == EOWNERDEAD)
        pthread_mutex_consistent(&shared->lock);
}

void responder_unlock(responder_shared_t *shared)
{
    pthread_mutex_unlock(&shared->lock);
}

static apr_status_t stop_with_pool(void *r)
{
    responder_stop(r);
    return APR_SUCCESS;
}

static void init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(lock, &attr);
    pthread_mutexattr_destroy(&attr);
}

responder_t *responder_make(const char *host, int port, apr_pool_t *p)
{
    responder_t *r = apr_pcalloc(p, sizeof(*r));

    r->pool = p;
    r->host = host != NULL ? apr_pstrdup(p, host) : "127.0.0.1";
    r->port = port != 0 ? port : procs_free_port();
    r->url = apr_psprintf(
        p, strchr(r->host, ':') ? "http://[%s]:%d/ocsp" : "http://%s:%d/ocsp",
        r->host, r->port);
    r->casts = apr_array_make(p, 1, sizeof(void *));
    r->by_serial = apr_hash_make(p);
    r->shared = procs_shared(sizeof(*r->shared), p);
    init_lock(&r->shared->lock);
    apr_pool_cleanup_register(p, r, stop_with_pool, apr_pool_cleanup_null);
    return r;
}

const char *responder_url(const responder_t *r)
{
    return r->url;
}

int responder_port(const responder_t *r)
{
    return r->port;
}

void responder_add(responder_t *r, const pki_t *leaf, const pki_t *issuer,
                   const pki_t *signer)
{
    if (r->pid != 0 || r->count == RESPONDER_CERTS_MAX)
        procs_die("responder_add: running, or too many certificates");
    r->certs[r->count].leaf = leaf;
    r->certs[r->count].issuer = issuer;
    r->certs[r->count].signer = signer;
    responder_script_enter(r, r->count++);
}

/** Wait until the listener is in the state the script for all wants. */
static void wait_in_force(const responder_t *r)
{
    long deadline = procs_ms() + START_MS;
    unsigned wanted;
    unsigned in_force;

    do {
        responder_lock(r->shared);
        wanted = r->shared->version;
        in_force = r->shared->in_force;
        responder_unlock(r->shared);
        if (in_force == wanted)
            return;
        procs_sleep(1);
    } while (procs_ms() < deadline);
    procs_die("responder on port %d does not respond", r->port);
}

void responder_start(responder_t *r)
{
    responder_stop(r);
    r->shared->version++;
    r->pid = procs_fork();
    if (r->pid == 0)
        responder_server_run(r);
    wait_in_force(r);
}

void responder_stop(responder_t *r)
{
    if (r->pid != 0) {
        procs_stop(r->pid, SIGKILL, START_MS);
        r->pid = 0;
    }
}

static int index_of(const responder_t *r, const pki_t *leaf)
{
    for (int i = 0; i < r->count; i++)
        if (r->certs[i].leaf == leaf)
            return i;
    procs_die("responder: certificate was never added");
}

static void copy_text(char *to, const char *from, apr_size_t size)
{
    if (from != NULL && strlen(from) >= size) {
        procs_die("responder_script: longer than %lu: %s", (unsigned long)size,
                  from);
    }
    apr_cpystrn(to, from != NULL ? from : "", size);
}

void responder_slot_fill(responder_slot_t *slot,
                         const responder_script_t *script)
{
    if (script->body_len > sizeof(slot->body))
        procs_die("responder_script: body too long");
    slot->set = 1;
    slot->script = *script;
    copy_text(slot->url, script->url, sizeof(slot->url));
    copy_text(slot->headers, script->headers, sizeof(slot->headers));
    copy_text(slot->type, script->type, sizeof(slot->type));
    if (script->body_len > 0)
        memcpy(slot->body, script->body, script->body_len);
}

void responder_script(responder_t *r, const pki_t *leaf,
                      const responder_script_t *script)
{
    responder_shared_t *shared = r->shared;

    responder_lock(shared);
    responder_slot_fill(leaf != NULL ? &shared->own[index_of(r, leaf)]
                                     : &shared->common,
                        script);
    shared->version++;
    responder_unlock(shared);
    if (r->pid != 0) {
        kill(r->pid, SIGUSR1);
        wait_in_force(r);
    }
}

void responder_script_drop(responder_t *r, const pki_t *leaf)
{
    responder_lock(r->shared);
    r->shared->own[index_of(r, leaf)].set = 0;
    responder_unlock(r->shared);
}

void responder_counts(responder_counts_t *counts, const responder_t *r)
{
    responder_lock(r->shared);
    *counts = r->shared->counts;
    responder_unlock(r->shared);
}

void responder_reset(responder_t *r)
{
    responder_lock(r->shared);
    memset(&r->shared->counts, 0, sizeof(r->shared->counts));
    memset(r->shared->requests, 0, sizeof(r->shared->requests));
    for (int i = 0; i < RESPONDER_DOCUMENTS_MAX; i++)
        r->shared->documents[i].requests = 0;
    responder_unlock(r->shared);
}

unsigned responder_requests(const responder_t *r, const pki_t *leaf)
{
    unsigned n;

    responder_lock(r->shared);
    n = leaf != NULL ? r->shared->requests[index_of(r, leaf)]
                     : r->shared->counts.requests;
    responder_unlock(r->shared);
    return n;
}

int responder_wait(const responder_t *r, const pki_t *leaf, unsigned n,
                   int timeout_ms)
{
    long deadline = procs_ms() + timeout_ms;

    while (responder_requests(r, leaf) < n) {
        if (procs_ms() >= deadline)
            return 0;
        procs_sleep(5);
    }
    return 1;
}

int responder_times(apr_time_t *times, const pki_t **leaves, int max,
                    const responder_t *r)
{
    const responder_shared_t *shared = r->shared;
    unsigned total;
    unsigned n;

    responder_lock(r->shared);
    total = shared->counts.requests;
    n = total < RESPONDER_TIMES_MAX ? total : RESPONDER_TIMES_MAX;
    n = n < (unsigned)max ? n : (unsigned)max;
    for (unsigned i = 0; i < n; i++) {
        unsigned at = (total - n + i) % RESPONDER_TIMES_MAX;

        times[i] = shared->times[at];
        leaves[i] =
            shared->whose[at] >= 0 ? r->certs[shared->whose[at]].leaf : NULL;
    }
    responder_unlock(r->shared);
    return (int)n;
}

const char *responder_last_head(const responder_t *r, apr_pool_t *p)
{
    const char *head;

    responder_lock(r->shared);
    head = apr_pstrdup(p, r->shared->last_head);
    responder_unlock(r->shared);
    return head;
}
