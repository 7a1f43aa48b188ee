//! Where everything lies: as systemd, the command line, or the kind of user says.

use std::env;
use std::path::{Path, PathBuf};

use super::cli::Global;
use crate::daemon::Places;

/// The socket's name in its folder.
const SOCKET: &str = "control.sock";

/// The folders that an environment names, apart from the process's own so that tests can name others.
pub(crate) trait Surroundings {
    /// A variable, if it is set and not empty.
    fn variable(&self, name: &str) -> Option<PathBuf>;
    /// Whether this is root.
    fn is_root(&self) -> bool;
}

/// The process's own.
pub(crate) struct Own;

impl Surroundings for Own {
    fn variable(&self, name: &str) -> Option<PathBuf> {
        env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    fn is_root(&self) -> bool {
        rustix::process::geteuid().is_root()
    }
}

/// Where everything lies.
pub(crate) fn places(global: &Global, around: &impl Surroundings) -> Places {
    let config = match &global.config {
        Some(dir) => dir.clone(),
        None => listed(around, "CONFIGURATION_DIRECTORY")
            .unwrap_or_else(|| home(around, "/etc/simkeeper", "XDG_CONFIG_HOME", ".config")),
    };
    let named_state = global.state.clone().or_else(|| global.config.as_ref().map(|dir| dir.join("state")));
    let state = match (&global.state, listed(around, "STATE_DIRECTORY")) {
        (None, Some(systemd)) => systemd,
        _ => named_state.clone().unwrap_or_else(|| home(around, "/var/lib/simkeeper", "XDG_DATA_HOME", ".local/share")),
    };
    let socket = match (listed(around, "RUNTIME_DIRECTORY"), &named_state) {
        (Some(systemd), _) => systemd.join(SOCKET),
        (None, Some(state)) => state.join(SOCKET),
        (None, None) if around.is_root() => Path::new("/run/simkeeper").join(SOCKET),
        (None, None) => match around.variable("XDG_RUNTIME_DIR") {
            Some(runtime) => runtime.join("simkeeper").join(SOCKET),
            None => state.join(SOCKET),
        },
    };
    Places { config, state, socket, credentials: around.variable("CREDENTIALS_DIRECTORY") }
}

/// systemd parts several folders by colons; the first is ours.
fn listed(around: &impl Surroundings, name: &str) -> Option<PathBuf> {
    let value = around.variable(name)?;
    env::split_paths(&value).next().filter(|path| path.is_absolute())
}

fn home(around: &impl Surroundings, system: &str, xdg: &str, below_home: &str) -> PathBuf {
    if around.is_root() {
        return system.into();
    }
    let xdg = around.variable(xdg).filter(|path| path.is_absolute());
    let base = xdg.or_else(|| around.variable("HOME").map(|home| home.join(below_home)));
    base.map_or_else(|| system.into(), |base| base.join("simkeeper"))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Made(bool, &'static [(&'static str, &'static str)]);

    impl Surroundings for Made {
        fn variable(&self, name: &str) -> Option<PathBuf> {
            self.1.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        }

        fn is_root(&self) -> bool {
            self.0
        }
    }

    fn told(global: &Global, around: &Made) -> [String; 3] {
        let places = places(global, around);
        [places.config, places.state, places.socket].map(|path| path.display().to_string())
    }

    #[test]
    fn each_kind_of_user_has_its_folders() {
        let none = Global::default();
        let service = Made(
            false,
            &[
                ("STATE_DIRECTORY", "/var/lib/simkeeper:/x"),
                ("RUNTIME_DIRECTORY", "/run/simkeeper"),
                ("CONFIGURATION_DIRECTORY", "/etc/simkeeper"),
            ],
        );
        let as_service = ["/etc/simkeeper", "/var/lib/simkeeper", "/run/simkeeper/control.sock"];
        assert_eq!(told(&none, &service), as_service);
        assert_eq!(told(&none, &Made(true, &[("HOME", "/root")])), as_service);
        let user = Made(false, &[("HOME", "/home/a"), ("XDG_RUNTIME_DIR", "/run/user/7")]);
        assert_eq!(
            told(&none, &user),
            ["/home/a/.config/simkeeper", "/home/a/.local/share/simkeeper", "/run/user/7/simkeeper/control.sock"]
        );
        let xdg = Made(false, &[("HOME", "/home/a"), ("XDG_CONFIG_HOME", "/c"), ("XDG_DATA_HOME", "/d")]);
        assert_eq!(told(&none, &xdg), ["/c/simkeeper", "/d/simkeeper", "/d/simkeeper/control.sock"]);
    }

    #[test]
    fn the_command_line_moves_everything() {
        let moved = Global { config: Some("/t".into()), ..Global::default() };
        let user = Made(false, &[("HOME", "/home/a"), ("XDG_RUNTIME_DIR", "/run/user/7")]);
        assert_eq!(told(&moved, &user), ["/t", "/t/state", "/t/state/control.sock"]);
        let both = Global { config: Some("/t".into()), state: Some("/s".into()), ..Global::default() };
        assert_eq!(told(&both, &user), ["/t", "/s", "/s/control.sock"]);
    }
}
