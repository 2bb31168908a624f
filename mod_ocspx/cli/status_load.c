/* status_load: the JSON of `ocspx status', from a URL, a file or a pipe. */
#include <apr_strings.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../engine/fetch.h"
#include "status.h"

#define TIMEOUT apr_time_from_sec(10)

/* 10,000 certificates have 20 MB. */
#define SIZE_MAX_MB 64
#define JSON_SIZE_MAX ((apr_size_t)SIZE_MAX_MB * 1024 * 1024)

#define PARSE_FLAGS JSON_REJECT_DUPLICATES

static const char *no_json(const char *place, const json_error_t *error,
                           apr_pool_t *p)
{
    return apr_psprintf(p, "%s is no JSON: line %d: %s", place, error->line,
                        error->text);
}

/* --- files ----------------------------------------------------------- */

typedef struct {
    FILE *file;
    apr_size_t len;
    int error; /* errno */
} stream_t;

static size_t read_some(void *buffer, size_t room, void *baton)
{
    stream_t *stream = baton;
    size_t len = fread(buffer, 1, room, stream->file);

    if (ferror(stream->file))
        stream->error = errno;
    stream->len += len;
    if (stream->len > JSON_SIZE_MAX)
        stream->error = EFBIG;
    return stream->error ? (size_t)-1 : len;
}

static json_t *load_stream(const char **why, FILE *file, const char *name,
                           apr_pool_t *p)
{
    stream_t stream = {.file = file};
    json_error_t error;
    json_t *json = json_load_callback(read_some, &stream, PARSE_FLAGS, &error);

    if (stream.error == EFBIG)
        *why = apr_psprintf(p, "%s has more than %d MB", name, SIZE_MAX_MB);
    else if (stream.error)
        *why = apr_psprintf(p, "%s cannot be read: %s", name,
                            strerror(stream.error));
    else if (!json)
        *why = no_json(name, &error, p);
    return json;
}

static json_t *load_file(const char **why, const char *path, apr_pool_t *p)
{
    FILE *file;
    json_t *json;

    if (!strcmp(path, "-"))
        return load_stream(why, stdin, "standard input", p);
    file = fopen(path, "re");
    if (!file) {
        *why = apr_psprintf(p, "%s cannot be read: %s", path, strerror(errno));
        return NULL;
    }
    json = load_stream(why, file, path, p);
    fclose(file);
    return json;
}

/* --- URLs ------------------------------------------------------------ */

/* Is there this parameter in the query? */
static int has(const char *query, const char *name)
{
    size_t len = strlen(name);

    for (; query; query = strchr(query, '&')) {
        query++;
        if (!strncmp(query, name, len) && query[len] == '=')
            return 1;
    }
    return 0;
}

static const char *with(const char *url, const char *name, const char *value,
                        apr_pool_t *p)
{
    const char *query = strchr(url, '?');

    if (has(query, name))
        return url;
    return apr_pstrcat(p, url, query ? "&" : "?", name, "=", value, NULL);
}

static const char *full_url(const cli_status_source_t *source, apr_pool_t *p)
{
    const char *url =
        apr_pstrndup(p, source->place, strcspn(source->place, "#"));

    url = with(url, "format", "json", p);
    return source->cert ? with(url, "cert", source->cert, p) : url;
}

typedef struct {
    const char *url;
    int done;
    json_t *json;
    const char *why;
    apr_pool_t *p;
} transfer_t;

static void on_answer(void *baton, const ocspx_fetch_answer_t *answer)
{
    transfer_t *transfer = baton;
    json_error_t error;

    transfer->done = 1;
    if (answer->cause) {
        transfer->why = apr_pstrcat(transfer->p, transfer->url, ": ",
                                    answer->message, NULL);
        return;
    }
    transfer->json = json_loadb((const char *)answer->body, answer->body_len,
                                PARSE_FLAGS, &error);
    if (!transfer->json)
        transfer->why = no_json(transfer->url, &error, transfer->p);
}

static json_t *load_url(const char **why, const cli_status_source_t *source,
                        apr_pool_t *p)
{
    transfer_t transfer = {.url = full_url(source, p), .p = p};
    ocspx_fetch_question_t question = {.url = transfer.url,
                                       .proxy = source->proxy,
                                       .timeout = TIMEOUT,
                                       .max_size = JSON_SIZE_MAX};
    ocspx_fetch_t *fetch;

    transfer.why = apr_pstrcat(p, transfer.url, " cannot be asked", NULL);
    if (ocspx_fetch_global_init() == APR_SUCCESS &&
        ocspx_fetch_curl_make(&fetch, p) == APR_SUCCESS &&
        fetch->start(fetch, &question, on_answer, &transfer) == APR_SUCCESS)
        while (!transfer.done && fetch->poll(fetch, TIMEOUT) == APR_SUCCESS)
            ;
    *why = transfer.why;
    return transfer.json;
}

json_t *cli_status_load(const char **why, const cli_status_source_t *source,
                        apr_pool_t *p)
{
    if (!strncasecmp(source->place, "http://", 7) ||
        !strncasecmp(source->place, "https://", 8))
        return load_url(why, source, p);
    return load_file(why, source->place, p);
}
