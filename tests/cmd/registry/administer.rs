//! `kiste registry user|org|member|token|audit`.

use insta::assert_snapshot;

use super::desk::{Desk, plain};

#[test]
fn people() {
    let desk = Desk::ready();
    assert_snapshot!(desk.type_in("correct horse", ["registry", "user", "create", "bob", "--email", "bob@example.org"]), @r"
    exit 0
    --- stdout
    Name:    bob
    Kind:    user
    E-mail:  bob@example.org
    Admin:   no
    Used:    0 B
    Created: [TIME]
    ");
    assert_snapshot!(desk.type_in("correct horse", ["registry", "user", "create", "bob"]), @r"
    exit 6
    --- stderr
    Error: `bob` is taken (`[REGISTRY]/api/v2/users` answers 422 Unprocessable Entity)
    ");
    assert_snapshot!(desk.type_in("short", ["registry", "user", "create", "eve"]), @r"
    exit 6
    --- stderr
    Error: a password has 8 to 1024 letters (`[REGISTRY]/api/v2/users` answers 422 Unprocessable Entity)
    ");
    assert_snapshot!(desk.type_in("correct horse", ["registry", "user", "create", "e v"]), @r"
    exit 6
    --- stderr
    Error: `e v` can't be the name of an account: letters, digits, `-`, `_` and `.`, at most [LIMIT], the first a letter or digit (`[REGISTRY]/api/v2/users` answers 422 Unprocessable Entity)
    ");
    assert_snapshot!(desk.run(["registry", "user", "create", "eve"]), @r"
    exit 2
    --- stderr
    Error: nobody is there to be asked for a secret
    Hint: Write it to standard input.
    ");
    assert_snapshot!(desk.say("registry user show admin"), @r"
    exit 0
    --- stdout
    Name:    admin
    Kind:    user
    Admin:   yes
    Used:    0 B
    Created: [TIME]
    ");
    assert_snapshot!(desk.say("registry user update bob --quota 20GiB --disable"), @r"
    exit 0
    --- stdout
    Name:     bob
    Kind:     user
    E-mail:   bob@example.org
    Admin:    no
    Disabled: yes
    Used:     0 B
    Quota:    20.00 GiB
    Created:  [TIME]
    ");
    assert_snapshot!(desk.say("registry user list"), @r"
    exit 0
    --- stdout
    NAME   ADMIN  USED  QUOTA      STATE
    admin  yes    0 B
    bob           0 B   20.00 GiB  disabled
    ");
    assert_snapshot!(desk.say("registry user show nobody"), @r"
    exit 3
    --- stderr
    Error: there is no account `nobody` (`[REGISTRY]/api/v2/user/nobody` answers 404 Not Found)
    ");
    assert_snapshot!(desk.say("registry user delete bob"), @r"
    exit 2
    --- stderr
    Error: user `bob` is not removed without a yes, and nobody is there to give it
    Hint: `--force` does it without asking.
    ");
    assert_snapshot!(desk.say("registry user delete bob --force"), @r"
    exit 0
    --- stdout
    Removed user bob
    ");
}

#[test]
fn organisations_and_their_members() {
    let desk = Desk::ready();
    desk.type_in("correct horse", ["registry", "user", "create", "bob"]).success();
    assert_snapshot!(desk.run(["registry", "org", "create", "tools", "-d", "Our tools"]), @r"
    exit 0
    --- stdout
    Name:        tools
    Description: Our tools
    Role:        admin
    Used:        0 B
    Created:     [TIME]
    ");
    assert_snapshot!(desk.say("registry org create acme"), @r"
    exit 6
    --- stderr
    Error: `acme` is taken (`[REGISTRY]/api/v2/organizations` answers 422 Unprocessable Entity)
    ");
    assert_snapshot!(desk.say("registry org update acme --quota 1KiB"), @r"
    exit 0
    --- stdout
    Name:    acme
    Role:    admin
    Used:    0 B
    Quota:   1.00 KiB
    Created: [TIME]
    ");
    assert_snapshot!(desk.say("registry org list"), @r"
    exit 0
    --- stdout
    NAME   ROLE   USED  QUOTA
    acme   admin  0 B   1.00 KiB
    tools  admin  0 B
    ");
    assert_snapshot!(desk.say("registry member set acme bob read"), @r"
    exit 0
    --- stdout
    bob may read in acme
    ");
    assert_snapshot!(desk.say("registry member set acme eve read"), @r"
    exit 3
    --- stderr
    Error: there is no user `eve` (`[REGISTRY]/api/v2/organization/acme/member/eve` answers 404 Not Found)
    ");
    assert_snapshot!(desk.say("registry member set acme bob king"), @r"
    exit 2
    --- stderr
    Error: invalid value 'king' for '<ROLE>'
      [possible values: read, write, admin]

    `--help` explains more.
    ");
    assert_snapshot!(desk.say("registry member list acme"), @r"
    exit 0
    --- stdout
    NAME   ROLE
    admin  admin
    bob    read
    ");
    // More than the quota.
    desk.make("web.box", "one");
    assert_snapshot!(desk.say("box push web.box acme/web 1.0.0"), @r"
    exit 6
    --- stderr
        box: Reading web.box
    ==> box: Creating box `acme/web`
    ==> box: Creating version 1.0.0
    ==> box: Creating provider libvirt (amd64)
        box: Uploading web.box ([SIZE])
    Error: `acme` has a quota of 1024 bytes and uses 0: there is no room for 2814 more (`[REGISTRY]/upload/[64 DIGITS]` answers 507 Insufficient Storage)
    Hint: `kiste registry prune` removes old versions; an admin of the registry gives more room (`--quota`).
    ");
    desk.publish("tools/web", "1.0.0");
    assert_snapshot!(desk.say("registry org delete tools --force"), @r"
    exit 6
    --- stderr
    Error: `tools` has boxes: it can go when they are gone (`[REGISTRY]/api/v2/organization/tools` answers 409 Conflict)
    ");
    assert_snapshot!(desk.say("registry member remove acme bob"), @r"
    exit 0
    --- stdout
    bob is no member of acme any more
    ");

    // Who may read publishes nothing.
    desk.say("registry member set acme bob read").success();
    desk.say("logout").success();
    desk.type_in("correct horse", ["login", "--username", "bob"]).success();
    assert_snapshot!(desk.say("box push web.box acme/other 1.0.0"), @r"
    exit 6
    --- stderr
        box: Reading web.box
    ==> box: Creating box `acme/other`
    Error: you may not do this with the boxes of `acme`: it needs the role `write` (`[REGISTRY]/api/v2/boxes` answers 403 Forbidden)
    Hint: `kiste whoami` shows who asks. An admin of the organisation gives roles; a token may allow less than its owner may.
    ");
    assert_snapshot!(desk.say("registry user list"), @r"
    exit 6
    --- stderr
    Error: only an administrator of the registry may do this (`[REGISTRY]/api/v2/users?…` answers 403 Forbidden)
    Hint: `kiste whoami` shows who asks. An admin of the organisation gives roles; a token may allow less than its owner may.
    ");
    assert_snapshot!(desk.say("registry audit"), @r"
    exit 6
    --- stderr
    Error: only an administrator of the registry may do this (`[REGISTRY]/api/v2/audit?…` answers 403 Forbidden)
    Hint: `kiste whoami` shows who asks. An admin of the organisation gives roles; a token may allow less than its owner may.
    ");
}

#[test]
fn tokens_and_the_audit_log() {
    let desk = Desk::ready();
    let made = desk.run(["registry", "token", "create", "--description", "ci", "--scope", "read", "--org", "acme", "--expires-in", "90d"]);
    let token = made.raw.trim().to_owned();
    assert_snapshot!(made, @r"
    exit 0
    --- stdout
    [64 DIGITS]
    --- stderr
        box: This token is shown only now.
    ");
    assert_snapshot!(desk.say("registry token create --org nowhere"), @r"
    exit 6
    --- stderr
    Error: there is no organisation `nowhere`, or you don't belong to it (`[REGISTRY]/api/v2/tokens` answers 422 Unprocessable Entity)
    ");
    let (listed, json) = (desk.say("registry token list"), desk.say("registry token list --json").json());
    assert_snapshot!(listed, @r"
    exit 0
    --- stdout
    ID                                    SCOPE  ORG   CREATED                   EXPIRES                   USED                      DESCRIPTION
    [TOKEN-ID]  read   acme  [TIME]  [TIME]                            ci
    [TOKEN-ID]  admin        [TIME]                            [TIME]  first start
    ");
    let id = json["tokens"][0]["id"].as_str().unwrap().to_owned();
    assert_snapshot!(desk.run(["registry", "audit", "--limit", "3"]), @r"
    exit 0
    --- stdout
    TIME                      WHO    ACTION               WHAT                                  DETAIL       FROM
    [TIME]  admin  token.create         [TOKEN-ID]  read         [ADDRESS]
    [TIME]  admin  organization.create  acme                                               [ADDRESS]
    [TIME]  admin  user.create          admin                                 first start
    ");
    assert_snapshot!(desk.run(["registry", "audit", "--action", "organization.create", "-q"]), @r"
    exit 0
    --- stdout
    acme
    ");
    desk.make("web.box", "one");
    let Desk { env, world } = desk;
    let env = env.var("KISTE_TOKEN", &token);
    assert_snapshot!(plain(env.run(["whoami"])), @r"
    exit 0
    --- stdout
    admin at [REGISTRY]
    ");
    assert_snapshot!(plain(env.run(["box", "push", "web.box", "acme/web", "1.0.0"])), @r"
    exit 6
    --- stderr
        box: Reading web.box
    ==> box: Creating box `acme/web`
    Error: you may not do this with the boxes of `acme`: it needs the role `write` (`[REGISTRY]/api/v2/boxes` answers 403 Forbidden)
    Hint: `kiste whoami` shows who asks. An admin of the organisation gives roles; a token may allow less than its owner may.
    ");
    let env = env.var("KISTE_TOKEN", &world.admin);
    assert_snapshot!(plain(env.run(["registry", "token", "delete", &id])), @r"
    exit 0
    --- stdout
    Token [TOKEN-ID] is good for nothing any more
    ");
    assert_snapshot!(plain(env.run(["registry", "token", "delete", "abc"])), @r"
    exit 3
    --- stderr
    Error: there is no token `abc`, or it is not yours (`[REGISTRY]/api/v2/token/abc` answers 404 Not Found)
    ");
}
