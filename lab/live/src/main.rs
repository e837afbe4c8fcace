//! Starts Dynamo's own HTTP frontend, asks it for `/metrics` once, and prints the answer.

use std::io::{Read, Write};
use std::net::SocketAddr;

use anyhow::Context;
use dynamo_llm::http::service::service_v2::HttpService;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let service = HttpService::builder().build()?;
    let stop = CancellationToken::new();
    let serving = tokio::spawn({
        let stop = stop.clone();
        async move { service.run_with_listener(stop, listener).await }
    });
    let answer = tokio::task::spawn_blocking(move || metrics(address)).await??;
    stop.cancel();
    serving.await??;
    print!("{answer}");
    Ok(())
}

/// The body of the answer to `GET /metrics`.
fn metrics(address: SocketAddr) -> anyhow::Result<String> {
    let mut stream = std::net::TcpStream::connect(address)?;
    write!(stream, "GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("not an HTTP answer")?;
    anyhow::ensure!(head.contains(" 200 "), "{head}");
    Ok(body.to_owned())
}
