//! Sets the library's peer connection up as a call needs it: codecs, interceptors, ICE timing, sockets, tracks, channels.
//!
//! Everything it reports goes into the owner loop's input queue; decisions are made there.

use crate::channels::Channel;
use crate::codecs::Codecs;
use crate::comparison::Fingerprint;
use crate::congestion::TRANSPORT_CC;
use crate::cookie::{Cookies, Provider};
use crate::engine::{Config, Input, Policy, Shared};
use crate::haste::{Haste, HastyRuntime, Loses};
use crate::interceptors::registry;
use crate::relay::{self, RelayError, Way};
use crate::{sound, video};
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::BoxedInterceptor;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8, MIME_TYPE_VP9, MediaEngine};
use rtc::peer_connection::configuration::setting_engine::{SettingEngine, SettingEngineBuilder};
use rtc::peer_connection::configuration::{RTCConfigurationBuilder, RTCIceTransportPolicy};
use rtc::peer_connection::transport::RTCIceServer;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use rtc::shared::error::Error;
use rtc::shared::ifaces::ifaces;
use rtc::statistics::StatsSelector;
use rtc::statistics::report::RTCStatsReportEntry;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;
use visavis_media::codec::Codec;
use visavis_wire::socket::RelayCredentials;
use webrtc::data_channel::DataChannel;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceConnectionState, RTCIceGatheringState,
    RTCPeerConnectionIceEvent, RTCPeerConnectionState,
};

