//! What `--updates FILE` says: where an operator's newer versions are, and the public key that must have signed them. It becomes part
//! of Tauri's configuration for this build; without such a file the program has no updates. What a person sees of them is the
//! app's business (`src-tauri/src/updates.rs`).

use super::VERSION;
use crate::{Outcome, node, processes, tools};
use std::fs;
use std::path::{Path, PathBuf};

/// A line that is longer is no line of this file.
const LONGEST: usize = 2000;
/// What `tauri signer` names a public key in its file, before the key itself.
const COMMENT: &str = "untrusted comment:";
/// In the program, until it is packed: how it was installed, for whoever installs the next one over it.
const UNPACKED: &[u8] = b"__TAURI_BUNDLE_TYPE_VAR_UNK";

#[derive(Debug, PartialEq, Eq)]
pub struct Updates {
    /// Asked one after the other until one answers.
    endpoints: Vec<String>,
    /// Folder that the packages are put into, with a slash at its end.
    download: String,
    /// As in the file `KEY.pub` of `tauri signer generate`.
    key: String,
}

impl Updates {
    pub fn load(file: &Path) -> Outcome<Self> {
        let text = fs::read_to_string(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        Self::parse(&text).map_err(|why| format!("{}, {why}", file.display()))
    }

    /// `name = value`, one a line; `#` begins a comment.
    fn parse(text: &str) -> Outcome<Self> {
        let (mut endpoints, mut download, mut key) = (Vec::new(), None, None);
        for (number, line) in (1..).zip(text.lines()) {
            let wrong = |why: String| format!("line {number}: {why}");
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.len() > LONGEST {
                return Err(wrong(String::from("it is too long for anything this file can say")));
            }
            let (name, value) = line.split_once('=').ok_or_else(|| wrong(String::from("it should be NAME = VALUE")))?;
            let value = value.trim();
            match name.trim() {
                "endpoint" => endpoints.push(address(value).map_err(wrong)?),
                "download" if download.is_none() => {
                    let folder = address(value).map_err(wrong)?;
                    if !folder.ends_with('/') || folder.contains("{{") {
                        return Err(wrong(String::from("it should be a folder, with a slash at its end")));
                    }
                    download = Some(folder);
                }
                "key" if key.is_none() => key = Some(public_key(value).map_err(wrong)?),
                "download" | "key" => return Err(wrong(format!("{} is there twice", name.trim()))),
                other => return Err(wrong(format!("{other:?} is not known; endpoint, download and key are"))),
            }
        }
        let missing = |name: &str| format!("there is no line {name} = ...");
        if endpoints.is_empty() {
            return Err(missing("endpoint"));
        }
        Ok(Self { endpoints, download: download.ok_or_else(|| missing("download"))?, key: key.ok_or_else(|| missing("key"))? })
    }

    /// To be merged into `tauri.conf.json`. `bundler`: it signs what it packs, and needs the secret key for that.
    pub fn configuration(&self, bundler: bool) -> String {
        // Neither an address nor a key has anything that JSON would write otherwise.
        let endpoints: Vec<String> = self.endpoints.iter().map(|endpoint| format!("\"{endpoint}\"")).collect();
        format!(
            "{{\"plugins\":{{\"updater\":{{\"endpoints\":[{}],\"pubkey\":\"{}\",\"requireSignedVersion\":true,\
             \"windows\":{{\"installMode\":\"passive\"}}}}}},\"bundle\":{{\"createUpdaterArtifacts\":{bundler}}}}}",
            endpoints.join(","),
            self.key
        )
    }

    /// Signs the packages where the secret key is in the environment, and writes what the endpoint has to answer.
    pub fn finish(&self, packages: &[(&str, PathBuf)], folder: &Path) -> Outcome {
        if !secret_key_is_here(|name| std::env::var_os(name).is_some()) {
            println!("NOT SIGNED: TAURI_SIGNING_PRIVATE_KEY_PATH names no key, so nobody's program will take these as an update");
            return Ok(());
        }
        let node = node::find()?;
        let mut signed = Vec::new();
        for (kind, package) in packages {
            let mut command = node.npm();
            command.args([
                "exec",
                "--yes",
                "--package=@tauri-apps/cli@2",
                "--",
                "tauri",
                "signer",
                "sign",
                "--app-version",
                VERSION,
            ]);
            processes::run(command.arg(package))?;
            let file = PathBuf::from(format!("{}.sig", package.display()));
            let signature = fs::read_to_string(&file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
            signed.push((*kind, package.clone(), signature.trim().to_owned()));
        }
        let file = folder.join("updates.json");
        fs::write(&file, self.answer(&signed)).map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
        println!("for the endpoint: {}; the packages go to {}", file.display(), self.download);
        Ok(())
    }

    fn answer(&self, signed: &[(&str, PathBuf, String)]) -> String {
        let platform = |(kind, package, signature): &(&str, PathBuf, String)| {
            let name = package.file_name().unwrap_or_default().to_string_lossy();
            let system = format!("{}-{}-{kind}", std::env::consts::OS, std::env::consts::ARCH);
            format!("    \"{system}\": {{ \"url\": \"{}{name}\", \"signature\": \"{signature}\" }}", self.download)
        };
        let platforms: Vec<String> = signed.iter().map(platform).collect();
        format!("{{\n  \"version\": \"{VERSION}\",\n  \"platforms\": {{\n{}\n  }}\n}}\n", platforms.join(",\n"))
    }
}

fn secret_key_is_here(is_set: impl Fn(&str) -> bool) -> bool {
    is_set("TAURI_SIGNING_PRIVATE_KEY") || is_set("TAURI_SIGNING_PRIVATE_KEY_PATH")
}

fn address(value: &str) -> Outcome<String> {
    let rest = value.strip_prefix("https://").ok_or_else(|| format!("{value:?} does not begin with https://"))?;
    let host = rest.split(['/', '?', ':']).next().unwrap_or_default();
    if host.is_empty() || !host.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-') {
        return Err(format!("{value:?} names no host"));
    }
    let harmless = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '<' | '>' | '`' | '#' | '@');
    if !value.chars().all(harmless) {
        return Err(format!("{value:?} holds what no address holds"));
    }
    Ok(value.to_owned())
}

