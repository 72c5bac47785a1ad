#include "bench/book.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace kith::bench {
namespace {

Reading reading(const std::string& what, double value) {
  return {what, "peer", 0, "p50", "ns", value};
}

const Row& row_of(const std::vector<Row>& rows, const std::string& what,
                  const std::string& metric) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) {
    return row.what == what && row.metric == metric;
  });
  if (found == rows.end()) throw std::runtime_error("no row " + what + " " + metric);
  return *found;
}

TEST(Median, IsTheMiddleOrTheMeanOfTheTwoMiddleOnes) {
  EXPECT_EQ(median({}), 0);
  EXPECT_EQ(median({3}), 3);
  EXPECT_EQ(median({9, 1, 5}), 5);
  EXPECT_EQ(median({4, 1, 100, 2}), 3);
}

TEST(Book, TakesTheMedianOverRepeats) {
  Book book;
  for (const double value : {10.0, 12.0, 500.0}) {
    book.begin_repeat();
    book.note(reading("read", value), 0);
  }
  EXPECT_EQ(row_of(book.rows(), "read", "p50").value, 12);
  EXPECT_EQ(row_of(book.rows(), "read", "repeats_used").value, 3);
}

TEST(Book, FormsARatioInsideEachRepeat) {
  Book book;
  // The machine is twice as slow in the last two repeats; the ratio does not see it.
  for (const double slowness : {1.0, 2.0, 2.0}) {
    book.begin_repeat();
    book.note(reading("limit.exchange_store", 10 * slowness), 0);
    Reading read = reading("read", 15 * slowness);
    read.limit = "exchange_store";
    book.note(read, 0);
  }
  const auto rows = book.rows();
  EXPECT_DOUBLE_EQ(row_of(rows, "read", "p50").ratio.value(), 1.5);
  EXPECT_EQ(row_of(rows, "read", "p50").limit, "exchange_store");
  EXPECT_FALSE(row_of(rows, "limit.exchange_store", "p50").ratio);
}

TEST(Book, SubtractsWhatIsAllowedForBeforeTheRatio) {
  Book book;
  book.begin_repeat();
  book.note(reading("limit.exchange_store", 10), 0);
  Reading copy = reading("limit.memcpy", 4);
  copy.payload_bytes = 64;
  book.note(copy, 0);
  book.note(reading("limit.clock", 6), 0);
  Reading write = reading("write", 40);
  write.payload_bytes = 64;
  write.limit = "exchange_store";
  write.minus = {"memcpy", "clock"};  // one of our size, one of none
  book.note(write, 0);
  EXPECT_DOUBLE_EQ(row_of(book.rows(), "write", "p50").ratio.value(), 3);
  EXPECT_EQ(row_of(book.rows(), "write", "p50").value, 40);
}

TEST(Book, HasNoRatioWhereTheLimitWasNotMeasured) {
  Book book;
  book.begin_repeat();
  Reading read = reading("read", 15);
  read.limit = "exchange_store";
  book.note(read, 0);
  EXPECT_FALSE(row_of(book.rows(), "read", "p50").ratio);
  EXPECT_EQ(row_of(book.rows(), "read", "p50").limit, "");
}

TEST(Book, LeavesOutRepeatsInWhichOthersWorked) {
  Book book;
  for (const double value : {10.0, 11.0, 12.0, 900.0}) {
    book.begin_repeat();
    book.note(reading("read", value), value > 100 ? 0.5 : 0.01);
  }
  EXPECT_EQ(row_of(book.rows(), "read", "p50").value, 11);
  EXPECT_EQ(row_of(book.rows(), "read", "repeats_used").value, 3);
  EXPECT_DOUBLE_EQ(row_of(book.rows(), "read", "foreign_share").value, 0.01);
}

TEST(Book, KeepsTheQuietestThreeWhereNoneIsQuiet) {
  Book book;
  for (const double share : {0.9, 0.2, 0.3, 0.4, 0.8}) {
    book.begin_repeat();
    book.note(reading("read", share * 100), share);
  }
  EXPECT_EQ(row_of(book.rows(), "read", "repeats_used").value, 3);
  EXPECT_DOUBLE_EQ(row_of(book.rows(), "read", "p50").value, 30);
}

TEST(Book, WritesRowsWithExactlyTheAgreedFields) {
  Book book;
  book.begin_repeat();
  book.note(reading("limit.exchange_store", 10), 0);
  Reading read = reading("read", 15);
  read.limit = "exchange_store";
  book.note(read, 0);
  const auto rows = nlohmann::ordered_json::parse(json_rows(book.rows()));
  ASSERT_EQ(rows.size(), 6u);  // two readings, each with its repeats and the foreign share
  const std::vector<std::string> fields = {"case",  "peer", "payload_bytes", "metric",
                                           "value", "unit", "ratio",         "limit"};
  for (const auto& row : rows) {
    std::vector<std::string> found;
    for (const auto& [field, value] : row.items()) found.push_back(field);
    EXPECT_EQ(found, fields);
  }
  EXPECT_TRUE(rows[0]["ratio"].is_null());
  EXPECT_TRUE(rows[0]["limit"].is_null());
  EXPECT_EQ(rows[3]["ratio"], 1.5);
  EXPECT_EQ(rows[3]["limit"], "exchange_store");
}

TEST(Book, PutsACaseOnOneLineOfTheTable) {
  Book book;
  book.begin_repeat();
  book.note(reading("read", 15), 0);
  Reading slowest = reading("read", 2.5e6);
  slowest.metric = "max";
  book.note(slowest, 0);
  const std::string text = table(book.rows());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_NE(text.find("p50 15 ns"), std::string::npos) << text;
  EXPECT_NE(text.find("max 2.5 ms"), std::string::npos) << text;
}

}  // namespace
}  // namespace kith::bench
