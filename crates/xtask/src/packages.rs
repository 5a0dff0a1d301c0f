//! System packages: what the build and the tests need, how to notice that it is missing, and how each system calls it.
//! On Debian and its relatives the missing ones are installed; elsewhere the command to type is named.

use crate::processes::{output, run};
use crate::{Outcome, tools};
use std::io::IsTerminal;
use std::process::Command;

/// How to notice that something is there.
enum Sign {
    /// A pkg-config module.
    Module(&'static str),
    /// A program on the PATH.
    Program(&'static str),
    /// One of several names for a program.
    Either(&'static str, &'static str),
    /// A font for this language, as fontconfig names it.
    Font(&'static str),
    /// A shared library that the loader knows, by the beginning of its name.
    Library(&'static str),
}

struct Need {
    sign: Sign,
    apt: &'static str,
    dnf: &'static str,
    pacman: &'static str,
    what_for: &'static str,
}

const LINUX: [Need; 15] = [
    need(Sign::Program("cc"), "build-essential", "gcc gcc-c++ make", "base-devel", "linking, and C sources inside crates"),
    need(Sign::Program("pkg-config"), "pkg-config", "pkgconf-pkg-config", "pkgconf", "finding the libraries below"),
    need(Sign::Program("cmake"), "cmake", "cmake", "cmake", "the Opus sources"),
    need(Sign::Library("libclang"), "libclang-dev", "clang-devel", "clang", "the camera headers"),
    need(Sign::Module("webkit2gtk-4.1"), "libwebkit2gtk-4.1-dev", "webkit2gtk4.1-devel", "webkit2gtk-4.1", "the window's page"),
    need(Sign::Module("gtk+-3.0"), "libgtk-3-dev", "gtk3-devel", "gtk3", "the window"),
    need(Sign::Module("vpx"), "libvpx-dev", "libvpx-devel", "libvpx", "video encoding"),
    need(Sign::Module("alsa"), "libasound2-dev", "alsa-lib-devel", "alsa-lib", "sound"),
    need(Sign::Program("node"), "nodejs", "nodejs", "nodejs", "building the interface"),
    need(Sign::Program("npm"), "npm", "nodejs-npm", "npm", "building the interface"),
    need(Sign::Program("Xvfb"), "xvfb", "xorg-x11-server-Xvfb", "xorg-server-xvfb", "windows without a display"),
    need(Sign::Program("pulseaudio"), "pulseaudio", "pulseaudio", "pulseaudio", "a private sound server for tests"),
    need(Sign::Program("turnserver"), "coturn", "coturn", "coturn", "a relay beside the server in tests"),
    need(Sign::Either("import", "magick"), "imagemagick", "ImageMagick", "imagemagick", "screenshots"),
    need(
        Sign::Program("WebKitWebDriver"),
        "webkit2gtk-driver",
        "webkit2gtk4.1",
        "webkit2gtk-4.1",
        "driving real windows in tests",
    ),
];

/// What only single tests and benches need, and say so when it is not there. Large, or not to be had everywhere.
const BESIDES: [Need; 4] = [
    need(
        Sign::Font("zh"),
        "fonts-wqy-microhei",
        "wqy-microhei-fonts",
        "wqy-microhei",
        "judging the Chinese pages by their pictures",
    ),
    need(
        Sign::Either("chromium", "google-chrome"),
        "chromium",
        "chromium",
        "chromium",
        "trying the pages in a browser, and calls with one",
    ),
    need(
        // Debian keeps the programs of each version off the PATH.
        Sign::Either("initdb", "pg_ctlcluster"),
        "postgresql",
        "postgresql-server",
        "postgresql",
        "private PostgreSQL servers for the tests of the server",
    ),
    need(
        Sign::Program("nats-server"),
        "nats-server",
        "nats-server",
        "nats-server",
        "private NATS servers for the tests of the server",
    ),
];

/// What only packing asks for, and says so when it is not there.
const PACKING: [Need; 3] = [
    need(Sign::Program("dpkg-shlibdeps"), "dpkg-dev", "dpkg-dev", "dpkg", "the .deb"),
    need(Sign::Program("rpmbuild"), "rpm", "rpm-build", "rpm-tools", "the .rpm"),
    need(Sign::Program("debootstrap"), "debootstrap", "debootstrap", "debootstrap", "trying the .deb in a clean root"),
];

const fn need(sign: Sign, apt: &'static str, dnf: &'static str, pacman: &'static str, what_for: &'static str) -> Need {
    Need { sign, apt, dnf, pacman, what_for }
}

impl Need {
    fn is_met(&self) -> bool {
        match self.sign {
            Sign::Module(name) => output("pkg-config", &["--exists", name]).is_some(),
            Sign::Program(name) => tools::on_path(name),
            Sign::Either(one, other) => tools::on_path(one) || tools::on_path(other),
            Sign::Font(language) => {
                output("fc-list", &[&format!(":lang={language}"), "family"]).is_some_and(|list| !list.trim().is_empty())
            }
            Sign::Library(name) => has_library(name),
        }
    }
}

/// bindgen looks for libclang in the loader's cache and in the folders of LLVM's versions.
fn has_library(name: &str) -> bool {
    std::env::var_os("LIBCLANG_PATH").is_some()
        || output("/sbin/ldconfig", &["-p"]).is_some_and(|list| list.lines().any(|line| is_library(line, name)))
        || (7..40).any(|version| std::path::Path::new(&format!("/usr/lib/llvm-{version}/lib/{name}.so")).exists())
}

/// Whether a line of the loader's cache is about this very library: `libclang-cpp.so.14` is not `libclang`, `libclang-14.so` is.
fn is_library(line: &str, name: &str) -> bool {
    line.trim_start().strip_prefix(name).is_some_and(|rest| {
        let rest = rest.strip_prefix('-').map_or(rest, |versioned| versioned.trim_start_matches(|c: char| c.is_ascii_digit()));
        rest.starts_with(".so")
    })
}

/// A browser for the pages' own tests.
pub fn chromium() -> Option<std::path::PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(tools::find_on_path)
}

/// Does nothing when nothing is missing.
pub fn install_missing() -> Outcome {
    if cfg!(target_os = "linux") {
        linux()
    } else if cfg!(target_os = "macos") {
        macos()
    } else {
        windows()
    }
}

/// Besides [`install_missing`].
pub fn install_for_packing() {
    if cfg!(target_os = "linux") {
        install_besides(&PACKING);
    }
}

fn linux() -> Outcome {
    let missing: Vec<&Need> = LINUX.iter().filter(|need| !need.is_met()).collect();
    if !missing.is_empty() {
        install(&missing)?;
    }
    install_besides(&BESIDES);
    Ok(())
}

fn install_besides(needs: &[Need]) {
    for need in needs.iter().filter(|need| !need.is_met()) {
        if install(&[need]).is_err() {
            println!("goes on without {}; what needs it ({}) will be left out and say so", need.apt, need.what_for);
        }
    }
}

fn install(missing: &[&Need]) -> Outcome {
    println!("this machine lacks:");
    for need in missing {
        println!("  {:<24} for {}", need.apt, need.what_for);
    }
    let words = |name: fn(&Need) -> &'static str| missing.iter().map(|need| name(need)).collect::<Vec<_>>().join(" ");
    if tools::on_path("apt-get") {
        apt(&words(|need| need.apt))?;
    } else if tools::on_path("dnf") {
        return Err(format!("install it with: sudo dnf install {}", words(|need| need.dnf)));
    } else if tools::on_path("pacman") {
        return Err(format!("install it with: sudo pacman -S {}", words(|need| need.pacman)));
    } else {
        return Err(String::from("install these, under the names that your system gives them, and start again"));
    }
    match missing.iter().find(|need| !need.is_met()) {
        None => Ok(()),
        Some(need) => Err(format!("{} was installed, yet what it should bring ({}) is not found", need.apt, need.what_for)),
    }
}

fn apt(packages: &str) -> Outcome {
    let by_hand = format!("apt-get install --no-install-recommends {packages}");
    let is_root = output("id", &["-u"]).as_deref() == Some("0");
    let prefix: &[&str] = match (is_root, tools::on_path("sudo")) {
        (true, _) => &[],
        // sudo can only ask for a password where somebody can type one.
        (false, true) if std::io::stdin().is_terminal() => &["sudo"],
        (false, true) if output("sudo", &["-n", "true"]).is_some() => &["sudo", "-n"],
        _ => return Err(format!("install it with: sudo {by_hand}")),
    };
    println!("installing: {by_hand}");
    let apt = |arguments: &[&str]| {
        let words: Vec<&str> =
            prefix.iter().chain(&["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y"]).chain(arguments).copied().collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        // In our own process group: sudo reads the password from the terminal.
        let status = command.status().map_err(|error| format!("{} could not be started: {error}", words[0]))?;
        if status.success() { Ok(()) } else { Err(format!("that failed; try by hand: sudo {by_hand}")) }
    };
    apt(&["-q", "update"])?;
    let packages: Vec<&str> = ["-q", "install", "--no-install-recommends"].into_iter().chain(packages.split(' ')).collect();
    apt(&packages)
}

fn macos() -> Outcome {
    if output("xcode-select", &["-p"]).is_none() {
        return Err(String::from("the compiler is missing; install it with: xcode-select --install"));
    }
    let formulas = [("pkg-config", "pkgconf"), ("cmake", "cmake"), ("node", "node")];
    let mut missing: Vec<&str> =
        formulas.iter().filter(|(program, _)| !tools::on_path(program)).map(|(_, formula)| *formula).collect();
    if output("pkg-config", &["--exists", "vpx"]).is_none() {
        missing.push("libvpx");
    }
    if missing.is_empty() {
        return Ok(());
    }
    if !tools::on_path("brew") {
        return Err(format!("install Homebrew (https://brew.sh), then: brew install {}", missing.join(" ")));
    }
    println!("installing: brew install {}", missing.join(" "));
    run(Command::new("brew").arg("install").args(&missing))
}

fn windows() -> Outcome {
    let programs = [("cmake", "Kitware.CMake"), ("node", "OpenJS.NodeJS.LTS")];
    let missing: Vec<&str> = programs.iter().filter(|(program, _)| !tools::on_path(program)).map(|(_, name)| *name).collect();
    if !missing.is_empty() {
        return Err(format!("install it, then open a new terminal: winget install {}", missing.join(" ")));
    }
    if std::env::var_os("VCPKG_ROOT").is_none() && !tools::on_path("pkg-config") {
        return Err(String::from(
            "libvpx is missing: install vcpkg, then: vcpkg install libvpx:x64-windows-static-md pkgconf, and set VCPKG_ROOT",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_noticed() {
        assert!(!need(Sign::Program("no-such-program"), "", "", "", "").is_met());
        assert!(!need(Sign::Module("no-such-module"), "", "", "", "").is_met());
        assert!(!need(Sign::Library("libnosuchlibrary"), "", "", "", "").is_met());
    }

    #[test]
    fn a_library_with_a_longer_name_does_not_stand_for_another() {
        assert!(is_library("\tlibclang.so.1 (libc6,x86-64) => /usr/lib/libclang.so.1", "libclang"));
        assert!(is_library("\tlibclang-14.so.1 (libc6,x86-64) => /usr/lib/libclang-14.so.1", "libclang"));
        assert!(!is_library("\tlibclang-cpp.so.14 (libc6,x86-64) => /usr/lib/libclang-cpp.so.14", "libclang"));
    }
}
