//! `kiste box push` (`publish`), and what comes of it: `box add`, `outdated`, `update`.

use insta::assert_snapshot;

use super::desk::{Desk, plain};
use crate::harness::Env;

#[test]
fn who_is_not_logged_in_publishes_nothing() {
    let desk = Desk::new();
    desk.make("web.box", "one");
    assert_snapshot!(desk.say("box push web.box acme/web 1.0.0"), @r"
    exit 6
    --- stderr
        box: Reading web.box
    ==> box: Creating box `acme/web`
    Error: log in first: a token is needed for this (`[REGISTRY]/api/v2/boxes` answers 401 Unauthorized)
    Hint: `kiste login` (or KISTE_TOKEN) tells the registry who you are; `kiste whoami` shows who that is.
    ");
    let Desk { env, world: _world } = desk;
    let env = env.var("KISTE_TOKEN", "wrong");
    let said = plain(env.run(["box", "push", "web.box", "acme/web", "1.0.0"]));
    assert_snapshot!(said, @r"
    exit 6
    --- stderr
        box: Reading web.box
    Error: the token is not known here, or over: log in again (`[REGISTRY]/api/v2/box/acme/web` answers 401 Unauthorized)
    Hint: `kiste login` (or KISTE_TOKEN) tells the registry who you are; `kiste whoami` shows who that is.
    ");
}

#[test]
fn what_cannot_be_published() {
    let desk = Desk::ready();
    desk.make("web.box", "one");
    desk.env.write("project/text.box", "no archive");
    assert_snapshot!(desk.say("box push none.box acme/web 1.0.0"), @r"
    exit 1
    --- stderr
    Error: `none.box`: No such file or directory (os error 2)
    ");
    assert_snapshot!(desk.say("box push text.box acme/web 1.0.0"), @r"
    exit 1
    --- stderr
    Error: `text.box` is not a usable box file: failed to read entire block
    Hint: A box is a tar archive (plain, gzip, zstd or xz) with a metadata.json.
    ");
    assert_snapshot!(desk.say("box push web.box acme/web latest"), @r"
    exit 2
    --- stderr
    Error: `latest` is not a version: it must be numbers with dots between, such as `1.2.3` or `1.2.0.beta1`
    ");
    assert_snapshot!(desk.say("box push web.box web 1.0.0"), @r"
    exit 2
    --- stderr
    Error: `web` is not a name for a box of a registry: write `ORG/BOX`
    ");
    assert_snapshot!(desk.say("box push web.box acme/web"), @r"
    exit 2
    --- stderr
    Error: these are not the arguments of a box to publish
    Hint: Write `kiste box push FILE ORG/BOX VERSION [PROVIDER], or kiste box push --url URL ORG/BOX VERSION PROVIDER`.
    ");
    assert_snapshot!(desk.say("box push web.box acme/web 1.0.0 virtualbox"), @r"
    exit 1
    --- stderr
    Error: `web.box` is a box for provider `libvirt`, not `virtualbox`
    ");
    assert_snapshot!(desk.say("box push web.box nobody/web 1.0.0"), @r"
    exit 6
    --- stderr
        box: Reading web.box
    ==> box: Creating box `nobody/web`
    Error: there is no account `nobody` (`[REGISTRY]/api/v2/boxes` answers 422 Unprocessable Entity)
    ");
    let zeros = "0".repeat(64);
    assert_snapshot!(desk.say(&format!("box push web.box acme/web 1.0.0 --checksum {zeros} --checksum-type sha256")), @r"
    exit 7
    --- stderr
    ==> box: Creating box `acme/web`
    ==> box: Creating version 1.0.0
    ==> box: Creating provider libvirt (amd64)
        box: Uploading web.box ([SIZE])
    Error: the registry refuses `web.box`: the content is not what was declared: its sha256 is [64 DIGITS], not [64 DIGITS]; nothing is published, send it again from the start
    Hint: The file changed while it was sent, or `--checksum` is another file's. Nothing was published.
    ");
}

#[test]
fn a_version_is_drafted_released_and_taken_back() {
    let desk = Desk::ready();
    desk.make("web.box", "one");
    desk.make("web2.box", "two");
    assert_snapshot!(desk.say("box push web.box acme/web 1.0.0 --dry-run"), @r"
    exit 0
    --- stderr
        box: Reading web.box
        box: Would be: Creating box `acme/web`
        box: Would be: Creating version 1.0.0
        box: Would be: Creating provider libvirt (amd64)
        box: Would be: Uploading web.box
    ==> box: Nothing was published: it was a dry run
    ");
    assert_snapshot!(desk.say("box push web.box acme/web 1.0.0 -s Web"), @r"
    exit 0
    --- stderr
        box: Reading web.box
    ==> box: Creating box `acme/web`
    ==> box: Creating version 1.0.0
    ==> box: Creating provider libvirt (amd64)
        box: Uploading web.box ([SIZE])
    ==> box: acme/web 1.0.0 for libvirt (amd64) lies at [REGISTRY]; the version is unreleased
        box: `kiste registry version release acme/web 1.0.0` lets everybody get it
    ");
    assert_snapshot!(desk.say("box push web.box acme/web 1.0.0"), @r"
    exit 0
    --- stderr
        box: Reading web.box
        box: Version 1.0.0 for libvirt (amd64) is there already
    ==> box: acme/web 1.0.0 for libvirt (amd64) lies at [REGISTRY]; the version is unreleased
        box: `kiste registry version release acme/web 1.0.0` lets everybody get it
    ");
    assert_snapshot!(desk.say("box push web2.box acme/web 1.0.0"), @r"
    exit 1
    --- stderr
        box: Reading web2.box
    Error: version 1.0.0 of `acme/web` for libvirt (amd64) is there already, with another file
    Hint: `--force` replaces it.
    ");
    assert_snapshot!(desk.say("box push web2.box acme/web 1.0.0 --force"), @r"
    exit 0
    --- stderr
        box: Reading web2.box
    ==> box: Updating provider libvirt (amd64)
        box: Uploading web2.box ([SIZE])
    ==> box: acme/web 1.0.0 for libvirt (amd64) lies at [REGISTRY]; the version is unreleased
        box: `kiste registry version release acme/web 1.0.0` lets everybody get it
    ");
    assert_snapshot!(desk.say("box add acme/web"), @r"
    exit 3
    --- stderr
    ==> box: Looking up box `acme/web`
        box: Asking [REGISTRY]/api/v2/vagrant/acme/web
    Error: box `acme/web` has no version on amd64
    ");
    assert_snapshot!(desk.say("registry version release acme/web 1.0.0"), @r"
    exit 0
    --- stdout
    Box:       acme/web
    Version:   1.0.0
    Status:    active
    Downloads: 0
    Created:   [TIME]
    Released:  [TIME]

    PROVIDER  ARCHITECTURE  DEFAULT  SIZE      DIGEST
    libvirt   amd64         yes      2.75 KiB  sha256:[64 DIGITS]
    ");
    assert_snapshot!(desk.say("box push web.box acme/web 1.0.0"), @r"
    exit 1
    --- stderr
        box: Reading web.box
    Error: version 1.0.0 of `acme/web` is released: what is in it never changes
    Hint: Publish a new version; `kiste registry version revoke` takes this one back.
    ");
    assert_snapshot!(desk.say("box add acme/web"), @r"
    exit 0
    --- stderr
    ==> box: Looking up box `acme/web`
        box: Asking [REGISTRY]/api/v2/vagrant/acme/web
    ==> box: Adding box `acme/web` (v1.0.0) for libvirt (amd64)
        box: Downloading [REGISTRY]/acme/boxes/web/versions/1.0.0/providers/libvirt/amd64/vagrant.box ([SIZE])
        box: Checking [REGISTRY]/acme/boxes/web/versions/1.0.0/providers/libvirt/amd64/vagrant.box ([SIZE])
        box: Unpacking [REGISTRY]/acme/boxes/web/versions/1.0.0/providers/libvirt/amd64/vagrant.box ([SIZE])
    ==> box: Added box `acme/web` (v1.0.0) for libvirt (amd64)
    ");

    assert_snapshot!(desk.run(["box", "publish", "web.box", "acme/web", "1.1.0", "--release", "--version-description", "New kernel"]), @r"
    exit 0
    --- stderr
        box: Reading web.box
    ==> box: Creating version 1.1.0
    ==> box: Creating provider libvirt (amd64)
        box: Uploading web.box ([SIZE])
    ==> box: Releasing version 1.1.0
    ==> box: Published acme/web 1.1.0 for libvirt (amd64) at [REGISTRY]
    ");
    desk.env.kistefile("box = \"acme/web\"\n");
    assert_snapshot!(desk.say("box update --box acme/web"), @r"
    exit 0
    --- stderr
    ==> box: Adding box `acme/web` (v1.1.0) for libvirt (amd64)
        box: Downloading [REGISTRY]/acme/boxes/web/versions/1.1.0/providers/libvirt/amd64/vagrant.box ([SIZE])
        box: Checking [REGISTRY]/acme/boxes/web/versions/1.1.0/providers/libvirt/amd64/vagrant.box ([SIZE])
        box: Unpacking [REGISTRY]/acme/boxes/web/versions/1.1.0/providers/libvirt/amd64/vagrant.box ([SIZE])
    ==> box: Added box `acme/web` (v1.1.0) for libvirt (amd64)
    ");
    desk.run(["registry", "version", "revoke", "acme/web", "1.1.0", "--reason", "does not boot"]).success();
    assert_snapshot!(desk.say("box add acme/web --box-version 1.1.0 --force"), @r"
    exit 3
    --- stderr
    ==> box: Looking up box `acme/web`
        box: Asking [REGISTRY]/api/v2/vagrant/acme/web
    Error: box `acme/web` has no version `= 1.1.0` on amd64 any more: it was revoked because `does not boot` (there is: 1.0.0 for libvirt (amd64))
    Hint: A version that was revoked is offered no more; `kiste box update` takes the newest that is.
    ");
    assert_snapshot!(desk.say("box add acme/nothing"), @r"
    exit 3
    --- stderr
    ==> box: Looking up box `acme/nothing`
        box: Asking [REGISTRY]/api/v2/vagrant/acme/nothing
        box: Asking [REGISTRY]/acme/nothing
        box: Asking [REGISTRY]/acme/nothing.json
    Error: there is no box `acme/nothing` at `[REGISTRY]`, or it is not yours to see
    Hint: `kiste search` looks for boxes there; a private one shows only to who is logged in (`kiste login`) and may see it.
    ");
}

#[test]
fn a_folder_for_any_web_server() {
    let env = Env::new();
    let desk = |line: &str| plain(env.run(line.split(' ')));
    let metadata = br#"{"provider":"libvirt","architecture":"amd64","format":"qcow2","virtual_size":1}"#.to_vec();
    let entries = [("metadata.json", metadata), ("box.img", crate::harness::boxes::qcow2())];
    crate::harness::boxes::write_entries(&env.project().join("web.box"), &entries);
    assert_snapshot!(desk("box push web.box acme/web 1.0.0 --static site"), @r"
    exit 0
    --- stderr
        box: Copying web.box ([SIZE])
    ==> box: acme/web 1.0.0 lies in site/acme/web.json
    ");
    assert_snapshot!(desk("box push web.box acme/web 1.0.0 --static site"), @r"
    exit 0
    --- stderr
        box: Copying web.box ([SIZE])
    ==> box: acme/web 1.0.0 lies in site/acme/web.json
    ");
    let catalog = std::fs::read_to_string(env.project().join("site/acme/web.json")).unwrap();
    let catalog: serde_json::Value = serde_json::from_str(&catalog).unwrap();
    let url = catalog["versions"][0]["providers"][0]["url"].as_str().unwrap().to_owned();
    assert!(env.project().join("site/acme").join(&url).is_file(), "{url}");
    assert_snapshot!(desk("box push web.box acme/web 1.1.0 --static site --release"), @r"
    exit 2
    --- stderr
    Error: the argument '--static <FOLDER>' cannot be used with '--release'

    Usage: kiste box push --static <FOLDER> <FILE>...

    `--help` explains more.
    ");
    assert_snapshot!(desk("box push web.box acme/web 1.1.0 --static site --base-url https://boxes.example.org --json"), @r#"
    exit 0
    --- stdout
    {"time":"[TIME]","scope":"box","event":"transfer_started","id":1,"label":"Copying web.box","total":2756,"done":0}
    {"time":"[TIME]","scope":"box","event":"transfer_finished","id":1,"outcome":"ok"}
    {"time":"[TIME]","scope":"box","event":"success","text":"acme/web 1.1.0 lies in site/acme/web.json"}
    {"event":"result","published":{"tag":"acme/web","version":"1.1.0","provider":"libvirt","architecture":"amd64","catalog":"site/acme/web.json","file":"site/acme/web/1.1.0/libvirt-amd64-[DIGITS].box","sha256":"[64 DIGITS]"}}
    "#);
    assert_snapshot!(desk("box add site/acme/web.json --box-version 1.0.0"), @r"
    exit 0
    --- stderr
    ==> box: Adding box `acme/web` (v1.0.0) for libvirt (amd64)
        box: Checking [ROOT]/project/site/acme/web/1.0.0/libvirt-amd64-[DIGITS].box ([SIZE])
        box: Unpacking [ROOT]/project/site/acme/web/1.0.0/libvirt-amd64-[DIGITS].box ([SIZE])
    ==> box: Added box `acme/web` (v1.0.0) for libvirt (amd64)
    ");
}
