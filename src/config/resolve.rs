//! From a table to a machine of the engine, and back.

use kiste_core::machine::{BoxRequest, Download, Machine};

use crate::kistefile::{MachineTable, TriggerTable};

/// Word of the file for the catalog's default architecture, which the engine knows as none.
const DEFAULT_ARCHITECTURE: &str = "default";

/// The machine that a complete table describes.
pub fn machine(name: &str, index: u32, t: MachineTable) -> Machine {
    let base = Machine::named(name);
    let ports = t.ports.iter().cloned().map(|mut port| {
        port.auto_correct |= port.host == 0;
        port
    });
    Machine {
        index,
        primary: t.primary.unwrap_or(base.primary),
        autostart: t.autostart.unwrap_or(base.autostart),
        image: box_request(&t),
        provider: t.provider,
        clone: t.clone,
        cpus: t.cpus,
        memory: t.memory,
        disks: t.disks,
        hostname: t.hostname,
        guest: t.guest,
        communicator: t.communicator.unwrap_or(base.communicator),
        boot_timeout: t.boot_timeout.unwrap_or(base.boot_timeout),
        graceful_halt_timeout: t.graceful_halt_timeout.unwrap_or(base.graceful_halt_timeout),
        post_up_message: t.post_up_message,
        ports: ports.collect(),
        usable_port_range: t.usable_port_range.unwrap_or(base.usable_port_range),
        networks: t.networks,
        folders: t.folders,
        allowed_synced_folder_types: t.allowed_synced_folder_types,
        allow_fstab_modification: t.allow_fstab_modification.unwrap_or(base.allow_fstab_modification),
        allow_hosts_modification: t.allow_hosts_modification.unwrap_or(base.allow_hosts_modification),
        provision: t.provision,
        containers: t.containers,
        triggers: t.triggers.into_iter().map(Into::into).collect(),
        cloud_init: t.cloud_init,
        cloud_init_first_boot_only: t.cloud_init_first_boot_only.unwrap_or(base.cloud_init_first_boot_only),
        ssh: t.ssh,
        winrm: t.winrm,
        base_mac: t.base_mac,
        base_address: t.base_address,
        settings: t.settings,
        name: base.name,
    }
}

fn box_request(t: &MachineTable) -> Option<BoxRequest> {
    let base = BoxRequest::default();
    let architecture = match t.box_architecture.as_deref() {
        Some(DEFAULT_ARCHITECTURE) => None,
        Some(other) => Some(other.to_owned()),
        None => base.architecture,
    };
    Some(BoxRequest {
        name: t.image.clone()?,
        version: t.box_version.clone().unwrap_or(base.version),
        urls: t.box_url.clone(),
        architecture,
        check_update: t.box_check_update.unwrap_or(base.check_update),
        server_url: t.box_server_url.clone(),
        download: Download {
            ca_cert: t.box_download_ca_cert.clone(),
            ca_path: t.box_download_ca_path.clone(),
            client_cert: t.box_download_client_cert.clone(),
            insecure: t.box_download_insecure.unwrap_or(false),
            location_trusted: t.box_download_location_trusted.unwrap_or(false),
            checksum: t.box_download_checksum.clone(),
            checksum_type: t.box_download_checksum_type.clone(),
        },
        ignore_box_vagrantfile: t.ignore_box_vagrantfile.unwrap_or(base.ignore_box_vagrantfile),
    })
}

/// The complete table of a machine.
pub fn table(m: &Machine) -> MachineTable {
    let mut table = MachineTable {
        clone: m.clone.clone(),
        provider: m.provider.clone(),
        primary: Some(m.primary),
        autostart: Some(m.autostart),
        cpus: m.cpus,
        memory: m.memory,
        disks: m.disks.clone(),
        hostname: m.hostname.clone(),
        guest: m.guest.clone(),
        communicator: Some(m.communicator),
        boot_timeout: Some(m.boot_timeout),
        graceful_halt_timeout: Some(m.graceful_halt_timeout),
        post_up_message: m.post_up_message.clone(),
        ports: m.ports.clone(),
        usable_port_range: Some(m.usable_port_range),
        networks: m.networks.clone(),
        folders: m.folders.clone(),
        allowed_synced_folder_types: m.allowed_synced_folder_types.clone(),
        allow_fstab_modification: Some(m.allow_fstab_modification),
        allow_hosts_modification: Some(m.allow_hosts_modification),
        provision: m.provision.clone(),
        containers: m.containers.clone(),
        triggers: m.triggers.iter().map(TriggerTable::from).collect(),
        cloud_init: m.cloud_init.clone(),
        cloud_init_first_boot_only: Some(m.cloud_init_first_boot_only),
        ssh: m.ssh.clone(),
        winrm: m.winrm.clone(),
        base_mac: m.base_mac.clone(),
        base_address: m.base_address,
        settings: m.settings.clone(),
        ..MachineTable::default()
    };
    if let Some(request) = &m.image {
        with_box(&mut table, request);
    }
    table
}

fn with_box(table: &mut MachineTable, request: &BoxRequest) {
    let download = &request.download;
    table.image = Some(request.name.clone());
    table.box_version = Some(request.version.clone()).filter(|v| !v.is_empty());
    table.box_url.clone_from(&request.urls);
    table.box_architecture = Some(request.architecture.clone().unwrap_or_else(|| DEFAULT_ARCHITECTURE.to_owned()));
    table.box_check_update = Some(request.check_update);
    table.box_server_url.clone_from(&request.server_url);
    table.box_download_ca_cert.clone_from(&download.ca_cert);
    table.box_download_ca_path.clone_from(&download.ca_path);
    table.box_download_client_cert.clone_from(&download.client_cert);
    table.box_download_checksum.clone_from(&download.checksum);
    table.box_download_checksum_type.clone_from(&download.checksum_type);
    table.box_download_insecure = Some(download.insecure);
    table.box_download_location_trusted = Some(download.location_trusted);
    table.ignore_box_vagrantfile = Some(request.ignore_box_vagrantfile);
}
