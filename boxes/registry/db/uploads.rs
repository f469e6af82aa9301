//! Uploads: contents on their way, who is sending them now, and the parts of them that a bucket has.

use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Executor, Row};

use super::objects::Object;
use super::{Db, new_id, now, statement};
use crate::auth::secret::{self, Secret};
use crate::error::Error;

/// A transfer that a server does not speak of for so long is over: the server is gone.
pub const HOLD: Duration = Duration::from_secs(15);

/// An upload.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Id.
    pub id: String,
    /// For which provider, by id.
    pub provider: String,
    /// Name of who began it.
    pub account: String,
    /// Published by the callback, not by the last byte.
    pub direct: bool,
    /// Bytes of the whole, once known.
    pub length: Option<u64>,
    /// Bytes that are safe.
    pub received: u64,
    /// Digest of the whole, once it is there.
    pub object: Option<String>,
    /// What a bucket calls it.
    pub store: Option<String>,
    /// What the provider declares: type of the checksum, empty where there is none.
    pub checksum_type: String,
    /// … and the checksum.
    pub checksum: String,
}

const COLUMNS: &str = "u.id, u.provider, u.account, u.direct, u.length, u.received, u.object, u.store, p.checksum_type, p.checksum";
const FROM: &str = "uploads u JOIN providers p ON p.id = u.provider";

impl Upload {
    /// What brings a content of a backup: no row has it.
    pub fn of_backup(id: String) -> Self {
        Self {
            id,
            provider: String::new(),
            account: String::new(),
            direct: false,
            length: None,
            received: 0,
            object: None,
            store: None,
            checksum_type: String::new(),
            checksum: String::new(),
        }
    }

    fn read(row: &AnyRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.try_get("id")?,
            provider: row.try_get("provider")?,
            account: row.try_get("account")?,
            direct: row.try_get::<i64, _>("direct")? != 0,
            length: row.try_get::<Option<i64>, _>("length")?.map(i64::unsigned_abs),
            received: row.try_get::<i64, _>("received")?.unsigned_abs(),
            object: row.try_get("object")?,
            store: row.try_get("store")?,
            checksum_type: row.try_get("checksum_type")?,
            checksum: row.try_get("checksum")?,
        })
    }
}

impl Db {
    /// The upload whose address ends with this secret.
    pub async fn upload(&self, shown: &str) -> Result<Option<Upload>, Error> {
        let text = format!("SELECT {COLUMNS} FROM {FROM} WHERE u.secret = $1");
        let row = self.reads().fetch_optional(sqlx::query(statement(text)).bind(secret::digest(shown))).await?;
        row.as_ref().map(Upload::read).transpose()
    }

    /// The parts of an upload that the bucket has, in order.
    pub async fn pieces(&self, upload: &str) -> Result<Vec<String>, Error> {
        let query = sqlx::query("SELECT content FROM pieces WHERE upload = $1 ORDER BY number").bind(upload);
        let rows = self.reads().fetch_all(query).await?;
        rows.iter().map(|row| Ok(row.try_get("content")?)).collect()
    }

    /// Ids of all uploads.
    pub async fn upload_ids(&self) -> Result<std::collections::HashSet<String>, Error> {
        let rows = self.reads().fetch_all(sqlx::query("SELECT id FROM uploads")).await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }
}

/// Makes one; its secret is nowhere but in the answer.
pub async fn create(connection: &mut AnyConnection, provider: &str, account: &str, direct: bool) -> Result<(String, Secret), Error> {
    let (id, secret, now) = (new_id(), Secret::new(), now());
    let text = "INSERT INTO uploads (id, secret, provider, account, direct, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)";
    let query = sqlx::query(text).bind(&id).bind(secret.digest()).bind(provider).bind(account);
    connection.execute(query.bind(i64::from(direct)).bind(now)).await?;
    Ok((id, secret))
}

/// The upload of an id.
pub async fn find(connection: &mut AnyConnection, id: &str) -> Result<Option<Upload>, Error> {
    let text = format!("SELECT {COLUMNS} FROM {FROM} WHERE u.id = $1");
    let row = connection.fetch_optional(sqlx::query(statement(text)).bind(id)).await?;
    row.as_ref().map(Upload::read).transpose()
}

