/* terminal: what can be shown where standard output goes. */
#ifndef OCSPX_CLI_TERMINAL_H
#define OCSPX_CLI_TERMINAL_H

#include <apr_pools.h>

typedef enum {
    CLI_TERMINAL_PLAIN,
    CLI_TERMINAL_GREEN,
    CLI_TERMINAL_YELLOW,
    CLI_TERMINAL_RED,
    CLI_TERMINAL_BOLD
} cli_terminal_style_e;

typedef struct {
    unsigned width; /* columns */
    int colours;
} cli_terminal_t;

/** The width by COLUMNS, else the terminal's own, else 80; colours on a
 * terminal alone, and not where NO_COLOR is set. */
void cli_terminal_look(cli_terminal_t *terminal);

/** Printable ASCII of what a stranger wrote: anything else as \xNN, so that
 * it cannot move the cursor; and so the bar, behind which Nagios would take it
 * for numbers. */
const char *cli_terminal_clean(const char *text, apr_pool_t *p);

/** At most @a width characters of @a text; "..." in the end where it is cut. */
const char *cli_terminal_cut(const char *text, unsigned width, apr_pool_t *p);

/** Print @a text in this style, then spaces up to @a width. */
void cli_terminal_put(const cli_terminal_t *terminal,
                      cli_terminal_style_e style, const char *text,
                      unsigned width);

/** Print @a text in lines that fit, each behind so many spaces. The first line
 * is begun already, @a column characters of it. */
void cli_terminal_wrap(const cli_terminal_t *terminal, unsigned column,
                       unsigned indent, const char *text);

#endif
