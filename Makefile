# The front door. Everything runs from a fresh clone on Debian 12, as root or with sudo.
#
#   make demo    install what is missing, build, ground the checked-in scenes, name the report
#   make test    install what is missing, build, run every test
#   make test-engines   install the engines (llama.cpp, ...) into a cache, build what runs on them, test it
#   make build   the programs, into build/bin/
#   make bench   the benchmarks and their peers, for this machine's processor; ONLY=regex: a part of them
#   make lint    clang-format and clang-tidy over the tree
JOBS ?= $(shell nproc)

.PHONY: help demo test test-engines build bench lint deps test-deps clean
help:
	@sed -n '3,8s/^# *//p' Makefile

deps:
	@tools/install_deps.sh build
test-deps:
	@tools/install_deps.sh build test

build: deps
	@cmake --preset release -DOSTEND_BUILD_TESTS=OFF -DOSTEND_BUILD_EXAMPLES=OFF > build-configure.log \
	  || { cat build-configure.log; exit 1; }
	@mv build-configure.log build/configure.log
	@cmake --build --preset release --parallel $(JOBS)

demo: build
	@tools/demo.sh

test: test-deps
	@tools/install_python.sh test
	cmake --preset release -DOSTEND_BUILD_TESTS=ON -DOSTEND_BUILD_EXAMPLES=ON
	cmake --build --preset release --parallel $(JOBS)
	ctest --preset release --parallel $(JOBS) --no-tests=error

test-engines: test-deps
	@tools/install_engines.sh
	cmake --preset engines $$(tools/install_engines.sh --options)
	cmake --build --preset engines --parallel $(JOBS)
	ctest --preset engines --no-tests=error

bench: deps
	@tools/install_deps.sh bench
	@tools/install_python.sh bench
	cmake --preset bench
	cmake --build --preset bench --parallel $(JOBS)
	tools/bench.sh

lint: test-deps
	tools/check/format.sh
	tools/check/tidy.sh

clean:
	rm -rf build
