//! Why the system does not let a program use a device, as far as the system tells: what helps differs from system to system.
//! Saying it in words is left to the page.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// Windows: the privacy settings, of all programs or of those that do not come from the store.
    WindowsPrivacy,
    /// macOS: Privacy & Security, by the person or by whoever manages the computer.
    MacosPrivacy,
    /// Linux: the device's file is for people of a group that this one is not in.
    LinuxGroup,
    /// Linux: the file would allow it; a sandbox, a policy or the sound server does not.
    LinuxPolicy,
}

impl Forbidden {
    /// Where no more is known than which system it is.
    pub(crate) const HERE: Self = if cfg!(windows) {
        Self::WindowsPrivacy
    } else if cfg!(target_os = "macos") {
        Self::MacosPrivacy
    } else {
        Self::LinuxPolicy
    };
}

/// What Windows answers, by its code of error. `cpal` puts the code behind the text; `cameras` gives the text alone, in the language
/// of the system.
#[cfg(any(windows, test))]
pub(crate) mod windows {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Answer {
        Denied,
        Busy,
        Gone,
    }

    const CODES: [(u32, Answer); 8] = [
        // E_ACCESSDENIED
        (0x8007_0005, Answer::Denied),
        // ERROR_SHARING_VIOLATION, ERROR_BUSY
        (0x8007_0020, Answer::Busy),
        (0x8007_00AA, Answer::Busy),
        // MF_E_HW_MFT_FAILED_START_STREAMING, MF_E_VIDEO_RECORDING_DEVICE_PREEMPTED
        (0xC00D_3704, Answer::Busy),
        (0xC00D_3EA3, Answer::Busy),
        // ERROR_NO_SUCH_DEVICE, ERROR_DEVICE_NOT_CONNECTED, MF_E_VIDEO_RECORDING_DEVICE_INVALIDATED
        (0x8007_01B1, Answer::Gone),
        (0x8007_048F, Answer::Gone),
        (0xC00D_3EA2, Answer::Gone),
    ];
    const CODE_BEFORE: &str = "(os error ";

    /// `text_of` says a code as this system does.
    pub(crate) fn read(text: &str, text_of: impl Fn(u32) -> String) -> Option<Answer> {
        let named = text.rsplit_once(CODE_BEFORE).and_then(|(_, code)| code.trim_end().strip_suffix(')')?.parse::<i32>().ok());
        let same = |code: u32| {
            let said = text_of(code);
            let said = said.split(CODE_BEFORE).next().unwrap_or_default().trim();
            !said.is_empty() && said == text.trim()
        };
        CODES.iter().find(|&&(code, _)| named.map_or_else(|| same(code), |named| named as u32 == code)).map(|&(_, answer)| answer)
    }

    /// As the system that this runs on says them.
    #[cfg(windows)]
    pub(crate) fn answer(text: &str) -> Option<Answer> {
        read(text, |code| std::io::Error::from_raw_os_error(code as i32).to_string())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn answers_are_told_by_code_or_by_the_systems_own_sentence() {
            let german = |code| match code {
                0x8007_0005 => String::from("Zugriff verweigert (os error -2147024891)"),
                0x8007_048F => String::from("Das Gerät ist nicht angeschlossen. (os error -2147023729)"),
                _ => String::new(),
            };
            assert_eq!(read("Zugriff verweigert", german), Some(Answer::Denied));
            assert_eq!(read("Das Gerät ist nicht angeschlossen. ", german), Some(Answer::Gone));
            assert_eq!(read("Zugriff verweigert (os error -2147024891)", |_| String::new()), Some(Answer::Denied));
            assert_eq!(read("In use. (os error -1072875772)", german), Some(Answer::Busy), "0xC00D3704");
            for other in ["", "Etwas anderes", "(os error 5x)", "A text (os error 87)"] {
                assert_eq!(read(other, german), None, "{other}");
            }
        }
    }
}

/// What Linux answers for a device's file.
#[cfg(target_os = "linux")]
pub(crate) mod linux {
    use super::Forbidden;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    /// Who this program is.
    pub(crate) struct Who {
        user: u32,
        groups: Vec<u32>,
    }

    impl Who {
        /// From `/proc/self/status`.
        fn read(status: &str) -> Option<Self> {
            let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
            // Real, effective, saved, of the file system: the last one opens files.
            let last = |name| line(name)?.split_whitespace().nth(3)?.parse().ok();
            let mut groups: Vec<u32> = line("Groups:")?.split_whitespace().filter_map(|group| group.parse().ok()).collect();
            groups.push(last("Gid:")?);
            Some(Self { user: last("Uid:")?, groups })
        }

        /// By the bits of the file's mode; lists of access are not asked.
        fn may_use(&self, mode: u32, owner: u32, group: u32) -> bool {
            let of_owner = owner == self.user && mode & 0o600 == 0o600;
            let of_group = self.groups.contains(&group) && mode & 0o060 == 0o060;
            self.user == 0 || of_owner || of_group || mode & 0o006 == 0o006
        }
    }

    /// Why a file that is there could not be opened.
    pub(crate) fn why(file: &Path) -> Forbidden {
        let who = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| Who::read(&status));
        match (std::fs::metadata(file), who) {
            (Ok(file), Some(who)) if !who.may_use(file.mode(), file.uid(), file.gid()) => Forbidden::LinuxGroup,
            _ => Forbidden::LinuxPolicy,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn somebody_outside_of_the_devices_group_is_told_from_a_policy() {
            let status = "Name:\tvisavis\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nGroups:\t4 24 1000 \n";
            let who = Who::read(status).unwrap();
            // crw-rw---- root video
            assert!(!who.may_use(0o020_660, 0, 44));
            assert!(Who { groups: vec![44], ..who }.may_use(0o020_660, 0, 44));
            let who = Who::read(status).unwrap();
            assert!(who.may_use(0o020_666, 0, 44) && who.may_use(0o020_600, 1000, 44) && !who.may_use(0o020_644, 0, 44));
            assert!(Who { user: 0, groups: Vec::new() }.may_use(0, 7, 44), "root may");
            assert!(Who::read("Name:\tvisavis\n").is_none());
            assert!(Who::read(&std::fs::read_to_string("/proc/self/status").unwrap()).is_some(), "as this system writes it");
        }

        #[test]
        fn a_file_for_everybody_is_kept_back_by_something_else() {
            assert_eq!(why(Path::new("/dev/null")), Forbidden::LinuxPolicy);
            assert_eq!(why(Path::new("/dev/not-there")), Forbidden::LinuxPolicy);
        }
    }
}
