//! `registry check`: reads every content and holds it against its digest, and the database against the registry's own rules.
//!
//! It only reads, and may run beside servers.

use std::collections::HashMap;

use serde::Serialize;
use sqlx::{Executor, Row};

use crate::collect::strays;
use crate::db::Db;
use crate::db::objects::Object;
use crate::error::Error;
use crate::objects::digests::Digests;
use crate::objects::{Objects, Stored};
use crate::uploads::sink::read;

/// What a check found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Checked {
    /// Contents that were read.
    pub contents: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Everything that is wrong, a sentence each.
    pub wrong: Vec<String>,
    /// Keys in the store that belong to nothing; they do no harm, and `registry collect` takes them away in time.
    pub strays: Vec<String>,
}

/// How far a check is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Bytes read.
    pub bytes: u64,
    /// Bytes in all.
    pub total: u64,
}

/// Rules of the database: a sentence, and a statement that finds what breaks it, one column of text.
const RULES: &[(&str, &str)] = &[
    (
        "has a content that is not in the database",
        "SELECT 'provider ' || p.id AS subject FROM providers p LEFT JOIN objects o ON o.digest = p.object \
         WHERE p.object IS NOT NULL AND o.digest IS NULL",
    ),
    (
        "has no version",
        "SELECT 'provider ' || p.id AS subject FROM providers p LEFT JOIN versions v ON v.id = p.version WHERE v.id IS NULL",
    ),
    ("has no box", "SELECT 'version ' || v.id AS subject FROM versions v LEFT JOIN boxes b ON b.id = v.box WHERE b.id IS NULL"),
    ("belongs to nobody", "SELECT 'box ' || b.name AS subject FROM boxes b LEFT JOIN accounts a ON a.id = b.account WHERE a.id IS NULL"),
    (
        "is active, but was never released",
        "SELECT 'version ' || v.id AS subject FROM versions v WHERE v.status = 'active' AND v.released_at IS NULL",
    ),
    (
        "has a status that there is not",
        "SELECT 'version ' || v.id AS subject FROM versions v WHERE v.status NOT IN ('unreleased', 'active', 'revoked')",
    ),
    (
        "is the second default of its name",
        "SELECT 'provider ' || max(p.id) AS subject FROM providers p WHERE p.default_architecture = 1 AND p.deleted_at IS NULL \
         GROUP BY p.version, p.name HAVING COUNT(*) > 1",
    ),
    ("has more bytes than its content was to have", "SELECT 'upload ' || u.id AS subject FROM uploads u WHERE u.received > u.length"),
    (
        "was declared with another SHA-256 than its content has",
        "SELECT 'provider ' || p.id AS subject FROM providers p WHERE p.object IS NOT NULL AND p.checksum <> '' \
         AND lower(p.checksum_type) = 'sha256' AND lower(p.checksum) <> p.object",
    ),
];

/// Checks a registry; `tell` is told how far it is.
pub async fn check(db: &Db, store: &Objects, mut tell: impl FnMut(Progress)) -> Result<Checked, Error> {
    let mut found = Checked { wrong: database(db).await?, ..Checked::default() };
    let objects = db.objects().await?;
    let total = objects.iter().map(|object| object.size).sum();
    let there: HashMap<String, Stored> = store.list().await?.into_iter().map(|s| (s.key.clone(), s)).collect();
    tell(Progress { bytes: 0, total });
    for object in objects {
        if let Some(wrong) = content(store, &object, there.get(&object.key)).await? {
            // A server may have taken it away meanwhile, and then nothing is wrong.
            if db.object(&object.digest).await?.is_some_and(|still| still.key == object.key) {
                found.wrong.push(wrong);
            }
        }
        found.contents += 1;
        found.bytes += object.size;
        tell(Progress { bytes: found.bytes, total });
    }
    found.strays = strays(db, store).await?.into_iter().map(|stray| stray.key).collect();
    Ok(found)
}

