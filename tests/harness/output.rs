//! What a command said, whole, with everything that differs from run to run replaced.

use std::fmt;
use std::path::Path;

use regex_automata::meta::Regex;

/// Patterns and what stands for them. The first group, if any, is what is replaced.
const CHANGING: &[(&str, &str)] = &[
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "[TIME]"),
    (r"\b[0-9a-f]{32}\b", "[ID]"),
    (r"\b22\d\d\b", "[PORT]"),
    (r"pid \d+", "pid [PID]"),
    (r"at most [0-9hms]+", "at most [LIMIT]"),
    (r"\([0-9.]+ KiB\)", "([SIZE])"),
    (r"\b\d+(\.\d+)? (ms|s)\b", "[SPAN]"),
    (r"([0-9]+h)?([0-9]+m)?[0-9]+s[0-9]+ms[0-9a-z]*", "[SPAN]"),
    (r"(?m)^\d{10},", "[EPOCH],"),
    (r"evidence/[0-9A-Za-z:.-]+", "evidence/[WHEN]"),
    (r"\d+ (minutes?|seconds?|milliseconds?|microseconds?)( \d+ (seconds?|milliseconds?|microseconds?))?", "[SPAN]"),
    (r"packer-shell[0-9A-Za-z]+", "packer-shell[ID]"),
];

/// What a command said. Look at it, or it does not compile.
#[must_use = "compare the output, or say `.success()`"]
pub struct Output {
    /// Exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Standard output as it came, for programs to read.
    pub raw: String,
}

impl Output {
    /// Of a process that ended.
    pub fn new(root: &Path, done: std::process::Output) -> Self {
        let text = |bytes: &[u8]| normal(root, &String::from_utf8_lossy(bytes));
        Self {
            code: done.status.code(),
            stdout: text(&done.stdout),
            stderr: text(&done.stderr),
            raw: String::from_utf8_lossy(&done.stdout).into_owned(),
        }
    }

    /// Fails the test unless it worked; gives standard output.
    #[track_caller]
    pub fn success(self) -> String {
        assert_eq!(self.code, Some(0), "{self}");
        self.stdout
    }

    /// Fails the test unless it ended with `code`; gives standard error.
    #[track_caller]
    pub fn fails(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self}");
        self.stderr
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.raw).unwrap_or_else(|e| panic!("{e}\n{self}"))
    }

    /// Standard output as one JSON value a line.
    #[track_caller]
    pub fn json_lines(self) -> Vec<serde_json::Value> {
        self.raw.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect()
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.map_or("signal".to_owned(), |c| c.to_string());
        write!(f, "exit {code}")?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
                write!(f, "\n--- {name}\n{}", lines.join("\n"))?;
            }
        }
        Ok(())
    }
}

/// `text` with paths, times, ids and ports replaced.
pub fn normal(root: &Path, text: &str) -> String {
    let mut text = text.replace(&*root.to_string_lossy(), "[ROOT]");
    for (pattern, stand_in) in CHANGING {
        text = replace(&Regex::new(pattern).expect("a pattern"), &text, stand_in);
    }
    // Whether another machine of this host has ssh's first port is no matter of the test.
    let others = |line: &str| line.ends_with("Port [PORT] is taken: 22 (guest) is on [PORT] now");
    text.split_inclusive('\n').filter(|line| !others(line.trim_end())).collect()
}

/// `text` with every hit replaced.
pub fn replace(regex: &Regex, text: &str, stand_in: &str) -> String {
    let mut replaced = String::new();
    let mut end = 0;
    for hit in regex.find_iter(text) {
        replaced.push_str(&text[end..hit.start()]);
        replaced.push_str(stand_in);
        end = hit.end();
    }
    replaced + &text[end..]
}
