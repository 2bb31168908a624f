/* other_names: to be preloaded into a program that is to find other names than
 * there are: slow.test takes a minute, two.test has two addresses.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

typedef int look_up_fn(const char *restrict node, const char *restrict service,
                       const struct addrinfo *restrict hints,
                       struct addrinfo **restrict found);

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints,
                struct addrinfo **restrict found)
{
    look_up_fn *look_up = (look_up_fn *)dlsym(RTLD_NEXT, "getaddrinfo");
    int rv;

    if (strcmp(node, "slow.test") == 0) {
        sleep(60);
        return EAI_AGAIN;
    }
    if (strcmp(node, "two.test") != 0)
        return look_up(node, service, hints, found);
    rv = look_up("127.0.0.2", service, hints, found);
    return rv != 0 ? rv
                   : look_up("127.0.0.1", service, hints, &(*found)->ai_next);
}
