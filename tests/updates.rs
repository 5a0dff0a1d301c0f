//! Newer versions in a real window, from a server on loopback: what the test key signed is accepted, everything else thrown away, and
//! nothing is installed. The configuration is given as a build for development takes it; the plugin, its verification and the
//! page are those of every build.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of their functions")]

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use visavis_rehearsal::display::Display;
use visavis_rehearsal::stage::free_port;
use visavis_rehearsal::window::{AppWindow, PATIENCE, Start};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A key, a package that it signed, and signatures that are wrong in some way.
const SIGNED: &str = include_str!("updates/signed.json");

/// What the operator's server answers.
#[derive(Clone, Default)]
struct Answers {
    manifest: Option<Value>,
    package: Vec<u8>,
    /// How often the package was fetched.
    fetched: usize,
}

/// Answers until the test ends; its address.
async fn operator(answers: Arc<Mutex<Answers>>) -> Outcome<String> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 4096];
            let read = stream.read(&mut asked).await.unwrap_or(0);
            let path = String::from_utf8_lossy(&asked[..read]).split(' ').nth(1).unwrap_or_default().to_owned();
            let (status, body) = {
                let mut answers = answers.lock().unwrap();
                match (path.as_str(), &answers.manifest) {
                    ("/package", _) => {
                        answers.fetched += 1;
                        ("200 OK", answers.package.clone())
                    }
                    ("/versions.json", Some(manifest)) => ("200 OK", manifest.to_string().into_bytes()),
                    _ => ("404 Not Found", Vec::new()),
                }
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
        }
    });
    Ok(address)
}

struct Desk {
    display: Display,
    folder: tempfile::TempDir,
    signed: Value,
    answers: Arc<Mutex<Answers>>,
    address: String,
}

impl Desk {
    fn text(&self, name: &str) -> String {
        self.signed[name].as_str().unwrap_or_default().to_owned()
    }

    /// The app, with the updates that this configuration names.
    async fn open(&self, name: &str, updates: Option<Value>) -> Outcome<AppWindow> {
        let app = Path::new(env!("CARGO_BIN_EXE_visavis"));
        let binary = match updates {
            None => app.to_owned(),
            Some(updates) => {
                let file = self.folder.path().join("updates.json");
                std::fs::write(&file, updates.to_string())?;
                self.script(app, &file)?
            }
        };
        let window = AppWindow::open(Start {
            binary: &binary,
            name,
            profile_folder: &self.folder.path().join(name),
            server: &format!("http://127.0.0.1:{}", free_port()),
            camera: "pattern",
            display: &self.display.name,
            browser: app,
            position: (0, 0),
            size: (900, 600),
        })
        .await?;
        window.page("welcome").await?;
        window.press("settings").await?;
        window.text("about").await?;
        Ok(window)
    }

    /// Starts the app with one more word in its environment.
    fn script(&self, app: &Path, updates: &Path) -> Outcome<PathBuf> {
        let file = self.folder.path().join("app.sh");
        let text = format!("#!/bin/sh\nVISAVIS_UPDATES='{}' exec '{}' \"$@\"\n", updates.display(), app.display());
        std::fs::write(&file, text)?;
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        Ok(file)
    }

    fn offers(&self, version: &str, signature: &str, package: &[u8]) {
        let url = format!("{}/package", self.address);
        let platform = json!({ "url": url, "signature": self.text(signature) });
        let platforms = json!({ format!("linux-{}", std::env::consts::ARCH): platform });
        let manifest = json!({ "version": version, "platforms": platforms });
        *self.answers.lock().unwrap() = Answers { manifest: Some(manifest), package: package.to_vec(), fetched: 0 };
    }
}

/// Waits until the page says so, and gives the sentence.
async fn stands(window: &AppWindow, state: &str) -> Outcome<String> {
    let body = "const at = document.querySelector('[data-testid=updates]'); \
                return at && at.dataset.state === arguments[0] ? at.innerText : null;";
    let words = window.driver.until(&format!("updates to be {state}"), PATIENCE, body, json!([state])).await?;
    Ok(words.as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_the_operator_signed_is_accepted() -> Outcome {
    const { assert!(cfg!(feature = "embed-ui"), "run with --features embed-ui: the pages must be inside the binary") };
    let answers = Arc::new(Mutex::new(Answers::default()));
    let address = operator(Arc::clone(&answers)).await?;
    let signed: Value = serde_json::from_str(SIGNED)?;
    let desk = Desk { display: Display::start(1000, 700)?, folder: tempfile::tempdir()?, signed, answers, address };
    let before = std::fs::read(env!("CARGO_BIN_EXE_visavis"))?;

    let window = desk.open("without", None).await?;
    assert!(!window.is_there("updates").await?, "without a configuration there are no updates");
    window.driver.quit().await;

    let endpoint = format!("{}/versions.json", desk.address);
    let configuration = json!({ "endpoints": [endpoint], "pubkey": desk.text("key"), "requireSignedVersion": true });
    let window = desk.open("with", Some(configuration)).await?;
    stands(&window, "not_asked").await?;
    assert_eq!(desk.answers.lock().unwrap().fetched, 0);
    nothing_useful_answers(&desk, &window).await?;
    what_is_not_signed_is_thrown_away(&desk, &window).await?;
    what_is_signed_is_kept_ready(&desk, &window).await?;
    window.driver.quit().await;
    assert!(std::fs::read(env!("CARGO_BIN_EXE_visavis"))? == before, "nothing was installed");
    Ok(())
}

async fn nothing_useful_answers(desk: &Desk, window: &AppWindow) -> Outcome {
    window.press("updates-ask").await?;
    assert!(stands(window, "failed").await?.contains("nothing useful answers"));
    desk.offers("0.0.1", "signature", b"");
    window.press("updates-ask").await?;
    stands(window, "newest").await?;
    desk.answers.lock().unwrap().manifest = Some(json!({ "version": "9.9.9", "platforms": {} }));
    window.press("updates-ask").await?;
    assert!(stands(window, "failed").await?.contains("not for this system"));
    Ok(())
}

async fn what_is_not_signed_is_thrown_away(desk: &Desk, window: &AppWindow) -> Outcome {
    let package = desk.text("package").into_bytes();
    let mut changed = package.clone();
    changed[5] ^= 1;
    let cases: [(&str, &str, &[u8]); 5] = [
        // A package of which one bit is another.
        ("9.9.9", "signature", &changed),
        ("9.9.9", "signature", b""),
        // An old one under a new number, and one that does not say which it is.
        ("9.9.10", "signature", &package),
        ("9.9.9", "without_version", &package),
        ("9.9.9", "other_key", &package),
    ];
    for (version, signature, package) in cases {
        desk.offers(version, signature, package);
        window.press("updates-ask").await?;
        assert!(stands(window, "offered").await?.contains(version));
        window.press("updates-fetch").await?;
        assert!(stands(window, "failed").await?.contains("not signed"), "{version} {signature}");
        assert_eq!(desk.answers.lock().unwrap().fetched, 1);
        assert!(!window.is_there("updates-install").await?, "{version} {signature}");
    }
    Ok(())
}

async fn what_is_signed_is_kept_ready(desk: &Desk, window: &AppWindow) -> Outcome {
    desk.offers("9.9.9", "signature", desk.text("package").as_bytes());
    window.press("updates-ask").await?;
    stands(window, "offered").await?;
    window.press("updates-fetch").await?;
    assert!(stands(window, "signed").await?.contains("signature is right"));
    assert!(window.is_there("updates-install").await?);
    Ok(())
}
