//! Names in a container's environment: how a command gets in without standing in any list of processes, and how to find it again.

/// Holds the command's text. Arguments of programs in containers are seen by everybody on the host, their environment is not.
pub const COMMAND: &str = "KISTE_COMMAND";
/// Names one run; whatever the command starts inherits it.
pub const RUN: &str = "KISTE_RUN";
/// Runs the text of [`COMMAND`].
pub const RUNNER: &str = r#"c=$KISTE_COMMAND; unset KISTE_COMMAND; eval "$c""#;
/// Ends whatever carries the mark `$KISTE_ENDED` as its run; this very shell has none.
pub const KILLER: &str = r#"for p in /proc/[0-9]*; do
  if tr '\000' '\n' <"$p/environ" | grep -qx "KISTE_RUN=$KISTE_ENDED"; then kill -9 "${p#/proc/}"; fi
done 2>/dev/null; true"#;
/// Names the run to end, for [`KILLER`].
pub const ENDED: &str = "KISTE_ENDED";
