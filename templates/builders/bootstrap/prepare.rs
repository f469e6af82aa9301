//! Reads and checks the options of `bootstrap`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kiste_boxes::architecture;
use kiste_core::Size;

use super::distribution::Distribution;
use super::{Bootstrap, Shared};
use crate::builder::{Builder, BuilderContext};
use crate::builders::machine::{file_name, machine};
use crate::options::Options;

const VARIANTS: [&str; 8] = ["minbase", "apt", "required", "buildd", "important", "debootstrap", "standard", "essential"];
const SMALLEST: Size = Size::gib(1);
/// Beyond this the boot loader's file system (without 64-bit block numbers) and the partition table end.
const LARGEST: Size = Size(2 << 40);

/// The builder, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>, context: &BuilderContext<'_>) -> Option<Box<dyn Builder>> {
    let suite = suite(options);
    let distribution = distribution(options, &suite);
    let architecture = architecture(options);
    let (sources, guest_sources) = sources(options, distribution, &suite);
    let packages = packages(options, distribution, &suite, &architecture);
    let (user, password) = login(options);
    let output_directory = PathBuf::from(options.text("output_directory").unwrap_or_else(|| format!("output-{}", context.name)));
    let vm_name = file_name(options, context.name);
    let image = output_directory.join(format!("{vm_name}.qcow2"));
    if image.exists() && !context.force {
        options.problem(None, format!("Output `{}` already exists. It must not exist (`-force` replaces it).", image.display()));
    }
    Some(Box::new(Shared(Arc::new(Bootstrap {
        machine: machine(options, context.name),
        variant: variant(options),
        sources,
        guest_sources,
        keyrings: keyrings(options),
        packages,
        recommends: options.boolean("install_recommends").unwrap_or(false),
        documentation: options.boolean("documentation").unwrap_or(false),
        architecture,
        disk_size: disk_size(options),
        hostname: hostname(options, distribution),
        user,
        password,
        kernel_arguments: kernel_arguments(options),
        bootstrap_timeout: options.duration("bootstrap_timeout").unwrap_or(Duration::from_secs(3600)),
        ssh_timeout: options.duration("ssh_timeout").unwrap_or(Duration::from_secs(600)),
        shutdown_timeout: options.duration("shutdown_timeout").unwrap_or(Duration::from_secs(300)),
        output_directory,
        vm_name,
        suite,
    }))))
}

fn suite(options: &mut Options<'_>) -> String {
    let at = options.place("suite");
    let suite = options.text("suite").unwrap_or_default();
    if suite.is_empty() {
        options.problem(at, "`suite` is needed: `bookworm`, `trixie`, `noble` …");
    } else if !is_word(&suite) {
        options.problem(at, format!("`suite` must be the name of a suite, not `{suite}`"));
    }
    suite
}

/// One plain word, which can't be taken for an option or a path.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "-+._~:".contains(c))
}

fn distribution(options: &mut Options<'_>, suite: &str) -> Distribution {
    let at = options.place("distribution");
    let Some(word) = options.text("distribution") else { return Distribution::of_suite(suite) };
    Distribution::named(&word).unwrap_or_else(|| {
        options.problem(at, format!("`distribution` must be `debian` or `ubuntu`, not `{word}`"));
        Distribution::Debian
    })
}

fn architecture(options: &mut Options<'_>) -> String {
    let at = options.place("architecture");
    let wanted = options.text("architecture").map_or_else(|| architecture::host().to_owned(), |a| architecture::normalise(&a));
    if wanted != "amd64" {
        options.problem(at, format!("not built in yet: disks for `{wanted}` (this version makes disks that boot by BIOS: `amd64`)"));
    } else if architecture::host() != wanted {
        options.problem(at, format!("not built in yet: disks for `{wanted}` on a host that is `{}`", architecture::host()));
    }
    wanted
}

fn sources(options: &mut Options<'_>, distribution: Distribution, suite: &str) -> (Vec<String>, Vec<String>) {
    let mirror = address(options, "mirror").unwrap_or_else(|| distribution.mirror().to_owned());
    let guest_mirror = address(options, "guest_mirror").unwrap_or_else(|| mirror.clone());
    let security = match address(options, "security_mirror") {
        Some(word) if word == "none" => String::new(),
        given => given.unwrap_or_else(|| distribution.security_mirror().to_owned()),
    };
    let components = options.list("components").filter(|c| !c.is_empty()).unwrap_or_else(|| distribution.components());
    let at = options.place("extra_repositories");
    let extra = options.lines("extra_repositories").unwrap_or_default();
    for line in extra.iter().filter(|l| !l.starts_with("deb ") || l.contains('\n')) {
        options.problem(at, format!("`extra_repositories` holds lines of sources.list (`deb ADDRESS SUITE COMPONENT…`), not `{line}`"));
    }
    let with = |mirror: &str| {
        let mut lines = distribution.sources(suite, mirror, &security, &components);
        lines.extend(extra.iter().cloned());
        lines
    };
    (with(&mirror), with(&guest_mirror))
}

