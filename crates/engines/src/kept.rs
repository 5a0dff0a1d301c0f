//! A program under a keeper, a shell that waits for the end of its own standard input: whatever becomes of the process that started
//! it, its end closes that pipe, and the keeper ends the program and removes its folder.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const KEEPER: &str = r#"trap '' INT HUP
folder=$1; signal=$2; shift 2
"$@" >>"$folder/log" 2>&1 </dev/null &
pid=$!
echo $pid
read -r word
kill -$signal $pid 2>/dev/null
wait $pid 2>/dev/null
[ "$word" = keep ] || rm -rf "$folder"
exit 0"#;

/// How a program is ended. What a shell starts in the background ignores QUIT unless it listens for it itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// PostgreSQL then takes its own processes with it.
    Quit,
    Kill,
}

/// Dropping it ends the program and removes its folder.
pub struct Kept {
    keeper: Child,
    pid: u32,
}

impl Kept {
    /// What it writes goes to `log` in the folder.
    pub fn start(program: &[String], folder: &Path, end: End) -> std::io::Result<Self> {
        let signal = match end {
            End::Quit => "QUIT",
            End::Kill => "KILL",
        };
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "keeper"]).arg(folder).arg(signal).args(program);
        let mut keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(output) = keeper.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let pid = line.trim().parse().map_err(|_| std::io::Error::other("the keeper of a program did not start it"))?;
        Ok(Self { keeper, pid })
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// kill -9 of the program itself; its folder stays.
    pub fn kill(mut self) {
        // It may have ended by itself.
        let _ = Command::new("kill").args(["-KILL", &self.pid.to_string()]).stderr(Stdio::null()).status();
        if let Some(words) = &mut self.keeper.stdin {
            let _ = words.write_all(b"keep\n");
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn is_there(pid: u32) -> bool {
        Command::new("kill").args(["-0", &pid.to_string()]).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    #[test]
    fn a_program_ends_with_its_keeper_and_its_folder_with_it_unless_it_was_killed() {
        let folder = crate::scratch("kept").unwrap();
        let words = ["sleep", "600"].map(String::from);
        let kept = Kept::start(&words, &folder, End::Kill).unwrap();
        let pid = kept.pid();
        assert!(is_there(pid));
        kept.kill();
        assert!(!is_there(pid) && folder.is_dir(), "killed, and what it wrote is there");
        let again = Kept::start(&words, &folder, End::Kill).unwrap();
        let pid = again.pid();
        assert!(is_there(pid));
        drop(again);
        assert!(!is_there(pid) && !folder.exists(), "nothing is left");
    }
}
