//! Options of the communicator, and Packer's words about them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::communicator::LoginKey;
use crate::interpolate::{Facts, Scope};
use crate::json::{Value, parse};
use crate::options::Options;
use crate::problem::Place;

fn prepared(json: &str, defaults: Defaults) -> (Communication, Vec<String>) {
    let variables = BTreeMap::new();
    let facts = Facts { start: jiff::Timestamp::UNIX_EPOCH, template_dir: None, build_name: None, build_type: None };
    let Some(Value::Map(entries)) = parse(json).0.map(|n| n.value) else { panic!("{json}") };
    let mut options = Options::new(
        Place { line: 1, column: 1 },
        entries,
        Scope { variables: &variables, facts: &facts, fields: None, in_variables: false },
    );
    let found = super::prepare(&mut options, defaults);
    (found, options.finish().into_iter().map(|p| p.message).collect())
}

fn login(json: &str) -> SshLogin {
    match prepared(json, Defaults::default()) {
        (Communication::Ssh(login), problems) if problems.is_empty() => *login,
        (other, problems) => panic!("{other:?} {problems:?}"),
    }
}

fn problems(json: &str) -> Vec<String> {
    prepared(json, Defaults::default()).1
}

#[test]
fn the_peers_words_for_what_is_wrong() {
    assert_eq!(problems("{}"), ["An ssh_username must be specified\n  Note: some builders used to default ssh_username to \"root\"."]);
    assert_eq!(
        problems(
            r#"{"ssh_username": "u", "ssh_private_key_file": "/nope", "ssh_bastion_host": "b", "ssh_proxy_host": "p",
                "ssh_file_transfer_method": "ftp", "ssh_local_tunnels": ["x", "1:2"], "ssh_remote_tunnels": ["1:b:c"]}"#
        )
        .into_iter()
        .collect::<std::collections::BTreeSet<_>>(),
        [
            "ssh_private_key_file is invalid: stat /nope: no such file or directory",
            "ssh_file_transfer_method ('ftp') is invalid, valid methods: sftp, scp",
            "please specify either ssh_bastion_host or ssh_proxy_host, not both",
            "ssh_local_tunnels ('x') is invalid: Error parsing tunnel 'x': [x]",
            "ssh_local_tunnels ('1:2') is invalid: Error parsing forwarding, must be a tcp address: address 2: missing port in address",
            "ssh_remote_tunnels ('1:b:c') is invalid: Error parsing forwarding port, must be a valid port: `c`",
        ]
        .map(str::to_owned)
        .into()
    );
    assert_eq!(problems(r#"{"communicator": "zzz"}"#), ["Communicator type zzz is invalid"]);
    assert_eq!(
        problems(r#"{"ssh_username": "u", "ssh_bastion_host": "b"}"#),
        ["ssh_bastion_password or ssh_bastion_private_key_file must be specified"]
    );
}

#[test]
fn what_cannot_act_is_refused_with_the_reason() {
    assert!(problems(r#"{"communicator": "winrm", "winrm_username": "u"}"#)[0].contains("known, but not built in"));
    assert!(problems(r#"{"ssh_username": "u", "ssh_ciphers": ["rot13"]}"#)[0].contains("`rot13`"));
    assert!(problems(r#"{"ssh_username": "u", "ssh_key_exchange_algorithms": ["magic"]}"#)[0].contains("`magic`"));
    assert!(problems(r#"{"ssh_username": "u", "temporary_key_pair_type": "dsa"}"#)[0].contains("`dsa`"));
    assert!(problems(r#"{"ssh_username": "u", "temporary_key_pair_type": "ecdsa", "temporary_key_pair_bits": 100}"#)[0].contains("256"));
    assert!(problems(r#"{"ssh_username": "u", "ssh_private_key": "x"}"#)[0].contains("`ssh_private_key_file`"));
    assert!(problems(r#"{"communicator": "docker"}"#)[0].contains("docker builder"));
}

#[test]
fn without_a_communicator_its_options_are_only_read() {
    let (found, wrong) = prepared(r#"{"communicator": "none", "ssh_private_key_file": "/nope", "ssh_pty": true}"#, Defaults::default());
    assert!(matches!(found, Communication::None) && !found.has_guest());
    assert_eq!(wrong, [""; 0]);
    let (found, wrong) = prepared("{}", Defaults { own: Some("docker"), user: None });
    assert!(matches!(found, Communication::Own) && wrong.is_empty());
    let (found, _) = prepared(r#"{"communicator": "ssh"}"#, Defaults { own: Some("docker"), user: Some("root") });
    assert!(matches!(found, Communication::Ssh(login) if login.target.user == "root"));
}

#[test]
fn the_defaults_of_time_and_attempts_hold_only_together() {
    let patience = |json: &str| {
        let login = login(json);
        (login.timeout.map(|t| t.as_secs()), login.attempts)
    };
    assert_eq!(patience(r#"{"ssh_username": "u"}"#), (Some(300), Some(10)));
    assert_eq!(patience(r#"{"ssh_username": "u", "ssh_timeout": "20m"}"#), (Some(1200), None));
    assert_eq!(patience(r#"{"ssh_username": "u", "ssh_handshake_attempts": 3}"#), (None, Some(3)));
    assert_eq!(patience(r#"{"ssh_username": "u", "ssh_wait_timeout": "1m", "ssh_timeout": "2m"}"#), (Some(60), None));
}

#[test]
fn every_option_reaches_the_connection() {
    let login = login(
        r#"{"ssh_username": "u", "ssh_password": "p", "ssh_host": "h", "ssh_port": "2022", "ssh_pty": "true", "ssh_agent_auth": true,
            "ssh_disable_agent_forwarding": true, "ssh_keep_alive_interval": "-1s", "ssh_read_write_timeout": "7s",
            "ssh_file_transfer_method": "sftp", "ssh_ciphers": ["aes128-ctr"], "ssh_bastion_host": "b", "ssh_bastion_port": 23,
            "ssh_bastion_username": "bu", "ssh_bastion_password": "bp", "ssh_remote_tunnels": "8080:127.0.0.1:80",
            "ssh_local_tunnels": ["9090:localhost:90"], "pause_before_connecting": "3s", "temporary_key_pair_type": "ed25519",
            "temporary_key_pair_name": "k", "ssh_clear_authorized_keys": true}"#,
    );
    let target = &login.target;
    assert_eq!((login.host.as_deref(), login.port, target.user.as_str(), target.pty), (Some("h"), 2022, "u", true));
    assert!(!target.keys_only && !target.forward_agent && !target.keep_alive && login.clear_authorized_keys);
    assert_eq!((target.longest_silence, login.pause), (Some(Duration::from_secs(7)), Duration::from_secs(3)));
    assert_eq!((target.transfer, target.ciphers.join(",").as_str()), (Transfer::Sftp, "aes128-ctr"));
    assert_eq!((login.new_key, login.key_name.as_deref()), (NewKey::Ed25519, Some("k")));
    assert_eq!(
        target.tunnels,
        [
            Tunnel { listen: 8080, to: ("127.0.0.1".to_owned(), 80), remote: true },
            Tunnel { listen: 9090, to: ("localhost".to_owned(), 90), remote: false }
        ]
    );
    let Route::Bastion(bastion) = &target.route else { panic!("{:?}", target.route) };
    assert_eq!((bastion.host.as_str(), bastion.port, bastion.user.as_str(), bastion.password.as_deref()), ("b", 23, "bu", Some("bp")));
    let fields = login.fields("x", 5, &LoginKey::default());
    assert_eq!((fields["Host"].as_str(), fields["Port"].as_str(), fields["ConnType"].as_str()), ("h", "5", "ssh"));
}

#[test]
fn a_proxy_keeps_its_login() {
    let login = login(r#"{"ssh_username": "u", "ssh_proxy_host": "p", "ssh_proxy_username": "a", "ssh_proxy_password": "b"}"#);
    let Route::Socks(proxy) = &login.target.route else { panic!() };
    assert_eq!((proxy.port, proxy.login.clone()), (1080, Some(("a".to_owned(), "b".to_owned()))));
    assert!(!format!("{:?}", login.target.route).contains('b'), "a password never reaches a log");
}
