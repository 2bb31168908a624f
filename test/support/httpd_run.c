/* httpd_run: starts, reloads and stops a private httpd. */
#include "httpd_private.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_strings.h>

#include "procs.h"

#define UP_MS 30000
#define UP_VHOST_MS 25 /* for each virtual host */
#define TEST_MS 60000
#define STOP_MS 15000
#define POLL_MS 10

/** Milliseconds an unanswered question to the server may take. */
#define ASK_MS 9000

/** Run it to its end. @return its exit status */
static int run(httpd_t *h, const char **output, const char *flag,
               const char *define)
{
    const char *argv[] = {
        httpd_config_binary(),        flag,   "-f", httpd_path(h, "httpd.conf"),
        define != NULL ? "-D" : NULL, define, NULL};
    procs_result_t result;

    httpd_config_write(h);
    procs_run(&result, argv, NULL, TEST_MS, h->pool);
    httpd_log_judge(h, result.output);
    *output = result.output;
    return result.status;
}

int httpd_configtest(httpd_t *h, const char **output)
{
    return run(h, output, "-t", NULL);
}

int httpd_configtest_define(httpd_t *h, const char **output, const char *define)
{
    return run(h, output, "-t", define);
}

int httpd_refusal(httpd_t *h, const char **output)
{
    return run(h, output, "-DFOREGROUND", NULL);
}

static int connect_plain(const httpd_t *h)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)h->plain_port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/** Fetch the status page into @a page. @return 1: there was an answer */
static int ask_status(char *page, size_t size, const httpd_t *h)
{
    static const char question[] = "GET /server-status?auto HTTP/1.0\r\n\r\n";
    int fd = connect_plain(h);
    struct pollfd ready = {fd, POLLIN, 0};
    size_t len = 0;
    ssize_t got = -1;

    if (fd < 0)
        return 0;
    if (send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL) > 0)
        do {
            got = poll(&ready, 1, ASK_MS) > 0
                      ? recv(fd, page + len, size - 1 - len, 0)
                      : -1;
            len += got > 0 ? (size_t)got : 0;
        } while (got > 0 && len < size - 1);
    close(fd);
    page[len] = '\0';
    return len > 0;
}

/** The generation that answers just now; -1: none does, or does not say. */
static int generation(const httpd_t *h)
{
    static const char key[] = "\nParentServerConfigGeneration: ";
    char page[8192];
    const char *at;

    if (!ask_status(page, sizeof(page), h))
        return -1;
    at = strstr(page, key);
    return at != NULL ? atoi(at + sizeof(key) - 1) : -1;
}

static int parent_has_ended(httpd_t *h)
{
    if (!procs_wait(*h->pid, 0))
        return 0;
    procs_kill_group(*h->pid);
    *h->pid = 0;
    return 1;
}

static int is_up(const httpd_t *h)
{
    char page[64];

    return ask_status(page, sizeof(page), h);
}

static int is_late(const httpd_t *h, long begin)
{
    return procs_ms() - begin > UP_MS + UP_VHOST_MS * (long)h->vhosts->nelts;
}

int httpd_start(httpd_t *h)
{
    const char *argv[] = {httpd_config_binary(), "-DFOREGROUND", "-f",
                          httpd_path(h, "httpd.conf"), NULL};
    long begin = procs_ms();

    if (*h->pid != 0)
        procs_die("httpd_start: it is running");
    httpd_config_write(h);
    h->generation = 1;
    *h->pid = procs_spawn(argv, httpd_path(h, "output"));
    while (!is_up(h)) {
        if (parent_has_ended(h))
            return -1;
        if (is_late(h, begin)) {
            httpd_kill9(h);
            return -1;
        }
        procs_sleep(POLL_MS);
    }
    return (int)(procs_ms() - begin);
}

/** Signal the parent and wait for mod_status to name the next generation. */
static int reload(httpd_t *h, int sig)
{
    long begin = procs_ms();

    httpd_config_write(h);
    h->generation++;
    kill(*h->pid, sig);
    do {
        procs_sleep(POLL_MS);
        if (parent_has_ended(h) || is_late(h, begin))
            return -1;
    } while (generation(h) < h->generation);
    return (int)(procs_ms() - begin);
}

int httpd_graceful(httpd_t *h)
{
    return reload(h, SIGUSR1);
}

int httpd_restart(httpd_t *h)
{
    return reload(h, SIGHUP);
}

/* As $HTTPD_STOP says: "graceful", or at once. */
static int stop_signal(void)
{
    const char *how = getenv("HTTPD_STOP");

    return how && !strcmp(how, "graceful") ? SIGWINCH : SIGTERM;
}

int httpd_stop(httpd_t *h)
{
    int clean;

    if (*h->pid == 0)
        return 1;
    clean =
        procs_stop(*h->pid, stop_signal(), STOP_MS) && kill(-*h->pid, 0) != 0;
    procs_kill_group(*h->pid);
    *h->pid = 0;
    return clean;
}

void httpd_kill9(httpd_t *h)
{
    if (*h->pid != 0) {
        procs_kill_group(*h->pid);
        *h->pid = 0;
    }
}

const char *httpd_output(const httpd_t *h)
{
    return procs_read_file(httpd_path(h, "output"), h->pool);
}

pid_t httpd_pid(const httpd_t *h)
{
    return *h->pid;
}

int httpd_running(const httpd_t *h)
{
    return *h->pid != 0 && kill(*h->pid, 0) == 0;
}

/** Is @a pid a living child of @a parent? */
static int is_child(const char *pid, pid_t parent)
{
    char path[300];
    char line[512];
    const char *at;
    char state;
    int ppid;
    FILE *file;

    apr_snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    at = fgets(line, sizeof(line), file);
    fclose(file);
    at = at != NULL ? strrchr(at, ')') : NULL; /* the name may hold anything */
    return at != NULL && sscanf(at, ") %c %d", &state, &ppid) == 2 &&
           ppid == parent && state != 'Z';
}

int httpd_children(pid_t *pids, int max, const httpd_t *h)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int n = 0;

    if (proc == NULL)
        return 0;
    while ((entry = readdir(proc)) != NULL && n < max)
        if (atoi(entry->d_name) > 0 && is_child(entry->d_name, *h->pid))
            pids[n++] = atoi(entry->d_name);
    closedir(proc);
    return n;
}
