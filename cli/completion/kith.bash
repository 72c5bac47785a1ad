# Completion of `kith` for bash; installed as share/bash-completion/completions/kith.

_kith_names() {
  local place=() i
  for ((i = 2; i < COMP_CWORD; i++)); do
    [ "${COMP_WORDS[i]}" != --domain ] || place=(--domain "${COMP_WORDS[i + 1]}")
  done
  kith ls --all --names "${place[@]}" 2> /dev/null
}

_kith() {
  local word="$2" before="$3" options
  COMPREPLY=()
  # A name may hold colons, at which bash would begin a new word.
  if declare -F _get_comp_words_by_ref > /dev/null; then
    _get_comp_words_by_ref -n : -c word -p before
  fi
  case "$before" in
    --domain)
      mapfile -t COMPREPLY < <(compgen -d -- "$word")
      return
      ;;
    --color)
      mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$word")
      return
      ;;
    --seconds | --chaos | --size | --pause | --only) return ;;
  esac
  case "${COMP_WORDS[1]}" in
    ls) options='--all --names --domain --json --color --help' ;;
    show) options='--domain --json --color --help' ;;
    members) options='--domain --json --color --help' ;;
    locks) options='--domain --json --color --help' ;;
    demo) options='lock --json --color --help' ;;
    domains) options='--json --color --help' ;;
    rm) options='--force --domain --json --color --help' ;;
    clean) options='--roles --domain --json --color --help' ;;
    mesh) options='--seconds --chaos --size --pause --domain --only --quiet --json --help' ;;
    *) options='ls show members locks domains rm clean mesh demo --help --version' ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    options='ls show members locks domains rm clean mesh demo --help --version'
  elif [[ $word != -* && ${COMP_WORDS[1]} == @(show|rm) ]]; then
    options="$(_kith_names)"
  fi
  mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  ! declare -F __ltrim_colon_completions > /dev/null || __ltrim_colon_completions "$word"
}

complete -F _kith kith
