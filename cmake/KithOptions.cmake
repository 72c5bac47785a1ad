# What every target of the project is built with, and nothing of it reaches a user's build.
include(GNUInstallDirs)

option(KITH_WARNINGS_AS_ERRORS "Stop at a warning (the presets and CI do)" OFF)
set(KITH_SANITIZE "" CACHE STRING "Sanitizers for our own targets: `address,undefined` or `thread`")
option(KITH_FUZZ "Build the libFuzzer programs of tests/hostile (needs clang)" OFF)
option(KITH_COVERAGE "Count which lines and branches run (g++; see scripts/coverage.sh)" OFF)

if(PROJECT_IS_TOP_LEVEL)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    # The cache entry exists already, empty; only FORCE fills it.
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Debug, RelWithDebInfo or Release" FORCE)
  endif()
  find_program(KITH_CCACHE ccache)
  if(KITH_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${KITH_CCACHE}")
  endif()
endif()

if(KITH_BUILD_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
  enable_testing()
endif()

if(KITH_COVERAGE)
  add_library(kith_coverage OBJECT "${PROJECT_SOURCE_DIR}/tools/coverage/count_at_exit.cpp")
endif()

# kith_options(TARGET): the warnings, the language level, the sanitizers and the counters of our own
# code.
function(kith_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
  if(KITH_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(KITH_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${KITH_SANITIZE} -fno-omit-frame-pointer
                                             -fno-sanitize-recover=all)
    target_link_options(${target} PRIVATE -fsanitize=${KITH_SANITIZE})
    if(KITH_SANITIZE MATCHES "undefined")
      # It looks at the type of an error that is thrown by opening a pipe, and fails those that say
      # that there is no descriptor left.
      target_compile_options(${target} PRIVATE -fno-sanitize=vptr)
    endif()
  endif()
  if(KITH_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  if(KITH_COVERAGE)
    # Between the counters g++ 12 loses sight of constants, and warns of memory orders that are
    # fine.
    target_compile_options(${target} PRIVATE --coverage -fprofile-update=prefer-atomic
                                             -Wno-invalid-memory-model)
    target_link_options(${target} PRIVATE --coverage)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")
      target_link_libraries(${target} PRIVATE kith_coverage)
      target_link_options(${target} PRIVATE LINKER:--wrap=_exit)
    endif()
  endif()
endfunction()

# kith_test(NAME SOURCES a_test.cpp ... [LIBRARIES fmt::fmt ...] [LABEL scenario]
#           [TIMEOUT 120] [SERIAL] [LOCK name])
#
# One GoogleTest program, with the library and the test kit; each of its tests is one ctest test
# named NAME.Suite.Test.
# LABEL is the kind of test, `unit` unless told: `scenario` starts several processes, `ptrace`
# traces a process and `search` runs processes as fibers (both are left out under the
# sanitizers, which know neither), `root` mounts or makes namespaces.
# SERIAL runs alone on the machine; tests of one LOCK never run side by side.
function(kith_test name)
  cmake_parse_arguments(ARG "SERIAL" "TIMEOUT;LABEL;LOCK" "SOURCES;LIBRARIES" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_SOURCES)
    message(FATAL_ERROR "kith_test(${name}): SOURCES missing or unknown: ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  if(NOT ARG_LABEL MATCHES "^(unit|scenario|ptrace|search|root)$")
    message(FATAL_ERROR "kith_test(${name}): `${ARG_LABEL}` is no kind of test")
  endif()
  set(properties TIMEOUT ${ARG_TIMEOUT} LABELS ${ARG_LABEL})
  if(ARG_SERIAL)
    list(APPEND properties RUN_SERIAL TRUE)
  endif()
  if(ARG_LOCK)
    list(APPEND properties RESOURCE_LOCK ${ARG_LOCK})
  endif()
  add_executable(${name} ${ARG_SOURCES})
  kith_options(${name})
  target_link_libraries(${name} PRIVATE kith::kith kith::testkit ${ARG_LIBRARIES}
                                        GTest::gtest_main)
  gtest_discover_tests(${name} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
                       PROPERTIES ${properties})
endfunction()
