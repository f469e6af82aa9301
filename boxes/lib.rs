//! Keep boxes: names, versions, formats, the store, downloads. The only crate that speaks to a registry.
