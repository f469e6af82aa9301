//! Chromium without a window, spoken to by its DevTools protocol over a pipe: pages as their readers have them. Things are found by what assistive
//! technology is told of them (role and name), and everything is done by keyboard. No page's script runs.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use base64::Engine;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::part::program;

/// So long may an answer take; a machine under load is slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser with one page.
pub struct Chromium {
    child: Child,
    to: Option<ChildStdin>,
    from: Receiver<Value>,
    session: Option<String>,
    asked: u64,
    told: Vec<Value>,
    profile: TempDir,
}

/// Something on a page, as assistive technology is told of it.
#[derive(Clone, Debug)]
pub struct Thing {
    /// `button`, `link`, `textbox` …
    pub role: String,
    /// Its accessible name.
    pub name: String,
    /// A heading's level.
    pub level: Option<u64>,
    /// It has the keyboard.
    pub focused: bool,
    node: u64,
}

impl Chromium {
    /// Starts one. Certificates of tests are good enough for it.
    pub fn start() -> Self {
        let profile = tempfile::Builder::new().prefix("kiste-chromium-").tempdir().expect("a folder");
        let log = std::fs::File::create(profile.path().join("log")).expect("a log");
        let mut command = Command::new("setpriv");
        // The protocol is on descriptors 3 and 4; Rust has names only for 0 and 1.
        command.args(["--pdeathsig", "KILL", "--", "sh", "-c", r#"exec "$@" 3<&0 4>&1 </dev/null >&2"#, "sh"]).arg(program("chromium"));
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"]);
        command.args(["--no-first-run", "--disable-extensions", "--disable-background-networking", "--ignore-certificate-errors"]);
        command.arg("--window-size=1200,900").arg(format!("--user-data-dir={}", profile.path().join("profile").display()));
        command.env("HOME", profile.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("chromium starts");
        let (to, out) = (child.stdin.take(), child.stdout.take().expect("a pipe"));
        let (sender, from) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(out).split(0).map_while(Result::ok) {
                // Nobody listens any more when the test is over.
                let _ = sender.send(serde_json::from_slice(&message).unwrap_or_default());
            }
        });
        let mut browser = Self { child, to, from, session: None, asked: 0, told: Vec::new(), profile };
        let target = browser.ask("Target.createTarget", json!({ "url": "about:blank" }));
        let session = browser.ask("Target.attachToTarget", json!({ "targetId": target["targetId"], "flatten": true }));
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        browser.ask("Page.enable", json!({}));
        browser.ask("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
        browser
    }

    /// Opens an address.
    #[track_caller]
    pub fn open(&mut self, url: &str) {
        self.leaving(|browser| {
            let answer = browser.ask("Page.navigate", json!({ "url": url }));
            assert!(answer["errorText"].is_null(), "{url}: {answer}");
        });
    }

    /// Where the page is.
    pub fn address(&mut self) -> String {
        let history = self.ask("Page.getNavigationHistory", json!({}));
        let at = history["currentIndex"].as_u64().and_then(|i| usize::try_from(i).ok()).expect("an index");
        history["entries"][at]["url"].as_str().expect("an address").to_owned()
    }

    /// Everything that is not hidden from assistive technology, in the page's order.
    pub fn things(&mut self) -> Vec<Thing> {
        let tree = self.ask("Accessibility.getFullAXTree", json!({}));
        let nodes = tree["nodes"].as_array().expect("nodes");
        let of = |node: &Value| {
            let property = |name: &str| {
                let all = node["properties"].as_array().into_iter().flatten();
                all.clone().find(|p| p["name"] == name).map(|p| p["value"]["value"].clone())
            };
            Some(Thing {
                role: node["role"]["value"].as_str()?.to_owned(),
                name: node["name"]["value"].as_str().unwrap_or_default().to_owned(),
                level: property("level").and_then(|v| v.as_u64()),
                focused: property("focused") == Some(json!(true)),
                node: node["backendDOMNodeId"].as_u64()?,
            })
        };
        nodes.iter().filter(|node| node["ignored"] != json!(true)).filter_map(of).collect()
    }

    /// All text of the page.
    pub fn text(&mut self) -> String {
        let texts = self.things().into_iter().filter(|t| t.role == "StaticText").map(|t| t.name);
        texts.collect::<Vec<_>>().join("\n")
    }

    /// Fails the test unless the page holds all of `words`.
    #[track_caller]
    pub fn shows(&mut self, words: &[&str]) {
        let (text, address) = (self.text(), self.address());
        for word in words {
            assert!(text.contains(word), "`{word}` is not on {address}:\n{text}");
        }
    }

    /// The one thing of a role and a name.
    #[track_caller]
    fn find(&mut self, role: &[&str], name: &str) -> Thing {
        let all = self.things();
        let found: Vec<&Thing> = all.iter().filter(|t| role.contains(&t.role.as_str()) && t.name == name).collect();
        let known: Vec<String> =
            all.iter().filter(|t| role.contains(&t.role.as_str())).map(|t| format!("{} `{}`", t.role, t.name)).collect();
        assert!(!found.is_empty(), "no {role:?} is called `{name}` on {}; there are {known:?}", self.address());
        (*found.first().expect("one")).clone()
    }

    #[track_caller]
    fn focus(&mut self, role: &[&str], name: &str) -> u64 {
        let node = self.find(role, name).node;
        self.ask("DOM.focus", json!({ "backendNodeId": node }));
        node
    }

    /// Types into a field in the place of what it holds.
    #[track_caller]
    pub fn fill(&mut self, name: &str, text: &str) {
        self.focus(&["textbox", "searchbox", "combobox", "spinbutton"], name);
        self.key("a", 65, 2);
        self.ask("Input.insertText", json!({ "text": text }));
    }

    /// Chooses of a list by the first letters.
    #[track_caller]
    pub fn choose(&mut self, name: &str, letters: &str) {
        self.focus(&["combobox"], name);
        for letter in letters.chars() {
            self.ask("Input.dispatchKeyEvent", json!({ "type": "char", "text": letter.to_string() }));
        }
    }

    /// Ticks a box, or takes its tick away.
    #[track_caller]
    pub fn tick(&mut self, name: &str) {
        self.focus(&["checkbox"], name);
        self.key(" ", 32, 0);
    }

    /// Gives a form a file.
    #[track_caller]
    pub fn attach(&mut self, name: &str, file: &Path) {
        let node = self.find(&["button"], name).node;
        self.ask("DOM.setFileInputFiles", json!({ "files": [file], "backendNodeId": node }));
    }

    /// Enter, on a button or link that leads to another page.
    #[track_caller]
    pub fn press(&mut self, name: &str) {
        self.focus(&["button", "link"], name);
        self.leaving(|browser| browser.key("Enter", 13, 0));
    }

    /// The Tab key; what has the keyboard then, as `ROLE NAME`.
    pub fn tab(&mut self) -> String {
        self.key("Tab", 9, 0);
        let all = self.things();
        // The page itself counts as focused as well.
        let found = all.iter().rfind(|t| t.focused && t.role != "RootWebArea");
        found.map_or_else(String::new, |t| format!("{} {}", t.role, t.name))
    }

    fn key(&mut self, key: &str, code: u64, modifiers: u64) {
        let text = match key {
            "Enter" => "\r",
            " " => " ",
            _ => "",
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({ "type": kind, "key": key, "windowsVirtualKeyCode": code, "modifiers": modifiers });
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = json!(text);
            }
            if modifiers == 2 && kind == "keyDown" {
                event["commands"] = json!(["selectAll"]);
            }
            self.ask("Input.dispatchKeyEvent", event);
        }
    }

    /// Does something that leads to another page, and waits for that.
    #[track_caller]
    fn leaving(&mut self, act: impl FnOnce(&mut Self)) {
        self.told.retain(|event| event["method"] != "Page.loadEventFired");
        act(self);
        while !self.told.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.next("the next page");
            self.told.push(event);
        }
    }

