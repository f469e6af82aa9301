//! Uploads as clients do them, over files and over a bucket.

use axum::body::Body;
use axum::http::{Request, Response};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::app::Shared;
use crate::db::providers::{self, NewProvider};
use crate::db::versions::{self, Status};
use crate::db::{accounts, boxes};
use crate::objects::Objects;
use crate::objects::bucket::Bucket;
use crate::settings::Settings;
use crate::trial::Trial;

/// A part of an object in the tests' bucket.
const PART: usize = 1000;
const TINY: &str = "/api/v2/box/admin/tiny/version/1.0.0/provider/qemu/amd64";
const FILE: &str = "/admin/boxes/tiny/versions/1.0.0/providers/qemu/amd64/vagrant.box";

async fn both(change: fn(&mut Settings)) -> [Trial; 2] {
    let files = Trial::set(change, None).await;
    let bucket = Trial::set(change, Some(Objects::Bucket(Bucket::in_memory(PART)))).await;
    publish(&files.app, "tiny", "1.0.0", ("", "")).await;
    publish(&bucket.app, "tiny", "1.0.0", ("", "")).await;
    [files, bucket]
}

/// A box with one version and one provider that waits for its content, with a declared checksum and its type.
pub(crate) async fn publish(app: &Shared, name: &str, version: &str, checksum: (&str, &str)) {
    let owner = app.db.account("admin").await.unwrap().unwrap();
    let mut write = app.db.write().await.unwrap();
    let c = write.connection();
    let new = boxes::NewBox { account: owner.id.clone(), name: name.to_owned(), ..Default::default() };
    let row = match boxes::find(c, "admin", name).await.unwrap() {
        Some((_, row)) => row,
        None => boxes::create(c, &owner, &new).await.unwrap(),
    };
    let version = versions::create(c, &row.id, version, "").await.unwrap();
    let new = NewProvider {
        name: "qemu".to_owned(),
        architecture: "amd64".to_owned(),
        checksum_type: checksum.0.to_owned(),
        checksum: checksum.1.to_owned(),
        ..Default::default()
    };
    providers::create(c, &version.id, &new).await.unwrap();
    assert_eq!(accounts::account(c, "ADMIN").await.unwrap().unwrap().id, owner.id);
    write.commit().await.unwrap();
}

pub(crate) async fn release(app: &Shared, name: &str, version: &str) {
    let mut write = app.db.write().await.unwrap();
    let (_, row) = boxes::find(write.connection(), "admin", name).await.unwrap().unwrap();
    let mut version = versions::find(write.connection(), &row.id, version).await.unwrap().unwrap();
    (version.status, version.released_at) = (Status::Active, Some(1));
    versions::update(write.connection(), &version).await.unwrap();
    write.commit().await.unwrap();
}

pub(crate) fn content(size: usize) -> Vec<u8> {
    (0..size).map(|i| u8::try_from((i * 7 + i / 256) % 251).unwrap()).collect()
}

/// Where to send the content of a box's version.
pub(crate) async fn address(trial: &Trial, name: &str, version: &str) -> String {
    let path = format!("/api/v2/box/admin/{name}/version/{version}/provider/qemu/amd64/upload");
    let (status, answer) = trial.ask("GET", &path, Value::Null).await;
    assert_eq!(status, 200, "{answer}");
    let path = answer["upload_path"].as_str().unwrap();
    path[path.find("/upload/").unwrap()..].to_owned()
}

/// Sends all of a content; the status.
pub(crate) async fn upload(trial: &Trial, name: &str, version: &str, bytes: &[u8]) -> u16 {
    put(trial, &address(trial, name, version).await, bytes).await.0
}

/// Sends the beginning of a content; what is there of it then.
pub(crate) async fn begin_sending(trial: &Trial, path: &str, bytes: &[u8]) -> Option<u64> {
    send(trial, "PUT", path, &[], broken(bytes)).await.1
}

async fn begin(trial: &Trial, kind: &str) -> (String, Value) {
    let (status, answer) = trial.ask("GET", &format!("{TINY}/{kind}"), Value::Null).await;
    assert_eq!(status, 200, "{answer}");
    let path = answer["upload_path"].as_str().unwrap();
    (path[path.find("/upload/").unwrap()..].to_owned(), answer)
}

async fn send(trial: &Trial, method: &str, path: &str, headers: &[(&str, String)], body: impl Into<Body>) -> (u16, Option<u64>, Value) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    answer(trial.send(request.body(body.into()).unwrap()).await).await
}

