/* agenda: whose turn is it? Due times, responder hosts and pace; no I/O.
 *
 * An entry may start when it is due, its host is not shut, the limits allow,
 * and either it is urgent or the pace does. A host that could not be reached
 * is shut: one entry at a time probes it, and the others wait, due, until an
 * answer opens it again. Entries that are not urgent start no faster than
 * twice the mean rate all certificates together need, so that neither a cold
 * start nor the end of an outage makes a peak later on.
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
 */
ocspx_agenda_t *ocspx_agenda_make(unsigned n, unsigned hosts,
                                  const unsigned *host_of, unsigned total,
                                  unsigned per_host, apr_pool_t *p);

/**
 * Set when entry @a i is due.
 * @param urgent_at from when it no longer waits for the pace; at most due:
 *        never waits
 * @param interval what it expects between two refreshes; sets the pace
 */
void ocspx_agenda_set(ocspx_agenda_t *agenda, unsigned i, apr_time_t due,
                      apr_time_t urgent_at, apr_interval_time_t interval);

/**
 * Take the next entry that may start at @a now; it is under way until
 * ocspx_agenda_done.
 * @return its index, or -1: none now; then @a next is when to ask again
 *         (an entry done or set earlier may change that)
 */
int ocspx_agenda_take(ocspx_agenda_t *agenda, apr_time_t now, apr_time_t *next);

/**
 * Entry @a i is no longer under way; ocspx_agenda_set follows.
 * @param reached its host answered anything at all: opens the host for all
 */
void ocspx_agenda_done(ocspx_agenda_t *agenda, unsigned i, int reached);

unsigned ocspx_agenda_under_way(const ocspx_agenda_t *agenda);

#endif
