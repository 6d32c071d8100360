/* http1_letters.c: the table behind http1_letters.h. */
#include "edge/http1_letters.h"

enum { IN_URI = IN_PATH | IN_QUERY };

const uint8_t http1_classes[256] = {
        ['0' ... '9'] = IN_TOKEN | IN_URI | IN_NAME | IN_HEX,
        ['a' ... 'f'] = IN_TOKEN | IN_URI | IN_NAME | IN_HEX,
        ['A' ... 'F'] = IN_TOKEN | IN_URI | IN_NAME | IN_HEX,
        ['g' ... 'z'] = IN_TOKEN | IN_URI | IN_NAME,
        ['G' ... 'Z'] = IN_TOKEN | IN_URI | IN_NAME,
        ['-'] = IN_TOKEN | IN_URI | IN_NAME,
        ['.'] = IN_TOKEN | IN_URI | IN_NAME,
        ['_'] = IN_TOKEN | IN_URI | IN_NAME,
        ['~'] = IN_TOKEN | IN_URI | IN_NAME,
        ['!'] = IN_TOKEN | IN_URI | IN_NAME,
        ['$'] = IN_TOKEN | IN_URI | IN_NAME,
        ['&'] = IN_TOKEN | IN_URI | IN_NAME,
        ['\''] = IN_TOKEN | IN_URI | IN_NAME,
        ['*'] = IN_TOKEN | IN_URI | IN_NAME,
        ['+'] = IN_TOKEN | IN_URI | IN_NAME,
        ['('] = IN_URI | IN_NAME,
        [')'] = IN_URI | IN_NAME,
        [','] = IN_URI | IN_NAME,
        [';'] = IN_URI | IN_NAME,
        ['='] = IN_URI | IN_NAME,
        ['%'] = IN_TOKEN | IN_URI,
        [':'] = IN_URI,
        ['@'] = IN_URI,
        ['/'] = IN_URI,
        ['#'] = IN_TOKEN,
        ['^'] = IN_TOKEN | IN_QUERY,
        ['`'] = IN_TOKEN | IN_QUERY,
        ['|'] = IN_TOKEN | IN_QUERY,
        /* Not in RFC 3986, but browsers leave them as they are in a query. */
        ['?'] = IN_QUERY,
        ['['] = IN_QUERY,
        [']'] = IN_QUERY,
        ['{'] = IN_QUERY,
        ['}'] = IN_QUERY,
        ['\\'] = IN_QUERY,
};
