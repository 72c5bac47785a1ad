// Only in builds that measure coverage: _exit() as the linker puts it in place of the real one. The
// children of tests end by it, and it alone does not write what was counted.
extern "C" {
void __gcov_dump();
void __gcov_reset();
[[noreturn]] void __real__exit(int status);
[[noreturn]] void __wrap__exit(int status);

void __wrap__exit(int status) {
  __gcov_dump();
  __gcov_reset();  // a vfork child's parent goes on with these counters
  __real__exit(status);
}
}
