//! `powershell`: PowerShell scripts in a Windows guest. Variables come in by a script of their own, which is read first.

use std::time::Duration;

use super::elevated::Elevated;
use super::remote::Remote;
use crate::error::Error;
use crate::live::Live;
use crate::options::Options;
use crate::provisioner::{Provisioner, ProvisionerRun};
use crate::script::{self, GUEST_RULES, START_RETRY, Script, ValidCodes, Variables};

/// What `execution_policy` may be.
const POLICIES: [&str; 8] = ["bypass", "allsigned", "default", "remotesigned", "restricted", "undefined", "unrestricted", "none"];
/// How one variable is set.
const FORMAT: &str = r#"$env:%s="%s"; "#;

/// Its options, checked.
struct PowerShell {
    scripts: Vec<Script>,
    variables: Variables,
    execute_command: String,
    elevated: Option<Elevated>,
    remote_path: Option<String>,
    remote_env_var_path: Option<String>,
    start_retry_timeout: Duration,
    skip_clean: bool,
    valid_exit_codes: ValidCodes,
    pause_after: Duration,
}

/// The provisioner.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn Provisioner>> {
    let scripts = script::scripts(options, &GUEST_RULES);
    let command = default_command(options);
    let plain = options.later("execute_command");
    let for_elevated = options.later("elevated_execute_command");
    let elevated = Elevated::of(options);
    let format = options.text("elevated_env_var_format");
    let mut variables = Variables::of(options, FORMAT);
    if elevated.is_some() {
        variables.set_format(format.unwrap_or_else(|| FORMAT.to_owned()));
    }
    // What is uploaded goes as it is, always.
    options.boolean("binary");
    Some(Box::new(PowerShell {
        scripts,
        variables,
        execute_command: if elevated.is_some() { for_elevated } else { plain }.unwrap_or(command),
        elevated,
        remote_path: options.text("remote_path"),
        remote_env_var_path: options.text("remote_env_var_path"),
        start_retry_timeout: options.duration("start_retry_timeout").filter(|d| !d.is_zero()).unwrap_or(START_RETRY),
        skip_clean: options.boolean("skip_clean").unwrap_or(false),
        valid_exit_codes: ValidCodes::of(options),
        pause_after: options.duration("pause_after").unwrap_or_default(),
    }))
}

fn default_command(options: &mut Options<'_>) -> String {
    let at = ["debug_mode", "execution_policy"].map(|key| options.place(key));
    let level = options.parsed::<i64>("debug_mode", "a number").unwrap_or(0);
    if !(0..=2).contains(&level) {
        options.problem(at[0], format!("{level} is an invalid Trace level for `debug_mode`; valid values are 0, 1, and 2"));
    }
    let policy = options.text("execution_policy").unwrap_or_else(|| "bypass".to_owned());
    if !POLICIES.contains(&policy.as_str()) {
        let known = POLICIES.map(|p| format!("\"{p}\"")).join(", ");
        options.problem(at[1], format!("Invalid execution policy provided. Please supply one of: {known}."));
    }
    let trace = if level == 0 { String::new() } else { format!("Set-PsDebug -Trace {level};") };
    let text = format!(
        "& {{ if (Test-Path variable:global:ProgressPreference)\
         {{set-variable -name variable:global:ProgressPreference -value 'SilentlyContinue'}};{trace}\
         . {{{{.Vars}}}}; &'{{{{.Path}}}}'; exit $LastExitCode }}"
    );
    if policy == "none" { text } else { format!("powershell -executionpolicy {policy} \"{text}\"") }
}

