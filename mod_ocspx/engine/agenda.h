/* agenda: whose turn is it? Due times, responder hosts and pace; no I/O.
 *
 * An entry may start when it is due, its host is not shut, the limits and the
 * pace allow. Of those that may, the one that expires first goes first, and
 * what has expired by lot before it. A host that could not be reached is shut:
 * one entry at a time probes it, and the others wait, due, until an answer
 * opens it again.
 *
 * The pace: starts are spaced for twice the mean rate all certificates
 * together need, so that neither a cold start nor the end of an outage makes
 * a peak later on; where that is too slow to save what is about to expire,
 * they are spaced closer; what has nothing to serve does not wait at all.
 */
#ifndef OCSPX_AGENDA_H
#define OCSPX_AGENDA_H

#include <apr_pools.h>
#include <apr_time.h>

typedef struct ocspx_agenda_t ocspx_agenda_t;

/**
 * @param n entries, hosts responder hosts; @a host_of[i] the host entry i
 *        asks first
 * @param total, per_host most entries under way at once
 * @param lots random bits, this server's own
 */
ocspx_agenda_t *ocspx_agenda_make(unsigned n, unsigned hosts,
                                  const unsigned *host_of, unsigned total,
                                  unsigned per_host, apr_uint64_t lots,
                                  apr_pool_t *p);

/** Longest pause the pace makes, however few certificates there are. */
#define OCSPX_AGENDA_GAP_MAX apr_time_from_sec(10)

/**
 * Set when entry @a i is due. Not while it is under way.
 * @param expiry from when it has nothing to serve; 0: it has nothing now
 * @param interval what it expects between two starts: refreshes (see
 *        ocspx_schedule_interval), or retries while it is failing; sets the
 *        pace; 0: not known yet
 */
void ocspx_agenda_set(ocspx_agenda_t *agenda, unsigned i, apr_time_t due,
                      apr_time_t expiry, apr_interval_time_t interval);

/**
 * Take the next entry that may start at @a now; it is under way until
 * ocspx_agenda_done.
 * @return its index, or -1: none now; then @a next is when to ask again
 *         (an entry done or set earlier may change that)
 */
int ocspx_agenda_take(ocspx_agenda_t *agenda, apr_time_t now, apr_time_t *next);

typedef enum {
    OCSPX_AGENDA_SILENT,  /* no connection, no answer in time, or one that says
                             nothing of this certificate (HTTP 5xx or 429,
                             tryLater): others at this host need not be asked
                             now */
    OCSPX_AGENDA_REACHED, /* its host answered as a responder does: opens the
                             host for all */
    OCSPX_AGENDA_UNASKED  /* nobody had to be asked: if the host is shut, it
                             stays so, but the next one may try its luck */
} ocspx_agenda_reach_e;

/**
 * Entry @a i is no longer under way; ocspx_agenda_set follows, unless it is
 * never due again.
 */
void ocspx_agenda_done(ocspx_agenda_t *agenda, unsigned i,
                       ocspx_agenda_reach_e reached);

unsigned ocspx_agenda_under_way(const ocspx_agenda_t *agenda);

/** Is anything under way at another host than @a except, one not shut? */
int ocspx_agenda_is_asking(const ocspx_agenda_t *agenda, unsigned except);

#endif
