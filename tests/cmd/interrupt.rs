//! Ctrl-C: once unwinds, twice stops at once; and the next command works.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::harness::Env;

const SLOW: &str = "box = \"debian/12\"\n[[provision]]\ntype = \"shell\"\ninline = \"echo begun; sleep 30\"\n";

/// A project whose `up` stands still after it said `phase`.
fn slow() -> Env {
    let env = Env::ready().var("KISTE_FAKE_SLOW_START_MS", "1500").var("KISTE_FAKE_READY_AFTER_MS", "1500");
    env.kistefile(SLOW);
    env
}

const PHASES: [&str; 5] = ["Bringing machine", "Creating the machine", "Booting the machine", "Waiting for the guest", "default: begun"];

#[test]
fn once_in_each_phase_leaves_nothing_half_made() {
    for phase in PHASES {
        let env = slow();
        let mut up = env.start(["up"]);
        up.until(phase).interrupt();
        let output = up.end();
        assert_eq!(output.code, Some(130), "{phase}: {output}");
        assert!(output.stderr.contains("Interrupted: cleaning up"), "{phase}: {output}");
        let status = env.run(["status"]).success();
        assert!(status.contains("not created"), "{phase}: {status}");
        env.kistefile("box = \"debian/12\"\n");
        env.run(["up"]).success();
    }
}

#[test]
fn a_machine_may_be_kept() {
    let env = slow();
    let mut up = env.start(["up", "--no-destroy-on-error"]);
    up.until("default: begun").interrupt();
    assert_eq!(up.end().code, Some(130));
    assert!(env.run(["status"]).success().contains("running"));
}

#[test]
fn a_machine_from_before_is_never_destroyed() {
    let env = slow();
    env.run(["up", "--no-provision"]).success();
    let mut up = env.start(["up", "--provision"]);
    up.until("default: begun").interrupt();
    assert_eq!(up.end().code, Some(130));
    assert!(env.run(["status"]).success().contains("running"));
}

#[test]
fn twice_stops_at_once() {
    let env = slow();
    env.kistefile(
        "box = \"debian/12\"\n[[provision]]\ntype = \"shell\"\ninline = \"trap '' TERM; echo begun; for n in 1 2 3 4 5 6 7 8 9; do sleep 5; done\"\n",
    );
    let mut up = env.start(["up"]);
    up.until("default: begun").interrupt();
    up.until("Interrupted: cleaning up").interrupt();
    assert_eq!(up.end().code, Some(130));
    env.kistefile("box = \"debian/12\"\n");
    env.run(["up"]).success();
}

#[test]
fn sigterm_and_a_closed_terminal_are_the_same() {
    for signal in [Signal::TERM, Signal::HUP] {
        let env = slow();
        let mut up = env.start(["up"]);
        up.until("default: begun").signal(signal);
        assert_eq!(up.end().code, Some(130), "{signal:?}");
        assert!(env.run(["status"]).success().contains("not created"));
    }
}

#[test]
fn a_wait_ends_long_before_its_timeout() {
    let env = Env::ready().var("KISTE_FAKE_NEVER_READY", "true");
    let began = Instant::now();
    let mut up = env.start(["up"]);
    up.until("Waiting for the guest").interrupt();
    assert_eq!(up.end().code, Some(130));
    assert!(began.elapsed() < Duration::from_secs(120), "the timeout is 300 s");
}
