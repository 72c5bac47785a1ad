// What a thread still has to do when it ends.
#pragma once

namespace kith::os {

// Calls `function` in this thread when it ends by returning or by pthread_exit, after its
// thread_local objects are gone; not when the whole process ends. Once per thread: a second call
// replaces the function.
void call_at_thread_exit(void (*function)()) noexcept;

}  // namespace kith::os
