//! `cargo xtask package`: installers for the system it runs on. On Linux a .deb and, where rpmbuild is, an .rpm, both from one
//! tree of files laid out here; on Windows and macOS Tauri's own bundler, an npm module, with the configuration of the root.

mod clean_root;
mod updates;

use crate::processes::output;
use crate::{Outcome, node, packages, processes, tools};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use updates::Updates;

const MOST_BINARY: u64 = 30_000_000;
const MOST_DEB: u64 = 15_000_000;
/// Loaded while the program runs, so no linker knows of them: the tray, the keyring, echo-free sound.
const RECOMMENDS: &str = "libayatana-appindicator3-1, gnome-keyring | kwalletmanager, pulseaudio | pipewire-pulse";
const SUMMARY: &str = "Meet a stranger face to face, fairly";
const DESCRIPTION: &str = "Two verified adults meet by video, draw and play together, and follow each other\nonly if both agree. Your \
picture is never more visible to the other than theirs\nis to you.";
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Debug, Default, PartialEq)]
pub struct Flags {
    /// A program that is built (and perhaps signed) already.
    binary: Option<PathBuf>,
    /// Install the .deb in a clean root and start it there.
    check: bool,
    /// Where newer versions will be, and whose.
    updates: Option<PathBuf>,
}

impl Flags {
    pub fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut flags = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--check" => flags.check = true,
                "--binary" => flags.binary = Some(arguments.next().ok_or("--binary wants a file")?.into()),
                "--updates" => flags.updates = Some(arguments.next().ok_or("--updates wants a file")?.into()),
                other => return Err(format!("{other:?} is not understood here; cargo xtask help lists what is")),
            }
        }
        if !cfg!(target_os = "linux") && (flags.check || flags.binary.is_some()) {
            return Err(String::from("--binary and --check are for Linux"));
        }
        if flags.binary.is_some() && flags.updates.is_some() {
            return Err(String::from("--updates is built into a program, so --binary cannot be given with it"));
        }
        Ok(flags)
    }
}

pub fn package(flags: &Flags) -> Outcome {
    // Before anything takes its time.
    let updates = flags.updates.as_deref().map(Updates::load).transpose()?;
    packages::install_missing()?;
    packages::install_for_packing();
    if !cfg!(target_os = "linux") {
        return bundler(updates.as_ref());
    }
    let binary = match &flags.binary {
        Some(file) => file.clone(),
        None => {
            node::find()?.build_interface()?;
            let build =
                ["build", "--locked", "--release", "--package", "visavis", "--bin", "visavis", "--features", tools::FEATURES];
            let mut command = tools::cargo();
            if let Some(updates) = &updates {
                command.env("TAURI_CONFIG", updates.configuration(false));
            }
            tools::timed("program", || processes::run(command.args(build)))?;
            tools::binaries(true)?.join("visavis")
        }
    };
    let folder = tools::root().join("target/package");
    let stage = Stage::lay_out(&binary, &folder.join("stage"))?;
    weigh("the program", &stage.program(), MOST_BINARY)?;
    let mark = |kind| if updates.is_some() { updates::mark(&binary, &stage.program(), kind) } else { Ok(()) };
    let mut made = Vec::new();
    match tools::on_path("dpkg-deb") && tools::on_path("dpkg-shlibdeps") {
        true => made.push(("deb", mark("DEB").and_then(|()| stage.deb(&folder))?)),
        false => println!("LEFT OUT: no .deb, for dpkg-deb and dpkg-shlibdeps (dpkg-dev) are not here"),
    }
    match tools::on_path("rpmbuild") {
        true => made.push(("rpm", mark("RPM").and_then(|()| stage.rpm(&folder))?)),
        false => println!("LEFT OUT: no .rpm, for rpmbuild is not here"),
    }
    if let Some(updates) = &updates {
        updates.finish(&made, &folder)?;
    }
    match (made.iter().find(|(kind, _)| *kind == "deb"), flags.check) {
        (Some((_, deb)), true) => clean_root::check(deb, &folder),
        (None, true) => Err(String::from("there is no .deb to check")),
        (_, false) => Ok(()),
    }
}

/// Tauri's command-line tool, so nothing is compiled for it.
fn bundler(updates: Option<&Updates>) -> Outcome {
    let node = node::find()?;
    node.install_modules()?;
    let mut command = node.npm();
    command.args(["exec", "--yes", "--package=@tauri-apps/cli@2", "--", "tauri", "build", "--features", tools::FEATURES]);
    if let Some(updates) = updates {
        command.arg("--config").arg(updates::write_configuration(updates)?);
    }
    processes::run(&mut command)
}

