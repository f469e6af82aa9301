//! `kiste registry mirror`: from a registry, from a server that has nothing but files, from a folder; what breaks off; what is wrong.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use serde_json::json;

use super::desk::{Desk, plain};
use crate::harness::Output;
use crate::parts::{Kind, World};

/// A desk, and another registry to copy from, whose boxes are acme's.
fn two() -> (Desk, World) {
    let source = World::new(Kind::Files);
    let acme = source.admin().user("acme", "correct horse battery");
    for version in ["1.0.0", "1.1.0"] {
        acme.publish("acme/web", version, "libvirt", format!("content of {version}").into_bytes());
    }
    acme.draft("acme/web", "2.0.0", "libvirt", b"a draft".to_vec());
    (Desk::ready(), source)
}

fn mirror(desk: &Desk, source: &str, more: &str) -> Output {
    let line = format!("registry mirror {source} acme{more}");
    desk.run(line.split(' '))
}

#[test]
fn from_a_registry_to_another() {
    let (desk, source) = two();
    assert_snapshot!(mirror(&desk, &source.url(), "/web --dry-run"), @r"
    exit 0
    --- stderr
        box: Would be: Copying acme/web 1.0.0 for libvirt
        box: Would be: Releasing acme/web 1.0.0
        box: Would be: Copying acme/web 1.1.0 for libvirt
        box: Would be: Releasing acme/web 1.1.0
    ==> box: 2 copied, 0 there already, 2 released, 0 revoked, 0 failed
    ");
    assert_snapshot!(mirror(&desk, &source.url(), ""), @r"
    exit 0
    --- stderr
    ==> box: Copying acme/web 1.0.0 for libvirt
        box: Downloading [REGISTRY]/acme/boxes/web/versions/1.0.0/providers/libvirt/unknown/vagrant.box (16 B)
        box: Checking [ROOT]/home/tmp/download-[ID].part (16 B)
    ==> box: Creating box `acme/web`
    ==> box: Creating version 1.0.0
    ==> box: Creating provider libvirt (unknown)
        box: Uploading [ROOT]/home/tmp/download-[ID].part (16 B)
    ==> box: Releasing acme/web 1.0.0
    ==> box: Copying acme/web 1.1.0 for libvirt
        box: Downloading [REGISTRY]/acme/boxes/web/versions/1.1.0/providers/libvirt/unknown/vagrant.box (16 B)
        box: Checking [ROOT]/home/tmp/download-[ID].part (16 B)
    ==> box: Creating version 1.1.0
    ==> box: Creating provider libvirt (unknown)
        box: Uploading [ROOT]/home/tmp/download-[ID].part (16 B)
    ==> box: Releasing acme/web 1.1.0
    ==> box: 2 copied, 0 there already, 2 released, 0 revoked, 0 failed
    ");
    assert_snapshot!(mirror(&desk, &source.url(), ""), @r"
    exit 0
    --- stderr
    ==> box: 0 copied, 2 there already, 0 released, 0 revoked, 0 failed
    ");
    assert_snapshot!(desk.say("registry version list acme/web"), @r"
    exit 0
    --- stdout
    VERSION  STATUS  DOWNLOADS  PROVIDERS
    1.1.0    active  0          libvirt (unknown)
    1.0.0    active  0          libvirt (unknown)
    ");
    let reason = json!({"version": {"reason": "a hole"}});
    source.admin().call("PUT", "/box/acme/web/version/1.1.0/revoke", reason).ok();
    assert_snapshot!(mirror(&desk, &source.url(), "/web"), @r"
    exit 0
    --- stderr
    ==> box: Revoking acme/web 1.1.0
    ==> box: 0 copied, 1 there already, 0 released, 1 revoked, 0 failed
    ");
    assert_snapshot!(mirror(&desk, &source.url(), "/none"), @r"
    exit 3
    --- stderr
        box: Asking [REGISTRY]/api/v2/vagrant/acme/none
        box: Asking [REGISTRY]/acme/none
        box: Asking [REGISTRY]/acme/none.json
    Error: there is no box `acme/none` at `[REGISTRY]`, or it is not yours to see
    Hint: `kiste search` looks for boxes there; a private one shows only to who is logged in (`kiste login`) and may see it.
    ");
    assert_snapshot!(mirror(&desk, "http://127.0.0.1:1", "/web"), @r"
    exit 6
    --- stderr
        box: Asking [REGISTRY]/api/v2/vagrant/acme/web
    Error: `[REGISTRY]/api/v2/vagrant/acme/web`: Connection refused (os error 111)
    Hint: Check the address and the line, then try again; what has travelled so far is kept.
    ");
}

/// What lies at the source is another file than its catalog says.
#[test]
fn a_wrong_checksum_keeps_only_its_own_file_back() {
    let (desk, source) = two();
    let objects = source.folder().join("data");
    let changed = files(&objects).into_iter().find(|f| std::fs::read(f).is_ok_and(|b| b == b"content of 1.1.0")).expect("the object");
    std::fs::write(changed, "CONTENT OF 1.1.0").unwrap();
    let done = mirror(&desk, &source.url(), "");
    assert_eq!(done.code, Some(7), "{done}");
    assert_snapshot!(done, @r"
    exit 7
    --- stderr
    ==> box: Copying acme/web 1.0.0 for libvirt
        box: Downloading [REGISTRY]/acme/boxes/web/versions/1.0.0/providers/libvirt/unknown/vagrant.box (16 B)
        box: Checking [ROOT]/home/tmp/download-[ID].part (16 B)
    ==> box: Creating box `acme/web`
    ==> box: Creating version 1.0.0
    ==> box: Creating provider libvirt (unknown)
        box: Uploading [ROOT]/home/tmp/download-[ID].part (16 B)
    ==> box: Releasing acme/web 1.0.0
    ==> box: Copying acme/web 1.1.0 for libvirt
        box: Downloading [REGISTRY]/acme/boxes/web/versions/1.1.0/providers/libvirt/unknown/vagrant.box (16 B)
        box: Checking [ROOT]/home/tmp/download-[ID].part (16 B)
        box: Stopped at 0 B of 16 B
    ==> box: acme/web 1.1.0 for libvirt: sha256 of `[ROOT]/home/tmp/download-[ID].part` is [64 DIGITS], not [64 DIGITS]: the file was not used
    ==> box: 1 copied, 0 there already, 1 released, 0 revoked, 1 failed
    ");
    assert_snapshot!(desk.say("registry version list acme/web"), @r"
    exit 0
    --- stdout
    VERSION  STATUS  DOWNLOADS  PROVIDERS
    1.0.0    active  0          libvirt (unknown)
    ");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

/// A server with nothing but files, which breaks off in the middle of the first box. It ends with the test's process.
fn files_alone(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut is_cut = false;
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 8192];
            let read = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..read]).to_lowercase();
            let path = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
            let Ok(bytes) = std::fs::read(folder.join(&path)) else {
                // A client that went away is none of the test's business.
                let _ = write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                continue;
            };
            let from = request.split("range: bytes=").nth(1).and_then(|r| r.split('-').next()).and_then(|n| n.parse::<usize>().ok());
            let (status, rest) = match from {
                Some(from) => {
                    (format!("206 Partial Content\r\nContent-Range: bytes {from}-{}/{}", bytes.len() - 1, bytes.len()), &bytes[from..])
                }
                None => ("200 OK".to_owned(), &bytes[..]),
            };
            let length = rest.len();
            let sent = if path.ends_with(".box") && !std::mem::replace(&mut is_cut, path.ends_with(".box")) { length / 2 } else { length };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nETag: \"one\"\r\nAccept-Ranges: bytes\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&rest[..sent]));
        }
    });
    url
}

#[test]
fn from_a_server_that_has_only_files_and_breaks_off() {
    let desk = Desk::ready();
    desk.make("web.box", "one");
    desk.say("box push web.box acme/web 1.0.0 --static site").success();
    let url = files_alone(desk.env.project().join("site"));
    assert_snapshot!(mirror(&desk, &url, "/web"), @r"
    exit 0
    --- stderr
        box: Asking [REGISTRY]/api/v2/vagrant/acme/web
        box: Asking [REGISTRY]/acme/web
        box: Asking [REGISTRY]/acme/web.json
    ==> box: Copying acme/web 1.0.0 for libvirt (amd64)
        box: Downloading [REGISTRY]/acme/web/1.0.0/libvirt-amd64-[DIGITS].box ([SIZE])
        box: `[REGISTRY]/acme/web/1.0.0/libvirt-amd64-[DIGITS].box`: end of file before message length reached; trying again
        box: Checking [ROOT]/home/tmp/download-[ID].part ([SIZE])
    ==> box: Creating box `acme/web`
    ==> box: Creating version 1.0.0
    ==> box: Creating provider libvirt (amd64)
        box: Uploading [ROOT]/home/tmp/download-[ID].part ([SIZE])
    ==> box: Releasing acme/web 1.0.0
    ==> box: 1 copied, 0 there already, 1 released, 0 revoked, 0 failed
    ");
    assert_snapshot!(mirror(&desk, &url, "/web"), @r"
    exit 0
    --- stderr
        box: Asking [REGISTRY]/api/v2/vagrant/acme/web
        box: Asking [REGISTRY]/acme/web
        box: Asking [REGISTRY]/acme/web.json
    ==> box: 0 copied, 1 there already, 0 released, 0 revoked, 0 failed
    ");
    // Such a server can't tell all boxes of somebody.
    assert_snapshot!(mirror(&desk, &url, ""), @r"
    exit 3
    --- stderr
    Error: a list of boxes at `[REGISTRY]/api/v2/user/acme` (a server of files has none: name one box, `acme/BOX`) does not exist
    ");
}

#[test]
fn from_a_folder_and_again_and_again() {
    let desk = Desk::ready();
    desk.make("web.box", "one");
    desk.say("box push web.box acme/web 1.0.0 --static site").success();
    let mut running = desk.env.start("registry mirror site acme --watch 1s".split(' '));
    running.until("1 copied, 0 there already, 1 released");
    running.until("0 copied, 1 there already, 0 released");
    desk.make("web.box", "two");
    desk.say("box push web.box acme/web 1.1.0 --static site").success();
    running.until("1 copied, 1 there already, 1 released");
    running.interrupt();
    let ended = plain(running.end());
    assert_eq!(ended.code, Some(130), "{ended}");
    assert_snapshot!(desk.say("registry version list acme/web"), @r"
    exit 0
    --- stdout
    VERSION  STATUS  DOWNLOADS  PROVIDERS
    1.1.0    active  0          libvirt (amd64)
    1.0.0    active  0          libvirt (amd64)
    ");
    assert_snapshot!(desk.say("registry mirror site nobody"), @r"
    exit 3
    --- stderr
    Error: folder `[ROOT]/project/site/nobody` does not exist
    ");
}
