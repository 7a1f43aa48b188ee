//! The unit file: systemd accepts it, its exposure stays at 1.1 or below, and both checks can fail.
#![expect(clippy::unwrap_used, reason = "a tool that does not start is a failed test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const UNIT: &str = include_str!("../systemd/simkeeper.service");
/// Tenths; the set of settings that the unit has comes to this with systemd 252.
const EXPOSURE_MAX: &str = "11";
/// What systemd before 253 says about the newer of the two types, and then uses the older.
const OLD_SYSTEMD: &str = "Failed to parse service type, ignoring: notify-reload";

fn with_program(program: &str) -> String {
    UNIT.replace("/usr/bin/simkeeper", program)
}

/// Runs `systemd-analyze` on a unit of this text, by name, in a folder of its own.
fn analyze(arguments: &[&str], unit: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("simkeeper.service");
    fs::write(&path, unit).unwrap();
    Command::new("systemd-analyze").args(arguments).arg(&path).env("SYSTEMD_PAGER", "").output().unwrap()
}

/// What `verify` complains about, if anything.
fn complaints(unit: &str) -> Vec<String> {
    let output = analyze(&["verify", "--man=no"], unit);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut lines: Vec<String> = said
        .lines()
        .filter(|line| line.contains("simkeeper") && !line.contains(OLD_SYSTEMD))
        .map(str::to_owned)
        .collect();
    if !output.status.success() {
        lines.push(format!("{}", output.status));
    }
    lines
}

fn is_closed_enough(unit: &str) -> bool {
    analyze(&["security", "--offline=true", &format!("--threshold={EXPOSURE_MAX}")], unit).status.success()
}

#[test]
fn systemd_accepts_the_unit() {
    let unit = with_program(env!("CARGO_BIN_EXE_simkeeper"));
    assert_eq!(complaints(&unit), Vec::<String>::new());
    assert!(!complaints(&unit.replace("ProtectHome=", "ProtectHouse=")).is_empty(), "a misspelt key is seen");
    assert!(!complaints(&with_program("/nonexistent/simkeeper")).is_empty(), "a missing program is seen");
}

#[test]
fn the_exposure_stays_low() {
    let unit = with_program(env!("CARGO_BIN_EXE_simkeeper"));
    assert!(
        is_closed_enough(&unit),
        "{}",
        String::from_utf8_lossy(&analyze(&["security", "--offline=true"], &unit).stdout)
    );
    for key in ["CapabilityBoundingSet=\n", "SystemCallFilter=@system-service\n"] {
        assert!(unit.contains(key), "{key}");
        assert!(!is_closed_enough(&unit.replacen(key, "", 1)), "without {key} the exposure must be seen");
    }
}

#[test]
fn a_wrong_configuration_is_not_started_again_and_the_older_type_comes_first() {
    assert!(UNIT.contains("\nRestartPreventExitStatus=2 3\n"));
    assert!(
        UNIT.contains("\nType=notify\nType=notify-reload\n"),
        "systemd 252 stays with the first, newer take the last"
    );
    assert!(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/manual.md").exists(),
        "the unit's Documentation= ships it"
    );
}
