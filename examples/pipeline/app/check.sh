#!/bin/sh
# What a machine made from the box must be able to do.
set -eu
test -e /etc/os-release
echo "the machine works"
