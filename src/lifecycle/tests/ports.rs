//! Forwarded ports: taken ones, corrected ones, kept ones, many at once.

use std::net::{TcpListener, UdpSocket};

use kiste_core::network::Port;

use super::{World, machine};
use crate::{Error, UpOptions};

fn port(guest: u16, host: u16, more: serde_json::Value) -> Port {
    let mut json = serde_json::json!({ "guest": guest, "host": host });
    json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(json).unwrap()
}

fn of(world: &World, guest: u16) -> u16 {
    crate::ports(&world.env, None).unwrap().into_iter().find(|p| p.guest == guest).unwrap().host
}

#[test]
fn a_taken_port_names_its_holder() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = taken.local_addr().unwrap().port();
    let world = World::one(|m| m.ports.push(port(80, host, serde_json::json!({}))));
    let error = world.up().unwrap_err();
    assert!(matches!(error, Error::PortTaken { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(&format!("127.0.0.1:{host}/tcp")) && text.contains("port 80"), "{text}");
    if cfg!(target_os = "linux") {
        assert!(text.contains(&format!("(pid {})", std::process::id())), "{text}");
    }
    drop(taken);
    world.up().unwrap();
    assert_eq!(of(&world, 80), host);
}

#[test]
fn udp_is_looked_at_as_udp() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let host = taken.local_addr().unwrap().port();
    let world = World::one(|m| m.ports.push(port(53, host, serde_json::json!({ "protocol": "udp" }))));
    assert!(matches!(world.up(), Err(Error::PortTaken { .. })));
    let world = World::one(|m| m.ports.push(port(53, host, serde_json::json!({}))));
    world.up().unwrap();
}

#[test]
fn a_corrected_port_is_kept_while_it_is_free() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = taken.local_addr().unwrap().port();
    let world = World::one(|m| {
        m.ports.push(port(80, host, serde_json::json!({ "auto_correct": true })));
        m.usable_port_range = (43100, 43160);
    });
    world.up().unwrap();
    let given = of(&world, 80);
    assert!((43100..=43160).contains(&given));
    assert!(world.told().contains(&format!("Port {host} is taken")));
    drop(taken);
    crate::reload(&world.env, &[], &UpOptions::default(), true).unwrap();
    assert_eq!(of(&world, 80), given, "kept though the wanted one is free again");
    crate::halt(&world.env, &[], true).unwrap();
    let _other = TcpListener::bind(("127.0.0.1", given)).unwrap();
    world.up().unwrap();
    assert_eq!(of(&world, 80), host, "the wanted one, since the kept one is taken now");
}

#[test]
fn a_range_that_is_used_up_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = taken.local_addr().unwrap().port();
    let world = World::one(|m| {
        m.ports.push(port(80, host, serde_json::json!({ "auto_correct": true })));
        m.usable_port_range = (host, host);
    });
    assert!(matches!(world.up(), Err(Error::PortsUsedUp { .. })));
}

#[test]
fn machines_that_start_at_once_get_different_ports() {
    let range = (43300, 43320);
    let machines = (0..6).map(|n| {
        let mut m = machine(&format!("m{n}"));
        m.usable_port_range = range;
        m.ports.push(port(80, 43300, serde_json::json!({ "auto_correct": true })));
        m
    });
    let world = World::new(machines.collect());
    // The fake guest binds nothing, so only what is held while all are starting counts: hold each start for a while.
    let world = slow(world);
    world.up().unwrap();
    let mut given: Vec<u16> = (0..6)
        .map(|n| {
            let ports = crate::ports(&world.env, Some(&format!("m{n}"))).unwrap();
            ports.into_iter().find(|p| p.guest == 80).unwrap().host
        })
        .collect();
    given.sort_unstable();
    given.dedup();
    assert_eq!(given.len(), 6, "{given:?}");
}

fn slow(mut world: World) -> World {
    for machine in &mut world.env.project.machines {
        super::fault(machine, "slow_start_ms", 400);
    }
    world
}

#[test]
fn switching_ssh_off_leaves_the_others() {
    let world = World::one(|m| {
        m.ports[0].disabled = true;
        m.ports.push(port(80, 0, serde_json::json!({})));
    });
    world.up().unwrap();
    let ports = crate::ports(&world.env, None).unwrap();
    assert_eq!((ports.len(), ports[0].guest), (1, 80));
    assert_ne!(ports[0].host, 0);
}
