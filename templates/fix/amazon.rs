//! Fixers of Amazon's builders.

use serde_json::Value;

use super::renames::replace;
use super::{Object, builders_like};

pub(super) fn shutdown_behavior(template: &mut Object) -> Result<(), String> {
    builders_like(template, "amazon-").for_each(|b| replace(b, "shutdown_behaviour", "shutdown_behavior"));
    Ok(())
}

pub(super) fn enhanced_networking(template: &mut Object) -> Result<(), String> {
    builders_like(template, "amazon-").for_each(|b| replace(b, "enhanced_networking", "ena_support"));
    Ok(())
}

/// A yes or no became the name of an address.
pub(super) fn private_ip(template: &mut Object) -> Result<(), String> {
    for builder in builders_like(template, "amazon-").filter(|b| !b.contains_key("ssh_interface")) {
        let wanted = match builder.get("ssh_private_ip") {
            None => continue,
            Some(Value::Bool(wanted)) => *wanted,
            Some(Value::String(text)) => truth(text)?,
            Some(_) => return Err("ssh_private_ip is not a boolean".to_owned()),
        };
        builder.shift_remove("ssh_private_ip");
        let address = if wanted { "private_ip" } else { "public_ip" };
        builder.insert("ssh_interface".to_owned(), Value::from(address));
    }
    Ok(())
}

fn truth(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!("ssh_private_ip is not a boolean, strconv.ParseBool: parsing \"{text}\": invalid syntax")),
    }
}

pub(super) fn source_cidrs(template: &mut Object) -> Result<(), String> {
    for builder in builders_like(template, "amazon-") {
        if builder.get("temporary_security_group_source_cidr").is_some_and(Value::is_string)
            && let Some(cidr) = builder.shift_remove("temporary_security_group_source_cidr")
        {
            builder.insert("temporary_security_group_source_cidrs".to_owned(), Value::from(vec![cidr]));
        }
    }
    Ok(())
}

pub(super) fn spot_price(template: &mut Object) -> Result<(), String> {
    builders_like(template, "amazon-").for_each(|b| drop(b.shift_remove("spot_price_auto_product")));
    Ok(())
}
