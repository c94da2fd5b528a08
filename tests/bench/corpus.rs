//! A desk's mail, chats and calls, made up from a seed: the same seed gives the same bytes.
//!
//! 50 % mail (median 4 KB, 30 % with an HTML alternative, 9 % with an attachment of 30 to 100 KB),
//! 40 % webhooks (web chat, Messenger, WhatsApp), 10 % calls. 55 % follow something up: a reply by
//! `In-Reply-To`, the same conversation, the same identity, or the same order number from another
//! channel. Finnish, Swedish and English; names come in the frequencies that names have.
//!
//! The stream is lazy, and what it remembers is bounded: a million items cost no more memory than
//! the matters that are still followed up.

#![allow(dead_code, reason = "each benchmark takes the parts it needs")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::fmt::Write as _;

/// Matters that may still be followed up; older ones are over.
const MATTERS_MAX: usize = 4_000;

/// People who may write again about something else.
const PEOPLE_MAX: usize = 20_000;

/// Share of items that follow something up, in percent.
const FOLLOW_UPS_PERCENT: u64 = 55;

/// The median of a mail's bytes without its attachment, and the spread of their logarithm.
const MAIL_BYTES_MEDIAN: f64 = 4096.0;
const MAIL_BYTES_SIGMA: f64 = 0.7;

/// What a mail costs before its first word.
const MAIL_HEADER_BYTES: usize = 900;

/// Which way an item comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Way {
    /// A mail.
    Mail,
    /// The generic web chat.
    Chat,
    /// Messenger.
    Messenger,
    /// WhatsApp.
    WhatsApp,
    /// A line of the call log.
    Call,
}

impl Way {
    /// The channel's name in the configuration of the benchmarks.
    pub fn channel(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Chat => "chat",
            Self::Messenger => "facebook",
            Self::WhatsApp => "whatsapp",
            Self::Call => "phone",
        }
    }
}

/// One thing that comes in.
#[derive(Debug, Clone)]
pub struct Item {
    /// Which way.
    pub way: Way,
    /// When it is sent; it comes in right away.
    pub at: Timestamp,
    /// What is delivered.
    pub body: Vec<u8>,
    /// The sender's id of it: Message-ID without brackets, `event_id`, mid, wamid, `uniqueid`.
    pub source_key: String,
    /// Whether it follows something up.
    pub follow_up: bool,
}

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.bits() % n.max(1)
    }

    /// Whether something of this probability happens.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }

    /// An index below `n`, the first ones more often: as common names are.
    fn common(&mut self, n: usize) -> usize {
        let unit = self.unit();
        ((unit * unit * n as f64) as usize).min(n - 1)
    }

    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Log-normal: twelve uniform numbers make a normal one, near enough.
    fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let normal: f64 = (0..12).map(|_| self.unit()).sum::<f64>() - 6.0;
        median * (sigma * normal).exp()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Finnish,
    Swedish,
    English,
}

/// Somebody, made of a number: the same number is the same person in every corpus.
#[derive(Debug, Clone)]
pub struct Person {
    /// The number.
    pub serial: u64,
    /// Given and family name.
    pub name: String,
    /// Address.
    pub email: String,
    /// National form, as people write it.
    phone: String,
    language: Language,
    /// Whether the mail server vouches for the sender.
    authenticated: bool,
}

