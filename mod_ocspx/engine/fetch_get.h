/* fetch_get: the GET form of a question (RFC 6960, A.1; RFC 5019, 5). */
#ifndef OCSPX_FETCH_GET_H
#define OCSPX_FETCH_GET_H

#include <apr_pools.h>

/** Up to so many bytes a URL is fit for every cache on the way. */
#define OCSPX_FETCH_GET_MAX 255

/** @a url, one slash, and the percent-encoded base64 of @a request. */
const char *ocspx_fetch_get_url(const char *url, const unsigned char *request,
                                apr_size_t len, apr_pool_t *p);

/**
 * May @a get_url, made from @a url, be asked for without having been told to?
 * Not when it is too long, nor when @a url has a query or fragment, in which
 * the request would end up.
 */
int ocspx_fetch_get_fits(const char *url, const char *get_url);

#endif
