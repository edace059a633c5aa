#!/bin/sh
# manual.sh PROGRAM VERSION: prints the manual page, which is made of the program's own help.
set -eu
rasa() { env -i HOME=/nonexistent RASA_HOME=/nonexistent COLUMNS=80 "$program" "$@"; }
program=$1

# Lines that begin with a letter and have no full stop are headings; everything else is kept as it is.
page() { # HEADING-MACRO
  awk -v macro="$1" '
    function text(line) { gsub(/\\/, "\\e", line); gsub(/-/, "\\-", line); if (line ~ /^[.'"'"']/) line = "\\&" line; return line }
    /^[A-Z][A-Za-z ]*$/ { if (open) print ".fi"; open = 0; print macro " " toupper($0); next }
    /^$/ { if (open) print ""; next }
    { if (!open) print ".nf"; open = 1; print text($0) }
    END { if (open) print ".fi" }'
}

printf '.TH RASA 1 "" "rasa %s" "User Commands"\n' "$2"
printf '.SH NAME\nrasa \\- run personas and agents\n.SH DESCRIPTION\n'
rasa help | page .SH
rasa help | awk '
  /^Options/ { exit }
  /^[A-Z]/ { lists = !/^(Examples|Usage)/ }
  lists && /^  [a-z]+( |$)/ { print $1 }' | while read -r command; do
  [ "$command" = help ] && continue
  printf '.SH RASA %s\n' "$(echo "$command" | tr '[:lower:]' '[:upper:]')"
  rasa help "$command" | page .SS
done
