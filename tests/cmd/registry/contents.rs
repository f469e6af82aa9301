//! `kiste registry box|version|provider|prune`.

use insta::assert_snapshot;

use super::desk::Desk;

#[test]
fn boxes() {
    let desk = Desk::ready();
    assert_snapshot!(desk.say("registry box list acme"), @r"
    exit 0
    --- stdout
    NAME  VERSION  DOWNLOADS  PRIVATE  ABOUT
    ");
    assert_snapshot!(desk.run(["registry", "box", "create", "acme/web", "-s", "A web server", "-d", "# All about it"]), @r"
    exit 0
    --- stdout
    Box:         acme/web
    About:       A web server
    Description: # All about it
    Private:     no
    Downloads:   0
    Created:     [TIME]
    Updated:     [TIME]
    ");
    assert_snapshot!(desk.say("registry box create acme/web"), @r"
    exit 6
    --- stderr
    Error: the box `acme/web` is there already (`[REGISTRY]/api/v2/boxes` answers 422 Unprocessable Entity)
    ");
    assert_snapshot!(desk.say("registry box update acme/web --private"), @r"
    exit 0
    --- stdout
    Box:         acme/web
    About:       A web server
    Description: # All about it
    Private:     yes
    Downloads:   0
    Created:     [TIME]
    Updated:     [TIME]
    ");
    assert_snapshot!(desk.say("registry box list acme"), @r"
    exit 0
    --- stdout
    NAME      VERSION  DOWNLOADS  PRIVATE  ABOUT
    acme/web           0          yes      A web server
    ");
    assert_snapshot!(desk.say("registry box show acme/none"), @r"
    exit 3
    --- stderr
    Error: there is no box `acme/none` here, or it is not yours to see (`[REGISTRY]/api/v2/box/acme/none` answers 404 Not Found)
    ");
    assert_snapshot!(desk.say("registry box list nobody"), @r"
    exit 3
    --- stderr
    Error: there is no account `nobody` (`[REGISTRY]/api/v2/user/nobody` answers 404 Not Found)
    ");
    assert_snapshot!(desk.say("registry box delete acme/web"), @r"
    exit 2
    --- stderr
    Error: `acme/web` is not removed without a yes, and nobody is there to give it
    Hint: `--force` does it without asking.
    ");
    assert_snapshot!(desk.say("registry box delete acme/web --force"), @r"
    exit 0
    --- stdout
    Removed box acme/web; `kiste registry box restore acme/web` brings it back for a time
    ");
    assert_snapshot!(desk.say("registry box show acme/web"), @r"
    exit 3
    --- stderr
    Error: there is no box `acme/web` here, or it is not yours to see (`[REGISTRY]/api/v2/box/acme/web` answers 404 Not Found)
    ");
    assert_snapshot!(desk.say("registry box restore acme/web"), @r"
    exit 0
    --- stdout
    Box acme/web is back
    ");
    assert_snapshot!(desk.say("registry box show acme/web -q"), @r"
    exit 0
    --- stdout
    acme/web
    ");
}

#[test]
fn versions_and_their_files() {
    let desk = Desk::ready();
    desk.make("web.box", "one");
    desk.say("registry box create acme/web").success();
    assert_snapshot!(desk.run(["registry", "version", "create", "acme/web", "1.0.0", "-d", "The first"]), @r"
    exit 0
    --- stdout
    Box:         acme/web
    Version:     1.0.0
    Status:      unreleased
    Description: The first
    Downloads:   0
    Created:     [TIME]
    ");
    assert_snapshot!(desk.say("registry version release acme/web 1.0.0"), @r"
    exit 6
    --- stderr
    Error: version `1.0.0` has no provider with a file: upload one, or name its address (`[REGISTRY]/api/v2/box/acme/web/version/1.0.0/release` answers 422 Unprocessable Entity)
    ");
    assert_snapshot!(desk.say("registry provider create acme/web 1.0.0 libvirt --architecture amd64"), @r"
    exit 0
    --- stdout
    Box:          acme/web
    Version:      1.0.0
    Provider:     libvirt
    Architecture: amd64
    Default:      yes
    Hosted:       yes
    ");
    assert_snapshot!(desk.say("registry provider upload acme/web 1.0.0 libvirt web.box --architecture amd64"), @r"
    exit 0
    --- stdout
    Box:          acme/web
    Version:      1.0.0
    Provider:     libvirt
    Architecture: amd64
    Default:      yes
    Hosted:       yes
    Size:         2.75 KiB
    Digest:       sha256:[64 DIGITS]
    --- stderr
        box: Uploading web.box ([SIZE])
    ");
    assert_snapshot!(desk.say("registry version release acme/web 1.0.0"), @r"
    exit 0
    --- stdout
    Box:         acme/web
    Version:     1.0.0
    Status:      active
    Description: The first
    Downloads:   0
    Created:     [TIME]
    Released:    [TIME]

    PROVIDER  ARCHITECTURE  DEFAULT  SIZE      DIGEST
    libvirt   amd64         yes      2.75 KiB  sha256:[64 DIGITS]
    ");
    assert_snapshot!(desk.say("registry provider delete acme/web 1.0.0 libvirt --architecture amd64 --force"), @r"
    exit 6
    --- stderr
    Error: version `1.0.0` was released: its provider `libvirt` (amd64) never changes; make a new version (`[REGISTRY]/api/v2/box/acme/web/version/1.0.0/provider/libvirt/amd64` answers 409 Conflict)
    ");
    assert_snapshot!(desk.run(["registry", "version", "revoke", "acme/web", "1.0.0", "-r", "a hole"]), @r"
    exit 0
    --- stdout
    Box:         acme/web
    Version:     1.0.0
    Status:      revoked
    Reason:      a hole
    Description: The first
    Downloads:   0
    Created:     [TIME]
    Released:    [TIME]

    PROVIDER  ARCHITECTURE  DEFAULT  SIZE      DIGEST
    libvirt   amd64         yes      2.75 KiB  sha256:[64 DIGITS]
    ");
    assert_snapshot!(desk.say("registry version delete acme/web 1.0.0 --force"), @r"
    exit 0
    --- stdout
    Removed version 1.0.0 of acme/web
    ");
    assert_snapshot!(desk.say("registry version restore acme/web 1.0.0"), @r"
    exit 0
    --- stdout
    Version 1.0.0 of acme/web is back
    ");
    assert_snapshot!(desk.say("registry version list acme/web"), @r"
    exit 0
    --- stdout
    VERSION  STATUS   DOWNLOADS  PROVIDERS
    1.0.0    revoked  0          libvirt (amd64)
    ");
    assert_snapshot!(desk.say("registry version show acme/web 9.9.9"), @r"
    exit 3
    --- stderr
    Error: `acme/web` has no version `9.9.9` (`[REGISTRY]/api/v2/box/acme/web/version/9.9.9` answers 404 Not Found)
    ");
}

#[test]
fn old_versions_are_pruned() {
    let desk = Desk::ready();
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        desk.publish("acme/web", version);
    }
    assert_snapshot!(desk.say("registry prune acme/web"), @r"
    exit 2
    --- stderr
    Error: the following required arguments were not provided:
      --keep-last <N>

    Usage: kiste registry prune --keep-last <N> <ORG/BOX>

    `--help` explains more.
    ");
    assert_snapshot!(desk.say("registry prune acme/web --keep-last 1 --dry-run"), @r"
    exit 0
    --- stdout
    Would be removed:
    VERSION  STATUS  SIZE
    1.1.0    active  2.75 KiB
    1.0.0    active  2.75 KiB
    ");
    assert_snapshot!(desk.say("registry prune acme/web --keep-last 1"), @r"
    exit 2
    --- stderr
    Error: no version of `acme/web` is removed without a yes, and nobody is there to give it
    Hint: `--force` does it without asking.
    ");
    assert_snapshot!(desk.say("registry version list acme/web"), @r"
    exit 0
    --- stdout
    VERSION  STATUS  DOWNLOADS  PROVIDERS
    1.2.0    active  0          libvirt (amd64)
    1.1.0    active  0          libvirt (amd64)
    1.0.0    active  0          libvirt (amd64)
    ");
}
