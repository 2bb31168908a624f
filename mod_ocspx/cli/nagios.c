/* nagios: the exit statuses of a Nagios plugin, and their names. */
#include "nagios.h"

const char *cli_nagios_name(cli_nagios_e status)
{
    static const char *const names[] = {
        [CLI_NAGIOS_OK] = "OK",
        [CLI_NAGIOS_WARNING] = "WARNING",
        [CLI_NAGIOS_CRITICAL] = "CRITICAL",
        [CLI_NAGIOS_UNKNOWN] = "UNKNOWN",
    };

    return names[status];
}

cli_nagios_e cli_nagios_worse(cli_nagios_e a, cli_nagios_e b)
{
    static const int ranks[] = {
        [CLI_NAGIOS_OK] = 0,
        [CLI_NAGIOS_WARNING] = 1,
        [CLI_NAGIOS_UNKNOWN] = 2,
        [CLI_NAGIOS_CRITICAL] = 3,
    };

    return ranks[a] > ranks[b] ? a : b;
}
