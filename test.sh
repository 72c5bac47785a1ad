#!/usr/bin/env bash
# ./test.sh: installs what the tests need, builds everything in build/release and runs every test.
# The last line is `N passed, N failed`; a test that cannot run on this machine is named before it.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$root/scripts/setup.sh"

need_for_tests
build_release everything all

results="$release_dir/test_results.xml"
rm -f "$results"
status=0
ctest --test-dir "$release_dir" -j2 --timeout 120 --output-on-failure --output-junit "$results" \
  < /dev/null || status=$?
python3 "$root/tools/test_summary.py" "$results" "$status"
