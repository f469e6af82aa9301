//! What a failed boot leaves behind: screen, monitor, events, QEMU's own words.

use std::fmt::Write;

use super::process;
use super::qmp::Monitor;
use super::record::Running;
use super::{events, screen};
use crate::driver::Vm;
use crate::error::Error;

/// Files of evidence; whatever can't be had says why in its place.
pub fn collect(vm: &Vm<'_>) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("monitor.txt".to_owned(), monitor(vm).unwrap_or_else(|e| format!("{e}\n")).into_bytes()),
        ("events.json".to_owned(), events::text(vm)),
        ("driver.log".to_owned(), std::fs::read(vm.dir.driver_log()).unwrap_or_default()),
    ];
    if let Some(png) = picture(vm) {
        files.push(("screen.png".to_owned(), png));
    }
    if let Ok(Some(rows)) = screen::text(vm) {
        files.push(("screen.txt".to_owned(), (rows.join("\n").trim_end().to_owned() + "\n").into_bytes()));
    }
    files
}

fn picture(vm: &Vm<'_>) -> Option<Vec<u8>> {
    let file = tempfile::Builder::new().suffix(".png").tempfile_in(vm.dir.root()).ok()?;
    screen::screenshot(vm, file.path()).ok()?;
    std::fs::read(file.path()).ok()
}

fn monitor(vm: &Vm<'_>) -> Result<String, Error> {
    let Some(running) = Running::read(vm)? else { return Ok("no process\n".to_owned()) };
    if process::alive(vm, &running).is_none() {
        return Ok(format!("the process is gone: {:?}\n", events::end(vm)));
    }
    let mut monitor = Monitor::connect(&running.monitor(), process::GLANCE * 3)?;
    let mut text = format!("accelerator: {}\nstatus: {}\n", running.accel.name(), monitor.status()?);
    for question in ["info cpus", "info registers", "info block", "info usernet", "info network", "info chardev"] {
        let answer = monitor.human(question).unwrap_or_else(|e| e.to_string());
        let _ = writeln!(text, "\n{question}\n{}", answer.replace('\r', ""));
    }
    Ok(text)
}
