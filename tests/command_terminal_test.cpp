// Colours and widths belong to a terminal: the command with a pseudo terminal as its output, and
// without.
#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "kith/channel/latest.hpp"
#include "kith/region/region.hpp"

#include "tests/support/command.hpp"

namespace kith::tests {
namespace {

class Screen {
 public:
  explicit Screen(unsigned short columns) : master_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0) std::abort();
    path_ = ::ptsname(master_);
    slave_ = ::open(path_.c_str(), O_RDWR | O_NOCTTY);
    winsize size{};
    size.ws_row = 24;
    size.ws_col = columns;
    if (slave_ < 0 || ::ioctl(slave_, TIOCSWINSZ, &size) != 0) std::abort();
  }
  ~Screen() {
    ::close(slave_);
    ::close(master_);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  // All that was written to it; whoever wrote has ended.
  [[nodiscard]] std::string text() const {
    std::string text;
    pollfd ready{master_, POLLIN, 0};
    char piece[4096];
    while (::poll(&ready, 1, 0) == 1) {
      const ssize_t got = ::read(master_, piece, sizeof piece);
      if (got <= 0) break;
      text.append(piece, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  int master_;
  int slave_ = -1;
  std::string path_;
};

class CommandAtATerminal : public testing::Test {
 protected:
  [[nodiscard]] std::string shown(const std::string& variables, const std::string& options = "",
                                  unsigned short columns = 200) const {
    const Screen screen(columns);
    const std::string line = "env -u NO_COLOR " + variables + " '" KITH_COMMAND "' ls " + options +
                             " --domain " + scratch_.path() + " > " + screen.path();
    EXPECT_EQ(std::system(line.c_str()), 0);
    return screen.text();
  }
  static bool coloured(const std::string& text) { return text.find('\x1b') != std::string::npos; }

  ScratchDirectory scratch_;
  Region<double> number_ = Region<double>::create(scratch_.domain(), "number");
};

TEST_F(CommandAtATerminal, ColoursAreForATerminalThatHasThem) {
  EXPECT_TRUE(coloured(shown("TERM=xterm")));
  EXPECT_FALSE(coloured(shown("TERM=dumb")));
  EXPECT_FALSE(coloured(shown("-u TERM")));
}

TEST_F(CommandAtATerminal, WhoWantsNoneGetsNone) {
  EXPECT_FALSE(coloured(shown("NO_COLOR=1 TERM=xterm")));
  EXPECT_TRUE(coloured(shown("NO_COLOR= TERM=xterm"))) << "empty is not set";
  EXPECT_FALSE(coloured(shown("TERM=xterm", "--color=never")));
  EXPECT_TRUE(coloured(shown("NO_COLOR=1 TERM=xterm", "--color=always")));
  EXPECT_FALSE(coloured(shown("TERM=xterm", "--json")));
}

TEST_F(CommandAtATerminal, APipeGetsNoneUnlessAsked) {
  const Command command;
  const std::string place = " --domain " + scratch_.path();
  EXPECT_FALSE(coloured(command.run("ls" + place, "TERM=xterm").out));
  EXPECT_TRUE(coloured(command.run("ls --color=always" + place, "TERM=xterm").out));
}

TEST_F(CommandAtATerminal, LinesAreCutToItsWidth) {
  LatestWriter<double> writer(scratch_.domain(), "pose");
  const std::string narrow = shown("TERM=dumb", "", 85);
  EXPECT_NE(narrow.find("...\r\n"), std::string::npos) << narrow;
  for (std::size_t begin = 0; begin < narrow.size();) {
    const std::size_t end = std::min(narrow.find('\r', begin), narrow.size());
    EXPECT_LE(end - begin, 85u) << narrow;
    begin = end + 2;
  }
  EXPECT_EQ(shown("TERM=dumb").find("..."), std::string::npos);
}

}  // namespace
}  // namespace kith::tests