impl Person {
    /// The person of a number.
    pub fn of(serial: u64) -> Self {
        let mut random = Random::new(serial.wrapping_mul(0xD134_2543_DE82_EF95));
        let language = match random.below(100) {
            0..70 => Language::Finnish,
            70..85 => Language::Swedish,
            _ => Language::English,
        };
        let given = match language {
            Language::Finnish => GIVEN_FI,
            Language::Swedish => GIVEN_SV,
            Language::English => GIVEN_EN,
        };
        let given = given[random.common(given.len())];
        let family = FAMILY[random.common(FAMILY.len())];
        let domain = match random.below(10) {
            0..6 => "posti.example".to_owned(),
            6..8 => "sahkoposti.example".to_owned(),
            _ => format!("yritys{}.example", random.below(2_000)),
        };
        // One number each: the people of a corpus begin at a multiple of ten million, see `Corpus::person`.
        let (corpus, nth) = (serial / 10_000_000, serial % 10_000_000);
        let digits = (nth + corpus * 20_000) * 7_368_787 % 10_000_000;
        let prefix = random.pick(&["040", "050", "044", "045"]);
        Self {
            serial,
            name: format!("{given} {family}"),
            email: format!("{}.{}{serial}@{domain}", plain(given), plain(family)),
            phone: format!("{prefix} {:03} {:04}", digits / 10_000, digits % 10_000),
            language,
            authenticated: random.percent(85),
        }
    }

    /// Their number as the whole world dials it, without the plus.
    pub fn number(&self) -> String {
        format!("358{}", &self.phone.replace(' ', "")[1..])
    }

    /// Their page-scoped id at Messenger.
    pub fn psid(&self) -> String {
        format!("78{:010}", self.serial)
    }
}

/// What somebody writes about.
#[derive(Debug, Clone)]
struct Matter {
    person: Person,
    order: Option<u64>,
    subject: String,
    /// Message-IDs so far, oldest first.
    mails: Vec<String>,
    conversation: Option<String>,
    last_text: String,
}

/// The stream.
#[derive(Debug, Clone)]
pub struct Corpus {
    random: Random,
    seed: u64,
    at: Timestamp,
    step: SignedDuration,
    serial: u64,
    people: u64,
    only: Option<Way>,
    population: u64,
    matters: Vec<Matter>,
    known: Vec<Person>,
}

impl Corpus {
    /// Items from `start` on, about one each `step`.
    pub fn new(seed: u64, start: Timestamp, step: SignedDuration) -> Self {
        Self {
            random: Random::new(seed),
            seed,
            at: start,
            step,
            serial: 0,
            people: 0,
            only: None,
            population: 0,
            matters: Vec::new(),
            known: Vec::new(),
        }
    }

    /// The same desk with one way in only.
    pub fn only(mut self, way: Way) -> Self {
        self.only = Some(way);
        self
    }

    /// Half of those who write for the first time here are people of the numbers 1 to `count`.
    pub fn among(mut self, count: u64) -> Self {
        self.population = count;
        self
    }

    fn way(&mut self) -> Way {
        let drawn = self.random.below(100);
        if let Some(way) = self.only {
            return way;
        }
        match drawn {
            0..50 => Way::Mail,
            50..66 => Way::Chat,
            66..78 => Way::Messenger,
            78..90 => Way::WhatsApp,
            _ => Way::Call,
        }
    }

    fn person(&mut self) -> Person {
        if !self.known.is_empty() && self.random.percent(30) {
            return self.random.pick(&self.known).clone();
        }
        let serial = match self.population {
            // Half are people whom a filled database knows.
            count @ 1.. if self.random.percent(50) => 1 + self.random.below(count),
            _ => {
                self.people += 1;
                self.people + (1 + self.seed % 1_000) * 10_000_000
            }
        };
        let person = Person::of(serial);
        keep(&mut self.known, person.clone(), PEOPLE_MAX, &mut self.random);
        person
    }

    fn matter(&mut self) -> Matter {
        let person = self.person();
        let number = 40_000_000 + (self.serial + (self.seed % 100) * 90_000) % 9_999_999;
        let order = self.random.percent(60).then_some(number);
        let subjects = subjects(person.language);
        let subject = (*self.random.pick(subjects)).to_owned();
        Matter { person, order, subject, mails: Vec::new(), conversation: None, last_text: String::new() }
    }

    /// A matter to go on with, recent ones more often.
    fn recent(&mut self) -> Option<usize> {
        let count = self.matters.len();
        (count > 0).then(|| count - 1 - self.random.common(count))
    }

