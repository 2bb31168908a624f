/* nagios: the exit statuses of a Nagios plugin, and their names. */
#ifndef OCSPX_CLI_NAGIOS_H
#define OCSPX_CLI_NAGIOS_H

typedef enum {
    CLI_NAGIOS_OK = 0,
    CLI_NAGIOS_WARNING = 1,
    CLI_NAGIOS_CRITICAL = 2,
    CLI_NAGIOS_UNKNOWN = 3 /* nothing can be said */
} cli_nagios_e;

/** "OK", "WARNING" ... */
const char *cli_nagios_name(cli_nagios_e status);

/** The worse of two: critical, unknown, warning, ok. */
cli_nagios_e cli_nagios_worse(cli_nagios_e a, cli_nagios_e b);

#endif
