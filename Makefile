# `make run` and `make test` are all that a newcomer needs; each installs what is missing first.

.PHONY: run docs test test-external crash build install deb dist lint format sanitize bench clean setup help
.DEFAULT_GOAL := help

PREFIX ?= /usr/local
TEST_TIME_LIMIT ?= 25m
# Where the release build is; in a folder of its own it can run beside a build for tests.
RELEASE_PATH ?= .build
RELEASE := sh Scripts/release.sh --scratch-path $(RELEASE_PATH)
# Without symbols, which are larger than the program and are beside it, in `rasa.debug`.
BINARY := .build/program/rasa
# A waiting test queues behind every test that has begun: with all of them begun at once it would wait longer than its
# limit.
# Without the limit a test that hangs would hold up whoever waits for the result; the last lines say which one had begun.
TESTS := timeout --kill-after=30s $(TEST_TIME_LIMIT) swift test --skip-build --experimental-maximum-parallelization-width 8

help:
	@echo 'make run      build it and run the first example (no key, no network)'
	@echo 'make test     every test that needs no other programs'
	@echo 'make test-external  tests against other programs (shells, dpkg), and of the packages'
	@echo 'make crash    kill runs everywhere and resume them; some minutes (RASA_CRASH_RANDOM=1000)'
	@echo 'make build    the release binary at $(BINARY)'
	@echo 'make install  build, and put it on the path (PREFIX=$(PREFIX))'
	@echo 'make deb      a Debian package in .build/packages'
	@echo 'make dist     a tarball, its checksum and the symbols in .build/packages'
	@echo 'make docs     the documentation of RasaKit at .build/docs'
	@echo 'make lint     format and compiler warnings, as errors'
	@echo 'make format   rewrite the sources in the house format'
	@echo 'make sanitize the tests under the thread sanitizer'
	@echo 'make bench    measure against bare libcurl and bare SQLite on this machine'

setup:
	@sh Scripts/setup.sh

build: setup
	$(RELEASE) --product rasa
	@sh Scripts/strip.sh $(RELEASE_PATH)/release/rasa $(dir $(BINARY))

run: build
	@RASA_HOME=.build/demo LLM_PROVIDER=mock $(BINARY) run --persona strategic_stock_analyst \
	  --input "Give me a detailed buy or sell recommendation for Nvidia, including current risks, valuation, sector trends, and alternative picks if I'm a cautious investor focused on technology or healthcare." \
	  --preferences risk_tolerance=low --preferences sector=technology \
	  --preferences alt_sector=healthcare --stream

test:
	@sh Scripts/setup.sh test
	swift build --build-tests
	$(TESTS) --skip '^ExternalTests[.]'

# Tests/ExternalTests. There a missing program is a failure.
test-external: deb dist
	@sh Scripts/setup.sh external
	swift build --build-tests
	RASA_PACKAGES=$(CURDIR)/.build/packages $(TESTS) --filter '^ExternalTests[.]'

deb: build
	@sh Scripts/package.sh deb $(BINARY) .build/packages

dist: build
	@sh Scripts/package.sh dist $(BINARY) .build/packages

crash sanitize: TEST_TIME_LIMIT = 4h

# The release binary must contain no fault points. The test build is killed at each of them, and at RASA_CRASH_RANDOM
# random moments (RASA_CRASH_SEED repeats a search).
crash: build
	@sh Scripts/setup.sh test
	@sh Scripts/without-faults.sh $(BINARY)
	swift build --build-tests
	RASA_CRASH=all RASA_CRASH_RANDOM=$${RASA_CRASH_RANDOM:-1000} \
	  $(TESTS) --filter CrashTests

install: build
	install -D -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/rasa

# Every public symbol is documented, or this fails.
docs: setup
	swift build --target RasaKit
	sh Scripts/docs.sh

# In a folder of its own, because other settings would make the next `make test` build everything again; where all of it
# is strict, `RASA_STRICT=1 make lint test` builds once.
lint: setup
	swift format lint --strict --parallel --recursive Package.swift Sources Tests Examples
	RASA_STRICT=1 swift build --build-tests $(if $(RASA_STRICT),,--scratch-path .build/lint)

sanitize: setup
	RASA_THREAD_SANITIZER=1 swift build --build-tests --sanitize=thread --scratch-path .build/sanitize
	RASA_THREAD_SANITIZER=1 TSAN_OPTIONS=halt_on_error=1 $(TESTS) --sanitize=thread --scratch-path .build/sanitize

format:
	swift format --in-place --parallel --recursive Package.swift Sources Tests Examples

bench:
	@sh Scripts/setup.sh bench
	@sh Scripts/bench.sh

clean:
	swift package clean
	rm -rf .build/lint .build/for-packages .build/sanitize .build/demo .build/floors .build/program .build/packages
