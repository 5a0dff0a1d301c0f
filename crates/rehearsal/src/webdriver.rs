//! The few W3C WebDriver commands that the stories need, over plain HTTP.
//!
//! One driver process serves one app window: WebKitWebDriver holds a single session. Screenshots are taken from the X display
//! ([`crate::display`]), because the driver's own hangs.

use crate::processes;
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The drivers' own limit of half a minute is less than a bench takes.
const LONGEST_SCRIPT: Duration = Duration::from_secs(600);

/// From the end of the session to the end of the app.
const GOODBYE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    #[error("WebKitWebDriver could not be started: {0} (Debian package webkit2gtk-driver)")]
    NotStarted(std::io::Error),
    #[error("the driver does not answer: {0}")]
    Unreachable(#[from] reqwest::Error),
    #[error("the driver refused {command}: {message}")]
    Refused { command: String, message: String },
    #[error("waited {waited:?} for {what}; last seen: {last}")]
    TimedOut { what: String, waited: Duration, last: String },
}

/// A driver process with its one session. Dropping it ends both and with them the app.
pub struct Driver {
    process: Child,
    base: String,
    session: String,
    client: reqwest::Client,
}

impl Driver {
    /// Starts a driver, and through it `binary` with `arguments`; `environment` is inherited by the app.
    pub async fn start(binary: &Path, arguments: &[String], environment: &[(String, String)]) -> Result<Self, DriverError> {
        crate::browser::install_tls();
        let port = crate::stage::free_port();
        let process = Command::new("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .arg("--host=127.0.0.1")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .spawn()
            .map_err(DriverError::NotStarted)?;
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build()?;
        let mut driver = Self { process, base: format!("http://127.0.0.1:{port}"), session: String::new(), client };
        driver.wait_for_driver().await?;
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "pageLoadStrategy": "none",
            "webkitgtk:browserOptions": { "binary": binary, "args": arguments },
        }}});
        let answer = driver.send(Method::POST, "/session", Some(capabilities)).await?;
        driver.session = answer["sessionId"].as_str().unwrap_or_default().to_owned();
        let path = format!("/session/{}/timeouts", driver.session);
        driver.send(Method::POST, &path, Some(json!({ "script": LONGEST_SCRIPT.as_millis() as u64 }))).await?;
        Ok(driver)
    }

    /// The driver's process; the app and its web processes are its descendants.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    async fn wait_for_driver(&mut self) -> Result<(), DriverError> {
        let begun = Instant::now();
        loop {
            match self.send(Method::GET, "/status", None).await {
                Ok(_) => return Ok(()),
                Err(error) if begun.elapsed() > Duration::from_secs(15) => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, DriverError> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if path.ends_with("/execute/async") {
            request = request.timeout(LONGEST_SCRIPT);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer: Value = request.send().await?.json().await?;
        let value = answer["value"].clone();
        match value["error"].as_str() {
            Some(error) => Err(DriverError::Refused {
                command: path.rsplit('/').next().unwrap_or(path).to_owned(),
                message: format!("{error}: {}", value["message"].as_str().unwrap_or_default()),
            }),
            None => Ok(value),
        }
    }

    /// Runs the body of a function in the page; `arguments` are its `arguments`. Returns what it returns.
    pub async fn script(&self, body: &str, arguments: Value) -> Result<Value, DriverError> {
        let path = format!("/session/{}/execute/sync", self.session);
        self.send(Method::POST, &path, Some(json!({ "script": body, "args": arguments }))).await
    }

    /// Like [`Driver::script`] for a body that returns a promise.
    pub async fn script_async(&self, body: &str, arguments: Value) -> Result<Value, DriverError> {
        let path = format!("/session/{}/execute/async", self.session);
        let wrapped = format!(
            "const done = arguments[arguments.length - 1]; (async function () {{ {body} }}).apply(null, arguments).then(done, error => done({{ thrown: String(error) }}));"
        );
        self.send(Method::POST, &path, Some(json!({ "script": wrapped, "args": arguments }))).await
    }

    /// Drags the mouse along `points` (viewport pixels) as a person would: real pointer events through the driver.
    pub async fn drag(&self, points: &[(i32, i32)]) -> Result<(), DriverError> {
        let Some((&first, rest)) = points.split_first() else { return Ok(()) };
        let to = |(x, y): (i32, i32)| json!({ "type": "pointerMove", "duration": 20, "x": x, "y": y, "origin": "viewport" });
        let mut steps = vec![to(first), json!({ "type": "pointerDown", "button": 0 })];
        steps.extend(rest.iter().copied().map(to));
        steps.push(json!({ "type": "pointerUp", "button": 0 }));
        let path = format!("/session/{}/actions", self.session);
        let actions = json!({ "actions": [{ "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" }, "actions": steps }] });
        self.send(Method::POST, &path, Some(actions)).await.map(drop)
    }

    /// Presses the keys of a text, one after the other, wherever the focus is.
    pub async fn keys(&self, text: &str) -> Result<(), DriverError> {
        let strokes = |key: char| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }));
        let steps: Vec<Value> = text.chars().flat_map(strokes).collect();
        let path = format!("/session/{}/actions", self.session);
        let actions = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": steps }] });
        self.send(Method::POST, &path, Some(actions)).await.map(drop)
    }

    /// Repeats `body` until it returns something other than null, false or nothing.
    pub async fn until(&self, what: &str, within: Duration, body: &str, arguments: Value) -> Result<Value, DriverError> {
        let begun = Instant::now();
        let mut last;
        loop {
            match self.script(body, arguments.clone()).await {
                Ok(Value::Null | Value::Bool(false)) => last = String::from("nothing yet"),
                Ok(value) => return Ok(value),
                Err(DriverError::Refused { message, .. }) => last = message,
                Err(error) => return Err(error),
            }
            if begun.elapsed() > within {
                return Err(DriverError::TimedOut { what: what.to_owned(), waited: begun.elapsed(), last });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends the session and with it the app. Whoever starts the same profile next finds it free.
    pub async fn quit(mut self) {
        let family = processes::family(self.process_id());
        let path = format!("/session/{}", self.session);
        let _ = tokio::time::timeout(GOODBYE, self.send(Method::DELETE, &path, None)).await;
        // The driver answers first and ends the app then: killed in between, it would leave the app behind.
        let begun = Instant::now();
        while begun.elapsed() < GOODBYE && family.iter().skip(1).any(|id| processes::is_running(*id)) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.end();
    }

    /// The app outlives a driver that is killed.
    fn end(&mut self) {
        let family = processes::family(self.process_id());
        let _ = self.process.kill();
        let _ = self.process.wait();
        family.into_iter().skip(1).for_each(processes::kill);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.end();
    }
}
