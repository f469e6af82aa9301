//! Keys that may log in: a key of this machine's own comes in, the well-known insecure ones go out.

use kiste_comm::GuestCommand;

use crate::{Error, Guest, task};

/// Whether [`insert_key`] had to change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It was there already.
    Already,
    /// It was added.
    Added,
}

/// Makes `~/.ssh/authorized_keys` of the login user accept `public_line` (`TYPE BLOB [COMMENT]`), with modes that sshd takes.
///
/// Idempotent; lines that were there stay, also when the last one lacks its newline. Nothing is taken out here: log in with the
/// new key on a second connection first, then call [`remove_keys`].
pub fn insert_key(guest: &Guest<'_>, public_line: &str) -> Result<Inserted, Error> {
    let key = Key::parse(public_line)?;
    let script = task::variables(&[("line", public_line.trim()), ("want", &key.bare())]) + FIND_FILE + INSERT;
    let said = task::run(guest, "add a key to `authorized_keys`", &posix(script))?;
    Ok(if said.lines().any(|l| l == "kiste-already") { Inserted::Already } else { Inserted::Added })
}

/// Takes every line with one of these public keys out of `authorized_keys`, whatever its options and comment. Gives their number.
pub fn remove_keys(guest: &Guest<'_>, public_lines: &[&str]) -> Result<usize, Error> {
    let keys = public_lines.iter().map(|l| Key::parse(l)).collect::<Result<Vec<_>, _>>()?;
    let blobs: Vec<&str> = keys.iter().map(|k| k.blob).collect();
    let script = task::variables(&[("blobs", &blobs.join(" "))]) + FIND_FILE + REMOVE;
    let said = task::run(guest, "remove keys from `authorized_keys`", &posix(script))?;
    Ok(said.lines().find_map(|l| l.strip_prefix("kiste-removed ")).and_then(|n| n.trim().parse().ok()).unwrap_or(0))
}

/// A public key's line in parts.
struct Key<'a> {
    algorithm: &'a str,
    blob: &'a str,
}

impl<'a> Key<'a> {
    fn parse(line: &'a str) -> Result<Self, Error> {
        let wrong = |reason: &str| Err(Error::Key { reason: reason.to_owned() });
        let line = line.trim();
        if line.chars().any(char::is_control) {
            return wrong("it must be one line");
        }
        let mut words = line.split_whitespace();
        let (Some(algorithm), Some(blob)) = (words.next(), words.next()) else { return wrong("it needs a type and a key") };
        // The blob begins with its own type in base64, a length of four bytes first.
        if !blob.starts_with("AAAA") || !blob.chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c)) {
            return wrong("its second word is no key in base64");
        }
        Ok(Self { algorithm, blob })
    }

    fn bare(&self) -> String {
        format!("{} {}", self.algorithm, self.blob)
    }
}

/// The login shell may be anything; these scripts need a POSIX one.
fn posix(script: String) -> GuestCommand {
    GuestCommand::words(["sh", "-c", &script])
}

/// Sets `$file`, through links; makes its folder.
const FIND_FILE: &str = r#"set -eu
umask 077
dir=$HOME/.ssh
if [ -d /etc/dropbear ] && [ ! -d "$dir" ] && [ "$(id -u)" = 0 ]; then dir=/etc/dropbear
else mkdir -p "$dir"; chmod 0700 "$dir"; fi
file=$dir/authorized_keys
if [ -L "$file" ]; then file=$(readlink -f "$file"); fi
"#;

/// Adds `$line` to a copy and puts the copy in place, so that no moment has half a file.
const INSERT: &str = r#"[ -e "$file" ] || : > "$file"
chmod 0600 "$file"
while IFS= read -r old || [ -n "$old" ]; do
  case "$old" in "$want"|"$want "*) echo kiste-already; exit 0;; esac
done < "$file"
new=$file.kiste-new
trap 'rm -f "$new"' EXIT
while IFS= read -r old || [ -n "$old" ]; do printf '%s\n' "$old"; done < "$file" > "$new"
printf '%s\n' "$line" >> "$new"
chmod 0600 "$new"
mv -f "$new" "$file"
if command -v restorecon >/dev/null 2>&1; then restorecon "$file" >/dev/null 2>&1 || true; fi
"#;

/// Leaves out lines that hold one of `$blobs`.
const REMOVE: &str = r#"removed=0
[ -e "$file" ] || { echo "kiste-removed 0"; exit 0; }
new=$file.kiste-new
trap 'rm -f "$new"' EXIT
: > "$new"
while IFS= read -r old || [ -n "$old" ]; do
  keep=1
  for blob in $blobs; do case " $old " in *" $blob "*) keep=0;; esac; done
  if [ "$keep" = 1 ]; then printf '%s\n' "$old" >> "$new"; else removed=$((removed + 1)); fi
done < "$file"
chmod 0600 "$new"
if [ "$removed" -gt 0 ]; then mv -f "$new" "$file"; fi
if command -v restorecon >/dev/null 2>&1; then restorecon "$file" >/dev/null 2>&1 || true; fi
echo "kiste-removed $removed"
"#;
