//! Pieces of kiste's own work in a guest: one script, one round trip, one clear error.

use kiste_comm::communicator::capture;
use kiste_comm::{GuestCommand, quote};

use crate::{Error, Guest};

/// `name='value'` lines for the head of a script: the only way data gets into one.
pub(crate) fn variables(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={}\n", quote::word(value))).collect()
}

/// Runs `command` to do `what` (a verb and its object); gives its standard output.
pub(crate) fn run(guest: &Guest<'_>, what: &str, command: &GuestCommand) -> Result<String, Error> {
    capture(guest.comm, command, guest.cancel).map_err(|e| match e {
        kiste_comm::Error::CommandFailed { code, said } => Error::Task { what: what.to_owned(), code, said },
        other => other.into(),
    })
}

/// Writes a file of the system as root: whole or not at all, through links, keeping owner and mode of what was there.
pub(crate) fn write_as_root(guest: &Guest<'_>, path: &str, text: &str) -> Result<(), Error> {
    let script = variables(&[("path", path)]) + WRITE;
    run(guest, &format!("write `{path}`"), &GuestCommand::script(script).sudo().input(text)).map(drop)
}

const WRITE: &str = r#"set -eu
if [ -L "$path" ]; then path=$(readlink -f "$path"); fi
new="$path.kiste-new"
trap 'rm -f "$new"' EXIT
if [ -e "$path" ]; then cp -p "$path" "$new"; fi
cat > "$new"
[ -e "$path" ] || chmod 0644 "$new"
sync "$new" 2>/dev/null || sync
# A file that is a mount of its own (containers) cannot be replaced, only filled.
mv -f "$new" "$path" 2>/dev/null || cat "$new" > "$path"
"#;
