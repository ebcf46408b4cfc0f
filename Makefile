# What people run here. Recipes are one line; the work is in scripts/ and in cargo.

HOST := $(shell rustc -vV | sed -n 's/^host: //p')
DEMO := pod-examples/nginx-ghost.yaml

.PHONY: build test test-engines long lint demo bench fuzz clean

# A static binary, at target/release/podctl.
build:
	RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --target $(HOST)
	mkdir -p target/release && ln -sf ../$(HOST)/release/podctl target/release/podctl

# Every test. Installs and starts an engine where none answers, and makes the images that the tests need. The engine must have no pods: a test
# takes all away.
test:
	scripts/engine
	scripts/without-pods
	scripts/images/ensure busybox nginx redis:7 ghost
	cargo test

# The tests that need an engine, on the one that DOCKER_HOST names.
test-engines:
	scripts/without-pods
	scripts/images/ensure busybox nginx redis:7 ghost
	cargo test --test engine --test supervisor --test faults --test kubelet

# What takes hours, or kills engines for long: every fault at every call, clients in a hundred rounds, twenty pods and their engine under random
# kills for ten minutes. Each prints its count; the last one its seed (PODCTL_CHAOS_SEED).
long:
	scripts/images/ensure busybox
	PODCTL_FAULTS=all PODCTL_ROUNDS=100 cargo test --test supervisor -- --nocapture a_fault_at_a_call together::
	PODCTL_CHAOS_SECONDS=600 PODCTL_CHAOS_PODS=20 PODCTL_CHAOS_ENGINE=1 cargo test --test crashes -- --nocapture pods_outlive_random_kills

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