/// Says what a file weighs; too much is an error.
fn weigh(name: &str, file: &Path, most: u64) -> Outcome {
    let bytes = fs::metadata(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?.len();
    println!("{name}: {:.1} MB, of {:.0} MB at most: {}", bytes as f64 / 1e6, most as f64 / 1e6, file.display());
    if bytes < most { Ok(()) } else { Err(format!("{name} is too large")) }
}

/// The files of the package as they lie on the machine that gets it.
struct Stage(PathBuf);

impl Stage {
    fn lay_out(binary: &Path, root: &Path) -> Outcome<Self> {
        let fault = |error: std::io::Error| format!("{} cannot be laid out: {error}", root.display());
        if root.exists() {
            fs::remove_dir_all(root).map_err(fault)?;
        }
        let put = |to: &str, bytes: &[u8], mode: u32| {
            let file = root.join(to);
            fs::create_dir_all(file.parent().unwrap_or(root)).map_err(fault)?;
            fs::write(&file, bytes).map_err(fault)?;
            set_mode(&file, mode).map_err(fault)
        };
        let read = |file: &Path| fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()));
        put("usr/bin/visavis", &read(binary)?, 0o755)?;
        put("usr/share/applications/org.visavis.app.desktop", desktop_entry().as_bytes(), 0o644)?;
        put("usr/share/metainfo/org.visavis.app.metainfo.xml", metainfo().as_bytes(), 0o644)?;
        let icons = tools::root().join("assets/icons");
        let sizes = [("32x32.png", 32), ("64x64.png", 64), ("128x128.png", 128), ("128x128@2x.png", 256), ("icon.png", 512)];
        for (name, size) in sizes {
            put(&format!("usr/share/icons/hicolor/{size}x{size}/apps/visavis.png"), &read(&icons.join(name))?, 0o644)?;
        }
        put("usr/share/icons/hicolor/scalable/apps/visavis.svg", &read(&icons.join("icon.svg"))?, 0o644)?;
        let licence =
            [read(&tools::root().join("LICENSE-MIT"))?, read(&tools::root().join("LICENSE-APACHE"))?].join(&b"\n\n"[..]);
        put("usr/share/doc/visavis/copyright", &licence, 0o644)?;
        Ok(Self(root.to_owned()))
    }

    fn program(&self) -> PathBuf {
        self.0.join("usr/bin/visavis")
    }

    /// What the program is linked with, as Debian names it.
    fn depends(&self, folder: &Path) -> Outcome<String> {
        // dpkg-shlibdeps wants to be in a source package.
        let source = folder.join("source");
        tools::create(&source.join("debian"))?;
        let written = fs::write(source.join("debian/control"), "Source: visavis\n\nPackage: visavis\nArchitecture: any\n");
        written.map_err(|error| format!("{} cannot be written: {error}", source.display()))?;
        let mut command = Command::new("dpkg-shlibdeps");
        let found = command.current_dir(&source).arg("-O").arg(self.program()).output();
        let found = found.map_err(|error| format!("dpkg-shlibdeps could not be started: {error}"))?;
        let text = String::from_utf8_lossy(&found.stdout);
        let depends = text.lines().find_map(|line| line.strip_prefix("shlibs:Depends=")).map(str::to_owned);
        depends.ok_or_else(|| format!("dpkg-shlibdeps: {}", String::from_utf8_lossy(&found.stderr).trim()))
    }

    fn deb(&self, folder: &Path) -> Outcome<PathBuf> {
        let architecture = output("dpkg", &["--print-architecture"]).ok_or("dpkg does not name its architecture")?;
        let control = control(&architecture, installed_kib(&self.0), &self.depends(folder)?);
        let file = self.0.join("DEBIAN/control");
        tools::create(&self.0.join("DEBIAN"))?;
        fs::write(&file, control).map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
        let deb = folder.join(format!("visavis_{VERSION}_{architecture}.deb"));
        let mut command = Command::new("dpkg-deb");
        processes::run(command.args(["--root-owner-group", "-Zxz", "--build"]).arg(&self.0).arg(&deb))?;
        fs::remove_dir_all(self.0.join("DEBIAN")).map_err(|error| format!("{} stays: {error}", file.display()))?;
        weigh("the .deb", &deb, MOST_DEB)?;
        Ok(deb)
    }

    fn rpm(&self, folder: &Path) -> Outcome<PathBuf> {
        let spec = folder.join("visavis.spec");
        fs::write(&spec, rpm_spec(&self.0)).map_err(|error| format!("{} cannot be written: {error}", spec.display()))?;
        let place = |name: &str| format!("{name} {}", folder.join("rpm").display());
        let mut command = Command::new("rpmbuild");
        command.args(["-bb", "--quiet", "--define", &place("_topdir"), "--define", &format!("_rpmdir {}", folder.display())]);
        processes::run(command.args(["--define", "_rpmfilename visavis-%{VERSION}-%{RELEASE}.%{ARCH}.rpm"]).arg(&spec))?;
        let rpm = folder.join(format!("visavis-{VERSION}-1.{}.rpm", std::env::consts::ARCH));
        weigh("the .rpm", &rpm, MOST_DEB)?;
        Ok(rpm)
    }
}

#[cfg(unix)]
fn set_mode(file: &Path, mode: u32) -> std::io::Result<()> {
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}

fn installed_kib(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => installed_kib(&entry.path()),
        Ok(found) => found.len().div_ceil(1024),
        Err(_) => 0,
    };
    entries.flatten().map(of).sum()
}

