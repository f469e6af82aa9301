//! `kiste ssh-config`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn a_section_for_ssh() {
    let env = Env::ready();
    env.run(["up"]).success();
    assert_snapshot!(env.run(["ssh-config"]), @"");
    assert!(env.run(["ssh-config", "--host", "other"]).success().starts_with("Host other\n"));
    assert_eq!(env.run(["ssh-config", "--json"]).json()["machines"][0]["user"], "vagrant");
}

#[test]
fn not_ready() {
    assert_snapshot!(Env::ready().run(["ssh-config"]), @"");
}
