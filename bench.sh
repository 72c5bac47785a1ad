#!/usr/bin/env bash
# ./bench.sh [--json FILE] [--quick] [--only CASE] [--docs]: installs and builds what the stopwatch
# needs, measures on the release build, prints a table and, if asked, writes the rows as JSON.
#   --quick  short runs, in less than a minute: does it work? The figures mean nothing
#   --only   one section or case, with the limits it is compared with; `--only list` names them
#   --docs   also makes docs/performance.md and its drawings of what was measured
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$root/scripts/setup.sh"

json= only= docs= quick=()
while [ $# -gt 0 ]; do
  case "$1" in
    --json) json="${2:?--json wants a file}" && shift ;;
    --json=*) json="${1#*=}" ;;
    --only) only="${2:?--only wants a case}" && shift ;;
    --only=*) only="${1#*=}" ;;
    --quick) quick=(--quick) ;;
    --docs) docs=1 ;;
    -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" && exit 0 ;;
    *) say "unknown option $1; --help names them" && exit 2 ;;
  esac
  shift
done
[ -z "$docs" ] || [ -z "$only" ] || { say "--docs needs all cases" && exit 2; }
[ -z "$docs" ] || [ ${#quick[@]} -eq 0 ] || { say "--docs needs real figures" && exit 2; }

need_for_bench
build_release bench kith_bench
programs="$release_dir/bench"

rows="$(mktemp)"
trap 'rm -f "$rows"' EXIT
if [ "$only" = list ]; then
  "$release_dir/kith_bench" --list
  exit
elif [ "$only" != build ]; then
  "$release_dir/kith_bench" --json "$rows" "${quick[@]}" ${docs:+--large} ${only:+--only "$only"}
fi
if [ -z "$only" ] || [ "$only" = build ]; then
  python3 "$root/bench/build_costs.py" --json "$rows" --programs "$programs" "${quick[@]}"
fi
[ -z "$json" ] || cp "$rows" "$json"
if [ -n "$docs" ]; then
  python3 "$root/bench/report.py" "$rows" --into "$root/docs"
elif [ -z "$only" ]; then
  # That the document can be made is part of what must work; it is not kept.
  scratch="$(mktemp -d)"
  trap 'rm -rf "$rows" "$scratch"' EXIT
  python3 "$root/bench/report.py" "$rows" --into "$scratch" > /dev/null
fi
