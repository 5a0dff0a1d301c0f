//! What the rig needs of Linux and Rust's library does not have: network namespaces, TUN devices, waiting for several devices at
//! once, real-time priority, signals. Safe functions around single system calls; what they are for belongs to the callers.
#![allow(unsafe_code, reason = "system calls that have no safe wrapper in the standard library")]

use std::fs::File;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Nanoseconds of the monotonic clock.
pub fn now_ns() -> u64 {
    // SAFETY: a timespec is plain numbers, and the call only writes to it.
    let mut time: libc::timespec = unsafe { std::mem::zeroed() };
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Real-time priority and exact timers for this thread, so that a busy machine does not show as delay of the network. Where
/// that is not permitted it goes on without.
pub fn be_on_time() {
    let priority = libc::sched_param { sched_priority: 10 };
    // SAFETY: both calls take plain numbers and concern this thread alone.
    unsafe {
        libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const priority);
        libc::prctl(libc::PR_SET_TIMERSLACK, 1);
    }
}

/// Puts the calling thread into a network namespace of its own.
pub fn leave_network() -> io::Result<()> {
    // SAFETY: takes a number and concerns this thread alone.
    check(unsafe { libc::unshare(libc::CLONE_NEWNET) }).map(drop)
}

/// Puts the calling thread into the namespace that `namespace` (a file of `/proc/.../ns/net`) names.
pub fn enter_network(namespace: BorrowedFd<'_>) -> io::Result<()> {
    enter(namespace.as_raw_fd())
}

fn enter(namespace: RawFd) -> io::Result<()> {
    // SAFETY: a wrong descriptor is an error of the call.
    check(unsafe { libc::setns(namespace, libc::CLONE_NEWNET) }).map(drop)
}

/// The command will run inside that namespace, in a session of its own, and die with the thread that starts it.
pub fn start_inside(command: &mut Command, namespace: &File) {
    let namespace = namespace.as_raw_fd();
    // SAFETY: between fork and exec only system calls are made, nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            enter(namespace)?;
            libc::setsid();
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
}

fn request(name: &str) -> libc::ifreq {
    // SAFETY: an ifreq is plain numbers.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, byte) in request.ifr_name.iter_mut().zip(name.bytes().take(libc::IFNAMSIZ - 1)) {
        *to = byte as libc::c_char;
    }
    request
}

fn socket_address(address: Ipv4Addr) -> libc::sockaddr {
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: 0,
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.octets()) },
        sin_zero: [0; 8],
    };
    // SAFETY: the system lays an IPv4 address over the general one, of the same size.
    unsafe { std::mem::transmute(address) }
}

/// Makes a TUN device in the calling thread's namespace and brings it up, with loopback and a route to everywhere. Its packets
/// are read and written without blocking.
pub fn open_tun(name: &str, address: Ipv4Addr) -> io::Result<File> {
    // SAFETY: each call gets a descriptor that was just opened and a structure of the kind that it expects; the name of the
    // device outlives the call that points to it.
    unsafe {
        let flags = libc::O_RDWR | libc::O_NONBLOCK | libc::O_CLOEXEC;
        let tun = OwnedFd::from_raw_fd(check(libc::open(c"/dev/net/tun".as_ptr(), flags))?);
        let mut device = request(name);
        device.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as i16;
        check(libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF as _, &raw const device))?;

        let socket = OwnedFd::from_raw_fd(check(libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0))?);
        let set =
            |what: libc::c_ulong, request: &libc::ifreq| check(libc::ioctl(socket.as_raw_fd(), what as _, &raw const *request));
        let mut loopback = request("lo");
        loopback.ifr_ifru.ifru_flags = libc::IFF_UP as i16;
        set(libc::SIOCSIFFLAGS as _, &loopback)?;
        device.ifr_ifru.ifru_addr = socket_address(address);
        set(libc::SIOCSIFADDR as _, &device)?;
        device.ifr_ifru.ifru_netmask = socket_address(Ipv4Addr::new(255, 255, 255, 0));
        set(libc::SIOCSIFNETMASK as _, &device)?;
        device.ifr_ifru.ifru_mtu = 1500;
        set(libc::SIOCSIFMTU as _, &device)?;
        device.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as i16;
        set(libc::SIOCSIFFLAGS as _, &device)?;

        // So that programs find the address that they would use for the internet.
        let name = std::ffi::CString::new(name)?;
        let mut route: libc::rtentry = std::mem::zeroed();
        route.rt_dst = socket_address(Ipv4Addr::UNSPECIFIED);
        route.rt_genmask = socket_address(Ipv4Addr::UNSPECIFIED);
        route.rt_flags = libc::RTF_UP;
        route.rt_dev = name.as_ptr().cast_mut();
        check(libc::ioctl(socket.as_raw_fd(), libc::SIOCADDRT as _, &raw const route))?;
        Ok(File::from(tun))
    }
}

/// Waits until one of the devices can be read, or for `timeout`.
pub fn wait_readable(devices: &[File], timeout: Duration) {
    let mut polled: Vec<libc::pollfd> =
        devices.iter().map(|device| libc::pollfd { fd: device.as_raw_fd(), events: libc::POLLIN, revents: 0 }).collect();
    let timeout = libc::timespec { tv_sec: timeout.as_secs() as _, tv_nsec: timeout.subsec_nanos() as _ };
    // SAFETY: the list and the time outlive the call; no signal mask is given.
    unsafe { libc::ppoll(polled.as_mut_ptr(), polled.len() as _, &raw const timeout, std::ptr::null()) };
}

#[derive(Clone, Copy)]
pub enum Signal {
    End,
    Kill,
}

/// `whole_group`: the process and those that it started.
pub fn signal(process: u32, whole_group: bool, signal: Signal) {
    let number = match signal {
        Signal::End => libc::SIGTERM,
        Signal::Kill => libc::SIGKILL,
    };
    let target = if whole_group { -(process as i32) } else { process as i32 };
    // SAFETY: takes numbers; a process that is gone is an error of the call.
    unsafe { libc::kill(target, number) };
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

extern "C" fn on_signal(_: libc::c_int) {
    INTERRUPTED.store(true, Ordering::SeqCst);
}

/// From now on SIGINT and SIGTERM only set what [`interrupted`] tells.
pub fn listen_for_signals() {
    let handler: extern "C" fn(libc::c_int) = on_signal;
    // SAFETY: the handler stores to an atomic and does nothing else.
    unsafe {
        libc::signal(libc::SIGINT, handler as libc::sighandler_t);
        libc::signal(libc::SIGTERM, handler as libc::sighandler_t);
    }
}

pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}