fn address(options: &mut Options<'_>, key: &'static str) -> Option<String> {
    let at = options.place(key);
    let address = options.text(key)?;
    let known = ["http://", "https://", "file:/", "copy:/", "ftp://", "mirror+"].iter().any(|s| address.starts_with(s));
    let nothing = key == "security_mirror" && address == "none";
    if !(known || nothing) || address.contains(char::is_whitespace) {
        options.problem(at, format!("`{key}` must be the address of a mirror, not `{address}`"));
    }
    Some(address.trim_end_matches('/').to_owned())
}

fn packages(options: &mut Options<'_>, distribution: Distribution, suite: &str, architecture: &str) -> Vec<String> {
    let at = options.place("packages").or(options.place("include")).or(options.place("kernel_package"));
    let kernel = options.text("kernel_package").unwrap_or_else(|| distribution.kernel(architecture));
    let mut wanted: Vec<String> = distribution.base_packages(suite).into_iter().map(str::to_owned).collect();
    wanted.push(kernel);
    wanted.extend(options.list("packages").unwrap_or_default());
    wanted.extend(options.list("include").unwrap_or_default());
    for package in wanted.iter().filter(|p| !is_word(p)) {
        options.problem(at, format!("`{package}` cannot be the name of a package"));
    }
    let mut seen = std::collections::BTreeSet::new();
    wanted.retain(|p| seen.insert(p.clone()));
    wanted
}

fn login(options: &mut Options<'_>) -> (String, Option<String>) {
    let at = options.place("ssh_username");
    let user = options.text("ssh_username").unwrap_or_else(|| "root".to_owned());
    let plain = user.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
    if !plain || !user.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') || user.len() > 32 {
        options.problem(at, format!("`{user}` cannot be the name of a user"));
    }
    let at = options.place("ssh_password");
    let password = options.text("ssh_password");
    if password.as_ref().is_some_and(|p| p.contains(['\n', '\r', '\0'])) {
        options.problem(at, "`ssh_password` must be one line");
    }
    (user, password)
}

fn variant(options: &mut Options<'_>) -> String {
    let at = options.place("variant");
    let variant = options.text("variant").unwrap_or_else(|| "minbase".to_owned());
    if !VARIANTS.contains(&variant.as_str()) {
        options.problem(at, format!("`variant` must be one of {}, not `{variant}`", VARIANTS.join(", ")));
    }
    variant
}

fn keyrings(options: &mut Options<'_>) -> Vec<PathBuf> {
    let at = options.place("keyring");
    let files: Vec<PathBuf> = options.list("keyring").unwrap_or_default().into_iter().map(PathBuf::from).collect();
    for file in files.iter().filter(|f| !f.exists()) {
        options.problem(at, format!("`keyring`: there is no `{}`", file.display()));
    }
    files.into_iter().map(|f| std::path::absolute(&f).unwrap_or(f)).collect()
}

fn disk_size(options: &mut Options<'_>) -> Size {
    let at = options.place("disk_size");
    let size = options.size("disk_size").unwrap_or(Size::gib(20));
    if size < SMALLEST || size >= LARGEST || !size.0.is_multiple_of(Size::mib(1).0) {
        options.problem(at, format!("`disk_size` must be whole MiB from {SMALLEST} to below {LARGEST}, not {size}"));
    }
    size
}

fn hostname(options: &mut Options<'_>, distribution: Distribution) -> String {
    let at = options.place("hostname");
    let name = options.text("hostname").unwrap_or_else(|| distribution.word().to_owned());
    let label = |l: &str| !l.is_empty() && l.len() <= 63 && !l.starts_with('-') && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !name.split('.').all(label) {
        options.problem(at, format!("`{name}` cannot be a host name"));
    }
    name
}

fn kernel_arguments(options: &mut Options<'_>) -> String {
    let at = options.place("kernel_arguments");
    let text = options.text("kernel_arguments").unwrap_or_else(|| "quiet systemd.show_status=1".to_owned());
    if text.contains(['\n', '\r', '\0']) {
        options.problem(at, "`kernel_arguments` must be one line");
    }
    text
}
