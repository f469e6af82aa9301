//! The Rust files of the house, read once: their text, their code without comments, strings and tests, their functions.

use std::path::{Path, PathBuf};

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// The checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One file of code (files of tests are left out).
pub struct Source {
    /// Path from the top, with `/`.
    pub name: String,
    /// Whole text.
    pub text: String,
    /// Line ranges (from 1, inclusive) that are tests.
    tests: Vec<(usize, usize)>,
    functions: Vec<(String, usize)>,
}

/// All files of all crates.
pub fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    for top in ["src", "providers", "boxes", "templates"] {
        collect(&root().join(top), &mut paths);
    }
    paths.sort();
    paths.iter().map(|p| Source::read(p)).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()) {
        let name = entry.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if entry.is_dir() {
            if name != "target" && name != "tests" {
                collect(&entry, paths);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" && !name.ends_with("_tests.rs") {
            paths.push(entry);
        }
    }
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let name = path.strip_prefix(root()).expect("below the top").to_string_lossy().replace('\\', "/");
        let file = syn::parse_file(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut reader = Reader { name: &name, tests: Vec::new(), functions: Vec::new() };
        reader.visit_file(&file);
        let Reader { tests, functions, .. } = reader;
        Self { tests, functions, name, text }
    }

    fn is_test(&self, line: usize) -> bool {
        self.tests.iter().any(|(from, to)| (*from..=*to).contains(&line))
    }

    /// Lines, tests aside.
    pub fn lines(&self) -> usize {
        self.text_lines().count()
    }

    /// Functions with their length in lines, tests aside.
    pub fn functions(&self) -> Vec<(String, usize)> {
        self.functions.clone()
    }

    /// Numbered lines, tests aside.
    pub fn text_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(i, l)| (i + 1, l)).filter(|(i, _)| !self.is_test(*i))
    }

    /// Numbered lines without comments and tests.
    pub fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text_lines().map(|(i, l)| (i, l.split("//").next().unwrap_or_default()))
    }
}

struct Reader<'a> {
    name: &'a str,
    tests: Vec<(usize, usize)>,
    functions: Vec<(String, usize)>,
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes
        .iter()
        .any(|a| a.path().is_ident("test") || (a.path().is_ident("cfg") && a.parse_args::<syn::Path>().is_ok_and(|p| p.is_ident("test"))))
}

impl Reader<'_> {
    fn note(&mut self, name: &syn::Ident, span: proc_macro2::Span) {
        let lines = span.end().line - span.start().line + 1;
        self.functions.push((format!("{} fn {name}", self.name), lines));
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Mod(m) => &m.attrs,
            syn::Item::Fn(f) => &f.attrs,
            syn::Item::Impl(i) => &i.attrs,
            syn::Item::Use(u) => &u.attrs,
            _ => return visit::visit_item(self, item),
        };
        if is_test(attributes) {
            self.tests.push((item.span().start().line, item.span().end().line));
        } else {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, f: &'ast syn::ItemFn) {
        self.note(&f.sig.ident, f.block.span());
        visit::visit_item_fn(self, f);
    }

    fn visit_impl_item_fn(&mut self, f: &'ast syn::ImplItemFn) {
        self.note(&f.sig.ident, f.block.span());
        visit::visit_impl_item_fn(self, f);
    }
}
