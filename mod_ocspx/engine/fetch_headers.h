/* fetch_headers: what an answer's header says about time and type. Fed line by
 * line, as it comes; of several answers in a row (redirects) the last one
 * counts, and of a field that comes twice the first (RFC 9111, 4.2.1).
 */
#ifndef OCSPX_FETCH_HEADERS_H
#define OCSPX_FETCH_HEADERS_H

#include <apr_time.h>
#include <stddef.h>

/** No answer is fresh for longer, whatever it says. */
#define OCSPX_FETCH_HEADERS_SEC_MAX (366L * 24 * 3600)

/** Absent is -1. */
typedef struct {
    apr_time_t date;
    apr_time_t expires;  /* 0: in the past, or not a date (RFC 9111, 5.3) */
    apr_int64_t max_age; /* seconds, at most SEC_MAX; so the next two */
    apr_int64_t age;
    apr_int64_t retry_after;
    apr_time_t retry_at; /* Retry-After given as a date */
    int encoded;         /* there is a Content-Encoding; 0 or 1 */
    char type[64];       /* Content-Type, cut at that length; "": none */
} ocspx_fetch_headers_t;

void ocspx_fetch_headers_init(ocspx_fetch_headers_t *headers);

/** Take one line, with or without line end; a status line starts afresh. */
void ocspx_fetch_headers_line(ocspx_fetch_headers_t *headers, const char *line,
                              size_t len);

/** What the clock of the answer's maker shows now: its Date, and how long it
 * has been in caches since (Age; RFC 9111, 4.2.3); 0: unknown. */
apr_time_t ocspx_fetch_headers_date(const ocspx_fetch_headers_t *headers);

/** When an answer that came at @a now goes stale; 0: not said. */
apr_time_t ocspx_fetch_headers_fresh_until(const ocspx_fetch_headers_t *headers,
                                           apr_time_t now);

/** When to ask again, for an answer that came at @a now; 0: not said. */
apr_time_t ocspx_fetch_headers_retry_after(const ocspx_fetch_headers_t *headers,
                                           apr_time_t now);

#endif
