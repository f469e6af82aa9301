use super::*;
use crate::steps::run_trial;

fn prepared(text: &str) -> (BootCommand, Vec<String>) {
    run_trial::prepared(text, BootCommand::prepare)
}

fn mistakes(text: &str) -> Vec<String> {
    prepared(text).1
}

#[test]
fn texts_are_rendered_when_they_are_typed() {
    let (command, mistakes) =
        prepared(r#"{"boot_command": ["{{user `who`}} http://{{ .HTTPIP }}:{{.HTTPPort}}/", "<enter>"], "boot_wait": "3s"}"#);
    assert_eq!(mistakes, Vec::<String>::new());
    assert_eq!(command.boot_wait, Duration::from_secs(3));
    let fields = Fields::from([("HTTPIP".to_owned(), "10.0.2.2".to_owned()), ("HTTPPort".to_owned(), "8123".to_owned())]);
    let actions = command.actions(&command.steps[0], &fields).unwrap();
    let typed: String = actions.iter().map(|a| if let Action::Character(c, _) = a { *c } else { '⏎' }).collect();
    assert_eq!(typed, "me http://10.0.2.2:8123/⏎");
    let error = command.actions(&command.steps[0], &Fields::new()).unwrap_err().to_string();
    assert!(error.contains("boot_command") && error.contains("HTTPIP"), "{error}");
}

#[test]
fn what_a_rendered_text_holds_is_checked_again() {
    let (command, mistakes) = prepared(r#"{"boot_command": "{{ .Name }}"}"#);
    assert_eq!(mistakes, Vec::<String>::new());
    let error = command.actions(&command.steps[0], &Fields::from([("Name".to_owned(), "ü".to_owned())])).unwrap_err().to_string();
    assert!(error.contains("`ü`"), "{error}");
}

#[test]
fn every_mistake_is_told_before_anything_starts() {
    assert_eq!(mistakes(r#"{"boot_command": ["<wait-1s>", "ö"]}"#).len(), 2);
    assert_eq!(mistakes(r#"{"boot_command": ["{{ .HTTPIP"]}"#).len(), 1);
    assert_eq!(mistakes(r#"{"boot_command": ["a"], "disable_vnc": true}"#), ["A boot command cannot be used when vnc is disabled."]);
    assert_eq!(mistakes(r#"{"disable_vnc": true}"#), Vec::<String>::new());
    assert_eq!(mistakes(r#"{"boot_command": "a", "boot_steps": [["b", "c"]]}"#), ["Both boot command and boot steps cannot be used."]);
    assert_eq!(mistakes(r#"{"boot_steps": [["b", "c"], ["d"]]}"#), Vec::<String>::new());
    assert_eq!(mistakes(r#"{"boot_steps": [["b", "c", "d"]]}"#).len(), 1);
    assert_eq!(mistakes(r#"{"boot_wait": "x", "boot_key_interval": 5.5}"#).len(), 2);
}
