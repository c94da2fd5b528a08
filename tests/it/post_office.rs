//! A mail server on loopback that takes mails (RFC 5321), answers as it is told, and remembers what it took.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A mail as it was handed over.
#[derive(Debug, Clone)]
pub struct Taken {
    pub from: String,
    pub to: Vec<String>,
    pub text: String,
}

impl Taken {
    /// The value of a header field, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
        let mut lines = head.lines();
        let line =
            lines.find(|line| line.to_ascii_lowercase().starts_with(&format!("{}:", name.to_ascii_lowercase())))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    }
}

#[derive(Default)]
struct Script {
    /// Answers to the next ends of data, in order; then 250.
    next: VecDeque<Reply>,
    taken: Vec<Taken>,
}

/// What to say when a mail is whole.
#[derive(Debug, Clone, Copy)]
pub enum Reply {
    /// This line, and the mail is taken if it begins with 2.
    Say(&'static str),
    /// The mail is taken, and the connection ends without a word.
    HangUp,
}

/// The server; it ends with its value.
pub struct PostOffice {
    pub address: SocketAddr,
    script: Arc<Mutex<Script>>,
    server: JoinHandle<()>,
}

impl PostOffice {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let script = Arc::new(Mutex::new(Script::default()));
        let serving = script.clone();
        let server = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let script = serving.clone();
                tokio::spawn(async move { converse(socket, script).await });
            }
        });
        Self { address, script, server }
    }

    pub fn then(&self, replies: impl IntoIterator<Item = Reply>) {
        self.script.lock().unwrap().next.extend(replies);
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.script.lock().unwrap().taken.clone()
    }
}

impl Drop for PostOffice {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn converse(socket: TcpStream, script: Arc<Mutex<Script>>) -> Option<()> {
    let (reading, mut writing) = socket.into_split();
    let mut lines = BufReader::new(reading);
    let mut say = async |line: &str| writing.write_all(format!("{line}\r\n").as_bytes()).await.ok();
    say("220 post.example ESMTP").await?;
    let mut taken = Taken { from: String::new(), to: Vec::new(), text: String::new() };
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        let address = |line: &str| line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        match line.get(..4).unwrap_or(line).to_ascii_uppercase().as_str() {
            "EHLO" => {
                say("250-post.example").await?;
                say("250-8BITMIME").await?;
                say("250 SMTPUTF8").await?;
            }
            "MAIL" => {
                taken = Taken { from: address(line), to: Vec::new(), text: String::new() };
                say("250 2.1.0 ok").await?;
            }
            "RCPT" => {
                taken.to.push(address(line));
                say("250 2.1.5 ok").await?;
            }
            "DATA" => {
                say("354 go on").await?;
                loop {
                    let mut line = String::new();
                    if lines.read_line(&mut line).await.ok()? == 0 {
                        return None;
                    }
                    match line.as_str() {
                        ".\r\n" => break,
                        line => taken.text.push_str(line.strip_prefix('.').unwrap_or(line)),
                    }
                }
                let reply = script.lock().unwrap().next.pop_front().unwrap_or(Reply::Say("250 2.0.0 taken"));
                let is_taken =
                    matches!(reply, Reply::HangUp) || matches!(reply, Reply::Say(line) if line.starts_with('2'));
                if is_taken {
                    script.lock().unwrap().taken.push(taken.clone());
                }
                match reply {
                    Reply::Say(line) => say(line).await?,
                    Reply::HangUp => return None,
                }
            }
            "QUIT" => {
                say("221 bye").await?;
                return None;
            }
            "RSET" | "NOOP" => say("250 ok").await?,
            _ => say("500 what?").await?,
        };
    }
}
