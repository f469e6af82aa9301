//! Folders of the host inside the guest.
