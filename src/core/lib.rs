//! The words every other crate speaks: specs of machines, events, steps, errors.
//!
//! Plain data and small contracts. Only `host` (host programs) and `dirs` (names on disk) touch the outside.

pub mod cancel;
pub mod dirs;
pub mod error;
pub mod event;
pub mod host;
pub mod machine;
pub mod network;
pub mod provision;
pub mod quantity;
pub mod share;
pub mod state_file;
pub mod step;
pub mod trigger;
pub mod ui;

pub use cancel::{Cancel, Cancelled};
pub use error::{Explain, Kind};
pub use event::{Event, Scope, Stream};
pub use machine::Machine;
pub use quantity::{Size, Span};
pub use ui::{Reporter, Ui};
