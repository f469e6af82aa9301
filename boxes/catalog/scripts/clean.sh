#!/bin/sh
# Takes out what the finished box does not need.
set -eu

apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/ldconfig/* /var/cache/debconf/*-old
find /var/log -type f ! -path '/var/log/journal/*' -exec truncate -s 0 {} +
find /tmp /var/tmp -mindepth 1 -maxdepth 1 ! -name 'script_*' ! -name 'systemd-private-*' -exec rm -rf {} +
