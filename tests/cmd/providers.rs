//! `kiste providers`.

use crate::harness::Env;

#[test]
fn each_with_what_it_can_or_why_not() {
    let env = Env::new().path("/nonexistent");
    let shown = env.run(["providers"]).success();
    assert!(shown.contains("qemu\n  usable here:"), "{shown}");
    let json = env.run(["providers", "--json"]).json();
    let all = json["providers"].as_array().unwrap();
    let of = |name: &str| all.iter().find(|p| p["name"] == name).unwrap();
    assert_eq!((of("qemu")["usable"].as_bool(), of("fake")["usable"].as_bool()), (Some(false), Some(true)));
    assert!(of("qemu")["findings"].as_array().unwrap().iter().any(|f| f["fatal"] == true && f["todo"].is_string()));
    for capability in ["forwarding", "suspend", "snapshots", "networks"] {
        assert!(of("fake")["capabilities"].as_array().unwrap().iter().any(|c| c == capability), "{capability}");
    }
    assert_eq!(env.run(["providers", "-q"]).success(), "fake\n");
}

#[test]
fn what_a_provider_lacks_is_not_told() {
    let env = Env::new().var("KISTE_FAKE_LACKS", "suspend,networks");
    let json = env.run(["providers", "--json"]).json();
    let fake = json["providers"].as_array().unwrap().iter().find(|p| p["name"] == "fake").unwrap();
    let told = fake["capabilities"].to_string();
    assert!(!told.contains("suspend") && !told.contains("networks") && told.contains("forwarding"), "{told}");
}

/// Nothing of the machine is there afterwards: the check comes before everything else.
#[test]
fn a_setting_that_the_provider_cannot_honour_names_the_provider() {
    let networks = "box = \"debian/12\"\nnetworks = [{ type = \"internal\", auto_config = false }]\n";
    let cards = "box = \"debian/12\"\nnetworks = [{ type = \"private\", auto_config = false }]\n";
    let ports = "box = \"debian/12\"\nports = [\"8080:80\"]\n";
    let folder = "box = \"debian/12\"\nfolders = [{ host = \"site\", guest = \"/site\", type = \"virtiofs\" }]\n";
    let odd = "box = \"debian/12\"\n[fake]\nnever_ready = 7\n";
    for (kistefile, lacks, wanted) in [
        (networks, "", "the provider `fake` cannot attach a machine to a network of type `internal`"),
        (cards, "networks", "the provider `fake` cannot attach a machine to a network of type `private`"),
        (ports, "forwarding", "the provider `fake` cannot forward ports"),
        (folder, "", "(provider `fake`)"),
        (odd, "", "fake"),
    ] {
        let env = Env::ready().var("KISTE_FAKE_LACKS", lacks);
        env.write("project/site/x", "");
        env.kistefile(kistefile);
        let said = env.run(["up"]).fails(2);
        assert!(said.contains(wanted), "{wanted}: {said}");
        assert!(!env.machine("default").exists(), "{wanted}");
    }
}

#[test]
fn networks_reach_the_provider() {
    let env = Env::ready();
    env.kistefile("box = \"debian/12\"\nnetworks = [{ type = \"private\", auto_config = false }]\n");
    let done = env.run(["up"]);
    assert_eq!(done.code, Some(0), "{done}");
    assert!(done.stderr.contains("private network (02:00:00:00:00:01)"), "{done}");
}