    fn next_item(&mut self) -> Item {
        self.serial += 1;
        self.at = self.at.saturating_add(self.step).unwrap_or(self.at);
        let way = self.way();
        let follows = self.random.percent(FOLLOW_UPS_PERCENT);
        let found = if follows { self.recent() } else { None };
        let mut matter = match found {
            Some(index) => self.matters.swap_remove(index),
            None => self.matter(),
        };
        let (body, source_key) = match way {
            Way::Mail => self.mail(&mut matter),
            Way::Chat => self.chat(&mut matter),
            Way::Messenger => self.messenger(&mut matter),
            Way::WhatsApp => self.whatsapp(&mut matter),
            Way::Call => self.call(&matter),
        };
        keep(&mut self.matters, matter, MATTERS_MAX, &mut self.random);
        Item { way, at: self.at, body, source_key, follow_up: found.is_some() }
    }

    /// Sentences, about as many bytes as wanted.
    fn prose(&mut self, language: Language, bytes: usize) -> String {
        let sentences = sentences(language);
        let mut text = String::with_capacity(bytes + 120);
        while text.len() < bytes {
            if !text.is_empty() {
                text.push_str(if self.random.percent(20) { "\n\n" } else { " " });
            }
            let sentence = *self.random.pick(sentences);
            text.push_str(sentence);
        }
        text
    }

    fn words(&mut self, matter: &Matter, bytes: usize) -> String {
        let language = matter.person.language;
        let mut text = self.prose(language, bytes);
        if let Some(order) = matter.order
            && self.random.percent(70)
        {
            let _ = write!(text, " {} {order}.", order_word(language));
        }
        text
    }

    fn signature(&mut self, person: &Person) -> String {
        let greeting = match person.language {
            Language::Finnish => "Terveisin",
            Language::Swedish => "Med vänliga hälsningar",
            Language::English => "Best regards",
        };
        let phone = match (person.language, self.random.percent(60)) {
            (Language::Finnish, true) => format!("\nPuh. {}", person.phone),
            (Language::Swedish, true) => format!("\nTel. {}", person.phone),
            (Language::English, true) => format!("\nPhone: {}", person.phone),
            (_, false) => String::new(),
        };
        format!("\n\n{greeting}\n{}{phone}\n", person.name)
    }

    fn mail(&mut self, matter: &mut Matter) -> (Vec<u8>, String) {
        let person = matter.person.clone();
        let id = format!("m{}.{}@{}", self.seed, self.serial, domain_of(&person.email));
        let date = self.at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
        let (html, attached) = (self.random.percent(30), self.random.percent(9));
        let total = self.random.log_normal(MAIL_BYTES_MEDIAN, MAIL_BYTES_SIGMA) as usize;
        let budget = total.clamp(200 + MAIL_HEADER_BYTES, 60_000) - MAIL_HEADER_BYTES;
        let mut text = self.words(matter, if html { budget * 2 / 5 } else { budget * 4 / 5 }.max(60));
        text.push_str(&self.signature(&person));
        let replies = !matter.mails.is_empty();
        if replies && !matter.last_text.is_empty() {
            let quoted: Vec<String> = matter.last_text.lines().map(|line| format!("> {line}")).collect();
            let _ = write!(text, "\n{} asiakaspalvelu@kauppa.example:\n{}\n", &date[..16], quoted.join("\n"));
        }
        let results = match person.authenticated {
            true => format!("dmarc=pass header.from={}", domain_of(&person.email)),
            false => "dmarc=none".to_owned(),
        };
        let mut mail = format!(
            "Received: from mail.{domain} (mail.{domain} [192.0.2.{octet}])\r\n\tby mx.kauppa.example (Postfix) with ESMTPS id {id:X}\r\n\
             \tfor <asiakaspalvelu@kauppa.example>; {date}\r\nAuthentication-Results: mx.kauppa.example;\r\n\t{results}\r\n\
             From: {from} <{email}>\r\nTo: Asiakaspalvelu <asiakaspalvelu@kauppa.example>\r\nSubject: {subject}\r\nDate: {date}\r\n\
             Message-ID: <{message_id}>\r\nMIME-Version: 1.0\r\nUser-Agent: Postitin 4.2\r\n",
            domain = domain_of(&person.email),
            octet = 1 + self.random.below(250),
            id = self.serial + 0x00AB_0000,
            from = encoded_word(&person.name),
            email = person.email,
            subject = encoded_word(&if replies { format!("Re: {}", matter.subject) } else { matter.subject.clone() }),
            message_id = id,
        );
        if let Some(parent) = matter.mails.last() {
            let from = matter.mails.len().saturating_sub(6);
            let references: Vec<String> = matter.mails[from..].iter().map(|id| format!("<{id}>")).collect();
            let _ = write!(mail, "In-Reply-To: <{parent}>\r\nReferences: {}\r\n", references.join("\r\n\t"));
        }
        let body = self.mime(&text, html, attached);
        mail.push_str(&body);
        matter.last_text = text.lines().take(12).collect::<Vec<_>>().join("\n");
        matter.mails.push(id.clone());
        (mail.into_bytes(), id)
    }

