"""The house style as a test: tidy.py [TREE]. Exits with 1 if a rule is broken, or if it looked at
so little that its silence would mean nothing. CONTRIBUTING.md says the rules in words.

A line may be excused by `// tidy: allow(RULE) and the reason` on it or on the line above.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter

# What each floor may include besides itself. `transport` knows no region.
FLOORS = {
    "base": [],
    "os": ["base"],
    "memory": ["base", "os"],
    "region": ["base", "os", "memory"],
    "member": ["base", "os", "memory", "region"],
    "transport": ["base", "os"],
    "sync": ["base", "os", "memory", "region", "member"],
    "channel": ["base", "os", "memory", "region", "member", "sync"],
    "inspect": ["base", "os", "memory", "region", "member", "transport", "sync", "channel"],
}
FLOORS["c"] = [*FLOORS["inspect"], "inspect"]

# These see the public headers only: if one of them needs more, the public interface lacks it.
USERS = ("cli", "examples", "bench", "python", "bridge")

SYSTEM_HEADER = re.compile(
    r"(sys|linux|asm|netinet|arpa)/|"
    r"(unistd|fcntl|pthread|sched|signal|poll|dirent|dlfcn|semaphore|mqueue|spawn|syscall)\.h$|"
    r"csignal$"
)
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:home|root|work|Users)/\w|\b[A-Z]:\\\\?Users\b")
ATOMIC_CALL = re.compile(
    r"(?:\.|->)\s*(load|store|exchange|compare_exchange_\w+|fetch_\w+|test_and_set)\s*\("
)

ACCESS = re.compile(r"\b(?:public|private|protected)\s*$")

LONGEST_LINE = 100
LONGEST_FILE = 600
LONGEST_FUNCTION = 60

CODE = (".hpp", ".cpp", ".h", ".c")
SCRIPT = (".py", ".sh", ".cmake", "CMakeLists.txt")

# Below these counts the gate itself is broken or was pointed at the wrong place.
AT_LEAST = {"files": 30, "includes": 60, "functions": 100, "atomic calls": 20}


def blank(text):
    """As many spaces as the text had characters, with its line ends kept."""
    return re.sub(r"[^\n]", " ", text)


TOKEN = re.compile(
    r'R"([^()\\ ]*)\(.*?\)\1"'  # raw string
    r"|//[^\n]*|/\*.*?\*/"  # comments
    r'|"(?:\\.|[^"\\\n])*"'  # string
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",  # character, not a digit separator
    re.DOTALL,
)


def without_comments_and_strings(text):
    return TOKEN.sub(lambda match: blank(match.group(0)), text)


def closing(text, start, pair):
    """The index of what closes the bracket at `start`, or the end of the text."""
    depth = 0
    for index in range(start, len(text)):
        if text[index] == pair[0]:
            depth += 1
        elif text[index] == pair[1]:
            depth -= 1
            if depth == 0:
                return index
    return len(text)


def functions(code):
    """Yields (first line, last line) of every function body at class or namespace level.

    A brace is a scope if its head names one, an initializer if it stands in a constructor's list
    or after `=`, and else a function if its head has a parameter list.
    """
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: blank(m.group(0)), code, flags=re.M)
    index = head_start = 0
    while index < len(code):
        symbol = code[index]
        head = code[head_start:index]
        if symbol in ";}" or (symbol == ":" and ACCESS.search(head)):
            head_start = index + 1
        elif symbol == "{" and is_initializer(head):
            index = closing(code, index, "{}")
        elif symbol == "{" and is_function(head):
            end = closing(code, index, "{}")
            first = head_start + len(head) - len(head.lstrip())
            yield code.count("\n", 0, first) + 1, code.count("\n", 0, end) + 1
            index = end
            head_start = index + 1
        elif symbol == "{":
            head_start = index + 1
        index += 1


def is_scope(head):
    return re.search(r"^\s*(?:template\s*<.*>\s*)?(?:requires\b.*)?(?:inline\s+)?"
                     r"(?:typedef\s+)?(?:namespace|class|struct|union|enum|extern)\b[^()=]*"
                     r"(?:\([^()]*\)[^()=]*)?$", head, re.DOTALL) is not None \
        and not re.search(r"\)\s*(?:const|noexcept|override|final|->.*)?\s*$", head)


def is_initializer(head):
    in_list = re.search(r"\)[^;{}]*?[^:]:(?!:)", head) and re.search(r"[\w>]\s*$", head)
    return bool(in_list or re.search(r"=\s*(?:[\w:<>,\s]+)?$", head)
                and not re.search(r"operator\s*\S*=\s*$", head))


def is_function(head):
    return "(" in head and not is_scope(head)


class Tidy:
    def __init__(self, tree):
        self.tree = tree
        self.counts = Counter()
        self.problems = []
        self.lists = ""

    def complain(self, path, line, rule, words, lines=None):
        for number in (line, line - 1):
            if lines and 0 < number <= len(lines) and f"tidy: allow({rule})" in lines[number - 1]:
                self.counts["excused"] += 1
                return
        self.problems.append(f"{path}:{line}: {rule}: {words}")

    def files(self):
        """The files git knows or would add; in a copy without git, all but build folders."""
        command = ["git", "-C", self.tree, "ls-files", "-coz", "--exclude-standard"]
        if shutil.which("git") and os.path.exists(os.path.join(self.tree, ".git")):
            # Git refuses another user's clone; then the walk below does.
            listing = subprocess.run(command, capture_output=True, text=True, check=False)
            names = [name for name in listing.stdout.split("\0") if name]
            if listing.returncode == 0 and names:
                return sorted(name for name in names
                              if os.path.isfile(os.path.join(self.tree, name)))
        found = []
        for folder, folders, names in os.walk(self.tree):
            folders[:] = [f for f in folders if f not in ("build", ".git", "__pycache__", ".cache")]
            found += [os.path.relpath(os.path.join(folder, name), self.tree) for name in names]
        return sorted(found)

    def run(self):
        texts = {}
        for path in self.files():
            with open(os.path.join(self.tree, path), "rb") as file:
                content = file.read()
            if b"\0" in content:
                self.complain(path, 1, "binary", "committed files are text")
                continue
            texts[path] = content.decode("utf-8", "replace")
        self.lists = "\n".join(text for path, text in texts.items()
                               if os.path.basename(path) == "CMakeLists.txt")
        for path, text in texts.items():
            self.check_text(path, text)
            if path.endswith(CODE):
                self.check_code(path, text)
        for what, least in AT_LEAST.items():
            if self.counts[what] < least:
                self.problems.append(f"looked at {self.counts[what]} {what}, fewer than {least}")
        return self.problems

    def check_text(self, path, text):
        self.counts["texts"] += 1
        lines = text.split("\n")
        for number, line in enumerate(lines, 1):
            if MACHINE_PATH.search(line):
                self.complain(path, number, "machine_path", line.strip(), lines)
        if not path.endswith(CODE + SCRIPT):
            return
        if len(lines) - 1 > LONGEST_FILE:
            self.complain(path, 1, "long_file", f"{len(lines) - 1} lines", lines)
        for number, line in enumerate(lines, 1):
            if len(line) > LONGEST_LINE:
                self.complain(path, number, "long_line", f"{len(line)} columns", lines)
            if line != line.rstrip():
                self.complain(path, number, "trailing_space", "at the end of the line", lines)

    def check_code(self, path, text):
        self.counts["files"] += 1
        lines = text.split("\n")
        code = without_comments_and_strings(text)
        self.check_listed(path)
        self.check_includes(path, lines)
        self.check_words(path, text, code, lines)
        self.check_functions(path, code, lines)
        if path.startswith("kith/"):
            self.check_memory_orders(path, code, lines)

    def check_listed(self, path):
        """A file that no CMakeLists.txt names is built by nobody and tested by nobody."""
        tail = "/".join(path.split("/")[-2:]) if path.startswith("kith/") else path.split("/")[-1]
        if not re.search(rf"(?<![\w.]){re.escape(tail)}(?![\w.])", self.lists) \
                and (path.startswith("kith/") or path.endswith("_test.cpp")):
            self.complain(path, 1, "not_listed", "no CMakeLists.txt names this file")

    def check_includes(self, path, lines):
        for number, line in enumerate(lines, 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if match:
                self.counts["includes"] += 1
                problem = self.include_problem(path, match.group(1) == '"', match.group(2))
                if problem:
                    self.complain(path, number, "include", f"{match.group(2)}: {problem}", lines)

    @staticmethod
    def include_problem(path, quoted, header):
        parts, target = path.split("/"), header.split("/")
        test = path.endswith("_test.cpp")
        if quoted and header.startswith("."):
            return "an include path is the path in the tree"
        if parts[0] == "kith":
            floor = parts[1] if len(parts) > 2 else None
            if test:  # may look at books that a higher floor keeps, and start processes
                return None
            if quoted and target[0] in ("testkit", "tests"):
                return "the library does not know what tests it"
            if quoted and target[0] != "kith":
                return "the library includes only itself"
            if not quoted and floor != "os" and SYSTEM_HEADER.match(header):
                return "system headers belong to kith/os"
            if quoted and target[0] == "kith" and floor and len(target) > 2:
                if floor not in FLOORS:
                    return f"`{floor}` is no floor of the house"
                if target[1] != floor and target[1] not in FLOORS[floor]:
                    return f"`{floor}` stands below `{target[1]}` or beside it"
        elif parts[0] in USERS and target[0] == "kith":
            if "internal" in target or target[1] == "os":
                return "only public headers here"
        return None

    def check_words(self, path, text, code, lines):
        rules = [(r"\b(?:TODO|FIXME|XXX)\b", text, "unfinished")]
        if path.startswith("kith/"):
            rules.append((r"(?<!asm )\bvolatile\b", code, "volatile"))
            rules.append((r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\b", code, "sleep"))
        if path.endswith((".hpp", ".h")):
            rules.append((r"\busing\s+namespace\b", code, "using_namespace"))
        for pattern, where, rule in rules:
            for match in re.finditer(pattern, where):
                number = where.count("\n", 0, match.start()) + 1
                self.complain(path, number, rule, lines[number - 1].strip(), lines)

    def check_memory_orders(self, path, code, lines):
        for match in ATOMIC_CALL.finditer(code):
            self.counts["atomic calls"] += 1
            end = closing(code, match.end() - 1, "()")
            if not re.search(r"memory_order|\border\b|\b\w+_order\b", code[match.end():end]):
                number = code.count("\n", 0, match.start()) + 1
                self.complain(path, number, "memory_order",
                              f"{match.group(1)} without its memory order", lines)

    def check_functions(self, path, code, lines):
        for first, last in functions(code):
            self.counts["functions"] += 1
            length = last - first + 1
            if length > LONGEST_FUNCTION:
                self.complain(path, first, "long_function", f"{length} lines", lines)


def main(tree):
    tidy = Tidy(tree)
    problems = tidy.run()
    for problem in problems:
        print(problem)
    looked_at = ", ".join(f"{number} {what}" for what, number in sorted(tidy.counts.items()))
    print(f"tidy: {len(problems)} problems; looked at {looked_at}")
    return 1 if problems else 0


if __name__ == "__main__":
    default = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else default))
