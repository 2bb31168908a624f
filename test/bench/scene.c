/* scene: CA, certificates and responder. */
#include "scene.h"

#include <apr_strings.h>

#include "../support/procs.h"

static void make_authority(scene_t *scene)
{
    apr_pool_t *p = scene->pool;

    scene->root = pki_make(&(pki_spec_t){.cn = "Root", .ca = 1}, NULL, p);
    scene->issuer =
        pki_make(&(pki_spec_t){.cn = "Issuer", .ca = 1}, scene->root, p);
    scene->root_file = apr_pstrcat(p, scene->dir, "/root.pem", NULL);
    pki_write_certs(scene->root_file, scene->root->cert, NULL);
}

static void make_site(scene_t *scene, int i, EVP_PKEY *key)
{
    apr_pool_t *p = scene->pool;
    const char *name = apr_psprintf(p, "site-%d.test", i);
    pki_spec_t spec = {.cn = name,
                       .names = apr_pstrcat(p, "DNS:", name, NULL),
                       .ocsp_urls = responder_url(scene->responder),
                       .use_key = key,
                       .serial = i + 1};

    scene->names[i] = name;
    scene->cert_files[i] = apr_psprintf(p, "%s/%s.pem", scene->dir, name);
    scene->leaves[i] = pki_make(&spec, scene->issuer, p);
    pki_write_certs(scene->cert_files[i], scene->leaves[i]->cert,
                    scene->issuer->cert, NULL);
    responder_add(scene->responder, scene->leaves[i], scene->issuer,
                  scene->issuer);
}

scene_t *scene_make(int count, apr_pool_t *p)
{
    scene_t *scene = apr_pcalloc(p, sizeof(*scene));
    const pki_t *key = pki_make(&(pki_spec_t){.cn = "key"}, NULL, p);

    scene->pool = p;
    scene->dir = procs_temp_dir(p);
    scene->count = count;
    scene->names = apr_pcalloc(p, (apr_size_t)count * sizeof(char *));
    scene->cert_files = apr_pcalloc(p, (apr_size_t)count * sizeof(char *));
    scene->leaves = apr_pcalloc(p, (apr_size_t)count * sizeof(pki_t *));
    scene->responder = responder_make(NULL, 0, p);
    make_authority(scene);
    scene->key_file = apr_pstrcat(p, scene->dir, "/key.pem", NULL);
    pki_write_key(scene->key_file, key);
    for (int i = 0; i < count; i++)
        make_site(scene, i, key->key);
    scene_answer(scene, RESPONDER_NORMAL, 0);
    responder_start(scene->responder);
    return scene;
}

void scene_answer(const scene_t *scene, responder_answer_e answer,
                  apr_interval_time_t lifetime)
{
    responder_script(scene->responder, NULL,
                     &(responder_script_t){.answer = answer,
                                           .delay_ms = SCENE_DELAY_MS,
                                           .lifetime = lifetime});
}

client_spec_t scene_client(const scene_t *scene, int site, int port)
{
    return (client_spec_t){.port = port,
                           .name = scene->names[site],
                           .ca_file = scene->root_file,
                           .timeout_ms = 20000};
}
