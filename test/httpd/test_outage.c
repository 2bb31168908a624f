/* test_outage: responders go away and come back; certificates of other
 * responders do not notice, and nothing is stapled past its time.
 */
#include "../support/check_main.h"
#include "../support/procs.h"
#include "../support/world.h"

#include <apr_strings.h>
#include <stdio.h>

static world_t *w;

static void setup(void)
{
    w = world_make();
}

static void teardown(void)
{
    world_destroy(w);
}

/** A responder of its own, with one virtual host. */
static responder_t *add_responder(const char *name,
                                  const responder_script_t *script)
{
    responder_t *responder = world_responder(w);

    w->responder = responder;
    world_site(w, name);
    responder_script(responder, NULL, script);
    responder_start(responder);
    return responder;
}

/* --- an outage of a minute --------------------------------------------- */

static const struct {
    const char *name;
    responder_answer_e answer;
} outages[] = {{"hang.test", RESPONDER_HANG},
               {"refuse.test", RESPONDER_REFUSE},
               {"black-hole.test", RESPONDER_BLACK_HOLE}};

enum { OUTAGES = sizeof(outages) / sizeof(*outages) };

#define OUTAGE_MS 60000
#define BACK_MS 15000

/** Repair all at once; nobody tells the server. */
static void staples_appear(responder_t *const *responders)
{
    int seen[OUTAGES] = {0};
    int missing = OUTAGES;
    long begin = procs_ms();

    for (int i = 0; i < OUTAGES; i++) {
        world_assert_bare(w, outages[i].name);
        responder_script(responders[i], NULL, &(responder_script_t){0});
    }
    while (missing > 0) {
        long ms = procs_ms() - begin;

        for (int i = 0; i < OUTAGES; i++) {
            client_result_t result = world_handshake(w, outages[i].name);

            ck_assert_msg(result.ok, "%s: %s", outages[i].name, result.error);
            if (!seen[i] && client_good(&result)) {
                printf("%s: stapled %.1f s after the end of the outage\n",
                       outages[i].name, (double)ms / 1000);
                seen[i] = 1;
                missing--;
            }
            ck_assert_msg(seen[i] || ms <= BACK_MS, "%s: no staple after %ld s",
                          outages[i].name, ms / 1000);
        }
        procs_sleep(50);
    }
}

START_TEST(staple_appears_after_a_minute)
{
    responder_t *responders[OUTAGES];
    long begin;

    for (int i = 0; i < OUTAGES; i++) {
        responders[i] =
            add_responder(outages[i].name,
                          &(responder_script_t){.answer = outages[i].answer});
    }
    world_global(w, "OCSPXStartupWait 1\n");
    begin = procs_ms();
    world_up(w);
    procs_sleep((int)(begin + OUTAGE_MS - procs_ms()));
    staples_appear(responders);
}
END_TEST