/// Takes an upload for a transfer; none when another transfer has it. What it returns is as that transfer finds it.
pub async fn hold(connection: &mut AnyConnection, id: &str, holder: &str) -> Result<Option<Upload>, Error> {
    let text = "UPDATE uploads SET holder = $1, held_until = $2, updated_at = $3 WHERE id = $4 AND (holder IS NULL OR held_until < $3)";
    let query = sqlx::query(text).bind(holder).bind(until()).bind(now()).bind(id);
    match connection.execute(query).await?.rows_affected() {
        0 => Ok(None),
        _ => find(connection, id).await,
    }
}

fn until() -> i64 {
    now() + i64::try_from(HOLD.as_millis()).unwrap_or(i64::MAX)
}

/// Notes what of it is safe, and that its holder still has it; an error when somebody else has it meanwhile.
pub async fn note(connection: &mut AnyConnection, upload: &Upload, holder: &str) -> Result<(), Error> {
    let text = "UPDATE uploads SET received = $1, length = $2, store = $3, held_until = $4, updated_at = $5 WHERE id = $6 AND holder = $7";
    let query = sqlx::query(text).bind(signed(upload.received)).bind(upload.length.map(signed)).bind(&upload.store).bind(until());
    let query = query.bind(now()).bind(&upload.id).bind(holder);
    match connection.execute(query).await?.rows_affected() {
        0 => Err(lost()),
        _ => Ok(()),
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Another transfer has the upload.
pub fn lost() -> Error {
    Error::Conflict("something else is sending to this upload now; ask for its offset, and go on from there".to_owned())
}

/// Gives it up, so that the next transfer can begin.
pub async fn release(connection: &mut AnyConnection, id: &str, holder: &str) -> Result<(), Error> {
    let query = sqlx::query("UPDATE uploads SET holder = NULL, updated_at = $1 WHERE id = $2 AND holder = $3");
    connection.execute(query.bind(now()).bind(id).bind(holder)).await?;
    Ok(())
}

/// No transfer has anything: for the start of the only server of a database.
pub async fn release_all(connection: &mut AnyConnection) -> Result<(), Error> {
    connection.execute(sqlx::query("UPDATE uploads SET holder = NULL WHERE holder IS NOT NULL")).await?;
    Ok(())
}

/// Notes a part that the bucket has.
pub async fn add_piece(connection: &mut AnyConnection, upload: &str, number: usize, content: &str) -> Result<(), Error> {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let query = sqlx::query("INSERT INTO pieces (upload, number, content) VALUES ($1, $2, $3)");
    connection.execute(query.bind(upload).bind(number).bind(content)).await?;
    Ok(())
}

/// Forgets all parts.
pub async fn drop_pieces(connection: &mut AnyConnection, upload: &str) -> Result<(), Error> {
    connection.execute(sqlx::query("DELETE FROM pieces WHERE upload = $1").bind(upload)).await?;
    Ok(())
}

/// It is whole.
pub async fn complete(connection: &mut AnyConnection, upload: &Upload, holder: &str, object: &Object) -> Result<(), Error> {
    let text = "UPDATE uploads SET object = $1, received = $2, length = $2, store = NULL, holder = NULL, updated_at = $3 \
                WHERE id = $4 AND holder = $5 AND object IS NULL";
    let query = sqlx::query(text).bind(&object.digest).bind(signed(object.size)).bind(now()).bind(&upload.id).bind(holder);
    match connection.execute(query).await?.rows_affected() {
        0 => Err(lost()),
        _ => drop_pieces(connection, &upload.id).await,
    }
}

/// Uploads that nobody has sent to since `idle`, and those of what was deleted before `before`.
pub async fn stale(connection: &mut AnyConnection, idle: i64, before: i64) -> Result<Vec<Upload>, Error> {
    let text = format!(
        "SELECT {COLUMNS} FROM {FROM} JOIN versions v ON v.id = p.version JOIN boxes b ON b.id = v.box \
         WHERE (u.holder IS NULL OR u.held_until < $3) AND (u.updated_at <= $1 OR p.deleted_at <= $2 OR v.deleted_at <= $2 OR b.deleted_at <= $2)"
    );
    let rows = connection.fetch_all(sqlx::query(statement(text)).bind(idle).bind(before).bind(now())).await?;
    rows.iter().map(Upload::read).collect()
}

/// Forgets one.
pub async fn delete(connection: &mut AnyConnection, id: &str) -> Result<(), Error> {
    connection.execute(sqlx::query("DELETE FROM uploads WHERE id = $1").bind(id)).await?;
    Ok(())
}
