//! One transfer: the bytes that a client sends, until they end or it is silent for too long.

use std::time::{Duration, Instant};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::StreamExt;

use super::room::Room;
use super::sink::{self, Sink};
use super::{Asked, Start, publish};
use crate::app::Shared;
use crate::db::uploads::{self, Upload};
use crate::db::{new_id, objects::Object};
use crate::error::Error;
use crate::observe::silent;

/// Bytes after which what arrived is saved: so much is sent again, at most, after the server was killed.
const SAVE: u64 = 64 << 20;
/// How often the other servers are told that the transfer goes on.
const TELL: Duration = Duration::from_secs(5);

struct Transfer {
    app: Shared,
    upload: Upload,
    holder: String,
    sink: Sink,
    room: Room,
    /// Bytes of the content so far.
    arrived: u64,
    /// Parts that the database knows of.
    noted: usize,
    told: Instant,
}

/// Why the bytes ended.
enum End {
    /// The client sent all it wanted to.
    Sent,
    Broken(Error),
}

/// Receives; the upload as it is then.
pub async fn run(app: Shared, upload: Upload, asked: Asked, body: Body) -> Result<Upload, Error> {
    let (id, holder) = (upload.id.clone(), new_id());
    let mut write = app.db.write().await?;
    let held = uploads::hold(write.connection(), &id, &holder).await?.ok_or_else(uploads::lost)?;
    write.commit().await?;
    let result = held_by(&app, held, &holder, &asked, body).await;
    let mut write = app.db.write().await?;
    uploads::release(write.connection(), &id, &holder).await?;
    write.commit().await?;
    result
}

async fn held_by(app: &Shared, held: Upload, holder: &str, asked: &Asked, body: Body) -> Result<Upload, Error> {
    let mut upload = super::as_stored(app, held).await?;
    if upload.object.is_some() {
        return Err(Error::Conflict("this upload is whole already".to_owned()));
    }
    let announced = announced(&upload, asked)?;
    publish::check(&mut *app.db.reads().acquire().await?, &upload.provider).await?;
    // Refused before anything that is there is given up.
    let received = if asked.start == Start::Anew { 0 } else { upload.received };
    let room = Room::of(app, &Upload { received, ..upload.clone() }, announced).await?;
    if received == 0 {
        restart(app, &mut upload, holder).await?;
    }
    upload.length = announced;
    let sink = Sink::open(app, &upload).await?;
    let noted = match &sink {
        Sink::File(_) => 0,
        Sink::Bucket(sink) => sink.parts().len(),
    };
    let (arrived, begun) = (upload.received, upload.clone());
    let transfer = Transfer { app: app.clone(), upload, holder: holder.to_owned(), sink, room, arrived, noted, told: Instant::now() };
    match transfer.go(asked, body).await {
        Err(Error::Store(e)) if begun.store.is_some() && is_gone(&e) => {
            tracing::warn!(upload = begun.id, error = %e, "the bucket has lost what came of an upload");
            restart(app, &mut begun.clone(), holder).await?;
            Err(Error::Conflict("the bucket has lost what came of this upload: send it from the start".to_owned()))
        }
        ended => ended,
    }
}

/// The bucket does not know what it was asked for. Some deny what is not there.
fn is_gone(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { .. } | object_store::Error::PermissionDenied { .. })
}

/// The length of the whole, when it is known; what contradicts is refused.
fn announced(upload: &Upload, asked: &Asked) -> Result<Option<u64>, Error> {
    let Start::After(offset) = asked.start else { return Ok(asked.length) };
    if offset != upload.received {
        return Err(Error::Conflict(format!("the upload has {} bytes, so it can't go on after {offset}", upload.received)));
    }
    let length = match (upload.length, asked.length) {
        (Some(known), Some(said)) if known != said => {
            return Err(Error::Conflict(format!("the whole was to be {known} bytes, now it is to be {said}: send it from the start")));
        }
        (known, said) => known.or(said),
    };
    let length = length.ok_or_else(|| Error::Malformed("`Upload-Length` has to say how many bytes the whole has".to_owned()))?;
    match asked.coming {
        Some(coming) if offset.saturating_add(coming) > length => {
            Err(Error::TooLarge(format!("after {offset} bytes another {coming} are more than the {length} that were announced")))
        }
        _ => Ok(Some(length)),
    }
}

async fn restart(app: &Shared, upload: &mut Upload, holder: &str) -> Result<(), Error> {
    if upload.received == 0 && upload.store.is_none() {
        return Ok(());
    }
    (upload.received, upload.length) = (0, None);
    let mut write = app.db.write().await?;
    uploads::drop_pieces(write.connection(), &upload.id).await?;
    uploads::note(write.connection(), upload, holder).await?;
    write.commit().await?;
    sink::discard(&app.objects, upload).await?;
    // Forgotten last: whoever finds it noted drops it again.
    upload.store = None;
    note(app, upload, holder).await
}

