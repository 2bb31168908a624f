/* netns: a network of the test's own, which nobody else can disturb.
 *
 * The test process and all it starts from then on live in it: a network
 * namespace with a loopback interface, and a mount namespace where some files
 * of the system are others. Root is needed; without it the process ends with a
 * sentence that says so.
 */
#ifndef OCSPX_TEST_NETNS_H
#define OCSPX_TEST_NETNS_H

#include <apr_pools.h>
#include <sys/types.h>

/** Enter one; once in a process. The resolver asks 127.0.0.1. */
void netns_enter(apr_pool_t *p);

/** From now on, for all in here, @a path (which exists) is this file. */
void netns_replace_file(const char *path, const char *by);

/** For a new one, without any interface up. */
void netns_leave(void);
/** That of a process; for netns_go(). */
int netns_of(pid_t pid);
/** What is started from now on is started there. */
void netns_go(int netns);

/** Run `ip' with these arguments, in one string; aborts if it fails. */
void netns_ip(const char *arguments, apr_pool_t *p);

#endif
