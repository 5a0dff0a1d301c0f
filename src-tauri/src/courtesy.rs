//! What the desktop is asked for on the person's behalf: to stay awake during a call, and to say something while the window
//! is behind others. Both may wait for another process, so they have a thread of their own; a desktop that offers neither
//! is no failure.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// What is said comes from the page, and parts of it from others: a title and a sentence, not more.
const LONGEST: usize = 200;
/// Several things at once are one thing to whoever looks away.
const BETWEEN: Duration = Duration::from_secs(2);

enum Task {
    Awake(bool),
    Say { title: String, body: String },
}

/// Dropping it lets the machine sleep again.
pub struct Courtesy(Sender<Task>);

impl Courtesy {
    pub fn start() -> std::io::Result<Self> {
        let (sender, tasks) = channel();
        std::thread::Builder::new().name("courtesy".into()).spawn(move || serve(&tasks))?;
        Ok(Self(sender))
    }

    /// Whether the display must stay on. Cheap when nothing changes.
    pub fn awake(&self, on: bool) {
        let _ = self.0.send(Task::Awake(on));
    }

    pub fn say(&self, title: &str, body: &str) {
        let _ = self.0.send(Task::Say { title: shortened(title), body: shortened(body) });
    }
}

fn serve(tasks: &Receiver<Task>) {
    let mut awake: Option<keepawake::KeepAwake> = None;
    let mut wanted = false;
    let mut said: Option<Instant> = None;
    for task in tasks {
        match task {
            Task::Awake(on) if on == wanted => {}
            Task::Awake(on) => {
                wanted = on;
                // The one before ends with its value.
                drop(awake.take());
                awake = if on { keep_awake() } else { None };
                tracing::debug!(wanted, held = awake.is_some(), "keeping the display on");
            }
            Task::Say { .. } if said.is_some_and(|at| at.elapsed() < BETWEEN) => {}
            Task::Say { title, body } => {
                said = Some(Instant::now());
                let shown =
                    notify_rust::Notification::new().appname("Visavis").icon("visavis").summary(&title).body(&body).show();
                if let Err(error) = shown {
                    tracing::debug!(%error, "this desktop shows no notifications");
                }
            }
        }
    }
}

fn keep_awake() -> Option<keepawake::KeepAwake> {
    let asked = keepawake::Builder::default()
        .display(true)
        .idle(true)
        .reason("A call")
        .app_name("Visavis")
        .app_reverse_domain("org.visavis.app")
        .create();
    asked.inspect_err(|error| tracing::debug!(%error, "this desktop cannot be kept awake")).ok()
}

/// Without control characters, and no longer than anybody reads. Markup means nothing: some desktops would follow links.
fn shortened(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| !matches!(c, '<' | '>' | '&')).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_fill_the_desktop_or_speak_markup() {
        let shown = shortened(&format!("<a href=\"x\">Mia</a>\n{}", "x".repeat(1000)));
        assert_eq!(shown.chars().count(), LONGEST);
        assert!(shown.starts_with("a href=\"x\"Mia/a x"), "{shown}");
    }

    #[test]
    fn a_desktop_that_offers_nothing_is_no_failure() {
        let courtesy = Courtesy::start().unwrap();
        courtesy.awake(true);
        courtesy.say("Visavis", "Somebody was found");
        courtesy.awake(false);
    }
}
