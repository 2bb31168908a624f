/* procs_system: what tests need of the system: ports, clocks, files. */
#include "procs.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <apr_strings.h>

/* Below the range from which Linux takes ports for outgoing connections. */
#define PORT_MIN 15000
#define PORT_MAX 32000

void procs_die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "test support: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    abort();
}

long procs_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void procs_sleep(int ms)
{
    struct timespec wait = {ms / 1000, ms % 1000 * 1000000L};

    nanosleep(&wait, NULL);
}

static apr_status_t unmap(void *memory)
{
    apr_size_t *size = memory;

    return munmap(size - 2, *(size - 2)) == 0 ? APR_SUCCESS : errno;
}

void *procs_shared(apr_size_t size, apr_pool_t *p)
{
    apr_size_t whole = size + 2 * sizeof(apr_size_t);
    apr_size_t *memory =
        mmap(NULL, whole, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        procs_die("mmap: %s", strerror(errno));
    memory[0] = whole; /* in front of what the caller sees, for unmap() */
    apr_pool_cleanup_register(p, memory + 2, unmap, apr_pool_cleanup_null);
    return memory + 2;
}

/** Bind it for the life of this process, and then let those in who set
 * SO_REUSEADDR as servers do: other tests that look for a port do not. */
static int reserve(int port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;

    if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
        close(fd);
        return 0;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    return 1;
}

int procs_free_port(void)
{
    for (int i = 0; i < 1000; i++) {
        unsigned random;
        int port;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
            procs_die("getrandom: %s", strerror(errno));
        port = PORT_MIN + (int)(random % (PORT_MAX - PORT_MIN));
        if (reserve(port))
            return port;
    }
    procs_die("no free port");
}

static int is_listening(const char *table, int port)
{
    FILE *file = fopen(table, "re");
    unsigned local;
    unsigned state;
    char line[512];
    int found = 0;

    if (file == NULL)
        return 0;
    while (!found && fgets(line, sizeof(line), file) != NULL) {
        found = sscanf(line, "%*s %*[^:]:%x %*s %x", &local, &state) == 2 &&
                local == (unsigned)port && state == TCP_LISTEN;
    }
    fclose(file);
    return found;
}

int procs_wait_port(int port, int timeout_ms)
{
    long deadline = procs_ms() + timeout_ms;

    while (!is_listening("/proc/net/tcp", port) &&
           !is_listening("/proc/net/tcp6", port)) {
        if (procs_ms() >= deadline)
            return 0;
        procs_sleep(5);
    }
    return 1;
}

const char *procs_read_file(const char *path, apr_pool_t *p)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    char *text;
    ssize_t len;

    if (fd < 0)
        return "";
    if (fstat(fd, &info) != 0) {
        close(fd);
        return "";
    }
    text = apr_palloc(p, (apr_size_t)info.st_size + 1);
    len = read(fd, text, (size_t)info.st_size);
    text[len > 0 ? len : 0] = '\0';
    close(fd);
    return text;
}

static int remove_one(const char *path, const struct stat *info, int type,
                      struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

void procs_remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static apr_status_t remove_tree(void *path)
{
    procs_remove_tree(path);
    return APR_SUCCESS;
}

const char *procs_make_dir(apr_pool_t *p)
{
    char *path = apr_pstrdup(p, "/tmp/ocspx-test-XXXXXX");

    /* Open to others: httpd's workers run under a user of their own. */
    if (mkdtemp(path) == NULL || chmod(path, 0755) != 0)
        procs_die("%s: %s", path, strerror(errno));
    apr_pool_cleanup_register(p, path, remove_tree, apr_pool_cleanup_null);
    return path;
}

void procs_drop_tree(const char *path)
{
    if (getenv("OCSPX_KEEP") == NULL)
        procs_remove_tree(path);
}

static void drop_tree(void *path)
{
    procs_drop_tree(path);
}

static apr_status_t stop_guard(void *guard)
{
    procs_stop(*(pid_t *)guard, SIGKILL, 5000);
    return APR_SUCCESS;
}

const char *procs_temp_dir(apr_pool_t *p)
{
    char *path = apr_pstrdup(p, procs_make_dir(p));
    pid_t *guard = apr_palloc(p, sizeof(*guard));

    *guard = procs_guard(NULL, drop_tree, path);
    apr_pool_cleanup_register(p, guard, stop_guard, apr_pool_cleanup_null);
    return path;
}
