//! What is said in the demo, and the bytes in which it comes in.
//!
//! **Invariant:** people, shop and numbers are invented; every domain is under `.example` (RFC 2606).

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, ToSpan, Zoned};
use lettre::Message;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use sha2::Sha256;
use std::time::SystemTime;

/// The mail server of the shop, whose word on senders is believed.
const AUTHSERV: &str = "mx.kahvikauppa.example";

/// Where customers write to.
const DESK: &str = "asiakaspalvelu@kahvikauppa.example";

/// The shop's page on Facebook.
const PAGE: &str = "102030405060708";

/// When things are said, on the shop's clock: a question three days ago, a complaint two days later, a
/// call just now. Days before today, hour, minute.
const CHAT_AT: (i64, i8, i8) = (3, 9, 12);
const MAIL_AT: (i64, i8, i8) = (1, 18, 40);
const CALL_AGO: SignedDuration = SignedDuration::from_mins(6);

/// How long the call rang, and how long they talked. Seconds.
const RING_S: i64 = 8;
const TALK_S: i64 = 95;

/// One customer who comes by three channels.
pub(super) struct Story {
    /// What is particular about it.
    pub(super) title: &'static str,
    /// What happens, in a sentence or two.
    pub(super) plot: &'static str,
    /// The customer's name.
    name: &'static str,
    /// Mail address.
    address: &'static str,
    /// Number, as the exchange writes it.
    phone: &'static str,
    /// Page-scoped id on Messenger.
    psid: &'static str,
    /// What is asked on Messenger.
    chat: &'static str,
    /// The complaint's subject.
    subject: &'static str,
    /// The complaint.
    mail: &'static str,
}

/// The story as it should end, and the story that must not end so.
pub(super) const STORIES: [Story; 2] = [
    Story {
        title: "The chat names the order",
        plot: "Minna asks on Messenger when her coffee maker comes. It comes broken, and she complains by \
               mail, where she has the order's details. She hears nothing, and phones from the car.",
        name: "Minna Lehtoranta",
        address: "minna.lehtoranta@posti.example",
        phone: "0401234567",
        psid: "7301946284410237",
        chat: "Hi! When will the coffee maker of my order 4821 7093 arrive?\n\nRegards,\nMinna Lehtoranta",
        subject: "The coffee maker came broken",
        mail: "Hello,\n\nthe coffee maker arrived today, and its jug is cracked. The order is 4821 7093. \
               Please send me a new jug.\n\nRegards,\nMinna Lehtoranta\ntel. 040 123 4567\n",
    },
    Story {
        title: "The same, but the chat names no order",
        plot: "Juhani does as Minna did. But on Messenger he says only that he waits for a grinder, and his name.",
        name: "Juhani Kivelä",
        address: "juhani.kivela@sahkoposti.example",
        phone: "0501234567",
        psid: "7301950017723846",
        chat: "Hi! When will my coffee grinder arrive?\n\nRegards,\nJuhani Kivelä",
        subject: "The grinder does not grind",
        mail: "Hello,\n\nthe grinder arrived today, and it only hums. The order is 4907 1185. \
               What shall I do?\n\nRegards,\nJuhani Kivelä\ntel. 050 123 4567\n",
    },
];

/// How an agent answers Minna; what he writes, and what she says to that.
pub(super) const ANSWERED: &str = "An agent answers the ticket. Messenger takes no answer days later, and a call is no address to \
    write to: the answer goes by mail. She replies.";
pub(super) const ANSWER: &str = "A new jug leaves today. Keep the old one.";
const THANKS: &str = "Thank you, that was quick!\n";

impl Story {
    /// Her answer to a mail of the shop's.
    ///
    /// # Errors
    /// As [`Story::mail_bytes`].
    pub(super) fn reply_bytes(&self, answered: &str, subject: &str, now: &Zoned) -> anyhow::Result<Vec<u8>> {
        let mail = self.mail(subject, now)?.in_reply_to(answered.to_owned()).body(THANKS.to_owned())?;
        self.came_in(&mail, now)
    }

