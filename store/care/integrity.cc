#include "store/care/integrity.h"

#include <algorithm>

namespace throughline::store::care {

std::string IntegrityProblem(sqlite::Database& db) {
  auto check = db.Prepare("PRAGMA integrity_check(20)");
  if (!check) return check.error().message;
  std::string first;
  int problems = 0;
  auto row = check->Use();
  while (row.Next()) {
    if (row.Text(0) == "ok") continue;
    if (problems++ == 0) first = row.Text(0);
  }
  if (const auto read = row.Finish(); !read && first.empty()) first = read.error().message;
  std::replace(first.begin(), first.end(), '\n', ' ');
  return problems > 1 ? first + " (and " + std::to_string(problems - 1) + " more)" : first;
}

}  // namespace throughline::store::care
