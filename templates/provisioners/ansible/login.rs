//! How Ansible gets into the guest. Secrets go by files that only the user can read, never by words of a command line.

use std::io::Write;
use std::path::Path;

use kiste_comm::ssh::Doorway;
use kiste_comm::ssh::keys::{self, KeyKind};
use kiste_core::Cancel;
use kiste_core::host::Program;
use tempfile::{NamedTempFile, TempDir};

use super::Ansible;
use crate::communicator::{CERTIFICATE, guest_keys};
use crate::error::Error;
use crate::provisioner::ProvisionerRun;

/// The way in.
pub struct Login {
    /// What a line of the inventory may say: `Host`, `Port`, `User`.
    pub fields: Vec<(&'static str, String)>,
    /// That line, unless the template has its own.
    pub line: &'static str,
    /// Private key of the communicator, or one made for this run.
    key: Option<NamedTempFile>,
    /// Certificate of that key.
    certificate: Option<String>,
    /// The line of a key that the guest lets in for this run only.
    granted: Option<String>,
    /// Variables that nobody may read.
    secrets: Option<NamedTempFile>,
    /// Ansible's connections that outlive a task; a later build at the same port must not find them. None: no ssh.
    sockets: Option<TempDir>,
    /// The way past a bastion host or a proxy.
    door: Option<Doorway>,
}

const BY_SSH: &str = "{{ .HostAlias }} ansible_host={{ .Host }} ansible_user={{ .User }} ansible_port={{ .Port }}\n";
const BY_DOCKER: &str = "{{ .HostAlias }} ansible_host={{ .Host }} ansible_connection=docker\n";
const BY_DOCKER_AS: &str = "{{ .HostAlias }} ansible_host={{ .Host }} ansible_connection=docker ansible_user={{ .User }}\n";

impl Login {
    /// For the guest of this run.
    pub fn of(plan: &Ansible, run: &ProvisionerRun<'_>) -> Result<Self, Error> {
        let field = |name: &str| run.live().field(name).map(str::to_owned);
        match field("ConnType").as_deref() {
            Some("ssh") => Self::by_ssh(plan, run),
            Some("docker") => Ok(Self {
                fields: vec![("Host", field("ID").unwrap_or_default()), ("User", plan.user.clone().unwrap_or_default())],
                line: if plan.user.is_some() { BY_DOCKER_AS } else { BY_DOCKER },
                key: None,
                certificate: None,
                granted: None,
                secrets: None,
                sockets: None,
                door: None,
            }),
            other => Err(Error::HostLacks {
                what: format!("Ansible cannot reach this guest: its communicator is `{}`", other.unwrap_or("unknown")),
                hint: "It goes to guests by ssh and to containers of Docker; elsewhere use `ansible-local`.".to_owned(),
            }),
        }
    }

    fn by_ssh(plan: &Ansible, run: &ProvisionerRun<'_>) -> Result<Self, Error> {
        let field = |name: &str| run.live().field(name).map(str::to_owned);
        run.reporter.detail("Not using Proxy adapter for Ansible run:\n\tUsing ssh keys from Packer communicator...");
        let mut login = Self {
            fields: Vec::new(),
            line: BY_SSH,
            key: field("SSHPrivateKey").map(|text| private_file("ansible-key", &text)).transpose()?,
            certificate: field(CERTIFICATE),
            granted: None,
            secrets: None,
            sockets: Some(tempfile::Builder::new().prefix("ansible-cp").tempdir().map_err(Error::file(std::env::temp_dir()))?),
            door: run.comm.doorway()?,
        };
        if let (None, Some(password)) = (&login.key, field("Password")) {
            login.by_password(&password, run)?;
        }
        let own = field("User").unwrap_or_default();
        let user = match &plan.user {
            Some(user) if plan.proxied && *user != own => {
                run.reporter.detail(format!("Ansible logs in as `{own}`: `user` names who logs in to Packer's proxy, not to the guest"));
                own
            }
            given => given.clone().unwrap_or(own),
        };
        let (host, port) = match &login.door {
            Some(door) => ("127.0.0.1".to_owned(), door.port().to_string()),
            None => (field("Host").unwrap_or_default(), field("Port").unwrap_or_else(|| "22".to_owned())),
        };
        login.fields = vec![("Host", host), ("Port", port), ("User", user)];
        Ok(login)
    }

