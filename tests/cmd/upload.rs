//! `kiste upload`.

use crate::harness::Env;

fn read(env: &Env, path: &str) -> String {
    env.run(["ssh", "-c", &format!("cat {path}")]).success()
}

#[test]
fn a_file_goes_where_it_is_told() {
    let env = Env::ready();
    env.run(["up"]).success();
    env.write("project/note.txt", "hello\n");
    env.run(["upload", "note.txt"]).success();
    assert_eq!(read(&env, "~/note.txt"), "hello\n");
    env.run(["upload", "note.txt", "/tmp/other.txt"]).success();
    assert_eq!(read(&env, "/tmp/other.txt"), "hello\n");
}

#[test]
fn the_name_of_a_machine_stands_for_it() {
    let env = Env::ready();
    env.kistefile("box = \"debian/12\"\n[machines.web]\n[machines.db]\n");
    env.run(["up", "db"]).success();
    env.write("project/note.txt", "hello\n");
    env.run(["upload", "note.txt", "db"]).success();
    env.run(["upload", "note.txt", "db:/tmp/a"]).success();
    env.run(["upload", "note.txt", "/tmp/b", "db"]).success();
    let all = env.run(["ssh", "db", "-c", "cat ~/note.txt /tmp/a /tmp/b"]).success();
    assert_eq!(all, "hello\nhello\nhello\n");
}

#[test]
fn a_folder_and_a_source_that_is_not_there() {
    let env = Env::ready();
    env.run(["up"]).success();
    env.write("project/site/a/index.html", "page\n");
    env.run(["upload", "site", "/tmp/site"]).success();
    assert!(env.run(["ssh", "-c", "find /tmp/site -name index.html"]).success().contains("a/index.html"));
    let errors = env.run(["upload", "none"]).fails(1);
    assert!(errors.contains("cannot read `none`"), "{errors}");
}