/// Silence of the path for this long is an interruption.
const ICE_DISCONNECTED: Duration = Duration::from_millis(2500);
/// And this much more is a failure of the path.
const ICE_FAILED: Duration = Duration::from_secs(15);
const ICE_KEEP_ALIVE: Duration = Duration::from_millis(500);
/// Nominating a pair and the first DTLS message wait for the next of these.
const ICE_CHECK_INTERVAL: Duration = Duration::from_millis(10);
/// Checks of one pair of candidates: 20 s, within which the other side may still be at its answer.
const ICE_CHECKS: u16 = 2000;
/// Packets, at least as many as the sender keeps.
const SRTP_WINDOW: usize = 1024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionError {
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// Without the library's own words, which may name addresses.
    #[error("the {0} could not be set up")]
    Setup(&'static str),
}

pub(crate) struct Connection {
    /// How the relay is reached, where there is one.
    way: Option<Way>,
    relays: Arc<Mutex<Vec<SocketAddr>>>,
    policy: Policy,
    pub cookies: Cookies,
    pub peer: Arc<dyn PeerConnection>,
    pub video: Arc<TrackLocalStaticRTP>,
    pub audio: Arc<TrackLocalStaticRTP>,
    pub channels: Vec<(Channel, Arc<dyn DataChannel>)>,
}

/// Random numbers that name the two streams.
#[derive(Clone, Copy)]
pub(crate) struct Sources {
    pub video: u32,
    pub audio: u32,
}

/// Where tests get between an engine and the wire; a call has none.
#[derive(Default)]
pub(crate) struct Taps {
    /// Nearest to the wire of the chain, above SRTP: what is lost here and sent again counts as a replay.
    pub interceptor: Option<BoxedInterceptor>,
    /// Whether a datagram is lost on its way out.
    pub loses: Option<Loses>,
}

pub(crate) async fn connect(
    config: &Config,
    sources: Sources,
    shared: &Shared,
    taps: Taps,
    inputs: UnboundedSender<Input>,
) -> Result<Connection, ConnectionError> {
    use ConnectionError::Setup;
    let way = match relay::reach(&config.relay, inputs.clone()).await {
        Ok(way) => Some(way),
        Err(error) if config.policy == Policy::RelayOnly => return Err(error.into()),
        Err(_) => None,
    };
    let relays = Arc::new(Mutex::new(way.as_ref().map(|way| way.addresses.clone()).unwrap_or_default()));
    let cryptography = rtc::crypto::default_provider().map_err(|_| Setup("cryptography"))?;
    let cookies = Cookies::new(cryptography.random()).map_err(|_| Setup("cryptography"))?;
    let cryptography = Arc::new(Provider::new(cryptography, &cookies));
    let haste = Haste::new(shared, cookies.clone(), taps.loses);
    let media = media_engine(config.codecs).map_err(|_| Setup("codecs"))?;
    let peer = PeerConnectionBuilder::new()
        .with_configuration(configuration(config.policy, &config.relay, way.as_ref()))
        .with_media_engine(media)
        .with_setting_engine(settings(cryptography))
        .with_interceptor_registry(registry(&shared.monitor, &shared.congestion, taps.interceptor))
        .with_handler(Arc::new(Handler { inputs }))
        .with_runtime(Arc::new(HastyRuntime::new(haste)))
        .with_udp_addrs(vec![LocalAddresses { relays: Arc::clone(&relays), policy: config.policy }])
        .build()
        .await
        .map_err(|_| Setup("sockets of the call"))?;
    let peer: Arc<dyn PeerConnection> = Arc::new(peer);
    let audio = add_audio(&*peer, sources.audio).await.map_err(|_| Setup("sound"))?;
    let video = add_video(&*peer, sources.video, config.codecs).await.map_err(|_| Setup("picture"))?;
    let mut channels = Vec::new();
    for channel in Channel::ALL {
        let opened = peer.create_data_channel(channel.label(), Some(channel.init())).await;
        channels.push((channel, opened.map_err(|_| Setup("data channels"))?));
    }
    Ok(Connection { way, relays, policy: config.policy, cookies, peer, video, audio, channels })
}

impl Connection {
    pub fn channel(&self, channel: Channel) -> Option<&dyn DataChannel> {
        self.channels.iter().find(|(which, _)| *which == channel).map(|(_, wire)| &**wire)
    }

    /// From which packets to the relay leave, and in a direct call all that others can reach; sorted.
    fn own_addresses(&self) -> Vec<IpAddr> {
        let relays = self.way.as_ref().map(|way| way.relays.as_slice()).unwrap_or_default();
        let mut addresses: Vec<IpAddr> = relays.iter().filter_map(|relay| route_to(*relay)).collect();
        if self.policy == Policy::Any {
            let found = ifaces().unwrap_or_default();
            addresses
                .extend(found.iter().filter_map(|face| face.addr).map(|address| address.ip()).filter(|ip| !ip.is_loopback()));
        }
        addresses.sort_unstable();
        addresses.dedup();
        addresses
    }

    /// From the next restart on, relayed addresses come this way.
    pub async fn take_way(&mut self, way: Way, relay: &RelayCredentials) -> Result<(), ConnectionError> {
        *self.relays.lock().unwrap_or_else(PoisonError::into_inner) = way.addresses.clone();
        let configuration = configuration(self.policy, relay, Some(&way));
        self.peer.set_configuration(configuration).await.map_err(|_| ConnectionError::Setup("relay"))?;
        self.way = Some(way);
        Ok(())
    }
}

/// Own and the peer's certificate, as the DTLS handshake has used them. `None` before it is through.
pub(crate) async fn certificates(peer: &dyn PeerConnection) -> Option<(Fingerprint, Fingerprint)> {
    let chain = peer.sctp().await?.transport().get_remote_certificates().await.ok()?;
    let theirs = Fingerprint::of(chain.first()?);
    let report = peer.get_stats(Instant::now(), StatsSelector::None).await;
    let own = report.transport()?.local_certificate_id.clone();
    match report.get(&own) {
        Some(RTCStatsReportEntry::Certificate(own)) if own.fingerprint_algorithm == "sha-256" => {
            Some((Fingerprint::read(&own.fingerprint)?, theirs))
        }
        _ => None,
    }
}

/// With all the codecs of the call: the library would take the one that the track names for the only one.
async fn add_video(peer: &dyn PeerConnection, ssrc: u32, codecs: Codecs) -> Result<Arc<TrackLocalStaticRTP>, Error> {
    let all = video_codecs(codecs);
    // The track must name one that the peer is sure to know, or its interceptors are never told of the stream.
    let named = all.last().map(|codec| codec.rtp_codec.clone()).unwrap_or_default();
    let track = local_track(RtpCodecKind::Video, ssrc, named);
    let transceiver = peer.add_transceiver_from_track(Arc::clone(&track) as Arc<dyn TrackLocal>, None).await?;
    transceiver.set_codec_preferences(all).await?;
    Ok(track)
}

async fn add_audio(peer: &dyn PeerConnection, ssrc: u32) -> Result<Arc<TrackLocalStaticRTP>, Error> {
    let track = local_track(RtpCodecKind::Audio, ssrc, opus());
    peer.add_track(Arc::clone(&track) as Arc<dyn TrackLocal>).await?;
    Ok(track)
}

fn local_track(kind: RtpCodecKind, ssrc: u32, codec: RTCRtpCodec) -> Arc<TrackLocalStaticRTP> {
    let name = if kind == RtpCodecKind::Video { "picture" } else { "sound" };
    let encoding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..RTCRtpCodingParameters::default() },
        codec,
        ..RTCRtpEncodingParameters::default()
    };
    let stream = MediaStreamTrack::new(String::from("call"), String::from(name), String::from(name), kind, vec![encoding]);
    Arc::new(TrackLocalStaticRTP::new(stream))
}

