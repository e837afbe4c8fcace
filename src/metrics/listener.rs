//! The optional listener: `GET /metrics` for a Prometheus that is not served by the host.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use prometheus::Registry;
use tiny_http::{Header, Method, Request, Response, Server};

use super::text;
use crate::thread::with_all_signals_blocked;

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A running listener; it ends when this is dropped.
pub(crate) struct Listener {
    server: Arc<Server>,
}

impl Listener {
    /// Listen at an address.
    ///
    /// # Errors
    ///
    /// A sentence: why the address cannot be listened at.
    pub(crate) fn start(address: SocketAddr, registry: Registry) -> Result<Self, String> {
        let refused = |reason: &dyn std::fmt::Display| {
            format!("NASHTRACE_METRICS_ADDR={address} cannot be listened at: {reason}")
        };
        // The library's threads are made here, and inherit the mask too.
        with_all_signals_blocked(|| {
            let server = Arc::new(Server::http(address).map_err(|error| refused(&error))?);
            let served = Arc::clone(&server);
            std::thread::Builder::new()
                .name("nashtrace-http".into())
                .spawn(move || serve(&served, &registry))
                .map_err(|error| refused(&error))?;
            Ok(Self { server })
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.server.unblock();
    }
}

fn serve(server: &Server, registry: &Registry) {
    for request in server.incoming_requests() {
        // A panic ends one answer, not the listener, and never the host.
        let _ = catch_unwind(AssertUnwindSafe(|| answer(request, registry)));
    }
}

fn answer(request: Request, registry: &Registry) {
    let path = request.url().split('?').next().unwrap_or_default();
    let (status, body) = match (request.method(), path) {
        (Method::Get | Method::Head, "/metrics") => (200, text(registry)),
        (Method::Get | Method::Head, _) => (404, "the metrics are at /metrics\n".to_owned()),
        _ => (405, "only GET is served\n".to_owned()),
    };
    let kind = Header::from_bytes("Content-Type", CONTENT_TYPE).expect("a valid header");
    // A client that has gone away is not told.
    let _ = request.respond(Response::from_string(body).with_status_code(status).with_header(kind));
}
