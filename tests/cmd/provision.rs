//! `kiste provision`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn provisioners_run_again() {
    let env = Env::ready();
    env.kistefile(
        "box = \"debian/12\"\n[[provision]]\nname = \"count\"\ntype = \"shell\"\ninline = \"echo x >> ~/count; wc -l < ~/count\"\n",
    );
    env.run(["up"]).success();
    let output = env.run(["provision"]);
    assert!(output.stderr.contains("default: 2"), "{output}");
    output.success();
}

#[test]
fn a_failure_is_told_with_the_end_of_its_output() {
    let env = Env::ready();
    env.kistefile("box = \"debian/12\"\n[[provision]]\ntype = \"shell\"\ninline = \"echo the reason >&2; exit 23\"\n");
    assert_snapshot!(env.run(["up"]), @r"
    exit 1
    --- stderr
    ==> default: Bringing machine 'default' up with 'fake' provider...
    ==> default: Creating the machine from debian/12 (12.5.0)
    ==> default: Forwarding ports
        default: 22 (guest) => 127.0.0.1:[PORT] (host, tcp)
    ==> default: Booting the machine
    ==> default: Waiting for the guest to answer
        default: Waiting for the guest's ssh (at most [LIMIT])...
        default: The guest answers
    ==> default: Replacing the well-known insecure key by one of this machine's own
        default: Waiting for the guest's ssh (at most [LIMIT])...
    ==> default: Running provisioner: shell
        default: Running: inline script
        default: the reason
    Error: provisioner `shell` failed with exit code 23: the reason
    Hint: Mend it and run `kiste provision --provision-with shell`; it is not recorded as done.
    Hint: What was seen is kept in `[ROOT]/project/.kiste/machines/default/fake/evidence/[WHEN]`.
    Hint: The machine is left as it is: `kiste up` goes on with it, `kiste destroy` removes it.
    ");
    assert_eq!(env.run(["provision"]).code, Some(1));
}

#[test]
fn a_machine_that_does_not_run_can_not_be_provisioned() {
    let env = Env::ready();
    env.kistefile("box = \"debian/12\"\n[[provision]]\ntype = \"shell\"\ninline = \"true\"\n");
    assert_snapshot!(env.run(["provision"]), @r"
    exit 3
    --- stderr
    Error: the machine `default` is not created
    Hint: `kiste up default` creates it.
    ");
}

#[test]
fn a_script_that_is_not_there_is_seen_before_anything_starts() {
    let env = Env::ready();
    env.kistefile("box = \"debian/12\"\n[[provision]]\ntype = \"shell\"\npath = \"none.sh\"\n");
    let errors = env.run(["up"]).fails(2);
    assert!(errors.contains("none.sh"), "{errors}");
    assert!(!env.machine("default").join("machine.json").exists());
}
