/* words: times, durations and numbers as a person reads them, whatever their
 * values. Where a program reads them, too, see text.h.
 */
#ifndef OCSPX_WORDS_H
#define OCSPX_WORDS_H

#include <apr_pools.h>
#include <apr_time.h>

/** In its two largest units, rounded down: "3 d 4 h", "4 min 12 s", "0 s". */
const char *ocspx_words_span(apr_interval_time_t span, apr_pool_t *p);

/** As seen from @a now: "in 3 d 4 h", "12 s ago", "now". */
const char *ocspx_words_when(apr_time_t t, apr_time_t now, apr_pool_t *p);

/** In UTC: "2026-11-21 09:30:00 UTC". */
const char *ocspx_words_time(apr_time_t t, apr_pool_t *p);

/** The same to the minute: "21 Nov 09:30". */
const char *ocspx_words_date(apr_time_t t, apr_pool_t *p);

/** How long something took: "under 1 ms", "34 ms", "1.2 s". */
const char *ocspx_words_took(apr_interval_time_t took, apr_pool_t *p);

/** "12,345" */
const char *ocspx_words_count(apr_int64_t n, apr_pool_t *p);

/** "1,571 bytes", "34.2 KB" (of 1024 bytes), "1.0 MB". */
const char *ocspx_words_size(apr_int64_t bytes, apr_pool_t *p);

/** "1 certificate", "12 certificates". @param what without its plural's s */
const char *ocspx_words_number(apr_int64_t n, const char *what, apr_pool_t *p);

#endif
