//! The pages in a real browser, by keyboard alone and without a page's script: as people have them at a desk, behind TLS and behind nginx.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::boxes;
use crate::harness::chromium::Chromium;
use crate::harness::part::{Part, own_address, program};
use crate::harness::server::{Server, Setup};
use crate::harness::{Kind, World};

/// The administrator signs in by token.
fn sign_in(browser: &mut Chromium, url: &str, token: &str) {
    browser.open(&format!("{url}/sign-in"));
    browser.fill("Name", "admin");
    browser.fill("Password or token", token);
    browser.press("Sign in");
}

/// Versions that strangers may have.
fn offered(world: &World, name: &str) -> Vec<String> {
    let text = world.stranger().get(&format!("/{name}")).text().expect("a catalog");
    let catalog: Value = serde_json::from_str(&text).expect("JSON");
    let versions = catalog["versions"].as_array().cloned().unwrap_or_default();
    versions.iter().filter_map(|v| v["version"].as_str().map(str::to_owned)).collect()
}

#[test]
fn somebody_publishes_with_nothing_but_a_browser() {
    let world = World::new(Kind::Files);
    let mut browser = Chromium::start();
    browser.open(&world.url());
    browser.shows(&["No box with a released version is here yet"]);
    browser.picture("empty");
    browser.press("Sign in");
    browser.fill("Name", "admin");
    browser.fill("Password or token", "wrong");
    browser.press("Sign in");
    browser.shows(&["That did not work.", "name or password is wrong"]);
    browser.picture("sign-in");
    sign_in(&mut browser, &world.url(), &world.admin);

    browser.press("New box");
    browser.fill("Name", "web");
    browser.fill("In a line", "A web server");
    browser.press("Make it");
    assert_eq!(browser.address(), format!("{}/admin/web?done=created", world.url()));
    browser.press("Make the first");
    browser.fill("Version", "1.0.0");
    browser.fill("What is new", "The *first*");
    browser.press("Make it");
    browser.press("Upload a file");
    let file = world.folder().join("web.box");
    boxes::write(&file, "libvirt");
    browser.fill("Provider", "libvirt");
    browser.fill("Architecture", "amd64");
    browser.fill("SHA-256, if you know it", &"0".repeat(64));
    browser.attach("Box file", &file);
    browser.press("Upload");
    browser.shows(&["That did not work."]);
    let bytes = std::fs::read(&file).expect("the box");
    let digest = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&bytes));
    browser.fill("SHA-256, if you know it", &digest);
    browser.attach("Box file", &file);
    browser.press("Upload");
    browser.shows(&[&digest, "draft"]);
    assert!(offered(&world, "admin/web").is_empty());
    browser.press("Release");
    browser.shows(&["active"]);
    browser.picture("version");
    assert_eq!(offered(&world, "admin/web"), ["1.0.0"]);
    let path = "/admin/boxes/web/versions/1.0.0/providers/libvirt/amd64/vagrant.box";
    assert!(world.stranger().get(path).bytes().expect("the box")[..] == bytes[..]);

    browser.open(&world.url());
    browser.fill("Search", "web");
    browser.press("Search");
    browser.shows(&["One box found", "A web server"]);
    browser.picture("search");
    browser.press("admin/web");
    browser.shows(&[&format!("KISTE_REGISTRY={} kiste box add admin/web", world.url()), &digest]);
    browser.picture("box-light");
    browser.dark(true);
    browser.picture("box-dark");
    browser.press("1.0.0");
    browser.fill("Revoke: nobody gets it any more. Why?", "a hole");
    browser.press("Revoke");
    browser.shows(&["Revoked: a hole"]);
    assert!(offered(&world, "admin/web").is_empty());
}

#[test]
fn tokens_and_sessions_begin_and_end() {
    let world = World::new(Kind::Files);
    let mut browser = Chromium::start();
    sign_in(&mut browser, &world.url(), &world.admin);
    browser.press("Tokens");
    browser.fill("What for", "ci");
    browser.choose("Scope", "r");
    browser.press("Make it");
    browser.picture("tokens");
    let token = browser.text().lines().find(|l| l.len() == 64 && l.bytes().all(|b| b.is_ascii_hexdigit())).expect("a token").to_owned();
    let ci = world.stranger().with(Some(&token));
    ci.call("GET", "/authenticate", Value::Null).ok();
    ci.call("POST", "/boxes", json!({"box": {"username": "admin", "name": "web"}})).fails(403);
    browser.press("Tokens");
    assert!(!browser.text().contains(&token), "it is shown once");
    browser.press("End the token ci");
    ci.call("GET", "/authenticate", Value::Null).fails(401);

    browser.press("Settings");
    browser.fill("New password", "correct horse");
    browser.fill("Once more", "correct horse");
    browser.press("Save");
    browser.shows(&["Your password is changed"]);
    browser.open(&format!("{}/settings", world.url()));
    browser.shows(&["Sign in first"]);
    browser.press("Sign in");
    browser.fill("Name", "admin");
    browser.fill("Password or token", "correct horse");
    browser.press("Sign in");
    browser.press("Settings");
    browser.shows(&["Old password"]);
    browser.press("Sign out");
    browser.open(&format!("{}/tokens", world.url()));
    browser.shows(&["Sign in first"]);
}

