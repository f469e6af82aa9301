//! kill -9 in every phase: the next command repairs.

use rustix::process::Signal;

use crate::harness::Env;

const SLOW: &str = "box = \"debian/12\"\n[[provision]]\ntype = \"shell\"\ninline = \"echo begun; sleep 2\"\n";
const PHASES: [&str; 5] = ["Bringing machine", "Creating the machine", "Booting the machine", "Waiting for the guest", "default: begun"];

/// A project whose `command` was killed once it said `phase`.
fn killed(command: &[&str], phase: &str) -> Env {
    let env = Env::ready().var("KISTE_FAKE_SLOW_START_MS", "300").var("KISTE_FAKE_READY_AFTER_MS", "300");
    env.kistefile(SLOW);
    if command[0] != "up" {
        env.run(["up"]).success();
    }
    let mut running = env.start(command);
    running.until(phase).signal(Signal::KILL);
    assert_eq!(running.end().code, None, "{phase}: it was killed");
    env
}

#[test]
fn up_goes_on_after_any_phase() {
    for phase in PHASES {
        let env = killed(&["up"], phase);
        env.run(["status"]).success();
        let again = env.run(["up"]);
        assert_eq!(again.code, Some(0), "{phase}: {again}");
        assert!(env.run(["status"]).success().contains("running"), "{phase}");
        assert_eq!(env.run(["ssh", "-c", "echo alive"]).success(), "alive\n", "{phase}");
    }
}

#[test]
fn destroy_removes_what_is_left_after_any_phase() {
    for phase in PHASES {
        let env = killed(&["up"], phase);
        let output = env.run(["destroy", "--force"]);
        assert_eq!(output.code, Some(0), "{phase}: {output}");
        assert!(!env.machine("default").exists(), "{phase}");
        assert!(env.run(["global-status"]).success().contains("There are no machines"), "{phase}");
    }
}

#[test]
fn the_other_verbs_can_be_killed_too() {
    for (verb, phase) in
        [("halt", "Shutting the machine down"), ("suspend", "Saving"), ("reload", "Shutting the machine down"), ("destroy", "Removing")]
    {
        let command: Vec<&str> = if verb == "destroy" { vec!["destroy", "-f"] } else { vec![verb] };
        let env = killed(&command, phase);
        let again = env.run(["up"]);
        assert_eq!(again.code, Some(0), "{verb}: {again}");
        assert!(env.run(["status"]).success().contains("running"), "{verb}");
    }
}

#[test]
fn an_add_that_was_killed_leaves_no_box_and_can_be_done_again() {
    let env = Env::new();
    crate::harness::boxes::write(&env.project().join("my.box"), "libvirt");
    for _ in 0..5 {
        let mut add = env.start(["box", "add", "--name", "x", "my.box", "--force"]);
        add.until("box:").signal(Signal::KILL);
        let _ = add.end();
        env.run(["box", "list"]).success();
    }
    env.run(["box", "add", "--name", "x", "my.box", "--force"]).success();
    assert_eq!(env.run(["box", "list", "-q"]).success(), "x\n");
}
