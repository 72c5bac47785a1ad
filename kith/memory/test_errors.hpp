// What a call throws, for tests.
#pragma once

#include <gtest/gtest.h>

#include "kith/base/error.hpp"

namespace kith {

// The Error that `call` throws, in words that can be looked into; fails the test if it throws none.
template <class Call>
Error error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(Errc::system, {});
}

// The code of the Error that `call` throws, for children that assert nothing; 0 if none.
template <class Call>
int code_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return static_cast<int>(error.errc());
  }
  return 0;
}

}  // namespace kith
