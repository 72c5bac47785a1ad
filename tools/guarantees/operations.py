"""The public operations of the library, as its headers have them: `Class::method` and functions.

Public is what is installed, outside of `internal/`; `os/` and `base/` hold no operation of their
own on shared memory. Constructors count as one operation, `Class::Class`. Copies, moves,
destructors and operators are left out: of a guard or handle they do what release() and close() do.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tidy"))
import tidy  # noqa: E402: reads C++ as these rules need it

FLOORS = ("memory", "region", "member", "channel", "inspect", "transport", "sync", "c")

SCOPE = re.compile(r"\b(namespace|class|struct)\s+((?:\[\[\w+\]\]\s*)?[\w:]+)?[^;{}()]*$")
NAME = re.compile(r"(~?\b[A-Za-z_]\w*|\boperator\s*\S+?)\s*$")
ACCESS = re.compile(r"\b(public|private|protected)\s*:")
NOT_CALLS = {"requires", "static_assert", "decltype", "alignas", "alignof", "sizeof", "noexcept",
             "if", "for", "while", "switch", "return"}


def public_headers(tree):
    with open(os.path.join(tree, "kith", "CMakeLists.txt"), encoding="utf-8") as file:
        installed = re.search(r"set\(KITH_HEADERS\s(.*?)\)", file.read(), re.DOTALL).group(1)
    return [f"kith/{name}" for name in installed.split() if name.split("/")[0] in FLOORS]


def statements(code):
    """Yields (head, body) of each declaration; the body is None where it ends with a semicolon."""
    index = start = 0
    while index < len(code):
        if code[index] == "(":  # its default arguments may hold braces
            index = tidy.closing(code, index, "()")
        elif code[index] == "{":
            end = tidy.closing(code, index, "{}")
            head = code[start:index]
            is_list = re.search(r"\)[^;{}]*?[^:]:(?!:)", head) and re.search(r"[\w>]\s*$", head)
            if is_list:  # a member's initializer; the body comes after it
                code = code[:index] + ")" + " " * (end - index) + code[end + 1:]
                index = end
            else:
                yield head, code[index + 1:end]
                index = end
                start = index + 1
        elif code[index] == ";":
            yield code[start:index], None
            start = index + 1
        index += 1


def without_brackets(text, pair):
    out, depth = [], 0
    for symbol in text:
        depth += symbol == pair[0]
        if depth == 0:
            out.append(symbol)
        depth -= symbol == pair[1]
    return "".join(out)


def declared_name(head):
    """What a declaration with a parameter list declares; None if it declares no function."""
    head = re.sub(r"\[\[.*?\]\]", " ", head, flags=re.DOTALL)
    head = re.sub(r"\btemplate\s*<", "<", head)
    for match in re.finditer(r"\(", head):
        before = head[:match.start()]
        name = NAME.search(before)
        if name is None or name.group(1) in NOT_CALLS:
            continue
        if "=" in without_brackets(before, "<>").replace("operator=", "operator"):
            return None  # a variable
        return name.group(1)
    return None


def operations_in_class(name, kind, body, found):
    access = "private" if kind == "class" else "public"
    for head, _ in statements(body):
        for match in ACCESS.finditer(head):
            access = match.group(1)
        head = ACCESS.sub("", head)
        if access != "public" or re.search(r"\b(friend|using|enum|concept)\b", head):
            continue
        declared = declared_name(head)
        if declared is None or declared.startswith(("~", "operator")):
            continue
        if re.search(r"\)\s*(noexcept\s*)?=\s*(default|delete)\s*$", head):
            continue
        if declared == name and re.search(rf"\(\s*(const\s+)?{name}\s*&&?", head):
            continue
        found.add(f"{name}::{declared}")


def operations_in(code, found, bases, internal=False):
    """Adds what stands in a piece of a header at namespace level to `found`."""
    for head, body in statements(code):
        scope = SCOPE.search(re.sub(r"<[^<>]*>", "", head)) if body is not None else None
        if scope and scope.group(1) == "namespace":
            operations_in(body, found, bases, internal or "internal" in (scope.group(2) or ""))
        elif scope and not re.search(r"\benum\b", head):
            name = scope.group(2).split("::")[-1]
            if not internal or name in bases:
                of_class = set()
                operations_in_class(name, scope.group(1), body, of_class)
                # What makes a base is no business of the public.
                found.update(of_class - ({f"{name}::{name}"} if internal else set()))
        elif not internal and not re.search(r"\b(concept|using|enum|friend|template\s*<>)", head):
            name = declared_name(head)
            if name and not name.startswith("operator"):
                found.add(name)


def operations_of(tree):
    """A sorted list. What a public class has as a public base is public, also from `internal`."""
    codes, bases = [], set()
    for path in public_headers(tree):
        with open(os.path.join(tree, path), encoding="utf-8") as file:
            code = tidy.without_comments_and_strings(file.read())
        code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", "", code, flags=re.M)
        bases.update(re.findall(r":\s*public\s+internal::(\w+)", code))
        codes.append(code)
    found = set()
    for code in codes:
        operations_in(code, found, bases)
    return sorted(found)


if __name__ == "__main__":
    print("\n".join(operations_of(sys.argv[1])))
