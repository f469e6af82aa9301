//! A user with nothing: own `KISTE_HOME`, own project, own `PATH`, the fake provider.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::boxes;
use super::output::Output;
use super::running::Running;

/// One user's world; gone when dropped.
pub struct Env {
    root: TempDir,
    vars: Vec<(String, String)>,
    path: Option<String>,
}

impl Env {
    /// A home without boxes and an empty project folder.
    pub fn new() -> Self {
        let root = tempfile::Builder::new().prefix("kiste-cmd-").tempdir().expect("a temporary folder");
        std::fs::create_dir(root.path().join("project")).expect("a project");
        Self { root, vars: Vec::new(), path: None }
    }

    /// [`Env::new`] with the box `debian/12` of version 12.5.0 and a project that uses it.
    pub fn ready() -> Self {
        let env = Self::new();
        env.add_box("debian/12", "12.5.0");
        env.kistefile("box = \"debian/12\"\n");
        env
    }

    /// The same with a variable set for every command.
    pub fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with only these folders to look for host programs.
    pub fn path(mut self, path: &str) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// The folder that holds all of it.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The project's folder.
    pub fn project(&self) -> PathBuf {
        self.root.path().join("project")
    }

    /// `KISTE_HOME`.
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// Folder of the state of a machine of the project.
    pub fn machine(&self, name: &str) -> PathBuf {
        self.project().join(".kiste/machines").join(name).join("fake")
    }

    /// Writes the project's Kistefile.
    pub fn kistefile(&self, text: &str) {
        self.write("project/Kistefile", text);
    }

    /// Writes any file below the root, making its folders.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(path, text).expect("a file");
    }

    /// Puts a box into the store, by the command that users take.
    pub fn add_box(&self, name: &str, version: &str) {
        let file = self.root.path().join("a.box");
        boxes::write(&file, "libvirt");
        let catalog = boxes::catalog(name, version, &file);
        self.write("catalog.json", catalog);
        let path = self.root.path().join("catalog.json");
        self.run(["box", "add", path.to_str().expect("a path")]).success();
    }

    fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kiste"));
        command.args(args).current_dir(self.project()).env_clear().stdin(Stdio::null());
        let path = self.path.clone().unwrap_or_else(|| std::env::var("PATH").unwrap_or_default());
        command.env("PATH", path).env("HOME", self.root.path()).env("KISTE_HOME", self.home());
        command.env("KISTE_PROVIDER", "fake").env("LC_ALL", "C.UTF-8").env("COLUMNS", "100");
        command.envs(self.vars.iter().map(|(k, v)| (k, v)));
        command
    }

    /// Runs kiste in the project to its end.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        let done = self.command(args).output().expect("kiste runs");
        Output::new(self.root.path(), done)
    }

    /// Runs kiste in another folder below the root.
    pub fn run_in<S: AsRef<OsStr>>(&self, folder: &str, args: impl IntoIterator<Item = S>) -> Output {
        let done = self.command(args).current_dir(self.root.path().join(folder)).output().expect("kiste runs");
        Output::new(self.root.path(), done)
    }

    /// Runs kiste in the project, with a file system of `size` (`8m`) over the folder `place` below the root; what is left there in the
    /// end stands in a last line of the standard output. None where this host lets nobody mount anything.
    pub fn run_on_a_small_disk(&self, size: &str, place: &str, args: &[&str]) -> Option<Output> {
        const SCRIPT: &str = r#"
            mount -t tmpfs -o "size=$SIZE" tmpfs "$PLACE" || exit 77
            "$KISTE" "$@"
            code=$?
            echo "left: $(cd "$PLACE" && find . -type f -size +0 | sort | tr '\n' ' ')"
            exit $code"#;
        let place = self.root.path().join(place);
        std::fs::create_dir_all(&place).expect("a folder");
        let like = self.command(args);
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh"]).args(args);
        command.current_dir(self.project()).env_clear().stdin(Stdio::null());
        command.envs(like.get_envs().filter_map(|(name, value)| value.map(|v| (name, v))));
        command.env("SIZE", size).env("PLACE", place).env("KISTE", env!("CARGO_BIN_EXE_kiste"));
        let done = command.output().ok().filter(|d| d.status.code() != Some(77) && !d.stdout.is_empty())?;
        Some(Output::new(self.root.path(), done))
    }

    /// Runs kiste with something on standard input.
    pub fn run_with_input<S: AsRef<OsStr>>(&self, input: &str, args: impl IntoIterator<Item = S>) -> Output {
        let file = self.root.path().join("input");
        std::fs::write(&file, input).expect("a file");
        let input = std::fs::File::open(file).expect("the file");
        Output::new(self.root.path(), self.command(args).stdin(input).output().expect("kiste runs"))
    }

    /// Starts kiste and lets it run.
    pub fn start<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Running {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Running::new(self.root.path(), command.spawn().expect("kiste starts"))
    }

    /// [`Env::start`] for a command whose lines come on standard output.
    pub fn start_on_stdout<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Running {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Running::on_stdout(self.root.path(), command.spawn().expect("kiste starts"))
    }

    /// A link of another name to kiste.
    pub fn link(&self, name: &str) -> PathBuf {
        let link = self.root.path().join(name);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kiste"), &link).expect("a link");
        link
    }

    /// Runs a link of [`Env::link`] in the project to its end.
    pub fn run_program<S: AsRef<OsStr>>(&self, program: &Path, args: &[S]) -> Output {
        let like = self.command(args);
        let mut command = Command::new(program);
        command.args(args).current_dir(self.project()).env_clear().stdin(Stdio::null());
        command.envs(like.get_envs().filter_map(|(name, value)| value.map(|v| (name, v))));
        Output::new(self.root.path(), command.output().expect("kiste runs"))
    }
}
