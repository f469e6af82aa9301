//! Passwords: argon2id, checked at one speed whether the account exists or not, and not too often.

use std::net::IpAddr;
use std::sync::OnceLock;

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use sqlx::{Executor, Row};

use crate::app::Shared;
use crate::db::accounts::Account;
use crate::db::{Db, now};
use crate::error::Error;

/// Fewer letters are refused.
const SHORTEST: usize = 8;
/// More are refused: hashing takes time.
const LONGEST: usize = 1024;
/// So many wrong passwords …
const FAILURES: i64 = 10;
/// … within so many milliseconds are taken, of one account or from one address.
const WINDOW: i64 = 300_000;

/// Whether it may be a password.
pub fn fits(password: &str) -> Result<(), Error> {
    if password.chars().count() < SHORTEST || password.len() > LONGEST {
        return Err(Error::invalid(format!("a password has {SHORTEST} to {LONGEST} letters")));
    }
    Ok(())
}

/// Hashes a new password, which takes a moment.
pub async fn hash(password: &str) -> Result<String, Error> {
    fits(password)?;
    let password = password.to_owned();
    blocking(move || {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).expect("the system has random numbers");
        let salt = SaltString::encode_b64(&salt).map_err(wrong)?;
        Ok(Argon2::default().hash_password(password.as_bytes(), &salt).map_err(wrong)?.to_string())
    })
    .await
}

fn wrong(error: argon2::password_hash::Error) -> Error {
    Error::Damaged(format!("a password can't be hashed: {error}"))
}

/// Hashing keeps a core busy for tens of milliseconds: not on the threads that serve.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::Unavailable(format!("interrupted: {e}")))?
}

/// The account of a name and a password; too many failures in a short time are refused without a look.
pub async fn login(app: &Shared, address: IpAddr, name: &str, password: &str) -> Result<Account, Error> {
    let subjects = [format!("user:{}", name.to_lowercase()), format!("address:{address}")];
    for subject in &subjects {
        bound(&app.db, subject).await?;
    }
    let account = app.db.account(name).await?.filter(|a| !a.disabled && !a.organization);
    let kept = account.as_ref().and_then(|a| a.password.clone());
    let password = password.to_owned();
    if blocking(move || verify(&password, kept.as_deref())).await? {
        let account = account.ok_or_else(|| Error::Damaged("a password without an account".to_owned()))?;
        forget(&app.db, &subjects[0]).await?;
        return Ok(account);
    }
    app.metrics.failed_logins.inc();
    for subject in &subjects {
        failed(&app.db, subject).await?;
    }
    Err(Error::Unauthorized("name or password is wrong".to_owned()))
}

/// An account that is not there takes as long as one that is.
fn verify(password: &str, kept: Option<&str>) -> Result<bool, Error> {
    static NOBODYS: OnceLock<String> = OnceLock::new();
    let nobodys = || {
        let salt = SaltString::encode_b64(&[7; 16]).expect("a salt");
        Argon2::default().hash_password(b"nobody's", &salt).expect("a hash").to_string()
    };
    let text = kept.unwrap_or_else(|| NOBODYS.get_or_init(nobodys));
    let hash = PasswordHash::new(text).map_err(wrong)?;
    let same = password.len() <= LONGEST && Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
    Ok(same && kept.is_some())
}

async fn bound(db: &Db, subject: &str) -> Result<(), Error> {
    let query = sqlx::query("SELECT count, since FROM failures WHERE subject = $1").bind(subject);
    let Some(row) = db.reads().fetch_optional(query).await? else { return Ok(()) };
    let (count, since): (i64, i64) = (row.try_get("count")?, row.try_get("since")?);
    let left = since + WINDOW - now();
    if count >= FAILURES && left > 0 {
        return Err(Error::TooOften(u64::try_from(left / 1000 + 1).unwrap_or(1)));
    }
    Ok(())
}

async fn failed(db: &Db, subject: &str) -> Result<(), Error> {
    let now = now();
    let mut write = db.write().await?;
    let old = sqlx::query("DELETE FROM failures WHERE since <= $1").bind(now - WINDOW);
    write.connection().execute(old).await?;
    let text =
        "INSERT INTO failures (subject, count, since) VALUES ($1, 1, $2) ON CONFLICT (subject) DO UPDATE SET count = failures.count + 1";
    write.connection().execute(sqlx::query(text).bind(subject).bind(now)).await?;
    write.commit().await
}

async fn forget(db: &Db, subject: &str) -> Result<(), Error> {
    let query = sqlx::query("SELECT count FROM failures WHERE subject = $1").bind(subject);
    if db.reads().fetch_optional(query).await?.is_none() {
        return Ok(());
    }
    let mut write = db.write().await?;
    write.connection().execute(sqlx::query("DELETE FROM failures WHERE subject = $1").bind(subject)).await?;
    write.commit().await
}