fn feedback(typ: &str, parameter: &str) -> RTCPFeedback {
    RTCPFeedback { typ: String::from(typ), parameter: String::from(parameter) }
}

/// In order of preference.
fn video_codecs(codecs: Codecs) -> Vec<RTCRtpCodecParameters> {
    let entries = codecs.list().into_iter();
    entries.map(|(codec, payload_type)| RTCRtpCodecParameters { rtp_codec: video_codec(codec), payload_type }).collect()
}

fn video_codec(codec: Codec) -> RTCRtpCodec {
    let (name, parameters) = match codec {
        Codec::Vp8 => (MIME_TYPE_VP8, ""),
        Codec::Vp9 => (MIME_TYPE_VP9, "profile-id=0"),
    };
    RTCRtpCodec {
        mime_type: String::from(name),
        clock_rate: video::CLOCK_RATE,
        channels: 0,
        sdp_fmtp_line: String::from(parameters),
        // No retransmission codec: the library unwraps it above the interceptors, so that a repair could not be told from a
        // packet of its own. Packets are sent again as they were.
        rtcp_feedback: vec![feedback("nack", ""), feedback("nack", "pli"), feedback("ccm", "fir"), feedback("transport-cc", "")],
    }
}

fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: String::from(MIME_TYPE_OPUS),
        clock_rate: sound::CLOCK_RATE,
        // RFC 7587: always announced as two, whatever is sent.
        channels: 2,
        sdp_fmtp_line: String::from("minptime=10;useinbandfec=1;usedtx=1"),
        rtcp_feedback: vec![feedback("transport-cc", "")],
    }
}

fn media_engine(codecs: Codecs) -> Result<MediaEngine, Error> {
    let mut media = MediaEngine::default();
    let audio = RTCRtpCodecParameters { rtp_codec: opus(), payload_type: sound::PAYLOAD_TYPE };
    media.register_codec(audio, RtpCodecKind::Audio)?;
    for video in video_codecs(codecs) {
        media.register_codec(video, RtpCodecKind::Video)?;
    }
    for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
        media.register_header_extension(RTCRtpHeaderExtensionCapability { uri: String::from(TRANSPORT_CC) }, kind, None)?;
    }
    Ok(media)
}

fn settings(cryptography: Arc<Provider>) -> SettingEngine {
    // Names that only a local network resolves are told by no app of ours, and the library cannot bind its sockets for them where
    // nothing is routed to multicast: a call in such a network would not begin, and a restart in one would end the call.
    SettingEngineBuilder::new()
        .with_crypto_provider(cryptography)
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_ice_timeouts(Some(ICE_DISCONNECTED), Some(ICE_FAILED), Some(ICE_KEEP_ALIVE))
        .with_ice_connection_attempts(Some(ICE_CHECK_INTERVAL), Some(ICE_CHECKS))
        // The library prefers to wait two seconds for something better than a relay.
        .with_relay_acceptance_min_wait(Some(Duration::ZERO))
        .with_host_acceptance_min_wait(Some(Duration::ZERO))
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_srflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_include_loopback_candidate(true)
        // Packets sent again come under their old numbers: with the usual window of 64 a repair that takes a fifth of a second
        // would be refused as a replay.
        .with_srtp_replay_protection_window(SRTP_WINDOW)
        // A restart follows a change of network: the old sockets are of no use.
        .with_discard_local_candidates_during_ice_restart(true)
        .build()
}

