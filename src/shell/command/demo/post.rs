//! The mail server that the shop's answers are handed to in the demo: it takes them, as RFC 5321 has it, and shows them.

use super::super::Failure;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Longest line and mail taken: what the demo sends is far shorter. Bytes.
const MAIL_BYTES_MAX: usize = 1024 * 1024;

/// A mail server that keeps what it takes.
pub(super) struct PostOffice {
    /// Where it listens.
    pub(super) address: SocketAddr,
    taken: Taken,
    server: JoinHandle<()>,
}

/// Mails, whole.
type Taken = Arc<Mutex<Vec<String>>>;

impl PostOffice {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When nothing can listen on this machine.
    pub(super) async fn open() -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::failed(format!("cannot listen on 127.0.0.1: {error}"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let taken = Taken::default();
        let kept = Arc::clone(&taken);
        let server = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                // A conversation that breaks off shows as a mail that does not come.
                tokio::spawn(converse(socket, Arc::clone(&kept)));
            }
        });
        Ok(Self { address, taken, server })
    }

    /// What it took so far.
    pub(super) fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for PostOffice {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The value of a header field of a mail.
pub(super) fn header<'a>(mail: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = mail.split_once("\r\n\r\n")?;
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

async fn converse(socket: TcpStream, taken: Taken) -> io::Result<()> {
    let (reading, mut writing) = socket.into_split();
    let mut lines = BufReader::new(reading);
    writing.write_all(b"220 demo ESMTP\r\n").await?;
    let (mut mail, mut is_data) = (String::new(), false);
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await? == 0 || mail.len() + line.len() > MAIL_BYTES_MAX {
            return Ok(());
        }
        let answer: &[u8] = match line.as_str() {
            ".\r\n" if is_data => {
                is_data = false;
                taken.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(&mut mail));
                b"250 taken\r\n"
            }
            line if is_data => {
                mail.push_str(line.strip_prefix('.').unwrap_or(line));
                continue;
            }
            line if line.to_ascii_uppercase().starts_with("DATA") => {
                is_data = true;
                b"354 go on\r\n"
            }
            line if line.to_ascii_uppercase().starts_with("QUIT") => {
                return writing.write_all(b"221 bye\r\n").await;
            }
            _ => b"250 ok\r\n",
        };
        writing.write_all(answer).await?;
    }
}
