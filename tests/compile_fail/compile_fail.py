#!/usr/bin/env python3
"""Types that may not cross processes stop the build, and the compiler's text says why.

    compile_fail.py --compiler g++ --include PATH_OF_THE_TREE

Each case is compiled alone. It must be refused by a static_assert of kith that holds the expected
words, and the text must name the refused type. Cases that must compile stand among them: without
these, a wrong include path would make every refusal look right.
"""

import argparse
import concurrent.futures
import re
import subprocess
import sys

LEAST_CASES = 25

PRELUDE = """
#include "kith/base/fingerprint.hpp"
#include "kith/base/shareable.hpp"
"""

SHAREABLE = "static_assert(kith::require_shareable<T>());"
MESSAGE = "static_assert(kith::require_message<T>());"

# (declarations, the requirement, words of the error, the refused type as the compiler prints it)
REFUSED = [
    ("struct T { int a; const char* name; };", SHAREABLE, "a pointer means nothing",
     r"const char ?\*"),
    ("struct T { int a; int T::*member; };", SHAREABLE, "a pointer means nothing", r"\bT\b"),
    ("struct T { int a; void (*run)(); };", SHAREABLE, "a pointer means nothing",
     r"void ?\(\*\)\(\)"),
    ("struct In { int* p; }; struct T { char c; In in[3]; };", MESSAGE, "a pointer means nothing",
     r"\bIn\b.*int ?\*"),
    ("using T = int&;", SHAREABLE, "a reference means nothing", r"int ?&"),
    ("struct T { const int& r; };", SHAREABLE, "a reference means nothing", r"const int ?&"),
    ("struct T { int a; int& r; };", SHAREABLE, "is a reference, or has no default", r"\bT\b"),
    ("struct T { virtual void run(); };", SHAREABLE, "virtual functions", r"\bT\b"),
    ("#include <vector>\nstruct T { std::vector<int> v; };", SHAREABLE, "an owning container",
     r"std::vector<int"),
    ("#include <string>\nstruct T { std::string s; };", MESSAGE, "an owning container", "string"),
    ("#include <memory>\nstruct T { std::unique_ptr<int> p; };", SHAREABLE, "a smart pointer",
     "std::unique_ptr<int"),
    ("#include <functional>\nstruct T { std::function<void()> f; };", SHAREABLE, "private members",
     r"std::function<void ?\(\)>"),
    ("struct T { std::span<int> s; };", SHAREABLE, "a view type", "std::span<int"),
    ("struct T { std::string_view s; };", MESSAGE, "a view type", "string_view"),
    ("#include <mutex>\nstruct T { std::mutex m; };", SHAREABLE,
     "use atomics, or let one process write", "std::mutex"),
    ("#include <condition_variable>\nstruct T { std::condition_variable c; };", SHAREABLE,
     "use atomics, or let one process write", "std::condition_variable"),
    ("#include <thread>\nstruct T { std::thread t; };", SHAREABLE, "a thread belongs",
     "std::thread"),
    ("struct Narrow { int a : 3; }; struct T { Narrow n; };", SHAREABLE, "bit-field",
     r"\bNarrow\b"),
    ("union Either { int a; float b; }; struct T { Either e; };", SHAREABLE, "a union",
     r"\bEither\b"),
    ("struct T { union { int a; float b; }; };", SHAREABLE, None, "anonymous union"),
    ("struct Base { int a; }; struct T : Base { int b; };", SHAREABLE, "a base class", r"\bT\b"),
    ("class T { int a; };", SHAREABLE, "state the stamp by hand with kith::Stamp<T>", r"\bT\b"),
    ("struct T { volatile int a; };", SHAREABLE, "volatile orders nothing", "volatile int"),
    ("struct T { int a; ~T() {} };", SHAREABLE, "has a destructor", r"\bT\b"),
    ("struct T { std::atomic<int> a; };", MESSAGE, "a std::atomic is not", "std::atomic<int>"),
    ("struct Wide { long long a[4]; }; using T = std::atomic<Wide>;", SHAREABLE, "not lock-free",
     "std::atomic<Wide>"),
    ("struct T { int a; [[no_unique_address]] struct {} b; };", SHAREABLE, "no_unique_address",
     r"\bT\b"),
    ("struct T { " + " ".join(f"int a{i};" for i in range(65)) + " };", SHAREABLE,
     "more than 64 fields", r"\bT\b"),
    ("struct T;", SHAREABLE, "declared but not defined", r"\bT\b"),
    ("struct T { int* p; };", "auto f = kith::fingerprint<T>();", "a pointer means nothing",
     r"int ?\*"),
    # The same reason a second time in one program is said a second time.
    ("struct First { int* p; }; struct T { int* p; }; "
     "static_assert(kith::require_shareable<First>());", SHAREABLE, "a pointer means nothing",
     r"\bFirst\b[\s\S]*\bT\b"),
]

ADMITTED = [
    ("struct T { int a; double b[3]; };", MESSAGE),
    ("using T = std::atomic<int>;", SHAREABLE),
    ("struct T { char text[1 << 20]; std::array<double, 1'000'000> numbers; };", MESSAGE),
    ("class T { [[maybe_unused]] int* a; }; template <> struct kith::Stamp<T> { "
     "static constexpr std::uint64_t fingerprint = 1; };", SHAREABLE),
]


def compile_text(arguments, declarations, requirement):
    text = PRELUDE + declarations + "\n" + requirement + "\n"
    command = [arguments.compiler, "-std=c++20", "-fsyntax-only", "-I", arguments.include,
               "-fdiagnostics-color=never", "-x", "c++", "-"]
    run = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120,
                         env={"PATH": "/usr/bin:/bin:/usr/local/bin", "LC_ALL": "C"})
    return run.returncode, run.stderr


def check_refused(arguments, case):
    declarations, requirement, words, named = case
    status, text = compile_text(arguments, declarations, requirement)
    if status == 0:
        return "compiles, but must be refused"
    errors = [line for line in text.splitlines() if "error:" in line]
    if words and not any("kith: " in line and words in line for line in errors):
        return f"no error says `{words}`"
    if not re.search(named, text):
        return f"the text does not name `{named}`"
    return None


def check_admitted(arguments, case):
    status, text = compile_text(arguments, *case)
    return None if status == 0 else "must compile:\n" + text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--include", required=True)
    arguments = parser.parse_args()
    work = [(check_refused, case) for case in REFUSED] + [(check_admitted, c) for c in ADMITTED]
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        answers = list(pool.map(lambda item: item[0](arguments, item[1]), work))
    failed = 0
    for (_, case), answer in zip(work, answers):
        if answer:
            failed += 1
            print(f"FAILED {case[0]}\n    {answer}")
    print(f"{len(answers)} cases, {failed} failed")
    if len(answers) < LEAST_CASES:
        print(f"fewer than {LEAST_CASES} cases: this check has checked nothing")
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
