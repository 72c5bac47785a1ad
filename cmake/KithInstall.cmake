# What `cmake --install` lays down: the library, its headers, the command, and the package that
# find_package(kith) reads.
include(CMakePackageConfigHelpers)

set(kith_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/kith")

# The headers are installed under their path in the tree, because that is their include path.
if(CMAKE_VERSION VERSION_GREATER_EQUAL 3.24)
  install(TARGETS kith EXPORT kithTargets FILE_SET HEADERS)
else()
  install(TARGETS kith EXPORT kithTargets INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  get_target_property(kith_headers kith KITH_HEADERS)
  foreach(header IN LISTS kith_headers)
    cmake_path(GET header PARENT_PATH folder)
    install(FILES "${PROJECT_SOURCE_DIR}/kith/${header}"
            DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/kith/${folder}")
  endforeach()
endif()
install(EXPORT kithTargets NAMESPACE kith:: DESTINATION "${kith_package_dir}")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/kithConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/kithConfig.cmake"
                              INSTALL_DESTINATION "${kith_package_dir}")
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/kithConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/kithConfig.cmake"
              "${PROJECT_BINARY_DIR}/kithConfigVersion.cmake"
        DESTINATION "${kith_package_dir}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")

if(TARGET kith_cli)
  file(RELATIVE_PATH kith_lib_from_bin
       "${CMAKE_INSTALL_FULL_BINDIR}" "${CMAKE_INSTALL_FULL_LIBDIR}")
  set_target_properties(kith_cli PROPERTIES INSTALL_RPATH "$ORIGIN/${kith_lib_from_bin}")
  install(TARGETS kith_cli)
  set(kith_cli_dir "${PROJECT_SOURCE_DIR}/cli")
  install(FILES "${kith_cli_dir}/kith.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
  # Each shell looks below the data folder of its own packages' prefix; fish also in vendor folders.
  install(FILES "${kith_cli_dir}/completion/kith.bash" RENAME kith
          DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
  install(FILES "${kith_cli_dir}/completion/_kith"
          DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")
  install(FILES "${kith_cli_dir}/completion/kith.fish"
          DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
endif()