    fn mime(&mut self, text: &str, html: bool, attached: bool) -> String {
        let encoded = self.random.percent(50);
        let plain = part("text/plain", text, encoded);
        let content = match html {
            true => {
                let marked: Vec<String> = text
                    .split("\n\n")
                    .map(|paragraph| {
                        format!(
                            "<p style=\"margin:0 0 12px 0;font-family:Arial\">{}</p>",
                            paragraph.replace('\n', "<br>\n")
                        )
                    })
                    .collect();
                let page = format!(
                    "<html><head><style>p {{ color: #222 }}</style></head><body>\n{}\n</body></html>\n",
                    marked.join("\n")
                );
                let boundary = format!("alt-{}", self.serial);
                format!(
                    "Content-Type: multipart/alternative; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n{plain}\r\n--{boundary}\r\n{}\r\n--{boundary}--\r\n",
                    part("text/html", &page, true)
                )
            }
            false => plain,
        };
        if !attached {
            return content;
        }
        let size = 30_000 + self.random.below(70_000) as usize;
        let bytes: Vec<u8> = (0..size.div_ceil(8)).flat_map(|_| self.random.bits().to_le_bytes()).collect();
        let encoded = STANDARD.encode(&bytes[..size]);
        let mut file = String::with_capacity(encoded.len() + encoded.len() / 38);
        for line in encoded.as_bytes().chunks(76) {
            file.push_str(std::str::from_utf8(line).unwrap_or_default());
            file.push_str("\r\n");
        }
        let boundary = format!("mixed-{}", self.serial);
        let (name, kind) = self.random.pick(&[("kuva.jpg", "image/jpeg"), ("lasku.pdf", "application/pdf")]);
        format!(
            "Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n{content}\r\n--{boundary}\r\n\
             Content-Type: {kind}; name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n{file}--{boundary}--\r\n"
        )
    }

    /// What somebody types into a small window; a quarter signs it.
    fn line(&mut self, matter: &Matter) -> String {
        let bytes = 20 + self.random.below(180) as usize;
        let mut text = self.words(matter, bytes);
        if self.random.percent(25) {
            let _ = write!(text, "\n\nT. {}", matter.person.name);
        }
        text
    }

    fn chat(&mut self, matter: &mut Matter) -> (Vec<u8>, String) {
        let id = format!("wc-{}-{}", self.seed, self.serial);
        let text = self.line(matter);
        let serial = self.serial;
        let conversation =
            matter.conversation.get_or_insert_with(|| format!("conv-{}-{serial}", matter.person.serial)).clone();
        let mut visitor = json!({"id": format!("v-{}", matter.person.serial)});
        if self.random.percent(50) {
            visitor["name"] = json!(matter.person.name);
        }
        if self.random.percent(20) {
            visitor["email"] = json!(matter.person.email);
        }
        let body = json!({"event_id": id, "type": "message", "conversation_id": conversation, "visitor": visitor,
            "text": text, "sent_at": self.at.to_string(), "page_url": "https://kauppa.example/apua"});
        (body.to_string().into_bytes(), id)
    }

