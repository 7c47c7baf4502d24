# Ten words; each is one line over a preset or a script.
.PHONY: dev test asan tsan fuzz fmt lint e2e bench run
SOURCES = $(shell git ls-files -co --exclude-standard '*.h' '*.cc')
BUILD = cmake --build build

dev:   ; @[ -f build/dev/build.ninja ] || cmake --preset dev; $(BUILD)/dev
test:  ; @./test
asan:  ; @./test asan
tsan:  ; @./test tsan
fuzz:  ; @./test fuzz
fmt:   ; @packaging/install-packages clang && clang-format-14 -i $(SOURCES)
lint:  dev ; @packaging/install-packages clang && run-clang-tidy-14 -quiet -p build/dev
e2e:   ; @./test e2e
bench: ; @[ -f build/release/build.ninja ] || cmake --preset release; $(BUILD)/release
run:   ; @./run
