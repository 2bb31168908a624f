/* responder_http: the little HTTP an OCSP responder needs (RFC 6960, A). */
#include "responder_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

/** Chunks small enough to cut every response in several. */
#define CHUNK 100

/** Length of a body sent in chunks. */
#define UNKNOWN ((apr_size_t)-1)

static const char *header(const char *head, const char *name, apr_pool_t *p)
{
    const char *at = strcasestr(head, apr_pstrcat(p, "\r\n", name, ":", NULL));

    return at != NULL ? at + 2 + strlen(name) + 1 : NULL;
}

static apr_size_t body_length(const char *head, apr_pool_t *p)
{
    const char *value = header(head, "Content-Length", p);

    return value != NULL ? strtoul(value, NULL, 10) : 0;
}

apr_size_t responder_http_length(const char *in, apr_size_t have, apr_pool_t *p)
{
    const char *end = memmem(in, have, "\r\n\r\n", 4);
    apr_size_t head;
    apr_size_t whole;

    if (end == NULL)
        return 0;
    head = (apr_size_t)(end - in) + 4;
    whole = head + body_length(apr_pstrndup(p, in, head), p);
    return have >= whole ? whole : 0;
}

static apr_status_t free_request(void *request)
{
    OCSP_REQUEST_free(request);
    return APR_SUCCESS;
}

static OCSP_REQUEST *decode_der(const void *der, apr_size_t len, apr_pool_t *p)
{
    const unsigned char *at = der;
    OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &at, (long)len);

    if (request != NULL) {
        apr_pool_cleanup_register(p, request, free_request,
                                  apr_pool_cleanup_null);
    }
    return request;
}

/** Undo %xx. */
static char *unescape(const char *text, apr_pool_t *p)
{
    char *plain = apr_palloc(p, strlen(text) + 1);
    char *to = plain;

    for (; *text != '\0'; text++) {
        if (*text == '%' && isxdigit((unsigned char)text[1]) &&
            isxdigit((unsigned char)text[2])) {
            char hex[3] = {text[1], text[2], '\0'};

            *to++ = (char)strtol(hex, NULL, 16);
            text += 2;
        } else {
            *to++ = *text;
        }
    }
    *to = '\0';
    return plain;
}

/**
 * The request in the path of a GET. A slash may end the prefix or, from a
 * client that does not escape, be a digit of base64: the first place from
 * where on the path makes sense is the right one.
 */
static OCSP_REQUEST *decode_path(const char *head, apr_pool_t *p)
{
    const char *start = strchr(head, '/');
    const char *end = start != NULL ? strpbrk(start, " \r\n") : NULL;
    OCSP_REQUEST *request = NULL;

    if (end == NULL)
        return NULL;
    start = unescape(apr_pstrmemdup(p, start, (apr_size_t)(end - start)), p);
    while (start != NULL && request == NULL) {
        int digits = (int)strlen(++start);
        unsigned char *der = apr_pcalloc(p, (apr_size_t)digits + 4);
        int len = EVP_DecodeBlock(der, (const unsigned char *)start, digits);

        request = len > 0 ? decode_der(der, (apr_size_t)len, p) : NULL;
        start = strchr(start, '/');
    }
    return request;
}

void responder_http_parse(responder_request_t *request, const char *in,
                          apr_size_t len, apr_pool_t *p)
{
    const char *end = memmem(in, len, "\r\n\r\n", 4);
    apr_size_t head = (apr_size_t)(end - in) + 4;

    request->head = apr_pstrmemdup(p, in, head - 2);
    request->post = strncmp(in, "POST ", 5) == 0;
    request->close = strstr(request->head, " HTTP/1.0\r\n") != NULL ||
                     strcasestr(request->head, "\r\nConnection: close");
    request->ocsp = request->post ? decode_der(in + head, len - head, p)
                                  : decode_path(request->head, p);
}

static const char *chunked(apr_size_t *out_len, const char *body,
                           apr_size_t len, apr_pool_t *p)
{
    char *out = apr_palloc(p, len + (len / CHUNK + 2) * 16);
    char *to = out;

    for (apr_size_t at = 0; at < len; at += CHUNK) {
        apr_size_t n = len - at < CHUNK ? len - at : CHUNK;

        to += apr_snprintf(to, 16, "%x\r\n", (unsigned)n);
        memcpy(to, body + at, n);
        memcpy(to + n, "\r\n", 2);
        to += n + 2;
    }
    memcpy(to, "0\r\n\r\n", 5);
    *out_len = (apr_size_t)(to - out) + 5;
    return out;
}

static const char *build_head(int status, const char *type, apr_size_t len,
                              const responder_slot_t *slot, apr_pool_t *p)
{
    const char *date = "";
    const char *location = "";
    const char *length = "Transfer-Encoding: chunked\r\n";

    if (strcasestr(slot->headers, "Date:") == NULL) {
        char *text = apr_palloc(p, APR_RFC822_DATE_LEN);

        apr_rfc822_date(text, apr_time_now());
        date = apr_pstrcat(p, "Date: ", text, "\r\n", NULL);
    }
    if (len != UNKNOWN)
        length = apr_psprintf(p, "Content-Length: %lu\r\n", (unsigned long)len);
    if (type != NULL)
        type = apr_pstrcat(p, "Content-Type: ", type, "\r\n", NULL);
    if (slot->url[0] != '\0')
        location = apr_pstrcat(p, "Location: ", slot->url, "\r\n", NULL);
    return apr_psprintf(p,
                        "HTTP/1.1 %d Scripted\r\n%s%s"
                        "%s%s%s%s\r\n",
                        status, date, type != NULL ? type : "", length,
                        location, slot->headers,
                        slot->script.close ? "Connection: close\r\n" : "");
}

void responder_http_build(responder_reply_t *reply, int status,
                          const char *type, const void *body, apr_size_t len,
                          const responder_slot_t *slot, apr_pool_t *p)
{
    const char *head =
        build_head(status, type, slot->script.chunked ? UNKNOWN : len, slot, p);
    apr_size_t head_len = strlen(head);
    const char *sent = body;
    apr_size_t sent_len = len;
    char *bytes;

    if (slot->script.chunked)
        sent = chunked(&sent_len, body, len, p);
    bytes = apr_palloc(p, head_len + sent_len);
    memcpy(bytes, head, head_len);
    memcpy(bytes + head_len, sent, sent_len);
    reply->act = RESPONDER_SEND;
    reply->bytes = bytes;
    reply->len = head_len + sent_len;
}

void responder_http_endless(responder_reply_t *reply, const char *type,
                            const responder_slot_t *slot, apr_pool_t *p)
{
    static const char chunk[] = "10\r\n0123456789abcdef\r\n";

    reply->act = RESPONDER_SEND;
    reply->bytes =
        apr_pstrcat(p, build_head(200, type, UNKNOWN, slot, p), chunk, NULL);
    reply->len = strlen(reply->bytes);
    reply->repeated = sizeof(chunk) - 1;
}