    fn messenger(&mut self, matter: &mut Matter) -> (Vec<u8>, String) {
        let id = format!("m_{}_{}", self.seed, self.serial);
        let text = self.line(matter);
        let ms = self.at.as_millisecond();
        let body = json!({"object": "page", "entry": [{"id": "1055", "time": ms, "messaging": [{
            "sender": {"id": matter.person.psid()}, "recipient": {"id": "1055"}, "timestamp": ms,
            "message": {"mid": id, "text": text}}]}]});
        (body.to_string().into_bytes(), id)
    }

    fn whatsapp(&mut self, matter: &mut Matter) -> (Vec<u8>, String) {
        let id = format!("wamid.{}.{}", self.seed, self.serial);
        let text = self.line(matter);
        let number = matter.person.number();
        let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "2088", "changes": [{"field": "messages",
            "value": {"messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "358942720001", "phone_number_id": "3099"},
                "contacts": [{"profile": {"name": matter.person.name}, "wa_id": number}],
                "messages": [{"from": number, "id": id, "timestamp": self.at.as_second().to_string(), "type": "text",
                    "text": {"body": text}}]}}]}]});
        (body.to_string().into_bytes(), id)
    }

    /// A line of the call log, with its newline.
    fn call(&mut self, matter: &Matter) -> (Vec<u8>, String) {
        let id = format!("{}.{}{:03}", self.at.as_second(), self.serial, self.seed % 1_000);
        let show = |shift: i64| {
            let at = self.at.saturating_add(SignedDuration::from_secs(shift)).unwrap_or(self.at);
            at.strftime("%Y-%m-%d %H:%M:%S").to_string()
        };
        let caller = matter.person.phone.replace(' ', "");
        let line = match self.random.percent(75) {
            true => {
                let talk = 20 + self.random.below(600) as i64;
                format!(
                    "\"\",\"{caller}\",\"+358942720000\",\"from-pstn\",\"\"\"\" <{caller}>\",\"PJSIP/t-1\",\"PJSIP/200-1\",\"Dial\",\"PJSIP/200\",\"{}\",\"{}\",\"{}\",{},{talk},\"ANSWERED\",\"DOCUMENTATION\",\"{id}\",\"\"\n",
                    show(0),
                    show(5),
                    show(5 + talk),
                    talk + 5
                )
            }
            false => format!(
                "\"\",\"{caller}\",\"+358942720000\",\"from-pstn\",\"\"\"\" <{caller}>\",\"PJSIP/t-1\",\"PJSIP/200-1\",\"Dial\",\"PJSIP/200\",\"{}\",\"\",\"{}\",30,0,\"NO ANSWER\",\"DOCUMENTATION\",\"{id}\",\"\"\n",
                show(0),
                show(30)
            ),
        };
        (line.into_bytes(), id)
    }
}

impl Iterator for Corpus {
    type Item = Item;

    /// Never ends.
    fn next(&mut self) -> Option<Item> {
        Some(self.next_item())
    }
}

/// Puts something into a bounded memory, over any other once it is full.
fn keep<T>(memory: &mut Vec<T>, value: T, max: usize, random: &mut Random) {
    if memory.len() < max {
        memory.push(value);
    } else {
        let index = random.below(max as u64) as usize;
        memory[index] = value;
    }
}

fn domain_of(email: &str) -> &str {
    email.split_once('@').map_or("posti.example", |(_, domain)| domain)
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace(['ä', 'å'], "a").replace('ö', "o").replace('é', "e")
}

fn encoded_word(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_owned(),
        false => format!("=?UTF-8?B?{}?=", STANDARD.encode(text)),
    }
}

