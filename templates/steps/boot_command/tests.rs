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
    assert!(error.contains("boot_command") && error.contains("field"), "{error}");
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

mod typing {
    use std::time::Instant;

    use kiste_core::dirs::MachineDir;
    use kiste_core::{Cancel, Explain, Kind, Machine, Reporter, Size};
    use kiste_providers::fake::Fake;
    use kiste_providers::{Source, Vm};

    use super::*;

    /// Types on a pretended machine; the result, what was said, the keys that moved and what the screen shows.
    fn typed(json: &str, settings: serde_json::Value) -> (Result<(), Error>, Vec<String>, String, Vec<String>) {
        let command = run_trial::good(json, BootCommand::prepare);
        let dir = tempfile::tempdir().unwrap();
        let mut machine = Machine::named("m");
        machine.settings.insert("fake".to_owned(), settings);
        let machine_dir = MachineDir::at(dir.path().join("machine"));
        let home = kiste_core::dirs::Home::at(dir.path().join("home"));
        let (cancel, silent) = (Cancel::new(), Reporter::silent());
        let vm = Vm { machine: &machine, dir: &machine_dir, home: &home, reporter: &silent, cancel: &cancel };
        std::fs::create_dir_all(machine_dir.root()).unwrap();
        Fake.create(&vm, &Source { size: Some(Size::mib(1)), ..Source::default() }).unwrap();
        Fake.start(&vm).unwrap();
        let fields = Fields::from([("HTTPPort".to_owned(), "8123".to_owned())]);
        let (result, said) = run_trial::run(&cancel, |run| command.type_in(&Fake, &vm, &fields, run));
        let record = std::fs::read_to_string(machine_dir.driver_file("fake.json")).unwrap();
        let record: serde_json::Value = serde_json::from_str(&record).unwrap();
        let strokes = record["screen"]["strokes"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect::<Vec<_>>().join(" ");
        let rows = Fake.screen().unwrap().text(&vm).ok().flatten().unwrap_or_default();
        (result, said, strokes, rows)
    }

    #[test]
    fn keys_go_down_and_come_up() {
        let (result, said, strokes, rows) = typed(
            r#"{"boot_wait": "0s", "boot_command": ["aB{{ .HTTPPort }}<enter><leftCtrlOn>c<leftCtrlOff><wait1ms>"]}"#,
            serde_json::Value::Null,
        );
        result.unwrap();
        assert_eq!(said, ["==> Typing the boot command..."]);
        assert_eq!(strokes, "a+ a- shift+ b+ b- shift- 8+ 8- 1+ 1- 2+ 2- 3+ 3- ret+ ret- ctrl+ c+ c- ctrl-");
        assert_eq!(rows, ["fake boot loader", "boot: aB8123", "boot: c"]);
    }

    #[test]
    fn lost_keys_are_seen_and_typed_again() {
        let line = "install script=http://10.0.2.2:8123/install.sh";
        let (result, said, _, rows) =
            typed(&format!(r#"{{"boot_wait": "0s", "boot_command": "{line}"}}"#), serde_json::json!({ "loses_every_key": 30 }));
        result.unwrap();
        assert_eq!(rows.last().unwrap(), &format!("boot: {line}"));
        assert!(said[1].starts_with("warning: The guest lost keys: it shows `"), "{said:?}");
    }

    #[test]
    fn a_text_is_waited_for_and_its_absence_is_an_error_with_what_was_there() {
        let (result, said, ..) = typed(r#"{"boot_wait": "0s", "boot_command": "<wait \"boot:\" 5s>a"}"#, serde_json::Value::Null);
        result.unwrap();
        assert!(said[1].starts_with("    Saw `boot:` on the screen after "), "{said:?}");
        let (result, said, ..) = typed(r#"{"boot_wait": "0s", "boot_command": "<wait \"fake login:\" 5s>"}"#, serde_json::Value::Null);
        result.unwrap();
        assert!(said[1].starts_with("    Saw `fake login:` on the serial console after "), "{said:?}");
        let began = Instant::now();
        let (result, ..) = typed(r#"{"boot_wait": "0s", "boot_command": "x<wait \"welcome\" 300ms>never"}"#, serde_json::Value::Null);
        let error = result.unwrap_err();
        assert_eq!(error.kind(), Kind::Guest);
        assert!(error.to_string().contains("the text `welcome` is not ready after") && error.to_string().contains("boot: x"), "{error}");
        assert!(began.elapsed() >= Duration::from_millis(300));
    }

    #[test]
    fn a_machine_that_dies_is_not_waited_for() {
        let (result, ..) =
            typed(r#"{"boot_wait": "0s", "boot_command": "<wait \"welcome\" 1h>"}"#, serde_json::json!({ "dies_after_ms": 300 }));
        assert!(result.unwrap_err().to_string().contains("the machine died"));
    }
}
