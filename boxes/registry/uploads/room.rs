//! Whether a content still fits: the largest box, the account's quota, the disk.

use crate::app::Shared;
use crate::db::uploads::Upload;
use crate::error::Error;
use crate::objects::Objects;

/// What is left on the disk for the database and the log, in bytes.
const SPARE: u64 = 64 << 20;

/// How large a content may become, and what it is that says so.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    largest: u64,
    announced: Option<u64>,
}

impl Room {
    /// The room for an upload. Refuses at once what is announced too large.
    pub async fn of(app: &Shared, upload: &Upload, announced: Option<u64>) -> Result<Self, Error> {
        let room = Self { largest: app.settings.largest_box, announced };
        let length = announced.unwrap_or(upload.received);
        room.check_largest(length)?;
        super::publish::check_quota(&mut *app.db.reads().acquire().await?, app, &upload.provider, length).await?;
        if let Objects::Files(files) = &app.objects {
            let coming = length.saturating_sub(upload.received);
            if files.free()? < coming.saturating_add(SPARE) {
                return Err(Error::Full("the registry's disk has no room for this box".to_owned()));
            }
        }
        Ok(room)
    }

    /// Refuses a content that has become too large.
    pub fn check(&self, arrived: u64) -> Result<(), Error> {
        match self.announced {
            Some(length) if arrived > length => {
                Err(Error::TooLarge(format!("more than the {length} bytes came that were announced; what is too much was dropped")))
            }
            _ => self.check_largest(arrived),
        }
    }

    fn check_largest(&self, bytes: u64) -> Result<(), Error> {
        if bytes > self.largest {
            return Err(Error::TooLarge(format!("no box may be larger than {} bytes here", self.largest)));
        }
        Ok(())
    }
}