fn control(architecture: &str, installed: u64, depends: &str) -> String {
    let long = DESCRIPTION.replace('\n', "\n ");
    format!(
        "Package: visavis\nVersion: {VERSION}\nArchitecture: {architecture}\nMaintainer: The Visavis authors <visavis@localhost>\n\
         Installed-Size: {installed}\nSection: net\nPriority: optional\nDepends: {depends}\nRecommends: {RECOMMENDS}\n\
         Description: {SUMMARY}\n {long}\n"
    )
}

fn desktop_entry() -> String {
    format!(
        "[Desktop Entry]\nType=Application\nName=Visavis\nComment={SUMMARY}\nComment[zh_CN]=与陌生人公平地面对面\n\
         Exec=visavis %u\nIcon=visavis\nTerminal=false\nCategories=Network;VideoConference;\nMimeType=x-scheme-handler/visavis;\n\
         StartupWMClass=visavis\n"
    )
}

fn metainfo() -> String {
    let paragraph = DESCRIPTION.replace('\n', " ");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<component type=\"desktop-application\">\n  <id>org.visavis.app</id>\n  \
         <metadata_license>MIT</metadata_license>\n  <project_license>MIT OR Apache-2.0</project_license>\n  <name>Visavis</name>\n  \
         <summary>{SUMMARY}</summary>\n  <description><p>{paragraph}</p></description>\n  \
         <launchable type=\"desktop-id\">org.visavis.app.desktop</launchable>\n  <releases><release version=\"{VERSION}\"/></releases>\n\
         </component>\n"
    )
}

/// rpm finds by itself what the program is linked with.
fn rpm_spec(stage: &Path) -> String {
    format!(
        "Name: visavis\nVersion: {VERSION}\nRelease: 1\nSummary: {SUMMARY}\nLicense: MIT OR Apache-2.0\n\
         Recommends: libayatana-appindicator-gtk3\n%define __strip /bin/true\n%define debug_package %{{nil}}\n\n\
         %description\n{DESCRIPTION}\n\n%install\ncp -a {}/usr %{{buildroot}}/\n\n%files\n/usr/bin/visavis\n\
         /usr/share/applications/org.visavis.app.desktop\n/usr/share/metainfo/org.visavis.app.metainfo.xml\n\
         /usr/share/icons/hicolor/*/apps/visavis.*\n/usr/share/doc/visavis/copyright\n",
        stage.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(words: &[&str]) -> Outcome<Flags> {
        Flags::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn flags_are_read_and_others_named() {
        assert_eq!(flags(&[]).unwrap(), Flags::default());
        assert!(flags(&["--binary"]).unwrap_err().contains("wants a file"));
        assert!(flags(&["--sign"]).unwrap_err().contains("--sign"));
        #[cfg(target_os = "linux")]
        assert_eq!(
            flags(&["--check", "--binary", "x"]).unwrap(),
            Flags { binary: Some("x".into()), check: true, ..Flags::default() }
        );
        assert_eq!(flags(&["--updates", "u"]).unwrap(), Flags { updates: Some("u".into()), ..Flags::default() });
        #[cfg(target_os = "linux")]
        assert!(flags(&["--updates", "u", "--binary", "x"]).unwrap_err().contains("built into"));
    }

    /// Of a small program instead of ours: what is tried is the packing.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_deb_holds_the_program_its_entry_and_what_it_needs() {
        if !tools::on_path("dpkg-deb") || !tools::on_path("dpkg-shlibdeps") {
            println!("skipped, for dpkg-deb and dpkg-shlibdeps are not here");
            return;
        }
        let folder = std::env::temp_dir().join(format!("visavis-package-{}", std::process::id()));
        let stage = Stage::lay_out(Path::new("/bin/true"), &folder.join("stage")).unwrap();
        let deb = stage.deb(&folder).unwrap();
        let deb = deb.to_str().unwrap();
        let fields = output("dpkg-deb", &["--field", deb]).unwrap();
        for wanted in ["Package: visavis", "Version: 0.", "Depends: libc6", "Section: net", "Installed-Size: "] {
            assert!(fields.contains(wanted), "no {wanted:?} in {fields}");
        }
        let files = output("dpkg-deb", &["--contents", deb]).unwrap();
        let line = |name: &str| files.lines().find(|line| line.ends_with(name)).unwrap_or_else(|| panic!("no {name} in {files}"));
        assert!(line("./usr/bin/visavis").starts_with("-rwxr-xr-x root/root"));
        for name in ["org.visavis.app.desktop", "512x512/apps/visavis.png", "apps/visavis.svg", "doc/visavis/copyright"] {
            assert!(line(name).starts_with("-rw-r--r--"), "{name}");
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_too_heavy_is_no_package() {
        let file = tools::root().join("Cargo.lock");
        assert!(weigh("the file", &file, 1 << 30).is_ok());
        assert!(weigh("the file", &file, 10).unwrap_err().contains("too large"));
    }
}
