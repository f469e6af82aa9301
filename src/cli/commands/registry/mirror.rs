//! `kiste registry mirror`.

use std::time::Duration;

use clap::Args;
use kiste_boxes::Constraint;
use kiste_boxes::cloud::{Mirror, Mirrored, Origin};
use serde_json::json;

use crate::commands::boxes::TransferArgs;
use crate::commands::registry::RegistryArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;

/// Copy boxes from another registry: what is not there yet, verified, and released as there
///
/// SOURCE is a registry, a server with catalog documents, or a folder of them. A run that broke off goes on with the same
/// command. What was revoked there since is revoked here.
#[derive(Debug, Args)]
pub struct MirrorArgs {
    /// Address of a registry, or a folder
    #[arg(value_name = "SOURCE")]
    source: String,
    /// Whose boxes, or one box
    #[arg(value_name = "ORG[/BOX]")]
    what: String,
    /// Registry to copy to (else KISTE_REGISTRY, else the one you are logged in at)
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Whose they are there, when not the same
    #[arg(long = "as", value_name = "ORG")]
    to_owner: Option<String>,
    /// Copy again and again, with a pause between (5m)
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "5m", value_parser = super::token::expiry)]
    watch: Option<Duration>,
    /// Only these versions: `>= 1.2, < 2`
    #[arg(long, value_name = "CONSTRAINT", default_value = "", hide_default_value = true)]
    versions: Constraint,
    /// Only for these providers
    #[arg(long, value_name = "PROVIDER,…", value_delimiter = ',')]
    providers: Vec<String>,
    /// Only tell what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    transfer: TransferArgs,
}

/// Copies.
pub fn run(context: &Context, args: &MirrorArgs) -> Result<u8, Error> {
    let (owner, name) = match args.what.split_once('/') {
        Some((owner, name)) => (owner.to_owned(), Some(name.to_owned())),
        None => (args.what.clone(), None),
    };
    let transport = args.transfer.download();
    let home = context.home()?;
    let from = Origin::open(&args.source, None, &transport, &home, &context.box_reporter(), &context.cancel)?;
    let target = RegistryArgs { registry: args.to.clone(), transfer: args.transfer.clone() }.open(context)?;
    let (to_owner, versions, providers) = (args.to_owner.clone(), args.versions.clone(), args.providers.clone());
    let mirror = Mirror { name, owner, to_owner, versions, providers, dry_run: args.dry_run };
    loop {
        let result = target.mirror(&from, &mirror);
        let Some(pause) = args.watch else {
            let mirrored = result?;
            tell(context, &mirrored);
            return Ok(mirrored.failed.first().map_or(exit::OK, |f| exit::of(f.kind)));
        };
        match result {
            Ok(mirrored) => tell(context, &mirrored),
            Err(error) => {
                context.cancel.check()?;
                context.box_reporter().warn(format!("{error}; the next try follows"));
            }
        }
        context.cancel.sleep(pause)?;
    }
}

fn tell(context: &Context, done: &Mirrored) {
    let reporter = context.box_reporter();
    for failure in &done.failed {
        reporter.warn(format!("{}: {}", failure.what, failure.reason));
    }
    let (copied, present, failed) = (done.copied.len(), done.present, done.failed.len());
    let text = format!(
        "{copied} copied, {present} there already, {} released, {} revoked, {failed} failed",
        done.released.len(),
        done.revoked.len()
    );
    if context.global.json {
        context.show(&Shown { json: json!({ "mirrored": done }), ..Shown::default() });
    } else if failed > 0 {
        reporter.warn(text);
    } else {
        reporter.success(text);
    }
}
