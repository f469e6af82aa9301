//! Boxes, versions and providers as answers tell them, in Vagrant's shapes and with what is ours.

use serde_json::{Value, json};

use super::time;
use crate::db::accounts::Account;
use crate::db::boxes::BoxRow;
use crate::db::contents::Held;
use crate::db::providers::ProviderRow;
use crate::db::versions::{Status, VersionRow};
use crate::markdown;

/// Whose box answers are about, and how the caller reaches the registry.
#[derive(Clone, Copy, Debug)]
pub struct Shapes<'a> {
    /// The registry's own address.
    pub base: &'a str,
    /// The box's owner.
    pub owner: &'a Account,
    /// The box.
    pub row: &'a BoxRow,
}

impl Shapes<'_> {
    /// BOX, without its versions.
    pub fn of_box(&self, current: Option<&Held>) -> Value {
        let row = self.row;
        json!({
            "tag": format!("{}/{}", self.owner.name, row.name),
            "username": self.owner.name,
            "name": row.name,
            "short_description": row.short_description,
            "description_markdown": row.description,
            "description_html": markdown::html(&row.description),
            "private": row.private,
            "downloads": row.downloads,
            "created_at": time(row.created_at),
            "updated_at": time(row.updated_at),
            "current_version": current.map(|held| self.version(held)),
        })
    }

    /// BOX with its versions, as far as the caller may see them.
    pub fn of_whole_box(&self, versions: &[Held]) -> Value {
        let mut value = self.of_box(versions.iter().find(|held| held.row.status == Status::Active));
        value["versions"] = versions.iter().map(|held| self.version(held)).collect();
        value
    }

    /// VERSION.
    pub fn version(&self, held: &Held) -> Value {
        let row = &held.row;
        let path = format!("{}/api/v2/box/{}/{}/version/{}", self.base, self.owner.name, self.row.name, row.version);
        json!({
            "version": row.version,
            "number": row.version,
            "status": row.status.name(),
            "description_markdown": row.description,
            "description_html": markdown::html(&row.description),
            "revoked_reason": (row.status == Status::Revoked).then_some(&row.reason),
            "downloads": row.downloads,
            "created_at": time(row.created_at),
            "updated_at": time(row.updated_at),
            "released_at": row.released_at.map(time),
            "release_url": format!("{path}/release"),
            "revoke_url": format!("{path}/revoke"),
            "providers": held.providers.iter().map(|p| self.provider(row, p)).collect::<Value>(),
        })
    }

    /// PROVIDER.
    pub fn provider(&self, version: &VersionRow, row: &ProviderRow) -> Value {
        let (kind, checksum) = row.checked().unzip();
        let download = row.is_whole().then(|| self.download(version, row));
        json!({
            "name": row.name,
            "architecture": (!row.architecture.is_empty()).then_some(&row.architecture),
            "default_architecture": row.default_architecture,
            "hosted": row.url.is_none(),
            "hosted_token": null,
            "original_url": row.url,
            "download_url": download,
            "url": row.url.as_ref().or(download.as_ref()),
            "checksum": checksum,
            "checksum_type": kind,
            "size": row.size,
            "digest": row.object.as_ref().map(|digest| format!("sha256:{digest}")),
            "downloads": row.downloads,
            "created_at": time(row.created_at),
            "updated_at": time(row.updated_at),
        })
    }

    /// Where the file is had; what lies elsewhere is counted here and redirected.
    pub fn download(&self, version: &VersionRow, row: &ProviderRow) -> String {
        let architecture = if row.architecture.is_empty() { "unknown" } else { &row.architecture };
        format!(
            "{}/{}/boxes/{}/versions/{}/providers/{}/{architecture}/vagrant.box",
            self.base, self.owner.name, self.row.name, version.version, row.name
        )
    }
}
