//! `esxcli --formatter=csv`: a header without blanks in its names, lists in quotes, a comma after the last column.

use std::collections::BTreeMap;

/// A row by the names of its columns.
pub type Row = BTreeMap<String, String>;

/// A place for machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datastore {
    /// Its name; empty for the host's own volumes.
    pub name: String,
    /// `/vmfs/volumes/<uuid>`.
    pub mount: String,
    /// Bytes.
    pub size: u64,
    /// Bytes.
    pub free: u64,
}

/// Reads all rows; columns that nobody asks for are kept, rows that are too short are not rows.
pub fn csv(text: &str) -> Vec<Row> {
    let mut lines = text.lines().map(|l| cells(l.trim_end_matches('\r')));
    let Some(header) = lines.next() else { return Vec::new() };
    lines.filter(|cells| cells.len() >= header.len()).map(|cells| header.iter().cloned().zip(cells).collect()).collect()
}

fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    // What follows the last comma is a cell only where a host leaves that comma out.
    if !cell.is_empty() {
        cells.push(cell);
    }
    cells
}

/// Reads `storage filesystem list`: volumes that take machines, mounted ones only.
pub fn datastores(text: &str) -> Vec<Datastore> {
    csv(text).iter().filter_map(datastore).collect()
}

fn datastore(row: &Row) -> Option<Datastore> {
    let kind = row.get("Type")?;
    let takes = kind.starts_with("VMFS-") && kind != "VMFS-L" || kind.starts_with("NFS") || kind == "vsan";
    let number = |key| row.get(key)?.parse().ok();
    let (size, free) = (number("Size")?, number("Free")?);
    let mounted = row.get("Mounted").is_some_and(|m| m == "true");
    (takes && mounted)
        .then(|| Some(Datastore { name: row.get("VolumeName")?.clone(), mount: row.get("MountPoint")?.clone(), size, free }))?
}

/// Reads `network vswitch standard portgroup list`: the names.
pub fn port_groups(text: &str) -> Vec<String> {
    csv(text).iter().filter_map(|row| row.get("Name").cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILESYSTEMS: &str = "Free,MountPoint,Mounted,Size,Type,UUID,VolumeName,\n52000000000,/vmfs/volumes/5f00aaaa-00000001-0000-001122334455,\
                               true,99000000000,VMFS-6,5f00aaaa-00000001-0000-001122334455,ds1,\n100000000,/vmfs/volumes/9900bbbb-00000002-0000-\
                               001122334455,true,260000000,vfat,9900bbbb-00000002-0000-001122334455,,\n7,/vmfs/volumes/x,true,8,VMFS-L,x,OSDATA,\n";

    #[test]
    fn only_volumes_that_take_machines_are_datastores() {
        let mount = "/vmfs/volumes/5f00aaaa-00000001-0000-001122334455".to_owned();
        assert_eq!(datastores(FILESYSTEMS), [Datastore { name: "ds1".to_owned(), mount, size: 99_000_000_000, free: 52_000_000_000 }]);
    }

    #[test]
    fn columns_are_read_by_name_and_new_ones_do_not_matter() {
        let text =
            "ActiveClients,Name,New,VLANID,VirtualSwitch,\n1,VM Network,\"a,b,\",0,vSwitch0,\n0,\"Lab, second floor\",,42,vSwitch0,\n";
        assert_eq!(port_groups(text), ["VM Network", "Lab, second floor"]);
        assert_eq!(csv(text)[0]["New"], "a,b,");
    }

    #[test]
    fn rows_that_are_cut_short_are_left_out() {
        assert_eq!(port_groups("ActiveClients,Name,VLANID,VirtualSwitch,\n1,VM Network,0,vSwitch0,\n0,Ba"), ["VM Network"]);
        assert!(csv("").is_empty());
    }
}
