/* attempt: one entry's turn, from its first question to its result. Only for
 * the refresher.
 *
 *   attempt.c         asks the responders, or reads the response file
 *   attempt_share.c   before that, looks where other servers put theirs
 *   attempt_repair.c  before that, completes the chain where that is to be done
 */
#ifndef OCSPX_ATTEMPT_H
#define OCSPX_ATTEMPT_H

#include "admit.h"
#include "agenda.h"
#include "refresh.h"

typedef struct ocspx_attempt_t ocspx_attempt_t;
struct ocspx_attempt_t {
    const ocspx_refresh_config_t *config;
    const ocspx_registry_entry_t *entry;
    apr_pool_t *pool; /* its own */
    void (*done)(ocspx_attempt_t *attempt);
    void *baton; /* of done */

    ocspx_cache_state_t before, after;
    ocspx_admit_t result;
    ocspx_admit_t unrepaired;     /* why the chain could not be completed, where
                                     stapling did not have to wait for that */
    int told;                     /* the ledger has what a responder said */
    ocspx_agenda_reach_e reached; /* whom it asked last */
    apr_time_t retry_after;       /* as they said; 0: they did not */
    int stored;                   /* there was something to be kept on disk */
    const char *unsaved;          /* why that failed; NULL: it did not */

    ocspx_fetch_question_t question;
    int url; /* the responder to ask next */
    ocspx_repair_try_t *repair;
};

/** Does all of it. done is called once, perhaps before this returns. */
void ocspx_attempt_start(ocspx_attempt_t *attempt);

/** Ask for the response; what is left to do once the chain is complete. */
void ocspx_attempt_ask(ocspx_attempt_t *attempt);

/** Look for it where other servers put theirs, then ask the responders. */
void ocspx_attempt_look_up(ocspx_attempt_t *attempt);
void ocspx_attempt_ask_responders(ocspx_attempt_t *attempt);

/** Put what a responder said where other servers look. */
void ocspx_attempt_put(const ocspx_attempt_t *attempt,
                       const ocspx_admit_candidate_t *candidate);

/**
 * ocspx_admit.
 * @param from its URL or file, for what is said against it; NULL: nothing
 * @param store NULL: not to be kept on disk
 */
void ocspx_attempt_admit(ocspx_attempt_t *attempt,
                         const ocspx_admit_candidate_t *candidate,
                         const char *from, ocspx_store_t *store);

/** Ask for what the chain lacks, then for the response. */
void ocspx_attempt_repair(ocspx_attempt_t *attempt);

/** Note what an answer says of whom was asked, and of the attempt. */
void ocspx_attempt_note(ocspx_attempt_t *attempt,
                        const ocspx_fetch_answer_t *answer);

/** Does the answer give hope for other certificates at the same host? One that
 * is overloaded or broken is left alone like one that is dead. */
int ocspx_attempt_is_up(const ocspx_fetch_answer_t *answer,
                        ocspx_cause_e cause);

#endif
