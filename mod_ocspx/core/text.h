/* text: how times are written, everywhere the same. */
#ifndef OCSPX_TEXT_H
#define OCSPX_TEXT_H

#include <apr_pools.h>
#include <apr_time.h>

/** RFC 3339 in UTC, whole seconds: "2026-11-21T09:30:00Z". */
const char *ocspx_text_time(apr_time_t t, apr_pool_t *p);

#endif
