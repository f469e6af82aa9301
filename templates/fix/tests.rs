//! What the table of templates does not show: every fixer has its case there (`tests/template/templates.json`).

use super::*;

#[test]
fn fixers_have_names_of_their_own_and_the_peers_number() {
    let names: std::collections::BTreeSet<_> = FIXERS.iter().map(|(name, _)| name).collect();
    assert_eq!((names.len(), FIXERS.len()), (34, 34));
}

#[test]
fn what_is_fixed_stays_as_it_is() {
    let text = r#"{"builders": [{"type": "qemu", "disk_size": 5, "iso_checksum": "x", "iso_checksum_type": "md5", "name": "n"}]}"#;
    let once = fixed(text).unwrap();
    assert_eq!(fixed(&once).unwrap(), once);
    assert!(once.contains("\"disk_size\": \"5M\"") && once.contains("\"iso_checksum\": \"md5:x\""), "{once}");
}

#[test]
fn what_is_no_template_is_refused() {
    assert!(matches!(fixed("{"), Err(Unfixable::Form(_))));
    assert!(matches!(fixed("[]"), Err(Unfixable::Form(_))));
    assert!(matches!(fixed("{\"builders\": {}}"), Err(Unfixable::Fixer(_))));
}
