/* notify: runs the administrator's command when something happened
 * (OCSPXNotify).
 *
 * Never through a shell, one at a time, limited in time, by the process and
 * thread of the refresher; whatever the command does, nothing else changes. It
 * is the leader of a process group, and what it leaves there ends with it. The
 * process has to ignore SIGPIPE, as httpd's do.
 */
#ifndef OCSPX_NOTIFY_H
#define OCSPX_NOTIFY_H

#include <apr_pools.h>
#include <apr_time.h>

#include "event.h"
#include "log.h"

/** A command that runs longer is killed. */
#define OCSPX_NOTIFY_TIMEOUT apr_time_from_sec(30)
/** So many events wait for their turn; more are dropped, with one warning. */
#define OCSPX_NOTIFY_QUEUE 1000

typedef struct ocspx_notify_t ocspx_notify_t;

/**
 * @param argv the command and its first arguments, ends with NULL; the path
 *        is absolute
 * @param p is the refresher's: its end kills what still runs, and says what
 *        was not told
 */
ocspx_notify_t *ocspx_notify_make(const char *const *argv,
                                  const ocspx_log_t *log, apr_pool_t *p);

/**
 * Have the command run with two more arguments, the event's name and @a name,
 * and @a json on its standard input.
 * @param entry registry index, for the log; -1: none
 */
void ocspx_notify_add(ocspx_notify_t *notify, ocspx_event_e event,
                      const char *name, const char *json, int entry);

/** Go on: feed, reap, kill, start the next. Never waits. */
void ocspx_notify_turn(ocspx_notify_t *notify, apr_time_t now);

#endif
