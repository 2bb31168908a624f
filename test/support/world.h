/* world: what nearly every test against a real httpd needs: a root, an
 * intermediate CA, a responder, an httpd, and virtual hosts that are to be
 * stapled.
 *
 *   w = world_make();
 *   leaf = world_site(w, "a.test");
 *   responder_start(w->responder);
 *   world_up(w);
 *   world_assert_good(w, "a.test");
 *   world_destroy(w);
 *
 * What goes wrong fails the Check test that is running, with httpd's log.
 */
#ifndef OCSPX_TEST_WORLD_H
#define OCSPX_TEST_WORLD_H

#include <apr_pools.h>

#include "client.h"
#include "httpd.h"
#include "pki.h"
#include "responder.h"

/** A test may put others in at any time, for certificates made later. */
typedef struct {
    apr_pool_t *pool;
    pki_t *root;
    pki_t *issuer;          /* of all leaves; an intermediate of the root */
    const pki_t *signer;    /* of responses; at first the issuer itself */
    responder_t *responder; /* not started */
    httpd_t *httpd;         /* all defaults, no virtual host, not started */
    const char *root_file;  /* PEM of the root, for clients */
} world_t;

world_t *world_make(void);
void world_destroy(world_t *w);

/** One more responder, on a port of its own; put it into @a w to use it. */
responder_t *world_responder(world_t *w);

/** The default configuration with these lines for the main server. */
void world_global(world_t *w, const char *lines);

/**
 * A certificate that names the responder, which knows it (and therefore must
 * be stopped). NULL in @a spec: names: "DNS:" and the cn; ocsp_urls: the
 * responder's ("": none).
 */
pki_t *world_leaf(world_t *w, const pki_spec_t *spec);

/**
 * A virtual host with this certificate, the issuer's in the same file.
 * @param extra more lines, or NULL
 */
void world_vhost(world_t *w, const char *names, const pki_t *leaf,
                 const char *extra);

/**
 * A virtual host with just these certificates in its file: the leaf, and after
 * @a extra (more lines, or NULL) const pki_t * up to a NULL.
 * @return the file; httpd_cert() with the first of the names writes it anew
 */
const char *world_chain_vhost(world_t *w, const char *names, const pki_t *leaf,
                              const char *extra, ...);

/** Both: a virtual host with an EC certificate of its own. */
pki_t *world_site(world_t *w, const char *name);

/** Start httpd; @return the milliseconds until it answered. */
int world_up(world_t *w);

/** What a client needs to know for handshakes with @a name. */
client_spec_t world_client(const world_t *w, const char *name);
client_result_t world_handshake(const world_t *w, const char *name);

/** One handshake: a verified staple that says good. */
void world_assert_good(const world_t *w, const char *name);
/** One handshake: succeeds, without any staple. */
void world_assert_bare(const world_t *w, const char *name);
/** This cause is logged for @a name, soon, and there is no staple. */
void world_assert_refused(const world_t *w, const char *name,
                          const char *cause);
/** Handshakes until the staple is good; @return milliseconds it took. */
int world_wait_good(const world_t *w, const char *name, int timeout_ms);

#endif
