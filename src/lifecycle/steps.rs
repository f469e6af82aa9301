//! The steps that bring a machine up, one file each.

pub(crate) mod boot;
pub(crate) mod cards;
pub(crate) mod connect;
pub(crate) mod create;
pub(crate) mod fetch_box;
pub(crate) mod forward;
pub(crate) mod hostname;
pub(crate) mod identity;
pub(crate) mod provision;
pub(crate) mod share;