    /// What the reader's system says about light and dark.
    pub fn dark(&mut self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        self.ask("Emulation.setEmulatedMedia", json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] }));
    }

    /// A window of another width.
    pub fn width(&mut self, width: u32) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.ask("Emulation.setDeviceMetricsOverride", size);
    }

    /// How wide the page is.
    pub fn content_width(&mut self) -> f64 {
        self.ask("Page.getLayoutMetrics", json!({}))["cssContentSize"]["width"].as_f64().expect("a width")
    }

    /// A property of an element's style as it is shown.
    #[track_caller]
    pub fn style(&mut self, selector: &str, property: &str) -> String {
        self.ask("DOM.enable", json!({}));
        self.ask("CSS.enable", json!({}));
        let root = self.ask("DOM.getDocument", json!({}))["root"]["nodeId"].clone();
        let node = self.ask("DOM.querySelector", json!({ "nodeId": root, "selector": selector }))["nodeId"].clone();
        let style = self.ask("CSS.getComputedStyleForNode", json!({ "nodeId": node }));
        let all = style["computedStyle"].as_array().expect("a style");
        let found = all.iter().find(|p| p["name"] == property).and_then(|p| p["value"].as_str());
        found.unwrap_or_else(|| panic!("`{selector}` has no {property}")).to_owned()
    }

    /// All cookies.
    pub fn cookies(&mut self) -> Vec<Value> {
        self.ask("Network.getCookies", json!({}))["cookies"].as_array().cloned().unwrap_or_default()
    }

    /// The page as a PNG, for people to look at: below the folder that `KISTE_PICTURES` names, if it does.
    pub fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("KISTE_PICTURES") else { return };
        let shot = self.ask("Page.captureScreenshot", json!({ "captureBeyondViewport": true }));
        let png = base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().expect("a picture")).expect("base64");
        std::fs::write(Path::new(&folder).join(format!("{name}.png")), png).expect("a file");
    }

    #[track_caller]
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let mut message = json!({ "id": self.asked, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.as_mut().expect("a pipe").write_all(&bytes).expect("chromium listens");
        loop {
            let answer = self.next(method);
            if answer["id"] == json!(self.asked) {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.told.push(answer);
        }
    }

    #[track_caller]
    fn next(&mut self, what: &str) -> Value {
        self.from.recv_timeout(PATIENCE).unwrap_or_else(|e| {
            let log = std::fs::read_to_string(self.profile.path().join("log")).unwrap_or_default();
            panic!("chromium says nothing to {what} ({e}):\n{log}")
        })
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // It ends with its pipe, and tidies its own processes up; a killed one leaves them.
        drop(self.to.take());
        while self.from.recv_timeout(PATIENCE).is_ok() {}
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
