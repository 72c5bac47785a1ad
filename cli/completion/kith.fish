# Completion of `kith` for fish; installed as share/fish/vendor_completions.d/kith.fish.

function __kith_names
    kith ls --all --names 2> /dev/null
end

set -l commands ls show members locks domains rm clean mesh demo
complete -c kith -f
complete -c kith -n "not __fish_seen_subcommand_from $commands" -l version -d 'print the version'
complete -c kith -l help -d 'print help'
complete -c kith -n "not __fish_seen_subcommand_from $commands" -a ls -d 'list the objects of a domain'
complete -c kith -n "not __fish_seen_subcommand_from $commands" -a show -d 'show all that can be seen of one object'
complete -c kith -n "not __fish_seen_subcommand_from $commands" -a members -d 'list the processes that share a domain'
complete -c kith -n "not __fish_seen_subcommand_from $commands" -a locks -d 'list the locks: who holds them, who waits for whom'
complete -c kith -n "not __fish_seen_subcommand_from $commands" -a domains -d 'list the domains of this machine'
complete -c kith -n "not __fish_seen_subcommand_from $commands" -a rm -d 'remove objects that nobody uses'
complete -c kith -n "not __fish_seen_subcommand_from $commands" -a clean -d 'give back what dead processes held'
complete -c kith -n "not __fish_seen_subcommand_from $commands" -a mesh -d 'N processes publish their newest values'
complete -c kith -n "not __fish_seen_subcommand_from $commands" -a demo -d 'show before your eyes what a death does'

set -l placed ls show members locks rm clean mesh
complete -c kith -n "__fish_seen_subcommand_from $placed" -l domain -xa '(__fish_complete_directories)' -d 'directory that holds the objects'
set -l documenting ls show members locks domains rm clean mesh demo
set -l answering ls show members locks domains rm clean demo
complete -c kith -n "__fish_seen_subcommand_from $documenting" -l json -d 'one JSON document instead of text'
complete -c kith -n "__fish_seen_subcommand_from $answering" -l color -xa 'auto always never' -d 'colours'

complete -c kith -n '__fish_seen_subcommand_from ls' -l all -d 'also POSIX and System V objects'
complete -c kith -n '__fish_seen_subcommand_from ls' -l names -d 'only the names, one a line'
complete -c kith -n '__fish_seen_subcommand_from demo' -a lock
complete -c kith -n '__fish_seen_subcommand_from show rm' -a '(__kith_names)'
complete -c kith -n '__fish_seen_subcommand_from rm' -l force -d 'also those in use'
complete -c kith -n '__fish_seen_subcommand_from clean' -l roles -d 'also named roles that wait'
complete -c kith -n '__fish_seen_subcommand_from mesh' -l seconds -x -d 'end after so long'
complete -c kith -n '__fish_seen_subcommand_from mesh' -l chaos -x -d 'kill at random, milliseconds'
complete -c kith -n '__fish_seen_subcommand_from mesh' -l size -x -d 'bytes of a value'
complete -c kith -n '__fish_seen_subcommand_from mesh' -l pause -x -d 'milliseconds between two rounds'
complete -c kith -n '__fish_seen_subcommand_from mesh' -l only -x -d 'run just this process'
complete -c kith -n '__fish_seen_subcommand_from mesh' -l quiet -d 'no line for each read and write'
