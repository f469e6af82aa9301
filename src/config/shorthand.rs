//! Short forms of a list's entries: `8080:80` for a port, `.:/srv/app` for a folder.

pub mod folder;
pub mod port;
