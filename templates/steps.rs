//! Steps that builders of virtual machines share, over one context.

pub mod boot;
pub mod connect;
pub mod context;
pub mod evidence;
pub mod export;
pub mod provision;
pub mod scratch;
pub mod shut_down;

pub use context::Context;
