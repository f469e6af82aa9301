//! The moment a content becomes part of a version: one transaction, when everything else is done.

use sqlx::{AnyConnection, Executor, Row};

use crate::app::Shared;
use crate::db::objects::{self, Object};
use crate::db::uploads::{self, Upload};
use crate::db::{audit, boxes, now};
use crate::error::Error;
use crate::objects::key::Key;

/// What an upload is for.
#[derive(Clone, Debug)]
struct Target {
    provider: String,
    owner: String,
    /// Id of the box.
    of: String,
    /// `acme/tiny/1.0.0/qemu`.
    subject: String,
    /// The version was released at some time: what it holds stays as it is.
    fixed: bool,
    /// What it holds now.
    object: Option<String>,
    url: Option<String>,
}

/// Takes a whole content in, and publishes it unless its publisher is going to call back. `new` is what lies in the store.
pub async fn whole(app: &Shared, upload: &Upload, holder: &str, new: &Object) -> Result<(), Error> {
    let done = commit(app, upload, holder, new).await;
    // Its bytes are there already under another key, or nobody may publish them: either way these are not needed.
    if !matches!(&done, Ok(kept) if kept.key == new.key) && !matches!(&done, Err(Error::Database(_))) {
        app.objects.delete(&new.key).await?;
    }
    done?;
    app.objects.delete(&Key::Upload(&upload.id).to_string()).await
}

async fn commit(app: &Shared, upload: &Upload, holder: &str, new: &Object) -> Result<Object, Error> {
    let mut write = app.db.write().await?;
    let kept = objects::take(write.connection(), new).await?;
    uploads::complete(write.connection(), upload, holder, &kept).await?;
    if !upload.direct {
        publish(write.connection(), app, upload, &kept, "").await?;
    }
    write.commit().await?;
    Ok(kept)
}

/// Makes a content that of a provider.
pub async fn publish(connection: &mut AnyConnection, app: &Shared, upload: &Upload, object: &Object, address: &str) -> Result<(), Error> {
    let target = target(connection, &upload.provider).await?;
    if target.object.as_ref() == Some(&object.digest) {
        return Ok(());
    }
    target.changeable()?;
    check_quota(connection, app, &upload.provider, object.size).await?;
    let query = sqlx::query("UPDATE providers SET object = $1, url = NULL, updated_at = $2 WHERE id = $3");
    connection.execute(query.bind(&object.digest).bind(now()).bind(&target.provider)).await?;
    boxes::touch(connection, &target.of).await?;
    let detail = format!("{} bytes, sha256:{}", object.size, object.digest);
    let entry = audit::Entry {
        account: &upload.account,
        owner: &target.owner,
        action: "provider.upload",
        subject: &target.subject,
        detail: &detail,
        address,
    };
    audit::write(connection, &entry).await
}

/// Fails where nothing may be uploaded for a provider: it is gone, or it has its content and its version is released.
pub async fn check(connection: &mut AnyConnection, provider: &str) -> Result<(), Error> {
    target(connection, provider).await?.changeable()
}

impl Target {
    fn changeable(&self) -> Result<(), Error> {
        if self.fixed && (self.object.is_some() || self.url.is_some()) {
            return Err(Error::Conflict(format!("`{}` is released: its content never changes; publish a new version", self.subject)));
        }
        Ok(())
    }
}

async fn target(connection: &mut AnyConnection, provider: &str) -> Result<Target, Error> {
    let text = "SELECT p.id, a.name AS owner, b.id AS of_box, b.name AS box_name, v.version, v.released_at, p.name, p.architecture, \
                p.object, p.url FROM providers p JOIN versions v ON v.id = p.version JOIN boxes b ON b.id = v.box \
                JOIN accounts a ON a.id = b.account \
                WHERE p.id = $1 AND p.deleted_at IS NULL AND v.deleted_at IS NULL AND b.deleted_at IS NULL";
    let row = connection.fetch_optional(sqlx::query(text).bind(provider)).await?;
    let row = row.ok_or_else(|| Error::Conflict("what this upload is for was deleted meanwhile".to_owned()))?;
    let text = |column: &str| row.try_get::<String, _>(column);
    let (owner, architecture) = (text("owner")?, text("architecture")?);
    let mut subject = format!("{owner}/{}/{}/{}", text("box_name")?, text("version")?, text("name")?);
    if !architecture.is_empty() {
        subject = format!("{subject}/{architecture}");
    }
    Ok(Target {
        provider: text("id")?,
        of: text("of_box")?,
        fixed: row.try_get::<Option<i64>, _>("released_at")?.is_some(),
        object: row.try_get("object")?,
        url: row.try_get("url")?,
        owner,
        subject,
    })
}

/// Refuses what would take an account over its quota. What a provider had before does not count: it is replaced.
pub async fn check_quota(connection: &mut AnyConnection, app: &Shared, provider: &str, bytes: u64) -> Result<(), Error> {
    let text = "SELECT a.id, a.name, a.quota FROM providers p JOIN versions v ON v.id = p.version JOIN boxes b ON b.id = v.box \
                JOIN accounts a ON a.id = b.account WHERE p.id = $1";
    let Some(row) = connection.fetch_optional(sqlx::query(text).bind(provider)).await? else { return Ok(()) };
    let quota = row.try_get::<Option<i64>, _>("quota")?.map(i64::unsigned_abs).or(app.settings.quota);
    let Some(quota) = quota else { return Ok(()) };
    let text = "SELECT CAST(COALESCE(SUM(o.size), 0) AS BIGINT) AS used FROM providers p JOIN objects o ON o.digest = p.object \
                JOIN versions v ON v.id = p.version JOIN boxes b ON b.id = v.box WHERE b.account = $1 AND p.id <> $2 \
                AND p.deleted_at IS NULL AND v.deleted_at IS NULL AND b.deleted_at IS NULL";
    let used = connection.fetch_one(sqlx::query(text).bind(row.try_get::<String, _>("id")?).bind(provider)).await?;
    let used = used.try_get::<i64, _>("used")?.unsigned_abs();
    if used.saturating_add(bytes) > quota {
        let name: String = row.try_get("name")?;
        return Err(Error::Full(format!("`{name}` has a quota of {quota} bytes and uses {used}: there is no room for {bytes} more")));
    }
    Ok(())
}