async fn answer(response: Response<Body>) -> (u16, Option<u64>, Value) {
    let offset = response.headers().get("upload-offset").map(|v| v.to_str().unwrap().parse().unwrap());
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, offset, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn put(trial: &Trial, path: &str, body: &[u8]) -> (u16, Option<u64>, Value) {
    send(trial, "PUT", path, &[("content-length", body.len().to_string())], body.to_vec()).await
}

async fn patch(trial: &Trial, path: &str, offset: usize, length: usize, body: &[u8]) -> (u16, Option<u64>, Value) {
    let headers = [("upload-offset", offset.to_string()), ("upload-length", length.to_string())];
    send(trial, "PATCH", path, &headers, body.to_vec()).await
}

/// A body that breaks after these bytes.
fn broken(bytes: &[u8]) -> Body {
    let pieces = [Ok(Bytes::copy_from_slice(bytes)), Err(std::io::Error::other("cut"))];
    Body::from_stream(stream::iter(pieces))
}

async fn offset(trial: &Trial, path: &str) -> Option<u64> {
    send(trial, "HEAD", path, &[], Body::empty()).await.1
}

pub(crate) async fn get(trial: &Trial, path: &str) -> (u16, Vec<u8>) {
    let request = Request::builder().uri(path).header("authorization", format!("Bearer {}", trial.token)).body(Body::empty()).unwrap();
    let response = trial.send(request).await;
    let status = response.status().as_u16();
    (status, response.into_body().collect().await.unwrap().to_bytes().to_vec())
}

#[tokio::test]
async fn what_is_sent_is_what_is_served() {
    for size in [1, 999, 1000, 1001, 3000, 70_000] {
        for trial in both(|_| {}).await {
            let (path, _) = begin(&trial, "upload").await;
            assert_eq!(get(&trial, FILE).await.0, 404);
            assert_eq!(put(&trial, &path, &content(size)).await.0, 200, "{size}");
            assert_eq!(get(&trial, FILE).await, (200, content(size)), "{size} {:?}", trial.app.objects);
            let (status, _, answer) = put(&trial, &path, b"other").await;
            assert_eq!((status, answer["errors"][0].as_str()), (409, Some("this upload is whole already")));
            assert_eq!(trial.app.objects.list().await.unwrap().len(), 1, "nothing is left over");
        }
    }
}

#[tokio::test]
async fn a_body_without_a_length_is_whole_when_it_ends_well() {
    for trial in both(|_| {}).await {
        let (path, _) = begin(&trial, "upload").await;
        let pieces: Vec<Result<Bytes, std::io::Error>> = content(2500).chunks(300).map(|p| Ok(Bytes::copy_from_slice(p))).collect();
        assert_eq!(send(&trial, "PUT", &path, &[], Body::from_stream(stream::iter(pieces))).await.0, 200);
        assert_eq!(get(&trial, FILE).await, (200, content(2500)));
    }
}

#[tokio::test]
async fn a_cut_upload_goes_on_where_it_was() {
    for trial in both(|_| {}).await {
        let (all, (path, _)) = (content(5500), begin(&trial, "upload").await);
        let (status, at, answer) = send(&trial, "PUT", &path, &[("content-length", "5500".to_owned())], broken(&all[..1234])).await;
        assert_eq!((status, at, answer["errors"][0].as_str()), (400, Some(1234), Some("the body did not arrive whole; what came is kept")));
        assert_eq!((offset(&trial, &path).await, get(&trial, FILE).await.0), (Some(1234), 404));
        let (status, at, answer) = patch(&trial, &path, 1000, 5500, &all[1000..]).await;
        assert_eq!((status, at, answer["success"].as_bool()), (409, Some(1234), Some(false)));
        // Another server goes on, which knows of no digests.
        trial.app.uploads.forget();
        assert_eq!(patch(&trial, &path, 1234, 5500, &all[1234..1300]).await, (204, Some(1300), Value::Null));
        assert_eq!(patch(&trial, &path, 1300, 5500, &all[1300..4100]).await, (204, Some(4100), Value::Null));
        trial.app.uploads.forget();
        assert_eq!(get(&trial, FILE).await.0, 404);
        assert_eq!(patch(&trial, &path, 4100, 5500, &all[4100..]).await, (204, Some(5500), Value::Null));
        assert_eq!(get(&trial, FILE).await, (200, all));
        assert_eq!(offset(&trial, &path).await, Some(5500));
        assert_eq!(trial.app.objects.list().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_new_put_begins_again() {
    for trial in both(|_| {}).await {
        let (all, (path, _)) = (content(2600), begin(&trial, "upload").await);
        assert_eq!(send(&trial, "PUT", &path, &[], broken(&[9; 2400])).await.1, Some(2400));
        assert_eq!(put(&trial, &path, &all).await.0, 200);
        assert_eq!(get(&trial, FILE).await, (200, all));
    }
}

#[tokio::test]
async fn more_than_announced_is_refused() {
    for trial in both(|_| {}).await {
        let (all, (path, _)) = (content(300), begin(&trial, "upload").await);
        assert_eq!(patch(&trial, &path, 0, 200, &all[..100]).await.1, Some(100));
        let (status, at, answer) = patch(&trial, &path, 100, 200, &all[100..]).await;
        assert_eq!((status, at), (413, Some(100)), "{answer}");
        assert_eq!(patch(&trial, &path, 100, 300, &all[100..]).await.0, 409);
        assert_eq!(patch(&trial, &path, 100, 200, &all[100..200]).await.0, 204);
        assert_eq!(get(&trial, FILE).await.1, all[..200]);
    }
}

#[tokio::test]
async fn a_wrong_checksum_publishes_nothing() {
    for trial in both(|_| {}).await {
        publish(&trial.app, "sum", "1", ("md5", "900150983cd24fb0d6963f7d28e17f72")).await;
        let path = address(&trial, "sum", "1").await;
        let (status, at, answer) = put(&trial, &path, &content(2001)).await;
        assert_eq!((status, at), (422, Some(0)), "{answer}");
        assert!(answer["errors"][0].as_str().unwrap().contains("its md5 is"), "{answer}");
        assert!(trial.app.objects.list().await.unwrap().is_empty());
        assert_eq!(put(&trial, &path, b"abc").await.0, 200);
        assert_eq!(get(&trial, "/admin/boxes/sum/versions/1/providers/qemu.box").await, (200, b"abc".to_vec()));
    }
}

#[tokio::test]
async fn another_checksum_of_a_draft_announces_another_file() {
    for trial in both(|_| {}).await {
        let (first, second) = (content(1500), content(900));
        assert_eq!(upload(&trial, "tiny", "1.0.0", &first).await, 200);
        let of = |bytes: &[u8]| json!({ "provider": { "checksum_type": "sha256", "checksum": hex::encode(Sha256::digest(bytes)) } });
        assert_eq!(trial.ask("PUT", TINY, of(&first)).await.0, 200);
        assert_eq!(get(&trial, FILE).await, (200, first.clone()));
        let (status, answer) = trial.ask("PUT", TINY, of(&second)).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(get(&trial, FILE).await.0, 404);
        assert_eq!(upload(&trial, "tiny", "1.0.0", &first).await, 422);
        assert_eq!(upload(&trial, "tiny", "1.0.0", &second).await, 200);
        release(&trial.app, "tiny", "1.0.0").await;
        assert_eq!(trial.ask("PUT", TINY, of(&first)).await.0, 409);
        assert_eq!(get(&trial, FILE).await, (200, second));
    }
}

#[tokio::test]
async fn a_direct_upload_is_published_by_its_callback() {
    for trial in both(|_| {}).await {
        let (path, answer) = begin(&trial, "upload/direct").await;
        let callback = answer["callback"].as_str().unwrap();
        let callback = &callback[callback.find("/api/").unwrap()..];
        let (status, answer) = trial.ask("PUT", callback, Value::Null).await;
        assert_eq!((status, answer["errors"][0].as_str()), (409, Some("the upload is not whole: 0 bytes came")));
        assert_eq!(put(&trial, &path, &content(1500)).await.0, 200);
        assert_eq!(get(&trial, FILE).await.0, 404);
        assert_eq!(trial.ask_as(None, "PUT", callback, Value::Null).await.0, 401);
        for _ in 0..2 {
            assert_eq!(trial.ask("PUT", callback, Value::Null).await.0, 200);
        }
        assert_eq!(get(&trial, FILE).await, (200, content(1500)));
    }
}

#[tokio::test]
async fn one_content_is_stored_once() {
    for trial in both(|_| {}).await {
        publish(&trial.app, "twin", "2", ("", "")).await;
        let (path, _) = begin(&trial, "upload").await;
        put(&trial, &path, &content(2500)).await;
        assert_eq!(upload(&trial, "twin", "2", &content(2500)).await, 200);
        assert_eq!(get(&trial, "/admin/boxes/twin/versions/2/providers/qemu/amd64/vagrant.box").await.1, content(2500));
        assert_eq!(trial.app.objects.list().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_is_released_never_changes() {
    for trial in both(|_| {}).await {
        let ((early, _), (late, _)) = (begin(&trial, "upload").await, begin(&trial, "upload").await);
        assert_eq!(put(&trial, &early, &content(1200)).await.0, 200);
        release(&trial.app, "tiny", "1.0.0").await;
        let (status, _, answer) = put(&trial, &late, b"something else").await;
        assert_eq!(status, 409, "{answer}");
        let (status, answer) = trial.ask("GET", &format!("{TINY}/upload"), Value::Null).await;
        assert_eq!(status, 409, "{answer}");
        assert_eq!(get(&trial, FILE).await, (200, content(1200)));
        assert_eq!(trial.app.objects.list().await.unwrap().len(), 1);
        // Whatever the late upload was, it can't be gone on with as if its bytes were there.
        assert_eq!(offset(&trial, &late).await, Some(0));
    }
}

#[tokio::test]
async fn two_transfers_do_not_mix() {
    for trial in both(|_| {}).await {
        let (path, _) = begin(&trial, "upload").await;
        let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
        let slow = Body::from_stream(stream::unfold(receiver, |mut r| async move { r.recv().await.map(|piece| (piece, r)) }));
        let (router, to) = (trial.router.clone(), path.clone());
        let first = tokio::spawn(async move {
            let request = Request::put(to).body(slow).unwrap();
            answer(tower::ServiceExt::oneshot(router, request).await.unwrap()).await
        });
        // The second of these is taken when the first has been: the transfer is under way.
        for piece in content(2000).chunks(500) {
            sender.send(Ok(Bytes::copy_from_slice(piece))).await.unwrap();
        }
        let (status, _, answer) = put(&trial, &path, b"a stranger").await;
        assert_eq!((status, answer["success"].as_bool()), (409, Some(false)), "{answer}");
        drop(sender);
        assert_eq!(first.await.unwrap().0, 200);
        assert_eq!(get(&trial, FILE).await, (200, content(2000)));
    }
}

#[tokio::test]
async fn bounds_are_kept_early_and_while_it_comes() {
    for trial in both(|settings| settings.largest_box = 1500).await {
        let (path, _) = begin(&trial, "upload").await;
        let (status, at, answer) = put(&trial, &path, &content(1501)).await;
        assert_eq!((status, at), (413, Some(0)), "{answer}");
        let pieces: Vec<Result<Bytes, std::io::Error>> = content(4000).chunks(500).map(|p| Ok(Bytes::copy_from_slice(p))).collect();
        let (status, at, answer) = send(&trial, "PUT", &path, &[], Body::from_stream(stream::iter(pieces))).await;
        assert_eq!((status, at), (413, Some(1500)), "{answer}");
        assert_eq!(get(&trial, FILE).await.0, 404);
    }
}

#[tokio::test]
async fn nonsense_is_told_as_such() {
    for trial in both(|_| {}).await {
        let (path, _) = begin(&trial, "upload").await;
        assert_eq!(put(&trial, "/upload/0123", b"x").await.0, 404);
        assert_eq!(put(&trial, &path, b"").await.0, 422);
        assert_eq!(send(&trial, "PATCH", &path, &[], Body::empty()).await.0, 400);
        assert_eq!(send(&trial, "PATCH", &path, &[("upload-offset", "-1".to_owned())], Body::empty()).await.0, 400);
        assert_eq!(send(&trial, "PATCH", &path, &[("upload-offset", "0".to_owned())], Body::empty()).await.0, 400);
        assert_eq!(trial.ask_as(None, "GET", &format!("{TINY}/upload"), Value::Null).await.0, 401);
        assert_eq!(trial.ask("GET", "/api/v2/box/admin/tiny/version/1.0.0/provider/esxi/upload", Value::Null).await.0, 404);
    }
}

#[tokio::test]
async fn digests_of_contents_are_theirs() {
    let [files, _] = both(|_| {}).await;
    let (path, _) = begin(&files, "upload").await;
    put(&files, &path, &content(100)).await;
    let objects = files.app.db.objects().await.unwrap();
    assert_eq!(objects[0].digest, hex::encode(Sha256::digest(content(100))));
    assert!(objects[0].key.starts_with(&format!("objects/{}/{}.", &objects[0].digest[..2], &objects[0].digest[2..])));
}
