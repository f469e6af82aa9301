#!/bin/sh
# The whole way of a box: build, start and test it, publish it as a draft, release it, deploy it, and back again.
# The files for GitHub and GitLab only call this. One step a call, so that a CI system shows each by itself.
#
#   usage: pipeline.sh build|test|publish|release|deploy|rollback
#
#   BOX       box in the registry               (acme/web)
#   VERSION   version to publish                (0.1.0)
#   TEMPLATE  template the box is built from    (../../boxes/catalog/debian-12.json)
#   KISTE_REGISTRY, KISTE_TOKEN                 where to, and as whom
#
# Exit codes are kiste's: 3 no such box, 6 registry or network, 7 a checksum did not hold.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
box=${BOX:-acme/web}
version=${VERSION:-0.1.0}
template=${TEMPLATE:-$here/../../boxes/catalog/debian-12.json}
file=${FILE:-$PWD/debian-12.box}

# Machines of the consumer: whatever was made from the box before is made anew.
up() {
    (cd "$here/app" && kiste -q destroy --force && kiste -q up && kiste ssh -c "sh /srv/app/check.sh")
}

case ${1:-} in
build)
    kiste build "$template"
    ;;
test)
    # A project that exists only for this: the box as it is going to be published.
    trial=$(mktemp -d)
    trap 'cd "$trial" && kiste -q destroy --force; rm -rf "$trial"; kiste -q box remove --force "trial/$version"' EXIT
    kiste -q box add --force --name "trial/$version" "$file"
    cp "$here/app/check.sh" "$trial/"
    printf 'box = "trial/%s"\nfolders = [{ host = ".", guest = "/srv/app", type = "rsync" }]\n' "$version" > "$trial/Kistefile"
    (cd "$trial" && kiste -q up && kiste ssh -c "sh /srv/app/check.sh")
    ;;
publish)
    kiste box push "$file" "$box" "$version" --json
    ;;
release)
    kiste -q registry version release "$box" "$version"
    ;;
deploy)
    (cd "$here/app" && kiste box update)
    up
    ;;
rollback)
    kiste -q registry version revoke "$box" "$version" --reason "${REASON:-rolled back}"
    (cd "$here/app" && kiste box update)
    up
    ;;
*)
    sed -n 's/^#   usage: /usage: /p' "$0" >&2
    exit 2
    ;;
esac
