#!/bin/sh
echo "script $A|$B|$PACKER_BUILD_NAME" | tee -a "$HOME/said"
exit "${CODE:-0}"
