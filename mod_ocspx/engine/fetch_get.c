/* fetch_get: the GET form of a question. */
#include "fetch_get.h"

#include <apr_strings.h>
#include <openssl/evp.h>
#include <string.h>

/* base64 has three characters that mean something else in a URL. */
static const char *escape(const char *base64, apr_pool_t *p)
{
    char *escaped = apr_palloc(p, 3 * strlen(base64) + 1);
    char *to = escaped;

    for (; *base64; base64++)
        if (strchr("+/=", *base64))
            to += apr_snprintf(to, 4, "%%%02X", (unsigned)*base64);
        else
            *to++ = *base64;
    *to = '\0';
    return escaped;
}

const char *ocspx_fetch_get_url(const char *url, const unsigned char *request,
                                apr_size_t len, apr_pool_t *p)
{
    unsigned char *base64 = apr_palloc(p, 4 * ((len + 2) / 3) + 1);
    apr_size_t end = strlen(url);

    EVP_EncodeBlock(base64, request, (int)len);
    while (end && url[end - 1] == '/')
        end--;
    return apr_pstrcat(p, apr_pstrmemdup(p, url, end), "/",
                       escape((const char *)base64, p), NULL);
}

int ocspx_fetch_get_fits(const char *url, const char *get_url)
{
    return strlen(get_url) <= OCSPX_FETCH_GET_MAX && !strpbrk(url, "?#");
}
