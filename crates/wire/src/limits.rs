//! Sizes beyond which a message is refused unread. Chosen well above what the programs send, so that a message over a limit
//! is a fault or an attack.

/// One WebSocket message, bytes.
pub const SOCKET_MESSAGE: usize = 64 * 1024;
/// One session description, bytes; ours are about 4 kB.
pub const SDP: usize = 24 * 1024;
/// One ICE candidate line, bytes.
pub const CANDIDATE: usize = 512;
/// One data-channel message, bytes: below the 64 KiB that every SCTP stack takes whole.
pub const CHANNEL_MESSAGE: usize = 48 * 1024;
/// Points of one stroke; a longer line is sent as several strokes.
pub const STROKE_POINTS: usize = 4096;
/// Runs of one fill: 5 bytes each at most, so that every fill fits into one message.
pub const FILL_RUNS: usize = 8000;
/// Points in one live message, redundancy included.
pub const LIVE_POINTS: usize = 64;
/// Characters of a profile's text field.
pub const PROFILE_TEXT: usize = 64;
/// Entries of a profile's list field.
pub const PROFILE_LIST: usize = 16;
/// Characters of a report's or an appeal's free text.
pub const REPORT_TEXT: usize = 1000;
/// Pictures that go with a report.
pub const EVIDENCE_PICTURES: usize = 4;
/// One of them, bytes of its file.
pub const EVIDENCE_PICTURE: usize = 48 * 1024;
/// All of them sealed, bytes.
pub const EVIDENCE: usize = 200 * 1024;
/// Characters of a text to somebody one follows.
pub const TEXT: usize = 1000;
/// Texts of a conversation that are shown.
pub const TEXTS_SHOWN: usize = 100;
/// Texts of a conversation that are kept; older ones give way.
pub const TEXTS_KEPT: usize = 500;
/// Sessions in the history.
pub const HISTORY: usize = 20;
/// Moves in one message about a game.
pub const GAME_MOVES: usize = 64;
/// Bytes of a guess, a word or a statement.
pub const GAME_TEXT: usize = 400;
/// Marks of the edge of a folded drawing, points of all of its strokes, and runs of all of its fills; the edges of one game fit into
/// one message together.
pub const EDGE_MARKS: usize = 150;
pub const EDGE_POINTS: usize = 1000;
pub const EDGE_RUNS: usize = 800;
/// Languages that somebody names for a game.
pub const GAME_LANGUAGES: usize = 8;
