/* names: a DNS server that answers as it is told. */
#include "names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_strings.h>

#include "procs.h"

/* RFC 1035, 4.1: header, then the question: name, type, class. */
#define HEAD 12
#define TAIL 4
#define PACKET_MAX 512
#define TYPE_A 1
#define TYPE_AAAA 28

typedef struct {
    char name[NAMES_NAME_MAX]; /* "": not used yet */
    names_answer_e answer;
    unsigned char v4[4], v6[16];
    int has_v4, has_v6;
} place_t;

struct names_t {
    int ready;
    pthread_mutex_t lock;
    place_t places[NAMES_MAX];
};

/** @return the place of @a name, or the first one free; NULL: neither */
static place_t *find(names_t *names, const char *name)
{
    for (int i = 0; i < NAMES_MAX; i++) {
        place_t *place = &names->places[i];

        if (place->name[0] == '\0' || strcasecmp(place->name, name) == 0)
            return place;
    }
    return NULL;
}

/* --- the server's part ------------------------------------------------ */

/** The name asked about, with dots; @return the question's end, 0: none */
static apr_size_t read_question(char *name, const unsigned char *packet,
                                apr_size_t len)
{
    apr_size_t at = HEAD;
    apr_size_t to = 0;

    while (at < len && packet[at] != 0) {
        apr_size_t label = packet[at];

        if (at + label >= len || to + label + 1 >= NAMES_NAME_MAX)
            return 0;
        if (to > 0)
            name[to++] = '.';
        memcpy(name + to, packet + at + 1, label);
        to += label;
        at += label + 1;
    }
    name[to] = '\0';
    return at + 1 + TAIL <= len ? at + 1 + TAIL : 0;
}

/** Append one address of the name in the question. */
static apr_size_t add_address(unsigned char *packet, apr_size_t len,
                              const unsigned char *address, unsigned char size)
{
    const unsigned char type = size == 4 ? TYPE_A : TYPE_AAAA;
    const unsigned char record[] = {0xc0, HEAD, 0, type, 0, 1,
                                    0,    0,    0, 1,    0, size};

    memcpy(packet + len, record, sizeof(record));
    memcpy(packet + len + sizeof(record), address, size);
    packet[7] = 1; /* ANCOUNT */
    return len + sizeof(record) + size;
}

/** Make the answer in place of the question. @return its length; 0: none */
static apr_size_t make_answer(unsigned char *packet, apr_size_t end,
                              const place_t *place)
{
    static const unsigned char rcodes[] = {
        [NAMES_NXDOMAIN] = 3, [NAMES_SERVFAIL] = 2, [NAMES_REFUSED] = 5};
    const unsigned type = packet[end - 3];

    if (place->answer == NAMES_SILENT)
        return 0;
    if (place->answer == NAMES_GARBAGE) {
        memset(packet + 2, 0xff, HEAD);
        return HEAD + 2;
    }
    packet[2] = 0x84; /* an answer, with authority */
    packet[3] =
        0x80 | (place->answer == NAMES_FOUND ? 0 : rcodes[place->answer]);
    memset(packet + 6, 0, 6); /* no records but the question */
    if (place->answer != NAMES_FOUND)
        return end;
    if (type == TYPE_A && place->has_v4)
        return add_address(packet, end, place->v4, sizeof(place->v4));
    if (type == TYPE_AAAA && place->has_v6)
        return add_address(packet, end, place->v6, sizeof(place->v6));
    return end;
}

static apr_size_t answer(names_t *names, unsigned char *packet, apr_size_t len)
{
    static const place_t nowhere = {.answer = NAMES_NXDOMAIN};
    char name[NAMES_NAME_MAX];
    apr_size_t end = len > HEAD ? read_question(name, packet, len) : 0;
    const place_t *place;

    if (end == 0)
        return 0;
    pthread_mutex_lock(&names->lock);
    place = find(names, name);
    if (place == NULL || place->name[0] == '\0')
        place = &nowhere;
    len = make_answer(packet, end, place);
    pthread_mutex_unlock(&names->lock);
    return len;
}

static int listen_on_53(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons(53),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
        procs_die("names: port 53: %s", strerror(errno));
    return fd;
}

/** Never returns. */
static void serve(names_t *names)
{
    int fd = listen_on_53();
    unsigned char packet[2 * PACKET_MAX];
    struct sockaddr_storage from;

    __atomic_store_n(&names->ready, 1, __ATOMIC_RELEASE);
    for (;;) {
        socklen_t from_len = sizeof(from);
        ssize_t got = recvfrom(fd, packet, PACKET_MAX, 0,
                               (struct sockaddr *)&from, &from_len);
        apr_size_t len = got > 0 ? answer(names, packet, (apr_size_t)got) : 0;

        if (len > 0)
            sendto(fd, packet, len, 0, (struct sockaddr *)&from, from_len);
    }
}

/* --- the test's part -------------------------------------------------- */

names_t *names_start(apr_pool_t *p)
{
    names_t *names = procs_shared(sizeof(*names), p);
    pthread_mutexattr_t attr;
    pid_t pid;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&names->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    pid = procs_fork();
    if (pid == 0)
        serve(names);
    procs_end_with(pid, p);
    while (!__atomic_load_n(&names->ready, __ATOMIC_ACQUIRE))
        procs_sleep(1);
    return names;
}

static int address(int family, void *to, const char *text)
{
    if (text != NULL && inet_pton(family, text, to) != 1)
        procs_die("names: not an address: %s", text);
    return text != NULL;
}

void names_set(names_t *names, const char *name, const names_entry_t *entry)
{
    place_t *place;

    pthread_mutex_lock(&names->lock);
    place = find(names, name);
    if (place == NULL || strlen(name) >= sizeof(place->name))
        procs_die("names: no room for %s", name);
    apr_cpystrn(place->name, name, sizeof(place->name));
    place->answer = entry->answer;
    place->has_v4 = address(AF_INET, place->v4, entry->v4);
    place->has_v6 = address(AF_INET6, place->v6, entry->v6);
    pthread_mutex_unlock(&names->lock);
}
