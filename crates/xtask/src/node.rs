//! Node and the front end: a Node new enough for Vite, modules as the lock file says, the interface's checks and its build.

use crate::processes::{output, run};
use crate::{Outcome, tools};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What Vite 8 asks for.
const OLDEST: (u32, u32) = (20, 19);
/// Fetched where the system's own is older (Debian 12 has 18): npm's packaging of the official builds.
const FETCHED: &str = "22";

pub struct Node {
    /// Put first on the PATH; `None`: the system's own.
    folder: Option<PathBuf>,
}

/// The system's Node if it will do, else one fetched into the cache.
pub fn find() -> Outcome<Node> {
    let installed = output("node", &["--version"]);
    if installed.as_deref().and_then(version).is_some_and(|version| version >= OLDEST) {
        return Ok(Node { folder: None });
    }
    let folder = tools::cache()?.join(format!("node-{FETCHED}"));
    let Some(package) = package() else {
        let found = installed.unwrap_or_else(|| String::from("none"));
        return Err(format!(
            "Node {}.{} or newer is needed (found: {found}); install it from https://nodejs.org",
            OLDEST.0, OLDEST.1
        ));
    };
    let binaries = folder.join("node_modules").join(&package).join("bin");
    if !binaries.join("node").is_file() {
        println!("Node {} is too old; fetching {package}@{FETCHED}", installed.unwrap_or_default());
        tools::create(&folder)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"])
            .arg(&folder)
            .arg(format!("{package}@{FETCHED}"));
        run(&mut npm).map_err(|why| format!("Node could not be fetched: {why}"))?;
    }
    let fetched = output(&binaries.join("node").to_string_lossy(), &["--version"]);
    match fetched.as_deref().and_then(version) {
        Some(version) if version >= OLDEST => Ok(Node { folder: Some(binaries) }),
        _ => Err(format!("the Node fetched into {} does not run", folder.display())),
    }
}

/// Name of the npm package that holds the binary for this machine.
fn package() -> Option<String> {
    let system = match std::env::consts::OS {
        "linux" => "linux",
        "macos" => "darwin",
        _ => return None,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        _ => return None,
    };
    Some(format!("node-{system}-{machine}"))
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix('v')?.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

impl Node {
    pub fn npm(&self) -> Command {
        // On Windows npm is a script, which only its full name starts.
        let mut npm = tools::in_root(if cfg!(windows) { "npm.cmd" } else { "npm" });
        if let Some(folder) = &self.folder {
            npm.env("PATH", path_with(folder));
        }
        npm
    }

    fn in_interface(&self, arguments: &[&str]) -> Command {
        let mut npm = self.npm();
        npm.current_dir(interface()).args(arguments);
        npm
    }

    /// Only when the lock file is another than the one last installed.
    pub fn install_modules(&self) -> Outcome {
        let lock = read(&interface().join("package-lock.json"))?;
        let stamp = interface().join("node_modules/.visavis-lock");
        if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
            return Ok(());
        }
        println!("installing the interface's modules");
        run(&mut self.in_interface(&["ci", "--no-audit", "--no-fund"]))?;
        std::fs::write(&stamp, lock).map_err(|error| format!("{} cannot be written: {error}", stamp.display()))
    }

    pub fn build_interface(&self) -> Outcome {
        self.install_modules()?;
        self.script("build")
    }

    /// One of the scripts in ui/package.json.
    pub fn script(&self, name: &str) -> Outcome {
        run(&mut self.in_interface(&["run", "--silent", name]))
    }

    /// A file of ui/e2e that drives this browser, with flags of its own.
    pub fn drive(&self, file: &str, flags: &[String], browser: &Path) -> Outcome {
        let mut node = tools::in_root("node");
        if let Some(folder) = &self.folder {
            node.env("PATH", path_with(folder));
        }
        run(node.current_dir(interface()).arg(format!("e2e/{file}")).args(flags).env("CHROMIUM", browser))
    }

    /// A script that drives this browser.
    pub fn script_with_browser(&self, name: &str, browser: &Path) -> Outcome {
        run(self.in_interface(&["run", "--silent", name]).env("CHROMIUM", browser))
    }
}

fn interface() -> PathBuf {
    tools::root().join("ui")
}

fn read(file: &Path) -> Outcome<Vec<u8>> {
    std::fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
}

fn path_with(folder: &Path) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("v20.20.2"), Some((20, 20)));
        assert!(version("v18.19.0").unwrap() < OLDEST);
        assert!(version("v20.9.0").unwrap() < OLDEST);
        assert!(version("v22.1.0").unwrap() >= OLDEST);
        assert_eq!(version("zsh: command not found"), None);
    }

    #[test]
    fn a_fetched_node_comes_first() {
        let path = path_with(Path::new("/somewhere/bin"));
        assert_eq!(std::env::split_paths(&path).next().unwrap(), Path::new("/somewhere/bin"));
    }
}
