//! Compiles the C shim against libvpx and links it. Where libvpx is: `VPX_DIR` (a folder with `include` and `lib`) if set, else
//! pkg-config (Linux packages, Homebrew), else a vcpkg tree named by `VCPKG_ROOT` (Windows), else Homebrew's own folder (macOS).

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=shim/vpx_shim.c");
    for variable in ["VPX_DIR", "VCPKG_ROOT"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    let mut shim = cc::Build::new();
    // The shim's library must come before libvpx on the linker's line, so it is compiled before libvpx is announced.
    let (includes, announce) = libvpx();
    shim.file("shim/vpx_shim.c").includes(includes).warnings(true).extra_warnings(true).compile("visavis_vpx_shim");
    for line in announce {
        println!("{line}");
    }
}

/// Folders of headers, and what Cargo must be told to link.
fn libvpx() -> (Vec<PathBuf>, Vec<String>) {
    if let Some(folder) = env::var_os("VPX_DIR") {
        return in_folder(Path::new(&folder));
    }
    let found = pkg_config::Config::new().atleast_version("1.8").cargo_metadata(false).probe("vpx");
    match found {
        Ok(library) => {
            let mut lines: Vec<_> =
                library.link_paths.iter().map(|path| format!("cargo:rustc-link-search=native={}", path.display())).collect();
            lines.extend(library.libs.iter().map(|name| format!("cargo:rustc-link-lib={name}")));
            (library.include_paths, lines)
        }
        Err(reason) => match elsewhere() {
            Some(folder) => in_folder(&folder),
            None => panic!(
                "libvpx was not found. Debian, Ubuntu: apt install libvpx-dev pkg-config. macOS: brew install libvpx pkg-config. \
                 Windows: vcpkg install libvpx:x64-windows-static-md and set VCPKG_ROOT. Or set VPX_DIR to a folder with include \
                 and lib.\n{reason}"
            ),
        },
    }
}

fn elsewhere() -> Option<PathBuf> {
    let target = |name: &str| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let triplet = match (target("OS").as_str(), target("ARCH").as_str()) {
        ("windows", "aarch64") => "arm64-windows-static-md",
        ("windows", _) => "x64-windows-static-md",
        ("macos", "aarch64") => "arm64-osx",
        ("macos", _) => "x64-osx",
        _ => return None,
    };
    let vcpkg = env::var_os("VCPKG_ROOT").map(|root| Path::new(&root).join("installed").join(triplet));
    let homebrew = ["/opt/homebrew/opt/libvpx", "/usr/local/opt/libvpx"].map(PathBuf::from);
    vcpkg.into_iter().chain(homebrew).find(|folder| folder.join("include/vpx/vpx_encoder.h").exists())
}

fn in_folder(folder: &Path) -> (Vec<PathBuf>, Vec<String>) {
    let lib = folder.join("lib");
    let search = format!("cargo:rustc-link-search=native={}", lib.display());
    (vec![folder.join("include")], vec![search, "cargo:rustc-link-lib=vpx".to_owned()])
}