    /// The question on Messenger: the body that Meta would post.
    ///
    /// # Errors
    /// When there was no such time on the shop's clock.
    pub(super) fn chat_body(&self, now: &Zoned) -> anyhow::Result<String> {
        let ms = earlier(now, CHAT_AT)?.timestamp().as_millisecond();
        let body = serde_json::json!({"object": "page", "entry": [{"id": PAGE, "time": ms, "messaging": [{
            "sender": {"id": self.psid}, "recipient": {"id": PAGE}, "timestamp": ms,
            "message": {"mid": format!("m_{}", uuid::Uuid::now_v7().simple()), "text": self.chat},
        }]}]});
        Ok(body.to_string())
    }

    /// The complaint, as the shop's own mail server would hand it over: with the line that says when
    /// it came in, and what was found out about the sender.
    ///
    /// # Errors
    /// As above; lettre checks addresses when a mail is built.
    pub(super) fn mail_bytes(&self, now: &Zoned) -> anyhow::Result<Vec<u8>> {
        let at = earlier(now, MAIL_AT)?;
        let mail = self.mail(self.subject, &at)?.body(self.mail.to_owned())?;
        self.came_in(&mail, &at)
    }

    /// The beginning of a mail of the customer's.
    fn mail(&self, subject: &str, at: &Zoned) -> anyhow::Result<MessageBuilder> {
        let domain = self.address.rsplit('@').next().unwrap_or_default();
        Ok(Message::builder()
            .from(Mailbox::new(Some(self.name.to_owned()), self.address.parse()?))
            .to(Mailbox::new(None, DESK.parse()?))
            .subject(subject)
            .date(SystemTime::from(at.timestamp()))
            .message_id(Some(format!("<{}@{domain}>", uuid::Uuid::now_v7().simple())))
            .header(ContentType::TEXT_PLAIN))
    }

    /// A mail as it stands in the mailbox.
    fn came_in(&self, mail: &Message, at: &Zoned) -> anyhow::Result<Vec<u8>> {
        let domain = self.address.rsplit('@').next().unwrap_or_default();
        let came_in = jiff::fmt::rfc2822::to_string(at)?;
        let mut bytes = format!(
            "Received: from mail.{domain} (mail.{domain} [192.0.2.25])\r\n\tby {AUTHSERV} with ESMTPS;\r\n\t{came_in}\r\n\
             Authentication-Results: {AUTHSERV};\r\n\tdkim=pass header.d={domain};\r\n\tdmarc=pass header.from={domain}\r\n"
        )
        .into_bytes();
        bytes.extend(mail.formatted());
        Ok(bytes)
    }

    /// The call: the line that Asterisk writes when it is over, in the exchange's local time.
    pub(super) fn call_line(&self, now: &Zoned) -> String {
        let start = now - CALL_AGO;
        let clock =
            |after_s: i64| (&start + SignedDuration::from_secs(after_s)).strftime("%Y-%m-%d %H:%M:%S").to_string();
        // Both stories may be told within one second: the caller tells their calls apart.
        let (from, unique) = (self.phone, format!("{}.{}", start.timestamp().as_second(), &self.phone[1..3]));
        format!(
            "\"\",\"{from}\",\"+358942720000\",\"from-pstn\",\"\"\"\" <{from}>\",\"PJSIP/trunk-0000002a\",\"PJSIP/201-0000002b\",\
             \"Dial\",\"PJSIP/201,30\",\"{}\",\"{}\",\"{}\",{},{TALK_S},\"ANSWERED\",\"DOCUMENTATION\",\"{unique}\",\"\"\n",
            clock(0),
            clock(RING_S),
            clock(RING_S + TALK_S),
            RING_S + TALK_S,
        )
    }
}

/// So many days before now, at a time of the clock.
fn earlier(now: &Zoned, (days, hour, minute): (i64, i8, i8)) -> Result<Zoned, jiff::Error> {
    now.checked_sub(days.days())?.with().hour(hour).minute(minute).second(0).subsec_nanosecond(0).build()
}

/// `X-Hub-Signature-256` over a body, as Meta makes it with the app's secret.
#[expect(clippy::expect_used, reason = "HMAC (RFC 2104) is defined for keys of any length")]
pub(super) fn signature(app_secret: &str, body: &str) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(app_secret.as_bytes()).expect("HMAC takes any key");
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}
