//! `kiste cloud …`: Vagrant's names, options, questions and words.

use insta::assert_snapshot;

use super::desk::{Desk, plain};
use crate::harness::Env;
use crate::parts::{Kind, World};

#[test]
fn who_one_is() {
    let world = World::new(Kind::Files);
    let env = Env::new().var("VAGRANT_SERVER_URL", &world.url());
    let say = |line: &str| plain(env.run(line.split(' ')));
    assert_snapshot!(say("cloud auth login --check"), @r"
    exit 1
    --- stdout
    You are not currently logged in. `kiste cloud auth login` asks for your name and password.
    ");
    assert_snapshot!(say("cloud auth login --token wrong"), @r"
    exit 6
    --- stderr
    Error: you are not logged in at `[REGISTRY]`: it does not know this token
    Hint: `kiste login` asks for your name and password.
    ");
    assert_snapshot!(say(&format!("cloud auth login --token {}", world.admin)), @r"
    exit 0
    --- stdout
    The token was successfully saved.
    You are already logged in.
    ");
    assert_snapshot!(say("cloud auth whoami"), @r"
    exit 0
    --- stdout
    Currently logged in as admin
    ");
    assert_snapshot!(say(&format!("cloud auth whoami {}", world.admin)), @r"
    exit 0
    --- stdout
    Currently logged in as admin
    ");
    assert_snapshot!(say("cloud auth logout"), @r"
    exit 0
    --- stdout
    You are logged out.
    ");
    assert_snapshot!(say("cloud auth whoami"), @r"
    exit 1
    --- stdout
    You are not currently logged in. `kiste cloud auth login` asks for your name and password.
    ");
}

#[test]
fn step_by_step() {
    let desk = Desk::ready();
    desk.make("web.box", "one");
    assert_snapshot!(desk.run(["cloud", "box", "create", "acme/web", "-s", "A web server", "-d", "All about it"]), @r"
    exit 0
    --- stdout
    Created box acme/web
    Box:              acme/web
    Description:      All about it
    Private:          no
    Created:          [TIME]
    Updated:          [TIME]
    Current Version:  N/A
    Versions:
    Downloads:        0
    ");
    assert_snapshot!(desk.say("cloud box update acme/web --private"), @r"
    exit 0
    --- stdout
    Updated box acme/web
    Box:              acme/web
    Description:      All about it
    Private:          yes
    Created:          [TIME]
    Updated:          [TIME]
    Current Version:  N/A
    Versions:
    Downloads:        0
    ");
    assert_snapshot!(desk.say("cloud version create acme/web 1.0.0 -d first"), @r"
    exit 0
    --- stdout
    Created version 1.0.0 on acme/web
    Box:          acme/web
    Version:      1.0.0
    Description:  first
    Status:       unreleased
    Providers:
    Created:      [TIME]
    Updated:      [TIME]
    ");
    assert_snapshot!(desk.say("cloud provider create acme/web libvirt 1.0.0 --architecture amd64"), @r"
    exit 0
    --- stdout
    Created provider libvirt on acme/web for version 1.0.0
    Box:                   acme/web
    Version:               1.0.0
    Provider:              libvirt
    Architecture:          amd64
    Default Architecture:  yes
    ");
    assert_snapshot!(desk.say("cloud provider upload acme/web libvirt 1.0.0 amd64 web.box"), @r"
    exit 0
    --- stdout
    Uploaded provider libvirt on acme/web for version 1.0.0
    --- stderr
        box: Uploading web.box ([SIZE])
    ");
    assert_snapshot!(desk.say("cloud provider create acme/web other 1.0.0 https://elsewhere.example/web.box --architecture amd64"), @r"
    exit 0
    --- stdout
    Created provider other on acme/web for version 1.0.0
    Box:                   acme/web
    Version:               1.0.0
    Provider:              other
    Architecture:          amd64
    Default Architecture:  yes
    ");
    assert_snapshot!(desk.say("cloud provider update acme/web other 1.0.0 --architecture amd64 --default-architecture"), @r"
    exit 0
    --- stdout
    Updated provider other on acme/web for version 1.0.0
    Box:                   acme/web
    Version:               1.0.0
    Provider:              other
    Architecture:          amd64
    Default Architecture:  yes
    ");
    assert_snapshot!(desk.say("cloud provider delete acme/web other 1.0.0 amd64 --force"), @r"
    exit 0
    --- stdout
    Deleted provider other on acme/web for version 1.0.0
    ");
    assert_snapshot!(desk.say("cloud version update acme/web 1.0.0 -d words"), @r"
    exit 0
    --- stdout
    Updated version 1.0.0 on acme/web
    Box:          acme/web
    Version:      1.0.0
    Description:  words
    Status:       unreleased
    Providers:    libvirt
    Created:      [TIME]
    Updated:      [TIME]
    ");
    assert_snapshot!(desk.say("cloud version release acme/web 1.0.0"), @r"
    exit 2
    --- stderr
    ==> box: This will release version 1.0.0 from acme/web to [REGISTRY] and be available to download.
    Error: version 1.0.0 of `acme/web` is not released without a yes, and nobody is there to give it
    Hint: `--force` does it without asking.
    ");
    assert_snapshot!(desk.say("cloud version release acme/web 1.0.0 --force"), @r"
    exit 0
    --- stdout
    Released version 1.0.0 on acme/web
    Box:          acme/web
    Version:      1.0.0
    Description:  words
    Status:       active
    Providers:    libvirt
    Created:      [TIME]
    Updated:      [TIME]
    ");
    assert_snapshot!(desk.say("cloud box show acme/web"), @r"
    exit 0
    --- stdout
    Box:              acme/web
    Description:      All about it
    Private:          yes
    Created:          [TIME]
    Updated:          [TIME]
    Current Version:  1.0.0
    Versions:         1.0.0
    Downloads:        0
    ");
    assert_snapshot!(desk.say("cloud box show acme/web --no-auth"), @r"
    exit 3
    --- stderr
    Error: there is no box `acme/web` here, or it is not yours to see (`[REGISTRY]/api/v2/box/acme/web` answers 404 Not Found)
    ");
    assert_snapshot!(desk.say("cloud box show acme/web --versions 1.0.0"), @r"
    exit 0
    --- stdout
    Box:          acme/web
    Version:      1.0.0
    Description:  words
    Status:       active
    Providers:    libvirt
    Created:      [TIME]
    Updated:      [TIME]
    ");
    assert_snapshot!(desk.say("cloud box show acme/web --versions 9.0.0"), @r"
    exit 3
    --- stderr
    Error: there is no box `acme/web` of version 9.0.0
    Hint: `kiste box list` shows what there is.
    ");
    assert_snapshot!(desk.say("cloud version revoke acme/web 1.0.0 --force"), @r"
    exit 0
    --- stdout
    Revoked version 1.0.0 on acme/web
    Box:          acme/web
    Version:      1.0.0
    Description:  words
    Status:       revoked
    Providers:    libvirt
    Created:      [TIME]
    Updated:      [TIME]
    ");
    assert_snapshot!(desk.say("cloud version delete acme/web 1.0.0 --force"), @r"
    exit 0
    --- stdout
    Deleted version 1.0.0 on acme/web
    ");
    assert_snapshot!(desk.say("cloud box delete acme/web"), @r"
    exit 2
    --- stderr
    ==> box: This will completely remove acme/web from [REGISTRY].
    Error: `acme/web` is not removed without a yes, and nobody is there to give it
    Hint: `--force` does it without asking.
    ");
    assert_snapshot!(desk.say("cloud box delete acme/web --no-force --force"), @r"
    exit 0
    --- stdout
    Deleted box acme/web
    ");
}

#[test]
fn in_one_go() {
    let desk = Desk::ready();
    desk.make("web.box", "one");
    assert_snapshot!(desk.say("cloud publish acme/web 1.0.0 libvirt web.box"), @r"
    exit 2
    --- stderr
    ==> box: You are about to publish a box on [REGISTRY] with the following options:
    ==> box: acme/web:   (v1.0.0) for provider 'libvirt'
    Error: `acme/web` is not published without a yes, and nobody is there to give it
    Hint: `--force` does it without asking.
    ");
    assert_snapshot!(desk.say("cloud publish acme/web 1.0.0 libvirt web.box --architecture amd64 -f -r -s Web --version-description V"), @r"
    exit 0
    --- stdout
    Complete! Published acme/web
    Box:          acme/web
    Version:      1.0.0
    Description:  V
    Status:       active
    Providers:    libvirt
    Created:      [TIME]
    Updated:      [TIME]
    --- stderr
    ==> box: Saving box information...
        box: Reading web.box
    ==> box: Creating box `acme/web`
    ==> box: Creating version 1.0.0
    ==> box: Creating provider libvirt (amd64)
        box: Uploading web.box ([SIZE])
    ==> box: Releasing version 1.0.0
    ");
    desk.make("web.box", "two");
    assert_snapshot!(desk.say("cloud publish acme/web 1.0.0 libvirt web.box --architecture amd64 -f -r"), @r"
    exit 1
    --- stderr
    ==> box: Saving box information...
        box: Reading web.box
    Error: version 1.0.0 of `acme/web` is released: what is in it never changes
    Hint: Publish a new version; `kiste registry version revoke` takes this one back.
    ");
    assert_snapshot!(desk.say("cloud publish acme/web 1.1.0 virtualbox web.box -f -r"), @r"
    exit 1
    --- stderr
    ==> box: Saving box information...
    Error: `web.box` is a box for provider `libvirt`, not `virtualbox`
    ");
    assert_snapshot!(desk.say("cloud publish acme/web 1.1.0 libvirt none.box -f -r"), @r"
    exit 1
    --- stderr
    ==> box: Saving box information...
    Error: `none.box`: No such file or directory (os error 2)
    ");
    assert_snapshot!(desk.say("cloud search web"), @r"
    exit 0
    --- stdout
    | NAME     | VERSION | DOWNLOADS | PROVIDERS | ARCHITECTURES |
    +----------+---------+-----------+-----------+---------------+
    | acme/web | 1.0.0   |         0 | libvirt   | amd64         |
    +----------+---------+-----------+-----------+---------------+
    ");
    assert_snapshot!(desk.say("cloud search web --short"), @r"
    exit 0
    --- stdout
    acme/web
    ");
}