impl Provisioner for PowerShell {
    fn provision(&self, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        run.reporter.say("Provisioning with Powershell...");
        let (remote, live, id) = (Remote::of(run, true), run.live(), uuid::Uuid::now_v7());
        let in_guest = |what: &str| format!("c:/Windows/Temp/{what}-{id}.ps1");
        let variables = self.variables.text(&live, escape)?;
        let vars = self.remote_env_var_path.clone().unwrap_or_else(|| in_guest("packer-ps-env-vars"));
        let mut uploaded = vec![vars.clone()];
        for script in &self.scripts {
            let bytes = script.bytes(None, &live)?;
            run.reporter.say(format!("Provisioning with powershell script: {}", script.shown()));
            let path = match &self.remote_path {
                Some(folder) if folder.ends_with(['/', '\\']) => format!("{folder}{}", base_name(script)),
                Some(path) => path.clone(),
                None => in_guest("script"),
            };
            let ended = remote.patiently(self.start_retry_timeout, || {
                run.comm.upload_bytes(variables.as_bytes(), &vars, 0o600, run.cancel)?;
                run.comm.upload_bytes(&bytes, &path, 0o644, run.cancel)?;
                let command = self.command(&live, &path, &vars)?;
                remote.show(&self.elevated.as_ref().map_or(Ok(command.clone()), |e| e.wrap(&command, run))?)
            })?;
            uploaded.push(path);
            self.valid_exit_codes.check(ended.code)?;
        }
        if !self.skip_clean {
            self.clean(&remote, run, &uploaded, &in_guest("packer-cleanup"))?;
        }
        script::pause(self.pause_after, run)
    }
}

impl PowerShell {
    fn command(&self, live: &Live<'_>, path: &str, vars: &str) -> Result<String, Error> {
        live.render_with("execute_command", &self.execute_command, [("Path", path.to_owned()), ("Vars", vars.to_owned())])
    }

