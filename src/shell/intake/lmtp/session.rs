//! One connection, from its greeting to its end.
//!
//! Answers are collected while commands are there already (PIPELINING), and sent before anything is waited
//! for. A connection that only makes mistakes, or never comes to a mail, is ended.
//!
//! **Invariant:** nothing that a client sends is logged, and nothing of it stands in an answer.

use super::super::mail::{Incoming, MailError};
use super::super::stopped;
use super::Desk;
use crate::pure::wire::envelope::Envelope;
use crate::pure::wire::lmtp::{Command, Unstuffer};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::watch;
use tokio::time::Instant;

/// Read at once from a connection. Bytes.
const READ_BYTES: usize = 64 * 1024;

/// Longest command line. RFC 5321 4.5.3.1.4 has 512 bytes, extensions and long addresses add to it.
const COMMAND_BYTES_MAX: usize = 4096;

/// Of a longer one so much is skipped, then the connection is ended.
const SKIPPED_BYTES_MAX: usize = 1024 * 1024;

/// Recipients of one mail; RFC 5321 4.5.3.1.8 wants a hundred at least.
const RECIPIENTS_MAX: usize = 1000;

/// Commands without a mail stored: all recipients, and some more.
const COMMANDS_MAX: usize = RECIPIENTS_MAX + 200;

/// Commands that were wrong, before the connection is ended.
const MISTAKES_MAX: usize = 20;

/// A whole mail may take so many times the longest silence.
const MAIL_TIMEOUTS: u32 = 4;

/// As `lanka quarantine` and `lanka explain` show it.
const ORIGIN: &str = "handed over by the mail server";

const SEQUENCE: &str = "503 5.5.1 not at this point";
const NO_RECIPIENTS: &str = "503 5.5.1 no recipients";
const TOO_LARGE: &str = "552 5.3.4 the mail is too large";

/// Why a connection ends.
enum End {
    /// It is gone, or QUIT was answered.
    Gone,
    /// It is told this, and ended.
    Told(&'static str),
}

/// A line with a command.
enum Line {
    Whole(Vec<u8>),
    TooLong,
    /// It ended with LF alone.
    BareLf,
}

/// What was said of the mail to come.
struct Mail {
    envelope: Envelope,
    /// What came of it by BDAT, if anything has.
    chunks: Option<Chunks>,
}

/// A mail in chunks.
struct Chunks {
    incoming: Incoming,
    until: Instant,
}

pub(super) struct Session<'a, R, W> {
    desk: &'a Desk,
    reader: BufReader<R>,
    writer: W,
    answers: Vec<u8>,
    /// Turns true when lanka stops; when also the mails under way are to be left.
    stop: watch::Receiver<bool>,
    abort: watch::Receiver<bool>,
    is_greeted: bool,
    mail: Option<Mail>,
    commands: usize,
    mistakes: usize,
}

impl<'a, R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Session<'a, R, W> {
    pub(super) fn new(
        desk: &'a Desk,
        reader: R,
        writer: W,
        (stop, abort): (watch::Receiver<bool>, watch::Receiver<bool>),
    ) -> Self {
        Self {
            desk,
            reader: BufReader::with_capacity(READ_BYTES, reader),
            writer,
            answers: Vec::new(),
            stop,
            abort,
            is_greeted: false,
            mail: None,
            commands: 0,
            mistakes: 0,
        }
    }

    pub(super) async fn run(mut self) {
        self.answer("220 lanka LMTP");
        let end = loop {
            if let Err(end) = self.step().await {
                break end;
            }
        };
        if let End::Told(answer) = end {
            self.answer(answer);
        }
        let _ = self.flush().await;
        let _ = tokio::time::timeout(self.desk.source.timeout, self.writer.shutdown()).await;
    }

    /// One command and its answers.
    async fn step(&mut self) -> Result<(), End> {
        let line = match self.line().await? {
            Line::Whole(line) => line,
            Line::TooLong => return self.mistake("500 5.5.2 the line is too long"),
            Line::BareLf => return self.mistake("500 5.5.2 lines end with CR LF"),
        };
        self.commands += 1;
        if self.commands > COMMANDS_MAX {
            return Err(End::Told("421 4.7.0 too many commands without a mail"));
        }
        match Command::parse(&line) {
            Ok(command) => self.obey(command).await,
            Err(refusal) => self.mistake(refusal),
        }
    }