fn configuration(
    policy: Policy,
    relay: &RelayCredentials,
    way: Option<&Way>,
) -> rtc::peer_connection::configuration::RTCConfiguration {
    let server = way.map(|way| RTCIceServer {
        urls: way.urls.clone(),
        username: relay.username.reveal().clone(),
        credential: relay.credential.reveal().clone(),
    });
    let mut servers: Vec<RTCIceServer> = server.into_iter().collect();
    if policy == Policy::Any {
        // A relay tells by which address it sees this machine, too.
        let urls = way.map(Way::reflectors).unwrap_or_default();
        servers.extend((!urls.is_empty()).then(|| RTCIceServer { urls, ..RTCIceServer::default() }));
    }
    let policy = match policy {
        Policy::RelayOnly => RTCIceTransportPolicy::Relay,
        Policy::Any => RTCIceTransportPolicy::All,
    };
    RTCConfigurationBuilder::new().with_ice_servers(servers).with_ice_transport_policy(policy).build()
}

/// The local addresses to bind, looked up whenever sockets are bound, at the beginning and at every restart: those from which
/// the relays are reached, and in a direct call those of all interfaces.
struct LocalAddresses {
    relays: Arc<Mutex<Vec<SocketAddr>>>,
    policy: Policy,
}

impl ToSocketAddrs for LocalAddresses {
    type Iter = std::vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        let mut addresses: Vec<SocketAddr> = Vec::new();
        let relays = self.relays.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for ip in relays.iter().filter_map(|relay| route_to(*relay)) {
            if !addresses.iter().any(|known| known.ip() == ip) {
                addresses.push(SocketAddr::new(ip, 0));
            }
        }
        if self.policy == Policy::Any {
            addresses.push(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
            if relays.is_empty() {
                // Two programs of one machine without a relay.
                addresses.push(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
            }
        }
        if addresses.is_empty() {
            // No network at this moment. The library gives the connection up for good when there is nothing to bind.
            addresses.push(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        }
        Ok(addresses.into_iter())
    }
}

/// The local address that packets to `target` leave from. Connecting a UDP socket asks the routing table and sends nothing.
fn route_to(target: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if target.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(target).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Notices that packets would leave this machine from other addresses than those that the sockets are bound to.
#[derive(Default)]
pub(crate) struct NetworkWatch {
    known: Option<Vec<IpAddr>>,
}

impl NetworkWatch {
    /// True once for each change. A machine without a network has not changed yet: there is nothing to bind.
    pub fn look(&mut self, connection: &Connection) -> bool {
        self.differs(connection.own_addresses())
    }

    fn differs(&mut self, now: Vec<IpAddr>) -> bool {
        if now.is_empty() || self.known.as_ref() == Some(&now) {
            return false;
        }
        self.known.replace(now).is_some()
    }

    /// The sockets are about to be bound anew.
    pub fn settle(&mut self, connection: &Connection) {
        self.differs(connection.own_addresses());
    }
}

/// Runs on the library's driver, so it only hands over.
struct Handler {
    inputs: UnboundedSender<Input>,
}

impl Handler {
    fn put(&self, input: Input) {
        // Fails only when the call is over.
        let _ = self.inputs.send(input);
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(init) = event.candidate.to_json() {
            self.put(Input::LocalCandidate(Some(init.candidate)));
        }
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.put(Input::LocalCandidate(None));
        }
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        self.put(Input::Ice(state));
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.put(Input::Connection(state));
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.put(Input::Track(track));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_on_this_machine_is_reached_from_loopback_alone() {
        let relays = Arc::new(Mutex::new(vec!["127.0.0.1:3478".parse().unwrap()]));
        let local: Vec<SocketAddr> = LocalAddresses { relays, policy: Policy::RelayOnly }.to_socket_addrs().unwrap().collect();
        assert_eq!(local, [SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]);
    }

    #[test]
    fn a_change_of_network_is_noticed_once_and_none_is_no_change() {
        let ip = |last| IpAddr::from([192, 168, 1, last]);
        let mut watch = NetworkWatch::default();
        assert!(!watch.differs(vec![ip(1)]), "the first look");
        assert!(!watch.differs(vec![ip(1)]));
        assert!(!watch.differs(Vec::new()), "no network");
        assert!(!watch.differs(vec![ip(1)]), "the same as before");
        assert!(watch.differs(vec![ip(2)]));
        assert!(!watch.differs(vec![ip(2)]));
        assert!(watch.differs(vec![ip(1), ip(2)]));
    }

    #[test]
    fn there_is_something_to_bind_even_without_a_network() {
        let addresses = LocalAddresses { relays: Arc::default(), policy: Policy::RelayOnly };
        assert_eq!(addresses.to_socket_addrs().unwrap().count(), 1);
    }
}
