//! `kiste provision`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn provisioners_run_again() {
    let env = Env::ready();
    env.kistefile("box = \"debian/12\"\n[[provision]]\nname = \"count\"\ntype = \"shell\"\ninline = \"echo x >> /root/count; wc -l < /root/count\"\n");
    env.run(["up"]).success();
    let output = env.run(["provision"]);
    assert!(output.stderr.contains("default: 2"), "{output}");
    output.success();
}

#[test]
fn a_failure_is_told_with_the_end_of_its_output() {
    let env = Env::ready();
    env.kistefile("box = \"debian/12\"\n[[provision]]\ntype = \"shell\"\ninline = \"echo before; echo the reason >&2; exit 23\"\n");
    assert_snapshot!(env.run(["up"]), @"");
    assert_eq!(env.run(["provision"]).code, Some(1));
}

#[test]
fn a_machine_that_does_not_run_can_not_be_provisioned() {
    let env = Env::ready();
    env.kistefile("box = \"debian/12\"\n[[provision]]\ntype = \"shell\"\ninline = \"true\"\n");
    assert_snapshot!(env.run(["provision"]), @"");
}

#[test]
fn a_script_that_is_not_there_is_seen_before_anything_starts() {
    let env = Env::ready();
    env.kistefile("box = \"debian/12\"\n[[provision]]\ntype = \"shell\"\npath = \"none.sh\"\n");
    let errors = env.run(["up"]).fails(2);
    assert!(errors.contains("none.sh"), "{errors}");
    assert!(!env.machine("default").join("machine.json").exists());
}
