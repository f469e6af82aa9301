//! Disk and network of `vsphere-iso` became lists.

use serde_json::Value;

use super::{Object, builders};

pub(super) fn lists(template: &mut Object) -> Result<(), String> {
    for builder in builders(template, &["vsphere-iso"]) {
        gather(builder, &["disk_size", "disk_thin_provisioned", "disk_eagerly_scrub"], "storage");
        gather(builder, &["network", "network_card"], "network_adapters");
    }
    Ok(())
}

/// Makes an object of these options and puts it before those that are in the list already.
fn gather(builder: &mut Object, keys: &[&str], list: &str) {
    let mut first = Object::new();
    for key in keys {
        if let Some(value) = builder.shift_remove(*key) {
            first.insert((*key).to_owned(), value);
        }
    }
    if first.is_empty() {
        return;
    }
    let mut items = vec![Value::Object(first)];
    if let Some(Value::Array(rest)) = builder.shift_remove(list) {
        items.extend(rest);
    }
    builder.insert(list.to_owned(), Value::Array(items));
}
