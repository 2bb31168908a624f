/* chain_private: what the files of the chain's judge share.
 *
 *   chain.c         the judge: what is sent, the verdict, the findings
 *   chain_path.c    the path that clients take
 *   chain_gap.c     a path that does not end at a trusted root
 *   chain_twin.c    an issuer that has the right name, but not the key
 *   chain_mend.c    how to close a gap
 *   chain_flaws.c   what else clients object to on the path
 *   chain_served.c  who signed whom, and what is sent besides the path
 *   chain_leaf.c    the leaf's names, and its staple
 *
 * The path is OpenSSL's, the leaf at depth 0: always the first certificate
 * that fits by name and key identifiers, trusted ones before those sent; it
 * never turns back.
 */
#ifndef OCSPX_CHAIN_PRIVATE_H
#define OCSPX_CHAIN_PRIVATE_H

#include "chain.h"

/** The security level of clients: Debian's and OpenSSL 3.2's default. */
#define OCSPX_CHAIN_LEVEL 2

typedef enum {
    OCSPX_CHAIN_LOOSE = 0, /* nothing connects it with the leaf */
    OCSPX_CHAIN_TIED,      /* the leaf, or it really signed one that is tied */
    OCSPX_CHAIN_BLAMED     /* belongs to a defect that has been reported */
} ocspx_chain_tie_e;

/** One of those sent. */
typedef struct {
    X509 *cert;
    int copies;   /* how often it is sent */
    int depth;    /* in the path; -1: not on it */
    X509 *signer; /* one with the key that signed it; NULL: not known */
    ocspx_chain_tie_e tie;
    int below; /* place of the one it signed, a step nearer to the leaf */
} ocspx_chain_served_t;

/** An objection of OpenSSL's. */
typedef struct {
    int code; /* X509_V_ERR_* */
    int depth;
} ocspx_chain_error_t;

typedef struct {
    const ocspx_chain_question_t *question;
    ocspx_chain_t *out;
    apr_pool_t *pool;          /* of what is handed out */
    apr_pool_t *scratch;       /* of all else, OpenSSL's objects included */
    apr_array_header_t *about; /* X509 *: the certificate of each finding */
    time_t now;

    ocspx_chain_served_t *served; /* none twice, the leaf at place 0 */
    int served_count;
    int misplaced;   /* the leaf was not sent first */
    int checks_left; /* signatures that may still be checked */

    X509_STORE_CTX *ctx; /* for more questions to the trust store */
    X509 **path;
    int path_count;
    int trusted;  /* depth of the first from the trust store */
    int end;      /* depth up to which the path is worth a word */
    int verified; /* OpenSSL went to the end, with or without objections */
    apr_array_header_t *errors; /* ocspx_chain_error_t */
    int private_root;           /* the gap is none for whoever knows the root */
} ocspx_chain_judge_t;

/* chain.c */

/** @return the finding, for who has other words or another severity for it
 * than the table of causes: until the next one is reported */
ocspx_chain_finding_t *ocspx_chain_report(ocspx_chain_judge_t *j,
                                          ocspx_cause_e cause, X509 *about,
                                          const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** Has this been reported of this certificate? */
int ocspx_chain_reported(const ocspx_chain_judge_t *j, ocspx_cause_e cause,
                         const X509 *about);

/** The subject; where others have the same, also serial and issuer. */
const char *ocspx_chain_name(const ocspx_chain_judge_t *j, X509 *cert);

/** Subject, serial and issuer. */
const char *ocspx_chain_full_name(const ocspx_chain_judge_t *j, X509 *cert);

/** The identifier of the key it was signed with; NULL: it does not say. */
const char *ocspx_chain_issuer_key(const ocspx_chain_judge_t *j, X509 *cert);

/** Does it name itself as its issuer, by name and key identifiers? */
int ocspx_chain_self_signed(X509 *cert);

/* chain_served.c */

/** Tie all that is loose and above @a place by real signatures, and itself. */
void ocspx_chain_tie(ocspx_chain_judge_t *j, int place, ocspx_chain_tie_e tie);

/** Did the one at the place @a issuer really sign the one at @a cert? */
int ocspx_chain_signed(ocspx_chain_judge_t *j, int issuer, int cert);

void ocspx_chain_served_judge(ocspx_chain_judge_t *j);

/* chain_path.c */

void ocspx_chain_path_find(ocspx_chain_judge_t *j);

/** Has a client that is sent only these above the leaf no objections? */
int ocspx_chain_path_holds(ocspx_chain_judge_t *j, X509 *const *above,
                           int count);

/** Did OpenSSL object to this at this depth? */
int ocspx_chain_path_has(const ocspx_chain_judge_t *j, int code, int depth);

/** The least depth with this objection; -1: there is none. */
int ocspx_chain_path_error(const ocspx_chain_judge_t *j, int code);

/** Place of the one at this depth among those sent; -1: it is not. */
int ocspx_chain_path_place(const ocspx_chain_judge_t *j, int depth);

/** The trusted certificates of this name, freed with the scratch pool; NULL
 * or empty: there are none. */
STACK_OF(X509) *
    ocspx_chain_path_trusted(const ocspx_chain_judge_t *j, X509_NAME *name);

/* chain_gap.c */

void ocspx_chain_gap_judge(ocspx_chain_judge_t *j);

/* chain_twin.c */

/** The signature at this depth was not made by the one above it. */
void ocspx_chain_twin_taken(ocspx_chain_judge_t *j, int depth);

/** The one at this depth ends the path, and the one sent at this place is not
 * its issuer for all its name. */
void ocspx_chain_twin_sent(ocspx_chain_judge_t *j, int place, int depth);

/** Likewise, of the trust store. */
void ocspx_chain_twin_trusted(ocspx_chain_judge_t *j, X509 *twin, int depth);

/* chain_mend.c */

/** The issuer of the one at this depth is missing: say so to the caller. */
void ocspx_chain_open_gap(ocspx_chain_judge_t *j, int depth);

/** Commands that fetch what is missing and @a append ("Append") it, as the
 * remedy of this finding. */
void ocspx_chain_mend(const ocspx_chain_judge_t *j,
                      ocspx_chain_finding_t *finding, const char *append);

/* chain_flaws.c */

/** "expired at ..."; NULL: it is valid now. */
const char *ocspx_chain_invalid(const ocspx_chain_judge_t *j, const X509 *cert);

void ocspx_chain_flaws_judge(ocspx_chain_judge_t *j);

/* chain_leaf.c */

void ocspx_chain_leaf_judge(ocspx_chain_judge_t *j);

#endif
