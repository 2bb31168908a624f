/* load_walk: handshakes with all sites until each has been stapled. */
#include "load_private.h"

#include <pthread.h>

#include "../support/procs.h"

#define THREADS_MAX 16
#define PAUSE_MS 50

typedef struct {
    const load_spec_t *spec;
    unsigned char *stapled;
    double end;
    int turn; /* atomic: the next site of this round */
} walk_t;

static void *run(void *baton)
{
    walk_t *walk = baton;
    SSL_CTX *context = load_context(walk->spec);
    int site;

    while ((site = __atomic_fetch_add(&walk->turn, 1, __ATOMIC_RELAXED)) <
               walk->spec->scene->count &&
           load_now() < walk->end) {
        double until;
        int stapled;

        if (walk->stapled[site])
            continue;
        load_shake_in(&stapled, &until, context, walk->spec, (unsigned)site);
        walk->stapled[site] = stapled != 0;
    }
    SSL_CTX_free(context);
    return NULL;
}

static void round_of(walk_t *walk)
{
    pthread_t threads[THREADS_MAX];

    walk->turn = 0;
    for (int i = 0; i < walk->spec->threads; i++)
        if (pthread_create(&threads[i], NULL, run, walk) != 0)
            procs_die("load_walk: cannot start a thread");
    for (int i = 0; i < walk->spec->threads; i++)
        pthread_join(threads[i], NULL);
}

static int count(const walk_t *walk)
{
    int n = 0;

    for (int i = 0; i < walk->spec->scene->count; i++)
        n += walk->stapled[i];
    return n;
}

int load_walk(unsigned char *stapled, const load_spec_t *spec, int rounds)
{
    walk_t walk = {spec, stapled, load_now() + spec->ms / 1000.0, 0};
    int n;

    for (;;) {
        round_of(&walk);
        n = count(&walk);
        if (n == spec->scene->count || load_now() >= walk.end || --rounds == 0)
            return n;
        procs_sleep(PAUSE_MS);
    }
}
