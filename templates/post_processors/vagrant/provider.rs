//! Providers that boxes are made for, and who makes the machines for them.

use crate::artifact::Artifact;

/// A provider of boxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provider(&'static Row);

#[derive(Debug, PartialEq, Eq)]
struct Row {
    name: &'static str,
    /// What the box's metadata calls it.
    in_metadata: &'static str,
    kind: Kind,
    /// Ids of artifacts that become such boxes.
    builders: &'static [&'static str],
}

/// How a provider's boxes are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Disks under names of their own.
    Disks,
    /// `box.ovf` and what belongs to it.
    Ovf,
    /// All files, side by side.
    Flat,
    /// What is in the machine's folder.
    Parallels,
    /// Files in the folders that Hyper-V exports.
    HyperV,
    /// Nothing but a Vagrantfile that names an image.
    Image,
    /// Images by region, which no artifact of ours has.
    Cloud,
}

const ROWS: &[Row] = &[
    row("aws", Kind::Cloud, &["mitchellh.amazonebs", "mitchellh.amazon.instance"]),
    row("azure", Kind::Cloud, &["Azure.ResourceManagement.VMImage"]),
    row("digitalocean", Kind::Cloud, &["pearkes.digitalocean"]),
    row(
        "docker",
        Kind::Image,
        &["packer.post-processor.docker-import", "packer.post-processor.docker-tag", "packer.post-processor.docker-push"],
    ),
    row("google", Kind::Image, &["packer.googlecompute"]),
    row("hyperv", Kind::HyperV, &["MSOpenTech.hyperv"]),
    row("libvirt", Kind::Disks, &["transcend.qemu"]),
    row("lxc", Kind::Flat, &["ustream.lxc"]),
    row("parallels", Kind::Parallels, &["packer.parallels"]),
    row("scaleway", Kind::Cloud, &["hashicorp.scaleway"]),
    row("virtualbox", Kind::Ovf, &["mitchellh.virtualbox"]),
    Row { name: "vmware", in_metadata: "vmware_desktop", kind: Kind::Flat, builders: &["mitchellh.vmware", "mitchellh.vmware-esx"] },
];

const fn row(name: &'static str, kind: Kind, builders: &'static [&'static str]) -> Row {
    Row { name, in_metadata: name, kind, builders }
}

impl Provider {
    /// All names.
    pub fn names() -> Vec<&'static str> {
        ROWS.iter().map(|row| row.name).collect()
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        ROWS.iter().find(|row| row.name == name).map(Self)
    }

    /// By who made an artifact; a machine's disk made by a builder of our own is one of libvirt's.
    pub fn of(artifact: &Artifact) -> Option<Self> {
        let by_id = ROWS.iter().find(|row| row.builders.contains(&artifact.builder_id.as_str())).map(Self);
        by_id.or_else(|| artifact.image.as_ref().and_then(|_| Self::named("libvirt")))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Its name in a box's metadata.
    pub fn in_metadata(self) -> &'static str {
        self.0.in_metadata
    }

    /// How its boxes are laid out.
    pub fn kind(self) -> Kind {
        self.0.kind
    }

    /// Whether the box only names what it was made of, which must stay then.
    pub fn is_only_a_name(self) -> bool {
        matches!(self.0.kind, Kind::Image | Kind::Cloud)
    }
}
