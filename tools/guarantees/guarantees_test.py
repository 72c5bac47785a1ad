"""The table of guarantees on small made-up headers, rows and names."""

import os
import tempfile
import unittest
from unittest import mock

import guarantees
import operations
from promises import Row, Section

HEADER = """
// void in_a_comment();
#define KITH_CALL(x) call(x)
namespace kith {
namespace internal {
class Base { public: Base(int); int size() const { return size_(0); } private: int size_(int); };
class Hidden { public: void hidden(); };
void helper();
}  // namespace internal

struct Facts { int count = 0; int twice() const { return 2 * count; } };

template <class T = Bytes>
class Handle : public internal::Base {
  void before();
 public:
  // Opens, or throws.
  explicit Handle(const Domain& domain, Options options = {}) : domain_(domain), all_{domain} {}
  Handle(Handle&& other) noexcept;
  Handle& operator=(Handle&& other) noexcept = default;
  ~Handle();
  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return get_(); }
  explicit operator bool() const { return true; }
  friend bool operator==(const Handle&, const Handle&);
  template <class M>
  [[nodiscard]] static Handle of(const std::map<int, M>& memory) requires(!std::is_const_v<T>);
 protected:
  void between();
 private:
  using Key = int (*)(int);
  std::span<std::byte> get_() const;
};
enum class Answer { yes, no };
[[nodiscard]] inline Removal remove(const std::string& name, Force force = Force::no) {
  return internal::remove(name, force);
}
inline constexpr int kLimit = limit_of(3);
}  // namespace kith
"""


def operations_of(header):
    with tempfile.TemporaryDirectory() as tree:
        os.makedirs(os.path.join(tree, "kith", "region"))
        for name, text in (("CMakeLists.txt", "set(KITH_HEADERS\n  base/x.hpp\n  region/a.hpp)\n"),
                           ("region/a.hpp", header)):
            with open(os.path.join(tree, "kith", name), "w", encoding="utf-8") as file:
                file.write(text)
        return operations.operations_of(tree)


class TestOperations(unittest.TestCase):
    def test_are_the_public_ones_and_no_others(self):
        self.assertEqual(operations_of(HEADER),
                         ["Base::size", "Facts::twice", "Handle::Handle", "Handle::bytes",
                          "Handle::of", "remove"])


class TestGuarantees(unittest.TestCase):
    def with_rows(self, shown, public=("Handle::open", "remove"), lines="Handle: open\n: remove"):
        row = Row(lines, "a", "b", "c", "d", shown)
        with mock.patch("promises.SECTIONS", [Section("Things", [row])]), \
                mock.patch("promises.PRIVATE", "Handle: name"):
            look = guarantees.Shown(["unit.Big/Handle/0.Opens", "unit.Other.Closes"],
                                    {"step": ["open", "close"]})
            text = guarantees.text_of(look)
            return text, (guarantees.problems_of_operations([*public, "Handle::name"])
                          + look.problems_in_the_end())

    def test_the_names_that_are_there_are_in_the_table(self):
        text, problems = self.with_rows({"step": ["open", "close"], "test": ["unit.*Handle*"]})
        self.assertEqual(problems, [])
        self.assertIn("| `Handle`: `open`<br>`remove` | a | b | c | d |\n", text)
        self.assertIn("| `Handle`: `open`<br>`remove` | `open`<br>`close` |  |  |  | "
                      "`unit`: Handle |\n", text)

    def test_a_name_that_is_gone_is_a_problem(self):
        _, problems = self.with_rows({"step": ["*"], "test": ["unit.Handle.OpensNot"]})
        self.assertEqual(problems, ["there is no test by the name of `unit.Handle.OpensNot`"])
        _, problems = self.with_rows({"step": ["*", "reopen"]})
        self.assertEqual(problems, ["there is no step by the name of `reopen`"])

    def test_a_subject_that_shows_nothing_is_a_problem(self):
        _, problems = self.with_rows({"step": ["open"]})
        self.assertEqual(problems, ["step: `close` shows no promise"])

    def test_an_operation_without_a_promise_is_a_problem(self):
        _, problems = self.with_rows({"step": ["*"]}, public=("Handle::open", "remove", "create"))
        self.assertEqual(problems, ["create has no promise"])

    def test_a_promise_without_an_operation_is_a_problem(self):
        _, problems = self.with_rows({"step": ["*"]}, public=("Handle::open",))
        self.assertEqual(problems, ["remove is no public operation"])

    def test_two_promises_are_one_too_many(self):
        _, problems = self.with_rows({"step": ["*"]}, lines="Handle: open open\n: remove")
        self.assertEqual(problems, ["Handle::open stands in two rows"])

    def test_only_what_lies_between_the_marks_is_written(self):
        page = f"before\n{guarantees.BEGIN}\nold\n{guarantees.END}\nafter\n"
        self.assertEqual(guarantees.page_with(page, "new"),
                         f"before\n{guarantees.BEGIN}\n\nnew\n{guarantees.END}\nafter\n")
        with self.assertRaises(ValueError):
            guarantees.page_with("no marks", "new")

    def test_too_little_to_look_at_is_a_problem(self):
        self.assertEqual(len(guarantees.problems_of_counts(dict.fromkeys(guarantees.AT_LEAST, 0))),
                         len(guarantees.AT_LEAST))


if __name__ == "__main__":
    unittest.main()
