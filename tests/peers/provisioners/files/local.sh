echo local $PACKER_BUILDER_TYPE $A > "$OUT"
