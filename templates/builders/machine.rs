//! Options that the builders with a machine of kiste's own have in common: the machine, and the file its disk becomes.

use kiste_core::{Machine, Size};

use crate::options::Options;

/// The provider that builds.
pub const PROVIDER: &str = "qemu";

/// The machine of a build: `cpus`, `memory`, `accelerator`; what the provider has against them is told.
pub fn machine(options: &mut Options<'_>, name: &str) -> Machine {
    let mut machine = Machine::named(&plain_name(name));
    machine.cpus = Some(options.parsed("cpus", "a number of processors").unwrap_or(2));
    machine.memory = Some(options.size("memory").unwrap_or(Size::mib(1024)));
    let at = options.place("accelerator");
    let accelerator = options.text("accelerator").unwrap_or_else(|| "auto".to_owned());
    machine.settings.insert(PROVIDER.to_owned(), serde_json::json!({ "accel": accelerator }));
    if let Ok(driver) = kiste_providers::named(PROVIDER) {
        for mistake in driver.validate(&machine) {
            options.problem(at, mistake);
        }
    }
    machine
}

/// A name as machines can have it.
fn plain_name(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    let plain = plain.trim_matches(['-', '.']).to_owned();
    if plain.is_empty() { "build".to_owned() } else { plain }
}

/// `vm_name`, the file that the disk becomes; the build's name when none is given.
pub fn file_name(options: &mut Options<'_>, name: &str) -> String {
    let at = options.place("vm_name");
    let file = options.text("vm_name").unwrap_or_else(|| plain_name(name));
    if file.contains('/') || file.starts_with('.') {
        options.problem(at, format!("`vm_name` must be the name of a file, not `{file}`"));
    }
    file
}
