# make help tells what each target does.

PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc)
RELEASE := .build-release
STAGE := $(CURDIR)/$(RELEASE)/stage
override DESTDIR := $(abspath $(DESTDIR))

# Release and test builds have a folder each: one folder for both would be rebuilt at every change of form.
# Types are found by calls, not by their names, which the runtime would have to read: a fifth fewer instructions of a
# launch. What copies a value knows its fields, for which no type has to be made.
SWIFT_FLAGS := -Xswiftc -Xfrontend -Xswiftc -function-sections -Xcc -ffunction-sections \
    -Xswiftc -Xfrontend -Xswiftc -disable-concrete-type-metadata-mangled-name-accessors \
    -Xswiftc -Xfrontend -Xswiftc -disable-type-layout
SWIFT_BUILD := swift build -c release --product sandbox --scratch-path $(RELEASE) -j $(JOBS) $(SWIFT_FLAGS)
# The functions of the launch path side by side: a third less time before the command begins.
ifneq ($(shell command -v ld.gold),)
SWIFT_BUILD += -Xlinker --section-ordering-file=$(CURDIR)/Benchmarks/launch-order
endif
BINARY := $(RELEASE)/release/sandbox

share := $(DESTDIR)$(PREFIX)/share
# Where zsh and fish look depends on the prefix: fish does not look below /usr/local.
zsh_functions := $(share)/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)
fish_completions := $(if $(filter /usr/local,$(PREFIX)),$(DESTDIR)/etc/fish/completions,$(share)/fish/vendor_completions.d)

.PHONY: help deps build install uninstall run test test-vm bench bench-chains bench-checkpoint bench-desktop \
    bench-functions bench-network launch-order lint docs format clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

deps: ## install what building, testing and measuring need (Debian 12 and 13; as root or with sudo)
	@.ci/deps

build: ## the static release executable, .build-release/release/sandbox
	@.ci/deps build
	$(SWIFT_BUILD)
	@.ci/static $(BINARY)

install: ## executable, profiles, completions, manual pages: make install PREFIX=/usr/local DESTDIR=
	@test -x $(BINARY) || $(MAKE) --no-print-directory build
	install -D -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/sandbox
	cd Profiles && find . -name '*.toml' -exec install -D -m 644 {} $(share)/sandbox/profiles/{} \;
	install -D -m 644 completions/sandbox.bash $(share)/bash-completion/completions/sandbox
	install -D -m 644 completions/_sandbox $(zsh_functions)/_sandbox
	install -D -m 644 completions/sandbox.fish $(fish_completions)/sandbox.fish
	install -d $(share)/man
	$(BINARY) manual $(share)/man

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/sandbox $(share)/bash-completion/completions/sandbox $(zsh_functions)/_sandbox \
	    $(fish_completions)/sandbox.fish $(share)/man/man?/sandbox.? $(share)/man/man?/sandbox-*.?
	rm -rf $(share)/sandbox/profiles
	-rmdir $(share)/sandbox

run: ## install what is needed, build, and show a server and a command in boxes
	@.ci/deps build test
	$(SWIFT_BUILD)
	@.ci/static $(BINARY)
	@$(MAKE) --no-print-directory install PREFIX=$(STAGE) DESTDIR= >/dev/null
	@Tests/demo $(STAGE)/bin/sandbox

test: ## all tests; those that need root are skipped, and counted, without it
	@.ci/deps build test
	@JOBS=$(JOBS) .ci/test

test-vm: ## the tests of what this machine's kernel lacks, under a stock Debian kernel in QEMU
	@.ci/deps build test vm
	$(SWIFT_BUILD)
	@Tests/vm/run --prepare
	@SANDBOX=$(CURDIR)/$(BINARY) Tests/vm/run --cases

bench: ## start-up time and memory beside other tools: make bench BENCH="--rounds 300 --write README.md"
	@.ci/deps build bench
	$(SWIFT_BUILD)
	@$(MAKE) --no-print-directory install PREFIX=$(STAGE) DESTDIR= >/dev/null
	@Benchmarks/run --sandbox $(STAGE)/bin/sandbox $(BENCH)

bench-network: ## ports of a switch: make bench-network BENCH="--ports 1500 --write README.md"
	@.ci/deps build test bench
	$(SWIFT_BUILD)
	@$(MAKE) --no-print-directory install PREFIX=$(STAGE) DESTDIR= >/dev/null
	@Benchmarks/ports --sandbox $(STAGE)/bin/sandbox $(BENCH)

launch-order: ## Benchmarks/launch-order anew, after the launch path has changed
	@Benchmarks/order $(RELEASE) $(SWIFT_FLAGS)

bench-chains: ## functions in front of a port: make bench-chains BENCH="--rounds 5 --write README.md"
	@.ci/deps build test bench
	@Benchmarks/chains $(BENCH)

bench-checkpoint: ## saving and restoring beside CRIU and runc: make bench-checkpoint BENCH="--rounds 9 --write README.md"
	@.ci/deps build test bench
	$(SWIFT_BUILD)
	@$(MAKE) --no-print-directory install PREFIX=$(STAGE) DESTDIR= >/dev/null
	@Benchmarks/checkpoint --sandbox $(STAGE)/bin/sandbox $(BENCH)

bench-desktop: ## windows, saves and restores of a desktop program: make bench-desktop BENCH="--write README.md"
	@.ci/deps build test bench
	$(SWIFT_BUILD)
	@$(MAKE) --no-print-directory install PREFIX=$(STAGE) DESTDIR= >/dev/null
	@Benchmarks/desktop --sandbox $(STAGE)/bin/sandbox $(BENCH)

bench-functions: ## functions as sandbox makes them: make bench-functions BENCH="--rounds 7 --write README.md"
	@.ci/deps build test bench
	$(SWIFT_BUILD)
	@$(MAKE) --no-print-directory install PREFIX=$(STAGE) DESTDIR= >/dev/null
	@Benchmarks/functions --sandbox $(STAGE)/bin/sandbox $(BENCH)

lint: ## formatting of the Swift sources, and the shell scripts
	swift format lint --strict -r Package.swift Sources Tests
	@.ci/lint-shell

docs: ## the manual of the Swift libraries, .build/docs, checked for links and gaps
	@.ci/deps build
	swift build --target SandboxAsync
	@.ci/docs

format: ## put the Swift sources in form
	swift format -i -r Package.swift Sources Tests

clean: ## remove everything that was built
	rm -rf .build $(RELEASE) Benchmarks/.build Package.resolved
