//! Single files through `cat`, for guests without SFTP.

use std::io::{Read, Write};
use std::path::Path;

use kiste_core::{Cancel, Stream};

use super::exec::{Ended, Input, raw};
use super::gate::Gate;
use super::session::Link;
use super::transfer::{Upload, of_guest, of_host};
use crate::communicator::Progress;
use crate::error::Error;
use crate::quote;

/// Takes a file from standard input; `$p` is its path, `$m` its mode, `$s` its size: input that ends early is no whole file.
const TAKE: &str = r#"trap '' PIPE HUP
umask 077
if [ -d "$p" ]; then echo "it is a folder" >&2; exit 1; fi
if [ -L "$p" ]; then p=$(readlink -f "$p") || exit; fi
case $p in */*) d=${p%/*} ;; *) d=. ;; esac
[ -d "${d:=/}" ] || (umask 022; mkdir -p "$d") || exit
t="$d/.kiste-$$"
whole() { [ "$(($(wc -c < "$1")))" -eq "$s" ] || { echo "it came cut off" >&2; return 1; }; }
if (: > "$t") 2>/dev/null; then
  if cat > "$t" && whole "$t" && chmod "$m" "$t" && mv -f "$t" "$p"; then exit 0; else rm -f "$t"; exit 1; fi
fi
cat > "$p" && whole "$p" && chmod "$m" "$p""#;

/// Gives the file `$p` behind a mark with `$n`.
const GIVE: &str = r#"[ -f "$p" ] || { echo "no such regular file" >&2; exit 1; }
exec < "$p" || exit
printf '\036%s -\n' "$n"
exec cat"#;

/// A path of the guest for `p=`; one that begins with a dash can't be taken for an option.
pub(super) fn path_word(path: &str) -> String {
    if path.starts_with('-') { quote::word(&format!("./{path}")) } else { quote::guest_path(path) }
}

/// Runs shell text by `sh`, whatever the login shell is.
pub(super) fn by_sh(text: &str) -> String {
    quote::words(["sh", "-c", text])
}

/// Standard error of a helper command, as the reason of a failure.
pub(super) fn check(ended: &Ended, said: &[u8], path: &str) -> Result<(), Error> {
    if ended.code == 0 {
        return Ok(());
    }
    let said = String::from_utf8_lossy(said);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|l| !l.is_empty()).take(3).collect();
    let reason = if lines.is_empty() { format!("the guest's command ended with {}", ended.code) } else { lines.join("; ") };
    Err(of_guest(path, reason))
}

struct Counted<'a> {
    inner: Box<dyn Read + 'a>,
    done: u64,
    progress: Progress<'a>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.done += n as u64;
        (self.progress)(self.done);
        Ok(n)
    }
}

/// Uploads one file.
pub(super) fn upload(link: &Link, upload: &Upload<'_>, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
    let size = upload.source.size()?;
    let text = format!("p={}; m={:o}; s={size}\n{TAKE}", path_word(upload.to), upload.mode & 0o7777);
    let inner = Box::new(upload.source.open()?.take(size));
    let mut source = Counted { inner, done: 0, progress };
    let mut said = Vec::new();
    let ended = raw(link, cancel, &by_sh(&text), Input::Reader(&mut source), &mut true, &mut |stream, bytes| {
        if stream == Stream::Stderr {
            said.extend_from_slice(bytes);
        }
    })?;
    check(&ended, &said, upload.to)
}

/// Downloads one file into `into`.
pub(super) fn download(link: &Link, from: &str, into: &mut dyn Write, cancel: &Cancel, progress: Progress<'_>) -> Result<(), Error> {
    let nonce = format!("{:x}", std::process::id());
    let text = format!("p={}; n={nonce}\n{GIVE}", path_word(from));
    let mut gate = Some(Gate::new(&nonce));
    let (mut done, mut said, mut failed) = (0, Vec::new(), None);
    let mut store = |bytes: &[u8]| {
        done += bytes.len() as u64;
        progress(done);
        if failed.is_none() {
            failed = into.write_all(bytes).err();
        }
    };
    let ended = raw(link, cancel, &by_sh(&text), Input::Bytes(&[]), &mut true, &mut |stream, bytes| match (stream, &mut gate) {
        (Stream::Stderr, _) => said.extend_from_slice(bytes),
        (Stream::Stdout, None) => store(bytes),
        (Stream::Stdout, Some(noise)) => {
            if let Some(first) = noise.first_bytes(bytes) {
                store(&first);
                gate = None;
            }
        }
    })?;
    match failed {
        Some(e) => Err(of_host(Path::new("download"), &e)),
        None => check(&ended, &said, from),
    }
}
