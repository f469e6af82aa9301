//! `vagrant-registry`: publishes a box by the second generation of the registry's API, which knows architectures and checksums.

use kiste_boxes::publish::{Details, Listener, Publication, RETRY_PAUSE, Server, metadata, second_generation};
use kiste_boxes::{architecture, digest};

use super::vagrant_cloud::{content, published, required, the_box, variable};
use crate::artifact::Artifact;
use crate::error::Error;
use crate::options::Options;
use crate::post_processor::{PostProcessor, PostProcessorRun, Processed};

const BUILDER_ID: &str = "vagrant.post-processor.vagrant-registry";
const DEFAULT_AUTH: &str = "https://auth.idp.hashicorp.com/oauth2/token";

/// Its options, checked.
struct VagrantRegistry {
    server: Server,
    /// Where a token is had, an id and a secret.
    credentials: Option<(String, String, String)>,
    tag: String,
    version: String,
    version_description: Option<String>,
    box_description: Option<String>,
    private: bool,
    no_release: bool,
    direct: bool,
    architecture: Option<String>,
    default_architecture: Option<String>,
    box_download_url: Option<String>,
    checksum: Option<(String, String)>,
}

/// The post-processor, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn PostProcessor>> {
    let tag = required(options, "box_tag");
    let version = required(options, "version");
    if !tag.is_empty() && tag.split('/').filter(|part| !part.is_empty()).count() != 2 {
        options.problem(None, format!("box_tag must be USER/NAME, not `{tag}`"));
    }
    let credentials = credentials(options);
    let token = options.text("access_token").or_else(|| variable("KISTE_TOKEN")).or_else(|| variable("VAGRANT_CLOUD_TOKEN"));
    Some(Box::new(VagrantRegistry {
        server: Server {
            address: address(options),
            token,
            insecure: options.boolean("insecure_skip_tls_verify").unwrap_or(false),
            retry_pause: RETRY_PAUSE,
        },
        credentials,
        tag,
        version,
        version_description: options.text("version_description"),
        box_description: options.text("box_description"),
        private: options.boolean("box_private").unwrap_or(false),
        no_release: options.boolean("no_release").unwrap_or(false),
        direct: !options.boolean("no_direct_upload").unwrap_or(false),
        architecture: options.text("architecture").map(|word| architecture::normalise(&word)),
        default_architecture: options.text("default_architecture").map(|word| architecture::normalise(&word)),
        box_download_url: options.later("box_download_url"),
        checksum: checksum(options),
    }))
}

/// Of the registry: as given, else the user's own.
fn address(options: &mut Options<'_>) -> String {
    let Some(address) = options.text("hcp_api_address").or_else(|| variable("KISTE_REGISTRY")) else {
        let reason = "hcp_api_address must be set (or KISTE_REGISTRY): the address of a registry that speaks the second generation of the API; HCP's own API is not built in";
        options.problem(None, reason);
        return String::new();
    };
    second_generation(&address)
}

fn credentials(options: &mut Options<'_>) -> Option<(String, String, String)> {
    let auth = options.text("hcp_auth_url").unwrap_or_else(|| DEFAULT_AUTH.to_owned());
    let id = options.text("client_id").or_else(|| variable("HCP_CLIENT_ID"));
    let secret = options.text("client_secret").or_else(|| variable("HCP_CLIENT_SECRET"));
    match (id, secret) {
        (Some(id), Some(secret)) => Some((auth, id, secret)),
        (None, None) => None,
        _ => {
            options.problem(None, "client_id and client_secret go together");
            None
        }
    }
}

/// `TYPE:DIGITS`.
fn checksum(options: &mut Options<'_>) -> Option<(String, String)> {
    let at = options.place("box_checksum");
    let text = options.text("box_checksum")?;
    let parts = text.split_once(':').map(|(kind, digits)| (kind.to_lowercase(), digits.to_lowercase()));
    let parts = parts.filter(|(kind, digits)| digest::is_kind(kind) && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if parts.is_none() {
        options.problem(at, format!("box_checksum must be a type and hexadecimal digits, `sha256:…`, not `{text}`"));
    }
    parts
}

impl PostProcessor for VagrantRegistry {
    fn ready(&self, run: &PostProcessorRun<'_>) -> Result<(), Error> {
        Ok(self.server(run)?.authenticate(run.cancel)?)
    }

    fn process(&self, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<Processed, Error> {
        let (path, provider) = the_box("vagrant-registry", artifact, run)?;
        let said = metadata(&path, run.cancel)?.architecture.map(|word| architecture::normalise(&word));
        let architecture = self.architecture.clone().or(said).unwrap_or_else(|| architecture::host().to_owned());
        let checksum = match (&self.checksum, &self.box_download_url) {
            (None, None) => digest::of_file(&path, &["sha256"], run.cancel)?.pop().map(|digits| ("sha256".to_owned(), digits)),
            (given, _) => given.clone(),
        };
        let publication = Publication {
            tag: self.tag.clone(),
            version: self.version.clone(),
            provider: provider.clone(),
            version_description: self.version_description.clone(),
            content: content(path, self.direct, self.box_download_url.as_deref(), &artifact.id, &provider, run)?,
            no_release: self.no_release,
            details: Details {
                box_description: self.box_description.clone(),
                private: self.private,
                default_architecture: self.default_architecture.as_ref().map(|default| *default == architecture),
                architecture,
                checksum,
            },
        };
        self.server(run)?.publish_v2(&publication, Listener { reporter: run.reporter, cancel: run.cancel })?;
        Ok(published(BUILDER_ID, &self.tag, &provider))
    }
}

impl VagrantRegistry {
    /// With a token of now: one for an id and a secret does not live long.
    fn server(&self, run: &PostProcessorRun<'_>) -> Result<Server, Error> {
        let mut server = self.server.clone();
        if let Some((auth, id, secret)) = &self.credentials {
            server.token = Some(Server::token_for(auth, id, secret, server.insecure, run.cancel)?);
        }
        Ok(server)
    }
}
