//! `kiste logs`.

use crate::harness::Env;

#[test]
fn what_the_guest_wrote_without_its_escape_sequences() {
    let env = Env::ready();
    env.run(["up"]).success();
    let log = env.machine("default").join("serial.log");
    let mut text = std::fs::read_to_string(&log).unwrap();
    text.push_str("\u{1b}]0;evil\u{7}\u{1b}[2Jafter\nno newline");
    std::fs::write(&log, text).unwrap();
    let shown = env.run(["logs"]).success();
    assert!(shown.ends_with("after\nno newline\n") && !shown.contains('\u{1b}'), "{shown:?}");
}

#[test]
fn follow_ends_with_ctrl_c() {
    let env = Env::ready();
    env.run(["up"]).success();
    let mut running = env.start(["logs", "--follow"]);
    std::thread::sleep(std::time::Duration::from_millis(200));
    running.interrupt();
    let output = running.end();
    assert!(output.stdout.contains("login"), "{output}");
}
