#!/usr/bin/env bash
# scripts/coverage.sh [--write]: which lines and branches of kith/ the tests reach. Builds with
# counters in build/coverage, runs the tests, and leaves build/coverage/report: index.html for
# people, summary.json and summary.txt for others. With --write the figures go into
# docs/coverage.md. Fails if a test fails, if nothing was counted, or if docs/coverage.md gives no
# reason for what no test reaches.
#
# Processes that are killed by SIGKILL take their counts with them: what only a victim does counts
# as not reached.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
source "$root/scripts/setup.sh"
cd "$root"

build=build/coverage
report="$build/report"
# A process that may not write its counts need not say so: a test would take it for its own words.
export GCOV_ERROR_FILE=/dev/null

need_for_tests
need gcovr=gcovr
say "building everything with counters (the log is $build.log)"
mkdir -p build
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS=-O0 \
  -DCMAKE_CXX_FLAGS_DEBUG=-g1 -DCMAKE_CXX_COMPILER="${CXX:-g++}" -DKITH_COVERAGE=ON \
  -DKITH_INSTALL=OFF -DKITH_BUILD_EXAMPLES=OFF -DKITH_BUILD_{CLI,TESTS,TESTKIT}=ON > "$build.log"
cmake --build "$build" ${KITH_JOBS:+-j "$KITH_JOBS"} >> "$build.log" || {
  tail -n 60 "$build.log" >&2
  say "building failed"
  exit 1
}

# Processes that become other users can write their counts only where a file is there for everybody.
find "$build" -name '*.gcda' -delete
find "$build" -name '*.gcno' -print0 | while IFS= read -r -d '' object; do
  : > "${object%.gcno}.gcda"
  chmod a+rw "${object%.gcno}.gcda"
done
# Left out: what traces a process step by step or runs it as fibers, which counts steps and not
# lines; what only compiles; and a test that may not write files, as the counters must.
status=0
ctest --test-dir "$build" -j2 --timeout 240 --output-on-failure -LE 'ptrace|search' \
  -E '^(refused_types|tidy|guarantees)|FileSizeLimit' < /dev/null || status=$?
find "$build" -name '*.gcda' -empty -delete

rm -rf "$report"
mkdir -p "$report"
gcovr --root . "$build" --filter 'kith/' --exclude '.*_test\.cpp$' -j 2 \
  --exclude-throw-branches --exclude-unreachable-branches \
  --html-details "$report/index.html" --html-title "kith: lines and branches that tests reach" \
  --json-summary "$report/summary.json" --txt "$report/summary.txt"
python3 tools/coverage/coverage.py "$report/summary.json" docs/coverage.md "$@" || status=1
[ "$status" -eq 0 ] || say "not all is well: see above"
exit "$status"
