//! Types that the peers have and this project has no driver for. They are named as such, never called unknown.

/// Builders.
pub const BUILDERS: &[&str] = &[
    "alicloud-ecs",
    "amazon-chroot",
    "amazon-ebs",
    "amazon-ebssurrogate",
    "amazon-ebsvolume",
    "amazon-instance",
    "anka",
    "azure-arm",
    "azure-chroot",
    "azure-dtl",
    "cloudstack",
    "digitalocean",
    "exoscale",
    "googlecompute",
    "hcloud",
    "hyperone",
    "hyperv-iso",
    "hyperv-vmcx",
    "jdcloud",
    "linode",
    "lxc",
    "lxd",
    "ncloud",
    "oneandone",
    "openstack",
    "oracle-classic",
    "oracle-oci",
    "osc-bsu",
    "osc-bsusurrogate",
    "osc-bsuvolume",
    "osc-chroot",
    "parallels-iso",
    "parallels-ipsw",
    "parallels-macvm",
    "parallels-pvm",
    "profitbricks",
    "proxmox",
    "proxmox-clone",
    "proxmox-iso",
    "qemu",
    "scaleway",
    "tencentcloud-cvm",
    "triton",
    "ucloud-uhost",
    "vagrant",
    "virtualbox-iso",
    "virtualbox-ovf",
    "virtualbox-vm",
    "vmware-iso",
    "vmware-vmx",
    "vsphere-clone",
    "vsphere-iso",
    "vultr",
    "yandex",
];

/// Provisioners.
pub const PROVISIONERS: &[&str] =
    &["ansible", "azure-dtlartifact", "chef-client", "chef-solo", "converge", "hcp-sbom", "inspec", "puppet-server", "windows-update"];

/// Post-processors.
pub const POST_PROCESSORS: &[&str] = &[
    "alicloud-import",
    "amazon-import",
    "artifice",
    "checksum",
    "compress",
    "digitalocean-import",
    "exoscale-import",
    "googlecompute-export",
    "googlecompute-import",
    "manifest",
    "provenance",
    "ucloud-import",
    "vagrant-cloud",
    "vagrant-registry",
    "vsphere",
    "vsphere-template",
    "yandex-export",
    "yandex-import",
];

/// What to say of a type that is not built in.
pub fn not_here(what: &str, kind: &str, known: &[&str]) -> String {
    if known.contains(&kind) {
        format!("error initializing {what} '{kind}': it is known, but not built in: kiste has no driver for it")
    } else {
        format!("error initializing {what} '{kind}': Unknown {what} {kind}")
    }
}
