//! Every provider of this build, best first.

use std::sync::Arc;

use crate::driver::Driver;
use crate::error::Error;

/// All drivers, best first. The fake one exists in test builds only and comes last.
pub fn all() -> Vec<Arc<dyn Driver>> {
    vec![
        Arc::new(crate::qemu::Qemu),
        Arc::new(crate::virtualbox::VirtualBox),
        #[cfg(feature = "fake")]
        Arc::new(crate::fake::Fake),
    ]
}

/// The driver of that name.
pub fn named(name: &str) -> Result<Arc<dyn Driver>, Error> {
    let all = all();
    let known = all.iter().map(|d| d.name().to_owned()).collect();
    all.into_iter().find(|d| d.name() == name).ok_or_else(|| Error::Unknown { name: name.to_owned(), known })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = named("vmwrae").err().map(|e| e.to_string()).unwrap_or_default();
        assert!(all().iter().all(|d| error.contains(d.name())), "{error}");
    }
}
