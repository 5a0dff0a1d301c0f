//! What is said over any page.

use serde::Serialize;
use ts_rs::TS;
use visavis_wire::http::RefusalCode;

/// Why the system does not let the program use a device: what helps differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Forbidden {
    WindowsPrivacy,
    MacosPrivacy,
    /// The device is for a group of users that this one is not in.
    LinuxGroup,
    /// A sandbox, a policy, or the sound server.
    LinuxPolicy,
}

impl From<visavis_media::Forbidden> for Forbidden {
    fn from(why: visavis_media::Forbidden) -> Self {
        match why {
            visavis_media::Forbidden::WindowsPrivacy => Self::WindowsPrivacy,
            visavis_media::Forbidden::MacosPrivacy => Self::MacosPrivacy,
            visavis_media::Forbidden::LinuxGroup => Self::LinuxGroup,
            visavis_media::Forbidden::LinuxPolicy => Self::LinuxPolicy,
        }
    }
}

/// Something went wrong (or must be known); the page has a sentence for each: what happened, what it means, what to do.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(tag = "notice", rename_all = "snake_case")]
#[ts(export)]
pub enum Notice {
    ServerUnreachable {
        host: String,
    },
    /// Lost while in use; it is being tried again by itself.
    ServerLost,
    /// The server (or the issuer behind it) said no; `message` is its own English sentence, for codes without words here.
    Refused {
        code: RefusalCode,
        message: String,
    },
    /// What the server sent makes no sense: probably not a Visavis server, or of another version.
    ServerMalformed,
    BrowserDidNotOpen {
        url: String,
    },
    SignInTimedOut,
    CameraMissing {
        name: String,
    },
    CameraBusy {
        name: String,
    },
    CameraDenied {
        name: String,
        why: Forbidden,
    },
    CameraFileBroken {
        name: String,
        detail: String,
    },
    CameraFailed {
        detail: String,
    },
    /// What was in use is not plugged in, and nothing takes its place.
    CameraGone {
        name: String,
    },
    /// `other` takes its place until it is back.
    CameraInstead {
        name: String,
        other: String,
    },
    NoMicrophone,
    MicrophoneBusy,
    MicrophoneDenied {
        why: Forbidden,
    },
    MicrophoneFailed {
        detail: String,
    },
    MicrophoneGone {
        name: String,
    },
    MicrophoneInstead {
        name: String,
        other: String,
    },
    NoSpeaker,
    SpeakerBusy,
    SpeakerDenied {
        why: Forbidden,
    },
    SpeakerFailed {
        detail: String,
    },
    SpeakerGone {
        name: String,
    },
    SpeakerInstead {
        name: String,
        other: String,
    },
    /// It is plugged in again, and used again.
    DeviceBack {
        name: String,
    },
    /// No system keyring: the sign-in lasts until the window closes.
    KeyringMissing,
    CallFailed {
        detail: String,
    },
    /// The two apps do not hold the same keys: somebody sat in between, and the call was ended.
    CallTampered,
    MatchWithdrawn,
    /// Of a call to somebody one follows.
    CallDeclined {
        name: String,
    },
    CallUnanswered {
        name: String,
    },
    /// They are in a meeting.
    CallBusy {
        name: String,
    },
    CallOffline {
        name: String,
    },
    /// Theirs, which one did not take.
    CallMissed {
        name: String,
    },
    CallTooOften {
        name: String,
    },
    CallNotFriends,
    DrawingSaved {
        path: String,
    },
    DrawingDiskFull {
        folder: String,
    },
    /// It is not there and cannot be made, or may not be written to.
    DrawingFolder {
        folder: String,
    },
    DrawingFailed {
        detail: String,
    },
    SignedInElsewhere,
    /// The program before this one was killed or crashed.
    EndedBadly,
    /// The two never meet again.
    Blocked,
    /// The report is with the moderators, who look until then (Unix seconds).
    Reported {
        #[ts(type = "number")]
        decided_by: i64,
    },
    DataExported {
        path: String,
    },
    DataNotExported {
        detail: String,
    },
    AccountDeleted {
        #[ts(type = "number | null")]
        held_until: Option<i64>,
    },
    /// The file that `SaveDiagnostics` wrote.
    DiagnosticsSaved {
        path: String,
    },
    DiagnosticsNotSaved {
        detail: String,
    },
}
