/* line: a bad line between two network namespaces.
 *
 *   near: 10.8.0.1            far: 10.9.0.0/24, all of it local
 *         2001:db8:8::1            2001:db8:9::/64, likewise
 *   line0 (TUN) <---- a process with a queue by due time ----> line1 (TUN)
 */
#include "line.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <apr_strings.h>

#include "netns.h"
#include "procs.h"

#define PACKET_MAX 2048
#define QUEUE_MAX 4096

typedef struct {
    line_quality_t quality;
    line_counts_t counts;
} place_t;

/** Memory of both processes; a packet more or less by the quality before
 * does no harm, so there is no lock. */
typedef struct {
    int ready;
    place_t places[LINE_ADDRESSES_MAX + 1];
} shared_t;

struct line_t {
    apr_pool_t *pool;
    int near, far; /* network namespaces */
    shared_t *shared;
};

/* --- the carrier's process --------------------------------------------- */

typedef struct packet_t {
    struct packet_t *next;
    long due;
    place_t *place;
    int to; /* TUN device */
    size_t len;
    unsigned char bytes[PACKET_MAX];
} packet_t;

typedef struct {
    shared_t *shared;
    int ends[2]; /* TUN devices: near, far */
    unsigned random;
    packet_t *queue; /* first due first */
    int queued;
} carrier_t;

static int draw(carrier_t *carrier, int below)
{
    return below > 0 ? rand_r(&carrier->random) % below : 0;
}

/** The last byte of the far address tells which it is. NULL: none */
static place_t *place_of(const carrier_t *carrier, const packet_t *packet,
                         int is_outward)
{
    int is_v6 = packet->bytes[0] >> 4 == 6;
    int at = is_v6 ? (is_outward ? 39 : 23) : (is_outward ? 19 : 15);
    int i = packet->bytes[at];

    if (packet->len <= 40 && is_v6)
        return NULL;
    return i <= LINE_ADDRESSES_MAX ? &carrier->shared->places[i] : NULL;
}

static int is_lost(carrier_t *carrier, const packet_t *packet)
{
    const line_quality_t *q = &packet->place->quality;
    int loss = packet->bytes[0] >> 4 == 6 ? q->loss_v6 : q->loss_v4;

    return draw(carrier, 100) < q->loss || draw(carrier, 100) < loss ||
           (q->largest > 0 && packet->len > (size_t)q->largest);
}

static void enqueue(carrier_t *carrier, const packet_t *packet)
{
    const line_quality_t *q = &packet->place->quality;
    packet_t *copy = malloc(sizeof(*copy));
    packet_t **at = &carrier->queue;

    if (copy == NULL)
        procs_die("line: no memory");
    *copy = *packet;
    copy->due = procs_ms() + q->delay_ms + draw(carrier, q->jitter_ms + 1);
    while (*at != NULL && (*at)->due <= copy->due)
        at = &(*at)->next;
    for (packet_t *later = *at; later != NULL; later = later->next)
        if (later->place == copy->place && later->to == copy->to)
            copy->place->counts.overtaken++;
    copy->next = *at;
    *at = copy;
    carrier->queued++;
}

static void take(carrier_t *carrier, int end)
{
    packet_t packet = {.to = carrier->ends[1 - end]};
    ssize_t got = read(carrier->ends[end], packet.bytes, PACKET_MAX);

    if (got < 20)
        return;
    packet.len = (size_t)got;
    packet.place = place_of(carrier, &packet, end == 0);
    if (packet.place == NULL)
        return;
    if (carrier->queued == QUEUE_MAX || is_lost(carrier, &packet)) {
        packet.place->counts.lost++;
        return;
    }
    packet.place->counts.carried++;
    enqueue(carrier, &packet);
    if (draw(carrier, 100) < packet.place->quality.duplicate) {
        packet.place->counts.duplicated++;
        enqueue(carrier, &packet);
    }
}

