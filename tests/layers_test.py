"""Checks the rules of the layout that a compiler does not.

  layers_test.py SOURCE_DIR

 - Includes point downwards: correlate, wire | otlp | spans, exemplars, logs, store, api | gateway.
   Modules of one row do not know each other.
 - Third-party headers stay where they belong: sqlite3 in store; asio, beast, gRPC, prometheus,
   flags, curl, YAML and OpenSSL in gateway; generated protobuf classes nowhere in the product.
 - No module or file is called common, util, core or helpers.
 - No capturing lambda and no braced temporary inside an expression that contains co_await: g++ 12
   destroys their members twice. Name them on the line before.
 - No co_await in the condition of a loop: g++ 12 resumes the second round's coroutine with the
   first one's frame. Await inside the loop, into a variable.
"""

import pathlib
import re
import sys

ROWS = [
    {"correlate", "wire"},
    {"otlp"},
    {"spans", "exemplars", "logs", "store", "api"},
    {"gateway"},
]
ROW_OF = {module: row for row, modules in enumerate(ROWS) for module in modules}

# A header's path begins with one of these; only these modules may include it.
FOREIGN = [
    (("sqlite3",), {"store"}),
    (("boost/asio", "boost/beast", "grpc/", "grpcpp/", "prometheus/", "CLI/", "curl/", "yaml-cpp/",
      "openssl/"),
     {"gateway"}),
    (("google/protobuf", "opentelemetry/proto"), set()),
]
VAGUE_NAMES = {"common", "util", "utils", "core", "helper", "helpers", "misc"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
LAMBDA = re.compile(r"(?<![\w\])])\[\s*[^\]\s][^\]]*\]\s*(?:\(|\{|mutable\b|<)")
BRACED = re.compile(r"(?:[\w>]|[(,])\s*\{")
LOOP = re.compile(r"\b(?:while|for)\s*\([^;]*$|\bfor\s*\([^;]*;[^;]*$")
BINDING = re.compile(r"\bauto\s*(?:const\s*)?&{0,2}\s*\[[^\]]*\]")


def check_includes(module, path, text):
    for bracket, header in INCLUDE.findall(text):
        target = header.split("/")[0]
        if bracket == '"' and target in ROW_OF and target != module:
            if ROW_OF[target] >= ROW_OF[module]:
                yield f"{path}: {module} includes {header}, which does not stand below it"
        for prefixes, owners in FOREIGN:
            if header.startswith(prefixes) and module not in owners:
                where = " and ".join(sorted(owners)) or "tests"
                yield f"{path}: {module} includes {header}, which is for {where} only"


def check_name(path):
    vague = VAGUE_NAMES & {part.split(".")[0] for part in path.parts}
    for name in sorted(vague):
        yield f"{path}: nothing is called {name}; a thing lives with its first owner"


def without_comments_and_text(text):
    """The same length and lines, with comments and literals blanked."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def expression_around(text, at):
    """The full expression that the co_await at `at` stands in."""
    begin, depth = at, 0
    while begin > 0:
        c = text[begin - 1]
        if c in ")]":
            depth += 1
        elif c in "([":
            depth = max(0, depth - 1)
        elif c in ";{}" and depth == 0:
            break
        begin -= 1
    end, depth = at, 0
    while end < len(text):
        c = text[end]
        if c == ";" and depth <= 0:
            break
        if c == "{" and depth <= 0 and text[:end].rstrip().endswith(")"):
            break  # The block of an if or a loop.
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        end += 1
    return text[begin:end]


def condition_before(text, at):
    """From the outermost parenthesis that is open at `at`, with the word before it; or nothing."""
    begin, depth, outermost = at, 0, None
    while begin > 0:
        c = text[begin - 1]
        if c in ")]":
            depth += 1
        elif c in "([":
            if depth == 0:
                outermost = begin - 1
            else:
                depth -= 1
        elif c in "{}" and depth == 0:
            break
        begin -= 1
    return "" if outermost is None else text[max(0, outermost - 6):at]


def check_co_await(path, text):
    clean = without_comments_and_text(text)
    for found in re.finditer(r"\bco_await\b", clean):
        expression = BINDING.sub("auto ", expression_around(clean, found.start()))
        line = clean.count("\n", 0, found.start()) + 1
        if LAMBDA.search(expression):
            yield f"{path}:{line}: a capturing lambda inside a co_await expression; name it before"
        if BRACED.search(expression):
            yield f"{path}:{line}: a braced temporary inside a co_await expression; name it before"
        if LOOP.search(condition_before(clean, found.start())):
            yield f"{path}:{line}: co_await in the condition of a loop; await inside the loop"


GOOD = [
    "auto x = co_await Find(query);",
    "const auto [ec, n] = co_await socket.async_read_some(buffer(to, size), kAwait);",
    "if (!co_await Write(*refusal, keep)) { return Foo{1}; }",
    "auto f = [this](int a) { return a; }; co_await Run(f);",
    "while (true) { x[i](y); if (!co_await More()) break; }",
    "for (int i = 0; i < n; ++i) co_await Run(i);",
    "co_await Run(a[i]); // [x]{}",
    'co_await Say("[x](){");',
    "for (auto& x : xs) { co_await Run(x); }",
]
BAD = [
    "co_await Run([x] { return x; });",
    "co_await Run([&](int a) { f(a); });",
    "auto r = co_await Find(Query{a, b});",
    "co_await Find({a, b});",
    "Take(co_await Find(x), Query{a});",
    "if (co_await Find(x, {1, 2})) return;",
    "while (co_await More()) { Run(); }",
    "while (go_on && !(co_await More())) Run();",
    "for (int i = 0; co_await More(); ++i) Run();",
    "co_await Run([this, y = std::move(x)]() mutable { y(); });",
]


def check_itself():
    for code in GOOD:
        for problem in check_co_await("good", code):
            yield f"layers_test.py finds fault with: {code}: {problem}"
    for code in BAD:
        if not list(check_co_await("bad", code)):
            yield f"layers_test.py misses: {code}"
    upwards = '#include "gateway/log.h"\n#include <sqlite3.h>\n'
    if len(list(check_includes("api", "x", upwards))) != 2:
        yield "layers_test.py misses an include"
    sideways = '#include "wire/json.h"\n'
    if len(list(check_includes("correlate", "x", sideways))) != 1:
        yield "layers_test.py misses an include"


def main():
    root = pathlib.Path(sys.argv[1])
    problems = list(check_itself())
    files = 0
    for module in ROW_OF:
        for path in sorted((root / module).rglob("*")):
            if path.suffix not in {".h", ".cc"}:
                continue
            files += 1
            shown = path.relative_to(root)
            text = path.read_text(encoding="utf-8")
            problems += check_includes(module, shown, text)
            problems += check_name(shown)
            problems += check_co_await(shown, text)
    if files == 0:
        problems.append(f"no sources under {root}")
    for problem in problems:
        print(problem)
    print(f"{files} files, {len(problems)} problems")
    return 1 if problems else 0


sys.exit(main())
