use std::time::Duration;

use sqlx::Executor;

use super::*;
use crate::objects::bucket::Bucket;
use crate::trial::Trial;
use crate::uploads::tests::{content, get, publish, upload};

const DAY: Duration = Duration::from_secs(24 * 3600);
const NOW: Duration = Duration::ZERO;

async fn both() -> [Trial; 2] {
    [Trial::new().await, Trial::set(|_| {}, Some(Objects::Bucket(Bucket::in_memory(1000)))).await]
}

async fn run(trial: &Trial, grace: Duration, dry: bool) -> Collected {
    collect(&trial.app.db, &trial.app.objects, Bounds { grace, idle: grace }, dry).await.unwrap()
}

async fn change(trial: &Trial, text: &'static str) {
    let mut write = trial.app.db.write().await.unwrap();
    write.connection().execute(text).await.unwrap();
    write.commit().await.unwrap();
}

#[tokio::test]
async fn what_somebody_has_stays() {
    for trial in both().await {
        publish(&trial.app, "tiny", "1", ("", "")).await;
        publish(&trial.app, "twin", "1", ("", "")).await;
        for name in ["tiny", "twin"] {
            assert_eq!(upload(&trial, name, "1", &content(2500)).await, 200);
        }
        change(&trial, "UPDATE boxes SET deleted_at = 1 WHERE name = 'tiny'").await;
        let expected = Collected { deleted: 1, ..Collected::default() };
        assert_eq!(Collected { uploads: 0, ..run(&trial, DAY, false).await }, expected);
        assert_eq!(get(&trial, "/admin/boxes/twin/versions/1/providers/qemu.box").await, (200, content(2500)));
    }
}

#[tokio::test]
async fn what_is_deleted_goes_when_its_time_is_over() {
    for trial in both().await {
        publish(&trial.app, "tiny", "1", ("", "")).await;
        assert_eq!(upload(&trial, "tiny", "1", &content(2500)).await, 200);
        change(&trial, "UPDATE boxes SET deleted_at = 1").await;
        // The content is only now without anybody: its grace time begins.
        assert_eq!(run(&trial, DAY, false).await.contents, 0);
        change(&trial, "UPDATE objects SET unused_at = 1").await;
        change(&trial, "DELETE FROM uploads").await;
        let expected = Collected { contents: 1, bytes: 2500, ..Collected::default() };
        assert_eq!(run(&trial, DAY, true).await, expected);
        assert_eq!(run(&trial, DAY, true).await, expected, "a dry run does nothing");
        assert_eq!(run(&trial, DAY, false).await, expected);
        assert_eq!(run(&trial, DAY, false).await, Collected::default());
        assert!(trial.app.objects.list().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_content_that_is_uploaded_again_is_there_again() {
    for trial in both().await {
        publish(&trial.app, "tiny", "1", ("", "")).await;
        assert_eq!(upload(&trial, "tiny", "1", &content(2500)).await, 200);
        change(&trial, "UPDATE providers SET object = NULL").await;
        change(&trial, "DELETE FROM uploads").await;
        change(&trial, "UPDATE objects SET unused_at = 1").await;
        assert_eq!(upload(&trial, "tiny", "1", &content(2500)).await, 200);
        assert_eq!(run(&trial, NOW, false).await.contents, 0);
        assert_eq!(get(&trial, "/admin/boxes/tiny/versions/1/providers/qemu.box").await, (200, content(2500)));
        assert_eq!(trial.app.objects.list().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn unfinished_uploads_and_strays_go() {
    for trial in both().await {
        publish(&trial.app, "tiny", "1", ("", "")).await;
        let path = crate::uploads::tests::address(&trial, "tiny", "1").await;
        assert_eq!(crate::uploads::tests::begin_sending(&trial, &path, &content(2600)).await, Some(2600));
        assert_eq!(run(&trial, DAY, false).await, Collected::default());
        let gone = run(&trial, NOW, false).await;
        assert_eq!((gone.uploads, gone.strays), (1, 0));
        assert!(trial.app.objects.list().await.unwrap().is_empty());
        if let Objects::Files(files) = &trial.app.objects {
            std::fs::write(files.path("uploads/left-over"), b"x").unwrap();
            assert_eq!(run(&trial, DAY, false).await.strays, 0, "it may be about to belong to something");
            assert_eq!(run(&trial, NOW, false).await.strays, 1);
        }
    }
}
