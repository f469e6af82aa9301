//! `kiste ssh-config`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn a_section_for_ssh() {
    let env = Env::ready();
    env.run(["up"]).success();
    assert_snapshot!(env.run(["ssh-config"]), @r"
    exit 0
    --- stdout
    Host default
      HostName 127.0.0.1
      User vagrant
      Port [PORT]
      UserKnownHostsFile [ROOT]/project/.kiste/machines/default/fake/known_host
      HostKeyAlias default
      StrictHostKeyChecking accept-new
      PasswordAuthentication no
      IdentityFile [ROOT]/project/.kiste/machines/default/fake/private_key
      IdentitiesOnly yes
      LogLevel FATAL
    ");
    assert!(env.run(["ssh-config", "--host", "other"]).success().starts_with("Host other\n"));
    assert_eq!(env.run(["ssh-config", "--json"]).json()["machines"][0]["user"], "vagrant");
}

#[test]
fn not_ready() {
    assert_snapshot!(Env::ready().run(["ssh-config"]), @r"
    exit 3
    --- stderr
    Error: the machine `default` is not created
    Hint: `kiste up default` creates it.
    ");
}
