#!/usr/bin/env bash
# ./run.sh [N] [mesh options]: N processes (3 unless told) share their latest values; type the
# number of one to kill it or to start it again, q to end. Installs and builds what that needs.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$root/scripts/setup.sh"

count=3
case "${1:-}" in
  [0-9]*)
    count="$1"
    shift
    ;;
esac

need_for_run
build_release mesh kith_cli
exec "$release_dir/kith" mesh "$count" "$@"