#[test]
fn an_operator_lets_people_in_and_keeps_order() {
    let world = World::new(Kind::Files);
    let admin = world.admin();
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        admin.publish("admin/web", version, "libvirt", version.as_bytes().to_vec());
    }
    let mut browser = Chromium::start();
    sign_in(&mut browser, &world.url(), &world.admin);
    browser.press("Settings");
    browser.press("People and quotas");
    browser.fill("Name", "eve");
    browser.fill("First password", "correct horse");
    browser.press("Let in");
    browser.shows(&["Created.", "eve"]);
    browser.fill("Quota in GB of eve", "2");
    browser.press("Save eve");
    browser.picture("people");
    let eve = |admin: &crate::harness::Caller| admin.call("GET", "/user/eve", Value::Null).ok();
    assert_eq!((eve(&admin)["quota"].clone(), eve(&admin)["disabled"].clone()), (json!(2_000_000_000_u64), json!(false)));
    browser.tick("Disabled (eve)");
    browser.fill("Quota in GB of eve", "");
    browser.press("Save eve");
    assert_eq!((eve(&admin)["quota"].clone(), eve(&admin)["disabled"].clone()), (Value::Null, json!(true)));
    browser.press("Settings");
    browser.press("Who did what");
    browser.fill("Action", "user.update");
    browser.press("Show");
    browser.shows(&["user.update", "eve", "disabled: true"]);
    assert!(!browser.text().contains("user.create"));
    browser.picture("audit");

    browser.open(&format!("{}/admin/web", world.url()));
    browser.press("Old versions");
    browser.fill("How many of the newest stay", "1");
    browser.press("Show what would go");
    browser.shows(&["1.0.0", "1.1.0"]);
    browser.picture("prune");
    assert_eq!(offered(&world, "admin/web").len(), 3);
    browser.press("Delete these");
    browser.shows(&["The old versions are gone."]);
    assert_eq!(offered(&world, "admin/web"), ["1.2.0"]);

    // Nobody else sees people or the log of others.
    world.admin().user("bob", "correct horse");
    browser.press("Sign out");
    browser.open(&format!("{}/sign-in", world.url()));
    browser.fill("Name", "bob");
    browser.fill("Password or token", "correct horse");
    browser.press("Sign in");
    browser.open(&format!("{}/users", world.url()));
    browser.shows(&["You may not do this"]);
    browser.open(&format!("{}/audit", world.url()));
    browser.shows(&["bob", "session.create"]);
    assert!(!browser.text().contains("user.update"));
}

/// A registry with a box, signed in at.
fn furnished() -> (World, Chromium) {
    let world = World::new(Kind::Files);
    world.admin().call("POST", "/organizations", json!({"organization": {"name": "acme", "description": "Boxes"}})).ok();
    world.admin().publish("acme/web", "1.0.0", "libvirt", b"content".to_vec());
    world.admin().draft("acme/web", "1.1.0", "libvirt", b"more".to_vec());
    let mut browser = Chromium::start();
    sign_in(&mut browser, &world.url(), &world.admin);
    (world, browser)
}

const PAGES: [&str; 18] = [
    "/users",
    "/audit",
    "/acme/web/prune?keep_last=1",
    "/",
    "/search?q=web",
    "/acme",
    "/acme/web",
    "/acme/web/edit",
    "/acme/web/new-version",
    "/acme/web/versions/1.0.0",
    "/acme/web/versions/1.1.0",
    "/acme/web/versions/1.1.0/upload",
    "/new",
    "/organizations",
    "/organizations/acme",
    "/tokens",
    "/settings",
    "/nothing/here",
];

#[test]
fn every_thing_has_a_name_and_every_page_fits_a_telephone() {
    let (world, mut browser) = furnished();
    browser.width(360);
    for page in PAGES {
        browser.open(&format!("{}{page}", world.url()));
        let things = browser.things();
        let used = ["link", "button", "textbox", "searchbox", "combobox", "table", "region", "navigation", "search"];
        let nameless: Vec<_> = things.iter().filter(|t| used.contains(&t.role.as_str()) && t.name.trim().is_empty()).collect();
        assert!(nameless.iter().all(|t| t.role == "search"), "{page}: {nameless:?}");
        let levels: Vec<u64> = things.iter().filter(|t| t.role == "heading").filter_map(|t| t.level).collect();
        assert_eq!(levels.iter().filter(|l| **l == 1).count(), 1, "{page}: headings {levels:?}");
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{page}: headings {levels:?}");
        let width = browser.content_width();
        assert!(width <= 360.0, "{page} is {width} wide");
    }
    browser.open(&format!("{}/acme/web", world.url()));
    browser.picture("box-telephone");
}