    async fn obey(&mut self, command: Command) -> Result<(), End> {
        match command {
            Command::Lhlo => {
                self.is_greeted = true;
                self.mail = None;
                self.greet();
            }
            Command::Mail { sender, size, .. } => match &self.mail {
                _ if !self.is_greeted => return self.mistake(SEQUENCE),
                Some(_) => return self.mistake(SEQUENCE),
                None if size.is_some_and(|size| size > self.desk.source.message_bytes_max) => self.refuse_large(),
                None => {
                    let envelope = Envelope { sender: Some(sender), ..Envelope::default() };
                    self.mail = Some(Mail { envelope, chunks: None });
                    self.answer("250 2.1.0 go on");
                }
            },
            Command::Rcpt(recipient) => match &mut self.mail {
                None | Some(Mail { chunks: Some(_), .. }) => return self.mistake(SEQUENCE),
                Some(mail) if mail.envelope.recipients.len() >= RECIPIENTS_MAX => {
                    self.answer("452 4.5.3 too many recipients");
                }
                Some(mail) => {
                    mail.envelope.recipients.push(recipient);
                    self.answer("250 2.1.5 go on");
                }
            },
            Command::Data => return self.data().await,
            Command::Bdat { bytes, is_last } => return self.chunk(bytes, is_last).await,
            Command::Rset => {
                self.mail = None;
                self.answer("250 2.0.0 forgotten");
            }
            Command::Noop => self.answer("250 2.0.0 still here"),
            Command::Vrfy => self.answer("252 2.5.0 send it, and see"),
            Command::Quit => {
                self.answer("221 2.0.0 until then");
                return Err(End::Gone);
            }
        }
        Ok(())
    }

    fn greet(&mut self) {
        let size = format!("250-SIZE {}", self.desk.source.message_bytes_max);
        for line in ["250-lanka", "250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8", &size, "250-ENHANCEDSTATUSCODES"] {
            self.answer(line);
        }
        self.answer("250 CHUNKING");
    }

    /// A mail up to the line with a dot.
    async fn data(&mut self) -> Result<(), End> {
        let mail = match self.mail.take() {
            Some(mail) if mail.chunks.is_none() && !mail.envelope.recipients.is_empty() => mail,
            // RFC 2033 4.2: without a recipient there is nobody to answer for.
            Some(mail) if mail.chunks.is_none() => {
                self.mail = Some(mail);
                return self.mistake(NO_RECIPIENTS);
            }
            other => {
                self.mail = other;
                return self.mistake(SEQUENCE);
            }
        };
        self.answer("354 go on, and end with a dot");
        let mut incoming = self.incoming(&mail.envelope);
        let mut unstuffer = Unstuffer::default();
        let until = self.mail_until();
        loop {
            let input = self.fill(Some(until)).await?;
            let (read, before) = (input.len(), incoming.held().len());
            let end = unstuffer.take(input, incoming.held());
            self.reader.consume(end.unwrap_or(read));
            let more = incoming.held().len() - before;
            incoming.written(more).await;
            if end.is_some() {
                break;
            }
        }
        self.store(incoming, mail.envelope.recipients.len()).await;
        Ok(())
    }

    /// A part of a mail, of known size (RFC 3030). Its bytes are read also when they are not wanted: they
    /// are no commands.
    async fn chunk(&mut self, bytes: u64, is_last: bool) -> Result<(), End> {
        let mut mail = self.mail.take();
        let mut chunks = match &mut mail {
            Some(Mail { envelope, chunks }) if !envelope.recipients.is_empty() => Some(
                chunks.take().unwrap_or_else(|| Chunks { incoming: self.incoming(envelope), until: self.mail_until() }),
            ),
            _ => None,
        };
        let until = chunks.as_ref().map_or_else(|| self.mail_until(), |chunks| chunks.until);
        let mut left = bytes;
        while left > 0 {
            let input = self.fill(Some(until)).await?;
            let taken = input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if let Some(Chunks { incoming, .. }) = &mut chunks {
                incoming.add(&input[..taken]).await;
            }
            self.reader.consume(taken);
            left -= taken as u64;
        }
        match (mail, chunks) {
            (Some(mail), Some(chunks)) if is_last => {
                self.store(chunks.incoming, mail.envelope.recipients.len()).await;
                Ok(())
            }
            (Some(mail), Some(chunks)) => {
                self.mail = Some(Mail { chunks: Some(chunks), ..mail });
                self.answer("250 2.0.0 go on");
                Ok(())
            }
            (Some(mail), None) => {
                self.mail = Some(mail);
                self.mistake(NO_RECIPIENTS)
            }
            (None, _) => self.mistake(SEQUENCE),
        }
    }

