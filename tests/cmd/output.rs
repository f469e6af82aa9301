//! The forms of output: colours, prefixes, hostile text, pipes that close.

use crate::harness::Env;

fn provisioned(inline: &str) -> Env {
    let env = Env::ready();
    let text = toml::Value::String(inline.to_owned());
    env.kistefile(&format!("box = \"debian/12\"\n[[provision]]\ntype = \"shell\"\nkeep_color = true\ninline = {text}\n"));
    env
}

const HOSTILE: &str = "printf '\\033]0;title\\007\\033[2J\\033[31mred\\033[0m\\a\\n'";

#[test]
fn a_log_has_no_escape_sequences() {
    let output = provisioned(HOSTILE).run(["up"]);
    assert!(output.stderr.contains("default: red\n") && !output.stderr.contains('\u{1b}') && !output.stderr.contains('\u{7}'), "{output}");
}

#[test]
fn with_colours_only_colours_get_through() {
    let output = provisioned(HOSTILE).run(["up", "--color"]);
    assert!(output.stderr.contains("\u{1b}[31mred\u{1b}[0m"), "{:?}", output.stderr);
    assert!(!output.stderr.contains("\u{1b}[2J") && !output.stderr.contains("\u{1b}]0"), "{:?}", output.stderr);
}

#[test]
fn no_color_is_the_last_word() {
    let output = provisioned(HOSTILE).run(["up", "--color", "--no-color"]);
    assert!(!output.stderr.contains('\u{1b}'), "{:?}", output.stderr);
}

#[test]
fn machine_readable_is_one_record_a_line() {
    let output = provisioned("echo one, two").run(["up", "--machine-readable"]);
    assert!(output.stdout.lines().all(|l| l.starts_with("[EPOCH],")), "{output}");
    assert!(output.stdout.contains("[EPOCH],default,action,up,start\n"), "{output}");
    assert!(output.stdout.contains("one%!(VAGRANT_COMMA) two"), "{output}");
    assert!(output.stderr.is_empty(), "{output}");
}

#[test]
fn an_error_in_every_form() {
    let env = Env::new();
    let json = env.run(["status", "--json"]);
    assert_eq!((json.code, json.json()["error"]["exit_code"].as_u64()), (Some(2), Some(2)));
    let last = env.run(["up", "--json"]).json_lines().pop().unwrap();
    assert_eq!((last["event"].as_str(), last["error"]["kind"].as_str()), (Some("failed"), Some("Usage")));
    assert!(env.run(["up", "--machine-readable"]).stdout.contains(",,error-exit,Kiste::Usage,"));
}

#[test]
fn timestamps_begin_each_line() {
    let output = Env::ready().run(["up", "--timestamp"]);
    assert!(output.stderr.lines().all(|l| l.starts_with("[TIME]: ")), "{output}");
}

#[test]
fn sensitive_variables_stay_out_of_every_output() {
    let env = Env::ready();
    env.kistefile("box = \"debian/12\"\n[[provision]]\ntype = \"shell\"\nsensitive = true\nenv = { TOKEN = \"s3cr3t-value\" }\ninline = \"echo the token is $TOKEN; exit 1\"\n");
    let output = env.run(["up", "--debug", "--json"]);
    assert_ne!(output.code, Some(0));
    assert!(!output.stdout.contains("s3cr3t-value") && !output.stderr.contains("s3cr3t-value"), "{output}");
}

#[test]
fn status_starts_quickly_and_alone() {
    let env = Env::ready();
    let log = env.run(["status", "--debug"]);
    assert!(!log.stderr.contains("host program"), "status starts no programs: {log}");
    log.success();
}
