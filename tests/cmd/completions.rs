//! `kiste completions`.

use crate::harness::Env;

#[test]
fn every_shell_gets_a_script() {
    let env = Env::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = env.run(["completions", shell]).success();
        assert!(script.contains("global-status"), "{shell}");
    }
    assert_eq!(env.run(["completions", "csh"]).code, Some(2));
}