    /// Removes all that was uploaded; what can't be removed is no failure.
    fn clean(&self, remote: &Remote<'_>, run: &ProvisionerRun<'_>, uploaded: &[String], path: &str) -> Result<(), Error> {
        let files = uploaded.iter().map(String::as_str).chain([path]);
        let text: String = files.map(|f| format!("if (Test-Path {f}) {{Remove-Item {f}}}\n")).collect();
        let command = self.command(&run.live(), path, &uploaded[0])?;
        let done = remote.patiently(Duration::from_secs(60), || {
            run.comm.upload_bytes(text.as_bytes(), path, 0o644, run.cancel)?;
            remote.show(&command)
        });
        match done {
            Err(Error::Guest(kiste_comm::Error::Cancelled(c))) | Err(Error::Cancelled(c)) => Err(c.into()),
            Err(error) => {
                tracing::warn!("temporary files stay in the guest: {error}");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }
}

fn base_name(script: &Script) -> String {
    match script {
        Script::File(path) => path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
        Script::Inline(_) => "inline.ps1".to_owned(),
    }
}

/// For values between double quotes of PowerShell.
fn escape(value: &str) -> String {
    let mut out = String::new();
    for c in value.chars() {
        if "$\"`'".contains(c) {
            out.push('`');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use kiste_comm::fake::{Answer, FakeGuest};

    use crate::trial::Trial;

    fn plain(text: &str) -> String {
        let mut out = text.to_owned();
        let id = |out: &String| {
            (0..out.len()).find(|i| out.get(*i..i + 36).is_some_and(|t| t.as_bytes()[8] == b'-' && uuid::Uuid::parse_str(t).is_ok()))
        };
        while let Some(start) = id(&out) {
            out.replace_range(start..start + 36, "ID");
        }
        out
    }

    #[test]
    fn scripts_and_variables_come_in_as_files_and_go_again() {
        let (trial, guest) = (Trial::of("powershell"), FakeGuest::default());
        let json = r#"{"inline": ["Write-Host {{build `ID`}}", "dir"], "environment_vars": ["A=it's $x \"q\" `b`", "B={{build `ID`}}"]}"#;
        trial.run(json, &guest).unwrap();
        let commands: Vec<String> = guest.commands().iter().map(|c| plain(&c.text)).collect();
        let line = |file: &str| {
            format!(
                "powershell -executionpolicy bypass \"& {{ if (Test-Path variable:global:ProgressPreference){{set-variable -name \
                 variable:global:ProgressPreference -value 'SilentlyContinue'}};. c:/Windows/Temp/packer-ps-env-vars-ID.ps1; \
                 &'c:/Windows/Temp/{file}-ID.ps1'; exit $LastExitCode }}\""
            )
        };
        assert_eq!(commands, [line("script"), line("packer-cleanup")]);
        assert!(guest.commands().iter().all(|c| c.bare));
        let files: Vec<(String, String)> =
            guest.files().into_iter().map(|(path, text)| (plain(&path), plain(&String::from_utf8(text).unwrap()))).collect();
        let file = |name: &str| files.iter().find(|(path, _)| *path == format!("c:/Windows/Temp/{name}-ID.ps1")).unwrap().1.clone();
        assert_eq!(file("script"), "Write-Host vm-1\ndir\n");
        assert_eq!(
            file("packer-ps-env-vars"),
            "$env:A=\"it`'s `$x `\"q`\" ``b``\"; $env:B=\"vm-1\"; $env:PACKER_BUILDER_TYPE=\"qemu\"; $env:PACKER_BUILD_NAME=\"deb\"; "
        );
        assert!(file("packer-cleanup").starts_with("if (Test-Path c:/Windows/Temp/packer-ps-env-vars-ID.ps1) {Remove-Item c:/Wind"));
        assert_eq!(trial.shown(), ["say Provisioning with Powershell...", "say Provisioning with powershell script: (inline)"]);
    }

    #[test]
    fn another_user_runs_it_as_a_task_that_holds_no_password_in_clear() {
        let (trial, guest) = (Trial::of("powershell"), FakeGuest::default());
        let json = r#"{"inline": "x", "debug_mode": 1, "execution_policy": "none", "skip_clean": true,
            "elevated_user": "u$r", "elevated_password": "p\"w'{{build `ID`}}", "elevated_env_var_format": "%s;%s;"}"#;
        trial.run(json, &guest).unwrap();
        let files = guest.files();
        let (path, runner) = files.iter().find(|(path, _)| path.contains("elevated")).unwrap();
        assert_eq!(guest.commands()[0].text, format!("powershell -executionpolicy bypass -file \"{path}\""));
        let runner = String::from_utf8_lossy(runner);
        assert!(!runner.contains('@') && !runner.contains("p\"w") && runner.contains("$password = Text 'cCJ3J3ZtLTE='"), "{runner}");
        assert!(files.values().any(|v| v == b"PACKER_BUILDER_TYPE;qemu;PACKER_BUILD_NAME;deb;"));
    }

    #[test]
    fn the_exit_code_is_judged_and_mistakes_are_told() {
        let guest = FakeGuest::answering(vec![Answer { when: "powershell".into(), code: 5, ..Answer::default() }]);
        let error = Trial::of("powershell").run(r#"{"inline": "exit 5"}"#, &guest).unwrap_err();
        assert_eq!(error.to_string(), "Script exited with non-zero exit status: 5.Allowed exit codes are: [0]");
        Trial::of("powershell").run(r#"{"inline": "exit 5", "valid_exit_codes": 5}"#, &guest).unwrap();
        assert_eq!(
            Trial::of("powershell").problems(r#"{"elevated_password": "x", "debug_mode": 3, "execution_policy": "foo"}"#),
            [
                "Either a script file or inline script must be specified.",
                "Must supply an 'elevated_user' if 'elevated_password' provided",
                "3 is an invalid Trace level for `debug_mode`; valid values are 0, 1, and 2",
                "Invalid execution policy provided. Please supply one of: \"bypass\", \"allsigned\", \"default\", \"remotesigned\", \
                 \"restricted\", \"undefined\", \"unrestricted\", \"none\".",
            ]
        );
    }
}