async fn database(db: &Db) -> Result<Vec<String>, Error> {
    let mut wrong = db.integrity().await?;
    for (rule, text) in RULES {
        for row in db.reads().fetch_all(sqlx::query(*text)).await? {
            wrong.push(format!("the {} {rule}", row.try_get::<String, _>("subject")?));
        }
    }
    Ok(wrong)
}

/// What is wrong with a content.
async fn content(store: &Objects, object: &Object, there: Option<&Stored>) -> Result<Option<String>, Error> {
    let Object { digest, key, size } = object;
    let stored = match there {
        Some(stored) => Some(stored.size),
        // Listed before it came.
        None => store.size(key).await?,
    };
    match stored {
        None => return Ok(Some(format!("the content {digest} is missing: there is no `{key}`"))),
        Some(stored) if stored != *size => return Ok(Some(format!("the content {digest} has {stored} bytes, not {size} (`{key}`)"))),
        Some(_) => {}
    }
    match read(store, key, *size, Digests::new("")?).await {
        Ok(digests) => {
            let computed = digests.finish().sha256;
            Ok((computed != *digest).then(|| format!("the content {digest} is damaged: its bytes have the digest {computed} (`{key}`)")))
        }
        Err(e) => Ok(Some(format!("the content {digest} can't be read: {} (`{key}`)", e.chain()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::bucket::Bucket;
    use crate::trial::Trial;
    use crate::uploads::tests::{address, begin_sending, content, publish, upload};

    async fn run(trial: &Trial) -> Checked {
        check(&trial.app.db, &trial.app.objects, |_| {}).await.unwrap()
    }

    async fn two_boxes(objects: Option<Objects>) -> Trial {
        let trial = Trial::set(|_| {}, objects).await;
        for (name, size) in [("tiny", 2500), ("small", 300), ("cut", 1)] {
            publish(&trial.app, name, "1", ("", "")).await;
            if name == "cut" {
                begin_sending(&trial, &address(&trial, name, "1").await, &content(1100)).await;
            } else {
                assert_eq!(upload(&trial, name, "1", &content(size)).await, 200);
            }
        }
        trial
    }

    #[tokio::test]
    async fn a_sound_registry_is_said_to_be() {
        for objects in [None, Some(Objects::Bucket(Bucket::in_memory(1000)))] {
            let found = run(&two_boxes(objects).await).await;
            assert_eq!((found.contents, found.bytes), (2, 2800));
            assert!(found.wrong.is_empty() && found.strays.is_empty(), "{found:?}");
        }
    }

    #[tokio::test]
    async fn everything_that_is_wrong_is_told() {
        let trial = two_boxes(None).await;
        let Objects::Files(files) = &trial.app.objects else { panic!("files") };
        let objects = trial.app.db.objects().await.unwrap();
        let large = objects.iter().find(|o| o.size == 2500).unwrap();
        let small = objects.iter().find(|o| o.size == 300).unwrap();
        std::fs::write(files.path("objects/stray"), b"x").unwrap();
        let mut bytes = content(2500);
        bytes[1234] ^= 1;
        std::fs::write(files.path(&large.key), bytes).unwrap();
        std::fs::remove_file(files.path(&small.key)).unwrap();
        let mut write = trial.app.db.write().await.unwrap();
        write.connection().execute("UPDATE versions SET status = 'active'").await.unwrap();
        write.commit().await.unwrap();
        let found = run(&trial).await;
        assert_eq!(found.strays, ["objects/stray"]);
        let said = found.wrong.join("\n");
        assert!(said.contains(&format!("the content {} is damaged", large.digest)), "{said}");
        assert!(said.contains(&format!("the content {} is missing", small.digest)), "{said}");
        assert_eq!(said.matches("is active, but was never released").count(), 3, "{said}");
        std::fs::write(files.path(&large.key), b"short").unwrap();
        assert!(run(&trial).await.wrong.join("\n").contains("has 5 bytes, not 2500"));
    }
}
