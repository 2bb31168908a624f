/* spawn: starts a program that has nothing of ours but its standard input. */
#ifndef OCSPX_SPAWN_H
#define OCSPX_SPAWN_H

#include <sys/types.h>

/**
 * Start a program, not through a shell, as the leader of a process group of
 * its own, with no signal blocked or ignored and no descriptor but the standard
 * ones. Output goes nowhere.
 * @param pid to be reaped by the caller
 * @param in a pipe to its standard input, which never blocks; to be closed by
 *        the caller
 * @param argv begins with the program's absolute path, ends with NULL
 * @return 0, else errno: nothing was started
 */
int ocspx_spawn(pid_t *pid, int *in, const char *const *argv);

#endif
