#!/usr/bin/env bash
# ./prove.sh [--json FILE] [--long] [--only SUBJECT]: installs and builds what the proofs need, runs
# them on the release build, and prints one table of all of them; not zero if anything is not zero
# that must be.
#   --json   also writes the rows, as an array of {proof, subject, tried, failed, detail}
#   --long   every kill point, hours of random ones: for nights
#   --only   subjects whose name contains this
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$root/scripts/setup.sh"

# Each takes --json, --long and --only as above, writes its rows, says more than a table can on its
# own output, and exits with 0 only if it proved what it was asked to.
programs=(kith_prove kith_explore kith_hostile)

json= options=()
while [ $# -gt 0 ]; do
  case "$1" in
    --json) json="${2:?--json wants a file}" && shift ;;
    --json=*) json="${1#*=}" ;;
    --only) options+=(--only "${2:?--only wants a subject}") && shift ;;
    --only=*) options+=(--only "${1#*=}") ;;
    --long) options+=(--long) ;;
    -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" && exit 0 ;;
    *) say "unknown option $1; --help names them" && exit 2 ;;
  esac
  shift
done

need_for_tests
build_release everything "${programs[@]}" kith_cli

rows="$(mktemp -d)"
trap 'kill $(jobs -p) 2> /dev/null || true; rm -rf "$rows"' EXIT
status=0
prove_with() {
  "$release_dir/$1" --json "$rows/$1.json" "${options[@]}" || {
    say "$1 failed"
    return 1
  }
}

# On one processor what kills, on another what needs no deaths: each takes half of the time.
others() {
  local status=0
  prove_with kith_explore || status=1
  prove_with kith_hostile || status=1
  return "$status"
}
others > "$rows/others" 2>&1 &
beside=$!
prove_with kith_prove || status=1
wait "$beside" || status=1
cat "$rows/others"
files=("${programs[@]/#/$rows/}")
python3 "$root/tools/proof_table.py" ${json:+--json "$json"} "${files[@]/%/.json}" || status=1
exit "$status"
