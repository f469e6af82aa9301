//! What is left out of a copied folder: patterns as rsync reads them.

use std::path::Path;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// Never copied: state of ours and of our peer, with its private keys.
pub const ALWAYS: [&str; 2] = [kiste_core::dirs::PROJECT_STATE_PATTERN, ".vagrant/"];

/// A set of patterns, for what rsync does not decide itself: plain copies and watching.
#[derive(Clone, Debug)]
pub struct Excludes {
    any: GlobSet,
    folders: GlobSet,
}

impl Excludes {
    /// [`ALWAYS`] and these. A leading `/` ties a pattern to the folder's top, a trailing one makes it match folders only; `*` stays
    /// within a name, `**` does not.
    pub fn new(patterns: &[String]) -> Self {
        let (mut any, mut folders) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for pattern in ALWAYS.iter().copied().chain(patterns.iter().map(String::as_str)) {
            // rsync lets an exclude be an include by this prefix; leaving less out is the safe reading.
            if pattern.starts_with("+ ") {
                continue;
            }
            let pattern = pattern.strip_prefix("- ").unwrap_or(pattern);
            let pattern = pattern.strip_suffix("/***").unwrap_or(pattern);
            let (set, pattern) = match pattern.strip_suffix('/') {
                Some(folder) => (&mut folders, folder),
                None => (&mut any, pattern),
            };
            glob(pattern).map(|g| set.add(g));
        }
        Self { any: any.build().unwrap_or_default(), folders: folders.build().unwrap_or_default() }
    }

    /// Whether this very path (relative to the folder) matches, its parents apart.
    pub fn leaves_out(&self, path: &Path, is_folder: bool) -> bool {
        self.any.is_match(path) || (is_folder && self.folders.is_match(path))
    }

    /// Whether the path or one of its parents matches. A path that is gone counts as a file.
    pub fn covers(&self, path: &Path, is_folder: bool) -> bool {
        self.leaves_out(path, is_folder) || path.ancestors().skip(1).filter(|p| !p.as_os_str().is_empty()).any(|p| self.leaves_out(p, true))
    }
}

/// None for what is no pattern, not even as a plain name.
fn glob(pattern: &str) -> Option<Glob> {
    let (tied, name) = pattern.strip_prefix('/').map_or((false, pattern), |p| (true, p));
    // Braces are letters to rsync.
    let name = name.replace('{', "[{]").replace('}', "[}]");
    let text = if tied { name } else { format!("**/{name}") };
    let build = |text: &str| GlobBuilder::new(text).literal_separator(true).build();
    build(&text).or_else(|_| build(&globset::escape(pattern))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_as_rsync_reads_them() {
        let set = Excludes::new(&["*.o".into(), "/build".into(), "node_modules/".into(), "doc/*.html".into(), "a**z".into(), "{x}".into()]);
        let covers = |path: &str, folder| set.covers(Path::new(path), folder);
        for path in [
            ".kiste/machines/x",
            "sub/.vagrant/y",
            "a.o",
            "src/b.o",
            "build",
            "build/x",
            "w/node_modules/left/pad.js",
            "x/doc/i.html",
            "{x}",
        ] {
            assert!(covers(path, false), "{path}");
        }
        for path in ["sub/build", "node_modules", "doc/a/b.html", "kiste", "x", ".kistefile"] {
            assert!(!covers(path, false), "{path}");
        }
        assert!(covers("node_modules", true));
    }

    #[test]
    fn broken_patterns_are_names() {
        assert!(Excludes::new(&["a[".into()]).covers(Path::new("a["), false));
    }
}
