//! `kiste schema`.

use clap::Args;

use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result;

/// Print the JSON Schema of the Kistefile, for editors
#[derive(Debug, Args)]
pub struct SchemaArgs {}

/// Prints it.
pub fn run(context: &Context, _: &SchemaArgs) -> Result<u8, Error> {
    let schemas = context.provider_schemas(&kiste_providers::all());
    result::raw(&serde_json::to_string_pretty(&kiste_config::schema(&schemas)).unwrap_or_default());
    Ok(exit::OK)
}