/// Base64 of two lines: a comment, and base64 of an algorithm, a number and a key of 32 bytes.
fn public_key(value: &str) -> Outcome<String> {
    let wrong = "it is no public key: it should be the one line of the file that tauri signer generate calls *.pub";
    let text = base64(value).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(wrong)?;
    let (comment, key) = text.trim_end().split_once('\n').ok_or(wrong)?;
    if comment.starts_with(COMMENT) && comment.contains("secret") {
        return Err(String::from("it is a SECRET key: keep it to yourself, and put the line of the file *.pub here"));
    }
    let key = base64(key.trim()).filter(|_| comment.starts_with(COMMENT)).ok_or(wrong)?;
    if key.len() != 42 || !key.starts_with(b"Ed") {
        return Err(String::from(wrong));
    }
    Ok(value.to_owned())
}

/// Of whole groups of four alone, as keys are written.
fn base64(text: &str) -> Option<Vec<u8>> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let body = text.trim_end_matches('=');
    if text.is_empty() || !text.len().is_multiple_of(4) || text.len() - body.len() > 2 {
        return None;
    }
    let mut bytes = Vec::new();
    for group in body.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for at in 0..4 {
            let digit = match group.get(at) {
                Some(letter) => LETTERS.iter().position(|other| other == letter)? as u32,
                None => 0,
            };
            bits = bits << 6 | digit;
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(bytes)
}

/// Copies a program and writes into it how it is packed (`DEB`, `RPM`): whoever updates it takes a package of the same kind.
pub fn mark(unpacked: &Path, program: &Path, kind: &str) -> Outcome {
    let fault = |error: std::io::Error| format!("{} cannot be marked: {error}", program.display());
    let mut bytes = fs::read(unpacked).map_err(fault)?;
    let place = bytes.windows(UNPACKED.len()).position(|window| window == UNPACKED).ok_or_else(|| {
        format!("{} has no place for the mark of its package, so it could not update itself", unpacked.display())
    })?;
    let end = place + UNPACKED.len();
    bytes[end - kind.len()..end].copy_from_slice(kind.as_bytes());
    fs::write(program, bytes).map_err(fault)
}

