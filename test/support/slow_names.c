/* slow_names: to be preloaded into a program whose resolver is to hang. */
#include <netdb.h>
#include <unistd.h>

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints,
                struct addrinfo **restrict found)
{
    (void)node;
    (void)service;
    (void)hints;
    (void)found;
    sleep(60);
    return EAI_AGAIN;
}
