/* responder_document: documents that the responder has beside OCSP. */
#include "responder_private.h"

#include <string.h>

#include <apr_strings.h>

#include "procs.h"

const char *responder_url_of(const responder_t *r, const char *path)
{
    const char *ocsp = strrchr(r->url, '/');

    return apr_pstrcat(
        r->pool, apr_pstrmemdup(r->pool, r->url, (apr_size_t)(ocsp - r->url)),
        path, NULL);
}

/** The document of this path, or a place for it. */
static responder_document_t *place_of(responder_shared_t *shared,
                                      const char *path, apr_size_t len)
{
    for (int i = 0; i < RESPONDER_DOCUMENTS_MAX; i++) {
        responder_document_t *document = &shared->documents[i];

        if (document->path[0] == '\0' ||
            (strlen(document->path) == len &&
             strncmp(document->path, path, len) == 0))
            return document;
    }
    return NULL;
}

void responder_document(responder_t *r, const char *path,
                        const responder_script_t *script)
{
    responder_document_t *document;

    if (path[0] != '/' || strlen(path) >= RESPONDER_PATH_MAX)
        procs_die("responder_document: bad path %s", path);
    responder_lock(r->shared);
    document = place_of(r->shared, path, strlen(path));
    if (document == NULL)
        procs_die("responder_document: too many documents");
    apr_cpystrn(document->path, path, sizeof(document->path));
    responder_slot_fill(&document->slot, script);
    responder_unlock(r->shared);
}

unsigned responder_document_requests(const responder_t *r, const char *path)
{
    const responder_document_t *document;
    unsigned n;

    responder_lock(r->shared);
    document = place_of(r->shared, path, strlen(path));
    if (document == NULL || document->path[0] == '\0')
        procs_die("responder_document_requests: no document %s", path);
    n = document->requests;
    responder_unlock(r->shared);
    return n;
}

responder_document_t *
responder_document_find(responder_shared_t *shared,
                        const responder_request_t *request)
{
    const char *path = request->head + strcspn(request->head, " ") + 1;
    responder_document_t *document;

    document = place_of(shared, path, strcspn(path, " "));
    return document != NULL && document->path[0] != '\0' ? document : NULL;
}
