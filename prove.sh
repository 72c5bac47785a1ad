#!/usr/bin/env bash
# ./prove.sh [--json FILE] [--long]: installs and builds what the proofs need, runs them on the
# release build and prints a table; not zero if anything is not zero that must be.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$root/scripts/setup.sh"

need_for_tests
build_release everything kith_prove kith_cli
exec "$release_dir/kith_prove" "$@"
