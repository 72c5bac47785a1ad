# What run.sh, test.sh, prove.sh, bench.sh and .ci/run share; sourced by them, with `root` set to
# the tree. Everything said here goes to stderr: stdout belongs to the program that is run in the
# end.

release_dir="$root/build/release"

say() { printf 'kith: %s\n' "$*" >&2; }

# have THING: is it on this machine? A THING with a slash or a dot is a header, else a command.
have() {
  case "$1" in
    */* | *.*)
      local folder
      for folder in /usr/include /usr/local/include; do
        [ -e "$folder/$1" ] && return 0
      done
      return 1
      ;;
    *) command -v "$1" > /dev/null 2>&1 ;;
  esac
}

# need THING=PACKAGE ...: installs the packages of the things that are missing. With nothing
# missing there is no call to apt, so the scripts work without a network.
need() {
  local pair packages=()
  for pair in "$@"; do
    have "${pair%%=*}" || packages+=("${pair#*=}")
  done
  [ ${#packages[@]} -eq 0 ] || install_packages "${packages[@]}"
}

install_packages() {
  local sudo=()
  # The lock waits for the machine's own unattended upgrade instead of failing beside it.
  local apt=(apt-get -o DPkg::Lock::Timeout=120)
  local install=(apt-get install -y --no-install-recommends "$@")
  if ! have apt-get; then
    say "missing: $* (these are the names of Debian's packages; this machine has no apt-get)"
    exit 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    # Without a terminal nobody could answer sudo's question.
    if have sudo && { [ -t 0 ] || sudo -n true 2> /dev/null; }; then
      sudo=(sudo)
    else
      ! have sudo || sudo=(sudo)
      say "packages are missing, and installing them needs root. Run this as root, then try again:"
      printf '  %s\n' "${sudo[*]:+sudo }apt-get update && ${sudo[*]:+sudo }${install[*]}" >&2
      exit 1
    fi
  fi
  say "installing $*"
  if ! { "${sudo[@]}" "${apt[@]}" update -q &&
         "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive "${apt[@]}" "${install[@]:1}"; } \
    < /dev/null >&2; then
    say "the installation failed; by hand it is: ${sudo[*]} ${install[*]}"
    exit 1
  fi
}

need_for_run() {
  need g++=g++ cmake=cmake ninja=ninja-build CLI/CLI.hpp=libcli11-dev fmt/core.h=libfmt-dev \
    nlohmann/json.hpp=nlohmann-json3-dev
  choose_compiler
}

need_for_tests() {
  need g++=g++ cmake=cmake ninja=ninja-build CLI/CLI.hpp=libcli11-dev fmt/core.h=libfmt-dev \
    gtest/gtest.h=libgtest-dev nlohmann/json.hpp=nlohmann-json3-dev python3=python3 \
    boost/interprocess/interprocess_fwd.hpp=libboost-dev
  choose_compiler
}

need_for_bench() {
  need g++=g++ cmake=cmake ninja=ninja-build CLI/CLI.hpp=libcli11-dev fmt/core.h=libfmt-dev \
    nlohmann/json.hpp=nlohmann-json3-dev python3=python3 strip=binutils \
    boost/interprocess/interprocess_fwd.hpp=libboost-dev
  choose_compiler
}

# g++ before 12 lacks parts of C++20 that kith uses; some systems have a newer one beside it.
choose_compiler() {
  [ -z "${CXX:-}" ] || return 0
  local major
  major="$(g++ -dumpversion)"
  [ "${major%%.*}" -lt 12 ] || return 0
  need g++-12=g++-12
  export CXX=g++-12
}

# build_release mesh|bench|everything TARGET ...: builds the targets in build/release. `mesh` sets
# up no more than the command needs, `bench` no more than the stopwatch. Scripts that run at once
# take turns. KITH_STRICT=1 makes a warning an error, as in CI.
build_release() {
  local scope="$1" log="$root/build/release.log"
  shift
  mkdir -p "$root/build"
  say "building $* (the log is build/release.log)"
  if ! {
    flock 9 && configure_release "$scope" &&
      cmake --build "$release_dir" ${KITH_JOBS:+-j "$KITH_JOBS"} --target "$@"
  } 9> "$root/build/.lock" > "$log" 2>&1 < /dev/null; then
    tail -n 60 "$log" >&2
    say "building $* failed"
    exit 1
  fi
}

configure_release() {
  local options=(-DCMAKE_BUILD_TYPE=RelWithDebInfo)
  if [ "$1" = everything ]; then
    options+=(-DKITH_BUILD_{CLI,TESTS,TESTKIT,EXAMPLES,BENCH}=ON)
  elif [ "$1" = bench ]; then
    options+=(-DKITH_BUILD_{CLI,TESTKIT,BENCH}=ON)
    [ -e "$release_dir/build.ninja" ] || options+=(-DKITH_BUILD_{TESTS,EXAMPLES}=OFF)
  elif [ -e "$release_dir/build.ninja" ]; then
    # What an earlier run set up has the command too; ninja itself sees whether it is stale.
    return 0
  else
    options+=(-DKITH_BUILD_CLI=ON -DKITH_BUILD_{TESTS,TESTKIT,EXAMPLES}=OFF)
  fi
  [ -z "${KITH_STRICT:-}" ] || options+=(-DKITH_WARNINGS_AS_ERRORS=ON)
  cmake -S "$root" -B "$release_dir" -G Ninja "${options[@]}"
}
