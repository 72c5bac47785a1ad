// What two_copies_test calls in a shared library that contains a copy of kith of its own.
#pragma once

namespace kith::tests {

// Called in the plugin; `path` is that of a domain. "" or what went wrong.
using PluginCall = const char*(const char* path);

[[gnu::visibility("default")]] extern const char* plugin_uses_mutex(const char* path);
[[gnu::visibility("default")]] extern const char* plugin_reads_and_writes(const char* path);
[[gnu::visibility("default")]] extern const char* plugin_forks_in_a_change(const char* path);

}  // namespace kith::tests
