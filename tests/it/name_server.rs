//! A name server for tests: speaks the wire protocol over UDP on loopback, answers from a table.

use mail_auth::hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use mail_auth::hickory_resolver::proto::rr::rdata::TXT;
use mail_auth::hickory_resolver::proto::rr::{RData, Record, RecordType};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::UdpSocket;

/// What a name answers. What is not in the table does not exist.
#[derive(Debug, Clone)]
pub enum Answer {
    Text(String),
    /// The server says that it failed.
    Fails,
    /// Nothing comes back.
    Silent,
}

/// The server. It ends with this value.
pub struct NameServer {
    pub address: SocketAddr,
    table: Arc<Mutex<HashMap<String, Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl NameServer {
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        let address = socket.local_addr().expect("its address");
        let (table, asked) = (Arc::<Mutex<HashMap<String, Answer>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let task = tokio::spawn(serve(socket, table.clone(), asked.clone()));
        Self { address, table, asked, task }
    }

    /// Adds to the table.
    pub fn says(&self, name: &str, answer: Answer) -> &Self {
        self.table.lock().expect("the table").insert(name.to_owned(), answer);
        self
    }

    pub fn text(&self, name: &str, text: &str) -> &Self {
        self.says(name, Answer::Text(text.to_owned()))
    }

    /// The names that were asked for since the last look, in order.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("the list"))
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(socket: UdpSocket, table: Arc<Mutex<HashMap<String, Answer>>>, asked: Arc<Mutex<Vec<String>>>) {
    let mut buffer = [0; 4096];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.expect("a datagram");
        let Ok(question) = Message::from_vec(&buffer[..length]) else { continue };
        let Some(query) = question.queries.first().cloned() else { continue };
        let name = query.name().to_ascii().trim_end_matches('.').to_ascii_lowercase();
        asked.lock().expect("the list").push(name.clone());
        let answer = table.lock().expect("the table").get(&name).cloned();
        let mut reply = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
        reply.metadata.recursion_desired = true;
        reply.metadata.recursion_available = true;
        reply.add_query(query.clone());
        let data = match (answer, query.query_type()) {
            (Some(Answer::Silent), _) => continue,
            (Some(Answer::Fails), _) => {
                reply.metadata.response_code = ResponseCode::ServFail;
                None
            }
            // Strings of a record have 255 bytes at most.
            (Some(Answer::Text(text)), RecordType::TXT) => {
                Some(RData::TXT(TXT::from_bytes(text.as_bytes().chunks(255).collect())))
            }
            (Some(_), _) => None,
            (None, _) => {
                reply.metadata.response_code = ResponseCode::NXDomain;
                None
            }
        };
        if let Some(data) = data {
            reply.add_answer(Record::from_rdata(query.name().clone(), 300, data));
        }
        let bytes = reply.to_vec().expect("a reply");
        let _ = socket.send_to(&bytes, from).await;
    }
}