    /// Ansible's ssh takes a password from `sshpass` only; without that, the guest lets a key in that is made for this run.
    fn by_password(&mut self, password: &str, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        if kiste_core::host::find("sshpass").is_some() {
            let text = serde_json::json!({ "ansible_password": password }).to_string();
            self.secrets = Some(private_file("ansible-vars", &text)?);
            return Ok(());
        }
        let pair = keys::generate(KeyKind::Ed25519, &format!("kiste-ansible-{}", uuid::Uuid::new_v4()))?;
        guest_keys::let_in(&pair.public, run.comm, run.cancel).map_err(|error| Error::HostLacks {
            what: format!("Ansible cannot log in: `sshpass` is not installed, and the guest takes no key ({error})"),
            hint: "Install `sshpass`, or give the communicator a key (`ssh_private_key_file`).".to_owned(),
        })?;
        self.key = Some(private_file("ansible-key", &pair.private)?);
        self.granted = Some(pair.public);
        Ok(())
    }

    /// Ends the connections that Ansible leaves open for a minute, and takes back what it was let in with.
    pub fn close(&self, run: &ProvisionerRun<'_>) {
        if let Some(public) = &self.granted
            && let Err(error) = guest_keys::keep_out(public, run.comm, &Cancel::new())
        {
            run.reporter.warn(format!("the key that Ansible was let in with could not be removed: {error}"));
        }
        let Some(sockets) = &self.sockets else { return };
        for socket in std::fs::read_dir(sockets.path()).into_iter().flatten().flatten() {
            let path = format!("ControlPath={}", socket.path().display());
            // One that has ended by itself is as good.
            let ended = Program::new("ssh").args(["-F", "none", "-o", &path, "-O", "exit", "guest"]).output(&Cancel::new());
            tracing::debug!(?ended, "a connection of Ansible's is ended");
        }
    }

    /// Words for ssh's own command line.
    pub fn ssh_words(&self, own: &[String]) -> Option<String> {
        self.key.as_ref()?;
        let words = if own.is_empty() { "-o IdentitiesOnly=yes".to_owned() } else { own.join(" ") };
        Some(match &self.certificate {
            Some(file) => format!("{words} -o CertificateFile={file}"),
            None => words,
        })
    }

    /// Words for Ansible's.
    pub fn words(&self) -> Vec<String> {
        let path = |file: &NamedTempFile| file.path().display().to_string();
        let key = self.key.iter().map(|file| format!("ansible_ssh_private_key_file={}", path(file)));
        let secrets = self.secrets.iter().map(|file| format!("@{}", path(file)));
        key.chain(secrets).flat_map(|word| ["-e".to_owned(), word]).collect()
    }

    /// Variables for Ansible's process; what the user's environment says counts more.
    pub fn variables(&self) -> Vec<(String, String)> {
        let Some(sockets) = &self.sockets else { return Vec::new() };
        // Guests come and go at the same address with other keys: those are nothing to remember.
        let all = [
            ("ANSIBLE_SSH_CONTROL_PATH_DIR", path_text(sockets.path())),
            ("ANSIBLE_SSH_COMMON_ARGS", "-o UserKnownHostsFile=/dev/null".to_owned()),
        ];
        all.into_iter().filter(|(name, _)| std::env::var_os(name).is_none()).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn path_text(path: &Path) -> String {
    path.display().to_string()
}

/// A file that only the user may read, gone with its value.
fn private_file(prefix: &str, text: &str) -> Result<NamedTempFile, Error> {
    let mut file = tempfile::Builder::new().prefix(prefix).tempfile().map_err(Error::file(std::env::temp_dir()))?;
    let text = if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    file.write_all(text.as_bytes()).map_err(Error::file(file.path()))?;
    Ok(file)
}