/// Where the merged configuration lies for the bundler, which takes files alone.
pub fn write_configuration(updates: &Updates) -> Outcome<PathBuf> {
    let folder = tools::root().join("target/package");
    tools::create(&folder)?;
    let file = folder.join("updates.conf.json");
    let written = fs::write(&file, updates.configuration(true));
    written.map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dW50cnVzdGVkIGNvbW1lbnQ6IG1pbmlzaWduIHB1YmxpYyBrZXk6IDExMTExMTExMTExMTExMTEKUldRQkFRRUJBUUVCQWFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXEK";

    fn file(lines: &[&str]) -> String {
        lines.join("\n")
    }

    #[test]
    fn a_file_becomes_configuration() {
        let key = format!("key = {KEY}");
        let text = file(&[
            "# where",
            "endpoint = https://updates.example/visavis/{{target}}-{{arch}}.json",
            "",
            "endpoint=https://other.example:8443/v.json",
            "download = https://updates.example/packages/",
            &key,
        ]);
        let updates = Updates::parse(&text).unwrap();
        assert_eq!(updates.endpoints.len(), 2);
        let configuration = updates.configuration(true);
        let wanted =
            "\"endpoints\":[\"https://updates.example/visavis/{{target}}-{{arch}}.json\",\"https://other.example:8443/v.json\"]";
        assert!(configuration.contains(wanted), "{configuration}");
        assert!(
            configuration.contains("\"requireSignedVersion\":true") && configuration.contains("\"createUpdaterArtifacts\":true")
        );
        assert_eq!(configuration.matches('{').count(), configuration.matches('}').count());
        let answer = updates.answer(&[("deb", PathBuf::from("/x/visavis_1.deb"), String::from("c2ln"))]);
        assert!(
            answer.contains("-deb\": { \"url\": \"https://updates.example/packages/visavis_1.deb\", \"signature\": \"c2ln\" }"),
            "{answer}"
        );
    }

    #[test]
    fn the_line_that_is_wrong_is_named() {
        let key = format!("key = {KEY}");
        let endpoint = "endpoint = https://a.example/v.json";
        let download = "download = https://a.example/p/";
        let cases: [(&[&str], &str); 14] = [
            (&[endpoint, download], "no line key"),
            (&[&key, download], "no line endpoint"),
            (&[&key, endpoint], "no line download"),
            (&["# x", "endpoint = http://a.example/v.json"], "line 2: \"http://a.example/v.json\" does not begin with https://"),
            (&["endpoint = https:///v.json"], "names no host"),
            (&["endpoint = https://me@a.example/v.json"], "no host"),
            (&["endpoint = https://a.example/\"v.json"], "holds what no address holds"),
            (&[endpoint, "download = https://a.example/p"], "line 2: it should be a folder"),
            (&["endpoint"], "line 1: it should be NAME = VALUE"),
            (&["pubkey = x"], "line 1: \"pubkey\" is not known"),
            (&["key = abc"], "line 1: it is no public key"),
            (&["key = dW50cnVzdGVkIGNvbW1lbnQ6IHg="], "line 1: it is no public key"),
            (&[&key, &key], "line 2: key is there twice"),
            (&["key = dW50cnVzdGVkIGNvbW1lbnQ6IHJzaWduIGVuY3J5cHRlZCBzZWNyZXQga2V5ClJXUlRZMEl5"], "line 1: it is a SECRET key"),
        ];
        for (lines, wanted) in cases {
            let error = Updates::parse(&file(lines)).unwrap_err();
            assert!(error.contains(wanted), "{lines:?}: {error}");
        }
        let long = format!("endpoint = https://a.example/{}", "x".repeat(3000));
        assert!(Updates::parse(&long).unwrap_err().contains("line 1: it is too long"));
    }

    #[test]
    fn the_example_is_one_once_it_is_filled_in() {
        let text = fs::read_to_string(tools::root().join("deploy/updates.conf")).unwrap();
        assert!(Updates::parse(&text).unwrap_err().contains("no line endpoint"), "as it comes it says nothing");
        let text =
            text.replace("#endpoint", "endpoint").replace("#download", "download").replace("#key =", &format!("key = {KEY}"));
        assert_eq!(Updates::parse(&text).unwrap().endpoints, ["https://updates.example/visavis/updates.json"]);
    }

    #[test]
    fn base64_is_read_and_nonsense_is_not() {
        assert_eq!(base64("aGVsbG8=").as_deref(), Some(&b"hello"[..]));
        assert_eq!(base64("aGVsbG8h").as_deref(), Some(&b"hello!"[..]));
        assert_eq!(base64("aA==").as_deref(), Some(&b"h"[..]));
        for wrong in ["", "a", "aGVsbG8", "aGVs=", "====", "a===", "aG!s"] {
            assert_eq!(base64(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_program_is_marked_with_its_package() {
        let folder = std::env::temp_dir().join(format!("visavis-mark-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (unpacked, packed) = (folder.join("unpacked"), folder.join("packed"));
        // The words that the mark is compared with may be in the program too.
        fs::write(&unpacked, [b"__TAURI_BUNDLE_TYPE_VAR_DEB".as_slice(), UNPACKED, b"more"].concat()).unwrap();
        for kind in ["DEB", "RPM"] {
            mark(&unpacked, &packed, kind).unwrap();
            let wanted = format!("__TAURI_BUNDLE_TYPE_VAR_DEB__TAURI_BUNDLE_TYPE_VAR_{kind}more");
            assert_eq!(fs::read_to_string(&packed).unwrap(), wanted);
        }
        fs::write(&unpacked, b"nothing of it").unwrap();
        assert!(mark(&unpacked, &packed, "DEB").unwrap_err().contains("no place"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_secret_key_is_looked_for_under_both_names() {
        assert!(secret_key_is_here(|name| name == "TAURI_SIGNING_PRIVATE_KEY"));
        assert!(secret_key_is_here(|name| name == "TAURI_SIGNING_PRIVATE_KEY_PATH"));
        assert!(!secret_key_is_here(|_| false));
    }
}
