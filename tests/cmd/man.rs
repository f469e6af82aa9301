//! `kiste man`.

use crate::harness::Env;

#[test]
fn a_page_or_all_of_them() {
    let env = Env::new();
    assert!(env.run(["man"]).success().contains(".TH kiste 1"));
    env.run(["man", "--dir", "pages"]).success();
    for page in ["kiste.1", "kiste-up.1", "kiste-box-add.1"] {
        assert!(env.project().join("pages").join(page).is_file(), "{page}");
    }
}
