//! Options that only changed their names, or are gone.

use super::{Object, builders};

/// Takes `old` away; its value goes to `new` unless that is there.
pub(super) fn rename(object: &mut Object, old: &str, new: &str) {
    if let Some(value) = object.shift_remove(old) {
        object.entry(new).or_insert(value);
    }
}

/// [`rename`], but the old value wins.
pub(super) fn replace(object: &mut Object, old: &str, new: &str) {
    if let Some(value) = object.shift_remove(old) {
        object.insert(new.to_owned(), value);
    }
}

pub(super) fn parallels_headless(template: &mut Object) -> Result<(), String> {
    builders(template, &["parallels-iso", "parallels-pvm"]).for_each(|b| drop(b.shift_remove("headless")));
    Ok(())
}

pub(super) fn parallels(template: &mut Object) -> Result<(), String> {
    for builder in builders(template, &["parallels-iso", "parallels-pvm"]) {
        builder.shift_remove("parallels_tools_host_path");
        replace(builder, "guest_os_distribution", "guest_os_type");
    }
    Ok(())
}

pub(super) fn ssh_key_path(template: &mut Object) -> Result<(), String> {
    builders(template, &[]).for_each(|b| rename(b, "ssh_key_path", "ssh_private_key_file"));
    Ok(())
}

pub(super) fn ssh_disable_agent(template: &mut Object) -> Result<(), String> {
    builders(template, &[]).for_each(|b| rename(b, "ssh_disable_agent", "ssh_disable_agent_forwarding"));
    Ok(())
}

pub(super) fn scaleway(template: &mut Object) -> Result<(), String> {
    builders(template, &["scaleway"]).for_each(|b| rename(b, "access_key", "organization_id"));
    Ok(())
}

pub(super) fn hyperv_temp_path(template: &mut Object) -> Result<(), String> {
    builders(template, &["hyperv-iso"]).for_each(|b| drop(b.shift_remove("vhd_temp_path")));
    Ok(())
}

pub(super) fn hyperv_typo(template: &mut Object) -> Result<(), String> {
    builders(template, &["hyperv-vmcx"]).for_each(|b| replace(b, "clone_from_vmxc_path", "clone_from_vmcx_path"));
    Ok(())
}

pub(super) fn hyperv_size(template: &mut Object) -> Result<(), String> {
    for builder in builders(template, &["hyperv-iso", "hyperv-vmcx"]) {
        replace(builder, "cpu", "cpus");
        replace(builder, "ram_size", "memory");
    }
    Ok(())
}

pub(super) fn virtualbox_ports(template: &mut Object) -> Result<(), String> {
    for builder in super::builders_like(template, "virtualbox") {
        for name in ["host_port_min", "host_port_max", "skip_nat_mapping"] {
            rename(builder, &format!("ssh_{name}"), name);
        }
    }
    Ok(())
}

pub(super) fn ssh_wait_timeout(template: &mut Object) -> Result<(), String> {
    builders(template, &[]).for_each(|b| rename(b, "ssh_wait_timeout", "ssh_timeout"));
    Ok(())
}

pub(super) fn qemu_ports(template: &mut Object) -> Result<(), String> {
    for builder in builders(template, &["qemu"]) {
        replace(builder, "ssh_host_port_min", "host_port_min");
        replace(builder, "ssh_host_port_max", "host_port_max");
    }
    Ok(())
}
