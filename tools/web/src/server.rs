//! A server for one page, to this machine alone.
//!
//! It answers `GET /` and refuses all else, one request a connection and a thread a connection. That is less
//! than any library has, which is why there is none here.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How long a client may take to ask, or to take the page.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of a request.
const MOST: u64 = 16 * 1024;

/// Hands `page` to whoever asks `listener`, until the process ends. A request that names another host than
/// this machine is refused: a page elsewhere could otherwise read this one under a name of its own.
///
/// # Errors
/// What the system says of `listener`; what goes wrong with one client ends that client's connection alone.
pub fn serve(listener: &TcpListener, page: String, policy: &str) -> io::Result<()> {
    let head = format!(
        "Content-Type: text/html; charset=utf-8\r\nContent-Security-Policy: {policy}; frame-ancestors 'none'\r\n\
         X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nCache-Control: no-store\r\n"
    );
    let answers = Arc::new((head, page));
    for client in listener.incoming() {
        let (client, answers) = (client?, Arc::clone(&answers));
        let answered = move || drop(answer(&client, &answers.0, &answers.1));
        thread::Builder::new().spawn(answered)?;
    }
    Ok(())
}

fn answer(client: &TcpStream, head: &str, page: &str) -> io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(client.take(MOST)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let mut host = None;
    for line in lines {
        let line = line?;
        match line.split_once(':') {
            _ if line.is_empty() => break,
            Some((name, value)) if name.eq_ignore_ascii_case("host") => host = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (status, body) = match (method, path) {
        _ if !host.is_some_and(|host| is_here(&host)) => {
            ("403 Forbidden", "this page is for its own machine alone\n")
        }
        ("GET" | "HEAD", "/" | "/index.html") => ("200 OK", page),
        ("GET" | "HEAD", _) => ("404 Not Found", "there is one page, /\n"),
        _ => ("405 Method Not Allowed", "GET / is all there is\n"),
    };
    let mut client = client;
    write!(client, "HTTP/1.1 {status}\r\n{head}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    if method != "HEAD" {
        client.write_all(body.as_bytes())?;
    }
    client.flush()
}

/// Whether `host`, as a browser names it, is this machine.
fn is_here(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    let address: Result<IpAddr, _> = name.trim_matches(['[', ']']).parse();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(request: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || serve(&listener, "<p>page</p>".into(), "default-src 'none'"));
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn the_page_is_handed_out_with_its_policy() {
        let answer = asked("GET / HTTP/1.1\r\nHost: localhost:80\r\n\r\n");
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n<p>page</p>"),
            "{answer}"
        );
        assert!(answer.contains("default-src 'none'; frame-ancestors 'none'\r\n"), "{answer}");
    }

    #[test]
    fn nothing_else_is() {
        for (request, status) in [
            ("GET /../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "404"),
            ("POST / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "405"),
            ("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", "403"),
            ("GET / HTTP/1.1\r\n\r\n", "403"),
            ("nonsense\r\nHost: localhost\r\n\r\n", "405"),
        ] {
            let answer = asked(request);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
            assert!(!answer.contains("<p>page</p>"));
        }
    }
}
