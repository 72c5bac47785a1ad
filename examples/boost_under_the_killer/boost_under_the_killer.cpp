// Boost.Interprocess under the step killer: what is left when a process is killed in the middle of
// an operation. It promises nothing about that, and this is no reproach; it shows what a promise
// would have to cover. Compare with the table of this project's own proof.
//
//   boost_under_the_killer [SECONDS_PER_SUBJECT]     default 15
//
// Each subject is tried at random kill points for so long. A hang costs 150 ms.

#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/interprocess/sync/named_mutex.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "testkit/step_killer.hpp"

namespace {

namespace bip = boost::interprocess;
using kith::testkit::Subject;

constexpr const char* kName = "kith_example_boost_under_the_killer";

// The victim's handles outlive its set-up; the survivors open their own.
std::unique_ptr<bip::named_mutex> victims_mutex;
std::unique_ptr<bip::message_queue> victims_queue;
std::unique_ptr<bip::managed_shared_memory> victims_segment;

Subject named_mutex() {
  Subject subject;
  subject.name = "named_mutex lock, unlock";
  subject.prepare = [] { bip::named_mutex made(bip::create_only, kName); };
  subject.before = [] {
    victims_mutex = std::make_unique<bip::named_mutex>(bip::open_only, kName);
  };
  subject.operation = [] {
    victims_mutex->lock();
    victims_mutex->unlock();
  };
  subject.survivor = []() -> std::string {
    bip::named_mutex mutex(bip::open_only, kName);
    mutex.lock();
    mutex.unlock();
    return "";
  };
  subject.clean_up = [] { bip::named_mutex::remove(kName); };
  return subject;
}

Subject message_queue() {
  Subject subject;
  subject.name = "message_queue send";
  subject.prepare = [] { bip::message_queue made(bip::create_only, kName, 8, sizeof(int)); };
  subject.before = [] {
    victims_queue = std::make_unique<bip::message_queue>(bip::open_only, kName);
  };
  subject.operation = [] {
    const int value = 7;
    victims_queue->send(&value, sizeof value, 0);
  };
  subject.survivor = []() -> std::string {
    bip::message_queue queue(bip::open_only, kName);
    const int sent = 8;
    queue.send(&sent, sizeof sent, 0);
    int received = 0;
    bip::message_queue::size_type size = 0;
    unsigned priority = 0;
    queue.receive(&received, sizeof received, size, priority);
    const bool sane = size == sizeof received && (received == 7 || received == 8);
    return sane ? "" : "received what nobody sent";
  };
  subject.clean_up = [] { bip::message_queue::remove(kName); };
  return subject;
}

Subject construct() {
  Subject subject;
  subject.name = "managed_shared_memory construct";
  subject.prepare = [] {
    bip::managed_shared_memory made(bip::create_only, kName, 65536);
    made.construct<int>("first")(1);
  };
  subject.before = [] {
    victims_segment = std::make_unique<bip::managed_shared_memory>(bip::open_only, kName);
  };
  subject.operation = [] { victims_segment->construct<int>("second")(2); };
  subject.survivor = []() -> std::string {
    bip::managed_shared_memory segment(bip::open_only, kName);
    if (segment.find<int>("first").first == nullptr) return "an older object is lost";
    segment.construct<int>("third")(3);
    return segment.check_sanity() ? "" : "the segment is not sane";
  };
  subject.clean_up = [] { bip::shared_memory_object::remove(kName); };
  return subject;
}

}  // namespace

int main(int count, char** arguments) {
  using namespace kith::testkit;
  if (const std::string reason = why_refused(); !reason.empty()) {
    std::cout << reason << "\n";
    return 0;
  }
  Plan plan = Plan::full();
  plan.most_failures = 0;
  plan.budget = std::chrono::seconds(count > 1 ? std::max(1, std::atoi(arguments[1])) : 15);
  std::vector<Report> reports;
  for (Subject& subject : std::vector<Subject>{named_mutex(), message_queue(), construct()}) {
    subject.patience = std::chrono::milliseconds(150);
    reports.push_back(kill_every_step(subject, plan));
  }
  std::cout << table(reports);
}
