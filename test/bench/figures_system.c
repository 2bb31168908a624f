/* figures_system: what the processes of a server use. */
#include "figures.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <apr_strings.h>

/** Its process group; 0: it is gone. */
static pid_t group_of(const char *pid)
{
    char path[300], line[512];
    const char *at;
    int group = 0;
    FILE *file;

    apr_snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    file = fopen(path, "re");
    if (!file)
        return 0;
    at = fgets(line, sizeof(line), file);
    fclose(file);
    at = at ? strrchr(at, ')') : NULL; /* the name may hold anything */
    if (!at || sscanf(at, ") %*c %*d %d", &group) != 1)
        return 0;
    return group;
}

/** Add up something over a group. */
static double sum(pid_t group, double (*of)(pid_t pid))
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    double total = 0;

    while (proc && (entry = readdir(proc)))
        if (atoi(entry->d_name) > 0 && group_of(entry->d_name) == group)
            total += of(atoi(entry->d_name));
    if (proc)
        closedir(proc);
    return total;
}

/* What /proc has as utime and stime, but not in ticks. */
static double cpu_of(pid_t pid)
{
    struct timespec used = {0, 0};
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 ||
        clock_gettime(clock, &used) != 0)
        return 0;
    return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

static double pss_of(pid_t pid)
{
    char path[64], line[256];
    long kb = 0;
    FILE *file;

    apr_snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
        if (!strncmp(line, "Pss:", 4))
            kb = atol(line + 4);
    if (file)
        fclose(file);
    return (double)kb;
}

double figures_cpu(pid_t group)
{
    return sum(group, cpu_of);
}

double figures_pss(pid_t group)
{
    return sum(group, pss_of);
}