async fn note(app: &Shared, upload: &Upload, holder: &str) -> Result<(), Error> {
    let mut write = app.db.write().await?;
    uploads::note(write.connection(), upload, holder).await?;
    write.commit().await
}

impl Transfer {
    async fn go(mut self, asked: &Asked, body: Body) -> Result<Upload, Error> {
        let end = self.take_all(body.into_data_stream()).await;
        let whole = match self.upload.length {
            Some(length) => self.arrived == length,
            // A body without a length is whole when it ends well.
            None => matches!(end, End::Sent) && asked.start == Start::Anew,
        };
        match end {
            End::Sent if whole => self.finish().await,
            End::Sent => self.save().await.map(|()| self.upload),
            End::Broken(cause) => {
                if let Err(e) = self.save().await {
                    tracing::warn!(upload = self.upload.id, error = e.chain(), "what arrived of an upload could not be saved");
                }
                Err(cause)
            }
        }
    }

    async fn take_all(&mut self, mut body: BodyDataStream) -> End {
        let mut unsaved = 0;
        loop {
            let piece = match self.next(&mut body).await {
                Ok(Some(piece)) => piece,
                Ok(None) => return End::Sent,
                Err(cause) => return End::Broken(cause),
            };
            let bytes = piece.len() as u64;
            unsaved += bytes;
            if let Err(cause) = self.take(piece).await {
                return End::Broken(cause);
            }
            if unsaved >= SAVE {
                unsaved = 0;
                if let Err(cause) = self.save().await {
                    return End::Broken(cause);
                }
            }
        }
    }

    async fn take(&mut self, piece: Bytes) -> Result<(), Error> {
        self.room.check(self.arrived + piece.len() as u64)?;
        self.arrived += piece.len() as u64;
        self.sink.push(piece).await?;
        if self.upload.store.is_none()
            && let Some(id) = self.sink.id()
        {
            // Known before anything is safe, so that its parts can be dropped also when this server dies.
            self.upload.store = Some(id.to_owned());
            note(&self.app, &self.upload, &self.holder).await?;
        }
        Ok(())
    }

    /// The next bytes. Meanwhile the other servers are told that the transfer goes on.
    async fn next(&mut self, body: &mut BodyDataStream) -> Result<Option<Bytes>, Error> {
        loop {
            if self.told.elapsed() >= TELL {
                self.told = Instant::now();
                note(&self.app, &self.upload, &self.holder).await?;
            }
            match tokio::time::timeout(TELL, body.next()).await {
                Ok(Some(Ok(piece))) => return Ok(Some(piece)),
                Ok(Some(Err(e))) => {
                    tracing::debug!(error = %e, upload = self.upload.id, "a body ended early");
                    return Err(match silent(&e) {
                        Some(silent) => Error::TimedOut(format!("{silent}; what came is kept")),
                        None => Error::Malformed("the body did not arrive whole; what came is kept".to_owned()),
                    });
                }
                Ok(None) => return Ok(None),
                Err(_) => {}
            }
        }
    }

    async fn save(&mut self) -> Result<(), Error> {
        let safe = self.sink.save(&self.app, &self.upload).await?;
        let mut write = self.app.db.write().await?;
        self.sink.note(write.connection(), &mut self.upload, &self.holder, &mut self.noted, safe).await?;
        write.commit().await
    }

    async fn finish(mut self) -> Result<Upload, Error> {
        let length = self.arrived;
        if length == 0 {
            return Err(Error::invalid("the body is empty: there is nothing to publish"));
        }
        match &self.sink {
            // So that a server that goes on from here knows all parts.
            Sink::Bucket(_) => self.save().await?,
            // The last bytes may not fit on the disk: those before them are not given up.
            Sink::File(_) => {
                if let Err(full) = self.sink.save(&self.app, &self.upload).await {
                    self.save().await?;
                    return Err(full);
                }
            }
        }
        let Self { app, mut upload, holder, sink, .. } = self;
        let stored = match sink.finish(&app, &upload, length).await {
            Ok((key, computed)) => {
                let new = Object { digest: computed.sha256, key, size: length };
                publish::whole(&app, &upload, &holder, &new).await.map(|()| new.digest)
            }
            Err(e) => Err(e),
        };
        let digest = match stored {
            Ok(digest) => digest,
            Err(e) => {
                if matches!(e, Error::Invalid(_) | Error::Conflict(_) | Error::TooLarge(_) | Error::Full(_) | Error::Forbidden(_)) {
                    // Its bytes are not kept, so it begins again. Its parts are no parts any more.
                    (upload.received, upload.store) = (length, None);
                    restart(&app, &mut upload, &holder).await?;
                }
                return Err(e);
            }
        };
        upload.received = length;
        upload.length = Some(length);
        upload.object = Some(digest);
        Ok(upload)
    }
}