fn part(kind: &str, text: &str, encoded: bool) -> String {
    match encoded {
        true => format!(
            "Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}",
            quoted_printable(text)
        ),
        false => format!(
            "Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}",
            text.replace('\n', "\r\n")
        ),
    }
}

/// RFC 2045 6.7, lines of at most 76 characters.
fn quoted_printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 5 / 4);
    for line in text.split('\n') {
        let mut width = 0;
        for byte in line.bytes() {
            if width >= 72 {
                out.push_str("=\r\n");
                width = 0;
            }
            if byte == b'=' || !(b' '..=b'~').contains(&byte) {
                let _ = write!(out, "={byte:02X}");
                width += 3;
            } else {
                out.push(char::from(byte));
                width += 1;
            }
        }
        out.push_str("\r\n");
    }
    out
}

fn order_word(language: Language) -> &'static str {
    match language {
        Language::Finnish => "Tilausnumero",
        Language::Swedish => "Ordernummer",
        Language::English => "Order number",
    }
}

fn subjects(language: Language) -> &'static [&'static str] {
    match language {
        Language::Finnish => &[
            "Reklamaatio",
            "Tilaus ei ole saapunut",
            "Kysymys toimitusajasta",
            "Palautus",
            "Lasku",
            "Kahvinkeitin rikki",
            "Väärä tuote paketissa",
            "Takuuasia",
            "Kiitos palvelusta",
            "Osoitteenmuutos",
        ],
        Language::Swedish => &[
            "Reklamation",
            "Beställningen har inte kommit",
            "Fråga om leverans",
            "Retur",
            "Faktura",
            "Fel produkt i paketet",
            "Garantiärende",
        ],
        Language::English => &[
            "Complaint",
            "Where is my order?",
            "Question about delivery",
            "Return",
            "Invoice",
            "Wrong item received",
            "Warranty claim",
            "Change of address",
        ],
    }
}

fn sentences(language: Language) -> &'static [&'static str] {
    match language {
        Language::Finnish => SENTENCES_FI,
        Language::Swedish => SENTENCES_SV,
        Language::English => SENTENCES_EN,
    }
}

const SENTENCES_FI: &[&str] = &[
    "Hei, tilasin teiltä kahvinkeittimen eikä se ole vielä saapunut.",
    "Paketin piti tulla jo viime viikolla, mutta seuranta ei näytä mitään.",
    "Laite lakkasi toimimasta kolmen päivän jälkeen.",
    "Voisitteko tarkistaa, missä toimitus on menossa?",
    "Haluaisin palauttaa tuotteen ja saada rahat takaisin.",
    "Lasku on väärin, siinä on kaksi kertaa sama rivi.",
    "Yritin soittaa, mutta jonotin yli puoli tuntia.",
    "Kuulisin mielelläni, milloin asia on kunnossa.",
    "Kuvassa näkyy, mistä kohdasta kansi on haljennut.",
    "Osoite on muuttunut, uusi on Koivukatu 12 B 4.",
    "Kiitos nopeasta vastauksesta, asia on muuten hyvin.",
    "Onko teillä varaosia tähän malliin, vai pitääkö ostaa kokonaan uusi?",
    "Tuote on muuten hyvä, mutta väri ei ollut se, jonka tilasin.",
    "Myymälässä sanottiin, että tästä pitää kysyä teiltä.",
    "Tarvitsen kuitin kirjanpitoa varten mahdollisimman pian.",
    "Voinko vaihtaa koon vielä, kun paketti on avattu?",
    "Näyttö vilkkuu ja laitteesta kuuluu outo ääni aina käynnistyksen jälkeen.",
    "Ilmoittakaa, jos tarvitsette lisätietoja.",
];