static void deliver(carrier_t *carrier)
{
    while (carrier->queue != NULL && carrier->queue->due <= procs_ms()) {
        packet_t *first = carrier->queue;

        if (write(first->to, first->bytes, first->len) < 0 && errno == EBADF)
            procs_die("line: %s", strerror(errno));
        carrier->queue = first->next;
        carrier->queued--;
        free(first);
    }
}

static void carry(carrier_t *carrier)
{
    for (;;) {
        struct pollfd ready[2] = {{carrier->ends[0], POLLIN, 0},
                                  {carrier->ends[1], POLLIN, 0}};
        long wait = 1000;

        if (carrier->queue != NULL)
            wait = carrier->queue->due - procs_ms();
        poll(ready, 2, wait > 0 ? (int)wait : 0);
        for (int end = 0; end < 2; end++)
            if (ready[end].revents & POLLIN)
                take(carrier, end);
        deliver(carrier);
    }
}

/** A TUN device in the namespace this process is in. */
static int make_device(const char *name)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};

    apr_cpystrn(request.ifr_name, name, sizeof(request.ifr_name));
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0)
        procs_die("line: /dev/net/tun: %s", strerror(errno));
    return fd;
}

static int make_near_end(apr_pool_t *p)
{
    int fd = make_device("line0");

    netns_ip("addr add 10.8.0.1/32 dev line0", p);
    netns_ip("-6 addr add 2001:db8:8::1/128 dev line0 nodad", p);
    netns_ip("link set line0 up", p);
    netns_ip("route add 10.9.0.0/24 dev line0", p);
    netns_ip("-6 route add 2001:db8:9::/64 dev line0", p);
    return fd;
}

static int make_far_end(apr_pool_t *p)
{
    int fd = make_device("line1");

    netns_ip("link set lo up", p);
    netns_ip("link set line1 up", p);
    netns_ip("route add local 10.9.0.0/24 dev lo", p);
    netns_ip("-6 route add local 2001:db8:9::/64 dev lo", p);
    netns_ip("route add 10.8.0.0/24 dev line1", p);
    netns_ip("-6 route add 2001:db8:8::/64 dev line1", p);
    return fd;
}

/** Never returns. */
static void run(shared_t *shared, unsigned seed, apr_pool_t *p)
{
    carrier_t carrier = {.shared = shared, .random = seed};

    carrier.ends[0] = make_near_end(p);
    netns_leave();
    carrier.ends[1] = make_far_end(p);
    __atomic_store_n(&shared->ready, 1, __ATOMIC_RELEASE);
    carry(&carrier);
}

/* --- the test's part --------------------------------------------------- */

line_t *line_make(unsigned seed, apr_pool_t *p)
{
    line_t *line = apr_pcalloc(p, sizeof(*line));
    pid_t pid;

    line->pool = p;
    line->shared = procs_shared(sizeof(shared_t), p);
    line->near = netns_of(getpid());
    pid = procs_fork();
    if (pid == 0)
        run(line->shared, seed, p);
    procs_end_with(pid, p);
    while (!__atomic_load_n(&line->shared->ready, __ATOMIC_ACQUIRE))
        procs_sleep(1);
    line->far = netns_of(pid);
    return line;
}

void line_go_far(const line_t *line)
{
    netns_go(line->far);
}

void line_come_back(const line_t *line)
{
    netns_go(line->near);
}

const char *line_v4(const line_t *line, int i)
{
    return apr_psprintf(line->pool, "10.9.0.%d", i);
}

const char *line_v6(const line_t *line, int i)
{
    return apr_psprintf(line->pool, "2001:db8:9::%x", (unsigned)i);
}

void line_set(line_t *line, int i, const line_quality_t *quality)
{
    line->shared->places[i].quality = *quality;
}

line_counts_t line_counts(const line_t *line, int i)
{
    return line->shared->places[i].counts;
}
