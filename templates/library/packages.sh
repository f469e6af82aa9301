# Lists what is installed: first the package manager and the system, then a line for each package, tabs between its parts.
id=unknown version= name=unknown
if [ -r /etc/os-release ]; then
  . /etc/os-release
  id=${ID:-unknown} version=${VERSION_ID:-} name=${PRETTY_NAME:-unknown}
fi
head() { printf '%s\t%s\t%s\t%s\n' "$1" "$id" "$version" "$name"; }
if command -v dpkg-query >/dev/null 2>&1; then
  head deb
  dpkg-query -W -f='${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\t${Maintainer}\t\n' | sed -n 's/^ii *	//p'
elif command -v apk >/dev/null 2>&1 && [ -r /lib/apk/db/installed ]; then
  head apk
  awk -F: 'BEGIN { OFS = "\t" } /^P:/ { p = substr($0, 3) } /^V:/ { v = substr($0, 3) } /^A:/ { a = substr($0, 3) } /^m:/ { m = substr($0, 3) }
    /^L:/ { l = substr($0, 3) } /^$/ { if (p != "") print p, v, a, m, l; p = v = a = m = l = "" } END { if (p != "") print p, v, a, m, l }' /lib/apk/db/installed
elif command -v rpm >/dev/null 2>&1; then
  head rpm
  rpm -qa --queryformat '%{NAME}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\t%{ARCH}\t%{VENDOR}\t%{LICENSE}\n'
elif command -v pacman >/dev/null 2>&1; then
  head alpm
  LC_ALL=C pacman -Qi | awk 'BEGIN { OFS = "\t" } function value() { sub(/^[^:]*: */, ""); return $0 }
    /^Name / { p = value() } /^Version / { v = value() } /^Architecture / { a = value() } /^Packager / { m = value() } /^Licenses / { l = value() }
    /^$/ { if (p != "") print p, v, a, m, l; p = "" } END { if (p != "") print p, v, a, m, l }'
else
  echo 'no package manager that is known: dpkg, apk, rpm, pacman' >&2
  exit 1
fi