#[test]
fn the_keyboard_goes_where_the_eye_does() {
    let (world, mut browser) = furnished();
    browser.press("Sign out");
    browser.open(&format!("{}/sign-in", world.url()));
    let order: Vec<String> = (0..8).map(|_| browser.tab()).collect();
    let expected = [
        "link Skip to the content",
        "link kiste registry",
        "link Sign in",
        "textbox Name",
        "textbox Password or token",
        "button Sign in",
        "link Boxes",
        "link API",
    ];
    assert_eq!(order, expected);
}

#[test]
fn light_and_dark_are_both_readable() {
    let (world, mut browser) = furnished();
    browser.open(&format!("{}/acme/web", world.url()));
    let mut backs = Vec::new();
    for dark in [false, true] {
        browser.dark(dark);
        let back = browser.style("body", "background-color");
        for selector in ["body", "main a", ".muted", "footer"] {
            let ink = browser.style(selector, "color");
            let contrast = contrast(&ink, &back);
            assert!(contrast >= 4.5, "{selector}: {ink} on {back} has a contrast of {contrast:.1}, dark: {dark}");
        }
        backs.push(back);
    }
    assert!(luminance(&backs[0]) > 0.8 && luminance(&backs[1]) < 0.1, "{backs:?}");
}

/// WCAG's, of `rgb(1, 2, 3)`.
fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(color: &str) -> f64 {
    let parts = color.trim_start_matches("rgba").trim_start_matches("rgb").trim_matches(['(', ')']).split(',');
    let linear = parts.take(3).map(|part| {
        let value = part.trim().parse::<f64>().unwrap_or_else(|e| panic!("{color}: {e}")) / 255.0;
        if value <= 0.039_28 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    linear.zip([0.2126, 0.7152, 0.0722]).map(|(value, weight)| value * weight).sum()
}

/// A certificate and its key.
fn certificate(folder: &Path) -> (String, String) {
    let place = |name: &str| folder.join(name).to_str().expect("a path").to_owned();
    let mut command = Command::new(program("openssl"));
    command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=boxes.example.com", "-days", "2"]);
    let made = command.args(["-keyout", &place("key.pem"), "-out", &place("cert.pem")]).output().expect("openssl runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (place("cert.pem"), place("key.pem"))
}

/// After a form the browser is still where it was, and its cookies never go over a plain line.
fn stays_at(url: &str, token: &str) {
    let mut browser = Chromium::start();
    sign_in(&mut browser, url, token);
    assert_eq!(browser.address(), format!("{url}/"));
    browser.press("New box");
    browser.fill("Name", "web");
    browser.press("Make it");
    assert_eq!(browser.address(), format!("{url}/admin/web?done=created"));
    let cookies = browser.cookies();
    assert!(!cookies.is_empty());
    assert!(cookies.iter().all(|c| c["secure"] == json!(true) && c["httpOnly"] == json!(true)), "{cookies:?}");
    browser.press("Sign out");
    assert!(browser.address().starts_with(url));
}

#[test]
fn the_pages_behind_tls() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cert, key) = certificate(folder.path());
    let address = own_address();
    let data = folder.path().join("data");
    let home = folder.path().join("home");
    let log = folder.path().join("log");
    let mut server = Part::start("kiste registry serve", &log, Path::new(env!("CARGO_BIN_EXE_kiste")), |command| {
        command.args(["registry", "serve", "--listen", &address.to_string(), "--tls-cert", &cert, "--tls-key", &key]);
        command.arg("--data").arg(&data).env("KISTE_HOME", home).env("NO_COLOR", "1")
    });
    let token = server.wait(|part| {
        let said = part.said();
        let mut lines = said.lines().skip_while(|line| !line.contains("token is shown")).skip(1);
        lines.next().and_then(|line| line.split_whitespace().last()).map(str::to_owned)
    });
    stays_at(&format!("https://{address}"), &token);
}

#[test]
fn the_pages_behind_nginx() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cert, key) = certificate(folder.path());
    let setup = Setup::below(folder.path()).option("--behind-proxy").option("--data").option(folder.path().join("data"));
    let server = Server::start(setup);
    let token = server.admin().expect("the first start").to_owned();
    // The example's file, for this server.
    let (address, behind) = (own_address(), server.setup.address);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/registry/nginx.conf");
    let text = std::fs::read_to_string(example).expect("the example");
    let text = text.lines().filter(|l| !l.contains("127.0.0.1:8412")).collect::<Vec<_>>().join("\n");
    let text = text.replace("127.0.0.1:8411 max", &format!("{behind} max")).replace("listen 443 ssl", &format!("listen {address} ssl"));
    let text = text.replace("/etc/ssl/boxes.pem", &cert).replace("/etc/ssl/boxes.key", &key);
    let pid = folder.path().join("pid");
    let file = folder.path().join("nginx.conf");
    let text = text.replace("/run/nginx-registry.pid", pid.to_str().expect("a path"));
    std::fs::write(&file, format!("daemon off;\nmaster_process off;\n{text}")).expect("a file");
    let mut nginx = Part::start("nginx", &folder.path().join("nginx.log"), &program("nginx"), |command| {
        command.arg("-e").arg("stderr").arg("-c").arg(&file)
    });
    nginx.wait_for(address);
    stays_at(&format!("https://{address}"), &token);
}
