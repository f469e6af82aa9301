//! Every exit code of kiste, by name. Scripts depend on them; `docs/cli.md` lists them.

use kiste_core::Kind;

/// It worked.
pub const OK: u8 = 0;
/// It failed.
pub const FAILED: u8 = 1;
/// The command line or a file of the user is wrong.
pub const USAGE: u8 = 2;
/// A machine, box or version does not exist.
pub const NOT_FOUND: u8 = 3;
/// A provider or host program is missing or too old.
pub const HOST: u8 = 4;
/// The guest can't be reached.
pub const GUEST: u8 = 5;
/// A registry or the network failed.
pub const NETWORK: u8 = 6;
/// A checksum, signature or lock did not hold.
pub const VERIFY: u8 = 7;
/// `destroy`: every machine was declined at the prompt.
pub const ALL_DECLINED: u8 = 1;
/// `destroy`: some machines were declined at the prompt.
pub const SOME_DECLINED: u8 = 2;
/// The user interrupted.
pub const INTERRUPTED: u8 = 130;

/// The code of a kind of failure.
pub fn of(kind: Kind) -> u8 {
    match kind {
        Kind::Failed => FAILED,
        Kind::Usage => USAGE,
        Kind::NotFound => NOT_FOUND,
        Kind::Host => HOST,
        Kind::Guest => GUEST,
        Kind::Network => NETWORK,
        Kind::Verify => VERIFY,
        Kind::Interrupted => INTERRUPTED,
    }
}

/// The word of a kind, for `--json` and `--machine-readable`.
pub fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Failed => "Failed",
        Kind::Usage => "Usage",
        Kind::NotFound => "NotFound",
        Kind::Host => "Host",
        Kind::Guest => "Guest",
        Kind::Network => "Network",
        Kind::Verify => "Verify",
        Kind::Interrupted => "Interrupted",
    }
}

/// Exit code of a guest's command as ours: only the low eight bits reach the caller of a process.
pub fn of_guest(code: i32) -> u8 {
    u8::try_from(code & 0xff).unwrap_or(FAILED)
}
