/* terminal: what can be shown where standard output goes. */
#include "terminal.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Less than this is no table any more, more no terminal. */
#define WIDTH_MIN 40
#define WIDTH_MAX 1000
#define WIDTH_DEFAULT 80

/* --- looking --------------------------------------------------------- */

static int is_set(const char *variable)
{
    const char *value = getenv(variable);

    return value && *value;
}

static int own_width(void)
{
    struct winsize size;

    if (is_set("COLUMNS")) {
        char *end;
        apr_int64_t columns = apr_strtoi64(getenv("COLUMNS"), &end, 10);

        if (!*end && columns > 0)
            return columns < WIDTH_MAX ? (int)columns : WIDTH_MAX;
    }
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        return size.ws_col;
    return WIDTH_DEFAULT;
}

void cli_terminal_look(cli_terminal_t *terminal)
{
    const char *kind = getenv("TERM");
    int width = own_width();

    terminal->width = (unsigned)(width < WIDTH_MIN   ? WIDTH_MIN
                                 : width > WIDTH_MAX ? WIDTH_MAX
                                                     : width);
    terminal->colours = isatty(STDOUT_FILENO) && !is_set("NO_COLOR") && kind &&
                        strcmp(kind, "dumb") != 0;
}

/* --- text ------------------------------------------------------------ */

const char *cli_terminal_clean(const char *text, apr_pool_t *p)
{
    static const char digits[] = "0123456789abcdef";
    char *out = apr_palloc(p, 4 * strlen(text) + 1);
    char *to = out;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c >= ' ' && c <= '~' && c != '|') {
            *to++ = (char)c;
        } else {
            *to++ = '\\';
            *to++ = 'x';
            *to++ = digits[c >> 4];
            *to++ = digits[c & 15];
        }
    }
    *to = '\0';
    return out;
}

const char *cli_terminal_cut(const char *text, unsigned width, apr_pool_t *p)
{
    if (strlen(text) <= width)
        return text;
    return apr_pstrcat(p, apr_pstrndup(p, text, width - 3), "...", NULL);
}

/* --- printing -------------------------------------------------------- */

void cli_terminal_put(const cli_terminal_t *terminal,
                      cli_terminal_style_e style, const char *text,
                      unsigned width)
{
    static const char *const codes[] = {
        [CLI_TERMINAL_PLAIN] = "",          [CLI_TERMINAL_GREEN] = "\033[32m",
        [CLI_TERMINAL_YELLOW] = "\033[33m", [CLI_TERMINAL_RED] = "\033[31m",
        [CLI_TERMINAL_BOLD] = "\033[1m",
    };
    const char *code = terminal->colours ? codes[style] : "";
    size_t len = strlen(text);

    printf("%s%s%s%*s", code, text, *code ? "\033[0m" : "",
           len < width ? (int)(width - len) : 0, "");
}

/* How much of it fits: up to a space, or else anything. */
static size_t piece(const char *text, size_t room)
{
    size_t len = strlen(text), at;

    if (len <= room)
        return len;
    for (at = room; at > 0; at--)
        if (text[at] == ' ')
            return at;
    return room;
}

void cli_terminal_wrap(const cli_terminal_t *terminal, unsigned column,
                       unsigned indent, const char *text)
{
    do {
        size_t len;

        printf("%*s", column < indent ? (int)(indent - column) : 0, "");
        if (column < indent)
            column = indent;
        len = piece(text, terminal->width - column);
        printf("%.*s\n", (int)len, text);
        text += len;
        text += strspn(text, " ");
        column = 0;
    } while (*text);
}
