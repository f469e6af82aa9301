//! What only a named machine has: how many there are of it, and its place among them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Keys of `[machines.NAME]` that the top level has not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Placement {
    /// So many machines `NAME-1`, `NAME-2` … instead of one `NAME`.
    #[schemars(range(max = 1000))]
    pub count: Option<u32>,
    /// What `{{index}}` gives, for a machine without `count` (default 1).
    #[schemars(range(min = 1))]
    pub index: Option<u32>,
}
