//! Where to listen.

use std::net::{Ipv4Addr, SocketAddr};

/// What [`parse`] takes.
pub(super) const WANTED: &str = "a port, or an IP address and a port such as 0.0.0.0:9464";

/// An address to listen at; a port alone stands for loopback.
pub(super) fn parse(text: &str) -> Option<SocketAddr> {
    let port = text.strip_prefix(':').unwrap_or(text).parse::<u16>().ok();
    let loopback = port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    loopback.or_else(|| text.parse().ok())
}
