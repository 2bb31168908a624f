/* line: a bad line between this network namespace and a far one: a process
 * that carries packets from one TUN device to another and loses, delays,
 * reorders and duplicates them. In a network of the test's own (see netns.h).
 *
 *   line = line_make(4711, p);
 *   line_go_far(line);
 *   responder_start(r);            ... that listens on "::"
 *   line_come_back(line);
 *   line_set(line, 1, &(line_quality_t){.loss = 10, .delay_ms = 100});
 *
 * Each address over there has a quality of its own, which is that of a packet
 * to or from it; all zero: a perfect line.
 */
#ifndef OCSPX_TEST_LINE_H
#define OCSPX_TEST_LINE_H

#include <apr_pools.h>

typedef struct line_t line_t;

/** Addresses over there: 0 to this. */
#define LINE_ADDRESSES_MAX 200

typedef struct {
    int loss;    /* percent of packets, by IPv4 and IPv6 */
    int loss_v4; /* by IPv4 alone */
    int loss_v6;
    int delay_ms;  /* each way */
    int jitter_ms; /* up to so much more, each packet: so they are reordered */
    int duplicate; /* percent of packets */
    int largest;   /* bytes; what is larger is lost in silence; 0: no limit */
} line_quality_t;

typedef struct {
    unsigned carried, lost, duplicated, overtaken;
} line_counts_t;

/** @param seed of all chance in it. It ends with @a p. */
line_t *line_make(unsigned seed, apr_pool_t *p);

/** Address number @a i over there. */
const char *line_v4(const line_t *line, int i);
const char *line_v6(const line_t *line, int i);

void line_go_far(const line_t *line);
void line_come_back(const line_t *line);

void line_set(line_t *line, int i, const line_quality_t *quality);

/** What became of packets to and from this address. */
line_counts_t line_counts(const line_t *line, int i);

#endif
