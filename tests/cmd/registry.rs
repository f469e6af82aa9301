//! Every command that speaks to a registry, or is one, against the real server: what people read on good days and on bad ones.

#![allow(clippy::too_many_lines, reason = "a story is told in one go, and most of its lines are what was said")]

mod administer;
mod cloud;
mod contents;
mod desk;
mod login;
mod mirror;
mod place;
mod push;
