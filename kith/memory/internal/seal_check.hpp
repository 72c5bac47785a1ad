// Whether a descriptor that somebody handed over is sealed as its receiver wants it.
#pragma once

#include <string>

#include "kith/os/file.hpp"
#include "kith/os/seals.hpp"

namespace kith::internal {

// Throws wrong_type if a demanded seal is missing, permission_denied if `access` asks for writing
// that a seal forbids.
void require_seals(const os::Descriptor& file, os::Access access, os::Seals demanded,
                   const std::string& object);

}  // namespace kith::internal
