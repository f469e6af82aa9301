//! `kiste resume`.

use crate::harness::Env;
use insta::assert_snapshot;

#[test]
fn it_goes_on_where_it_was() {
    let env = Env::ready();
    env.run(["up"]).success();
    env.run(["suspend"]).success();
    assert_snapshot!(env.run(["resume"]), @"");
    assert!(env.run(["status"]).success().contains("running"));
}
