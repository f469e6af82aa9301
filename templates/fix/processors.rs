//! Fixers of provisioners and post-processors.

use serde_json::Value;

use super::renames::{rename, replace};
use super::{Object, builders, post_processors, provisioners};

/// Options for one provider went into `override`.
pub(super) fn vagrant_override(template: &mut Object) -> Result<(), String> {
    for processor in post_processors(template, "vagrant") {
        let mut overrides = Object::new();
        for provider in ["aws", "digitalocean", "virtualbox", "vmware"] {
            if let Some(options) = processor.shift_remove(provider) {
                overrides.insert(provider.to_owned(), options);
            }
        }
        if !overrides.is_empty() {
            processor.insert("override".to_owned(), Value::Object(overrides));
        }
    }
    Ok(())
}

pub(super) fn manifest_filename(template: &mut Object) -> Result<(), String> {
    post_processors(template, "manifest").for_each(|p| replace(p, "filename", "output"));
    Ok(())
}

pub(super) fn docker_email(template: &mut Object) -> Result<(), String> {
    builders(template, &[]).for_each(|b| drop(b.shift_remove("login_email")));
    post_processors(template, "docker-push").for_each(|p| drop(p.shift_remove("login_email")));
    Ok(())
}

/// One text with commas, or a list, goes before what is in `tags` already.
pub(super) fn docker_tags(template: &mut Object) -> Result<(), String> {
    for processor in post_processors(template, "docker-tag") {
        let mut tags: Vec<Value> = match processor.shift_remove("tag") {
            Some(Value::String(text)) => text.split(',').map(Value::from).collect(),
            Some(Value::Array(items)) => items,
            Some(other) => vec![other],
            None => continue,
        };
        match processor.shift_remove("tags") {
            Some(Value::Array(items)) => tags.extend(items),
            Some(Value::String(text)) => tags.extend(text.split(',').map(Value::from)),
            _ => {}
        }
        processor.insert("tags".to_owned(), Value::Array(tags));
    }
    Ok(())
}

/// What people had to escape by themselves is escaped for them now.
pub(super) fn powershell_escapes(template: &mut Object) -> Result<(), String> {
    for provisioner in provisioners(template, "powershell") {
        for key in ["elevated_user", "elevated_password", "environment_vars"] {
            match provisioner.get_mut(key) {
                Some(Value::String(text)) => *text = unescaped(text),
                Some(Value::Array(items)) => {
                    for item in items {
                        if let Value::String(text) = item {
                            *text = unescaped(text);
                        }
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let next = letters.next_if(|n| letter == '`' && "$\"`'".contains(*n));
        plain.push(next.unwrap_or(letter));
    }
    plain
}

pub(super) fn galaxy_command(template: &mut Object) -> Result<(), String> {
    provisioners(template, "ansible-local").for_each(|p| rename(p, "galaxycommand", "galaxy_command"));
    Ok(())
}
