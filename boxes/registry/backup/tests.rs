use sqlx::Row;

use super::*;
use crate::app::App;
use crate::objects::bucket::Bucket;
use crate::settings::Settings;
use crate::trial::Trial;
use crate::uploads::tests::{address, begin_sending, content as bytes, publish, release, upload};

async fn filled(objects: Option<Objects>) -> Trial {
    let trial = Trial::set(|_| {}, objects).await;
    for (name, size) in [("tiny", 2500), ("small", 300), ("draft", 1)] {
        publish(&trial.app, name, "1", ("", "")).await;
        if name == "draft" {
            begin_sending(&trial, &address(&trial, name, "1").await, &bytes(1100)).await;
        } else {
            assert_eq!(upload(&trial, name, "1", &bytes(size)).await, 200);
        }
    }
    release(&trial.app, "tiny", "1").await;
    trial
}

/// All rows, without where contents lie.
async fn rows(db: &Db) -> Vec<String> {
    let (mut lines, _) = snapshot(db).await.unwrap();
    lines.iter_mut().filter(|line| line.table == "objects").for_each(|line| drop(line.row.remove("key")));
    lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect()
}

#[tokio::test]
async fn what_is_saved_comes_back_whatever_it_stands_on() {
    for to_bucket in [false, true] {
        let bucket = || Objects::Bucket(Bucket::in_memory(1000));
        let (from, folder, place) = (filled((!to_bucket).then(bucket)).await, tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let saved = save(&from.app.db, &from.app.objects, folder.path(), |_| {}).await.unwrap();
        assert_eq!((saved.contents, saved.bytes), (2, 2800));
        let settings = Settings::at(place.path(), "127.0.0.1:0".parse().unwrap());
        let objects = if to_bucket { bucket() } else { Objects::open(&settings.place).unwrap() };
        let to = App::with(settings, objects).await.unwrap();
        assert_eq!(restore::fill(&to.db, &to.objects, folder.path(), |_| {}).await.unwrap(), saved);
        assert_eq!(rows(&to.db).await, rows(&from.app.db).await);
        let found = crate::check::check(&to.db, &to.objects, |_| {}).await.unwrap();
        assert!(found.contents == 2 && found.wrong.is_empty() && found.strays.is_empty(), "{found:?}");
        assert!(restore::fill(&to.db, &to.objects, folder.path(), |_| {}).await.is_err(), "it is not new any more");
    }
}

#[tokio::test]
async fn a_second_backup_takes_the_place_of_the_first() {
    let (trial, folder) = (filled(None).await, tempfile::tempdir().unwrap());
    save(&trial.app.db, &trial.app.objects, folder.path(), |_| {}).await.unwrap();
    assert_eq!(upload(&trial, "draft", "1", b"new").await, 200);
    let saved = save(&trial.app.db, &trial.app.objects, folder.path(), |_| {}).await.unwrap();
    assert_eq!((saved.contents, saved.bytes), (3, 2803));
    let names: Vec<PathBuf> = entries(folder.path()).unwrap();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[tokio::test]
async fn a_row_that_holds_something_else_is_damage() {
    for (good, bad) in [("\"name\":\"admin\"", "\"name\":[]"), ("\"created_at\":", "\"created_at\":0.5,\"was\":")] {
        let (trial, folder, place) = (filled(None).await, tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let saved = save(&trial.app.db, &trial.app.objects, folder.path(), |_| {}).await.unwrap();
        let file = folder.path().join(&saved.file);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(good));
        fs::write(&file, text.replacen(good, bad, 1)).unwrap();
        let to = App::open(Settings::at(place.path(), "127.0.0.1:0".parse().unwrap())).await.unwrap();
        let refused = restore::fill(&to.db, &to.objects, folder.path(), |_| {}).await;
        assert!(matches!(&refused, Err(Error::Damaged(text)) if text.contains("`accounts` has no usable")), "{refused:?}");
        assert!(to.db.is_new().await.unwrap());
    }
}

#[tokio::test]
async fn damage_is_never_restored() {
    let (trial, folder, place) = (filled(None).await, tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    save(&trial.app.db, &trial.app.objects, folder.path(), |_| {}).await.unwrap();
    let object = trial.app.db.objects().await.unwrap().remove(0);
    fs::write(content(folder.path(), &object.digest), vec![0; usize::try_from(object.size).unwrap()]).unwrap();
    let to = App::open(Settings::at(place.path(), "127.0.0.1:0".parse().unwrap())).await.unwrap();
    assert!(matches!(restore::fill(&to.db, &to.objects, folder.path(), |_| {}).await, Err(Error::Damaged(_))));
    assert!(to.db.is_new().await.unwrap());
}

#[tokio::test]
async fn every_table_and_column_is_saved_or_left_out_on_purpose() {
    const LEFT_OUT: &[&str] = &["uploads", "pieces", "failures", "_sqlx_migrations"];
    let trial = Trial::new().await;
    let text = "SELECT m.name AS name, c.name AS of FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY 1";
    let mut all: HashSet<(String, String)> = HashSet::new();
    for row in trial.app.db.reads().fetch_all(text).await.unwrap() {
        all.insert((row.get("name"), row.get("of")));
    }
    all.retain(|(table, _)| !LEFT_OUT.contains(&table.as_str()));
    let saved: HashSet<_> = TABLES.iter().flat_map(|(t, c)| c.iter().map(|c| ((*t).to_owned(), (*c).to_owned()))).collect();
    assert_eq!(all, saved);
}
