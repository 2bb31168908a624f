/* without_watchdog: preloaded into an httpd that has mod_watchdog built in, so
 * that modules find it as if it had not. A library of its own.
 */
#include <apr_optional.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

apr_opt_fn_t *apr_dynamic_fn_retrieve(const char *name)
{
    apr_opt_fn_t *(*real)(const char *);

    if (!strncmp(name, "ap_watchdog_", strlen("ap_watchdog_")))
        return NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "apr_dynamic_fn_retrieve");
    return real ? real(name) : NULL;
}
