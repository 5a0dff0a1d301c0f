//! Capabilities and permissions are kept beside the shell's sources instead of where Tauri looks for them by itself (the root).

fn main() {
    println!("cargo::rerun-if-changed=src-tauri/capabilities");
    println!("cargo::rerun-if-changed=src-tauri/permissions");
    println!("cargo::rerun-if-changed=assets/icons");
    // The pages become part of the program: without this an older program keeps older pages.
    if std::env::var_os("CARGO_FEATURE_EMBED_UI").is_some() {
        println!("cargo::rerun-if-changed=ui/dist");
    }
    let manifest = tauri_build::AppManifest::new().permissions_path_pattern("./src-tauri/permissions/**/*");
    let windows = tauri_build::WindowsAttributes::new().window_icon_path("src-tauri/icons/icon.ico");
    let attributes = tauri_build::Attributes::new()
        .app_manifest(manifest)
        .windows_attributes(windows)
        .capabilities_path_pattern("./src-tauri/capabilities/**/*");
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("cargo::error={error:#}");
        std::process::exit(1);
    }
}
