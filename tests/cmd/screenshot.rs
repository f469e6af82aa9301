//! `kiste screenshot`.

use crate::harness::Env;

#[test]
fn a_picture_in_the_working_folder() {
    let env = Env::ready();
    env.run(["up"]).success();
    env.run(["screenshot"]).success();
    let picture = std::fs::read(env.project().join("default.png")).unwrap();
    assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n"));
    env.run(["screenshot", "-o", "other.png"]).success();
    assert!(env.project().join("other.png").is_file());
}

#[test]
fn a_provider_without_a_screen_says_so() {
    let env = Env::ready().var("KISTE_FAKE_LACKS", "screen");
    env.run(["up"]).success();
    let errors = env.run(["screenshot"]).fails(2);
    assert!(errors.contains("`fake` cannot"), "{errors}");
}
