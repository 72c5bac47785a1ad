"""What `kith --help` offers, its man page and its completions must offer too, and nothing else:

    command_documents_test.py KITH TREE

The shells and the man program check the syntax where they are there; what is not there is named.
"""

import os
import re
import shutil
import subprocess
import sys

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
problems = []
checks = 0


def check(holds, words):
    global checks
    checks += 1
    if not holds:
        problems.append(words)


def help_of(kith, *command):
    ran = subprocess.run([kith, *command, "--help"], capture_output=True, text=True, check=True)
    return ran.stdout


def described(text):
    """The options and subcommands that a help text lists, examples left out."""
    text = text.split("\nExamples:")[0]
    options = set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", text, re.M))
    commands = re.findall(r"^  ([a-z]+) ", text.split("Subcommands:")[-1], re.M)
    return options, commands if "Subcommands:" in text else []


def sections_of_man(text):
    """Options of each command in the man page, and those under OPTIONS."""
    text = text.replace("\\-", "-")
    sections = {"": set()}
    commands = re.search(r"\.SH COMMANDS\n(.*?)\.SH OPTIONS\n(.*?)\.SH ", text, re.S)
    sections[""] = set(OPTION.findall(commands.group(2)))
    depth, current = 0, None
    for line in commands.group(1).split("\n"):
        depth += {".RS": 1, ".RE": -1}.get(line, 0)
        if depth == 0 and re.fullmatch(r"\.B [a-z]+", line):
            current = sections.setdefault(line[3:], set())
        elif depth == 1 and re.match(r"\.BI? --", line):
            current.update(OPTION.findall(line))
    return sections


def options_of_bash(text):
    return {command: set(OPTION.findall(options))
            for command, options in re.findall(r"^    ([a-z]+)\) options='([^']*)'", text, re.M)}


def options_of_zsh(text):
    shared = {name: set(OPTION.findall(body)) for name, body in
              re.findall(r"^  (place|output)=\((.*?)\n?\s*\)$", text, re.M | re.S)}
    found = {}
    for command, body in re.findall(r"^    ([a-z]+)\) (_arguments .*?);;", text, re.M | re.S):
        found[command] = set(OPTION.findall(body))
        for name, options in shared.items():
            if f"${name}" in body:
                found[command] |= options
    return found


def options_of_fish(text):
    lists = {name: words.split() for name, words in re.findall(r"^set -l (\w+) (.*)$", text, re.M)}
    found = {command: {"--help"} for command in lists["commands"]}
    for condition, option in re.findall(
            r"-n ['\"]__fish_seen_subcommand_from ([^'\"]*)['\"] -l (\w+)", text):
        named = lists[condition[1:]] if condition.startswith("$") else condition.split()
        for command in named:
            found[command].add("--" + option)
    return found


def compare(what, found, wanted):
    check(found == wanted, f"{what}: missing {sorted(wanted - found)}, too much "
                           f"{sorted(found - wanted)}")


def check_syntax(name, command, path):
    if not shutil.which(command[0]):
        print(f"not checked: {name} ({command[0]} is not installed)")
        return
    environment = {**os.environ, "MANROFFSEQ": "", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"}
    ran = subprocess.run([*command, path], capture_output=True, text=True, check=False,
                         env=environment)
    check(ran.returncode == 0 and not ran.stderr.strip(), f"{name}: {ran.stderr.strip()}")


def complete(path, *words):
    """What bash would offer for the last of the words, with names from a `kith` that has two."""
    script = ('source "$1"; shift; kith() { printf "pose\\nposix:/x\\n"; }; COMP_WORDS=("$@"); '
              'COMP_CWORD=$(($# - 1)); _kith kith "${@: -1}" "${@: -2:1}"; echo "${COMPREPLY[@]}"')
    ran = subprocess.run(["bash", "--norc", "-c", script, "bash", path, "kith", *words],
                         capture_output=True, text=True, check=False)
    return ran.stdout.split() if ran.returncode == 0 else [ran.stderr]


def check_bash(path):
    for words, wanted in ((["l"], ["ls", "locks"]), (["ls", "--na"], ["--names"]),
                          (["rm", "po"], ["pose", "posix:/x"]), (["rm", "--f"], ["--force"]),
                          (["ls", "--color", "n"], ["never"]), (["mesh", "--ch"], ["--chaos"])):
        found = complete(path, *words)
        check(found == wanted, f"bash offers {found} for {words}, not {wanted}")


def main(kith, tree):
    paths = {"man": "cli/kith.1", "bash": "cli/completion/kith.bash",
             "zsh": "cli/completion/_kith", "fish": "cli/completion/kith.fish"}
    paths = {name: os.path.join(tree, path) for name, path in paths.items()}
    texts = {}
    for name, path in paths.items():
        with open(path, encoding="utf-8") as file:
            texts[name] = file.read()
    top, commands = described(help_of(kith))
    check(len(commands) >= 7 and "ls" in commands, f"the help lists only {commands}")
    man = sections_of_man(texts["man"])
    found = {"bash": options_of_bash(texts["bash"]), "zsh": options_of_zsh(texts["zsh"]),
             "fish": options_of_fish(texts["fish"])}
    compare("commands of the man page", set(man) - {""}, set(commands))
    everywhere = set()
    for command in commands:
        text = help_of(kith, command)
        options, _ = described(text)
        check(len(options) >= 2, f"kith {command} --help lists no options")
        check("\nExamples:\n  kith" in text, f"kith {command} --help has no examples")
        check("\nExit codes:\n  0 " in text, f"kith {command} --help has no exit codes")
        check(all(len(line) <= 130 for line in text.split("\n")), f"kith {command}: long lines")
        for shell, offered in found.items():
            compare(f"{shell}, kith {command}", offered.get(command, set()), options)
        compare(f"man page, kith {command}", man.get(command, set()) | (man[""] & options), options)
        everywhere |= options
    compare("OPTIONS of the man page", man[""] - everywhere, top - everywhere)
    for name in ("bash", "zsh", "fish"):
        for word in [*commands, "version"]:
            check(re.search(rf"\b{word}\b", texts[name]), f"{name}: {word} is missing")
    with open(os.path.join(tree, "docs/command.md"), encoding="utf-8") as file:
        guide = file.read()
    for option in everywhere | top:
        check(f"`{option}" in guide, f"docs/command.md does not have {option}")
    check_bash(paths["bash"])
    check_syntax("bash completion", ["bash", "-n"], paths["bash"])
    check_syntax("zsh completion", ["zsh", "-n"], paths["zsh"])
    check_syntax("fish completion", ["fish", "--no-execute"], paths["fish"])
    check_syntax("man page", ["groff", "-man", "-Tutf8", "-ww", "-z"], paths["man"])
    check_syntax("man page by man", ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"],
                 paths["man"])
    for problem in problems:
        print(problem)
    print(f"{checks} checks, {len(problems)} problems")
    return 1 if problems or checks < 50 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
