// Waitable: a view of a handle that wait_any() can wait for: of an Event, a Semaphore, a
// CountingSemaphore or a Mutex, each of which turns into one by itself.
//
//   std::vector<Waitable> all{stop, jobs};
//   for (Mutex& door : doors) all.push_back(door);
//   const AnyAnswer any = wait_any(Deadline::after(1s), all);
//
// States       of its handle, open, wherever that is moved. Once the handle is closed, using it is
//              undefined, as with a std::string_view.
// Callers      any thread; a value of eight bytes.
// A peer dies  nothing is remembered here.
// Cost         nothing.
#pragma once

namespace kith {

namespace internal {
class AnyObject;
}  // namespace internal

class Waitable {
 public:
  explicit Waitable(internal::AnyObject& object) noexcept : object_(&object) {}
  [[nodiscard]] internal::AnyObject& object() const noexcept { return *object_; }

 private:
  internal::AnyObject* object_;
};

}  // namespace kith
