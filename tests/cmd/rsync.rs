//! `kiste rsync` and `rsync-auto`.

use crate::harness::Env;

#[test]
fn nothing_runs() {
    let env = Env::ready();
    let output = env.run(["rsync"]);
    assert_ne!(output.code, Some(0), "{output}");
    let output = env.run(["rsync-auto"]);
    assert_ne!(output.code, Some(0), "{output}");
}

#[test]
fn a_machine_without_rsync_folders_has_nothing_to_copy() {
    let env = Env::ready();
    env.run(["up"]).success();
    env.run(["rsync"]).success();
}
