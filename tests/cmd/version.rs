//! `kiste version`.

use crate::harness::Env;

#[test]
fn version_in_every_form() {
    let env = Env::new();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(env.run(["version"]).success(), format!("kiste {version}\n"));
    assert_eq!(env.run(["--version"]).success(), format!("kiste {version}\n"));
    assert_eq!(env.run(["-v"]).success(), format!("kiste {version}\n"));
    assert_eq!(env.run(["version", "--json"]).json()["version"], version);
    assert!(env.run(["version", "--machine-readable"]).success().contains(&format!(",,version-installed,{version}\n")));
}
