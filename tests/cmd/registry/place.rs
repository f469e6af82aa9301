//! `kiste registry serve|check|collect|backup|restore`: what its operator reads.

use insta::assert_snapshot;

use super::desk::Desk;
use crate::harness::Env;

#[test]
fn the_first_start_tells_the_administrators_token_once() {
    let env = Env::new().var("KISTE_LOG", "warn");
    for first in [true, false] {
        let mut running = env.start(["registry", "serve", "--listen", "127.0.0.1:0", "--data", "boxes"]);
        running.until(if first { "shown only now" } else { "listens at" });
        if first {
            running.until("kiste: ");
        }
        running.interrupt();
        let ended = super::desk::plain(running.end());
        if first {
            assert_snapshot!(ended, @r"
            exit 0
            --- stderr
            ==> kiste: The registry listens at [REGISTRY]
            ==> kiste: Its administrator is `admin`. This token is shown only now:
            ==> kiste: [64 DIGITS]

            Interrupted: cleaning up. Once more stops at once.
            ");
        } else {
            assert_snapshot!(ended, @r"
            exit 0
            --- stderr
            ==> kiste: The registry listens at [REGISTRY]

            Interrupted: cleaning up. Once more stops at once.
            ");
        }
    }
    assert_snapshot!(env.run(["registry", "serve", "--listen", "127.0.0.1:0", "--tls-cert", "none.pem", "--tls-key", "none.pem"]), @r"
    exit 2
    --- stderr
    Error: `none.pem` can't be used for TLS: I/O error: No such file or directory (os error 2)
    ");
    assert_snapshot!(env.run(["registry", "serve", "--listen", "here"]), @r"
    exit 2
    --- stderr
    Error: invalid value 'here' for '--listen <ADDRESS:PORT>': invalid socket address syntax

    `--help` explains more.
    ");
}

#[test]
fn checked_saved_and_restored() {
    let desk = Desk::ready();
    desk.publish("acme/web", "1.0.0");
    let data = desk.world.folder().join("data");
    let data = data.to_str().unwrap();
    assert_snapshot!(desk.run(["registry", "check", "--data", data]), @r"
    exit 0
    --- stdout
    Read 2.75 KiB in 1 file: nothing is wrong.
    --- stderr
        kiste: Reading boxes ([SIZE])
    ");
    assert_snapshot!(desk.run(["registry", "collect", "--data", data, "--dry-run"]), @r"
    exit 0
    --- stdout
    Would remove 0 rows of what was deleted, 0 uploads, 0 files and 0 strays: 0 B.
    ");
    assert_snapshot!(desk.run(["registry", "backup", "--data", data, "saved"]), @r"
    exit 0
    --- stdout
    Saved 15 rows and 1 file, 2.75 KiB.
    --- stderr
        kiste: Saving boxes ([SIZE])
    ");
    assert_snapshot!(desk.run(["registry", "backup", "--data", data, "saved", "--json"]), @r#"
    exit 0
    --- stdout
    {
      "folder": "saved",
      "rows": 15,
      "contents": 1,
      "bytes": 2816
    }
    --- stderr
        kiste: Saving boxes ([SIZE])
    "#);
    assert_snapshot!(desk.run(["registry", "restore", "--data", data, "saved"]), @r"
    exit 2
    --- stderr
    Error: another registry server is using `[WORLD]/data`
    ");
    assert_snapshot!(desk.run(["registry", "restore", "--data", "new", "saved"]), @r"
    exit 0
    --- stdout
    Restored 15 rows and 1 file, 2.75 KiB.
    --- stderr
        kiste: Restoring boxes ([SIZE])
    ");
    assert_snapshot!(desk.run(["registry", "check", "--data", "new"]), @r"
    exit 0
    --- stdout
    Read 2.75 KiB in 1 file: nothing is wrong.
    --- stderr
        kiste: Reading boxes ([SIZE])
    ");
    assert_snapshot!(desk.run(["registry", "restore", "--data", "newer", "nowhere"]), @r"
    exit 1
    --- stderr
    Error: cannot read `nowhere/registry.json`
      because No such file or directory (os error 2)
    ");
    assert_snapshot!(desk.run(["registry", "check", "--data", "nowhere"]), @r"
    exit 3
    --- stderr
    Error: there is no registry in `nowhere`
    ");
}
