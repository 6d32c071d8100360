#!/bin/sh
# embed.sh SYMBOL INPUT OUTPUT.S: a file as read-only bytes of the program, between SYMBOL and SYMBOL_end.
set -eu
cat > "$3" <<EOF
.section .rodata
.global $1, ${1}_end
.balign 16
$1:
.incbin "$2"
${1}_end:
.byte 0
.section .note.GNU-stack,"",@progbits
EOF
