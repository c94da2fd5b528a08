//! `imap_ratio`: mails a second from a Dovecot mailbox to committed threads, against fetching,
//! storing raw and ingesting, each measured alone and done one after another.

use crate::corpus::{Corpus, Item, Way};
use crate::desk::{Server, raw};
use crate::dovecot::{Dovecot, PASSWORD, USER};
use crate::number;
use futures::TryStreamExt;
use lanka::pure::channels::ImapSource;
use lanka::pure::domain::Timestamp;
use lanka::shell::carriers::http::HttpCarrier;
use lanka::shell::intake::{ChannelHealth, ChannelIdent, imap};
use lanka::shell::store::raw_event::{CursorMove, NewRawEvent};
use lanka::shell::tokens::Tokens;
use serde_json::{Map, Value, json};
use std::time::Instant;

/// Mails fetched by one command and stored by one transaction, as the intake does it.
const BATCH_MAILS: usize = 200;

/// Measures with `count` mails.
pub async fn measure(server: &Server, count: usize) -> Map<String, Value> {
    let start = Timestamp::now().saturating_sub(jiff::SignedDuration::from_hours(24)).expect("a time");
    let corpus = Corpus::new(7, start, jiff::SignedDuration::from_secs(2)).only(Way::Mail);
    let items: Vec<Item> = corpus.take(count).collect();
    let dovecot = Dovecot::start().await;
    dovecot.put(items.iter().map(|item| item.body.clone()));
    // Dovecot makes its index now, before anything is measured.
    assert_eq!(dovecot.count("INBOX", "ALL").await, count);
    let per_s = |seconds: f64| count as f64 / seconds;

    let began = Instant::now();
    let bytes = fetch_all(&dovecot.source(), count).await;
    let fetched = per_s(began.elapsed().as_secs_f64());

    let desk = server.desk("mailbox_alone").await;
    let events: Vec<NewRawEvent> = items.iter().map(raw).collect();
    server.settle().await;
    let began = Instant::now();
    for (number, events) in events.chunks(BATCH_MAILS).enumerate() {
        let state = json!({"validity": 1, "uid": number});
        let cursor = CursorMove { tenant: "main", channel: "mail", source: "INBOX", state };
        desk.store.record(events, Some(cursor)).await.expect("stored");
    }
    let stored = per_s(began.elapsed().as_secs_f64());
    drop(events);

    server.settle().await;
    let began = Instant::now();
    desk.decide().await;
    let ingested = per_s(began.elapsed().as_secs_f64());
    assert_eq!(desk.count("SELECT count(*) FROM message").await, count as i64);
    desk.store.pool.close().await;
    server.drop("mailbox_alone").await;

    let together = per_s(all_together(server, &dovecot, count).await);
    let serial = 1.0 / (1.0 / fetched + 1.0 / stored + 1.0 / ingested);
    eprintln!(
        "mailbox: {together:.0}/s in all; alone: fetching {fetched:.0}/s, storing {stored:.0}/s, ingesting {ingested:.0}/s, \
         one after another {serial:.0}/s; ratio {:.3}",
        together / serial
    );
    let raw = json!({"mails": count, "bytes": bytes, "together_per_s": number(together), "fetch_per_s": number(fetched),
        "store_per_s": number(stored), "ingest_per_s": number(ingested), "serial_per_s": number(serial)});
    Map::from_iter([("imap_ratio".to_owned(), number(together / serial)), ("imap".to_owned(), raw)])
}

/// Fetches every mail with the commands that the intake uses, and drops it. Gives their bytes.
async fn fetch_all(source: &ImapSource, count: usize) -> usize {
    let socket = tokio::net::TcpStream::connect((source.host.as_str(), source.port)).await.expect("connected");
    let mut client = async_imap::Client::new(socket);
    client.read_response().await.expect("a greeting");
    let mut session = client.login(USER, PASSWORD).await.map_err(|(error, _)| error).expect("a login");
    session.select("INBOX").await.expect("the inbox");
    let (mut bytes, mut mails) = (0, 0);
    for first in (1..=count).step_by(BATCH_MAILS) {
        let set = format!("{first}:{}", (first + BATCH_MAILS - 1).min(count));
        let fetched = session.uid_fetch(set, "(UID INTERNALDATE BODY.PEEK[])").await.expect("fetched");
        let fetched: Vec<_> = fetched.try_collect().await.expect("mails");
        mails += fetched.len();
        bytes += fetched.iter().filter_map(|mail| mail.body()).map(<[u8]>::len).sum::<usize>();
    }
    assert_eq!(mails, count, "some mails were not fetched");
    session.logout().await.expect("a good end");
    bytes
}

/// The intake and the ingest side by side, until everything is decided. Seconds.
async fn all_together(server: &Server, dovecot: &Dovecot, count: usize) -> f64 {
    let desk = server.desk("mailbox").await;
    let ident = ChannelIdent { tenant: "main".to_owned(), name: "mail".to_owned(), kind: "imap".to_owned() };
    server.settle().await;
    let began = Instant::now();
    let (finished, sources_done) = tokio::sync::watch::channel(false);
    let ingest = desk.ingest.clone();
    let beside = tokio::spawn(async move { ingest.run(sources_done, false).await });
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let health = ChannelHealth::new("mail");
    let tokens = Tokens::new(HttpCarrier::new(false).expect("a carrier"), std::path::Path::new("/nonexistent"));
    imap::watch(dovecot.source(), ident, desk.store.clone(), tokens, health, stop, true).await.expect("read");
    let _ = finished.send(true);
    beside.await.expect("the ingest");
    desk.decide().await;
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(desk.count("SELECT count(*) FROM message").await, count as i64);
    desk.store.pool.close().await;
    server.drop("mailbox").await;
    seconds
}
