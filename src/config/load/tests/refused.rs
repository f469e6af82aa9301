//! What is wrong, and how it is told.

use super::Case;

#[test]
fn a_misspelt_key() {
    let case = Case::new("box = \"debian/12\"\nmemroy = \"1GiB\"\n");
    let error = case.load().unwrap_err().to_string().replace(&case.root().display().to_string(), "DIR");
    assert_eq!(
        error,
        "the configuration has 1 mistake\n\
         DIR/Kistefile:2:1: unknown key `memroy` (did you mean `memory`?)\n  \
         2 | memroy = \"1GiB\"\n    \
           | ^^^^^^"
    );
}