const SENTENCES_SV: &[&str] = &[
    "Hej, jag har beställt en kaffebryggare men den har inte kommit.",
    "Paketet skulle ha kommit förra veckan.",
    "Apparaten slutade fungera efter tre dagar.",
    "Kunde ni kontrollera var leveransen är?",
    "Jag vill returnera varan och få pengarna tillbaka.",
    "Fakturan är fel, samma rad finns två gånger.",
    "Jag försökte ringa men fick vänta över en halv timme.",
    "På bilden syns det var locket har spruckit.",
    "Tack för det snabba svaret, annars är allt bra.",
    "Meddela gärna om ni behöver mera uppgifter.",
    "Har ni reservdelar till den här modellen?",
];

const SENTENCES_EN: &[&str] = &[
    "Hello, I ordered a coffee maker from you and it has not arrived yet.",
    "The parcel should have been here last week, but tracking shows nothing.",
    "The device stopped working after three days.",
    "Could you please check where the delivery is?",
    "I would like to return the product and get my money back.",
    "The invoice is wrong, the same line is there twice.",
    "I tried to call, but waited for more than half an hour.",
    "The picture shows where the lid has cracked.",
    "Thank you for the quick answer, everything else is fine.",
    "Please let me know if you need anything else from me.",
    "Do you have spare parts for this model, or do I have to buy a new one?",
    "The colour is not the one that I had ordered.",
];

const GIVEN_FI: &[&str] = &[
    "Maria", "Juhani", "Helena", "Johannes", "Anneli", "Antero", "Minna", "Mikael", "Johanna", "Tapani", "Kaarina",
    "Matti", "Sari", "Jari", "Päivi", "Kari", "Anna", "Timo", "Tuula", "Antti", "Leena", "Mika", "Pirjo", "Janne",
    "Eeva", "Hannu", "Riitta", "Sami", "Katja", "Petri", "Emilia", "Ville", "Aino", "Eino", "Onni", "Aada", "Veikko",
    "Sirkka", "Tiina", "Heikki", "Satu", "Pekka", "Hanna", "Jukka", "Merja", "Marko", "Laura", "Jussi", "Oona", "Eetu",
];

const GIVEN_SV: &[&str] = &[
    "Karin", "Erik", "Åsa", "Lars", "Ingrid", "Johan", "Maj", "Anders", "Birgitta", "Sven", "Kristina", "Göran", "Eva",
    "Nils", "Camilla", "Bengt", "Annika", "Kjell", "Sofia", "Gunnar",
];

const GIVEN_EN: &[&str] = &[
    "James",
    "Mary",
    "Robert",
    "Patricia",
    "John",
    "Jennifer",
    "Michael",
    "Linda",
    "David",
    "Elizabeth",
    "William",
    "Susan",
    "Richard",
    "Jessica",
    "Thomas",
    "Sarah",
    "Daniel",
    "Karen",
    "Andrew",
    "Nancy",
];

const FAMILY: &[&str] = &[
    "Korhonen",
    "Virtanen",
    "Mäkinen",
    "Nieminen",
    "Mäkelä",
    "Hämäläinen",
    "Laine",
    "Heikkinen",
    "Koskinen",
    "Järvinen",
    "Lehtonen",
    "Lehtinen",
    "Saarinen",
    "Salminen",
    "Heinonen",
    "Niemi",
    "Heikkilä",
    "Kinnunen",
    "Salonen",
    "Turunen",
    "Salo",
    "Laitinen",
    "Tuominen",
    "Rantanen",
    "Karjalainen",
    "Jokinen",
    "Mattila",
    "Savolainen",
    "Lahtinen",
    "Ahonen",
    "Lindström",
    "Johansson",
    "Karlsson",
    "Nyman",
    "Lindholm",
    "Andersson",
    "Smith",
    "Jones",
    "Taylor",
    "Brown",
    "Wilson",
    "Evans",
    "Öhman",
    "Pulkkinen",
    "Räsänen",
    "Toivonen",
    "Aalto",
    "Seppälä",
    "Väisänen",
    "Manninen",
    "Ojala",
    "Leppänen",
    "Kallio",
    "Hiltunen",
    "Miettinen",
    "Laaksonen",
    "Pitkänen",
    "Rautio",
    "Suominen",
    "Hakala",
];
