# kiste's few verbs for people who have cloned it. `make` alone says which.
.PHONY: help build test demo peers install clean test-installer test-esxi
.DEFAULT_GOAL := help

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile

build: ## build target/release/kiste
	.ci/install build
	cargo build --release --locked

test: ## everything: style, rules of the house, unit and command tests, a real guest
	.ci/install test
	@labs=$${CARGO_TARGET_DIR:-target}/labs; mkdir -p $$labs; tests/labs/virtualbox/build $$labs/virtualbox >$$labs/virtualbox.log 2>&1 & # the tests wait for it
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@# The lab is of Debian sid, which may be in pieces on any day: then it is left out, and that is told at the end.
	@labs=$${CARGO_TARGET_DIR:-target}/labs; tests/labs/virtualbox/build $$labs/virtualbox >>$$labs/virtualbox.log 2>&1 && lab=must || lab=no; \
	    echo "KISTE_TEST_VIRTUALBOX=$$lab cargo test --workspace --locked"; KISTE_TEST_VIRTUALBOX=$$lab cargo test --workspace --locked
	tests/peers/registry/kills target/debug/kiste 6
	tests/peers/registry/kills target/debug/kiste 3 shared
	@labs=$${CARGO_TARGET_DIR:-target}/labs; [ -f $$labs/virtualbox/ready ] || { tail -n 5 $$labs/virtualbox.log; echo "NOT TESTED: VirtualBox. Its lab cannot be built (see above)."; }

demo: ## the main job, visibly: template, box, machine, web page
	.ci/install run
	cargo build --release --locked
	examples/demo/run target/release/kiste

peers: ## side by side: the same work done by hand and by Packer, timings as ratios, and what differs
	.ci/install peers
	cargo build --release --locked
	tests/peers/run target/release/kiste
	tests/peers/packer target/release/kiste
	tests/peers/provisioners/run target/release/kiste
	tests/peers/post_processors/run target/release/kiste
	tests/peers/containers target/release/kiste
	tests/peers/registry/kills target/release/kiste 50
	tests/peers/registry/kills target/release/kiste 50 shared
	tests/peers/registry/run target/release/kiste
	tests/peers/registry/fuzz target/release/kiste

install: build ## install kiste into cargo's bin folder
	cargo install --path . --locked

test-installer: ## a real unattended install from a disc, by packer too (20 minutes each by emulation), and Debian's installer typed at
	.ci/install installer
	cargo build --release --locked
	tests/peers/installer/debian target/release/kiste
	tests/peers/installer/run target/release/kiste

test-esxi: ## the ESXi-shaped host against itself, with a real guest where BOX=file.box is given (it says nothing about a real ESXi)
	.ci/install test
	rm -rf target/esxi-lab
	tests/labs/esxi/selftest target/esxi-lab $(BOX)

clean: ## remove what was built
	cargo clean