    fn incoming(&self, envelope: &Envelope) -> Incoming {
        Incoming::new(&self.desk.store, self.desk.source.message_bytes_max, envelope.fields())
    }

    fn mail_until(&self) -> Instant {
        Instant::now() + self.desk.source.timeout * MAIL_TIMEOUTS
    }

    /// Stores a mail that is whole, and answers for each recipient.
    async fn store(&mut self, incoming: Incoming, recipients: usize) {
        let Desk { channel, health, .. } = self.desk;
        let stored = incoming.store(channel, ORIGIN).await;
        let (answer, word) = match &stored {
            Ok(()) => ("250 2.0.0 stored", "stored"),
            Err(MailError::TooLarge { .. }) => (TOO_LARGE, "too_large"),
            Err(MailError::Content(_)) => ("452 4.3.1 it cannot be stored now", "not_stored"),
            Err(MailError::Store(_) | MailError::NoAnswer) => ("451 4.3.0 it cannot be stored now", "not_stored"),
        };
        match &stored {
            Ok(()) => health.worked(),
            Err(MailError::TooLarge { .. }) => self.say_large(),
            Err(error) => health.failing("store_failed", format!("{error}; the mail server keeps it")),
        }
        metrics::counter!("lanka_lmtp_mails_total", "channel" => channel.name.clone(), "result" => word).increment(1);
        self.commands = 0;
        for _ in 0..recipients {
            self.answer(answer);
        }
    }

    fn refuse_large(&mut self) {
        self.say_large();
        self.answer(TOO_LARGE);
    }

    fn say_large(&self) {
        let bytes_max = self.desk.source.message_bytes_max;
        tracing::warn!(
            code = "mail_too_large",
            channel.name = self.desk.channel.name,
            bytes_max,
            "a mail over message_bytes_max was refused; the mail server tells its sender"
        );
    }

    fn answer(&mut self, line: &str) {
        self.answers.extend_from_slice(line.as_bytes());
        self.answers.extend_from_slice(b"\r\n");
    }

    /// Answers something that a mail server does not do.
    fn mistake(&mut self, answer: &'static str) -> Result<(), End> {
        self.mistakes += 1;
        if self.mistakes > MISTAKES_MAX {
            return Err(End::Told("421 4.7.0 too many mistakes"));
        }
        self.answer(answer);
        Ok(())
    }

    /// The next command line.
    async fn line(&mut self) -> Result<Line, End> {
        let (mut line, mut skipped) = (Vec::new(), 0);
        loop {
            let input = self.fill(None).await?;
            let end = input.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(input.len(), |at| at + 1);
            match line.len() + taken <= COMMAND_BYTES_MAX && skipped == 0 {
                true => line.extend_from_slice(&input[..taken]),
                false => skipped += taken,
            }
            self.reader.consume(taken);
            if skipped > SKIPPED_BYTES_MAX {
                return Err(End::Told("421 4.7.0 this is no command"));
            }
            if end.is_some() {
                return Ok(match (skipped, line.strip_suffix(b"\r\n")) {
                    (1.., _) => Line::TooLong,
                    (0, Some(line)) => Line::Whole(line.to_vec()),
                    (0, None) => Line::BareLf,
                });
            }
        }
    }

    /// What there is to read, at least one byte; answers are sent before it is waited for. Within a mail, which
    /// is to be whole by `mail_until`, a stop is waited out for a while.
    async fn fill(&mut self, mail_until: Option<Instant>) -> Result<&[u8], End> {
        if self.reader.buffer().is_empty() {
            self.flush().await?;
            let stop = if mail_until.is_some() { &mut self.abort } else { &mut self.stop };
            let silence = Instant::now() + self.desk.source.timeout;
            let until = mail_until.map_or(silence, |until| until.min(silence));
            let filled = tokio::select! {
                filled = self.reader.fill_buf() => filled.map(<[u8]>::len),
                () = tokio::time::sleep_until(until) => return Err(End::Told("421 4.4.2 that takes too long")),
                () = stopped(stop) => return Err(End::Told("421 4.3.2 lanka stops, come back")),
            };
            match filled {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Err(End::Gone),
            }
        }
        Ok(self.reader.buffer())
    }

    async fn flush(&mut self) -> Result<(), End> {
        let writing = async {
            self.writer.write_all(&self.answers).await?;
            self.writer.flush().await
        };
        let wait: Duration = self.desk.source.timeout;
        let written = tokio::time::timeout(wait, writing).await;
        self.answers.clear();
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}
