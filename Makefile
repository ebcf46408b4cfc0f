# What people run here. Recipes are one line; the work is in scripts/ and in cargo.

HOST := $(shell rustc -vV | sed -n 's/^host: //p')
DEMO := pod-examples/nginx-ghost.yaml

.PHONY: build test test-engines lint demo bench fuzz clean

# A static binary, at target/release/podctl.
build:
	RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --target $(HOST)
	mkdir -p target/release && ln -sf ../$(HOST)/release/podctl target/release/podctl

# Every test. Installs and starts an engine where none answers, and makes the images that the tests need.
test:
	scripts/engine
	scripts/images/ensure busybox nginx redis:7
	cargo test

# The tests that need an engine, on the one that DOCKER_HOST names.
test-engines:
	scripts/images/ensure busybox nginx redis:7
	cargo test --test engine --test supervisor --test faults --test kubelet

lint:
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --quiet

# nginx in front of Ghost, from nothing.
demo: build
	scripts/engine
	scripts/images/ensure nginx ghost
	scripts/demo $(DEMO)

# Figures for README.
bench: build
	scripts/engine
	scripts/images/ensure busybox
	PODCTL=$(CURDIR)/target/$(HOST)/release/podctl cargo bench --target-dir target/bench --bench podctl --bench repair --bench alive

# Each fuzz target for TIME seconds.
TIME := 60
fuzz:
	fuzz/run $(TIME)

clean:
	cargo clean
