//! The database: SQLite in a folder, or PostgreSQL. One set of statements serves both.
//!
//! Reads run side by side. Writes run one at a time, on every server of a registry: SQLite has one writer anyway, and with PostgreSQL a
//! transaction takes one advisory lock first. So a write sees all writes before it, and never has to be tried again. Nothing slow happens
//! within one: no password is hashed, no byte of a box is moved.

use std::path::Path;

use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, Connection, Executor, Row, SqlSafeStr, SqlStr, Transaction};
use tokio::sync::{Mutex, MutexGuard};

use crate::error::Error;

pub mod accounts;
pub mod audit;
pub mod boxes;
pub mod contents;
pub mod daily;
pub mod members;
pub mod objects;
pub mod providers;
pub mod search;
pub mod tokens;
pub mod totals;
pub mod uploads;
pub mod versions;

/// All migrations, oldest first. They are never changed, only added to.
const MIGRATIONS: &[(i64, &str, &str)] = &[(1, "first", include_str!("migrations/0001_first.sql"))];
/// The key of the lock that writes take in PostgreSQL: `kiste` in ASCII.
const WRITER: &str = "SELECT pg_advisory_xact_lock(461313750117)";
/// Connections of a server.
const CONNECTIONS: u32 = 8;

/// A registry's database.
#[derive(Debug)]
pub struct Db {
    pool: AnyPool,
    /// Where several connections to SQLite would wait for each other by polling, they wait here.
    writer: Mutex<()>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
}

/// A write that is under way; dropped without [`Write::commit`], it never was.
#[derive(Debug)]
pub struct Write<'a> {
    transaction: Transaction<'static, Any>,
    _turn: MutexGuard<'a, ()>,
}

impl Write<'_> {
    /// The connection, for statements.
    pub fn connection(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }

    /// Makes it so.
    pub async fn commit(self) -> Result<(), Error> {
        Ok(self.transaction.commit().await?)
    }
}

impl Db {
    /// Opens the database of a file, making it when it is not there.
    pub async fn sqlite(file: &Path) -> Result<Self, Error> {
        // The address begins at the root, so the path has to as well.
        let file = std::path::absolute(file).map_err(|e| Error::file("find", file, e))?;
        let path = file.to_str().ok_or_else(|| Error::Settings(format!("`{}` is no path that SQLite can open", file.display())))?;
        let mut url = url::Url::parse("sqlite:///").expect("an address");
        url.set_path(path);
        url.set_query(Some("mode=rwc"));
        Self::open(url.as_str(), Kind::Sqlite).await
    }

    /// Opens a PostgreSQL database by its address.
    pub async fn postgres(url: &str) -> Result<Self, Error> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(Error::Settings("the database's address has to begin with `postgres://`".to_owned()));
        }
        Self::open(url, Kind::Postgres).await
    }

    async fn open(url: &str, kind: Kind) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        // A connection to a server may have died since; one to a file has not.
        let options = AnyPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(kind == Kind::Postgres);
        let options = options.after_connect(move |connection, _| {
            Box::pin(async move {
                if kind == Kind::Sqlite {
                    // FULL: what a client was told is done is still done after a power cut.
                    let settings =
                        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 30000;";
                    connection.execute(settings).await?;
                }
                Ok(())
            })
        });
        // SQLite itself ends a transaction when the disk is full. The driver does not notice, and could begin none on that connection any more.
        let options = options.before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }));
        let db = Self { pool: options.connect(url).await?, writer: Mutex::new(()), kind };
        db.migrate().await?;
        Ok(db)
    }

    /// Brings the schema up to date; a schema that is newer than this program is an error.
    async fn migrate(&self) -> Result<(), Error> {
        let all = MIGRATIONS
            .iter()
            .map(|(version, name, text)| Migration::new(*version, (*name).into(), MigrationType::Simple, SqlStr::from_static(text), false));
        Ok(Migrator::with_migrations(all.collect()).run(&self.pool).await?)
    }

    /// For reads.
    pub fn reads(&self) -> &AnyPool {
        &self.pool
    }

    /// Reads that all see the same moment.
    pub async fn snapshot(&self) -> Result<Transaction<'static, Any>, Error> {
        let begin = match self.kind {
            Kind::Sqlite => "BEGIN",
            Kind::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        Ok(self.pool.begin_with(begin).await?)
    }

    /// Begins a write.
    pub async fn write(&self) -> Result<Write<'_>, Error> {
        let turn = self.writer.lock().await;
        let begin = match self.kind {
            Kind::Sqlite => "BEGIN IMMEDIATE",
            Kind::Postgres => "BEGIN",
        };
        let mut transaction = self.pool.begin_with(begin).await?;
        if self.kind == Kind::Postgres {
            transaction.execute(WRITER).await?;
        }
        Ok(Write { transaction, _turn: turn })
    }

    /// Asks whether it is there.
    pub async fn ping(&self) -> Result<(), Error> {
        Ok(self.pool.acquire().await?.ping().await?)
    }

    /// What the database itself finds wrong with its own files; PostgreSQL looks after that by itself.
    pub async fn integrity(&self) -> Result<Vec<String>, Error> {
        if self.kind == Kind::Postgres {
            return Ok(Vec::new());
        }
        let rows = self.pool.fetch_all("SELECT integrity_check AS said FROM pragma_integrity_check").await?;
        let said: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get("said")).collect();
        Ok(said?.into_iter().filter(|line| line != "ok").map(|line| format!("the database: {line}")).collect())
    }

    /// How many connections there are, and how many of them have nothing to do.
    pub fn connections(&self) -> (u32, usize) {
        (self.pool.size(), self.pool.num_idle())
    }

    /// Ends all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A statement that is put together from constants; data goes into it by parameters only.
pub fn statement(text: String) -> SqlStr {
    AssertSqlSafe(text).into_sql_str()
}

/// An id for something new.
pub fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// Milliseconds since 1970.
pub fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Trial;

    #[tokio::test]
    async fn a_transaction_that_the_database_ended_does_not_spoil_its_connection() {
        let trial = Trial::new().await;
        for _ in 0..2 * CONNECTIONS {
            let mut write = trial.app.db.write().await.unwrap();
            // Ends the transaction as a full disk does.
            let twice = "INSERT OR ROLLBACK INTO accounts SELECT * FROM accounts";
            assert!(write.connection().execute(twice).await.is_err());
        }
        let mut write = trial.app.db.write().await.unwrap();
        write.connection().execute("UPDATE accounts SET description = 'x'").await.unwrap();
        write.commit().await.unwrap();
    }
}
