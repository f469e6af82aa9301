//! What an ESXi host prints, read into words of ours: pure functions on text, without a host.
//!
//! The shapes are those of public logs of 6.5 to 8.0; where versions differ (commas after the last field, `dynamicType`, padded dates),
//! all are taken.

pub mod guest;
pub mod inventory;
pub mod object;
pub mod snapshots;
pub mod tables;
pub mod vmx;
