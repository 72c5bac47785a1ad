"""tidy.py on a small made-up tree: every rule finds its violation, and clean code passes."""

import os
import tempfile
import unittest

import tidy

LONG_FUNCTION = "void f() {\n" + "  g();\n" * 60 + "}\n"


class TestTidy(unittest.TestCase):
    def problems(self, path, text, listed=True):
        """The rules that one file breaks in a tree of its own."""
        with tempfile.TemporaryDirectory() as tree:
            names = "/".join(path.split("/")[-2:]) if listed else ""
            for name, content in ((path, text), ("CMakeLists.txt", names)):
                os.makedirs(os.path.dirname(os.path.join(tree, name)), exist_ok=True)
                with open(os.path.join(tree, name), "w", encoding="utf-8") as file:
                    file.write(content)
            found = [p.split(": ") for p in tidy.Tidy(tree).run() if not p.startswith("looked")]
        return [(rule, int(place.split(":")[1])) for place, rule, *_ in found]

    def assert_finds(self, rule, path, text, line=1):
        self.assertEqual(self.problems(path, text), [(rule, line)], text)

    def assert_clean(self, path, text):
        self.assertEqual(self.problems(path, text), [], text)

    def test_a_floor_includes_only_what_stands_below_it(self):
        self.assert_finds("include", "kith/base/a.hpp", '#include "kith/os/file.hpp"\n')
        self.assert_finds("include", "kith/os/a.cpp", '\n#include "kith/region/region.hpp"\n', 2)
        self.assert_finds("include", "kith/member/internal/a.hpp",
                          '#include "kith/channel/latest.hpp"\n')
        self.assert_finds("include", "kith/transport/a.hpp", '#include "kith/region/region.hpp"\n')
        self.assert_finds("include", "kith/attic/a.hpp", '#include "kith/base/error.hpp"\n')
        self.assert_clean("kith/channel/a.hpp", '#include "kith/member/member.hpp"\n')
        self.assert_clean("kith/os/a.hpp", '#include "kith/os/internal/b.hpp"\n')
        self.assert_clean("kith/kith.hpp", '#include "kith/channel/latest.hpp"\n')

    def test_the_library_includes_only_itself(self):
        self.assert_finds("include", "kith/base/a.cpp", '#include "testkit/process.hpp"\n')
        self.assert_clean("kith/base/a_test.cpp", '#include "testkit/process.hpp"\n')
        self.assert_clean("kith/base/a_test.cpp", '#include "kith/channel/latest.hpp"\n')
        self.assert_finds("include", "kith/base/a.cpp", '#include "tests/support/child.hpp"\n')
        self.assert_finds("include", "kith/base/a.cpp", '#include "error.hpp"\n')
        self.assert_finds("include", "kith/base/a.cpp", '#include "../base/error.hpp"\n')

    def test_system_headers_belong_to_os(self):
        for header in ("sys/mman.h", "unistd.h", "linux/futex.h", "pthread.h", "signal.h"):
            self.assert_finds("include", "kith/region/a.cpp", f"#include <{header}>\n")
            self.assert_clean("kith/os/a.cpp", f"#include <{header}>\n")
        self.assert_clean("kith/region/a_test.cpp", "#include <unistd.h>\n")
        self.assert_clean("kith/region/a.cpp", "#include <system_error>\n")

    def test_products_use_public_headers_only(self):
        self.assert_finds("include", "cli/a.cpp", '#include "kith/os/file.hpp"\n')
        self.assert_finds("include", "examples/a.cpp", '#include "kith/region/internal/a.hpp"\n')
        self.assert_clean("cli/a.cpp", '#include "kith/region/region.hpp"\n')

    def test_lengths(self):
        self.assert_finds("long_line", "kith/base/a.cpp", "\n// " + "x" * 98 + "\n", 2)
        self.assert_finds("long_file", "kith/base/a.cpp", "int a;\n" * 601)
        self.assert_finds("long_function", "kith/base/a.cpp", "\n" + LONG_FUNCTION, 2)
        self.assert_clean("kith/base/a.cpp", "namespace a {\n" + "int b;\n" * 90 + "}\n")

    def test_functions_are_found_wherever_they_stand(self):
        for head in (
            "template <typename T>\nT f(T a) noexcept(noexcept(g(a))) {\n",
            "A::A(int x) : a_{x}, b_(x) {\n",
            "A::A(int x)\n    : a_{x},\n      b_{x} {\n",
            "auto A::f() const -> std::vector<int> {\n",
            "struct S f(int a = 3) {\n",
            "TEST(Deadline, NeverIsAfterEverything) {\n",
            "bool operator==(const A& a) {\n",
            "A& operator=(const A& a) {\n",
            "struct A {\n  int x{3};\n  int y = {};\n  void f() {\n",
            "int table[] = {1, 2};\nvoid f() {\n",
            "enum class E : int { kA, kB };\nvoid f() {\n",
            "template <int N>\n  requires(N > 3)\nstruct A {\n  void f() {\n",
            "struct alignas(64) A {\n  void f() {\n",
            "class A {\n public:\n  struct alignas(64) B {\n    void f() {\n",
            "extern \"C\" {\nvoid f() {\n",
        ):
            opened = head.count("{") - head.count("}")
            text = head + "  if (a) { g(); }\n" * 70 + "}" * opened + "\n"
            self.assertEqual([rule for rule, _ in self.problems("kith/base/a.cpp", text)],
                             ["long_function"], head)

    def test_words(self):
        self.assert_finds("volatile", "kith/base/a.cpp", "volatile int a;\n")
        self.assert_clean("kith/base/a.cpp", "// volatile is not enough\n")
        self.assert_clean("kith/base/a.cpp", 'auto a = "volatile"; asm volatile("");\n')
        self.assert_finds("sleep", "kith/base/a.cpp", "std::this_thread::sleep_for(a);\n")
        self.assert_finds("unfinished", "kith/base/a.cpp", "// TO" + "DO later\n")
        self.assert_finds("unfinished", "cli/a.cpp", "// FIX" + "ME later\n")
        self.assert_finds("using_namespace", "kith/base/a.hpp", "using namespace std;\n")
        self.assert_clean("kith/base/a.cpp", "using namespace std::chrono_literals;\n")

    def test_memory_orders_are_written_out(self):
        for call in ("a.load()", "a->store(f(x))", "a.exchange(1)", "a.fetch_add(1)",
                     "a.compare_exchange_strong(b, c)"):
            self.assert_finds("memory_order", "kith/base/a.cpp", f"int x = {call};\n")
        self.assert_clean("kith/base/a.cpp", "a.store(f(x),\n  std::memory_order_release);\n")
        self.assert_clean("cli/a.cpp", "a.load();\n")

    def test_text_names_no_machine(self):
        self.assert_finds("machine_path", "docs/a.md", "see /" + "home/anna/kith\n")
        self.assert_finds("machine_path", "a.sh", "cd /" + "root/kith\n")
        self.assert_clean("docs/a.md", "$root/work/x and https://example.org/home/x /dev/shm\n")

    def test_a_file_that_nobody_builds_is_found(self):
        self.assertEqual(self.problems("kith/base/a.cpp", "int a;\n", listed=False),
                         [("not_listed", 1)])
        self.assertEqual(self.problems("testkit/a_test.cpp", "int a;\n", listed=False),
                         [("not_listed", 1)])

    def test_a_line_may_be_excused_with_a_reason(self):
        self.assert_clean("kith/base/a.cpp",
                          "// tidy: allow(volatile) the compiler must not drop this\n"
                          "volatile int a;\n")

    def test_an_empty_tree_does_not_pass(self):
        with tempfile.TemporaryDirectory() as tree:
            self.assertEqual(len(tidy.Tidy(tree).run()), len(tidy.AT_LEAST))


if __name__ == "__main__":
    unittest.main()
