//! Whether the .deb works on a machine that has never seen a compiler: a fresh Debian of the smallest kind, apt with the .deb's
//! own dependencies, and a start under a virtual display, without a server, as from a menu.

use crate::processes::{output, run};
use crate::{Outcome, tools};
use std::fs;
use std::path::Path;
use std::process::Command;

const MIRROR: &str = "http://deb.debian.org/debian";

/// Runs inside: the program is no root's, has a home that is empty, and a display of its own.
const START: &str = r#"
set -eu
useradd --create-home guest
Xvfb :97 -screen 0 1280x800x24 -nolisten tcp >/tmp/xvfb.log 2>&1 &
for _ in $(seq 50); do [ -e /tmp/.X11-unix/X97 ] && break; sleep 0.2; done
cd /home/guest
su guest -c 'DISPLAY=:97 WEBKIT_DISABLE_DMABUF_RENDERER=1 visavis --no-keyring --profile-dir /home/guest/profile' >/tmp/visavis.log 2>&1 &
program=$!
shown=
for _ in $(seq 300); do
  kill -0 $program 2>/dev/null || break
  if DISPLAY=:97 xwininfo -root -tree | grep -q '"Visavis"' && [ -e /home/guest/profile/instance.json ]; then shown=1; break; fi
  sleep 0.2
done
[ -n "$shown" ] || { echo "no window; the program said:"; cat /tmp/visavis.log; exit 1; }
# The page has been painted when the window has more than one colour.
painted=0
for _ in $(seq 100); do
  DISPLAY=:97 xwd -root -silent -out /tmp/screen.xwd
  painted=$(tail -c +4097 /tmp/screen.xwd | od -An -v -w4 -tx4 | sort -u | wc -l)
  [ "$painted" -gt 20 ] && break
  sleep 0.2
done
kill -0 $program || { echo "the program ended"; cat /tmp/visavis.log; exit 1; }
[ "$painted" -gt 20 ] || { echo "the window stays empty ($painted colours)"; cat /tmp/visavis.log; exit 1; }
echo "installed, started without a server: a window of $painted colours"
"#;

pub fn check(deb: &Path, folder: &Path) -> Outcome {
    for program in ["debootstrap", "unshare", "chroot"] {
        if !tools::on_path(program) {
            return Err(format!("{program} is needed to check the .deb (on Debian: apt-get install debootstrap util-linux)"));
        }
    }
    if output("id", &["-u"]).as_deref() != Some("0") {
        return Err(String::from("a clean root can only be made as root"));
    }
    let root = folder.join("clean-root");
    make(&root)?;
    let shown = |error: std::io::Error| format!("{} cannot be prepared: {error}", root.display());
    fs::copy(deb, root.join("tmp/visavis.deb")).map_err(shown)?;
    fs::write(root.join("tmp/start.sh"), START).map_err(shown)?;
    // dpkg must not start services, which a root without an init cannot.
    fs::write(root.join("usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n").map_err(shown)?;
    let installing = "export DEBIAN_FRONTEND=noninteractive; chmod 755 /usr/sbin/policy-rc.d; \
        apt-get install -y -q --no-install-recommends /tmp/visavis.deb xvfb x11-utils x11-apps";
    tools::timed("installing", || run(Command::new("chroot").arg(&root).args(["sh", "-c", installing])))?;
    // Its own processes and mounts, so that all of them end with it.
    let starting = format!(
        "set -e; mount -t proc proc {0}/proc; mount -t tmpfs shm {0}/dev/shm; exec chroot {0} sh /tmp/start.sh",
        root.display()
    );
    let begun = Command::new("unshare").args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", &starting]).status();
    match begun {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("in the clean root it did not start ({status})")),
        Err(error) => return Err(format!("unshare could not be started: {error}")),
    }
    fs::remove_dir_all(&root).map_err(|error| format!("{} stays: {error}", root.display()))
}

fn make(root: &Path) -> Outcome {
    if root.exists() {
        fs::remove_dir_all(root).map_err(|error| format!("{} stays: {error}", root.display()))?;
    }
    let suite = suite(&fs::read_to_string("/etc/os-release").unwrap_or_default()).ok_or("this Debian names no suite")?;
    let mirror = std::env::var("VISAVIS_DEBIAN_MIRROR").unwrap_or_else(|_| String::from(MIRROR));
    let mut command = Command::new("debootstrap");
    tools::timed("clean root", || run(command.args(["--variant=minbase", &suite]).arg(root).arg(mirror)))
}

fn suite(release: &str) -> Option<String> {
    let named = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="))?;
    Some(named.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suite_is_the_machines_own() {
        assert_eq!(suite("ID=debian\nVERSION_CODENAME=bookworm\n").as_deref(), Some("bookworm"));
        assert_eq!(suite("VERSION_CODENAME=\"trixie\"").as_deref(), Some("trixie"));
        assert_eq!(suite("ID=x"), None);
    }
}
