//! `kiste login`, `logout`, `whoami` and `search`.

use insta::assert_snapshot;

use super::desk::{Desk, plain};
use crate::harness::Env;

#[test]
fn nobody_is_logged_in_and_no_registry_is_named() {
    let env = Env::new();
    assert_snapshot!(env.run(["whoami"]), @r"
    exit 1
    --- stdout
    You are logged in nowhere. `kiste login --registry URL` changes that.
    ");
    assert_snapshot!(env.run(["logout"]), @r"
    exit 0
    --- stdout
    You are logged in nowhere
    ");
    assert_snapshot!(env.run(["login", "--check"]), @r"
    exit 1
    --- stdout
    You are logged in nowhere. `kiste login --registry URL` changes that.
    ");
    assert_snapshot!(env.run(["search", "web"]), @r"
    exit 2
    --- stderr
    Error: no registry is named: say which with `--registry URL` or KISTE_REGISTRY; `kiste login --registry URL` keeps it for later
    ");
    assert_snapshot!(env.run(["cloud", "auth", "whoami"]), @r"
    exit 1
    --- stdout
    You are not currently logged in. `kiste cloud auth login` asks for your name and password.
    ");
    assert_snapshot!(env.run(["whoami", "--registry", "ftp://boxes"]), @r"
    exit 2
    --- stderr
    Error: `ftp://boxes` is not the address of a registry (write `https://HOST`)
    ");
}

#[test]
fn a_registry_that_is_away() {
    let env = Env::new();
    // Nothing listens at port 1.
    assert_snapshot!(env.run(["whoami", "--registry", "http://127.0.0.1:1"]), @r"
    exit 1
    --- stdout
    You are not logged in at http://127.0.0.1:1. `kiste login` changes that.
    ");
    assert_snapshot!(env.run_with_input("x\n", ["login", "--registry", "http://127.0.0.1:1", "--username", "alice"]), @r"
    exit 6
    --- stderr
    Error: `http://127.0.0.1:1/api/v2/authenticate`: Connection refused (os error 111)
    Hint: Check the address and the line, then try again; what has travelled so far is kept.
    ");
}

#[test]
fn by_token_and_by_password() {
    let desk = Desk::new();
    assert_snapshot!(desk.run(["whoami"]), @r"
    exit 1
    --- stdout
    You are not logged in at [REGISTRY]. `kiste login` changes that.
    ");
    assert_snapshot!(desk.run(["login"]), @r"
    exit 2
    --- stderr
    Error: `--username` is missing, and nobody is there to be asked
    ");
    assert_snapshot!(desk.type_in("wrong\n", ["login", "--token"]), @r"
    exit 6
    --- stderr
    Error: you are not logged in at `[REGISTRY]`: it does not know this token
    Hint: `kiste login` asks for your name and password.
    ");
    assert_snapshot!(desk.type_in(&desk.world.admin, ["login", "--token"]), @r"
    exit 0
    --- stdout
    Logged in at [REGISTRY] as admin
    ");
    assert_snapshot!(desk.run(["whoami"]), @r"
    exit 0
    --- stdout
    admin at [REGISTRY]
    ");
    assert_snapshot!(desk.run(["whoami", "--json"]), @r#"
    exit 0
    --- stdout
    {
      "registry": "[REGISTRY]",
      "username": "admin"
    }
    "#);
    desk.type_in("correct horse", ["registry", "user", "create", "alice"]).success();

    assert_snapshot!(desk.run(["logout"]), @r"
    exit 0
    --- stdout
    Logged out of [REGISTRY]
    ");
    assert_snapshot!(desk.run(["logout"]), @r"
    exit 0
    --- stdout
    You were not logged in at [REGISTRY]
    ");
    assert_eq!(desk.world.admin().call("GET", "/authenticate", serde_json::Value::Null).status, 401, "the token is good for nothing more");

    assert_snapshot!(desk.type_in("battery staple", ["login", "--username", "alice"]), @r"
    exit 6
    --- stderr
    Error: name or password is wrong (`[REGISTRY]/api/v2/authenticate` answers 401 Unauthorized)
    Hint: `kiste login` (or KISTE_TOKEN) tells the registry who you are; `kiste whoami` shows who that is.
    ");
    assert_snapshot!(desk.type_in("correct horse", ["login", "--username", "alice"]), @r"
    exit 0
    --- stdout
    Logged in at [REGISTRY] as alice
    ");
    assert_snapshot!(desk.run(["login", "--check"]), @r"
    exit 0
    --- stdout
    alice at [REGISTRY]
    ");
    let kept = std::fs::read_to_string(desk.env.home().join("tokens.json")).unwrap();
    assert!(!kept.contains("correct horse") && kept.contains("alice"), "{kept}");

    // The registry of a login is the one that is meant, where no other is named.
    let other = plain(desk.env.var("KISTE_REGISTRY", "").run(["whoami"]));
    assert_snapshot!(other, @r"
    exit 0
    --- stdout
    alice at [REGISTRY]
    ");
}

#[test]
fn search_shows_what_is_released() {
    let desk = Desk::ready();
    assert_snapshot!(desk.run(["search", "web"]), @r"
    exit 0
    --- stdout
    No results found for `web`
    ");
    desk.publish("acme/web", "1.0.0");
    desk.publish("acme/website", "2.0.0");
    desk.make("draft.box", "draft");
    desk.run(["box", "push", "draft.box", "acme/webdraft", "1.0.0"]).success();
    assert_snapshot!(desk.run(["search", "web"]), @r"
    exit 0
    --- stdout
    | NAME         | VERSION | DOWNLOADS | PROVIDERS | ARCHITECTURES |
    +--------------+---------+-----------+-----------+---------------+
    | acme/website | 2.0.0   |         0 | libvirt   | amd64         |
    | acme/web     | 1.0.0   |         0 | libvirt   | amd64         |
    +--------------+---------+-----------+-----------+---------------+
    ");
    assert_snapshot!(desk.run(["search", "web", "-q"]), @r"
    exit 0
    --- stdout
    acme/website
    acme/web
    ");
    assert_snapshot!(desk.run(["search", "web", "--provider", "virtualbox"]), @r"
    exit 0
    --- stdout
    No results found for `web`
    ");
    assert_snapshot!(desk.run(["search", "web", "--limit", "1", "-j"]), @r#"
    exit 0
    --- stdout
    [{"name":"acme/website","version":"2.0.0","downloads":"0","providers":"libvirt","architectures":"amd64"}]
    "#);
}
