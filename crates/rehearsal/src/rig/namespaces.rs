//! Three anonymous network namespaces, each with a TUN device and loopback. They have no names, so nothing is left of them
//! when the last process inside is gone.

use super::system;
use std::fs::{self, File};
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt;

/// Not `tunN`: Chromium leaves such devices out when it asks whether there is a network.
const DEVICE: &str = "rig0";
pub const NAMES: [&str; 3] = ["a", "b", "server"];
pub const SERVER: usize = 2;

#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    #[error("no network namespace can be made ({0}); run as root")]
    Namespace(io::Error),
    #[error("no network device can be made ({0}); run as root, with the kernel's tun module")]
    Device(io::Error),
    #[error("a thread that makes a namespace ended early")]
    Thread,
}

pub fn address(side: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 0, side as u8 + 1)
}

/// Which side that address is, if it is one.
pub fn side_of(address: [u8; 4]) -> Option<usize> {
    match address {
        [10, 77, 0, last @ 1..=3] => Some(usize::from(last) - 1),
        _ => None,
    }
}

pub struct Host {
    pub namespace: File,
    pub tun: File,
    /// What `/proc/PID/ns/net` of every process inside points at.
    pub inode: u64,
}

pub fn create() -> Result<Vec<Host>, NamespaceError> {
    // Each in a thread of its own, so that this process stays where it is.
    let make = |side| std::thread::spawn(move || host(side)).join().map_err(|_| NamespaceError::Thread)?;
    (0..NAMES.len()).map(make).collect()
}

fn host(side: usize) -> Result<Host, NamespaceError> {
    system::leave_network().map_err(NamespaceError::Namespace)?;
    let namespace = File::open("/proc/thread-self/ns/net").map_err(NamespaceError::Namespace)?;
    let inode = namespace.metadata().map_err(NamespaceError::Namespace)?.ino();
    for which in ["all", "default"] {
        // A kernel without IPv6 has no such file, and needs none.
        let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1");
    }
    let tun = system::open_tun(DEVICE, address(side)).map_err(NamespaceError::Device)?;
    Ok(Host { namespace, tun, inode })
}

/// Ids of the processes inside a namespace.
pub fn processes_in(inode: u64) -> Vec<u32> {
    let inside = |id: &u32| fs::metadata(format!("/proc/{id}/ns/net")).is_ok_and(|file| file.ino() == inode);
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(inside)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_sides_belong_together() {
        for side in 0..NAMES.len() {
            assert_eq!(side_of(address(side).octets()), Some(side));
        }
        for address in [[10, 77, 0, 0], [10, 77, 0, 4], [10, 77, 1, 1], [127, 0, 0, 1]] {
            assert_eq!(side_of(address), None);
        }
    }
}
